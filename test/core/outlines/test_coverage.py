from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prompt_segmenter.core import native
from prompt_segmenter.core.errors import Cancelled
from prompt_segmenter.core.outlines.coverage import cover
from prompt_segmenter.core.outlines.shape import OutlineSettings
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.raster.grid import PixelGrid

QUIET = NullProgress()
GRIDS = {
    "pixels": ((1.0, 0.0, 0.0, 0.0, 1.0, 0.0), None),
    "UTM": ((2.0, 0.0, 500000.0, 0.0, -2.0, 4600000.0), "EPSG:32633"),
    "turned": ((1.5, 0.5, 500000.0, 0.7, -1.2, 4600000.0), "EPSG:32633"),
    "degrees": ((1e-5, 0.0, 15.0, 0.0, -2e-5, 41.5), "EPSG:4326"),
}


def rimmed(labels):
    full = np.full((labels.shape[0] + 2, labels.shape[1] + 2), -1, np.int32)
    full[1:-1, 1:-1] = labels
    return full


def covered(labels, name="UTM", **choices):
    transform, crs = GRIDS[name]
    grid = PixelGrid(transform, crs, labels.shape[1], labels.shape[0])
    return cover(rimmed(labels), grid, OutlineSettings(**choices), QUIET), grid


def blobs(draw):
    height, width = draw(st.integers(2, 30)), draw(st.integers(2, 30))
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    labels = rng.integers(1, 4, (height, width)) if draw(st.booleans()) else np.ones((height, width), int)
    rows, cols = np.indices(labels.shape)
    for number in range(draw(st.integers(0, 5))):
        row, col, size = rng.integers(height), rng.integers(width), rng.integers(2, 150)
        labels[(rows - row) ** 2 + (cols - col) ** 2 < size] = draw(st.sampled_from([-1, number + 2]))
    return labels


@given(
    st.composite(blobs)(), st.sampled_from(list(GRIDS)), st.sampled_from([0.0, 1.0, 2.0, 5.0]), st.sampled_from([0, 2])
)  # fmt: skip
@settings(deadline=None, max_examples=150)
def test_polygons_are_valid_and_leave_no_gap_and_no_overlap(labels, name, simplify_px, smooth):
    found, grid = covered(labels, name, simplify_px=simplify_px, smooth=smooth)
    polygons = [polygon for parts in found.values() for polygon in parts]
    assert all(polygon.is_valid and polygon.exterior.is_ccw for polygon in polygons)
    a, b, _, d, e, _ = grid.transform
    frame = (grid.width + 2) * (grid.height + 2) * abs(a * e - b * d)
    total = sum(polygon.area for polygon in polygons)
    assert total == pytest.approx(frame, rel=1e-9)
    assert native.shapely().ops.unary_union(polygons).area == pytest.approx(frame, rel=1e-6)
    assert set(found) == {-1, *np.unique(labels).tolist()}


def test_without_simplifying_areas_are_those_of_the_pixels():
    labels = np.random.default_rng(4).integers(1, 5, (25, 31))
    found, _ = covered(labels, simplify_px=0.0)
    for label in range(1, 5):
        area = sum(polygon.area for polygon in found[label])
        assert area == pytest.approx(4.0 * (labels == label).sum(), rel=1e-9)


def corners(polygon):
    return {point for ring in (polygon.exterior, *polygon.interiors) for point in ring.coords}


def test_a_shared_border_has_the_same_points_on_both_sides():
    rows, cols = np.indices((60, 60))
    labels = np.where(cols < 30 + 8 * np.sin(rows / 9), 1, 2)
    found, _ = covered(labels, simplify_px=1.5)
    one, other = found[1][0], found[2][0]
    border = one.boundary.intersection(other.boundary)
    assert border.length == pytest.approx(one.intersection(other).length)
    on_border = {point for point in corners(one) if border.distance(native.shapely().geometry.Point(point)) == 0.0}
    assert on_border <= corners(other)
    assert 3 < len(on_border) < 40


def test_where_three_meet_they_meet_in_one_point():
    labels = np.full((40, 40), 1)
    labels[20:, :20], labels[20:, 20:] = 2, 3
    rows, cols = np.indices(labels.shape)
    labels[(rows - 20) ** 2 + (cols - 20) ** 2 < 90] = 4
    found, _ = covered(labels, simplify_px=2.0)
    for one, other in combinations((1, 2, 3), 2):
        assert corners(found[one][0]) & corners(found[other][0])
    assert len(corners(found[1][0]) & corners(found[2][0]) & corners(found[4][0])) == 1


def test_an_island_is_the_hole_of_what_is_around_it():
    labels = np.ones((40, 40), int)
    rows, cols = np.indices(labels.shape)
    labels[(rows - 20) ** 2 + (cols - 20) ** 2 < 100] = 2
    labels[(rows - 20) ** 2 + (cols - 20) ** 2 < 16] = 3
    found, _ = covered(labels)
    lake, island, rock = found[1][0], found[2][0], found[3][0]
    assert len(lake.interiors) == len(island.interiors) == 1 and not rock.interiors
    assert set(lake.interiors[0].coords) == set(island.exterior.coords)
    assert set(island.interiors[0].coords) == set(rock.exterior.coords)


def test_stairs_become_a_slanting_line_and_the_frame_stays():
    rows, cols = np.indices((60, 60))
    found, grid = covered(np.where(cols > rows, 1, 2), simplify_px=1.0)
    assert len(found[1][0].exterior.coords) <= 7
    left, bottom, right, top = grid.bounds
    together = native.shapely().ops.unary_union([found[1][0], found[2][0]])
    assert together.equals(native.shapely().geometry.box(left, bottom, right, top))


def test_parts_of_a_label_that_touch_at_a_corner_are_two_polygons():
    labels = np.full((8, 8), 2)
    labels[1:4, 1:4] = labels[4:7, 4:7] = 1
    found, _ = covered(labels)
    assert len(found[1]) == 2
    assert not found[1][0].intersection(found[1][1]).area


def test_a_thin_label_is_not_simplified_away():
    labels = np.ones((40, 40), int)
    np.fill_diagonal(labels, 2)
    found, _ = covered(labels, simplify_px=4.0)
    assert sum(part.area for part in found[2]) == pytest.approx(4.0 * 40, rel=0.06)


def test_it_stops_when_asked_to():
    class Stop(NullProgress):
        def is_cancelled(self):
            return True

    with pytest.raises(Cancelled):
        cover(rimmed(np.ones((4, 4), int)), PixelGrid.pixel_space(4, 4), OutlineSettings(), Stop())
