"""Real labelled images: reading them, and mixing them into training with ``--extra labels.json``.

The file lists items with ``image``, ``labels`` (GeoJSON in pixels, corners at integers), ``object_id``, ``bands_rgb``,
``stretch`` and so on; paths are relative to it. What the project ships is trained without any of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from torch.utils.data import IterableDataset

from .samples import Batch, Sample, SceneBatches, cut, stack

REAL_SHARE = 0.3
"""Share of the windows that come from real images when there are any."""


@dataclass(frozen=True)
class RealObject:
    """One labelled object of a real image."""

    item: dict[str, Any]
    """Its record in the file."""
    folder: Path
    """What the paths in the record are relative to."""

    def image(self) -> NDArray[np.uint8]:
        """The image (H, W, 3)."""
        return _image(self.folder / self.item["image"], tuple(self.item["bands_rgb"]))

    def mask(self) -> NDArray[np.bool_]:
        """The object (H, W)."""
        labels, ids = _labels(self.folder / self.item["labels"], self.image().shape[:2])
        wanted: NDArray[np.bool_] = _filled(ids[self.item["object_id"]], labels.shape, 1).astype(bool)
        return wanted


def read(path: Path, *, bench: bool = False) -> list[RealObject]:
    """The objects that a labels.json lists; only its benchmark part when asked for."""
    items = json.loads(path.read_text())["items"]
    kept = [item for item in items if not item.get("bbox_only") and (item.get("bench") or not bench)]
    return [RealObject(item, path.parent) for item in kept]


@lru_cache(maxsize=32)
def _image(path: Path, bands: tuple[int, ...]) -> NDArray[np.uint8]:
    import rasterio

    with rasterio.open(path) as dataset:
        data = dataset.read(bands).astype(np.float32)
    if data.max() > 255:
        low, high = np.quantile(data[data > 0], (0.02, 0.98))
        data = (data - low) * (255 / max(float(high - low), 1e-6))
    return np.ascontiguousarray(np.clip(data, 0, 255).astype(np.uint8).transpose(1, 2, 0))


@lru_cache(maxsize=32)
def _labels(path: Path, shape: tuple[int, int]) -> tuple[NDArray[np.int32], dict[Any, Any]]:
    """Numbered objects (H, W), and the geometry of each object id."""
    features = json.loads(path.read_text())["features"]
    geometries = {feature["properties"].get("object_id", feature.get("id")): feature["geometry"] for feature in features}
    labels = np.zeros(shape, np.int32)
    for number, geometry in enumerate(geometries.values(), 1):
        labels[_filled(geometry, shape, 1) > 0] = number
    return labels, geometries


def _filled(geometry: dict[str, Any], shape: tuple[int, int], value: int) -> NDArray[np.int32]:
    """The geometry burnt where pixel centres lie inside, holes left out."""
    out = np.zeros(shape, np.int32)
    polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    for polygon in polygons:
        rings = [np.round((np.array(ring)[:, :2] - 0.5) * 16).astype(np.int32) for ring in polygon]
        cv2.fillPoly(out, rings, value, shift=4)
    return out


class WithReal(IterableDataset):  # type: ignore[type-arg]
    """Batches in which some windows are real."""

    def __init__(self, generated: SceneBatches, path: Path, seed: int, side: int, batch: int) -> None:
        self._generated, self._objects = generated, read(path)
        self._seed, self._side, self._batch = seed, side, batch

    def __iter__(self) -> Iterator[Batch]:
        rng = np.random.default_rng((self._seed, 11))
        for batch in self._generated.windows():
            count = int(rng.binomial(self._batch, REAL_SHARE))
            real = [sample for _ in range(count) if (sample := self._window(rng))]
            yield stack((real + batch)[: self._batch])

    def _window(self, rng: np.random.Generator) -> Sample | None:
        chosen = self._objects[int(rng.integers(len(self._objects)))]
        image = chosen.image()
        labels, _ = _labels(chosen.folder / chosen.item["labels"], image.shape[:2])
        x0, y0, x1, y1 = chosen.item["bbox_xyxy"]
        wide = int(min(max(x1 - x0, y1 - y0, 12) * np.exp(rng.uniform(np.log(1.15), np.log(6))), *image.shape[:2]))
        left = int(np.clip((x0 + x1) / 2 - wide * rng.uniform(0.3, 0.7), 0, image.shape[1] - wide))
        top = int(np.clip((y0 + y1) / 2 - wide * rng.uniform(0.3, 0.7), 0, image.shape[0] - wide))
        view = (slice(top, top + wide), slice(left, left + wide))
        return cut(image[view].astype(np.float32) / 255, labels[view], 0 * labels[view], rng, self._side, worn=True)


def with_real(generated: SceneBatches, path: Path, seed: int, side: int, batch: int) -> WithReal:
    """Mix the real objects of a labels.json into generated batches."""
    return WithReal(generated, path, seed, side, batch)
