from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core.models.finding import HeatMap
from prompt_segmenter.core.words.heat import FLOOR, hills

ROWS, COLS = np.indices((96, 128)) + 0.5


def bump(x, y, radius, height=1.0):
    """A round hill: at half its height at ``radius`` cells from its middle."""
    return (height * 0.5 ** (((COLS - x) ** 2 + (ROWS - y) ** 2) / radius**2)).astype(np.float32)


def found(values, size=None, threshold=0.5):
    return hills(HeatMap("tree", np.asarray(values, np.float32), threshold), size or values.shape)


def full(hill, size):
    mask = np.zeros(size, bool)
    window = hill.found.window
    mask[window.row : window.row + window.height, window.col : window.col + window.width] = hill.found.mask
    return mask


def disc(x, y, radius, size=ROWS.shape):
    rows, cols = np.indices(size) + 0.5
    return (cols - x) ** 2 + (rows - y) ** 2 <= radius**2


def iou(one, two):
    return (one & two).sum() / (one | two).sum()


def test_a_round_hill_is_a_disc_at_half_its_height():
    (hill,) = found(bump(60, 40, 12))
    assert iou(full(hill, ROWS.shape), disc(60, 40, 12)) > 0.95
    assert hill.peak == pytest.approx((60, 40), abs=0.6)
    assert hill.found.label == "tree"


def test_its_score_is_its_mean_heat():
    (hill,) = found(np.where(disc(60, 40, 12), 0.8, 0.0))
    assert hill.found.score == pytest.approx(0.8, abs=0.01)


def test_a_faint_hill_is_as_wide_as_a_strong_one_and_scores_less():
    (faint,), (strong,) = found(bump(60, 40, 12, 0.4)), found(bump(60, 40, 12, 0.99))
    assert iou(full(faint, ROWS.shape), full(strong, ROWS.shape)) > 0.9
    assert FLOOR < faint.found.score < 0.5 < strong.found.score


def test_what_is_fainter_than_the_floor_is_nothing():
    assert not found(bump(60, 40, 12, 0.15))
    assert not found(np.zeros((96, 128)))
    assert all(hill.found.score >= FLOOR for hill in found(bump(30, 40, 9, 0.21) + bump(90, 40, 9, 0.3)))


def test_touching_objects_are_parted_between_them():
    # two hills of radius 10 whose middles are 24 apart meet at a third of their height
    first, second = found(bump(40, 48, 10) + bump(64, 48, 10))
    masks = [full(hill, ROWS.shape) for hill in (first, second)]
    assert not (masks[0] & masks[1]).any()
    middles = sorted(np.nonzero(mask)[1].mean() for mask in masks)
    assert middles[0] < 52 < middles[1]


def test_discs_that_touch_and_are_equally_hot_are_parted_only_where_they_narrow():
    together = found(np.where(disc(40, 48, 14) | disc(52, 48, 14), 0.9, 0.0))
    assert len(together) == 1


def test_noise_makes_no_second_object():
    noise = np.random.default_rng(4).normal(0, 0.05, ROWS.shape)
    assert len([hill for hill in found(np.clip(bump(60, 40, 15) + noise, 0, 1)) if hill.found.score > 0.3]) == 1


def test_a_saturated_area_of_any_shape_is_one_object():
    ring = (disc(60, 48, 40) & ~disc(60, 48, 25)).astype(np.float32)
    (hill,) = found(ring)
    assert iou(full(hill, ROWS.shape), ring > 0) > 0.95


def test_a_single_hot_cell_is_a_speck():
    values = np.zeros((96, 128), np.float32)
    values[30, 30] = 1.0
    assert not found(values)


@pytest.mark.parametrize("size", [(192, 256), (96, 128), (300, 400), (48, 64)])
def test_outlines_lie_where_the_cells_lie_on_the_image(size):
    (hill,) = found(bump(60, 40, 12), size)
    step = size[0] / 96
    assert iou(full(hill, size), disc(60 * step, 40 * step, 12 * step, size)) > 0.93
    assert hill.peak == pytest.approx((60 * step, 40 * step), abs=0.6 * step)


def test_cells_may_be_oblong():
    (hill,) = found(bump(60, 40, 12), (96, 512))
    mask = full(hill, (96, 512))
    assert np.nonzero(mask)[1].mean() == pytest.approx(240, abs=2)
    assert np.ptp(np.nonzero(mask)[1]) == pytest.approx(95, abs=4)


def test_what_is_found_at_a_place_does_not_depend_on_the_window():
    noise = np.random.default_rng(5).normal(0, 0.02, ROWS.shape)
    values = np.clip(bump(40, 48, 9) + bump(62, 50, 8) + bump(100, 20, 7, 0.6) + noise, 0, 1).astype(np.float32)
    whole = [full(hill, ROWS.shape) for hill in found(values) if hill.found.score > 0.3]
    cut = [full(hill, (80, 80)) for hill in found(values[10:90, 10:90]) if hill.found.score > 0.3]
    inside = [mask[10:90, 10:90] for mask in whole if mask[12:88, 12:88].sum() == mask.sum()]
    assert len(inside) == 2
    for mask in inside:
        assert max(iou(mask, other) for other in cut) > 0.99


def test_hundreds_of_objects_take_seconds_at_most():
    import time

    values = np.zeros((352, 352), np.float32)
    rows, cols = np.indices(values.shape)
    for x in range(8, 352, 16):
        for y in range(8, 352, 16):
            values += 0.5 ** (((cols - x) ** 2 + (rows - y) ** 2) / 16)
    started = time.process_time()
    hundreds = found(values.clip(0, 1), (1024, 1024))
    assert len(hundreds) == 22 * 22
    assert time.process_time() - started < 10
