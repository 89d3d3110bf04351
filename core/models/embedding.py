"""Encoded images, kept so that the second click on the same pixels costs only a decoding."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import threading
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .model import ImageArray, ImageEmbedding

logger = logging.getLogger(__name__)

_SUFFIX = ".embedding.npz"


@dataclass(frozen=True)
class EmbeddingKey:
    """What an embedding depends on. Where the image lies on the ground is not among it."""

    model: str
    """Name of the model."""
    weights_sha256: str
    """Digest of its weights."""
    image_digest: str
    """From :func:`image_digest`."""
    preprocess_version: int
    """The family's own; see :class:`SegmentationModel`."""
    whole: bool = False
    """True for a large image that is decoded in parts; see :class:`DecodesParts`."""

    @property
    def filename(self) -> str:
        """Name of its file in a cache folder."""
        parts = (self.model, self.weights_sha256, self.image_digest, str(self.preprocess_version), str(self.whole))
        return hashlib.sha256("\n".join(parts).encode("utf-8")).hexdigest() + _SUFFIX


def image_digest(image: ImageArray) -> str:
    """Return a digest of an image (H, W, 3) uint8, its shape included, in hex.

    Examples
    --------
    >>> flat = np.zeros((2, 8, 3), np.uint8)
    >>> image_digest(flat) == image_digest(flat.reshape(8, 2, 3))
    False
    """
    digest = hashlib.blake2b(digest_size=32)
    digest.update(repr((image.shape, image.dtype.str)).encode("ascii"))
    digest.update(np.ascontiguousarray(image).data)
    return digest.hexdigest()


class EmbeddingCache:
    """Embeddings in memory and, if a folder is given, on disk; the least recently used go first.

    Safe to use from several threads. Sessions of the algorithms keep embeddings in memory alone; the folder is made for
    the map tool (issue 4), where the same view comes back after a restart.

    Parameters
    ----------
    max_bytes : int
        What may be held in memory. An embedding that is larger alone is not kept there.
    folder : Path, optional
        Where embeddings are also kept for later sessions. Files that can't be read or written there are ignored: a
        cache never stops the work.
    max_folder_bytes : int
        What may be held in the folder.

    Examples
    --------
    >>> cache = EmbeddingCache(1_000_000)
    >>> key = EmbeddingKey("starter", "00", image_digest(np.zeros((2, 2, 3), np.uint8)), 1)
    >>> cache.put(key, ImageEmbedding((np.zeros(3, np.float32),), (2, 2)))
    >>> cache.get(key).image_size
    (2, 2)
    """

    def __init__(self, max_bytes: int, *, folder: Path | None = None, max_folder_bytes: int = 1024**3) -> None:
        self._max_bytes = max_bytes
        self._folder = folder
        self._max_folder_bytes = max_folder_bytes
        self._kept: OrderedDict[EmbeddingKey, ImageEmbedding] = OrderedDict()
        self._bytes = 0
        self._lock = threading.RLock()

    @property
    def nbytes(self) -> int:
        """Memory that is held."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: EmbeddingKey) -> ImageEmbedding | None:
        """Return the embedding, from memory or else from the folder, or None."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        if self._folder is None:
            return None
        found = _read(self._folder / key.filename)
        if found is not None:
            self._remember(key, found)
        return found

    def put(self, key: EmbeddingKey, embedding: ImageEmbedding) -> None:
        """Keep an embedding. Its arrays are made read-only."""
        for array in embedding.arrays:
            array.setflags(write=False)
        self._remember(key, embedding)
        if self._folder is not None:
            _write(self._folder, key.filename, embedding)
            _trim(self._folder, self._max_folder_bytes)

    def _remember(self, key: EmbeddingKey, embedding: ImageEmbedding) -> None:
        with self._lock:
            old = self._kept.pop(key, None)
            self._bytes -= old.nbytes if old is not None else 0
            if embedding.nbytes > self._max_bytes:
                return
            self._kept[key] = embedding
            self._bytes += embedding.nbytes
            while self._bytes > self._max_bytes:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= oldest.nbytes


def _read(path: Path) -> ImageEmbedding | None:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            height, width = (int(size) for size in stored["image_size"])
            arrays = tuple(stored[f"array_{index}"] for index in range(len(stored.files) - 1))
        os.utime(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        logger.warning("The cached embedding %s can't be read and is left out: %s", path, error)
        return None
    for array in arrays:
        array.setflags(write=False)
    return ImageEmbedding(arrays, (height, width))


def _write(folder: Path, filename: str, embedding: ImageEmbedding) -> None:
    """Write beside and rename, so that another process never reads half a file."""
    named = {f"array_{index}": array for index, array in enumerate(embedding.arrays)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as stream:
            part = Path(stream.name)
            try:
                np.savez(stream, image_size=np.asarray(embedding.image_size), **named)
            except OSError:
                stream.close()
                part.unlink()
                raise
        part.replace(folder / filename)
    except OSError as error:
        logger.warning("The embedding can't be kept in %s: %s", folder, error)


def _trim(folder: Path, max_bytes: int) -> None:
    """Remove the files that were used longest ago until the rest fits."""
    stats = []
    for path in folder.glob(f"*{_SUFFIX}"):
        try:
            stats.append((path.stat().st_mtime_ns, path.stat().st_size, path))
        except FileNotFoundError:  # another process trimmed it
            continue
    total = sum(size for _, size, _ in stats)
    for _, size, path in sorted(stats):
        if total <= max_bytes:
            break
        path.unlink(missing_ok=True)
        total -= size
