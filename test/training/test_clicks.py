"""Simulated people: where they click first, and what they click when the answer is wrong."""

from __future__ import annotations

import numpy as np
from prompt_segmenter.training.clicks import EXCLUDE, INCLUDE, NONE, SLOTS, SOFT, Gesture, correct, depth, start


def disc(row, col, radius, size=96):
    rows, cols = np.mgrid[:size, :size] + 0.5
    return (rows - row) ** 2 + (cols - col) ** 2 <= radius**2


def at(mask, place):
    return bool(mask[int(place[1]), int(place[0])])


def test_depth_counts_the_images_frame_as_outline():
    inside = depth(np.ones((9, 9), bool))
    assert inside.argmax() == 40
    assert inside[0, 0] < inside[4, 4]


def test_first_prompts_are_on_the_object_beside_it_or_around_it():
    mask, kinds = disc(48, 40, 20), set()
    for seed in range(300):
        gesture = start(mask, np.random.default_rng(seed))
        boxed = bool(gesture.box[4])
        includes = gesture.points[gesture.labels == INCLUDE]
        excludes = gesture.points[gesture.labels == EXCLUDE]
        assert all(at(mask, place) for place in includes)
        assert not any(at(mask, place) for place in excludes)
        assert len(includes) or boxed
        if boxed:
            assert np.abs(gesture.box[:4] - (20, 28, 60, 68)).max() < 40 * 0.45 + 1
        kinds.add((len(includes), len(excludes), boxed, bool((gesture.labels == SOFT).any())))
    assert kinds == {(1, 0, False, False), (1, 1, False, False), (0, 0, True, True), (1, 0, True, False)}


def test_a_correction_goes_into_the_larger_error():
    wanted, rng = disc(48, 48, 20), np.random.default_rng(0)
    gesture = Gesture.empty()
    correct(gesture, wanted, disc(48, 48, 8), rng)
    assert gesture.labels[0] == INCLUDE
    assert at(wanted & ~disc(48, 48, 8), gesture.points[0])
    correct(gesture, wanted, wanted | disc(20, 80, 12), rng)
    assert gesture.labels[1] == EXCLUDE
    assert at(disc(20, 80, 12), gesture.points[1])


def test_a_right_answer_gets_no_correction_and_a_full_gesture_no_more_clicks():
    wanted, gesture = disc(48, 48, 20), Gesture.empty()
    correct(gesture, wanted, wanted, np.random.default_rng(0))
    assert (gesture.labels == NONE).all()
    for _ in range(SLOTS + 3):
        gesture.add(1.0, 2.0, INCLUDE)
    assert (gesture.labels == INCLUDE).sum() == SLOTS


def test_a_correction_of_coarse_masks_lands_in_the_fine_image():
    wanted = disc(24, 24, 10, size=48)
    gesture = Gesture.empty()
    correct(gesture, wanted, np.zeros_like(wanted), np.random.default_rng(1), scale=2.0)
    assert at(disc(48, 48, 20), gesture.points[0])
