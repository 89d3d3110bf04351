"""Which of the prompts of one call belong to which object."""

from __future__ import annotations

import pytest
from prompt_segmenter.test.algorithms.conftest import bounds, centre, outline_of
from prompt_segmenter.test.algorithms.test_segmentprompts import SQUARE_PIXELS, extent, point_layer, wkt
from prompt_segmenter.test.helpers.processing_run import run
from qgis.core import QgsFeature, QgsGeometry, QgsRectangle, QgsVectorLayer

pytestmark = pytest.mark.usefixtures("fake_model")


def test_single_points_of_a_layer_are_one_object_with_its_exclude_points(scene):
    x, y = centre("a")
    layer = point_layer((f"Point ({x} {y})", 1, "one"), ("Point (500002 4599998)", 0, "one"))

    (feature,) = run(INPUT=scene, POINTS=layer, LABEL_FIELD="label", **SQUARE_PIXELS).features

    assert feature["prompts"] == f"+{x:.12g},{y:.12g} -500002,4599998 EPSG:32633"
    assert outline_of(feature)[0] == pytest.approx(bounds("a"), abs=1e-6)


def test_a_group_field_tells_objects_apart_and_names_them(scene):
    rows = [(f"Point ({x} {y})", 1, name) for name in ("b", "a") for x, y in [centre(name)]]

    outcome = run(INPUT=scene, POINTS=point_layer(*rows), GROUP_FIELD="group", **SQUARE_PIXELS)

    assert [feature["object"] for feature in outcome.features] == ["b", "a"]
    assert [outline_of(feature)[0] for feature in outcome.features] == [
        pytest.approx(bounds(name), abs=1e-6) for name in ("b", "a")
    ]


def test_whole_numbers_of_a_group_field_stay_numbers(scene):
    rows = [(f"Point ({x} {y})", 1, number) for name, number in (("b", 7), ("a", 3)) for x, y in [centre(name)]]

    outcome = run(INPUT=scene, POINTS=point_layer(*rows, fields="label:integer,group:integer"), GROUP_FIELD="group")

    assert [feature["object"] for feature in outcome.features] == [7, 3]


def test_each_multipoint_feature_is_an_object_and_exclude_features_go_with_all(scene):
    rows = [(f"MultiPoint (({x} {y}))", 1, "") for name in ("a", "b") for x, y in [centre(name)]]
    layer = point_layer(*rows, ("MultiPoint ((500002 4599998))", 0, ""), kind="MultiPoint")

    outcome = run(INPUT=scene, POINTS=layer, LABEL_FIELD="label")

    assert outcome.results["COUNT"] == 2
    assert all("-500002,4599998" in feature["prompts"] for feature in outcome.features)


def test_each_point_of_a_layer_in_degrees_is_an_object(scene):
    rows = [(wkt(name, crs="EPSG:4326").split(";")[1].replace("MultiPoint ((", "Point (")[:-1], 1, "") for name in "ab"]

    outcome = run(INPUT=scene, POINTS=point_layer(*rows, crs="EPSG:4326"), OBJECTS="each_point", **SQUARE_PIXELS)

    assert [outline_of(feature)[0] for feature in outcome.features] == [
        pytest.approx(bounds(name), abs=1e-6) for name in ("a", "b")
    ]


def test_each_feature_of_a_box_layer_is_an_object(scene):
    layer = QgsVectorLayer("Polygon?crs=EPSG:32633", "boxes", "memory")
    for name in ("b", "a"):
        xmin, xmax, ymin, ymax = bounds(name)
        feature = QgsFeature()
        feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(xmin, ymin, xmax, ymax)))
        layer.dataProvider().addFeature(feature)

    outcome = run(INPUT=scene, BOXES=layer, **SQUARE_PIXELS)

    assert [outline_of(feature)[0] for feature in outcome.features] == [
        pytest.approx(bounds(name), abs=1e-6) for name in ("b", "a")
    ]


def test_direct_prompts_and_single_points_of_a_layer_are_one_object(scene):
    (xa, ya), (xb, yb) = centre("a"), centre("b")
    layer = point_layer((f"Point ({xb} {yb})", 1, ""), (f"Point ({xb + 2} {yb})", 1, ""))

    (feature,) = run(INPUT=scene, INCLUDE=wkt("a"), BOX=extent("a"), POINTS=layer).features

    xmin, xmax, ymin, ymax = bounds("a")
    assert feature["prompts"] == (
        f"+{xa:.12g},{ya:.12g} +{xb:.12g},{yb:.12g} +{xb + 2:.12g},{yb:.12g} "
        f"[{xmin:.12g},{ymin:.12g},{xmax:.12g},{ymax:.12g}] EPSG:32633"
    )


def test_direct_prompts_and_what_a_layer_tells_apart_are_several_objects(scene):
    x, y = centre("b")
    groups = point_layer((f"Point ({x} {y})", 1, "roof"))
    multi = point_layer((f"MultiPoint (({x} {y}))", 1, ""), kind="MultiPoint")

    grouped = run(INPUT=scene, INCLUDE=wkt("a"), POINTS=groups, GROUP_FIELD="group")
    each = run(INPUT=scene, INCLUDE=wkt("a"), POINTS=multi)

    assert [feature["object"] for feature in grouped.features] == ["1", "roof"]
    assert [feature["object"] for feature in each.features] == [1, 2]


def box_layer(*names):
    layer = QgsVectorLayer("Polygon?crs=EPSG:32633", "boxes", "memory")
    for name in names:
        xmin, xmax, ymin, ymax = bounds(name)
        feature = QgsFeature()
        feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(xmin, ymin, xmax, ymax)))
        assert layer.dataProvider().addFeature(feature)
    return layer


def test_exclude_points_of_a_layer_count_for_every_object_of_the_call(scene):
    layer = point_layer(("Point (500002 4599998)", 0, ""), fields="label:integer,group:string")

    for prompts in (
        {"INCLUDE": wkt("a")},
        {"BOX": extent("a")},
        {"BOXES": box_layer("a", "b")},
        {"INCLUDE": wkt("a", "b"), "OBJECTS": "each_point"},
    ):
        outcome = run(INPUT=scene, POINTS=layer, LABEL_FIELD="label", **prompts)
        texts = [feature["prompts"] for feature in outcome.features]
        assert [text.count("-500002,4599998") for text in texts] == [1] * len(texts), prompts
        assert texts


def test_features_without_a_geometry_are_passed_over(scene):
    click = wkt("a", crs="EPSG:4326").split(";")[1]
    layer = point_layer((click, 1, ""), kind="MultiPoint", crs="EPSG:4326")
    assert layer.dataProvider().addFeature(QgsFeature(layer.fields()))
    assert layer.featureCount() == 2

    outcome = run(INPUT=scene, POINTS=layer)

    assert outcome.error == ""
    assert len(outcome.features) == 1


def test_a_large_number_in_the_object_field_stays_what_it_is(scene, tmp_path):
    x, y = centre("a")
    layer = point_layer((f"Point ({x} {y})", 1, 30_000_000_017), fields="label:integer,group:int8")

    outcome = run(INPUT=scene, POINTS=layer, GROUP_FIELD="group", OUTPUT=str(tmp_path / "out.gpkg"))

    assert outcome.error == ""
    assert [feature["object"] for feature in outcome.features] == [30_000_000_017]
