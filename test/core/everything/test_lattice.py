from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core.everything.lattice import OpenPoints, grid_points, lattice


def on_raster(origin, size, step=16):
    points, levels = lattice(origin, size, step)
    return {tuple(point + origin): level for point, level in zip(points, levels)}


def test_the_points_of_a_window_are_those_of_the_raster_wherever_it_begins():
    whole = on_raster((0, 0), (400, 300))
    for origin, size in (((0, 0), (128, 128)), ((37, 51), (200, 150)), ((100, 1), (300, 299))):
        part = on_raster(origin, size)
        assert part.items() <= whole.items()
        inside = [
            point for point in whole if all(start <= at < start + side for start, side, at in zip(origin, size, point))
        ]
        assert len(inside) == len(part)


def test_a_window_of_8_by_8_steps_has_4_coarse_points_12_between_them_and_the_rest():
    points, levels = lattice((0, 0), (128, 128), 16)
    assert np.bincount(levels).tolist() == [4, 16, 44]
    assert points[levels == 0].tolist() == [[40, 40], [104, 40], [40, 104], [104, 104]]


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 5)])
def test_a_picture_narrower_than_a_step_still_has_points_on_it(size):
    points, _ = lattice((100, 0), size, 16)
    assert len(points)
    assert ((points >= 0) & (points < size)).all()


def test_a_grid_has_a_point_in_the_middle_of_each_cell():
    assert grid_points((4, 2), 2).tolist() == [[1.0, 0.5], [3.0, 0.5], [1.0, 1.5], [3.0, 1.5]]


def open_points(points, barred=(), spare=(), patience=2.0):
    masks = (np.isin(np.arange(len(points)), which) for which in (barred, spare))
    return OpenPoints(np.asarray(points, float), *masks, patience)


def test_what_is_covered_while_asking_is_not_asked():
    left = open_points(np.arange(8).reshape(4, 2), barred=[1])
    asked = []
    for _, index in left.ask():
        asked.append(index)
        left.cover(np.arange(4) == index + 2)
    assert asked == [0, 3]


def test_doubt_adds_up_until_patience_is_at_its_end():
    left = open_points(np.zeros((5, 2)))
    asked = []
    for _, index in left.ask():
        asked.append(index)
        left.doubt(np.array([0, 0.5, 0.9, 0.9, 1.1]))
    assert asked == [0, 1, 2]


def test_a_preferred_point_is_asked_next_and_once_even_if_it_is_spare_or_in_doubt():
    left = open_points([(10 * place, 0) for place in range(5)], spare=[3, 4])
    left.doubt(np.array([0, 0, 9, 9, 9.0]))
    asked = []
    for behind, index in left.ask():
        asked.append((behind, index))
        if index == 0:
            left.prefer(np.array([31.0, 2.0]))
            left.prefer(np.array([19.0, 0.0]))
            left.prefer(np.array([1.0, 0.0]))
    assert asked == [(0, 0), (1, 2), (1, 3), (1, 1)]


def test_a_preferred_point_in_a_found_object_is_asked_only_on_purpose_and_one_without_data_never():
    points = [(0, 0), (10, 0), (20, 0)]
    for on_purpose, expected in ((False, [0]), (True, [0, 1])):
        left = open_points(points, barred=[2])
        left.cover(np.array([False, True, True]))
        asked = []
        for _, index in left.ask():
            asked.append(index)
            for place in ((9.0, 0.0), (20.0, 0.0)):
                left.prefer(np.array(place), covered_too=on_purpose)
        assert asked == expected


def test_what_the_last_point_prefers_is_asked_too():
    left = open_points([(0, 0), (10, 0)], spare=[0])
    asked = []
    for _, index in left.ask():
        asked.append(index)
        left.prefer(np.array([0.0, 0.0]))
    assert asked == [1, 0]
