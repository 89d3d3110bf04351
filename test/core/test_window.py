from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_segmenter.core.errors import ChipTooLargeError, OutsideExtentError, SettingsError
from prompt_segmenter.core.raster.grid import PixelGrid, Window
from prompt_segmenter.core.window import View, grow, over, place, touches_edge

UTM = "EPSG:32633"
BIG = PixelGrid((2.0, 0.0, 0.0, 0.0, -2.0, 20000.0), UTM, 10000, 8000)
ROTATED = PixelGrid((0.8, 0.6, 0.0, 0.6, -0.8, 0.0), UTM, 1000, 1000)


def click(col, row):
    return (col, row, col, row)


def inside(raster, view):
    window, (width, height) = view.window, view.size
    return (
        min(window.col, window.row) >= 0
        and window.col + window.width <= raster.width
        and window.row + window.height <= raster.height
        and 1 <= width <= window.width
        and 1 <= height <= window.height
    )


def test_a_click_stands_in_the_middle_of_a_native_chip():
    assert place(BIG, click(5000.0, 4000.0), 1024) == View(Window(4488, 3488, 1024, 1024), (1024, 1024))


@pytest.mark.parametrize(
    ("at", "corner"),
    [(click(0.0, 0.0), (0, 0)), (click(10000.0, 8000.0), (8976, 6976)), (click(10.0, 4000.0), (0, 3488))],
)
def test_at_the_edge_the_chip_is_shifted_and_not_cut(at, corner):
    view = place(BIG, at, 1024)
    assert (view.window.col, view.window.row) == corner
    assert view.size == (1024, 1024)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (720, 12), (71, 2475), (300, 200)])
def test_a_small_raster_is_read_as_wide_as_it_is(width, height):
    raster = PixelGrid.pixel_space(width, height)
    view = place(raster, click(width / 2.0, height / 2.0), 1024)
    assert view.size == (width, min(height, 1024)) == (view.window.width, view.window.height)


def test_a_box_that_does_not_fit_coarsens_the_chip_just_enough():
    view = place(BIG, (2000.0, 2000.0, 4000.0, 3000.0), 1024)
    assert (view.window.width, view.window.height) == (2400, 2400)
    assert view.size == (1024, 1024)


def test_a_box_that_fits_with_its_margin_is_seen_at_native_resolution():
    assert place(BIG, (2000.0, 2000.0, 2800.0, 2100.0), 1024).size == (1024, 1024)
    assert place(BIG, (2000.0, 2000.0, 2800.0, 2100.0), 1024).window.width == 1024


def test_a_resolution_is_kept_and_never_finer_than_native():
    coarse = place(BIG, click(5000.0, 4000.0), 512, resolution=10.0)
    assert (coarse.window.width, coarse.size) == (2560, (512, 512))
    assert coarse.grid(BIG).resolution == (10.0, 10.0)
    assert place(BIG, click(5000.0, 4000.0), 512, resolution=0.1).window.width == 512


def test_a_resolution_makes_oblong_pixels_square():
    oblong = PixelGrid((1.0, 0.0, 0.0, 0.0, -4.0, 0.0), UTM, 10000, 10000)
    view = place(oblong, click(5000.0, 5000.0), 100, resolution=8.0)
    assert (view.window.width, view.window.height) == (800, 200)
    assert view.grid(oblong).resolution == (8.0, 8.0)


def test_a_scale_widens_or_narrows_the_ground():
    wide, narrow = (place(BIG, click(5000.0, 4000.0), 512, scale=scale) for scale in (4.0, 0.5))
    assert (wide.window.width, wide.size) == (2048, (512, 512))
    assert (narrow.window.width, narrow.size) == (256, (256, 256))


@pytest.mark.parametrize("resolution", [0.0, -1.0, math.nan, math.inf])
def test_a_resolution_that_is_none_is_refused(resolution):
    with pytest.raises(SettingsError, match="makes no sense") as caught:
        place(BIG, click(1.0, 1.0), 512, resolution=resolution)
    assert "metre" in caught.value.hint


@given(
    st.integers(1, 5000), st.integers(1, 5000), st.integers(16, 1024), st.floats(0.2, 8.0),
    st.lists(st.floats(0.0, 1.0), min_size=4, max_size=4),
)  # fmt: skip
def test_the_chip_always_lies_on_the_raster_and_holds_the_box(width, height, chip_px, scale, parts):
    raster = PixelGrid.pixel_space(width, height)
    left, right = sorted(part * width for part in parts[:2])
    top, bottom = sorted(part * height for part in parts[2:])
    view = place(raster, (left, top, right, bottom), chip_px, scale=scale)
    assert inside(raster, view)
    assert max(view.size) <= chip_px + 1
    window = view.window
    assert window.col <= left + 1 and right <= window.col + window.width + 1
    assert window.row <= top + 1 and bottom <= window.row + window.height + 1


def test_growing_doubles_the_ground_around_the_same_middle_until_it_is_the_raster():
    view = place(BIG, click(5000.0, 4000.0), 1024)
    widths = [view.window.width]
    for _ in range(6):
        view = grow(BIG, view)
        widths.append(view.window.width)
        assert inside(BIG, view) and max(view.size) == 1024
    assert widths == [1024, 2048, 4096, 8192, 10000, 10000, 10000]
    assert (view.window.height, view.size) == (8000, (1024, 819))
    assert grow(BIG, view) is view


def test_growing_keeps_the_pixels_proportions_on_a_narrow_raster():
    raster = PixelGrid.pixel_space(71, 2475)
    view = grow(raster, place(raster, click(30.0, 1200.0), 512))
    assert (view.window.width, view.window.height) == (71, 1024)
    assert view.size == (36, 512)


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(16, 512), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_growing_ends_with_the_whole_raster(width, height, chip_px, across, down):
    raster = PixelGrid.pixel_space(width, height)
    view = place(raster, click(across * width, down * height), chip_px)
    for _ in range(12):
        wider = grow(raster, view)
        assert inside(raster, wider)
        assert wider.window.width >= view.window.width and wider.window.height >= view.window.height
        view = wider
    assert (view.window.width, view.window.height) == (width, height)


def test_an_extent_is_read_in_whole_native_pixels():
    view = over(BIG, (100.0, 19000.0, 301.0, 19900.0), 1024, 10**7)
    assert view == View(Window(50, 50, 101, 450), (101, 450))


def test_rounding_does_not_add_a_pixel_to_an_extent():
    raster = PixelGrid((0.1, 0.0, 0.3, 0.0, -0.1, 0.7), "EPSG:4326", 100, 100)
    bounds = tuple(raster.window(Window(3, 4, 7, 9)).bounds)
    assert over(raster, bounds, 1024, 10**6).window == Window(3, 4, 7, 9)


def test_a_large_extent_is_coarsened_to_the_chip_unless_a_resolution_is_given():
    assert over(BIG, BIG.bounds, 1000, 10**7).size == (1000, 800)
    assert over(BIG, BIG.bounds, 1000, 10**7, resolution=8.0).size == (2500, 2000)


def test_an_extent_is_cut_to_the_raster_and_encloses_what_is_rotated():
    assert over(BIG, (-500.0, 3500.0, 10.0, 4010.0), 512, 10**7).window == Window(0, 7995, 5, 5)
    assert over(BIG, (-1e300, -1e300, 1e300, 1e300), 500, 10**7).window == Window(0, 0, 10000, 8000)
    window = over(ROTATED, ROTATED.bounds, 512, 10**7).window
    assert window == Window(0, 0, 1000, 1000)


def test_an_extent_off_the_raster_says_what_the_raster_covers():
    with pytest.raises(OutsideExtentError, match="doesn't meet the raster, which covers 0, 4000, 20000, 20000"):
        over(BIG, (30000.0, 0.0, 31000.0, 100.0), 512, 10**7)


@pytest.mark.parametrize(
    "bounds", [(5.0, 0.0, 5.0, 1.0), (5.0, 0.0, 1.0, 1.0), (0.0, math.nan, 1.0, 1.0), (-math.inf, 0.0, 1.0, 1.0)]
)
def test_an_empty_inverted_or_endless_extent_is_refused(bounds):
    with pytest.raises(SettingsError, match="empty or inverted"):
        over(BIG, bounds, 512, 10**7)


@given(st.floats(2.0, 6.0), st.integers(1000, 4_000_000))
def test_too_many_pixels_are_refused_with_a_resolution_that_fits(resolution, limit):
    asked = over(BIG, BIG.bounds, 512, 10**9, resolution=resolution)
    if math.prod(asked.size) <= limit:
        return
    with pytest.raises(ChipTooLargeError) as caught:
        over(BIG, BIG.bounds, 512, limit, resolution=resolution)
    assert f"{asked.size[0]} x {asked.size[1]} pixels were asked for; the limit is {limit}" in caught.value.message
    fits = float(re.search(r"resolution of (\S+) metres per pixel", caught.value.hint)[1])
    pixels = math.prod(over(BIG, BIG.bounds, 512, limit, resolution=fits).size)
    assert 0.9 * limit <= pixels <= limit


@pytest.mark.parametrize(("row", "col"), [(0, 5), (9, 5), (5, 0), (5, 9)])
def test_a_mask_touches_the_chips_side_but_not_the_rasters_own(row, col):
    mask = np.zeros((10, 10), dtype=bool)
    mask[row, col] = True
    middle = View(Window(50, 50, 10, 10), (10, 10))
    whole = View(Window(0, 0, 10, 10), (10, 10))
    assert touches_edge(mask, middle, BIG)
    assert not touches_edge(mask, whole, PixelGrid.pixel_space(10, 10))


def test_at_the_rasters_corner_only_the_inner_sides_count():
    corner = View(Window(0, 0, 10, 10), (10, 10))
    top_left, bottom_right = np.zeros((2, 10, 10), dtype=bool)
    top_left[0, 0] = bottom_right[9, 9] = True
    assert not touches_edge(top_left, corner, BIG)
    assert touches_edge(bottom_right, corner, BIG)


def test_a_mask_inside_or_empty_touches_nothing():
    view = View(Window(50, 50, 10, 10), (10, 10))
    mask = np.zeros((10, 10), dtype=bool)
    assert not touches_edge(mask, view, BIG)
    mask[1:9, 1:9] = True
    assert not touches_edge(mask, view, BIG)


def test_a_view_says_where_it_is_and_what_grid_it_has():
    view = View(Window(10, 20, 300, 200), (150, 100))
    assert view.text() == "10,20,300,200@150x100"
    assert view.grid(BIG) == PixelGrid((4.0, 0.0, 20.0, 0.0, -4.0, 19960.0), UTM, 150, 100)
