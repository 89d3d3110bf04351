"""Every raster of the awkward collection beside the checkout works, or is refused with a sentence that is right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from prompt_segmenter.core.errors import MissingCrsError, RasterReadError, SegmentError
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.raster.rgb import RgbRecipe, RgbSettings, resolve_recipe, to_rgb8
from prompt_segmenter.core.raster.sources import open_source
from prompt_segmenter.core.window import over, place

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "data" / "rasters_awkward"
NOT_RASTERS = {".md", ".xml"}
FILES = sorted(path for path in FOLDER.glob("*") if path.suffix not in NOT_RASTERS) if FOLDER.is_dir() else []
REFUSED = {
    "rio_389225main_sw_1965_1024.jpg": (MissingCrsError, "has no coordinate reference system"),
    "rio_all-nodata.tif": (RasterReadError, "holds nothing but nodata in band 3, 2, 1"),
    "solaris_sar_complex_gcps.tif": (RasterReadError, r"holds complex numbers \(complex64\)"),
}
RECIPES = {
    "N10W110.hgt.zip": "bands=1 stretch=1:5",
    "deepness_fotomap_rgba_2cm.tif": "bands=1,2,3 stretch=none",
    "ftw_s2_8band_uint16_utm33.tif": "bands=1,2,3 stretch=174:2076,343:1914,211:1536",
    "riotiler_cog_cmap.tif": "bands=1 stretch=palette",
    "stars_L7_ETMs.tif": "bands=1,2,3 stretch=34:108",
}
CRS = {
    "derived_naip_rotated30_rgb.tif": "EPSG:26914",
    "rio_RGB.byte.gcp.vrt": "EPSG:4326",
    "riotiler_cog_gcps.tif": "EPSG:4326",
    "rio_RGB.byte.tif": "EPSG:32618",
}

pytestmark = pytest.mark.skipif(not FILES, reason="../shared/data/rasters_awkward is not beside this checkout")


@pytest.fixture
def source(request):
    opened = open_source(str(request.param))
    yield opened
    opened.close()


good = pytest.mark.parametrize(
    "source", [path for path in FILES if path.name not in REFUSED], indirect=True, ids=lambda path: path.name
)


@good
def test_it_becomes_a_picture_with_contrast(source):
    name = Path(source.uri).name
    recipe = resolve_recipe(source, RgbSettings(), NullProgress())
    view = over(source.grid, source.grid.bounds, 256, 256 * 256)
    chip = source.read(view.window, view.size, recipe.bands)
    picture = to_rgb8(chip, recipe)
    assert picture.shape == (view.size[1], view.size[0], 3)
    assert picture.dtype == np.uint8
    assert chip.valid.any()
    shown = picture[chip.valid]
    assert len(shown) == 1 or np.ptp(shown) >= 30, "the picture is flat"
    assert recipe.text() == RECIPES.get(name, recipe.text())
    assert RgbRecipe.parse(recipe.text(), source) == recipe


@good
def test_a_click_in_its_middle_gives_a_chip_at_native_resolution(source):
    grid = source.grid
    recipe = resolve_recipe(source, RgbSettings(), NullProgress())
    middle = (grid.width / 2.0, grid.height / 2.0)
    view = place(grid, middle * 2, 256)
    chip = source.read(view.window, view.size, recipe.bands)
    assert chip.grid.resolution == pytest.approx(grid.resolution)
    there = chip.grid.to_pixel(grid.to_map([middle]))[0]
    assert there == pytest.approx((middle[0] - view.window.col, middle[1] - view.window.row), abs=1e-3)
    assert to_rgb8(chip, recipe).shape == (min(256, grid.height), min(256, grid.width), 3)


@good
def test_it_knows_its_crs_and_how_large_its_pixels_are(source):
    grid = source.grid
    assert grid.crs
    assert grid.crs == CRS.get(Path(source.uri).name, grid.crs)
    across, down = grid.metres_per_pixel()
    assert 0.01 < across < 60000.0 and 0.01 < down < 60000.0


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_work_is_refused_with_the_reason_and_what_to_do(name):
    error, sentence = REFUSED[name]
    with pytest.raises(error, match=sentence) as caught:
        source = open_source(str(FOLDER / name))
        try:
            resolve_recipe(source, RgbSettings(), NullProgress())
        finally:
            source.close()
    assert name in caught.value.message and caught.value.hint


def test_the_picture_without_a_place_works_in_pixel_space():
    source = open_source(str(FOLDER / "rio_389225main_sw_1965_1024.jpg"), pixel_space=True)
    assert (source.grid.crs, source.grid.bounds) == (None, (0.0, 0.0, 1024.0, 768.0))
    assert resolve_recipe(source, RgbSettings(), NullProgress()).text() == "bands=1,2,3 stretch=none"
    source.close()


@pytest.mark.parametrize("name", ["SOURCE.md", "stars_lc.tif.aux.xml"])
def test_files_that_are_no_rasters_are_refused(name):
    with pytest.raises(SegmentError, match="can't be opened as a raster"):
        open_source(str(FOLDER / name))
