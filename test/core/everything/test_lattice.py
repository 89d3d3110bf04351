from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core.everything.lattice import OpenPoints, grid_points, lattice, tiles
from prompt_segmenter.core.raster.grid import Window


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


@pytest.mark.parametrize("origin", [(0, 0), (37, 470), (512, 511)])
def test_tiles_are_cut_at_the_lattice_of_the_raster_and_cover_what_is_asked_about(origin):
    home = Window(20, 10, 700, 80)
    parts = tiles(origin, home, 512)
    count = np.zeros((100, 760), int)
    for part in parts:
        count[part.slices] += 1
        first = [(start + at) // 512 for start, at in zip(origin, (part.col, part.row))]
        last = [
            (start + at + side - 1) // 512
            for start, at, side in zip(origin, (part.col, part.row), (part.width, part.height))
        ]
        assert first == last
    expected = np.zeros_like(count)
    expected[home.slices] = 1
    assert (count == expected).all()


def open_points(points, hope=None, barred=(), least=0.0):
    points = np.asarray(points, float)
    hope = np.full(len(points), 2.0) if hope is None else np.asarray(hope, float)
    return OpenPoints(points, hope, np.isin(np.arange(len(points)), barred), least)


def test_the_most_hopeful_point_is_asked_first_and_those_of_too_little_hope_are_not():
    left = open_points(np.zeros((5, 2)), [0.5, 3.0, -0.1, 1.0, 3.0])
    assert [index for _, index in left.ask()] == [1, 4, 3, 0]


def test_the_share_that_is_done_with_goes_from_nothing_up():
    left, shares = open_points(np.zeros((4, 2))), []
    for share, index in left.ask():
        shares.append(share)
        if index == 0:
            left.cover(np.array([False, True, False, False]))
    assert shares == [0.0, 0.5, 0.75]


def test_what_is_covered_while_asking_is_not_asked():
    left = open_points(np.arange(8).reshape(4, 2), barred=[1])
    asked = []
    for _, index in left.ask():
        asked.append(index)
        left.cover(np.arange(4) == index + 2)
    assert asked == [0, 3]


def test_doubt_adds_up_until_there_is_too_little_hope():
    left = open_points(np.zeros((5, 2)), [2.0, 1.9, 1.8, 1.7, 1.6])
    asked = []
    for _, index in left.ask():
        asked.append(index)
        left.doubt(np.array([0, 0.5, 0.8, 0.9, 1.7]))
    assert asked == [0, 1, 2]


def test_a_preferred_point_is_asked_next_and_once_even_if_there_is_no_hope_for_it():
    left = open_points([(10 * place, 0) for place in range(5)], [2, 2, -7, -np.inf, -np.inf])
    asked = []
    for _, index in left.ask():
        asked.append(index)
        if index == 0:
            left.prefer(np.array([31.0, 2.0]))
            left.prefer(np.array([19.0, 0.0]))
            left.prefer(np.array([1.0, 0.0]))
    assert asked == [0, 2, 3, 1]


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
    left = open_points([(0, 0), (10, 0)], [-np.inf, 1.0])
    asked = []
    for _, index in left.ask():
        asked.append(index)
        left.prefer(np.array([0.0, 0.0]))
    assert asked == [1, 0]


def test_what_is_hardly_wider_than_a_line_is_no_tile_of_its_own():
    home = Window(0, 0, 512, 40)
    assert tiles((500, 0), home, 512) == [home]  # 12 and 500 pixels
    assert tiles((1000, 0), home, 512) == [home]  # 24 and 488
    assert tiles((992, 500), home, 512) == [Window(0, 0, 32, 40), Window(32, 0, 480, 40)]
