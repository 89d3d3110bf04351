"""Logits drawn to the edges of an image."""

from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core.outlines.snap import snapped


def picture(noise=0.0):
    """A bright square of 20 pixels on dark ground."""
    image = np.full((60, 60, 3), 60.0)
    image[20:40, 20:40] = 170
    return (image + np.random.default_rng(1).normal(0, noise, image.shape)).clip(0, 255).astype(np.uint8)


def square(left, top, right, bottom):
    """Soft logits of a rectangle: distance to its sides, as far as 6 pixels count."""
    cols, rows = np.meshgrid(np.arange(60) + 0.5, np.arange(60) + 0.5)
    inside = np.minimum(np.minimum(cols - left, right - cols), np.minimum(rows - top, bottom - rows))
    return np.clip(inside, -6, 6).astype(np.float32)


@pytest.mark.parametrize("noise", [0.0, 6.0])
def test_an_outline_one_pixel_off_comes_to_lie_on_the_edge(noise):
    wanted = np.zeros((60, 60), bool)
    wanted[20:40, 20:40] = True
    for loose in (square(19, 19, 41, 41), square(21, 20, 41, 40)):
        before = np.count_nonzero((loose > 0) ^ wanted)
        after = np.count_nonzero((snapped(loose, picture(noise), 2) > 0) ^ wanted)
        assert after < before / 2


def test_without_an_edge_the_outline_stays():
    flat = np.full((60, 60, 3), 90, np.uint8)
    logits = square(15, 15, 45, 45)
    assert np.count_nonzero((snapped(logits, flat, 2) > 0) ^ (logits > 0)) <= 4  # the corners get rounder


def test_an_edge_far_from_the_outline_does_not_draw_it():
    logits = square(8, 8, 52, 52)
    assert np.count_nonzero((snapped(logits, picture(), 2) > 0) ^ (logits > 0)) <= 8


def test_the_logits_given_are_left_alone_and_masks_without_an_outline_come_back():
    logits = square(19, 19, 41, 41)
    before = logits.copy()
    snapped(logits, picture(), 2)
    assert np.array_equal(logits, before)
    for empty_or_full in (np.full((60, 60), -3, np.float32), np.full((60, 60), 3, np.float32)):
        assert np.array_equal(snapped(empty_or_full, picture(), 2), empty_or_full)
