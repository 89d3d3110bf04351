from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.raster.grid import PixelGrid, Window
from prompt_segmenter.core.terrain import dem_levels
from prompt_segmenter.core.terrain.dem_levels import DemLevels, ground_matrix, halved, inverted
from prompt_segmenter.core.terrain.elevation import ElevationUnit
from prompt_segmenter.core.terrain.reader import ElevationSettings
from prompt_segmenter.test.helpers.dems import source, utm_grid


def read_all(levels, level):
    grid = levels.grid(level)
    return levels.read(level, Window(0, 0, grid.width, grid.height), NullProgress())


def test_each_level_has_the_means_of_the_finer_one_and_covers_its_ground():
    elevation = np.arange(64.0 * 64.0).reshape(64, 64)
    levels = DemLevels(source(elevation, utm_grid(64)), 30.0)

    second = read_all(levels, 2)

    assert second.elevation.shape == (16, 16)
    assert second.elevation[0, 0] == elevation[:4, :4].mean()
    assert second.grid.bounds == levels.grid(0).bounds
    assert levels.cell_m(2) == pytest.approx(120.0, rel=1e-3)


def test_a_mean_leaves_nodata_out():
    assert halved(np.array([[1.0, np.nan], [3.0, np.nan]], np.float32)).tolist() == [[2.0]]
    assert np.isnan(halved(np.full((2, 2), np.nan, np.float32))).all()


def test_a_dem_that_is_finer_than_needed_is_averaged_and_undeclared_nodata_is_not_mixed_in():
    elevation = np.full((64, 64), 100.0)
    elevation[0, 0] = -32768.0
    levels = DemLevels(source(elevation, utm_grid(64)), 120.0)

    tile = read_all(levels, 0)

    assert tile.elevation.shape == (16, 16)
    assert (tile.elevation == 100.0).all()
    assert any("-32768" in doubt for doubt in levels.doubts)


def test_feet_become_metres():
    settings = ElevationSettings(unit=ElevationUnit.FEET)
    levels = DemLevels(source(np.full((16, 16), 1000.0), utm_grid(16)), 30.0, settings)

    assert read_all(levels, 0).elevation[0, 0] == pytest.approx(304.8)


def test_a_window_holds_the_same_as_the_whole_even_where_nothing_is_kept(monkeypatch):
    elevation = np.random.default_rng(1).random((70, 90)) * 100.0
    grid = PixelGrid((30.0, 0.0, 5e5, 0.0, -30.0, 4.6e6), "EPSG:32633", 90, 70)
    whole = [read_all(DemLevels(source(elevation, grid), 30.0), level).elevation for level in range(3)]
    monkeypatch.setattr(dem_levels, "KEPT_CELLS", 100)
    monkeypatch.setattr(dem_levels, "STRIP_CELLS", 900)
    levels = DemLevels(source(elevation, grid), 30.0)

    for level, expected in enumerate(whole):
        window = Window(3, 5, 6, 4)
        tile = levels.read(level, window)
        assert tile.elevation.tolist() == expected[5:9, 3:9].tolist()


def test_the_metric_knows_oblong_rotated_and_degree_cells():
    oblong = PixelGrid((30.0, 0.0, 5e5, 0.0, -10.0, 4.6e6), "EPSG:32633", 10, 10)
    turned = PixelGrid((0.0, 10.0, 5e5, 10.0, 0.0, 4.6e6), "EPSG:32633", 10, 10)
    degrees = PixelGrid((0.001, 0.0, 14.0, 0.0, -0.001, 60.0), "EPSG:4326", 10, 10)

    assert ground_matrix(oblong, (5.0, 5.0)) == pytest.approx(np.array([[30.0, 0.0], [0.0, -10.0]]), rel=2e-3, abs=0.6)
    assert ground_matrix(turned, (5.0, 5.0)) == pytest.approx(np.array([[0.0, 10.0], [10.0, 0.0]]), rel=2e-3, abs=0.2)
    # a degree of longitude at 60 N: 55.80 km; of latitude: 111.41 km
    assert ground_matrix(degrees, (5.0, 5.0)) == pytest.approx(np.array([[55.80, 0.0], [0.0, -111.41]]), rel=1e-3)


def test_inverted_is_the_inverse():
    matrix = np.array([[3.0, 1.0], [2.0, -4.0]])

    assert inverted(matrix) @ matrix == pytest.approx(np.eye(2))
