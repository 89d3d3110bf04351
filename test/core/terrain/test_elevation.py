"""Reading elevations: units, voids, doubts, and true spacing."""

from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core.errors import RasterReadError, SettingsError
from prompt_segmenter.core.raster.grid import PixelGrid, Window
from prompt_segmenter.core.raster.sources import open_source
from prompt_segmenter.core.raster.sources.array import ArraySource
from prompt_segmenter.core.terrain.elevation import ElevationGrid, ElevationUnit, elevation_grid, read_elevation
from prompt_segmenter.test.helpers.rasters import write_raster

UTM = PixelGrid((30.0, 0.0, 500000.0, 0.0, -30.0, 4600000.0), "EPSG:32633", 40, 30)


def hills(dtype="int16") -> np.ndarray:
    rows, cols = np.indices((30, 40))
    return (500 + 10 * rows + cols)[None].astype(dtype)


def test_heights_come_in_metres_whatever_their_unit():
    source = ArraySource(hills(), UTM)
    assert read_elevation(source).metres.tolist() == hills()[0].tolist()
    feet = read_elevation(source, unit=ElevationUnit.FEET).metres
    assert feet == pytest.approx(hills()[0] * 0.3048, rel=1e-6)
    assert ElevationUnit.US_FEET.in_metres == pytest.approx(0.30480061, abs=1e-8)
    decimetres = read_elevation(source, factor=0.1).metres
    assert decimetres == pytest.approx(hills()[0] / 10, rel=1e-6)


def test_declared_and_named_and_impossible_voids_are_left_out(tmp_path):
    data = hills()
    data[0, 0, 0], data[0, 1, 1], data[0, 2, 2] = -9999, 1234, -32768
    source = open_source(write_raster(tmp_path / "a.tif", data, nodata=-9999))
    elevation = read_elevation(source, nodata=(1234.0,))
    source.close()
    assert np.argwhere(~elevation.valid).tolist() == [[0, 0], [1, 1], [2, 2]]
    assert np.array_equal(np.isnan(elevation.metres), ~elevation.valid)


@pytest.mark.parametrize(("value", "dropped"), [(-32768, True), (-9999, False), (-99999, True)])
def test_an_undeclared_void_is_named_with_what_to_do(value, dropped):
    data = hills("float32")
    data[0, 5:10, 5:10] = value
    elevation = read_elevation(ArraySource(data, UTM))
    assert f"Some cells have the value {value}," in elevation.warnings[0]
    assert f"nodata {value}" in elevation.warnings[0]
    assert elevation.valid.all() != dropped
    assert not read_elevation(ArraySource(data, UTM), nodata=(value,)).warnings


def test_one_height_that_looks_like_a_void_is_none():
    data = hills()
    data[0, 5, 5] = 9999
    assert "higher than any mountain" in read_elevation(ArraySource(data, UTM)).warnings[0]


def test_ordinary_ground_raises_no_doubt():
    assert read_elevation(ArraySource(hills(), UTM)).warnings == ()


def test_heights_above_any_mountain_raise_a_doubt_that_the_right_unit_settles():
    source = ArraySource((hills() * 20).astype(np.int32), UTM)
    assert "higher than any mountain" in read_elevation(source).warnings[0]
    assert not read_elevation(source, unit=ElevationUnit.FEET).warnings


def test_walls_everywhere_raise_a_doubt():
    cols = np.indices((30, 40))[1]
    source = ArraySource((100.0 * cols)[None], UTM)
    assert "steeper than 65 degrees" in read_elevation(source).warnings[0]


def test_a_window_keeps_the_spacing_of_the_whole():
    grid = PixelGrid((0.01, 0.0, 10.0, 0.0, -0.01, 61.0), "EPSG:4326", 300, 200)
    source = ArraySource(np.zeros((1, 200, 300), np.float32), grid)
    whole = read_elevation(source)
    part = read_elevation(source, Window(200, 50, 80, 60))
    for one, other in zip(whole.spacing, part.spacing):
        assert one[50:110] == pytest.approx(other, rel=1e-9)
    half = read_elevation(source, Window(0, 0, 300, 200), (150, 100))
    assert half.cell_m == pytest.approx([2 * size for size in whole.cell_m], rel=1e-3)


def test_spacing_is_what_lies_on_the_ground():
    degrees = PixelGrid((0.01, 0.0, 10.0, 0.0, -0.01, 60.005), "EPSG:4326", 3, 1)
    across, down = elevation_grid(np.zeros((1, 3)), degrees).spacing
    # one degree of longitude at 60 N is 55.80 km, one of latitude 111.41 km on WGS 84
    assert across[0] == pytest.approx(558.02, abs=0.1) and down[0] == pytest.approx(1114.12, abs=0.1)
    feet = PixelGrid((100.0, 0.0, 984250.0, 0.0, -100.0, 200000.0), "EPSG:2263", 3, 1)
    assert elevation_grid(np.zeros((1, 3)), feet).spacing[0][0] == pytest.approx(30.48, abs=0.01)


def test_plain_numbers_serve_as_spacing():
    made = ElevationGrid(np.zeros((2, 3)), np.ones((2, 3), bool), PixelGrid.pixel_space(3, 2), (5.0, 7.0), "made")
    assert made.cell_m == (5.0, 7.0)
    columns, rows = made.steps_m()
    assert columns.tolist() == [[5.0, 0.0]] * 2 and rows.tolist() == [[0.0, 7.0]] * 2


def test_a_picture_and_a_band_that_is_not_there_are_refused():
    picture = ArraySource(np.zeros((3, 30, 40), np.uint8), UTM, already_rgb=True)
    with pytest.raises(RasterReadError, match="finished picture"):
        read_elevation(picture)
    with pytest.raises(SettingsError, match="no band 2"):
        read_elevation(ArraySource(hills(), UTM), band=2)
    with pytest.raises(SettingsError, match="factor"):
        read_elevation(ArraySource(hills(), UTM), factor=0.0)
