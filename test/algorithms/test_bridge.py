from __future__ import annotations

import pytest
from prompt_segmenter.algorithms import bridge
from prompt_segmenter.algorithms.values import include_of, is_given, is_null, object_name
from prompt_segmenter.core import native
from prompt_segmenter.core.errors import CrsError, MissingCrsError, PromptError
from prompt_segmenter.core.outlines.results import FIELDS, FieldKind
from prompt_segmenter.core.raster import crs as crs_maths
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsGeometry,
    QgsProcessingContext,
    QgsRasterLayer,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QMetaType, QVariant

UTM = QgsCoordinateReferenceSystem("EPSG:32633")
DEGREES = QgsCoordinateReferenceSystem("EPSG:4326")


def test_a_crs_goes_over_as_its_code_else_as_wkt_that_means_the_same(qgis_app):
    own = QgsCoordinateReferenceSystem.fromProj("+proj=laea +lat_0=41 +lon_0=12 +datum=WGS84")

    assert bridge.crs_text(UTM) == "EPSG:32633"
    assert bridge.crs_text(QgsCoordinateReferenceSystem()) is None
    assert crs_maths.same(bridge.crs_text(own), "+proj=laea +lat_0=41 +lon_0=12 +datum=WGS84")


def test_geometry_and_bounds_move_to_another_crs_and_back(qgis_app):
    context = QgsProcessingContext()
    point = QgsGeometry.fromWkt("Point (15 41)")

    moved = bridge.move_geometry(point, DEGREES, UTM, context)

    assert moved.asPoint().x() == pytest.approx(500_000)
    assert point.asWkt() == "Point (15 41)"
    back = bridge.move_geometry(moved, UTM, DEGREES, context)
    assert (back.asPoint().x(), back.asPoint().y()) == pytest.approx((15, 41))
    left, bottom, right, top = bridge.move_bounds(QgsRectangle(14, 40, 16, 42), DEGREES, UTM, context)
    assert left + right == pytest.approx(1_000_000)
    assert top > bottom


def test_what_has_no_crs_is_taken_to_be_in_the_rasters(qgis_app):
    nowhere = QgsCoordinateReferenceSystem()

    assert bridge.move_bounds(QgsRectangle(1, 2, 3, 4), nowhere, UTM, QgsProcessingContext()) == (1, 2, 3, 4)
    with pytest.raises(MissingCrsError, match=r"The prompts are in EPSG:4326, but the raster has no CRS\."):
        bridge.move_bounds(QgsRectangle(1, 2, 3, 4), DEGREES, nowhere, QgsProcessingContext())


def test_a_rectangle_without_a_place_is_named(qgis_app):
    with pytest.raises(CrsError, match=r"The rectangle .* \(EPSG:4326\) has no place in EPSG:32633\."):
        bridge.move_bounds(QgsRectangle(400, 95, 500, 99), DEGREES, UTM, QgsProcessingContext())


def test_polygons_go_over_whole_as_multipolygons(qgis_app):
    shape = native.shapely().geometry.Polygon([(0, 0), (4, 0), (4, 4), (0, 4)], [[(1, 1), (1, 2), (2, 2), (2, 1)]])

    geometry = bridge.to_qgis_geometry(shape)

    assert geometry.asWkt() == "MultiPolygon (((0 0, 4 0, 4 4, 0 4, 0 0),(1 1, 1 2, 2 2, 2 1, 1 1)))"


@pytest.mark.filterwarnings("error::DeprecationWarning")
def test_every_column_becomes_a_field_of_its_kind(qgis_app):
    fields = bridge.to_qgis_fields(FIELDS)

    assert [field.name() for field in fields] == [column.name for column in FIELDS]
    assert [fields.field(name).isNumeric() for name in ("object", "score", "model")] == [True, True, False]


def test_whole_numbers_have_64_bits_in_every_qgis(qgis_app, monkeypatch):
    for version in (32200, 33800):
        monkeypatch.setattr(bridge.Qgis, "versionInt", lambda version=version: version)
        kind = bridge._field_type(FieldKind.INTEGER)
        assert kind in (QVariant.Type.LongLong, QMetaType.Type.LongLong)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("/data/image.tif", "/data/image.tif"),
        (
            "type=xyz&url=https://a.example/{z}?token=abc123&zmax=19",
            "type=xyz&url=https://a.example/{z}?token=***&zmax=19",
        ),
        (
            "url=https://joe:pw@a.example/wms&username=joe&password=secret",
            "url=https://a.example/wms&username=***&password=***",
        ),
        ("https://a.example/x?apikey%3Dabc%26v%3D1", "https://a.example/x?apikey%3D***%26v%3D1"),
        ("dbname='gis' user='joe' password='it is' table=x", "dbname='gis' user='joe' password=*** table=x"),
    ],
)
def test_sources_are_told_without_credentials(qgis_app, source, shown):
    class Layer:
        def publicSource(self):
            return source

        def providerType(self):
            return "gdal"

    assert bridge.source_text(Layer()) == shown


def test_the_source_of_a_file_layer_is_its_path(scene_path, qgis_app):
    assert bridge.source_text(QgsRasterLayer(scene_path, "x")) == scene_path


def test_what_is_no_file_is_no_path(qgis_app):
    for text in ("<VRTDataset>" + "x" * 5000, "/vsizip/a.zip/b.tif", ""):
        assert bridge.file_path(text) == text


@pytest.mark.parametrize(
    ("text", "provider", "source"),
    [
        ("wms://type=xyz&url=https://a.example/{z}", "wms", "type=xyz&url=https://a.example/{z}"),
        ("type=xyz&url=https://a.example/{z}", "wms", "type=xyz&url=https://a.example/{z}"),
        ("arcgismapserver://url='https://a.example'", "arcgismapserver", "url='https://a.example'"),
        ("https://a.example/cog.tif", "gdal", "https://a.example/cog.tif"),
        ("/data/url of my house.tif", "gdal", "/data/url of my house.tif"),
        ("C:/data/a.tif", "gdal", "C:/data/a.tif"),
    ],
)
def test_a_recorded_source_says_which_provider_opens_it(qgis_app, text, provider, source):
    assert bridge.split_source(text) == (provider, source)


def test_points_are_taken_out_of_points_alone(qgis_app):
    points = bridge.points_of(QgsGeometry.fromWkt("MultiPoint ((1 2), (3 4))"))

    assert [(point.x(), point.y()) for point in points] == [(1, 2), (3, 4)]
    assert bridge.points_of(QgsGeometry()) == []
    with pytest.raises(PromptError, match="is not a point"):
        bridge.points_of(QgsGeometry.fromWkt("LineString (0 0, 1 1)"))


@pytest.mark.parametrize("value", [1, 1.0, True, "1", "include", " TRUE ", "+", None])
def test_include_labels(value):
    assert include_of(value, 1, "label") is True


@pytest.mark.parametrize("value", [0, 0.0, False, "0", "exclude", "no", "-"])
def test_exclude_labels(value):
    assert include_of(value, 1, "label") is False


def test_object_names_are_whole_numbers_or_text():
    assert [object_name(value) for value in (3, 3.0, 3.5, "x")] == [3, 3, "3.5", "x"]


def test_null_in_either_qt_is_no_value():
    assert is_null(None)
    assert is_null(QVariant())
    assert not is_null(0)
    assert not is_given(" ")
    assert is_given(0)
