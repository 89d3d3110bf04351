from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from prompt_segmenter.core.outlines.polygonize import pixel_rings
from prompt_segmenter.core.outlines.rings import (
    from_farthest,
    map_rings,
    polygon_of,
    rings_of,
    rounded,
    straightened,
    without_stairs,
)
from shapely.geometry import LineString, Point, Polygon, box

SQUARE = np.array([(0, 0), (8, 0), (8, 8), (0, 8), (0, 0)], dtype=float)


def shell_of(mask: np.ndarray) -> np.ndarray:
    return pixel_rings(mask)[0][0]


def half_plane(slope: float, size: int = 90) -> np.ndarray:
    """Return what lies below a line of this slope through the middle."""
    y, x = np.mgrid[:size, :size] + 0.5 - size / 2
    return y > slope * x


def test_steps_of_a_slanting_line_are_replaced_by_their_middles():
    stairs = np.array([(0, 0), (3, 0), (3, 1), (6, 1), (6, 2), (9, 2), (9, 6), (0, 6), (0, 0)], dtype=float)
    assert without_stairs(stairs).tolist() == [[0, 0], [3, 0.5], [6, 1.5], [9, 2], [9, 6], [0, 6], [0, 0]]


@pytest.mark.parametrize("turns", range(4))
def test_stairs_are_taken_out_whichever_way_they_run(turns):
    stairs = np.array([(0, 0), (3, 0), (3, 1), (6, 1), (6, 2), (9, 2), (9, 6), (0, 6), (0, 0)], dtype=float)
    quarter = np.linalg.matrix_power(np.array([[0, -1], [1, 0]]), turns)
    turned = without_stairs(stairs @ quarter.T)
    assert turned.tolist() == (without_stairs(stairs) @ quarter.T).tolist()
    assert without_stairs(stairs[::-1])[::-1].tolist() == without_stairs(stairs).tolist()


def test_an_exact_diagonal_becomes_one_straight_line():
    ring = without_stairs(shell_of(half_plane(1.0)))
    inner = ring[((ring > 1.0) & (ring < 89.0)).all(axis=1)]
    assert len(inner) > 80
    assert set(np.diff(inner - inner[:, ::-1], axis=0).ravel().tolist()) == {0.0}


@pytest.mark.parametrize("slope", [0.05, 0.13, 0.31, 0.5, 0.77, 0.93, -0.4, 1.7, -3.2])
def test_the_points_that_stay_lie_on_the_line_that_was_drawn(slope):
    ring = without_stairs(shell_of(half_plane(slope))) - 45.0
    inner = ring[(np.abs(ring) < 43.0).all(axis=1)]
    away = np.abs(inner[:, 1] - slope * inner[:, 0]) / math.hypot(1.0, slope)
    assert len(inner) >= 3
    assert away.max() < 0.5


def test_an_upright_corner_stays_where_it_is():
    assert without_stairs(SQUARE).tolist() == SQUARE.tolist()


def test_a_single_pixel_stays_a_square():
    pixel = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)], dtype=float)
    assert without_stairs(pixel).tolist() == pixel.tolist()


def test_a_pointed_top_keeps_its_tip_and_a_flat_top_its_width():
    tip = np.array(
        [(0, 3), (0, 2), (1, 2), (1, 1), (2, 1), (2, 0), (3, 0), (3, 1), (4, 1), (4, 2), (5, 2), (5, 3), (0, 3)]
    )
    assert [2.5, 0.0] in without_stairs(tip.astype(float)).tolist()
    flat = np.array([(0, 2), (0, 1), (1, 1), (1, 0), (9, 0), (9, 1), (10, 1), (10, 2), (0, 2)], dtype=float)
    kept = without_stairs(flat).tolist()
    assert [3.0, 0.0] in kept
    assert [7.0, 0.0] in kept


def test_a_ring_off_the_pixels_keeps_its_points():
    ring = np.array([(0.3, 0), (3, 0), (3, 1), (0.3, 0)], dtype=float)
    assert without_stairs(ring) is ring


def test_a_slanting_ring_on_whole_pixels_keeps_its_points():
    ring = np.array([(0, 0), (3, 0), (6, 0), (6, 4), (0, 0)], dtype=float)
    assert without_stairs(ring) is ring


@settings(max_examples=200, deadline=None)
@given(st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(lambda size: arrays(np.bool_, size)))
def test_taking_stairs_out_never_moves_the_outline_by_more_than_half_a_pixel(mask):
    for shell, holes in pixel_rings(mask):
        for ring in [shell, *holes]:
            slanting = without_stairs(ring)
            assert slanting[0].tolist() == slanting[-1].tolist()
            assert len(slanting) >= 4
            before, after = LineString(ring), LineString(slanting)
            assert max(after.distance(Point(corner)) for corner in ring) <= 0.5
            assert max(before.distance(Point(corner)) for corner in slanting) == 0.0


def test_straightening_drops_what_lies_between():
    ring = np.array([(0, 0), (4, 0.1), (8, 0), (8, 8), (4, 8), (0, 8), (0, 0)], dtype=float)
    assert straightened(ring, 0.2).tolist() == SQUARE.tolist()
    assert straightened(ring, 0.05).tolist() == [[0, 0], [4, 0.1], [8, 0], [8, 8], [0, 8], [0, 0]]


def test_straightening_that_would_leave_no_area_leaves_the_ring():
    assert straightened(SQUARE, 100.0) is SQUARE


def test_a_ring_is_begun_at_its_farthest_point():
    ring = np.array([(0, 0), (1, 0), (9, 9), (0, 1), (0, 0)], dtype=float)
    assert from_farthest(ring).tolist() == [[9, 9], [0, 1], [0, 0], [1, 0], [9, 9]]


def test_rounding_cuts_a_quarter_of_short_sides_and_no_more_than_told_of_long_ones():
    assert rounded(SQUARE, 1, longest_cut=9.0).tolist()[:3] == [[2, 0], [6, 0], [8, 2]]
    assert rounded(SQUARE, 1, longest_cut=0.5).tolist()[:3] == [[0.5, 0], [7.5, 0], [8, 0.5]]
    assert rounded(SQUARE, 0, longest_cut=1.0).tolist() == SQUARE.tolist()


@pytest.mark.parametrize("iterations", [1, 2, 3, 4])
def test_rounding_doubles_the_points_and_stays_inside_a_convex_ring(iterations):
    smooth = rounded(SQUARE, iterations, longest_cut=2.0)
    assert len(smooth) == 4 * 2**iterations + 1
    assert Polygon(SQUARE).covers(Polygon(smooth))
    assert Polygon(smooth).is_valid


def test_rounding_with_the_cut_halved_each_time_nears_a_curve():
    areas = [Polygon(rounded(SQUARE, times, longest_cut=2.0)).area for times in range(6)]
    losses = -np.diff(areas)
    assert (losses > 0).all()
    assert (losses[1:] < losses[:-1]).all()


def test_rings_go_to_arrays_and_back():
    ring = Polygon(box(0, 0, 9, 9).exterior, [box(2, 2, 4, 4).exterior.coords])
    assert polygon_of(rings_of(ring)).equals(ring)
    doubled = map_rings(ring, lambda corners: corners * 2.0)
    assert doubled.bounds == (0.0, 0.0, 18.0, 18.0)
    assert doubled.area == 4.0 * ring.area
