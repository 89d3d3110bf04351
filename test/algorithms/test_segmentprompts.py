from __future__ import annotations

import sys
import weakref

import pytest
from prompt_segmenter.algorithms import segmentprompts
from prompt_segmenter.core import native
from prompt_segmenter.core.errors import DependencyError
from prompt_segmenter.core.outlines.results import FIELDS
from prompt_segmenter.core.version import VERSION
from prompt_segmenter.test.algorithms.conftest import bounds, centre, outline_of
from prompt_segmenter.test.helpers.processing_run import run
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProject,
    QgsRectangle,
    QgsReferencedGeometry,
    QgsReferencedPointXY,
    QgsReferencedRectangle,
    QgsSingleBandGrayRenderer,
    QgsVectorLayer,
    QgsWkbTypes,
)

pytestmark = pytest.mark.usefixtures("fake_model")
SQUARE_PIXELS = {"SIMPLIFY": 0.0}


def wkt(*names, crs=""):
    points = [centre(name) for name in names]
    if crs:
        way = QgsCoordinateTransform(
            QgsCoordinateReferenceSystem("EPSG:32633"), QgsCoordinateReferenceSystem(crs), QgsProject.instance()
        )
        points = [way.transform(QgsPointXY(*point)) for point in points]
        points = [(point.x(), point.y()) for point in points]
    text = ", ".join(f"({x:.12f} {y:.12f})" for x, y in points)
    return f"{f'CRS={crs};' if crs else ''}MultiPoint ({text})"


def extent(name):
    return ",".join(f"{value:.3f}" for value in bounds(name))


def point_layer(*rows, fields="label:integer,group:string", kind="Point", crs="EPSG:32633"):
    layer = QgsVectorLayer(f"{kind}?crs={crs}&field={fields.replace(',', '&field=')}", "clicks", "memory")
    for geometry, *values in rows:
        feature = QgsFeature(layer.fields())
        feature.setGeometry(QgsGeometry.fromWkt(geometry))
        feature.setAttributes(values)
        assert layer.dataProvider().addFeature(feature)
    return layer


def test_a_layer_is_segmented_where_rasterio_is_not_installed(scene, monkeypatch):
    # the layer's provider reads the pixels: QGIS on Windows comes without rasterio
    native._load.cache_clear()
    monkeypatch.setitem(sys.modules, "rasterio", None)

    outcome = run(INPUT=scene, INCLUDE=wkt("a"), **SQUARE_PIXELS)

    with pytest.raises(DependencyError):
        native.rasterio()
    assert outcome.error == outcome.refused == ""
    assert len(outcome.features) == 1


def test_a_click_gives_the_rectangle_under_it(scene):
    outcome = run(INPUT=scene, INCLUDE=wkt("a"), **SQUARE_PIXELS)

    assert outcome.error == outcome.refused == ""
    (feature,) = outcome.features
    box, area = outline_of(feature)
    assert box == pytest.approx(bounds("a"), abs=1e-6)
    assert area == pytest.approx(20 * 10 * 4, abs=1e-6)
    assert outcome.results["COUNT"] == 1
    assert outcome.results["SCORE"] == pytest.approx(0.8)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857", "EPSG:32632"])
def test_a_click_may_be_in_another_crs(scene, crs):
    (feature,) = run(INPUT=scene, INCLUDE=wkt("b", crs=crs), **SQUARE_PIXELS).features

    assert outline_of(feature)[0] == pytest.approx(bounds("b"), abs=1e-6)


def test_a_geometry_object_with_its_crs_is_taken_like_text(scene):
    x, y = centre("a")
    crs = QgsCoordinateReferenceSystem("EPSG:32633")
    for value in (
        QgsPointXY(x, y),
        QgsGeometry.fromPointXY(QgsPointXY(x, y)),
        QgsReferencedGeometry(QgsGeometry.fromPointXY(QgsPointXY(x, y)), crs),
        QgsReferencedPointXY(QgsPointXY(x, y), crs),
    ):
        (feature,) = run(INPUT=scene, INCLUDE=value, **SQUARE_PIXELS).features
        assert outline_of(feature)[0] == pytest.approx(bounds("a"), abs=1e-6)


@pytest.mark.parametrize("kind", [QgsReferencedPointXY, QgsReferencedGeometry])
def test_a_geometry_object_in_another_crs_is_moved(scene, kind):
    degrees = QgsCoordinateReferenceSystem("EPSG:4326")
    way = QgsCoordinateTransform(QgsCoordinateReferenceSystem("EPSG:32633"), degrees, QgsProject.instance())
    point = way.transform(QgsPointXY(*centre("a")))
    value = kind(point if kind is QgsReferencedPointXY else QgsGeometry.fromPointXY(point), degrees)

    (feature,) = run(INPUT=scene, INCLUDE=value, **SQUARE_PIXELS).features

    assert outline_of(feature)[0] == pytest.approx(bounds("a"), abs=1e-6)
    assert feature["prompts"].endswith("EPSG:4326")


def test_a_box_gives_the_rectangle_inside_it(scene):
    xmin, xmax, ymin, ymax = bounds("b")
    around = QgsRectangle(xmin - 6, ymin - 6, xmax + 6, ymax + 6)
    crs = QgsCoordinateReferenceSystem("EPSG:32633")
    for value in (extent("b"), f"{extent('b')} [EPSG:32633]", around, QgsReferencedRectangle(around, crs)):
        (feature,) = run(INPUT=scene, BOX=value, **SQUARE_PIXELS).features
        assert outline_of(feature)[0] == pytest.approx(bounds("b"), abs=1e-6)


def test_a_box_in_degrees_finds_the_same(scene):
    way = QgsCoordinateTransform(
        QgsCoordinateReferenceSystem("EPSG:32633"), QgsCoordinateReferenceSystem("EPSG:4326"), QgsProject.instance()
    )
    xmin, xmax, ymin, ymax = bounds("b")
    box = way.transformBoundingBox(QgsRectangle(xmin, ymin, xmax, ymax))
    text = f"{box.xMinimum():.12f},{box.xMaximum():.12f},{box.yMinimum():.12f},{box.yMaximum():.12f} [EPSG:4326]"

    (feature,) = run(INPUT=scene, BOX=text, **SQUARE_PIXELS).features

    assert outline_of(feature)[0] == pytest.approx(bounds("b"), abs=1e-6)


def test_all_include_points_are_one_object_unless_each_is_asked_for(scene):
    together = run(INPUT=scene, INCLUDE=wkt("a", "b"), **SQUARE_PIXELS)
    each = run(INPUT=scene, INCLUDE=wkt("a", "b"), OBJECTS="each_point", **SQUARE_PIXELS)

    assert together.results["COUNT"] == 1
    assert each.results["COUNT"] == 2
    assert [feature["object"] for feature in each.features] == [1, 2]
    assert [outline_of(feature)[0] for feature in each.features] == [
        pytest.approx(bounds(name), abs=1e-6) for name in ("a", "b")
    ]


def test_exclude_points_go_with_every_object_and_into_its_text(scene):
    outcome = run(INPUT=scene, INCLUDE=wkt("a", "b"), EXCLUDE="Point (500002 4599998)", OBJECTS="each_point")

    texts = [feature["prompts"] for feature in outcome.features]
    assert [text.count("-500002,4599998") for text in texts] == [1, 1]
    assert all(text.endswith("EPSG:32633") for text in texts)


def test_the_output_has_the_rasters_crs_and_all_fields_with_the_facts_of_the_run(scene):
    outcome = run(INPUT=scene, INCLUDE=wkt("a"), LABEL="roof", STRETCH="0:250", BANDS="3,2,1", **SQUARE_PIXELS)

    (feature,) = outcome.features
    assert outcome.layer.crs().authid() == "EPSG:32633"
    assert outcome.layer.wkbType() == QgsWkbTypes.Type.MultiPolygon
    assert [field.name() for field in outcome.layer.fields()] == [column.name for column in FIELDS]
    assert feature["label"] == "roof"
    assert feature["model"] == "same_brightness"
    assert feature["model_sha256"] == "0" * 64
    assert feature["score"] == pytest.approx(0.8)
    assert feature["stretch"] == "bands=3,2,1 stretch=0:250"
    assert feature["resolution"] == pytest.approx(2.0)
    assert feature["version"] == VERSION
    assert feature["source"].endswith("scene.tif")
    # on the ground: the UTM scale at its central meridian is 0.9996
    assert feature["area_m2"] == pytest.approx(800 / 0.9996**2, rel=1e-4)
    assert feature["perimeter_m"] == pytest.approx(120 / 0.9996, rel=1e-4)


def test_outline_settings_reach_the_outline(scene):
    plain = run(INPUT=scene, INCLUDE=wkt("a"), **SQUARE_PIXELS).features[0]
    grown = run(INPUT=scene, INCLUDE=wkt("a"), EXPAND=4.0, **SQUARE_PIXELS).features[0]

    assert grown["area_m2"] == pytest.approx((40 + 8) * (20 + 8), rel=2e-3)
    assert plain["area_m2"] == pytest.approx(800, rel=2e-3)


def test_nothing_found_is_an_empty_output_and_a_warning(scene, tmp_path):
    path = tmp_path / "out.gpkg"

    outcome = run(INPUT=scene, INCLUDE=wkt("a"), MIN_AREA=1e6, OUTPUT=str(path))

    assert outcome.error == ""
    assert outcome.results["COUNT"] == 0
    assert outcome.results["SCORE"] is None
    assert outcome.features == []
    assert len(outcome.warnings) == 1
    assert "nothing found" in outcome.warnings[0]
    assert path.exists()


@pytest.mark.parametrize("name", ["out.gpkg", "out.geojson", "out.shp", "out.fgb"])
def test_any_file_format_can_be_written(scene, tmp_path, name):
    path = tmp_path / name

    outcome = run(INPUT=scene, INCLUDE=wkt("a"), OUTPUT=str(path))

    assert outcome.error == ""
    layer = QgsVectorLayer(str(path), "out", "ogr")
    assert layer.featureCount() == 1
    assert next(layer.getFeatures()).geometry().isGeosValid()


def test_an_extent_and_resolution_are_looked_at_as_they_are(scene):
    extent = "500000,500240,4599800,4600000"

    outcome = run(INPUT=scene, INCLUDE=wkt("a"), EXTENT=extent, RESOLUTION=4.0, **SQUARE_PIXELS)

    (feature,) = outcome.features
    assert feature["resolution"] == pytest.approx(4.0)
    assert outline_of(feature)[0] == pytest.approx(bounds("a"), abs=4.0)


def test_the_styled_picture_is_looked_at_when_asked_for(scene):
    renderer = QgsSingleBandGrayRenderer(scene.dataProvider(), 1)
    scene.setRenderer(renderer)

    (feature,) = run(INPUT=scene, INCLUDE=wkt("a"), RENDER=True, **SQUARE_PIXELS).features

    assert feature["stretch"] == "bands=1,2,3 stretch=none pixels=drawn"
    assert outline_of(feature)[0] == pytest.approx(bounds("a"), abs=1e-6)


def test_the_layer_and_the_project_stay_as_they_were(scene):
    before = (scene.publicSource(), scene.crs().authid(), scene.renderer().type(), QgsProject.instance().crs().authid())

    run(INPUT=scene, INCLUDE=wkt("a"), RENDER=True)
    run(INPUT=scene, INCLUDE=wkt("a"))

    assert before == (
        scene.publicSource(),
        scene.crs().authid(),
        scene.renderer().type(),
        QgsProject.instance().crs().authid(),
    )


def test_the_run_keeps_no_hold_of_the_raster(scene):
    algorithm = segmentprompts.SegmentPromptsAlgorithm()
    algorithm.initAlgorithm()
    context, feedback = QgsProcessingContext(), QgsProcessingFeedback()
    parameters = {"INPUT": scene, "INCLUDE": wkt("a"), "MODEL": "starter", "OUTPUT": "memory:"}
    assert algorithm.prepareAlgorithm(parameters, context, feedback)
    provider = weakref.ref(algorithm._source._provider)

    results = algorithm.processAlgorithm(parameters, context, feedback)

    assert results["COUNT"] == 1
    assert provider() is None


def test_every_text_of_the_dialog_goes_through_the_translation(plugin, monkeypatch):
    monkeypatch.setattr(segmentprompts.SegmentPromptsAlgorithm, "tr", lambda self, text: f"~{text}")
    algorithm = segmentprompts.SegmentPromptsAlgorithm()
    algorithm.initAlgorithm()

    shown = [
        text for parameter in algorithm.parameterDefinitions() for text in (parameter.description(), parameter.help())
    ]
    shown += [output.description() for output in algorithm.outputDefinitions()]
    assert [text for text in shown if not text.startswith("~")] == []
