from __future__ import annotations

import math

import numpy as np
import pytest
from prompt_segmenter.core import native
from prompt_segmenter.core.outlines.measure import Measures, local_frame, measure
from prompt_segmenter.core.raster.crs import transform_points
from shapely.geometry import MultiPolygon, Polygon, box

WGS84 = native.pyproj().Geod(ellps="WGS84")


def square_on_the_ground(longitude: float, latitude: float, side_m: float) -> np.ndarray:
    """Return a closed ring in degrees whose corners lie ``side_m`` / sqrt(2) from the middle."""
    azimuths = np.array([45.0, 315.0, 225.0, 135.0, 45.0])
    x, y, _ = WGS84.fwd([longitude] * 5, [latitude] * 5, azimuths, [side_m / math.sqrt(2.0)] * 5)
    return np.column_stack([x, y])


def test_in_pixel_space_a_unit_counts_as_a_metre():
    assert measure(box(0, 0, 3, 4), None) == Measures(12.0, 14.0)


def test_holes_take_area_away_and_add_perimeter():
    ring = Polygon(box(0, 0, 10, 10).exterior, [box(2, 2, 4, 4).exterior.coords])
    assert measure(ring, None) == Measures(96.0, 48.0)


def test_parts_add_up():
    assert measure(MultiPolygon([box(0, 0, 1, 1), box(5, 5, 7, 6)]), None) == Measures(3.0, 10.0)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857", "EPSG:32633", "EPSG:3035", "EPSG:2154"])
@pytest.mark.parametrize("latitude", [42.0, 60.0])
def test_a_hectare_is_a_hectare_in_any_crs(crs, latitude):
    polygon = Polygon(transform_points(square_on_the_ground(13.0, latitude, 100.0), "EPSG:4326", crs))
    found = measure(polygon, crs)
    assert found.area_m2 == pytest.approx(10000.0, rel=2e-6)
    assert found.perimeter_m == pytest.approx(400.0, rel=2e-6)


def test_a_crs_in_feet_gives_metres():
    ring = transform_points(square_on_the_ground(-74.0, 40.7, 100.0), "EPSG:4326", "EPSG:2263")
    assert measure(Polygon(ring), "EPSG:2263").area_m2 == pytest.approx(10000.0, rel=2e-6)


def test_a_parallel_is_followed_and_not_cut_short():
    # The zone between two parallels of the authalic sphere's ellipsoid has a closed form: 1 degree of it is 1 / 360.
    e2 = WGS84.es
    e = math.sqrt(e2)

    def zone(latitude: float) -> float:
        s = math.sin(math.radians(latitude))
        return math.pi * WGS84.b**2 * (s / (1 - e2 * s * s) + math.log((1 + e * s) / (1 - e * s)) / (2 * e))

    expected = (zone(61.0) - zone(60.0)) / 360.0 * 10.0
    assert measure(box(10, 60, 20, 61), "EPSG:4326").area_m2 == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("moon", ["IAU_2015:30100", "+proj=longlat +a=1737400 +b=1737400 +no_defs"])
def test_another_body_is_measured_on_its_own_ellipsoid(moon):
    expected = (math.radians(1) * 1737400) * math.sin(math.radians(1)) * 1737400
    assert measure(box(0, 0, 1, 1), moon).area_m2 == pytest.approx(expected, rel=1e-6)


def test_a_polygon_over_the_antimeridian_is_small():
    ring = [(179.999, 0.0), (180.001, 0.0), (180.001, 0.001), (179.999, 0.001)]
    assert measure(Polygon(ring), "EPSG:4326").area_m2 == pytest.approx(222.64 * 110.57, rel=1e-3)


def test_a_local_grid_counts_its_own_units():
    local = 'LOCAL_CS["site",UNIT["foot",0.3048]]'
    assert measure(box(0, 0, 10, 10), local).area_m2 == pytest.approx(100 * 0.3048**2)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857", "EPSG:32633", "EPSG:3413", "EPSG:2263"])
def test_the_local_frame_turns_crs_units_into_metres_in_every_direction(crs):
    ground = square_on_the_ground(13.0 if crs != "EPSG:2263" else -74.0, 66.0 if crs != "EPSG:2263" else 40.7, 200.0)
    ring = transform_points(ground, "EPSG:4326", crs)
    frame = local_frame(ring[:4].mean(axis=0), crs)
    metres = frame.to_metres(ring)
    assert np.hypot(*np.diff(metres, axis=0).T) == pytest.approx([200.0] * 4, rel=1e-4)
    # North is up: the corner at azimuth 45 lies to the right and above.
    assert metres[0] == pytest.approx([100.0, 100.0], rel=1e-3)
    assert np.abs(frame.to_crs(metres) - ring).max() < 1e-9 * max(1.0, np.abs(ring).max())


def test_the_local_frame_of_pixel_space_is_pixels():
    frame = local_frame((5.0, 6.0), None)
    assert frame.to_metres(np.array([[6.0, 8.0]])).tolist() == [[1.0, 2.0]]


def test_a_place_off_the_globe_gets_the_crs_unit():
    assert local_frame((0.0, 95.0), "EPSG:4326").matrix == pytest.approx(np.eye(2) * 111319.49, rel=1e-6)
    assert measure(box(1e9, 0, 1e9 + 10, 10), "EPSG:32633").area_m2 == pytest.approx(100.0)
