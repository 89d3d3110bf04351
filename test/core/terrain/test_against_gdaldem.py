"""Slope and aspect against gdaldem, where it is installed."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest
from prompt_segmenter.core import native
from prompt_segmenter.core.raster.grid import PixelGrid
from prompt_segmenter.core.terrain.derivatives import aspect_deg, slope_deg
from prompt_segmenter.core.terrain.elevation import ElevationGrid
from prompt_segmenter.test.core.terrain.test_metric_recipe import relief
from prompt_segmenter.test.helpers.rasters import write_raster

GDALDEM = shutil.which("gdaldem")

pytestmark = pytest.mark.skipif(GDALDEM is None, reason="gdaldem is not installed")


@pytest.mark.parametrize(
    ("mode", "derive", "across", "limit"),
    # gdaldem's aspect takes cells to be square
    [("slope", slope_deg, 20.0, 1e-3), ("slope", slope_deg, 30.0, 1e-3), ("aspect", aspect_deg, 30.0, 2e-2)],
)
def test_both_say_the_same_inside_and_beside_voids(tmp_path, mode, derive, across, limit):
    grid = PixelGrid((across, 0.0, 500000.0, 0.0, -30.0, 4600000.0), "EPSG:32633", 90, 70)
    heights = relief(grid).astype(np.float32)
    heights[20:30, 30:40] = -9999
    path = write_raster(tmp_path / "dem.tif", heights[None], transform=grid.transform, nodata=-9999)
    out = tmp_path / "out.tif"
    subprocess.run([GDALDEM, mode, path, str(out), "-q"], check=True, timeout=60)
    with native.rasterio_env(), native.rasterio().open(out) as file:
        theirs = file.read(1, masked=True).filled(np.nan)
    # gdaldem takes map metres for ground metres
    metres = np.where(heights == -9999, np.nan, heights)
    ours = derive(ElevationGrid(metres, np.isfinite(metres), grid, (across, 30.0), "made"))
    both = np.isfinite(theirs)
    assert both.sum() > 5000 and np.isfinite(ours).sum() >= both.sum()
    difference = np.abs(ours - theirs)[both]
    if mode == "aspect":
        difference = np.minimum(difference, 360 - difference)
    assert np.nanmax(difference) < limit
