from __future__ import annotations

import math

import numpy as np
import pytest
from prompt_segmenter.core.errors import Cancelled, ChipTooLargeError
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.raster.grid import PixelGrid
from prompt_segmenter.core.terrain.finders import FINDERS, FinderSettings, depressions
from prompt_segmenter.test.helpers.dems import LEFT, TOP, cone, distances, source, square, utm_grid
from shapely.geometry import Point

SIZE = 100


def find(raster, progress=None, **settings):
    return FINDERS.get("depressions").find(raster, FinderSettings(**settings), progress or NullProgress())


def hollow(middle=(50.0, 50.0), depth=20.0, radius=300.0):
    away, _ = distances(utm_grid(SIZE), middle, square())
    return -cone(away, depth, radius)


def test_a_funnel_in_a_plain_has_the_measures_that_it_has_on_paper():
    result = find(source(hollow(), utm_grid(SIZE)))

    assert len(result) == 1
    found = result.polygons[0]
    assert found.geometry.contains(Point(LEFT + 1500.0, TOP - 1500.0))
    assert found.depth_m == pytest.approx(20.0, abs=1.5)
    assert found.spill_m == pytest.approx(0.0, abs=0.01)
    assert found.width_m == pytest.approx(600.0, rel=0.05)
    assert found.volume_m3 == pytest.approx(math.pi * 300.0**2 * 20.0 / 3.0, rel=0.05)
    assert not found.partial


def test_in_degrees_the_measures_are_the_same():
    grid = PixelGrid((30 / 55800, 0.0, 15.0, 0.0, -30 / 111412, 60.0), "EPSG:4326", SIZE, SIZE)

    found = find(source(hollow(), grid)).polygons[0]

    assert found.volume_m3 == pytest.approx(math.pi * 300.0**2 * 20.0 / 3.0, rel=0.05)


def test_shallow_and_narrow_hollows_are_left_out_and_deep_ones_are_more_certain():
    ground = hollow((25.0, 25.0), depth=8.0) + hollow((70.0, 25.0), depth=20.0) + hollow((50.0, 75.0), depth=1.5)
    ground[90, 90] = -50.0

    result = find(source(ground, utm_grid(SIZE)))

    assert [each.depth_m for each in result.polygons] == pytest.approx([20.0, 8.0], abs=1.5)
    assert result.polygons[0].confidence > result.polygons[1].confidence > 0.5
    assert len(find(source(ground, utm_grid(SIZE)), least_relief_m=12.0)) == 1
    assert len(find(source(ground, utm_grid(SIZE)), largest_km=0.3)) == 0


def test_a_slope_has_none():
    slope = np.add.outer(np.arange(SIZE), np.arange(SIZE)).astype(float)

    assert len(find(source(slope, utm_grid(SIZE)))) == 0


def test_too_many_cells_are_refused_with_the_width_that_fits(monkeypatch):
    monkeypatch.setattr(depressions, "MOST_CELLS", 100)

    with pytest.raises(ChipTooLargeError, match="wider than"):
        find(source(hollow(), utm_grid(SIZE)), smallest_km=0.01)


def test_a_dem_with_too_many_cells_is_averaged_where_no_width_is_asked_for(monkeypatch):
    monkeypatch.setattr(depressions, "MOST_CELLS", 2500)

    found = find(source(hollow(), utm_grid(SIZE))).polygons[0]

    assert found.volume_m3 == pytest.approx(math.pi * 300.0**2 * 20.0 / 3.0, rel=0.1)


def test_it_stops_on_request():
    class Stopped(NullProgress):
        def is_cancelled(self):
            return True

    with pytest.raises(Cancelled):
        find(source(hollow(), utm_grid(SIZE)), Stopped())
