from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from prompt_segmenter.core.errors import GridError
from prompt_segmenter.core.raster import crs
from prompt_segmenter.core.raster.grid import PixelGrid, Window

angles = st.floats(0.0, 360.0)
sizes = st.floats(1e-5, 1e5)
origins = st.floats(-2e7, 2e7)
fractions = st.floats(0.0, 1.0)


@st.composite
def grids(draw):
    """Any affine grid: rotated, sheared by up to 60 degrees, oblong pixels, south-up as often as north-up."""
    turn, lean = math.radians(draw(angles)), math.radians(draw(st.floats(-60.0, 60.0)))
    wide = draw(sizes)
    tall = wide * draw(st.floats(0.05, 20.0)) * draw(st.sampled_from([-1.0, 1.0]))
    transform = (
        wide * math.cos(turn),
        -tall * math.sin(turn + lean),
        draw(origins),
        wide * math.sin(turn),
        tall * math.cos(turn + lean),
        draw(origins),
    )
    return PixelGrid(transform, None, draw(st.integers(1, 50000)), draw(st.integers(1, 50000)))


@given(grids(), fractions, fractions)
def test_pixel_to_map_and_back_returns_the_pixel(grid, across, down):
    pixel = np.array([(across * grid.width, down * grid.height)])
    # A double holds a coordinate of 2e7 to 4e-9, which is this many pixels.
    tolerance = 1e-7 + 1e-7 / min(grid.resolution)
    assert np.abs(grid.to_pixel(grid.to_map(pixel)) - pixel).max() <= tolerance


@given(grids(), st.data())
def test_a_window_has_the_same_places_as_the_whole(grid, data):
    col = data.draw(st.integers(0, grid.width - 1))
    row = data.draw(st.integers(0, grid.height - 1))
    part = grid.window(Window(col, row, 1, 1))
    assert np.allclose(part.to_map([(0.25, 0.75)]), grid.to_map([(col + 0.25, row + 0.75)]), rtol=1e-12, atol=1e-6)


@given(grids(), st.integers(1, 3000), st.integers(1, 3000))
def test_resampling_covers_the_same_ground(grid, width, height):
    coarse = grid.resampled(width, height)
    assert (coarse.width, coarse.height) == (width, height)
    assert np.allclose(coarse.corners, grid.corners, rtol=1e-9, atol=1e-3)


@given(grids())
def test_the_box_of_the_bounds_encloses_the_grid(grid):
    left, top, right, bottom = grid.box_to_pixel(grid.bounds)
    slack = 1e-6 * max(grid.width, grid.height) + 1e-6 / min(grid.resolution)
    assert left <= slack and top <= slack
    assert right >= grid.width - slack and bottom >= grid.height - slack


@settings(deadline=None)
@given(
    st.tuples(st.floats(-179.0, 179.0), st.floats(-79.0, 79.0)),
    st.floats(0.05, 1000.0),
    angles,
    st.tuples(fractions, fractions),
    st.sampled_from(["EPSG:4326", "EPSG:3857"]),
)
def test_prompts_in_another_crs_land_within_a_hundredth_of_a_pixel(place, metres, turn, pixel, prompt_crs):
    (lon, lat), (across, down) = place, pixel
    zone = int((lon + 180.0) // 6.0) + 1
    utm = f"EPSG:{32600 + zone if lat >= 0 else 32700 + zone}"
    x, y = crs.transform_points([(lon, lat)], "EPSG:4326", utm)[0]
    cos, sin = metres * math.cos(math.radians(turn)), metres * math.sin(math.radians(turn))
    grid = PixelGrid((cos, sin, x, sin, -cos, y), utm, 1000, 1000)
    pixel = np.array([(across * 1000.0, down * 1000.0)])
    prompt = crs.transform_points(grid.to_map(pixel), utm, prompt_crs)
    assume(abs(prompt[0, 0]) < (180.0 if prompt_crs == "EPSG:4326" else 2.0037e7) and abs(lat) < 79.0)
    landed = grid.to_pixel(crs.transform_points(prompt, prompt_crs, utm))
    assert np.abs(landed - pixel).max() < 0.01


def test_north_up_pixels_are_counted_from_the_top_left_corner():
    grid = PixelGrid((10.0, 0.0, 500000.0, 0.0, -10.0, 4600000.0), "EPSG:32633", 100, 50)
    assert grid.to_pixel([(500010.0, 4599980.0)]).tolist() == [[1.0, 2.0]]
    assert grid.bounds == (500000.0, 4599500.0, 501000.0, 4600000.0)
    assert grid.resolution == (10.0, 10.0)


def test_south_up_rows_go_north():
    grid = PixelGrid((1.0, 0.0, 0.0, 0.0, 1.0, 0.0), "EPSG:32633", 10, 10)
    assert grid.to_map([(2.0, 3.0)]).tolist() == [[2.0, 3.0]]
    assert grid.box_to_pixel((2.0, 3.0, 4.0, 7.0)).tolist() == [2.0, 3.0, 4.0, 7.0]


def test_the_edge_belongs_to_the_grid_and_nan_does_not():
    grid = PixelGrid.pixel_space(4, 3)
    inside = grid.contains([(0.0, 0.0), (4.0, 3.0), (4.001, 1.0), (-0.001, 1.0), (math.nan, 1.0)])
    assert inside.tolist() == [True, True, False, False, False]


def test_a_pixel_of_a_degree_grid_is_narrower_in_the_north():
    grid = PixelGrid((0.001, 0.0, 10.0, 0.0, -0.001, 60.0005), "EPSG:4326", 1, 1)
    across, down = grid.metres_per_pixel()
    assert across == pytest.approx(55.8, abs=0.1)
    assert down == pytest.approx(111.4, abs=0.1)


def test_in_pixel_space_a_pixel_counts_as_a_metre():
    assert PixelGrid.pixel_space(7, 5).metres_per_pixel() == (1.0, 1.0)


def test_bounds_that_are_not_whole_pixels_are_covered():
    grid = PixelGrid.from_bounds((0.0, 0.0, 10.0, 7.5), (2.0, 2.0), "EPSG:32633")
    assert (grid.width, grid.height, grid.bounds) == (5, 4, (0.0, -0.5, 10.0, 7.5))


@pytest.mark.parametrize("bounds", [(1.0, 0.0, 1.0, 5.0), (0.0, 5.0, 4.0, 1.0)])
def test_empty_bounds_hold_no_pixel(bounds):
    with pytest.raises(GridError, match="hold no pixel"):
        PixelGrid.from_bounds(bounds, (1.0, 1.0), None)


def test_a_transform_that_flattens_the_plane_is_refused():
    with pytest.raises(GridError, match="can't be inverted"):
        PixelGrid((1.0, 2.0, 0.0, 2.0, 4.0, 0.0), None, 5, 5)
    with pytest.raises(GridError, match="at least one pixel"):
        PixelGrid.pixel_space(0, 5)
