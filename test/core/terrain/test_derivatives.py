"""Derivatives on surfaces whose answer is known on paper, on grids of every kind."""

from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core.raster.grid import PixelGrid, Window
from prompt_segmenter.core.terrain.convergence import radial_convergence
from prompt_segmenter.core.terrain.derivatives import (
    aspect_deg,
    plan_curvature,
    profile_curvature,
    slope_deg,
    smoothed,
    tangential_curvature,
)
from prompt_segmenter.core.terrain.elevation import ElevationGrid, elevation_grid

GRIDS = {
    "square": PixelGrid((30.0, 0.0, 500000.0, 0.0, -30.0, 4600000.0), "EPSG:32633", 90, 80),
    "oblong": PixelGrid((20.0, 0.0, 500000.0, 0.0, -50.0, 4600000.0), "EPSG:32633", 120, 70),
    "turned": PixelGrid((24.0, 18.0, 500000.0, 18.0, -24.0, 4600000.0), "EPSG:32633", 90, 80),
    "south up": PixelGrid((30.0, 0.0, 500000.0, 0.0, 30.0, 4600000.0), "EPSG:32633", 90, 80),
    "turned by a right angle": PixelGrid((0.0, 25.0, 500000.0, -35.0, 0.0, 4600000.0), "EPSG:32633", 90, 80),
    "degrees": PixelGrid((1 / 3600, 0.0, 12.0, 0.0, -1 / 3600, 60.0), "EPSG:4326", 90, 80),
    "web mercator": PixelGrid((40.0, 0.0, 1335833.0, 0.0, -40.0, 8399737.0), "EPSG:3857", 90, 80),
    "turned degrees": PixelGrid((4e-4, 1e-4, 12.0, 2e-4, -3e-4, 60.0), "EPSG:4326", 80, 80),
    "feet": PixelGrid((100.0, 0.0, 500000.0, 0.0, -100.0, 300000.0), "EPSG:2263", 80, 80),
}
"""Those at 60 degrees north have degrees of longitude, and mercator metres, that are half as long on the ground."""


@pytest.fixture(params=GRIDS)
def grid(request):
    return GRIDS[request.param]


def ground(grid: PixelGrid) -> tuple[np.ndarray, np.ndarray]:
    """Return metres east and north of the middle of the grid, with the length of a unit taken as that in the middle."""
    from prompt_segmenter.core.raster import crs

    rows, cols = np.indices((grid.height, grid.width)) + 0.5
    xy = grid.to_map(np.column_stack([cols.ravel(), rows.ravel()]))
    middle = grid.to_map([(grid.width / 2, grid.height / 2)])[0]
    step = max(grid.resolution)
    units = [
        crs.ground_lengths([middle - offset], [middle + offset], grid.crs)[0] / (2 * step)
        for offset in ((step, 0.0), (0.0, step))
    ]
    shape = grid.height, grid.width
    return ((xy[:, 0] - middle[0]) * units[0]).reshape(shape), ((xy[:, 1] - middle[1]) * units[1]).reshape(shape)


def made(grid: PixelGrid, heights: np.ndarray, void: np.ndarray | None = None) -> ElevationGrid:
    metres = heights.astype(np.float64)
    if void is not None:
        metres = np.where(void, np.nan, metres)
    return elevation_grid(metres, grid)


def middle(values: np.ndarray) -> np.ndarray:
    rows, cols = values.shape
    return values[rows // 2 - 3 : rows // 2 + 4, cols // 2 - 3 : cols // 2 + 4]


def test_a_plane_has_one_slope_and_faces_one_way_in_true_metres(grid):
    east, north = ground(grid)
    plane = made(grid, 0.3 * east + 0.4 * north)
    assert middle(slope_deg(plane)) == pytest.approx(np.degrees(np.arctan(0.5)), abs=0.02)
    assert middle(aspect_deg(plane)) == pytest.approx(180.0 + np.degrees(np.arctan2(0.3, 0.4)), abs=0.05)


@pytest.mark.parametrize("name", ["square", "oblong", "turned", "south up", "turned by a right angle"])
def test_a_plane_stays_itself_up_to_its_edge_and_around_voids(name):
    grid = GRIDS[name]
    east, north = ground(grid)
    void = np.random.default_rng(1).random(east.shape) < 0.2
    void[:20, :30] = True
    slope = slope_deg(made(grid, 0.3 * east + 0.4 * north, void))
    assert np.isnan(slope[void]).all()
    assert np.isfinite(slope[~void]).mean() > 0.95
    assert slope[np.isfinite(slope)] == pytest.approx(np.degrees(np.arctan(0.5)), abs=0.02)


def test_each_way_of_facing_is_named_from_north_clockwise():
    grid = GRIDS["square"]
    east, north = ground(grid)
    for heights, facing in ((-north, 0.0), (-east, 90.0), (north, 180.0), (east, 270.0)):
        assert aspect_deg(made(grid, heights)) == pytest.approx(facing, abs=1e-3)
    assert np.isnan(aspect_deg(made(grid, np.zeros(east.shape)))).all()


def test_a_ball_is_curved_the_same_way_along_and_across_the_slope(grid):
    east, north = ground(grid)
    radius = 40_000.0
    ball = made(grid, np.sqrt(radius**2 - (east - 8000.0) ** 2 - (north - 5000.0) ** 2))
    assert middle(profile_curvature(ball)) == pytest.approx(1 / radius, rel=0.02)
    assert middle(tangential_curvature(ball)) == pytest.approx(1 / radius, rel=0.02)
    contour = middle(np.hypot(east - 8000.0, north - 5000.0))
    assert middle(plan_curvature(ball)) == pytest.approx(1 / contour, rel=0.02)
    hollow = made(grid, -ball.metres)
    assert middle(profile_curvature(hollow)) == pytest.approx(-1 / radius, rel=0.02)


def test_a_cone_is_straight_downslope_and_its_contours_are_circles():
    grid = GRIDS["square"]
    east, north = ground(grid)
    cone = made(grid, -0.5 * np.hypot(east - 9000.0, north))
    assert np.abs(middle(profile_curvature(cone))).max() < 1e-7
    assert middle(plan_curvature(cone)) == pytest.approx(1 / middle(np.hypot(east - 9000.0, north)), rel=1e-3)


def test_flat_ground_has_no_slope_and_no_curvature():
    flat = made(GRIDS["degrees"], np.full((80, 90), 1234.5))
    assert not slope_deg(flat).any()
    assert not profile_curvature(flat)[1:-1, 1:-1].any() and not plan_curvature(flat)[1:-1, 1:-1].any()


def test_what_lies_in_a_void_never_matters():
    grid = GRIDS["oblong"]
    east, north = ground(grid)
    heights = 100 * np.sin(east / 300) * np.cos(north / 200)
    void = np.hypot(east, north) < 400
    elevations = [made(grid, np.where(void, fill, heights), void) for fill in (0.0, -32768.0, 1e30)]
    for derive in (slope_deg, aspect_deg, plan_curvature, profile_curvature, lambda e: smoothed(e, 120.0).metres):
        first, *others = (derive(elevation) for elevation in elevations)
        assert all(np.array_equal(first, other, equal_nan=True) for other in others)
        assert np.isnan(first[void]).all() and np.isfinite(first[~void]).any()


def test_a_lone_cell_has_no_slope():
    heights = np.zeros((5, 5))
    void = np.ones((5, 5), bool)
    void[2, 2] = False
    assert np.isnan(slope_deg(made(PixelGrid((1.0, 0, 0, 0, -1.0, 0), None, 5, 5), heights, void))).all()


def test_a_window_has_the_values_of_the_whole():
    whole_grid = PixelGrid((1 / 1200, 0.0, 12.0, 0.0, -1 / 1200, 47.0), "EPSG:4326", 700, 600)
    heights = np.random.default_rng(2).normal(size=(600, 700)).cumsum(0).cumsum(1).astype(np.float32)
    whole = elevation_grid(heights, whole_grid)
    part = Window(150, 270, 400, 300)
    cut = elevation_grid(heights[270:570, 150:550].copy(), whole_grid.window(part), whole=whole_grid)
    for derive in (slope_deg, profile_curvature):
        assert derive(whole)[280:560, 160:540] == pytest.approx(derive(cut)[10:290, 10:390], rel=1e-5, nan_ok=True)
    assert smoothed(whole, 150.0).metres[300:540, 180:520] == pytest.approx(
        smoothed(cut, 150.0).metres[30:270, 30:370], abs=2e-3
    )
    assert radial_convergence(whole, 900.0)[300:540, 180:520] == pytest.approx(
        radial_convergence(cut, 900.0)[30:270, 30:370], abs=1e-4
    )


@pytest.mark.parametrize("sigma", [40.0, 90.0, 1500.0])
def test_smoothing_leaves_a_plane_as_it_is_up_to_the_edge_and_around_voids(grid, sigma):
    east, north = ground(grid)
    void = np.zeros(east.shape, bool)
    void[30:50, 20:45] = True
    plane = 500 + 0.1 * east - 0.2 * north
    metres = smoothed(made(grid, plane, void), sigma).metres
    assert np.isnan(metres[void]).all()
    assert metres[~void] == pytest.approx(plane[~void], abs=0.3)


@pytest.mark.parametrize("name", [name for name in GRIDS if name != "turned degrees"])
@pytest.mark.parametrize("sigma", [60.0, 300.0])
def test_smoothing_has_the_width_that_was_asked_for_on_the_ground(name, sigma):
    """A wave of length L keeps exp(-2 pi^2 sigma^2 / L^2) of its height, whichever way it runs.

    But for a grid that is sheared on the ground, where the Gaussian is as sheared as the cells.
    """
    grid = GRIDS[name]
    length = 12 * sigma
    kept = np.exp(-2 * (np.pi * sigma / length) ** 2)
    for along in ground(grid):
        wave = np.cos(2 * np.pi * along / length)
        if np.ptp(along) < 3 * length:
            continue
        after = smoothed(made(grid, wave), sigma).metres
        assert middle(after) == pytest.approx(kept * middle(wave), abs=0.02)


def test_no_smoothing_gives_the_very_same_elevations():
    elevation = made(GRIDS["square"], np.arange(7200.0).reshape(80, 90))
    assert smoothed(elevation, 0.0) is elevation


def test_slopes_radiate_from_a_cone_and_into_a_funnel_and_from_nothing_on_a_plane(grid):
    east, north = ground(grid)
    cone = -0.3 * np.hypot(east, north)
    radius = 12 * max(made(grid, cone).cell_m)
    middle_of = (grid.height // 2, grid.width // 2)
    assert radial_convergence(made(grid, cone), radius)[middle_of] > 0.95
    assert radial_convergence(made(grid, -cone), radius)[middle_of] < -0.95
    plane = made(grid, 0.2 * east + 0.1 * north)
    assert abs(radial_convergence(plane, radius)[middle_of]) < 0.01
    found = radial_convergence(made(grid, cone), radius)
    peak = np.unravel_index(np.nanargmax(found), found.shape)
    assert np.abs(np.subtract(peak, middle_of)).max() <= 1


def test_radiating_is_the_mean_of_the_cosines_counted_one_by_one():
    rng = np.random.default_rng(3)
    grid = PixelGrid((30.0, 0.0, 0.0, 0.0, -30.0, 0.0), None, 41, 37)
    heights = rng.normal(size=(37, 41)).cumsum(0).cumsum(1)
    void = rng.random((37, 41)) < 0.1
    elevation = made(grid, heights, void)
    found = radial_convergence(elevation, 200.0, inner_m=50.0)
    slope, aspect = slope_deg(elevation), np.radians(aspect_deg(elevation))
    row, col = 17, 22 if not void[17, 22] else 23
    total = count = 0.0
    for r in range(37):
        for c in range(41):
            east, north = 30.0 * (c - col), 30.0 * (row - r)
            distance = np.hypot(east, north)
            if 50.0 < distance <= 200.0 and np.isfinite(slope[r, c]):
                count += 1
                if slope[r, c] > 0:
                    total += (np.sin(aspect[r, c]) * east + np.cos(aspect[r, c]) * north) / distance
    # the spacing stands for 2 %, which moves a few cells in or out
    assert found[row, col] == pytest.approx(total / count, abs=0.02)
    assert np.isnan(found[void]).all()


def test_a_radius_below_a_cell_is_refused():
    from prompt_segmenter.core.errors import SettingsError

    with pytest.raises(SettingsError, match="too small"):
        radial_convergence(made(GRIDS["square"], np.zeros((80, 90))), 20.0)
