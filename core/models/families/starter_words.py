"""The embedded words model: a head on the starter's own features that knows a small closed vocabulary.

Trained by this project on generated scenes, see ``training/words``. It is a starter: what it was measured at is in
resources/models/MODEL_CARD.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ...errors import EmptyPromptError, ModelFileError, UnsupportedPromptError
from ...progress import Progress, SubProgress, check
from .. import catalogue, vocabulary
from ..finding import Finding, HeatMap
from ..model import FloatArray, ImageArray, ModelSpec, RuntimeSettings
from ..onnx_session import OnnxSession

NAME = "starter_words"
_MULTIPLE = 32
_CELL = 4
"""Image pixels for each cell of the features."""
TILE_PX, MARGIN_PX = 320, 32
"""Side of what is encoded at once, and what neighbours share on each side; both multiples of 32."""
_LONGEST_SAID = 60


class StarterWordsModel:
    """The loaded words model: a heat map for each word that is asked for.

    An image is read in tiles of 320 pixels that overlap by 64, at its own and at half its resolution, so memory does
    not grow with it beyond the heat maps themselves. What a cell looks like depends on about 96 pixels around it at
    either resolution, and weakly on its tile's mean and contrast, by which the encoder normalises. So neighbouring
    windows should overlap by 256 pixels: on a drone image they then agree on 95 % of the cells that they share, by
    128 pixels on 86 %, by 64 on 71 %.

    Parameters
    ----------
    spec : ModelSpec
        Its catalogue entry.
    encoder, head : OnnxSession
        The starter's encoder and the head.

    Raises
    ------
    ModelFileError
        If a graph's inputs are not those that were exported.
    """

    preprocess_version = 1
    """Version of tiling, scaling and padding."""

    def __init__(self, spec: ModelSpec, encoder: OnnxSession, head: OnnxSession) -> None:
        for session, expected in ((encoder, {"image"}), (head, {"features", "image"})):
            found = {tensor.name for tensor in session.inputs}
            if found != expected:
                raise ModelFileError(
                    f"Model '{spec.name}': expected a graph with the inputs {', '.join(sorted(expected))}, "
                    f"found {', '.join(str(tensor) for tensor in session.inputs)}.",
                    hint="Give the starter's encoder first and the words head second.",
                )
        self._spec, self._encoder, self._head = spec, encoder, head

    @property
    def spec(self) -> ModelSpec:
        """Its catalogue entry."""
        return self._spec

    @property
    def weights_sha256(self) -> str:
        """Digest over both files."""
        return self._spec.weights_sha256

    def require_known(self, phrases: Sequence[str]) -> None:
        """Raise UnsupportedPromptError if one of the phrases is none of the vocabulary, EmptyPromptError if empty."""
        for phrase in phrases:
            self.meaning(phrase)

    def find(self, image: ImageArray, phrases: Sequence[str], progress: Progress) -> list[Finding]:
        """Return a heat map (ceil(H / 4), ceil(W / 4)) for each phrase, under the phrase as it was given.

        Raises
        ------
        EmptyPromptError, UnsupportedPromptError
            As :meth:`require_known`.
        ModelRunError, Cancelled
            As any model.
        """
        rows = [vocabulary.WORDS.index(self.meaning(phrase)) for phrase in phrases]
        heat = self._heat(image, sorted(set(rows)), progress)
        return [HeatMap(phrase, heat[row].copy()) for phrase, row in zip(phrases, rows)]

    def meaning(self, phrase: str) -> str:
        """Return the word of the vocabulary that a phrase means; raises as :meth:`require_known`."""
        word = vocabulary.meaning(phrase)
        if word is not None:
            return word
        if not phrase.strip():
            raise EmptyPromptError("Nothing says what to look for.", hint="Write a word, e.g. building.")
        raise UnsupportedPromptError(_refusal(self._spec, phrase), hint=_ways_out(self._spec))

    def _heat(self, image: ImageArray, rows: Sequence[int], progress: Progress) -> dict[int, FloatArray]:
        """Return what each row of the head's output says of the image, (h, w) 0 to 1.

        The image is read at its own resolution and at half of it: what is large for the one is right for the other.
        """
        own, half = SubProgress(progress, 0.0, 0.8), SubProgress(progress, 0.8, 1.0)
        logits = self._read(image, rows, own)
        logits += _doubled(self._read(_halved(image), rows, half), (logits.shape[1], logits.shape[2]))
        heat = 1 / (1 + np.exp(-np.clip(logits / 2, -30, 30)))
        size = (image.shape[0], image.shape[1])
        return {row: _at_cells(plane, size) for row, plane in zip(rows, heat.astype(np.float32))}

    def _read(self, image: ImageArray, rows: Sequence[int], progress: Progress) -> FloatArray:
        """Return logits (rows, ceil(H / 4), ceil(W / 4)) of an image, tile by tile."""
        height, width = image.shape[:2]
        shape = (-(-height // _CELL), -(-width // _CELL))
        total, weight = np.zeros((len(rows), *shape), np.float32), np.zeros(shape, np.float32)
        tiles = list(_tiles(height, width))
        for index, (top, left) in enumerate(tiles):
            share = SubProgress(progress, index / len(tiles), (index + 1) / len(tiles))
            logits = self._logits(image[top : top + TILE_PX, left : left + TILE_PX], share)[list(rows)]
            share.report(1.0)
            taper = _taper(logits.shape[1])[:, None] * _taper(logits.shape[2])
            rows_of, cols_of = (slice(begin // _CELL, begin // _CELL + n) for begin, n in zip((top, left), taper.shape))
            total[:, rows_of, cols_of] += logits * taper
            weight[rows_of, cols_of] += taper
        return total / weight

    def _logits(self, tile: NDArray[np.uint8], progress: Progress) -> FloatArray:
        """Return logits (words, h, w) of the cells that a tile has, whole ones and the last part of one."""
        check(progress)
        height, width = tile.shape[:2]
        missing = [(0, -side % _MULTIPLE) for side in (height, width)]
        padded = np.pad(tile, (*missing, (0, 0)), mode="edge").transpose(2, 0, 1)[None]
        feed = padded.astype(np.float32) * np.float32(1 / 255)
        (features,) = self._encoder.run({"image": feed}, ("embedding",), progress)
        (logits,) = self._head.run({"features": features, "image": feed}, ("logits",), progress)
        whole: FloatArray = logits[0, :, : -(-height // _CELL), : -(-width // _CELL)]
        return whole


class StarterWordsFamily:
    """Loads the embedded words model."""

    def load(self, spec: ModelSpec, paths: tuple[str, ...], settings: RuntimeSettings) -> StarterWordsModel:
        """Return the model whose encoder and head lie at ``paths``."""
        if len(paths) != len(("encoder", "head")):
            raise ModelFileError(
                f"Model '{spec.name}': the starter_words family takes 2 files, got {len(paths)}.",
                hint="Give the starter's encoder, then the words head.",
            )
        encoder, head = (OnnxSession.with_settings(path, settings) for path in paths)
        return StarterWordsModel(spec, encoder, head)


ENTRY = StarterWordsFamily()


def _refusal(spec: ModelSpec, phrase: str) -> str:
    near = vocabulary.nearest(phrase)
    ask = f" Did you mean '{near}'?" if near else ""
    said = phrase.strip()
    said = said if len(said) <= _LONGEST_SAID else f"{said[:_LONGEST_SAID]}..."
    return f"The model '{spec.name}' does not know '{said}'.{ask}"


def _ways_out(spec: ModelSpec) -> str:
    """Return what it knows, and which models of the catalogue take other words."""
    known = ", ".join(vocabulary.WORDS)
    hint = f"It knows, in English, German, French, Spanish, Portuguese and Italian: {known}."
    others = [f"{other.title} ({other.name})" for other in catalogue.taking("words") if other.name != spec.name]
    return (
        f"{hint} Other words are for models that can be installed or connected: {', '.join(others)}."
        if others
        else hint
    )


def _tiles(height: int, width: int) -> Iterator[tuple[int, int]]:
    """Yield where tiles begin, (row, column), at multiples of 32."""
    return ((top, left) for top in _starts(height) for left in _starts(width))


def _starts(length: int) -> list[int]:
    last = -(-max(0, length - TILE_PX) // _MULTIPLE) * _MULTIPLE
    return sorted({*range(0, last, TILE_PX - 2 * MARGIN_PX), last})


def _taper(cells: int) -> FloatArray:
    """Return weights (cells,) that fall to the sides of a tile over the margin that neighbours share."""
    places = np.arange(cells, dtype=np.float32) + 0.5
    reach = np.float32(2 * MARGIN_PX / _CELL)
    weights: FloatArray = np.minimum(1, np.minimum(places, places[::-1]) / reach).astype(np.float32)
    return weights


def _halved(image: ImageArray) -> ImageArray:
    """Return an image (H, W, 3) of half the size, by means of four pixels; an odd last row or column counts twice."""
    even = np.pad(image, (*((0, side % 2) for side in image.shape[:2]), (0, 0)), mode="edge").astype(np.uint16)
    four = even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]
    means: ImageArray = ((four + 2) // 4).astype(np.uint8)
    return means


def _doubled(planes: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """Return planes (C, h, w) at twice the cells, blended linearly, as far as (rows, cols)."""
    for axis, count in enumerate(shape, start=1):
        planes = _blend(planes, (np.arange(count, dtype=np.float32) + 0.5) / 2 - 0.5, axis)
    return planes


def _at_cells(plane: FloatArray, size: tuple[int, int]) -> FloatArray:
    """Return a plane of 4 px cells as many cells of equal size that end with the image, blended linearly."""
    for axis, side in enumerate(size):
        cells = plane.shape[axis]
        if side % _CELL:
            places = (np.arange(cells, dtype=np.float32) + 0.5) * np.float32(side / (cells * _CELL)) - np.float32(0.5)
            plane = _blend(plane, places, axis)
    return np.ascontiguousarray(plane, dtype=np.float32)


def _blend(array: FloatArray, places: FloatArray, axis: int) -> FloatArray:
    """Return values at continuous indices along an axis, blended linearly and held at the ends."""
    last = array.shape[axis] - 1
    low = np.clip(np.floor(places).astype(int), 0, last)
    share = np.clip(places - low, 0, 1).astype(np.float32)
    share = share.reshape([-1 if i == axis else 1 for i in range(array.ndim)])
    blended: FloatArray = array.take(low, axis) * (1 - share) + array.take(np.minimum(low + 1, last), axis) * share
    return blended
