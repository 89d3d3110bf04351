"""Which views a map window needs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prompt_segmenter.core.models.model import LookPolicy
from prompt_segmenter.core.picture import part_of
from prompt_segmenter.core.raster.grid import PixelGrid
from prompt_segmenter.core.screen import MAX_WHOLE_PX, ScreenView, ahead

RASTER = PixelGrid((0.5, 0.0, 1000.0, 0.0, -0.5, 2000.0), "EPSG:32633", 3000, 2000)
TURNED = PixelGrid((0.3, 0.4, 1000.0, 0.4, -0.3, 2000.0), "EPSG:32633", 3000, 2000)
THIN = PixelGrid((0.5, 0.0, 1000.0, 0.0, -0.5, 2000.0), "EPSG:32633", 3000, 37)
PARTS = LookPolicy(192, scales=(1.0, 3.0, 6.0))
FRAME = LookPolicy(1024)


def screen(left, top, width_px, height_px, resolution):
    """A window whose top left corner is at a native pixel of RASTER."""
    x, y = 1000.0 + 0.5 * left, 2000.0 - 0.5 * top
    return ScreenView((x, y - height_px * resolution, x + width_px * resolution, y), resolution)


def test_at_native_resolution_the_finest_view_covers_the_window_pixel_for_pixel():
    finest = ahead(RASTER, screen(300, 200, 1024, 768, 0.5), PARTS, parts=True)[0]
    window = finest.view.window
    assert finest.whole
    assert finest.view.size == (window.width, window.height)
    assert window.col <= 300
    assert window.row <= 200
    assert window.col + window.width >= 1324
    assert window.row + window.height >= 968


def test_the_wider_ground_widths_reach_beyond_the_window_and_cost_little():
    views = [item.view for item in ahead(RASTER, screen(900, 700, 512, 512, 0.5), PARTS, parts=True)]
    assert [view.window.width >= 192 * scale for view, scale in zip(views, (1, 2.75, 5.75))] == [True] * 3
    assert sum(view.pixels for view in views[1:]) < 0.8 * views[0].pixels


def test_a_window_that_is_zoomed_in_is_not_read_finer_than_the_raster():
    finest = ahead(RASTER, screen(300, 200, 800, 800, 0.05), PARTS, parts=True)[0]
    assert finest.view.coarseness == 1.0


def test_a_very_large_window_is_looked_at_coarser():
    big = PixelGrid((0.5, 0.0, 1000.0, 0.0, -0.5, 2000.0), "EPSG:32633", 20_000, 20_000)
    for item in ahead(big, screen(0, 0, 6000, 4000, 0.5), PARTS, parts=True):
        assert item.view.pixels < 1.5 * MAX_WHOLE_PX


def test_a_model_that_looks_at_a_frame_gets_one_that_holds_the_window():
    (item,) = ahead(RASTER, screen(300, 200, 1024, 768, 0.5), FRAME, parts=False)
    window = item.view.window
    assert not item.whole
    assert max(item.view.size) <= 1024
    assert window.col <= 300
    assert window.row <= 200
    assert window.col + window.width >= 1324
    assert window.row + window.height >= 968


def test_panning_a_little_keeps_the_frame_and_panning_back_keeps_the_parts():
    assert ahead(RASTER, screen(700, 600, 700, 700, 0.5), FRAME, parts=False) == ahead(
        RASTER, screen(704, 597, 700, 700, 0.5), FRAME, parts=False
    )
    assert ahead(RASTER, screen(705, 605, 700, 700, 0.5), PARTS, parts=True) == ahead(
        RASTER, screen(707, 600, 700, 700, 0.5), PARTS, parts=True
    )


@pytest.mark.parametrize("parts", [True, False])
def test_a_window_beside_the_raster_needs_nothing(parts):
    assert ahead(RASTER, screen(5000, 200, 300, 300, 0.5), PARTS, parts=parts) == []


@settings(max_examples=300, deadline=None)
@given(
    raster=st.sampled_from([RASTER, TURNED, THIN]),
    place=st.tuples(st.floats(0, 3000), st.floats(0, 37)),
    resolution=st.floats(0.05, 20.0),
    size=st.tuples(st.integers(200, 2000), st.integers(200, 1400)),
    parts=st.booleans(),
)
def test_every_click_in_the_window_has_a_view_and_parts_are_whole_cells_of_theirs(
    raster, place, resolution, size, parts
):
    col, row = place
    x, y = raster.to_map([(col, row)])[0]
    half = np.array(size) * resolution / 2
    seen = ScreenView((x - half[0], y - half[1], x + half[0], y + half[1]), resolution)
    policy = PARTS if parts else FRAME
    views = ahead(raster, seen, policy, parts=parts)
    native = np.array([col, row, col, row])
    found = [(item, item.around(native, policy.chip_px)) for item in views]
    # the last few pixels of a raster are answered without a view that was encoded ahead
    if col < 2870 and row < raster.height - 4 * views[0].view.coarseness:
        assert any(around is not None for _, around in found)
    for item, around in found:
        whole = item.view.window
        assert min(whole.col, whole.row) >= 0
        assert whole.col + whole.width <= raster.width
        assert whole.row + whole.height <= raster.height
        if item.whole and around is not None:
            cells = part_of(around, item.view)
            assert (cells.col % 4, cells.row % 4) == (0, 0)
            assert cells.width == min(192, item.view.size[0])
            assert around.window.col <= col <= around.window.col + around.window.width
