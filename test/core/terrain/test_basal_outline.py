from __future__ import annotations

import math

import numpy as np
import pytest
from prompt_segmenter.core.terrain.basal_outline import trace_base
from prompt_segmenter.core.terrain.dem_levels import DemTile
from prompt_segmenter.core.terrain.polar import PolarDem, bilinear, sample_polar
from prompt_segmenter.test.helpers.dems import cone, distances, square, utm_grid

RAYS, SAMPLES = 96, 48


def rays(surface, reach=2000.0):
    """Return a polar DEM of ``surface(radius, azimuth)``."""
    azimuth = np.arange(RAYS) * (2.0 * np.pi / RAYS)
    radius = reach * np.arange(1, SAMPLES + 1) / SAMPLES
    return PolarDem(surface(radius[None, :], azimuth[:, None]) + 0.0 * azimuth[:, None], azimuth, radius)


def test_the_foot_of_a_cone_is_where_it_meets_the_plain():
    outline = trace_base(rays(lambda r, _: cone(r, 300.0, 1000.0)))

    assert outline.radius_m == pytest.approx(1000.0, abs=2000.0 / SAMPLES)
    assert outline.flank_slope == pytest.approx(0.3, rel=0.02)
    assert not outline.cut.any()


def test_on_an_inclined_plain_the_base_is_inclined_as_it_is():
    def surface(r, a):
        return 50.0 + cone(r, 300.0, 1000.0) + 0.04 * r * np.cos(a) - 0.02 * r * np.sin(a)

    outline = trace_base(rays(surface))

    assert outline.base == pytest.approx((0.04, -0.02, 50.0), abs=3.0)
    assert outline.base[:2] == pytest.approx((0.04, -0.02), abs=0.008)
    assert outline.radius_m == pytest.approx(1000.0, abs=120.0)


def test_one_ray_that_runs_down_a_gorge_is_held_by_its_neighbours():
    def surface(r, a):
        gorge = np.abs(a - math.pi) < 0.05
        return np.where(gorge, 280.0 - 0.15 * r, cone(r, 300.0, 1000.0))

    outline = trace_base(rays(surface))

    assert outline.radius_m.max() < 1300.0


def test_an_exponential_flank_ends_one_decay_length_down_or_where_the_ring_plain_begins():
    decay = 600.0
    gentle = trace_base(rays(lambda r, _: 120.0 * np.exp(-r / decay), reach=2400.0))
    steep = trace_base(rays(lambda r, _: 600.0 * np.exp(-r / decay), reach=4000.0))

    # the flank's slope is a mean over a quarter of the radius, so the foot lies a little beyond
    assert gentle.mean_radius_m == pytest.approx(decay, rel=0.25)
    ring_plain = decay * math.log(600.0 / decay / math.tan(math.radians(8.0)))
    assert steep.mean_radius_m == pytest.approx(ring_plain, rel=0.1)


def test_where_the_data_ends_the_outline_is_cut():
    polar = rays(lambda r, _: cone(r, 300.0, 1000.0))
    elevation = polar.elevation.copy()
    elevation[: RAYS // 4, 15:] = np.nan

    outline = trace_base(PolarDem(elevation, polar.azimuth, polar.radius_m))

    assert outline.cut[2 : RAYS // 4 - 2].all()
    assert not outline.cut[RAYS // 4 + 2 :].any()
    assert outline.radius_m[RAYS // 8] == pytest.approx(polar.radius_m[14])


def test_a_hollow_has_no_foot():
    assert trace_base(rays(lambda r, _: -cone(r, 300.0, 1000.0))) is None


def test_rays_are_sampled_at_true_distances():
    grid = utm_grid(101)
    away, _ = distances(grid, (50.0, 50.0), square())
    tile = DemTile(away.astype(np.float32), grid)

    polar = sample_polar(tile, (50.0, 50.0), 1200.0, rays=16, samples=12)

    assert polar.elevation == pytest.approx(np.broadcast_to(polar.radius_m, (16, 12)), abs=5.0)


def test_bilinear_is_exact_on_a_plane_and_unknown_beyond():
    plane = np.add.outer(2.0 * np.arange(4.0), np.arange(5.0)).astype(np.float32)

    values = bilinear(plane, np.array([0.5, 2.0, 0.2, 9.0]), np.array([0.5, 1.75, 1.0, 1.0]))

    assert values[:2].tolist() == [0.0, 1.5 + 2.5]
    assert np.isnan(values[2:]).all()
