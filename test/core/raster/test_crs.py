from __future__ import annotations

import math
import threading

import numpy as np
import pytest
from prompt_segmenter.core import native
from prompt_segmenter.core.errors import CrsError, MissingCrsError
from prompt_segmenter.core.raster import crs

LOCAL = 'LOCAL_CS["site",UNIT["US survey foot",0.304800609601219]]'
MARS = 'GEOGCS["Mars",DATUM["D_Mars",SPHEROID["Mars",3396190,0]],PRIMEM["r",0],UNIT["degree",0.0174532925199433]]'
SHIFTED = "+proj=utm +zone=33 +towgs84=1,2,3 +ellps=bessel"
GRADS = "EPSG:4807"
FEET = "EPSG:2263"


def wkt(code: str, version: str) -> str:
    return native.pyproj().CRS(code).to_wkt(version)


def test_text_that_is_no_crs_is_named():
    with pytest.raises(CrsError, match="'EPSG:999999' can't be understood") as caught:
        crs.parse("EPSG:999999")
    assert "EPSG:4326" in caught.value.hint


@pytest.mark.parametrize("version", ["WKT1_GDAL", "WKT1_ESRI", "WKT2_2019"])
@pytest.mark.parametrize("code", ["EPSG:4326", "EPSG:32633", "EPSG:3857"])
def test_a_code_is_the_same_as_its_wkt(code, version):
    assert crs.same(code, wkt(code, version))
    assert crs.same(wkt(code, version), code)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("EPSG:4326", "EPSG:4326", True),
        ("EPSG:4326", "epsg:4326", True),
        ("EPSG:4326", "OGC:CRS84", True),
        ("EPSG:4326", "EPSG:4258", False),
        ("EPSG:32633", "EPSG:32634", False),
        (None, None, True),
        (None, "EPSG:4326", False),
        ("EPSG:4326", None, False),
    ],
)
def test_same(first, second, expected):
    assert crs.same(first, second) is expected


def test_canonical_gives_the_code_of_a_registered_crs_and_leaves_others_alone():
    assert crs.canonical(wkt("EPSG:32633", "WKT1_GDAL")) == "EPSG:32633"
    assert crs.canonical(LOCAL) == LOCAL


def test_points_are_x_y_whatever_the_axis_order_of_the_crs():
    # The central meridian of UTM zone 33 is 15 degrees east: false easting, and 0 north at the equator.
    moved = crs.transform_points([(15.0, 0.0), (15.0, 46.0)], "EPSG:4326", "EPSG:32633")
    assert moved[0] == pytest.approx((500000.0, 0.0), abs=1e-6)
    assert moved[1, 0] == pytest.approx(500000.0, abs=1e-6)
    assert moved[1, 1] == pytest.approx(5094211.0, abs=1000)


def test_web_mercator_of_180_degrees_is_half_the_equator():
    moved = crs.transform_points([(180.0, 0.0)], "EPSG:4326", "EPSG:3857")
    assert moved[0] == pytest.approx((math.pi * 6378137.0, 0.0), abs=1e-6)


def test_transformation_there_and_back_returns_the_point():
    there = crs.transform_points([(12.5, 41.9)], "EPSG:4326", "EPSG:32633")
    assert crs.transform_points(there, "EPSG:32633", "EPSG:4326")[0] == pytest.approx((12.5, 41.9), abs=1e-10)


def test_the_same_crs_gives_a_copy():
    points = np.array([(1.0, 2.0)])
    moved = crs.transform_points(points, "EPSG:4326", wkt("EPSG:4326", "WKT1_GDAL"))
    moved[0, 0] = 9.0
    assert points[0, 0] == 1.0


def test_no_points_give_no_points():
    assert crs.transform_points(np.empty((0, 2)), "EPSG:4326", "EPSG:3857").shape == (0, 2)


@pytest.mark.parametrize(("here", "there"), [(None, "EPSG:4326"), ("EPSG:4326", None)])
def test_pixels_and_map_coordinates_are_not_mixed(here, there):
    with pytest.raises(MissingCrsError, match="pixel space"):
        crs.transform_points([(1.0, 2.0)], here, there)


def test_a_point_without_a_place_in_the_other_crs_is_named():
    with pytest.raises(CrsError, match=r"The point \(0, 95\) of EPSG:4326 has no place in EPSG:3857"):
        crs.transform_points([(0.0, 45.0), (0.0, 95.0)], "EPSG:4326", "EPSG:3857")


@pytest.mark.parametrize("other", [LOCAL, MARS])
def test_there_is_no_way_from_another_world_to_the_earth(other):
    with pytest.raises(CrsError):
        crs.transform_points([(10.0, 20.0)], other, "EPSG:32633")


def test_a_degree_along_the_equator_is_its_share_of_the_circle():
    lengths = crs.ground_lengths([(0.0, 0.0)], [(1.0, 0.0)], "EPSG:4326")
    assert lengths[0] == pytest.approx(math.pi * 6378137.0 / 180.0, abs=1e-6)


def test_a_degree_on_mars_is_shorter():
    lengths = crs.ground_lengths([(0.0, 0.0), (0.0, 60.0)], [(1.0, 0.0), (1.0, 60.0)], MARS)
    degree = math.pi * 3396190.0 / 180.0
    assert lengths[0] == pytest.approx(degree, rel=1e-9)
    assert lengths[1] == pytest.approx(degree / 2.0, rel=1e-4)


def test_web_mercator_lengths_are_true_and_not_stretched():
    there = crs.transform_points([(10.0, 60.0), (10.001, 60.0)], "EPSG:4326", "EPSG:3857")
    length = crs.ground_lengths(there[:1], there[1:], "EPSG:3857")[0]
    assert there[1, 0] - there[0, 0] == pytest.approx(111.32, abs=0.01)
    assert length == pytest.approx(55.8, abs=0.1)


def test_grads_are_not_degrees():
    lengths = crs.ground_lengths([(0.0, 0.0)], [(1.0, 0.0)], GRADS)
    assert lengths[0] == pytest.approx(math.pi * 6378249.2 / 200.0, rel=1e-8)


def test_feet_become_metres():
    assert crs.ground_lengths([(980000.0, 200000.0)], [(981000.0, 200000.0)], FEET)[0] == pytest.approx(304.8, abs=0.1)
    assert crs.ground_lengths([(0.0, 0.0)], [(3.0, 4.0)], LOCAL)[0] == pytest.approx(5 * 0.3048006096, rel=1e-9)


def test_where_there_is_no_longitude_the_straight_distance_counts():
    geostationary = "+proj=geos +h=35785831 +a=6378169 +b=6356583.8"
    lengths = crs.ground_lengths([(0.0, 0.0), (5.5e6, 5.5e6)], [(1000.0, 0.0), (5.5e6 + 1000.0, 5.5e6)], geostationary)
    assert lengths[0] == pytest.approx(1000.0, abs=1.0)
    assert lengths[1] == 1000.0


@pytest.mark.parametrize(
    "code", ["EPSG:4326", "EPSG:32633", "EPSG:7415", "+proj=utm +zone=33 +towgs84=1,2,3 +ellps=bessel"]
)
def test_geodetic_goes_to_degrees_on_the_same_datum(code):
    to_degrees, geod = crs.geodetic(code)
    lon, lat = to_degrees.transform(*((12.0, 46.0) if crs.is_geographic(code) else (250000.0, 500000.0)))
    assert -180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0
    assert geod.a == pytest.approx(6378137.0, abs=1000.0)


def test_a_local_grid_has_no_geodetic_base():
    assert crs.geodetic(LOCAL) is None


def test_units_have_their_names():
    names = [crs.unit_name(code) for code in (None, "EPSG:32633", "EPSG:4326", FEET, "EPSG:7415")]
    assert names == ["pixel", "metre", "degree", "US survey foot", "metre"]


def test_geographic_or_not():
    answers = [crs.is_geographic(code) for code in ("EPSG:4326", MARS, "EPSG:3857", LOCAL, None)]
    assert answers == [True, True, False, False, False]


def test_titles_are_short_even_for_wkt():
    assert crs.title("EPSG:4326") == "EPSG:4326"
    assert crs.title(LOCAL) == "'site'"
    assert "pixel" in crs.title(None)


def test_transformers_work_from_another_thread():
    found = []
    crs.transform_points([(15.0, 0.0)], "EPSG:4326", "EPSG:32633")
    thread = threading.Thread(
        target=lambda: found.append(crs.transform_points([(15.0, 0.0)], "EPSG:4326", "EPSG:32633"))
    )
    thread.start()
    thread.join()
    assert found[0][0] == pytest.approx((500000.0, 0.0), abs=1e-6)
