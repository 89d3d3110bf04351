"""Reading real labelled images: a labels.json that lists objects.

Each item has ``image``, ``labels`` (GeoJSON in pixels, corners at integers), ``object_id``, ``bands_rgb``,
``bbox_xyxy``, ``include_xy`` and so on; paths are relative to the file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


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
        labels, ids = numbered(self.folder / self.item["labels"], self.image().shape[:2])
        wanted: NDArray[np.bool_] = _filled(ids[self.item["object_id"]], labels.shape, 1).astype(bool)
        return wanted


def read(path: Path, *, bench: bool = False) -> list[RealObject]:
    """The objects that a labels.json lists; only its benchmark part when asked for."""
    items = json.loads(path.read_text())["items"]
    kept = [item for item in items if not item.get("bbox_only") and (item.get("bench") or not bench)]
    return [RealObject(item, path.parent) for item in kept]


@lru_cache(maxsize=32)
def _image(path: Path, bands: tuple[int, ...]) -> NDArray[np.uint8]:
    import rasterio  # noqa: PLC0415 (only for those who have real images)

    with rasterio.open(path) as dataset:
        data = dataset.read(bands).astype(np.float32)
    if data.max() > 255:
        low, high = np.quantile(data[data > 0], (0.02, 0.98))
        data = (data - low) * (255 / max(float(high - low), 1e-6))
    return np.ascontiguousarray(np.clip(data, 0, 255).astype(np.uint8).transpose(1, 2, 0))


@lru_cache(maxsize=32)
def numbered(path: Path, shape: tuple[int, int]) -> tuple[NDArray[np.int32], dict[Any, Any]]:
    """Numbered objects (H, W), and the geometry of each object id."""
    features = json.loads(path.read_text())["features"]
    geometries = {
        feature["properties"].get("object_id", feature.get("id")): feature["geometry"] for feature in features
    }
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
