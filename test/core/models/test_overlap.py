from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from prompt_segmenter.core.models.finding import FoundBox, FoundMask
from prompt_segmenter.core.models.overlap import MOST_SHARED, best_boxes, best_masks, clip
from prompt_segmenter.core.raster.grid import Window


def mask(left, top, width, height, score, label="a", *, hole=None):  # noqa: PLR0917
    pixels = np.ones((height, width), bool)
    if hole:
        pixels[hole] = False
    return FoundMask(Window(left, top, width, height), pixels, score, label)


def iou(one, two):
    frame = Window(0, 0, 60, 60)
    first, second = (clip(found.window, found.mask, frame) for found in (one, two))
    return (first & second).sum() / (first | second).sum()


def test_the_better_of_two_boxes_of_one_object_stays():
    good, bad = FoundBox((0, 0, 10, 10), 0.9, "a"), FoundBox((1, 0, 11, 10), 0.5, "a")
    other = FoundBox((1, 0, 11, 10), 0.4, "b")
    apart = FoundBox((30, 0, 40, 10), 0.2, "a")
    assert best_boxes([bad, apart, good, other]) == [good, apart, other]


def test_boxes_that_share_half_or_less_stay():
    one, two = FoundBox((0, 0, 10, 10), 0.9, "a"), FoundBox((0, 0, 10, 5), 0.8, "a")
    assert best_boxes([one, two]) == [one, two]


def test_masks_are_told_apart_by_their_pixels_and_not_by_their_windows():
    # an L and the square in its corner: nearly the same window, no common pixel
    corner = mask(0, 0, 20, 20, 0.9, hole=(slice(0, 15), slice(5, 20)))
    square = mask(5, 0, 15, 15, 0.8)
    assert best_masks([square, corner]) == [corner, square]
    assert best_masks([square, mask(5, 1, 15, 15, 0.7)]) == [square]


def test_the_same_pixels_stay_under_another_label():
    one, two = mask(0, 0, 9, 9, 0.5, "tree"), mask(0, 0, 9, 9, 0.9, "forest")
    assert best_masks([one, two]) == [one, two]


def test_a_score_that_is_not_known_comes_last():
    unknown, known = mask(0, 0, 9, 9, float("nan")), mask(0, 0, 9, 9, 0.1)
    assert best_masks([unknown, known]) == [known]


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(1, 25), st.integers(1, 25), st.floats(0, 1)),
        max_size=12,
    )
)
def test_none_that_stay_share_too_much_and_each_that_goes_had_a_better_one(places):
    given_masks = [mask(*place) for place in places]
    kept = best_masks(given_masks)
    for index, one in enumerate(kept):
        assert all(iou(one, other) <= MOST_SHARED for other in kept[index + 1 :])
    gone = [found for found in given_masks if not any(found is one for one in kept)]
    for found in gone:
        assert any(iou(found, one) > MOST_SHARED and one.score >= found.score for one in kept)


def test_a_higher_threshold_afterwards_gives_what_it_would_have_given_before():
    rng = np.random.default_rng(1)
    every = [
        mask(*(int(v) for v in rng.integers(0, 25, 2)), *(int(v) for v in rng.integers(5, 25, 2)), float(score))
        for score in rng.random(40)
    ]
    for threshold in (0.2, 0.5, 0.8):
        after = [found for found in best_masks(every) if found.score >= threshold]
        assert after == best_masks([found for found in every if found.score >= threshold])


def test_many_boxes_are_quick():
    rng = np.random.default_rng(2)
    corners = rng.uniform(0, 900, (3600, 2))
    boxes = [FoundBox((x, y, x + 40, y + 40), float(s), "a") for (x, y), s in zip(corners, rng.random(3600))]
    kept = best_boxes(boxes)
    assert 300 < len(kept) < 3600
    assert best_boxes([]) == best_masks([]) == []
