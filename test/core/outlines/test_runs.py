from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as some
from prompt_segmenter.core.outlines.masks import find_parts
from prompt_segmenter.core.outlines.runs import RunMask, union

PAIRS = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(
    lambda shape: st.tuples(some.arrays(np.bool_, shape), some.arrays(np.bool_, shape))
)


def on_lattice(mask):
    return RunMask.of(mask, 0, 0, mask.shape[1])


def dense(runs, mask):
    return runs.dense((0, 0, mask.shape[1], mask.shape[0]))


@given(PAIRS)
@settings(deadline=None)
def test_what_is_done_with_runs_is_what_is_done_with_arrays(masks):
    one, other = masks
    first, second = on_lattice(one), on_lattice(other)
    np.testing.assert_array_equal(dense(first, one), one)
    np.testing.assert_array_equal(dense(first & second, one), one & other)
    np.testing.assert_array_equal(dense(first - second, one), one & ~other)
    np.testing.assert_array_equal(dense(union([first, second]), one), one | other)
    assert first.area == one.sum()
    assert first.shared(second) == (one & other).sum()


@given(PAIRS)
@settings(deadline=None)
def test_inner_pixels_are_those_with_four_neighbours(masks):
    mask = masks[0]
    around = np.pad(mask, 1)
    expected = mask & around[:-2, 1:-1] & around[2:, 1:-1] & around[1:-1, :-2] & around[1:-1, 2:]
    np.testing.assert_array_equal(dense(on_lattice(mask).inner(), mask), expected)


@given(PAIRS)
@settings(deadline=None)
def test_parts_are_those_of_the_array(masks):
    found, expected = on_lattice(masks[0]).parts(), find_parts(masks[0])
    np.testing.assert_array_equal(found.areas_px, expected.areas_px)


def test_a_mask_lies_where_it_was_put():
    mask = RunMask.of(np.array([[True, False], [True, True]]), 3, 2, 10)
    assert mask.box == (3, 2, 5, 4)
    assert mask.within((4, 0, 10, 10)).box == (4, 3, 5, 4)
    assert mask.within((0, 0, 3, 10)).area == 0


def test_runs_at_the_end_of_a_row_and_at_the_start_of_the_next_stay_two():
    mask = np.array([[False, True], [True, False]])
    assert len(on_lattice(mask).starts) == 2
    assert on_lattice(mask).parts().count == 2


def test_nothing_has_no_area_and_takes_nothing():
    nothing = RunMask.nothing(5)
    square = RunMask.of(np.ones((2, 2), bool), 1, 1, 5)
    assert nothing.area == 0
    assert (square - nothing).area == 4
    assert (nothing - square).area == 0
    assert nothing.shared(square) == 0


def test_the_outer_pixels_of_one_pixel_are_a_cross():
    assert RunMask.of(np.ones((1, 1), bool), 2, 2, 5).outer().area == 5
