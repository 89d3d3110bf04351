from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from prompt_segmenter.core.outlines.masks import PartRule, choose_candidate, find_parts, select_parts

ONE_OUT = np.array([[True], [False], [True]])
NO_POINTS = np.zeros((3, 0), dtype=bool)


def mask_of(text: str) -> np.ndarray:
    return np.array([[char == "#" for char in line] for line in text.split()])


TWO_PARTS = mask_of("""
    ##...
    ##..#
    #...#
""")


def test_a_candidate_that_holds_the_include_point_beats_a_higher_score():
    assert choose_candidate([0.5, 0.9, 0.4], ONE_OUT, NO_POINTS) == 0


def test_a_candidate_that_leaves_the_exclude_point_out_beats_a_higher_score():
    assert choose_candidate([0.9, 0.5, 0.8], NO_POINTS, ONE_OUT) == 1


def test_among_equally_satisfying_candidates_the_highest_score_wins():
    assert choose_candidate([0.1, 0.2, 0.3], NO_POINTS, NO_POINTS) == 2


def test_a_tie_goes_to_the_first_candidate():
    assert choose_candidate([0.2, 0.7, 0.7], NO_POINTS, NO_POINTS) == 1


def test_include_and_exclude_points_count_alike():
    include = [[True, True], [True, False]]
    exclude = [[True, True], [False, False]]
    assert choose_candidate([0.9, 0.1], include, exclude) == 1


def test_a_score_that_is_not_a_number_loses():
    assert choose_candidate([np.nan, 0.1], NO_POINTS[:2], NO_POINTS[:2]) == 1
    assert choose_candidate([np.nan, np.nan], NO_POINTS[:2], NO_POINTS[:2]) == 0


def test_no_candidates_at_all_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="at least one candidate"):
        choose_candidate([], [], [])


def test_the_largest_part_is_kept():
    kept = select_parts(TWO_PARTS, PartRule.LARGEST)
    assert kept.sum() == 5
    assert kept[:, :2].sum() == 5


def test_the_part_with_the_include_point_is_kept():
    kept = select_parts(TWO_PARTS, PartRule.WITH_INCLUDE, [(4.5, 1.5)])
    assert kept.tolist() == mask_of("..... ....# ....#").tolist()


def test_every_part_with_an_include_point_is_kept():
    kept = select_parts(TWO_PARTS, PartRule.WITH_INCLUDE, [(4.5, 1.5), (0.5, 2.5)])
    assert kept.tolist() == TWO_PARTS.tolist()


@pytest.mark.parametrize("points", [[], [(2.5, 0.5)], [(-3.0, 1.0)], [(np.nan, 1.0)], [(9.0, 9.0)]])
def test_points_beside_every_part_fall_back_to_the_largest(points):
    assert select_parts(TWO_PARTS, PartRule.WITH_INCLUDE, points).sum() == 5


def test_a_point_on_the_outer_edge_belongs_to_the_last_pixel():
    assert select_parts(TWO_PARTS, PartRule.WITH_INCLUDE, [(5.0, 3.0)]).sum() == 2


def test_all_parts_are_a_copy_of_the_mask():
    kept = select_parts(TWO_PARTS, PartRule.ALL)
    assert kept.tolist() == TWO_PARTS.tolist()
    assert kept is not TWO_PARTS


@pytest.mark.parametrize("rule", PartRule)
def test_selecting_leaves_the_input_as_it_was(rule):
    before = TWO_PARTS.copy()
    before.setflags(write=False)
    kept = select_parts(before, rule, [(0.5, 0.5)])
    kept[:] = False
    assert before.tolist() == TWO_PARTS.tolist()


@pytest.mark.parametrize("rule", PartRule)
def test_an_empty_mask_stays_empty(rule):
    assert not select_parts(np.zeros((4, 6), dtype=bool), rule, [(1.0, 1.0)]).any()


def test_pixels_that_share_only_a_corner_are_two_parts():
    assert find_parts(mask_of("#. .#")).count == 2


def test_a_u_is_one_part():
    parts = find_parts(mask_of("#.# #.# ###"))
    assert parts.count == 1
    assert parts.areas_px.tolist() == [7]


def test_runs_at_the_right_and_the_left_edge_of_neighbouring_rows_are_not_joined():
    assert find_parts(mask_of("..# #..")).count == 2


def test_a_mask_that_is_not_bool_is_refused_with_what_was_got():
    with pytest.raises(ValueError, match="got uint8"):
        find_parts(np.zeros((3, 3), dtype=np.uint8))


def flooded(mask: np.ndarray) -> list[list[tuple[int, int]]]:
    """Return the 4-connected parts by the plainest flood fill there is."""
    left, parts = set(zip(*(axis.tolist() for axis in np.nonzero(mask)))), []
    while left:
        todo, part = [left.pop()], []
        while todo:
            row, col = todo.pop()
            part.append((row, col))
            for near in ((row + 1, col), (row - 1, col), (row, col + 1), (row, col - 1)):
                if near in left:
                    left.remove(near)
                    todo.append(near)
        parts.append(sorted(part))
    return sorted(parts)


@settings(max_examples=150, deadline=None)
@given(st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(lambda size: arrays(np.bool_, size)))
def test_parts_are_those_of_a_flood_fill(mask):
    parts = find_parts(mask)
    found = [
        sorted(zip(*(axis.tolist() for axis in np.nonzero(parts.mask([number]))))) for number in range(parts.count)
    ]
    assert sorted(found) == flooded(mask)
    assert parts.areas_px.tolist() == [len(part) for part in found]
