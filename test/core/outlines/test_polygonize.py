from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from prompt_segmenter.core.outlines.masks import find_parts
from prompt_segmenter.core.outlines.polygonize import pixel_rings, polygonize
from prompt_segmenter.core.raster.grid import PixelGrid
from shapely.geometry import box
from shapely.ops import unary_union

COS, SIN = math.cos(math.radians(30)), math.sin(math.radians(30))
GRIDS = {
    "pixel space": ((1.0, 0.0, 0.0, 0.0, 1.0, 0.0), None),
    "north up": ((0.5, 0.0, 500000.0, 0.0, -0.5, 4600000.0), "EPSG:32633"),
    "south up": ((0.5, 0.0, 500000.0, 0.0, 0.5, 4600000.0), "EPSG:32633"),
    "mirrored": ((-0.5, 0.0, 500000.0, 0.0, -0.5, 4600000.0), "EPSG:32633"),
    "oblong": ((30.0, 0.0, 500000.0, 0.0, -10.0, 4600000.0), "EPSG:3857"),
    "rotated": ((2 * COS, 2 * SIN, 500000.0, 2 * SIN, -2 * COS, 4600000.0), "EPSG:32633"),
    "sheared": ((0.3, 0.1, 500000.0, 0.05, -0.2, 4600000.0), "EPSG:32633"),
    "degrees": ((4.5e-6, 0.0, 12.5, 0.0, -4.5e-6, 46.1), "EPSG:4326"),
}


def grid_like(name: str, mask: np.ndarray) -> PixelGrid:
    transform, crs = GRIDS[name]
    return PixelGrid(transform, crs, mask.shape[1], mask.shape[0])


def mask_of(text: str) -> np.ndarray:
    return np.array([[char == "#" for char in line] for line in text.split()])


def pixels_of(mask: np.ndarray):
    rows, cols = np.nonzero(mask)
    return unary_union([box(col, row, col + 1, row + 1) for row, col in zip(rows.tolist(), cols.tolist())])


def farthest_from_whole_px(ring: np.ndarray) -> float:
    return float(np.abs(ring - np.round(ring)).max())


def corners_of(ring: np.ndarray) -> set[tuple[int, int]]:
    assert ring[0].tolist() == ring[-1].tolist()
    corners = [tuple(corner) for corner in np.round(ring[:-1]).astype(int).tolist()]
    assert len(set(corners)) == len(corners)
    return set(corners)


def test_one_pixel_is_the_square_between_its_corners():
    mask = np.zeros((3, 4), dtype=bool)
    mask[1, 2] = True
    (polygon,) = polygonize(mask, grid_like("north up", mask))
    assert polygon.equals(box(500001.0, 4599999.0, 500001.5, 4599999.5))
    assert len(polygon.exterior.coords) == 5


def test_only_true_corners_become_vertices():
    mask = np.ones((40, 60), dtype=bool)
    (polygon,) = polygonize(mask, grid_like("pixel space", mask))
    assert len(polygon.exterior.coords) == 5
    assert polygon.area == 2400.0


@pytest.mark.parametrize("name", GRIDS)
def test_a_known_mask_comes_back_within_a_millionth_of_a_pixel(name):
    mask = mask_of(".##... .####. .#..#. .####. ......")
    grid = grid_like(name, mask)
    (polygon,) = polygonize(mask, grid)
    shell = grid.to_pixel(polygon.exterior.coords)
    (hole,) = (grid.to_pixel(ring.coords) for ring in polygon.interiors)
    assert farthest_from_whole_px(shell) < 1e-6
    assert corners_of(shell) == {(1, 0), (3, 0), (3, 1), (5, 1), (5, 4), (1, 4)}
    assert farthest_from_whole_px(hole) < 1e-6
    assert corners_of(hole) == {(2, 2), (4, 2), (4, 3), (2, 3)}


@pytest.mark.parametrize("name", GRIDS)
def test_shells_run_counter_clockwise_and_holes_clockwise_on_every_grid(name):
    mask = mask_of("###. #.#. ###. ...#")
    ring, corner = polygonize(mask, grid_like(name, mask))
    assert ring.exterior.is_ccw
    assert corner.exterior.is_ccw
    assert [hole.is_ccw for hole in ring.interiors] == [False]


def test_parts_come_with_the_largest_first():
    mask = mask_of("#.## ..## ##..")
    assert [polygon.area for polygon in polygonize(mask, grid_like("pixel space", mask))] == [4.0, 2.0, 1.0]


def test_an_empty_mask_gives_no_polygon():
    mask = np.zeros((3, 3), dtype=bool)
    assert polygonize(mask, grid_like("pixel space", mask)) == []


def test_pixels_that_share_only_a_corner_become_two_polygons():
    mask = mask_of("#. .#")
    first, second = polygonize(mask, grid_like("pixel space", mask))
    assert first.intersection(second).wkt == "POINT (1 1)"


def test_a_shell_that_meets_itself_in_a_corner_becomes_a_valid_polygon_with_a_hole():
    mask = mask_of("### #.# ##.")
    (polygon,) = polygonize(mask, grid_like("pixel space", mask))
    assert polygon.is_valid
    assert polygon.area == 7.0
    assert [hole.bounds for hole in polygon.interiors] == [(1.0, 1.0, 2.0, 2.0)]


def test_a_hole_that_meets_itself_in_a_corner_becomes_two_holes():
    mask = mask_of("#### #.## ##.# ####")
    (polygon,) = polygonize(mask, grid_like("pixel space", mask))
    assert polygon.is_valid
    assert len(polygon.interiors) == 2
    assert polygon.area == 14.0


def test_an_island_in_a_hole_is_a_part_of_its_own():
    mask = mask_of("##### #...# #.#.# #...# #####")
    outer, island = polygonize(mask, grid_like("pixel space", mask))
    assert len(outer.interiors) == 1
    assert island.bounds == (2.0, 2.0, 3.0, 3.0)


def test_every_mask_of_3_by_3_pixels_comes_back_as_valid_polygons_of_the_same_ground():
    for bits in itertools.product((False, True), repeat=9):
        mask = np.array(bits).reshape(3, 3)
        polygons = polygonize(mask, grid_like("pixel space", mask))
        assert all(polygon.is_valid for polygon in polygons)
        assert len(polygons) == find_parts(mask).count
        assert sum(polygon.area for polygon in polygons) == mask.sum()
        assert unary_union(polygons).symmetric_difference(pixels_of(mask)).area == 0.0


@settings(max_examples=100, deadline=None)
@given(st.tuples(st.integers(1, 14), st.integers(1, 14)).flatmap(lambda size: arrays(np.bool_, size)))
def test_any_mask_comes_back_as_the_same_pixels(mask):
    polygons = polygonize(mask, grid_like("pixel space", mask))
    assert all(polygon.is_valid and polygon.exterior.is_ccw for polygon in polygons)
    assert sum(polygon.area for polygon in polygons) == mask.sum()
    assert unary_union(polygons).symmetric_difference(pixels_of(mask)).area == 0.0


@settings(max_examples=50, deadline=None)
@given(
    arrays(np.bool_, (7, 9)),
    st.tuples(*[st.floats(-50.0, 50.0)] * 4).filter(lambda m: abs(m[0] * m[3] - m[1] * m[2]) > 1.0),
)
def test_the_area_on_any_grid_is_that_of_its_pixels(mask, matrix):
    a, b, d, e = matrix
    polygons = polygonize(mask, PixelGrid((a, b, 1000.0, d, e, -2000.0), None, 9, 7))
    expected = mask.sum() * abs(a * e - b * d)
    assert sum(polygon.area for polygon in polygons) == pytest.approx(expected, rel=1e-9)
    assert all(polygon.exterior.is_ccw for polygon in polygons)


def test_a_mask_of_another_size_than_its_grid_is_refused():
    with pytest.raises(ValueError, match=r"expected a mask \(3, 4\), got \(4, 3\)"):
        polygonize(np.ones((4, 3), dtype=bool), PixelGrid.pixel_space(4, 3))


def test_pixel_rings_run_clockwise_on_the_screen():
    ((shell, holes),) = pixel_rings(np.ones((1, 2), dtype=bool))
    assert holes == []
    assert shell.tolist() in (
        [[0, 1], [0, 0], [2, 0], [2, 1], [0, 1]],
        [[2, 0], [2, 1], [0, 1], [0, 0], [2, 0]],
    )
