"""SamGIS's composite, against the formula written out plainly, and against its own picture of Colico."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from prompt_segmenter.core import native
from prompt_segmenter.core.errors import RasterReadError
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.raster.grid import PixelGrid, Window
from prompt_segmenter.core.raster.sources.array import ArraySource
from prompt_segmenter.core.raster.terrain_rgb import TerrainEncoding, decode
from prompt_segmenter.core.terrain.composite import RECIPES, CompositeSettings
from prompt_segmenter.core.terrain.composite_source import CompositeSource
from prompt_segmenter.core.terrain.composites import samgis
from prompt_segmenter.core.terrain.reader import ElevationReader

DATA = Path(os.environ.get("PROMPT_SEGMENTER_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))
COLICO = DATA / "samgis" / "colico_dem"
MERCATOR = PixelGrid((19.1, 0.0, 1e6, 0.0, -19.1, 5.8e6), "EPSG:3857", 150, 90)


def by_the_book(heights: np.ndarray) -> np.ndarray:
    """SamGIS's recipe, cell by cell as its description says (issue 5, facts 1.4), whole picture at once."""
    dem = heights.astype(float).copy()
    cell = int(61 * dem.shape[1] / 1024)

    def slope(values):
        gradients = np.gradient(values, cell)
        return np.degrees(np.arctan(np.sqrt(gradients[0] ** 2 + gradients[1] ** 2)))

    def stretch(values, top):
        low, high = np.nanmin(values), np.nanmax(values)
        values[np.isnan(values)] = 0  # the older releases' habit: in the array itself, after both ends were taken
        return top * (values - low) / (high - low)

    steepness = slope(dem)
    bend = stretch(slope(steepness), 255)
    green = (2.5 * stretch(dem, 255) + 1.1 * stretch(steepness, 255) + 2.0 * stretch(bend, 255)) / 3
    channels = [(64 * stretch(dem, 1.0)), (128 * stretch(green, 1.0)), (192 * stretch(bend, 1.0))]
    return np.stack([255 - channel.astype(np.uint8) for channel in channels], axis=-1)


def painted(source, region=None, size=None, side=None, monkeypatch=None):
    if side:
        monkeypatch.setattr(samgis, "_SIDE", side)
    reader = ElevationReader(source)
    region = region or Window(0, 0, source.grid.width, source.grid.height)
    size = size or (region.width, region.height)
    composite = RECIPES.get("samgis").fit(reader, CompositeSettings("samgis"), region, size, NullProgress())
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    for piece in reader.pieces(region, side or 4096, composite.margin((1.0, 1.0)), within=region):
        row, col = piece.window.row - region.row, piece.window.col - region.col
        picture[row : row + piece.window.height, col : col + piece.window.width] = composite.picture(piece)
    return picture


def mountains(void: bool) -> np.ndarray:
    heights = np.random.default_rng(5).normal(0, 9, (90, 150)).cumsum(0).cumsum(1) + 800
    if void:
        heights[:, 0] = np.nan
        heights[30:34, 60:80] = np.nan
    return heights


@pytest.mark.parametrize("void", [False, True])
@pytest.mark.parametrize("side", [None, 37, 64])
def test_the_picture_is_that_of_the_description_whatever_the_windows(void, side, monkeypatch):
    heights = mountains(void)
    found = painted(ArraySource(heights[None], MERCATOR), side=side, monkeypatch=monkeypatch)
    assert np.array_equal(found, by_the_book(heights))


def test_a_part_is_painted_as_if_it_were_all_there_is(monkeypatch):
    heights = mountains(False)
    part = Window(20, 10, 101, 61)
    found = painted(ArraySource(heights[None], MERCATOR), part, side=29, monkeypatch=monkeypatch)
    assert np.array_equal(found, by_the_book(heights[10:71, 20:121]))


def test_the_source_shows_the_picture_of_each_view():
    heights = mountains(False)
    source = CompositeSource(ArraySource(heights[None], MERCATOR), CompositeSettings("samgis"))
    chip = source.read(Window(20, 10, 101, 61), (101, 61), (1, 2, 3))
    assert np.array_equal(np.moveaxis(chip.data, 0, -1), by_the_book(heights[10:71, 20:121]))
    # the ranges are those of the view, which each polygon names itself
    assert source.how == "composite=samgis band=1 unit=metres"


def test_flat_ground_is_white_and_too_small_views_are_refused():
    flat = ArraySource(np.full((1, 90, 150), 7.0), MERCATOR)
    assert (painted(flat) == 255).all()
    with pytest.raises(RasterReadError, match="too narrow"):
        painted(flat, Window(0, 0, 16, 90))
    with pytest.raises(RasterReadError, match="no slopes"):
        painted(flat, Window(0, 0, 150, 1))
    with pytest.raises(RasterReadError, match="nothing but nodata"):
        painted(ArraySource(np.full((1, 90, 150), np.nan), MERCATOR))


@pytest.mark.skipif(not COLICO.is_dir(), reason=f"SamGIS's own pictures are not in {COLICO}")
@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
@pytest.mark.parametrize("side", [None, 500])
def test_its_own_picture_of_colico_is_met_in_every_pixel(side, monkeypatch):
    def bands(name):
        with native.rasterio_env(), native.rasterio().open(COLICO / name) as file:
            return file.read()

    heights = decode(bands("colico_nextzen.png"), TerrainEncoding.TERRARIUM)
    grid = PixelGrid((19.1, 0.0, 1e6, 0.0, -19.1, 5.8e6), "EPSG:3857", heights.shape[1], heights.shape[0])
    found = painted(ArraySource(heights[None], grid), side=side, monkeypatch=monkeypatch)
    theirs = np.moveaxis(bands("colico_nextzen_rgb.png"), 0, -1)
    assert found.shape == theirs.shape
    assert np.count_nonzero(found != theirs) == 0
