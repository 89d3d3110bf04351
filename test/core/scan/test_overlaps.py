from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prompt_segmenter.core import native
from prompt_segmenter.core.image_finder import WindowPolicy
from prompt_segmenter.core.outlines.masks import PartRule
from prompt_segmenter.core.outlines.shape import OutlineSettings
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.scan import OverlapRule, Scan, ScanSettings
from prompt_segmenter.test.helpers.truth_finder import StackFinder, scene

QUIET = NullProgress()
BEST = ScanSettings(outline=OutlineSettings(parts=PartRule.ALL, simplify_px=0.0, fill_holes_m2=0.0))
WHOLE = WindowPolicy(4096, 64)


def boxes(shape, *places):
    """Return a stack of masks: rows and columns of (top, left, bottom, right)."""
    stack = np.zeros((len(places), *shape), bool)
    for mask, (top, left, bottom, right) in zip(stack, places):
        mask[top:bottom, left:right] = True
    return stack


def run(stack, scores, *, labels=(), similarities=(), settings=BEST, windows=WHOLE):
    finder = StackFinder(
        stack,
        windows=windows,
        scores=dict(enumerate(scores, 1)),
        labels=dict(enumerate(labels, start=1)),
        similarities=dict(enumerate(similarities, start=1)),
    )
    ground = scene(np.zeros(stack.shape[1:], int), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), None)
    return Scan(ground, finder, settings).run(QUIET)


def areas(result):
    return [round(polygon.area_m2) for polygon in result.polygons]


def test_each_pixel_goes_to_the_better_score():
    stack = boxes((40, 60), (5, 5, 25, 25), (5, 20, 25, 50))
    assert areas(run(stack, [0.9, 0.6])) == [400, 500]
    assert areas(run(stack, [0.6, 0.9])) == [300, 600]
    assert areas(run(stack, [0.6, 0.9], settings=replace(BEST, overlaps=OverlapRule.KEEP))) == [400, 600]


def test_objects_of_different_labels_may_overlap():
    stack = boxes((40, 60), (5, 5, 25, 25), (5, 20, 25, 50))
    assert areas(run(stack, [0.6, 0.9], labels=["tree", "shade"])) == [400, 600]


def test_another_view_of_a_better_object_is_dropped_and_takes_nothing():
    # The third overlaps the second, which is dropped, but not the first.
    stack = boxes((40, 60), (5, 5, 25, 25), (5, 7, 25, 29), (5, 25, 25, 40))
    result = run(stack, [0.9, 0.8, 0.7])
    assert areas(result) == [400, 300]


def test_a_part_of_a_better_whole_is_dropped_and_a_better_part_makes_a_hole():
    stack = boxes((40, 60), (5, 5, 35, 45), (10, 10, 20, 20))
    assert areas(run(stack, [0.9, 0.5])) == [1200]
    assert areas(run(stack, [0.5, 0.9])) == [1100, 100]


def test_slivers_that_are_left_over_are_dropped():
    # The better one leaves a line of one pixel on the far side of the other.
    stack = boxes((40, 60), (5, 5, 25, 30), (5, 21, 25, 29))
    result = run(stack, [0.5, 0.9])
    assert areas(result) == [320, 160]


def test_parts_that_nothing_was_taken_from_are_kept_however_small():
    stack = boxes((40, 60), (5, 5, 25, 25), (5, 20, 25, 50))
    stack[0, 30, 5:8] = True
    assert areas(run(stack, [0.5, 0.9])) == [303, 600]


def test_an_unknown_score_comes_after_all_others_and_larger_before_smaller():
    stack = boxes((40, 60), (5, 5, 25, 25), (5, 20, 25, 50))
    assert areas(run(stack, [float("nan"), 0.1])) == [300, 600]
    assert areas(run(stack, [0.5, 0.5])) == [300, 600]


def test_what_is_below_the_confidence_or_too_large_takes_nothing():
    stack = boxes((40, 60), (5, 5, 25, 25), (0, 0, 40, 60))
    assert areas(run(stack, [0.6, 0.9], settings=replace(BEST, max_area_m2=1000.0))) == [400]
    assert areas(run(stack, [0.9, 0.3], settings=replace(BEST, confidence=0.5))) == [400]


def stacks(draw):
    height, width = draw(st.integers(30, 110)), draw(st.integers(30, 110))
    seed, count = draw(st.integers(0, 10_000)), draw(st.integers(2, 12))
    rng = np.random.default_rng(seed)
    places = []
    for _ in range(count):
        top, left = int(rng.integers(0, height)), int(rng.integers(0, width))
        places.append((top, left, top + int(rng.integers(2, 50)), left + int(rng.integers(2, 50))))
    scores = rng.permutation(count) / count
    return boxes((height, width), *places), scores.tolist(), draw(st.sampled_from([("",), ("a", "b")]))


@given(st.composite(stacks)(), st.integers(40, 60))
@settings(deadline=None, max_examples=120)
def test_windows_change_nothing(made, window_px):
    stack, scores, names = made
    labels = [names[index % len(names)] for index in range(len(stack))]
    whole = run(stack, scores, labels=labels)
    parts = run(stack, scores, labels=labels, windows=WindowPolicy(window_px, window_px // 2))
    scored = [{(round(one.score, 6), round(one.area_m2)) for one in result.polygons} for result in (whole, parts)]
    assert scored[0] == scored[1]


@pytest.mark.parametrize(
    "places", [((15, 55, 60, 80), (0, 60, 40, 100)), ((30, 10, 60, 50), (0, 35, 45, 65))], ids=["beside", "below"]
)
def test_two_objects_that_look_alike_where_two_windows_see_them_stay_two(places):
    stack = boxes((60, 110), *places)
    parts = run(stack, [0.9, 0.5], windows=WindowPolicy(40, 20))
    assert sorted(areas(parts)) == sorted(areas(run(stack, [0.9, 0.5])))
    assert len(areas(parts)) == 2


def test_a_chain_of_better_and_better_objects_is_decided_as_if_seen_at_once():
    places = [(5, 20 * index, 25, 20 * index + 28) for index in range(20)]
    stack = boxes((40, 420), *places)
    scores = [0.3 + 0.03 * index for index in range(20)]
    small = run(stack, scores, windows=WindowPolicy(64, 32))
    assert sorted(areas(small)) == sorted(areas(run(stack, scores))) == [400] * 19 + [560]


def test_objects_beside_a_long_one_that_goes_on_need_not_wait_for_it():
    stack = boxes((600, 40), (0, 18, 600, 22), *[(row, 2, row + 12, 16) for row in range(5, 590, 20)])
    calls = []
    finder = StackFinder(stack, windows=WindowPolicy(64, 16), scores=dict.fromkeys(range(1, 32), 0.5))
    ground = scene(np.zeros((600, 40), int), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), None)
    Scan(ground, finder, BEST).run(QUIET, calls.append)
    assert len(calls) > 8


@pytest.mark.parametrize("window_px", [48, 64, 4096])
def test_a_coverage_has_no_gaps_and_no_overlaps(window_px):
    rng = np.random.default_rng(5)
    places = [(top, left, top + 30, left + 40) for top, left in rng.integers(0, 90, (12, 2)).tolist()]
    stack = boxes((100, 120), *places)
    asked = ScanSettings(overlaps=OverlapRule.COVERAGE)
    result = run(stack, [0.5 + 0.01 * i for i in range(12)], settings=asked, windows=WindowPolicy(window_px, 24))
    shapes = [polygon.geometry for polygon in result.polygons]
    assert all(shape.is_valid for shape in shapes)
    assert sum(shape.area for shape in shapes) == pytest.approx(12000.0)
    assert native.shapely().ops.unary_union(shapes).area == pytest.approx(12000.0)
    assert [polygon.object for polygon in result.polygons] == list(range(1, len(shapes) + 1))


def test_of_what_is_like_examples_the_more_similar_keeps_its_pixels():
    # Callers drop what is not similar enough afterwards: until then it must not have taken anything from the similar.
    stack = boxes((40, 60), (5, 5, 25, 25), (5, 20, 25, 50))
    assert areas(run(stack, [0.6, 0.9], similarities=[0.8, 0.1])) == [400, 500]
    assert areas(run(stack, [0.9, 0.6], similarities=[0.1, 0.8])) == [300, 600]
