from __future__ import annotations

import math

import numpy as np
import pytest
from prompt_segmenter.core.errors import Cancelled, SettingsError
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.raster.grid import PixelGrid
from prompt_segmenter.core.terrain import candidates, dem_levels
from prompt_segmenter.core.terrain.elevation import ElevationUnit
from prompt_segmenter.core.terrain.finders import FINDERS, FinderSettings
from prompt_segmenter.core.terrain.outliner import DrawnOutline, OutlineMethod
from prompt_segmenter.core.terrain.reader import ElevationSettings
from prompt_segmenter.test.helpers.dems import (
    LEFT,
    TOP,
    cone,
    cratered_cone,
    distances,
    fractal,
    source,
    square,
    utm_grid,
)
from shapely.geometry import Point

SIZE, CELL = 200, 30.0
MIDDLE = (100.0, 100.0)
HEIGHT, RADIUS = 600.0, 1800.0
"""An angle of repose is 33 degrees; this cone falls with 18.4."""


def find(raster, **settings):
    settings.setdefault("method", OutlineMethod.MORPHOMETRIC)
    return FINDERS.get("volcano").find(raster, FinderSettings(**settings), NullProgress())


def plain_cone(grid=None, metres=None, middle=MIDDLE, height=HEIGHT, radius=RADIUS):
    grid = grid or utm_grid(SIZE)
    away, _ = distances(grid, middle, metres or square())
    return cone(away, height, radius), grid


def test_a_cone_on_a_plain_is_found_with_the_measures_that_it_has_on_paper():
    elevation, grid = plain_cone()

    result = find(source(elevation + 100.0, grid))

    assert len(result) == 1
    volcano = result.polygons[0]
    measures = volcano.measures
    assert volcano.confidence > 0.9
    assert volcano.geometry.contains(Point(LEFT + 3000.0, TOP - 3000.0))
    assert volcano.area_m2 == pytest.approx(math.pi * RADIUS**2, rel=0.08)
    assert volcano.summit == pytest.approx((LEFT + 3000.0, TOP - 3000.0), abs=2 * CELL)
    assert measures.summit_m == pytest.approx(100.0 + HEIGHT, abs=15.0)
    assert measures.height_m == pytest.approx(HEIGHT, rel=0.05)
    assert measures.base_width_m == pytest.approx(2 * RADIUS, rel=0.05)
    assert measures.height_over_width == pytest.approx(HEIGHT / (2 * RADIUS), rel=0.06)
    assert measures.mean_slope_deg == pytest.approx(math.degrees(math.atan(HEIGHT / RADIUS)), abs=1.0)
    assert measures.concavity == pytest.approx(1.0, abs=0.1)
    assert measures.ellipticity == pytest.approx(1.0, abs=0.03)
    assert measures.irregularity == pytest.approx(1.0, abs=0.03)
    assert measures.volume_m3 == pytest.approx(math.pi * RADIUS**2 * HEIGHT / 3.0, rel=0.05)
    assert measures.summit_width_m == pytest.approx(2 * 0.2 * RADIUS, rel=0.1)
    assert not volcano.partial
    assert volcano.crater is None
    assert "stratovolcano" in volcano.reasons


def test_on_an_inclined_plain_the_volume_is_that_over_the_inclined_base():
    elevation, grid = plain_cone()
    slope = 0.05 * CELL * np.arange(SIZE)[None, :]

    volcano = find(source(elevation + slope, grid)).polygons[0]

    assert volcano.measures.volume_m3 == pytest.approx(math.pi * RADIUS**2 * HEIGHT / 3.0, rel=0.1)
    assert volcano.area_m2 == pytest.approx(math.pi * RADIUS**2, rel=0.15)


def test_a_crater_is_found_with_its_width_and_depth():
    away, _ = distances(utm_grid(SIZE, 10.0), MIDDLE, square(10.0))
    elevation = cratered_cone(away, 120.0, 420.0, 160.0, 50.0)

    volcano = find(source(elevation, utm_grid(SIZE, 10.0))).polygons[0]

    assert volcano.label == "cinder cone"
    assert volcano.crater_width_m == pytest.approx(320.0, rel=0.15)
    assert volcano.crater_depth_m == pytest.approx(50.0, rel=0.2)
    assert not volcano.crater_breached
    assert volcano.geometry.contains(volcano.crater)


def test_a_breached_cone_is_one_volcano():
    away, angle = distances(utm_grid(SIZE), MIDDLE, square())
    elevation = cone(away, 900.0, 2100.0)
    breach = (np.abs(angle) < math.radians(25.0)) & (away < 1500.0)
    elevation[breach] = np.minimum(elevation[breach], 250.0)

    result = find(source(elevation, utm_grid(SIZE)))

    assert len(result) == 1
    assert result.polygons[0].geometry.contains(Point(LEFT + 3000.0, TOP - 3000.0))
    assert result.polygons[0].area_m2 == pytest.approx(math.pi * 2100.0**2, rel=0.2)


@pytest.mark.parametrize(
    ("grid", "metres"),
    [
        (PixelGrid((15.0, 0.0, LEFT, 0.0, -30.0, TOP), "EPSG:32633", 400, 200), [[15.0, 0.0], [0.0, -30.0]]),
        (PixelGrid((24.0, 18.0, LEFT, 18.0, -24.0, TOP), "EPSG:32633", 200, 200), [[24.0, 18.0], [18.0, -24.0]]),
        # 30 m on the ground at 60 N: a degree of longitude is 55.8 km, of latitude 111.4 km
        (PixelGrid((30 / 55800, 0.0, 15.0, 0.0, -30 / 111412, 60.0), "EPSG:4326", 200, 200), square()),
        # web mercator is twice as long at 60 N
        (PixelGrid((60.0, 0.0, 0.0, 0.0, -60.0, 8399737.9), "EPSG:3857", 200, 200), square(29.9)),
    ],
    ids=["oblong", "rotated", "degrees", "mercator"],
)
def test_any_grid_gives_the_same_true_measures(grid, metres):
    elevation, _ = plain_cone(grid, metres, middle=(grid.width / 2, grid.height / 2))

    result = find(source(elevation, grid))

    assert len(result) == 1
    volcano = result.polygons[0]
    assert result.crs == grid.crs
    assert volcano.area_m2 == pytest.approx(math.pi * RADIUS**2, rel=0.1)
    assert volcano.measures.height_m == pytest.approx(HEIGHT, rel=0.05)
    middle = Point(*grid.to_map([(grid.width / 2, grid.height / 2)])[0])
    assert volcano.geometry.contains(middle)


def test_a_wedge_of_nodata_does_not_hide_a_volcano():
    away, angle = distances(utm_grid(SIZE), MIDDLE, square())
    elevation = cone(away, HEIGHT, RADIUS)
    valid = ~((np.abs(angle) < math.radians(20.0)) & (away > 700.0))

    volcano = find(source(elevation, utm_grid(SIZE), valid=valid)).polygons[0]

    assert volcano.partial
    assert volcano.measures.height_m == pytest.approx(HEIGHT, rel=0.1)
    assert "end of the data" in volcano.reasons


def test_a_volcano_that_the_edge_cuts_is_partial():
    away, _ = distances(utm_grid(SIZE), (25.0, 100.0), square())

    volcano = find(source(cone(away, HEIGHT, RADIUS), utm_grid(SIZE))).polygons[0]

    assert volcano.partial
    left, _, right, _ = volcano.geometry.bounds
    assert left >= LEFT
    assert right == pytest.approx(LEFT + 25.0 * CELL + RADIUS, abs=0.1 * RADIUS)


def test_undeclared_nodata_is_said_and_left_out():
    elevation, grid = plain_cone()
    elevation[:, :10] = -32768.0

    result = find(source(elevation, grid, np.int16))

    assert len(result) == 1
    assert result.polygons[0].measures.height_m == pytest.approx(HEIGHT, rel=0.05)
    assert any("-32768" in warning for warning in result.warnings)


def test_feet_are_metres_when_that_is_said():
    elevation, grid = plain_cone()
    feet = ElevationSettings(unit=ElevationUnit.FEET)

    volcano = find(source(elevation / 0.3048, grid), dem=feet).polygons[0]

    assert volcano.measures.height_m == pytest.approx(HEIGHT, rel=0.05)


def test_heights_that_no_mountain_has_are_doubted():
    elevation, grid = plain_cone(height=4000.0)

    result = find(source(elevation / 0.3048, grid))

    assert any("feet" in warning for warning in result.warnings)


@pytest.mark.parametrize("seed", range(3))
def test_a_rough_plain_has_no_volcano(seed):
    noise = np.random.default_rng(seed).normal(0.0, 3.0, (SIZE, SIZE))

    assert len(find(source(noise, utm_grid(SIZE)))) == 0


def test_a_ridge_is_no_volcano():
    across = np.abs(np.arange(SIZE) - SIZE / 2)[:, None] * CELL * np.ones(SIZE)

    assert len(find(source(np.clip(800.0 - 0.4 * across, 0.0, None), utm_grid(SIZE)))) == 0


@pytest.mark.parametrize("elevation", [np.zeros((50, 50)), np.full((50, 50), np.nan), np.zeros((3, 5))])
def test_flat_empty_and_tiny_dems_have_no_volcano(elevation):
    height, width = elevation.shape
    grid = PixelGrid((CELL, 0.0, LEFT, 0.0, -CELL, TOP), "EPSG:32633", width, height)

    assert len(find(source(elevation, grid))) == 0


def test_two_cones_side_by_side_are_two():
    grid = utm_grid(SIZE)
    first, _ = distances(grid, (60.0, 100.0), square())
    second, _ = distances(grid, (140.0, 100.0), square())
    elevation = np.maximum(cone(first, 350.0, 1050.0), cone(second, 350.0, 1050.0))

    result = find(source(elevation + fractal(SIZE, 3.0, seed=2), grid))

    assert len(result) == 2
    assert {round((volcano.summit[0] - LEFT) / CELL / 10) for volcano in result.polygons} == {6, 14}


def test_a_dem_that_is_read_window_by_window_gives_the_same_volcanoes(monkeypatch):
    grid = utm_grid(SIZE)
    elevation = fractal(SIZE, 10.0, seed=5)
    for middle in ((50.0, 60.0), (140.0, 130.0)):
        elevation += cone(distances(grid, middle, square())[0], 400.0, 1100.0)
    whole = find(source(elevation, grid))
    monkeypatch.setattr(dem_levels, "KEPT_CELLS", 500)
    monkeypatch.setattr(dem_levels, "STRIP_CELLS", 4000)
    monkeypatch.setattr(candidates, "TILE", 61)

    pieces = find(source(elevation, grid))

    assert len(whole) == len(pieces) == 2
    for one, other in zip(whole.polygons, pieces.polygons):
        assert one.geometry.equals_exact(other.geometry, 1e-6)
        assert one.measures == other.measures
        assert one.confidence == pytest.approx(other.confidence)


class Drawn:
    """A model that draws a circle around the first point that it is given."""

    def __init__(self, radius):
        self.radius = radius
        self.asked = []

    def draw(self, prompts, progress):
        self.asked.append(prompts)
        first = prompts.prompts[0]
        return DrawnOutline(Point(first.x, first.y).buffer(self.radius), 0.9) if self.radius else None


def draw(radius, method):
    elevation, grid = plain_cone()
    model = Drawn(radius)
    result = FINDERS.get("volcano").find(source(elevation, grid), FinderSettings(method=method), NullProgress(), model)
    return result, model


def test_the_model_is_given_points_on_the_volcano_and_beside_it():
    _, model = draw(RADIUS, OutlineMethod.AGREED)

    inside = Point(LEFT + 3000.0, TOP - 3000.0).buffer(RADIUS)
    for point in model.asked[0].prompts:
        assert inside.contains(Point(point.x, point.y)) is point.include


def test_agreed_says_how_well_the_two_agree():
    result, _ = draw(0.9 * RADIUS, OutlineMethod.AGREED)

    volcano = result.polygons[0]
    assert volcano.method == "agreed"
    assert volcano.agreement == pytest.approx(0.81, abs=0.08)
    # midway between the two
    assert volcano.area_m2 == pytest.approx(math.pi * (0.95 * RADIUS) ** 2, rel=0.08)
    assert volcano.measures.base_width_m == pytest.approx(1.9 * RADIUS, rel=0.04)


def test_an_outline_of_something_else_is_not_agreed_on():
    volcano = draw(0.3 * RADIUS, OutlineMethod.AGREED)[0].polygons[0]

    assert volcano.method == "morphometric"
    assert "differs" in volcano.reasons


def test_the_model_alone_draws_if_that_is_asked_for():
    volcano = draw(0.8 * RADIUS, OutlineMethod.MODEL)[0].polygons[0]

    assert volcano.method == "model"
    assert volcano.area_m2 == pytest.approx(math.pi * (0.8 * RADIUS) ** 2, rel=0.02)


def test_without_an_answer_the_outline_is_morphometric_and_that_is_said():
    result, _ = draw(None, OutlineMethod.MODEL)

    assert result.polygons[0].method == "morphometric"
    assert any("no outline" in warning for warning in result.warnings)
    assert any("No model" in warning for warning in find(source(*plain_cone()), method=OutlineMethod.AGREED).warnings)


def test_it_stops_on_request():
    class StopsAtTracing:
        stopped = False

        def report(self, fraction, message=""):
            self.stopped = self.stopped or "Tracing" in message

        def is_cancelled(self):
            return self.stopped

    with pytest.raises(Cancelled):
        FINDERS.get("volcano").find(source(*plain_cone()), FinderSettings(), StopsAtTracing())


@pytest.mark.parametrize(
    "wrong",
    [{"confidence": 1.5}, {"smallest_km": -1.0}, {"smallest_km": 3.0, "largest_km": 2.0}, {"least_relief_m": 0.0}],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingsError):
        FinderSettings(**wrong)


def test_limits_are_obeyed():
    elevation, grid = plain_cone()

    assert len(find(source(elevation, grid), largest_km=2.0)) == 0
    assert len(find(source(elevation, grid), least_relief_m=900.0)) == 0
    assert len(find(source(elevation, grid), smallest_km=3.0, largest_km=5.0)) == 1
