from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prompt_segmenter.core.errors import OutsideExtentError, SettingsError
from prompt_segmenter.core.raster.grid import PixelGrid
from prompt_segmenter.core.scan.windows import lattice_over


def grid_of(width, height, transform=(2.0, 0.0, 500000.0, 0.0, -2.0, 4600000.0)):
    return PixelGrid(transform, "EPSG:32633", width, height)


def painted(lattice, which):
    """How often each pixel of the lattice is covered by the windows' boxes or homes."""
    width, height = lattice.size
    count = np.zeros((height, width), int)
    for window in lattice.windows:
        left, top, right, bottom = which(window)
        count[top:bottom, left:right] += 1
    return count


@given(
    st.integers(1, 400), st.integers(1, 400), st.integers(16, 120), st.integers(0, 90),
    st.sampled_from([None, 2.0, 2.1, 3.0, 5.0, 7.3]),
)  # fmt: skip
@settings(deadline=None, max_examples=300)
def test_windows_cover_the_extent_and_homes_share_it_out(width, height, window_px, overlap_px, resolution):
    raster = grid_of(width, height)
    lattice = lattice_over(raster, None, window_px, overlap_px, resolution=resolution)
    assert (painted(lattice, lambda window: window.box) >= 1).all()
    assert (painted(lattice, lambda window: window.home) == 1).all()
    for window in lattice.windows:
        native, (across, down) = window.view.window, window.view.size
        assert native.col >= 0 and native.row >= 0
        assert native.col + native.width <= width and native.row + native.height <= height
        assert 1 <= across <= min(native.width, window_px) and 1 <= down <= min(native.height, window_px)
        assert (window.box[2] - window.box[0], window.box[3] - window.box[1]) == (across, down)


@given(st.integers(65, 400), st.sampled_from([None, 3.1, 4.0, 9.7]))
@settings(deadline=None)
def test_windows_lie_on_one_lattice_of_pixels(width, resolution):
    raster = grid_of(width, 70)
    lattice = lattice_over(raster, None, 40, 10, resolution=resolution)
    for window in lattice.windows:
        begin = window.view.grid(raster).to_map([(0, 0)])
        np.testing.assert_allclose(begin, lattice.grid.to_map([window.box[:2]]), atol=1e-6)
        # Only the last column and row are stretched to where the extent ends.
        end = window.view.grid(raster).to_map([window.view.size])
        np.testing.assert_allclose(
            end, lattice.grid.to_map([window.box[2:]]), atol=1.001 * max(lattice.grid.resolution)
        )


def test_neighbours_share_the_overlap_at_least():
    lattice = lattice_over(grid_of(1000, 300), None, 256, 64)
    row = [window for window in lattice.windows if window.box[1] == 0]
    assert [window.box[0] for window in row] == [0, 192, 384, 576, 768]
    shared = [left.box[2] - right.box[0] for left, right in zip(row, row[1:])]
    assert min(shared) >= 64


def test_windows_of_a_large_extent_begin_at_the_same_cells_of_an_encoder():
    lattice = lattice_over(grid_of(1000, 900), None, 256, 50)
    assert all(window.box[0] % 32 == window.box[1] % 32 == 0 for window in lattice.windows)


def test_an_extent_no_larger_than_a_window_is_one_window():
    lattice = lattice_over(grid_of(64, 50), None, 64, 16)
    assert [window.box for window in lattice.windows] == [(0, 0, 64, 50)]
    assert not lattice.windows[0].is_ahead((0, 0, 64, 50))


def test_an_extent_is_taken_in_whole_native_pixels():
    raster = grid_of(100, 100)
    lattice = lattice_over(raster, (500011.0, 4599900.0, 500030.5, 4599950.0), 64, 16)
    view = lattice.windows[0].view.window
    assert (view.col, view.row, view.width, view.height) == (5, 25, 11, 25)


def test_a_turned_raster_is_walked_along_its_own_axes():
    raster = grid_of(150, 100, (1.5, 0.5, 500000.0, 0.7, -1.2, 4600000.0))
    lattice = lattice_over(raster, None, 64, 16)
    assert lattice.size == (150, 100)
    np.testing.assert_allclose(lattice.grid.corners, raster.corners)


def test_what_is_ahead_of_a_window_is_to_its_right_and_below():
    lattice = lattice_over(grid_of(144, 144), None, 64, 16)
    first = lattice.windows[0]
    assert not first.is_ahead((0, 0, 40, 40))
    assert first.is_ahead((0, 0, 64, 10)) and first.is_ahead((0, 0, 10, 64))
    end_of_row = next(window for window in lattice.windows if window.box[2] == 144)
    assert not end_of_row.is_ahead((100, 0, 144, 40))
    assert end_of_row.is_ahead((0, 0, 10, 64))
    assert not lattice.windows[-1].is_ahead((0, 0, 144, 144))


@given(
    st.tuples(st.integers(1, 400), st.integers(1, 300)), st.tuples(st.integers(0, 90), st.integers(0, 90)),
    st.integers(16, 120), st.integers(1, 90), st.sampled_from([None, 2.0, 3.0, 5.0, 7.3]),
)  # fmt: skip
@settings(deadline=None, max_examples=200)
def test_windows_with_context_share_the_extent_out_and_see_that_much_around_it(
    size, corner, window_px, context_px, resolution
):
    raster, (width, height), (col, row) = grid_of(500, 400), size, corner
    left, top = raster.to_map([(col, row)])[0]
    bounds = (left, max(top - 2.0 * height, 4599200.0), min(left + 2.0 * width, 501000.0), top)
    lattice = lattice_over(raster, bounds, window_px, 8, context_px=context_px, resolution=resolution)
    assert (painted(lattice, lambda window: window.home) == 1).all()
    for window in lattice.windows:
        for side, (seen, own) in enumerate(zip(window.box, window.home)):
            limit = lattice.size[side % 2] if side > 1 else 0
            assert seen == limit or abs(seen - own) >= context_px
        assert window.view.size == (window.box[2] - window.box[0], window.box[3] - window.box[1])
        native = window.view.window
        assert native.col >= 0 and native.col + native.width <= 500
        assert window.own.width == window.home[2] - window.home[0]


def test_windows_with_context_are_the_squares_of_the_raster_wherever_the_extent_begins():
    raster = grid_of(1000, 900)
    for col, row in ((0, 0), (37, 300)):
        left, top = raster.to_map([(col, row)])[0]
        lattice = lattice_over(raster, (left, 4600000.0 - 1800, 502000.0, top), 256, 8, context_px=64)
        homes = {(window.home[0] + col, window.home[1] + row) for window in lattice.windows}
        inner = {256, 512, 768}
        assert {place[0] for place in homes} == {col} | inner
        assert {place[1] for place in homes} == {row} | {line for line in inner if line > row}


def test_an_extent_that_begins_just_before_a_square_has_no_window_for_a_line():
    raster = grid_of(1000, 900)
    left, top = raster.to_map([(255, 240)])[0]
    bounds = (left, 4600000.0 - 2 * 780, left + 2 * 529, top)
    lattice = lattice_over(raster, bounds, 256, 8, context_px=64)
    across = {(window.home[0], window.home[2]) for window in lattice.windows}
    down = {(window.home[1], window.home[3]) for window in lattice.windows}
    assert across == {(0, 257), (257, 529)}  # and not 1, 256, 256 and 16
    assert down == {(0, 272), (272, 540)}


def test_large_windows_with_context_are_made_of_small_ones():
    small, large = (lattice_over(grid_of(1000, 900), None, side, 8, context_px=96) for side in (128, 256))
    for window in small.windows:
        around = [
            other for other in large.windows
            if other.home[0] <= window.home[0] and other.home[1] <= window.home[1]
            and other.home[2] >= window.home[2] and other.home[3] >= window.home[3]
        ]  # fmt: skip
        assert len(around) == 1
        assert around[0].box[0] <= window.box[0] and around[0].box[3] >= window.box[3]


def test_extents_that_cannot_be_are_refused():
    raster = grid_of(100, 100)
    with pytest.raises(OutsideExtentError):
        lattice_over(raster, (0.0, 0.0, 1.0, 1.0), 64, 16)
    with pytest.raises(SettingsError, match="Windows"):
        lattice_over(raster, None, 5, 2)
    with pytest.raises(SettingsError, match="Windows"):
        lattice_over(raster, None, 100_000, 2)
    with pytest.raises(SettingsError, match="resolution"):
        lattice_over(raster, None, 64, 16, resolution=-1.0)
