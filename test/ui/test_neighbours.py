"""What lies around a place is the same whether the layer is asked or what was written to it is known."""

from __future__ import annotations

import random

import pytest
from prompt_segmenter.test.ui.conftest import PROVENANCE, UTM, as_file, memory, outline, square
from prompt_segmenter.ui import placement
from prompt_segmenter.ui.neighbours import Neighbours, near
from prompt_segmenter.ui.placement import OverlapRule
from prompt_segmenter.ui.target_layer import KeepSettings, TargetLayer
from qgis.core import Qgis, QgsFeature, QgsGeometry, QgsProject


def feature(layer, shape):
    made = QgsFeature(layer.fields())
    made.setGeometry(QgsGeometry.fromWkt(shape.wkt))
    return made


def told(features):
    return sorted((each.id(), each.geometry().asWkt(3)) for each in features)


def test_it_is_what_the_layer_says_whatever_was_written(project):
    layer, chance = memory(), random.Random(4)
    layer.dataProvider().addFeatures([feature(layer, square(chance.randrange(100), 0)) for _ in range(20)])
    layer.startEditing()
    layer.addFeature(feature(layer, square(30, 0)))
    layer.deleteFeature(3)
    known = Neighbours(layer)
    for turn in range(60):
        spot = QgsGeometry.fromWkt(square(chance.randrange(100), 0, chance.choice((2.0, 10.0))).wkt).boundingBox()
        assert told(known.near(spot)) == told(near(layer, spot))
        there = known.near(spot)
        if there and turn % 3 == 0:
            gone = chance.choice(there)
            layer.deleteFeature(gone.id())
            known.remove([gone])
        elif there and turn % 3 == 1:
            changed, shape = chance.choice(there), QgsGeometry.fromWkt(square(chance.randrange(100), 5).wkt)
            layer.changeGeometry(changed.id(), shape)
            known.change(changed, shape)
        else:
            new = feature(layer, square(chance.randrange(100), 0))
            layer.addFeature(new)
            known.add([new])


@pytest.mark.parametrize(
    ("settings", "areas"),
    [
        (KeepSettings(overlap=OverlapRule.SKIP), [100.0, 100.0]),
        (KeepSettings(overlap=OverlapRule.CLIP), [20.0, 60.0, 100.0, 100.0]),
        (KeepSettings(merge_touching=True), [280.0]),
    ],
)
def test_objects_that_are_written_in_a_row_heed_each_other_and_the_layer_is_not_asked_for_them(
    project, monkeypatch, settings, areas
):
    monkeypatch.setattr(placement, "near", None)
    layer = memory()
    TargetLayer(layer).keep_all([outline(square(6 * i, 0)) for i in (0, 1, 3, 2)], UTM, PROVENANCE, settings)
    assert sorted(round(each.geometry().area(), 6) for each in layer.getFeatures()) == areas


def test_the_projects_own_rule_against_overlaps_goes_by_what_was_written_too(project, monkeypatch):
    monkeypatch.setattr(placement, "near", None)
    layer = memory()
    project.setAvoidIntersectionsMode(QgsProject.AvoidIntersectionsMode.AvoidIntersectionsCurrentLayer)
    given = [outline(square(6 * i, 0)) for i in (0, 1, 3, 2)]
    TargetLayer(layer).keep_all(given, UTM, PROVENANCE, KeepSettings())
    areas = sorted(round(each.geometry().area(), 6) for each in layer.getFeatures())
    assert areas == [20.0, 60.0, 100.0, 100.0]


@pytest.mark.parametrize("settings", [KeepSettings(overlap=OverlapRule.CLIP), KeepSettings(merge_touching=True)])
def test_where_what_is_written_is_at_once_in_the_file_nothing_is_there_twice(project, tmp_path, settings):
    layer = as_file(memory(), tmp_path / "kept.gpkg")
    set_transactions(project)
    project.addMapLayer(layer)
    assert layer.startEditing()
    given = [outline(square(6 * i, 0)) for i in (0, 1, 3, 2)]
    TargetLayer(layer).keep_all(given, UTM, PROVENANCE, settings)
    written = sorted(round(each.geometry().area(), 6) for each in layer.getFeatures())
    assert written == ([280.0] if settings.merge_touching else [20.0, 60.0, 100.0, 100.0])
    assert layer.rollBack()


def set_transactions(project):
    if hasattr(project, "setTransactionMode"):
        project.setTransactionMode(Qgis.TransactionMode.AutomaticGroups)
    else:
        project.setAutoTransaction(True)
