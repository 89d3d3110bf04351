from __future__ import annotations

import math

import numpy as np
import pytest
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.terrain import candidates
from prompt_segmenter.core.terrain.candidates import find_candidates, radial_flow, scales
from prompt_segmenter.core.terrain.dem_levels import DemLevels, DemTile
from prompt_segmenter.test.helpers.dems import cone, distances, fractal, source, square, utm_grid

SIZE = 65


def flow_in_the_middle(elevation, radius=600.0):
    tile = DemTile(np.asarray(elevation, np.float32), utm_grid(SIZE))
    flow, seen = radial_flow(tile, radius)
    return float(flow[SIZE // 2, SIZE // 2]), float(seen[SIZE // 2, SIZE // 2])


def test_the_flow_is_one_on_a_cone_and_minus_one_in_a_funnel():
    away, _ = distances(utm_grid(SIZE), (SIZE / 2, SIZE / 2), square())

    assert flow_in_the_middle(cone(away, 500.0, 2000.0))[0] == pytest.approx(1.0, abs=0.01)
    assert flow_in_the_middle(-cone(away, 500.0, 2000.0))[0] == pytest.approx(-1.0, abs=0.01)


def test_a_straight_ridge_has_a_flow_of_two_over_pi():
    rows = np.abs(np.arange(SIZE) - SIZE // 2)[:, None] * np.ones(SIZE)

    assert flow_in_the_middle(-15.0 * rows)[0] == pytest.approx(2.0 / math.pi, abs=0.02)


def test_a_slope_and_flat_ground_have_no_flow():
    slope = 10.0 * np.arange(SIZE)[:, None] * np.ones(SIZE)

    assert flow_in_the_middle(slope)[0] == pytest.approx(0.0, abs=1e-6)
    assert flow_in_the_middle(np.zeros((SIZE, SIZE)))[0] == pytest.approx(0.0, abs=1e-6)


def test_what_is_unknown_does_not_count_against_a_cone():
    away, angle = distances(utm_grid(SIZE), (SIZE / 2, SIZE / 2), square())
    elevation = cone(away, 500.0, 2000.0)
    elevation[(np.abs(angle) < math.pi / 8) & (away > 100.0)] = np.nan

    flow, seen = flow_in_the_middle(elevation)

    assert flow == pytest.approx(1.0, abs=0.02)
    assert seen == pytest.approx(0.875, abs=0.05)


def test_tiles_do_not_change_what_is_found(monkeypatch):
    elevation = fractal(160, 20.0, seed=3)
    for middle in ((30, 40), (110, 36), (37, 120), (111, 111)):
        elevation += cone(distances(utm_grid(160), middle, square())[0], 200.0, 600.0)
    radii = scales(600.0, 2400.0)
    levels = DemLevels(source(elevation, utm_grid(160)), 30.0)
    whole = find_candidates(levels, radii, NullProgress())
    monkeypatch.setattr(candidates, "TILE", 37)

    tiled = find_candidates(levels, radii, NullProgress())

    assert len(whole) > 3
    assert [each.pixel for each in tiled] == [each.pixel for each in whole]
    assert [each.flow for each in tiled] == pytest.approx([each.flow for each in whole], abs=1e-3)


def test_scales_cover_the_widths_that_are_asked_for():
    radii = scales(600.0, 5000.0)

    assert radii[0] == 300.0
    assert radii[-1] >= 2500.0
    assert all(b / a == pytest.approx(math.sqrt(2.0)) for a, b in zip(radii, radii[1:]))
