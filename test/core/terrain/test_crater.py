from __future__ import annotations

import math

import numpy as np
import pytest
from prompt_segmenter.core.terrain.crater import deepest_hollow, find_crater
from prompt_segmenter.core.terrain.dem_levels import DemTile
from prompt_segmenter.core.terrain.polar import PolarDem
from prompt_segmenter.test.helpers.dems import cone, cratered_cone, distances, square, utm_grid

RAYS, SAMPLES, REACH = 96, 48, 750.0
HEIGHT, BASE, RIM, DEPTH = 200.0, 1000.0, 300.0, 60.0


def crater_of(surface):
    azimuth = np.arange(RAYS) * (2.0 * np.pi / RAYS)
    radius = REACH * np.arange(1, SAMPLES + 1) / SAMPLES
    elevation = surface(radius[None, :], azimuth[:, None]) + 0.0 * azimuth[:, None]
    polar = PolarDem(elevation, azimuth, radius)
    return find_crater(polar, (0.0, 0.0), base_radius_m=BASE, height_m=HEIGHT, cell_m=10.0)


def test_the_rim_and_the_depth_of_a_crater():
    crater = crater_of(lambda r, _: cratered_cone(r, HEIGHT, BASE, RIM, DEPTH))

    assert crater.width_m == pytest.approx(2 * RIM, rel=0.08)
    assert crater.depth_m == pytest.approx(DEPTH, rel=0.1)
    assert not crater.breached


def test_a_breach_is_a_crater_all_the_same():
    def surface(r, a):
        open_side = np.abs(a - math.pi) < math.radians(30.0)
        return np.where(open_side, HEIGHT - DEPTH - 0.1 * r, cratered_cone(r, HEIGHT, BASE, RIM, DEPTH))

    crater = crater_of(surface)

    assert crater.breached
    assert crater.width_m == pytest.approx(2 * RIM, rel=0.25)


def test_a_cone_and_a_slope_have_none():
    assert crater_of(lambda r, _: cone(r, HEIGHT, BASE)) is None
    assert crater_of(lambda r, a: 0.3 * r * np.cos(a)) is None


def test_a_shallow_dent_is_none():
    assert crater_of(lambda r, _: cratered_cone(r, HEIGHT, BASE, RIM, 0.02 * HEIGHT)) is None


def test_the_deepest_hollow_is_found_beside_the_centre():
    grid = utm_grid(60)
    away, _ = distances(grid, (30.0, 30.0), square())
    beside, _ = distances(grid, (35.0, 27.0), square())
    tile = DemTile((cone(away, 200.0, 900.0) - cone(beside, 80.0, 120.0)).astype(np.float32), grid)

    col, row = deepest_hollow(tile, (30.0, 30.0), np.array(square()), 450.0)

    assert (col, row) == pytest.approx((35.0, 27.0), abs=1.0)
    plain = DemTile(cone(away, 200.0, 900.0).astype(np.float32), grid)
    assert deepest_hollow(plain, (30.0, 30.0), np.array(square()), 450.0) == (30.0, 30.0)
