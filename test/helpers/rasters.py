"""Small raster files for tests, written with GDAL."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from prompt_segmenter.core import native

NORTH_UP = (10.0, 0.0, 500000.0, 0.0, -10.0, 4600000.0)
UTM = "EPSG:32633"


def write_raster(path: Path, data: np.ndarray, *, colours=(), palette=None, mask=None, names=(), tags=None, **profile):
    """Write data (B, H, W) as a GeoTIFF and return its path as text."""
    rasterio = native.rasterio()
    profile.setdefault("crs", UTM)
    profile.setdefault("transform", NORTH_UP)
    transform = profile.pop("transform")
    if transform is not None:
        profile["transform"] = rasterio.transform.guard_transform(transform)
    count, height, width = data.shape
    profile = {
        "driver": "GTiff", "count": count, "height": height, "width": width, "dtype": data.dtype.name, **profile
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with native.rasterio_env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "w", **profile) as target:
            target.write(data)
            if colours:
                target.colorinterp = [rasterio.enums.ColorInterp[colour] for colour in colours]
            if palette is not None:
                target.write_colormap(1, palette)
            if mask is not None:
                target.write_mask(mask)
            for number, name in enumerate(names, start=1):
                target.set_band_description(number, name)
    return str(path)
