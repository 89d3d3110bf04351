"""The metric composite: true units, and the same mountain the same picture."""

from __future__ import annotations

import time

import numpy as np
import pytest
from prompt_segmenter.core.errors import Cancelled, RasterReadError, SettingsError, UnknownNameError
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.raster.grid import PixelGrid, Window
from prompt_segmenter.core.raster.sources.array import ArraySource
from prompt_segmenter.core.terrain.composite import RECIPES, CompositeSettings
from prompt_segmenter.core.terrain.composite_source import CompositeSource, parse
from prompt_segmenter.core.terrain.reader import ElevationReader, ElevationSettings

UTM = PixelGrid((30.0, 0.0, 500000.0, 0.0, -30.0, 4600000.0), "EPSG:32633", 400, 300)


def relief(grid: PixelGrid, roughness: float = 3.0) -> np.ndarray:
    """Return a cone of 900 m on rolling ground, as a function of the place on the ground."""
    rows, cols = np.indices((grid.height, grid.width)) + 0.5
    across, down = grid.metres_per_pixel()
    east, north = (cols - grid.width / 2) * across, (grid.height / 2 - rows) * down
    cone = np.maximum(0.0, 900.0 - 0.4 * np.hypot(east - 500.0, north))
    return 400.0 + cone + 10 * roughness * np.sin(east / 400) * np.cos(north / 300) + roughness * np.sin(east / 90)


def source(heights=None, grid=UTM, **settings) -> CompositeSource:
    heights = relief(grid) if heights is None else heights
    return CompositeSource(ArraySource(heights[None], grid), CompositeSettings(**settings))


def read(composite, window, size=None):
    return composite.read(window, size or (window.width, window.height), (1, 2, 3))


def test_a_window_shows_what_the_whole_shows_there():
    whole = read(source(), Window(0, 0, 400, 300)).data
    for window in (Window(0, 0, 120, 90), Window(150, 100, 101, 77), Window(310, 250, 90, 50)):
        rows, cols = (slice(window.row, window.row + window.height), slice(window.col, window.col + window.width))
        part = read(source(), window).data
        assert np.abs(part.astype(int) - whole[:, rows, cols]).max() <= 1
        assert (part == whole[:, rows, cols]).mean() > 0.999


@pytest.mark.parametrize("coarser", [2, 3, 4])
def test_a_coarser_view_shows_the_means_of_the_finer_one(coarser):
    composite = source()
    whole = Window(0, 0, 400 // coarser * coarser, 300 // coarser * coarser)
    fine = read(composite, whole).data.astype(float)
    small = read(composite, whole, (whole.width // coarser, whole.height // coarser)).data
    means = fine.reshape(3, whole.height // coarser, coarser, whole.width // coarser, coarser).mean(axis=(2, 4))
    assert np.abs(small - means).mean() < (0.6 if coarser == 2 else 1.5)
    assert np.percentile(np.abs(small - means), 99) < (1.1 if coarser == 2 else 16)


def test_the_same_mountain_has_the_same_colours_in_another_crs_and_cell_size():
    """Degrees at 60 north, where a degree of longitude is half as long, against metres."""
    degrees = PixelGrid((1 / 1800, 0.0, 12.0, 0.0, -1 / 3600, 60.04), "EPSG:4326", 390, 290)
    mercator = PixelGrid((60.0, 0.0, 1335833.0, 0.0, -60.0, 8399737.0 + 9000), "EPSG:3857", 400, 300)
    middles = []
    for grid in (UTM, degrees, mercator):
        composite = source(relief(grid, 0.0), grid, smoothing_m=90.0)
        chip = read(composite, Window(0, 0, grid.width, grid.height))
        rows = slice(grid.height // 2 - 40, grid.height // 2 + 40)
        cols = slice(grid.width // 2 - 60, grid.width // 2 + 60)
        middles.append(chip.data[1:, rows, cols].astype(float))
    for other in middles[1:]:
        assert np.abs(other - middles[0]).mean() < 3.0


def test_the_channels_are_elevation_slope_and_curvature_in_absolute_units():
    cols = np.indices((300, 400))[1]
    plane = 30.0 * np.tan(np.radians(30.0)) * (cols - 200.0)
    chip = read(source(plane, smoothing_m=60.0), Window(0, 0, 400, 300)).data
    assert (chip[0, 150, 0], chip[0, 150, 399]) == (1, 255) and chip[0, 150, 200] == pytest.approx(129, abs=1)
    # 30 of 60 degrees, and straight: the middle of 1..255, up to the edge
    assert np.ptp(chip[1:]) <= 1 and chip[1, 0, 0] in (128, 129) and chip[2, 0, 0] in (128, 129)
    ridge = -np.abs(30.0 * (cols - 200.0)) * 0.5
    assert read(source(ridge), Window(0, 0, 400, 300)).data[2, 150, 200] > 200
    assert read(source(-ridge), Window(0, 0, 400, 300)).data[2, 150, 200] < 55


def test_voids_are_black_and_tint_nothing():
    heights = relief(UTM)
    heights[100:140, 150:200] = np.nan
    whole = read(source(relief(UTM)), Window(0, 0, 400, 300))
    chip = read(source(heights), Window(0, 0, 400, 300))
    assert not chip.data[:, 100:140, 150:200].any() and not chip.valid[100:140, 150:200].any()
    assert chip.data[:, chip.valid].min() >= 1
    beyond = np.ones((300, 400), bool)
    beyond[85:155, 135:215] = False
    assert np.abs(chip.data[:, beyond].astype(int) - whole.data[:, beyond]).max() <= 1
    near = chip.valid & ~beyond
    assert np.abs(chip.data[:, near].astype(int) - whole.data[:, near]).mean() < 4


def test_feet_look_like_the_same_mountain_in_metres():
    metres = read(source(), Window(0, 0, 400, 300)).data
    from prompt_segmenter.core.terrain.elevation import ElevationUnit

    inner = ArraySource(relief(UTM)[None] / 0.3048, UTM)
    feet = CompositeSource(inner, elevation=ElevationSettings(unit=ElevationUnit.FEET))
    assert np.abs(read(feet, Window(0, 0, 400, 300)).data.astype(int) - metres).max() <= 1
    assert "unit=feet" in feet.how


def test_undeclared_voids_that_the_user_names_never_enter_an_average():
    heights = relief(UTM)
    voided = heights.copy()
    voided[100:140, 151:200] = -9999.0
    inner = ArraySource(voided[None], UTM)
    composite = CompositeSource(inner, elevation=ElevationSettings(nodata=(-9999.0,)))
    reader = ElevationReader(inner, ElevationSettings(nodata=(-9999.0,)))
    averaged = reader.read(Window(0, 0, 400, 300), (100, 75))
    assert np.nanmin(averaged.metres) >= heights.min() and not averaged.valid[25:35, 38:50].any()
    assert read(composite, Window(0, 0, 400, 300), (100, 75)).data[0, 0, 0] > 0


def test_the_text_says_all_that_is_needed_to_make_it_again():
    composite = source(smoothing_m=75.0)
    assert composite.how == "composite=metric band=1 unit=metres"
    read(composite, Window(0, 0, 50, 50))
    text = composite.how
    assert text.startswith("composite=metric smoothing_m=75.0 elevation_m=") and text.endswith("band=1 unit=metres")


def test_the_text_makes_the_same_picture_again():
    composite = source(heights=relief(UTM) - 9.0, smoothing_m=75.0)
    first = read(composite, Window(0, 0, 150, 150)).data
    settings, heights = parse(f"bands=1,2,3 stretch=none {composite.how}")
    part = relief(UTM)[:200, :200] - 9.0
    # of a part of the raster alone, whose own percentiles are others
    again = CompositeSource(ArraySource(part[None], UTM.window(Window(0, 0, 200, 200))), settings, heights)
    assert np.abs(read(again, Window(0, 0, 150, 150)).data.astype(int) - first).max() <= 1
    assert parse("bands=1,2,3 stretch=none") is None
    with pytest.raises(SettingsError, match="can't be understood"):
        parse("composite=metric smoothing_m=much")


def test_the_pole_is_painted_in_a_moment():
    """The last row's cells are 0.1 m wide and 930 m high."""
    grid = PixelGrid((1 / 120, 0.0, -164.0, 0.0, -1 / 120, -89.0), "EPSG:4326", 60, 120)
    heights = np.random.default_rng(6).normal(2800, 20, (120, 60))
    began = time.monotonic()
    chip = read(source(heights, grid), Window(0, 0, 60, 120))
    assert chip.valid.all() and time.monotonic() - began < 10


def test_flat_ground_has_one_colour():
    chip = read(source(np.full((300, 400), 12.0)), Window(0, 0, 400, 300)).data
    assert len(np.unique(chip.reshape(3, -1), axis=1).T) == 1


def test_what_can_not_be_painted_is_refused():
    with pytest.raises(RasterReadError, match="nothing but nodata"):
        read(source(np.full((300, 400), np.nan)), Window(0, 0, 40, 30))
    with pytest.raises(SettingsError, match="smoothing"):
        read(source(smoothing_m=-1.0), Window(0, 0, 40, 30))
    with pytest.raises(UnknownNameError, match="metric, samgis"):
        source(recipe="other")


def test_reading_can_be_stopped():
    class Stopped(NullProgress):
        def is_cancelled(self):
            return True

    with pytest.raises(Cancelled):
        source().read(Window(0, 0, 40, 30), (40, 30), (1, 2, 3), Stopped())


@pytest.mark.parametrize("name", RECIPES.names())
def test_every_recipe_leaves_the_elevations_alone_and_gives_the_window_that_was_asked_for(name):
    heights = relief(UTM)
    before = heights.copy()
    composite = source(heights, recipe=name)
    chip = read(composite, Window(33, 21, 200, 150), (100, 75))
    assert chip.data.shape == (3, 75, 100) and chip.data.dtype == np.uint8
    assert np.allclose(chip.grid.corners, UTM.window(Window(33, 21, 200, 150)).corners)
    assert np.array_equal(heights, before)
    assert f"composite={name}" in composite.how
