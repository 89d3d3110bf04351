from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core.models.finding import FoundMask
from prompt_segmenter.core.raster.grid import PixelGrid, Window
from prompt_segmenter.core.scan.stitch import Stitcher
from prompt_segmenter.core.scan.windows import lattice_over

GRID = PixelGrid.pixel_space(160, 160)
LATTICE = lattice_over(GRID, None, 64, 16)
"""Windows begin at columns and rows 0, 48 and 96."""
USABLE = np.ones((64, 64), bool)


def seen(mask, window, **traits):
    """Return a mask of the whole extent as a window shows it."""
    left, top, right, bottom = window.box
    here = mask[top:bottom, left:right]
    return [FoundMask(Window(0, 0, right - left, bottom - top), here, traits.pop("score", 0.9), **traits)]


def stitched(views):
    """Walk all windows; ``views`` gives the masks that each shows, by its column and row."""
    stitcher = Stitcher(LATTICE)
    objects = []
    for window in LATTICE.windows:
        found = [one for mask in views(window.box[0], window.box[1]) for one in seen(mask, window) if one.mask.any()]
        objects += stitcher.add(window, found, USABLE).objects
    assert stitcher.held == 0
    assert not stitcher.finish().objects
    return [one.pixels.dense((0, 0, 160, 160)) for one in objects]


def block(top, left, bottom, right):
    mask = np.zeros((160, 160), bool)
    mask[top:bottom, left:right] = True
    return mask


def test_the_lattice_of_these_tests():
    assert sorted({window.box[0] for window in LATTICE.windows}) == [0, 48, 96]


def test_a_block_over_nine_windows_is_put_together():
    whole = block(20, 20, 150, 150)
    (only,) = stitched(lambda col, row: [whole])
    np.testing.assert_array_equal(only, whole)


def test_where_windows_differ_each_pixel_is_as_the_better_placed_window_shows_it():
    # The seam between the first two columns of windows is the middle of columns 48 to 64.
    thin, thick = block(22, 5, 38, 100), block(20, 5, 40, 100)
    (only,) = stitched(lambda col, row: [thin if col == 0 else thick] if row == 0 else [])
    expected = thin.copy()
    expected[:, 56:] = thick[:, 56:]
    np.testing.assert_array_equal(only, expected)


def test_what_two_windows_show_of_another_that_the_best_placed_does_not_confirm_is_dropped():
    # On the overlap of two columns, at the upper side of the second row of windows: the first row sees it well.
    sliver, whole = block(48, 49, 51, 63), block(20, 49, 48, 63)
    found = stitched(lambda col, row: [whole] if row == 0 else [sliver] if row == 48 and col < 96 else [])
    assert len(found) == 1
    np.testing.assert_array_equal(found[0], whole)


def test_of_two_that_are_whole_the_one_farther_from_its_sides_is_taken():
    # Columns 50 to 58 are whole in both windows, and nearer to the side of the second.
    near, far = block(20, 53, 40, 58), block(20, 53, 40, 59)
    (only,) = stitched(lambda col, row: [near if col == 0 else far] if row == 0 and col < 96 else [])
    np.testing.assert_array_equal(only, near)


def test_a_piece_that_goes_on_beyond_a_whole_one_is_no_copy_of_it():
    # The first window's stops short of its side, though the object goes on.
    short, long = block(20, 10, 40, 58), block(20, 48, 40, 105)
    (only,) = stitched(lambda col, row: [short if col == 0 else long] if row == 0 and col < 96 else [])
    assert only[:, 100].any() and only[:, 20].any()


def test_nested_objects_are_not_joined_through_their_pieces():
    house, yard = block(20, 30, 30, 80), block(18, 28, 34, 84)
    found = stitched(lambda col, row: [house, yard] if row == 0 else [])
    assert len(found) == 2
    np.testing.assert_array_equal(min(found, key=np.sum), house)
    np.testing.assert_array_equal(max(found, key=np.sum), yard)


def test_thin_pieces_that_differ_by_a_pixel_are_one():
    upper, lower = block(20, 5, 22, 100), block(21, 5, 23, 100)
    assert len(stitched(lambda col, row: [upper if col == 0 else lower] if row == 0 else [])) == 1


def test_neighbours_that_only_touch_are_two():
    assert len(stitched(lambda col, row: [block(20, 5, 30, 100), block(30, 5, 40, 100)] if row == 0 else [])) == 2


def test_after_a_stop_what_later_windows_would_have_said_is_not_waited_for():
    stitcher = Stitcher(LATTICE)
    window = LATTICE.windows[0]
    # All of it is better seen by the second window, which never came.
    assert not stitcher.add(window, seen(block(10, 57, 20, 64), window), USABLE).objects
    assert stitcher.held == 1
    assert [one.pixels.area for one in stitcher.finish(stopped=True).objects] == [70]


def test_masks_are_cut_to_usable_pixels_and_to_the_picture():
    stitcher = Stitcher(LATTICE)
    window = LATTICE.windows[0]
    usable = USABLE.copy()
    usable[:, :10] = False
    beyond = FoundMask(Window(-4, 5, 20, 10), np.ones((10, 20), bool), 0.9)
    nothing = FoundMask(Window(0, 30, 5, 5), np.ones((5, 5), bool), 0.9)
    step = stitcher.add(window, [beyond, nothing], usable)
    assert [one.pixels.box for one in step.objects] == [(10, 5, 16, 15)]


@pytest.mark.parametrize("label", ["", "tree"])
def test_objects_keep_what_is_said_of_them(label):
    stitcher = Stitcher(LATTICE)
    window = LATTICE.windows[0]
    found = seen(block(5, 5, 20, 20), window, score=0.4, label=label, stability=0.9, similarity=0.2, prompt="+1,1")
    (only,) = stitcher.add(window, found, USABLE).objects
    said = only.traits
    assert (said.label, said.score, said.stability, said.similarity, said.prompt) == (label, 0.4, 0.9, 0.2, "+1,1")
    assert only.window is window


@pytest.mark.parametrize(("left", "kept"), [(430, 1), (545, 0)])
def test_of_what_several_windows_see_well_the_surest_is_taken_and_what_is_seen_badly_is_not(left, kept):
    # the windows see columns 0 to 608 and 384 to 1000, so the first object keeps 128 and 66 pixels from their ends
    lattice = lattice_over(PixelGrid.pixel_space(1000, 200), None, 500, 8, context_px=100)
    one, other = lattice.windows
    assert (one.box[2], other.box[0]) == (608, 384)
    masks = [np.zeros((200, 1000), bool) for _ in range(2)]
    masks[0][100:120, left - 5 : left + 25] = masks[1][100:120, left - 5 : left + 26] = True
    scores = (0.95, 0.8) if left == 545 else (0.8, 0.95)
    if left == 430:
        masks = [np.roll(mask, 25, axis=1) for mask in masks]
    stitcher, objects = Stitcher(lattice), []
    for window, mask, score in zip(lattice.windows, masks, scores):
        width, height = window.view.size
        objects += stitcher.add(window, seen(mask, window, score=score), np.ones((height, width), bool)).objects
    (only,) = objects
    assert only.traits.score == (0.95 if kept else 0.8)
