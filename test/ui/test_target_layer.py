"""Keeping, correcting and removing objects: one step of the layer's own undo each, and nothing half done."""

from __future__ import annotations

import pytest
from prompt_segmenter.algorithms.bridge import to_qgis_fields
from prompt_segmenter.core.errors import OutputError
from prompt_segmenter.core.outlines.results import FIELDS
from prompt_segmenter.core.raster.crs import transform_points
from prompt_segmenter.test.ui.conftest import BOTTOM, LEFT, PROVENANCE, UTM, as_file, memory, outline, square, state
from prompt_segmenter.ui.target_layer import KeepSettings, OverlapRule, TargetLayer
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsDefaultValue,
    QgsFeature,
    QgsFieldConstraints,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import Qt

CLIP, SKIP = KeepSettings(OverlapRule.CLIP), KeepSettings(OverlapRule.SKIP)
MERGE = KeepSettings(merge_touching=True)


@pytest.fixture(params=["memory", "gpkg"])
def layer(request, project, tmp_path):
    made = memory()
    return made if request.param == "memory" else as_file(made, tmp_path / "kept.gpkg")


def keep(layer, *shapes, settings=None, **said):
    return TargetLayer(layer).keep(outline(*shapes, **said), UTM, PROVENANCE, settings)


def areas(layer):
    return sorted(round(feature.geometry().area(), 3) for feature in layer.getFeatures())


def undone_and_redone(layer, before):
    """Undo one step, which must give the state before, and redo it."""
    after = state(layer)
    assert after != before
    layer.undoStack().undo()
    assert state(layer) == before
    layer.undoStack().redo()
    assert state(layer) == after
    layer.undoStack().undo()


def test_a_new_layer_has_the_fields_of_the_algorithm_and_is_in_the_project(project):
    layer = TargetLayer.new_memory_layer(project, "Outlines", QgsCoordinateReferenceSystem(UTM))

    assert [field.name() for field in layer.fields()] == [field.name for field in FIELDS]
    assert layer.crs().authid() == UTM
    assert layer.wkbType() == QgsWkbTypes.Type.MultiPolygon
    assert project.mapLayer(layer.id()) is layer
    assert layer.renderer().symbol().color().alpha() < 100
    kept = TargetLayer(layer).keep(outline(square(0, 0), label="roof"), UTM, PROVENANCE)
    feature = layer.getFeature(kept.feature_id)
    assert (feature["label"], feature["score"], feature["model"]) == ("roof", 0.9, "starter")
    assert (feature["prompts"], feature["window"]) == ("+1,2 EPSG:32633", "0,0,64,64@64x64")


def test_a_new_layer_without_a_crs_takes_the_projects(project):
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:3857"))

    layer = TargetLayer.new_memory_layer(project, "Outlines", QgsCoordinateReferenceSystem())

    assert layer.crs().authid() == "EPSG:3857"


def test_keeping_is_one_step_that_undo_takes_back_exactly(layer):
    kept = keep(layer, square(0, 0), label="roof")

    assert kept.written
    assert "editing was switched on" in kept.message
    assert layer.undoStack().count() == 1
    assert layer.undoStack().text(0) == "Segment: keep object"
    assert layer.getFeature(kept.feature_id)["label"] == "roof"
    undone_and_redone(layer, [])


def test_what_is_kept_is_drawn_at_once(layer, heard):
    asked = heard(layer.repaintRequested)

    kept = keep(layer, square(0, 0))
    at_first = len(asked.values)
    TargetLayer(layer).remove(kept.feature_id)

    assert 1 <= at_first < len(asked.values)


def test_what_is_kept_can_be_saved(layer):
    keep(layer, square(0, 0), square(20, 0))
    keep(layer, square(40, 0))

    assert layer.commitChanges(), layer.commitErrors()
    assert areas(layer) == [100.0, 200.0]


def test_skip_leaves_out_what_overlaps_and_says_with_what(layer):
    first = keep(layer, square(0, 0))
    before, steps = state(layer), layer.undoStack().count()

    kept = keep(layer, square(5, 5), settings=SKIP)

    assert not kept.written
    assert kept.message == f"Skipped: the polygon {first.feature_id} is already there."
    assert (state(layer), layer.undoStack().count()) == (before, steps)
    assert keep(layer, square(10, 0), settings=SKIP).written  # it only shares a side


def test_skipping_does_not_switch_editing_on(layer):
    keep(layer, square(0, 0))
    layer.commitChanges()

    keep(layer, square(0, 0), settings=SKIP)

    assert not layer.isEditable()


def test_clip_keeps_what_is_free_with_its_own_measures(layer):
    keep(layer, square(0, 0))
    before = state(layer)

    kept = keep(layer, square(5, 0), settings=CLIP)

    feature = layer.getFeature(kept.feature_id)
    assert kept.message == "clipped"
    assert feature.geometry().area() == pytest.approx(50.0, abs=1e-3)
    assert feature["area_m2"] == pytest.approx(50.0, rel=2e-3)
    assert feature["settings"] == "parts=all clipped"
    undone_and_redone(layer, before)


def test_clip_skips_what_has_no_room_left(layer):
    keep(layer, square(0, 0, 20))

    kept = keep(layer, square(5, 5), settings=CLIP)

    assert not kept.written
    assert "nothing is left" in kept.message


def test_merge_gives_one_object_with_the_attributes_of_the_largest(layer):
    keep(layer, square(0, 0), label="a", score=0.5)
    keep(layer, square(15, 0, 20), label="a", score=0.6)
    keep(layer, square(100, 0), label="a")
    before, steps = state(layer), layer.undoStack().count()

    kept = keep(layer, square(8, 0), settings=KeepSettings(merge_touching=True, label="a"), score=0.7)

    assert kept.message == "merged with 2"
    assert layer.undoStack().count() == steps + 1
    assert areas(layer) == pytest.approx([100.0, 100.0 + 400.0 + 50.0], abs=1e-3)
    feature = layer.getFeature(kept.feature_id)
    assert (feature["score"], feature["settings"]) == (0.6, "parts=all merged")
    assert feature["area_m2"] == pytest.approx(550.0, rel=2e-3)
    undone_and_redone(layer, before)


def test_objects_of_another_class_are_not_merged_but_obey_the_overlap_rule(layer):
    keep(layer, square(0, 0), label="roof")
    keep(layer, square(10, 0), label="road")

    keep(layer, square(5, 0), settings=KeepSettings(OverlapRule.CLIP, merge_touching=True, label="roof"))

    assert areas(layer) == [100.0, 100.0]  # roof was whole to 10 already; the rest was the road's


def test_an_object_without_a_class_is_merged_with_any(layer):
    keep(layer, square(0, 0), label="roof")

    kept = keep(layer, square(5, 0), settings=MERGE)

    assert areas(layer) == [150.0]
    assert layer.getFeature(kept.feature_id)["label"] == "roof"


def test_a_corner_is_no_touch(layer):
    keep(layer, square(0, 0))

    keep(layer, square(10, 10), settings=MERGE)

    assert areas(layer) == [100.0, 100.0]


def test_several_parts_become_several_features_where_the_layer_takes_single_polygons(project, tmp_path):
    for layer in (memory("Polygon"), as_file(memory("Polygon"), tmp_path / "single.gpkg")):
        kept = keep(layer, square(0, 0), square(20, 0, 20))

        assert areas(layer) == [100.0, 400.0]
        assert layer.getFeature(kept.feature_id).geometry().area() == 400.0
        assert layer.undoStack().count() == 1
        assert sorted(f["area_m2"] for f in layer.getFeatures()) == pytest.approx([100.0, 400.0], rel=2e-3)
        assert "2 features" in kept.message
        assert layer.commitChanges(), layer.commitErrors()


@pytest.mark.parametrize("kind", ["PolygonZ", "MultiPolygonZM", "MultiPolygonM"])
def test_the_geometry_takes_the_type_of_the_layer(project, kind):
    layer = memory(kind)

    kept = keep(layer, square(0, 0))

    geometry = layer.getFeature(kept.feature_id).geometry()
    assert geometry.wkbType() == layer.wkbType()
    assert geometry.area() == 100.0
    assert layer.commitChanges(), layer.commitErrors()


@pytest.mark.parametrize("kind", ["CurvePolygon", "MultiSurface"])
def test_layers_with_curves_take_outlines_too(project, kind):
    layer = memory(kind)

    keep(layer, square(0, 0))

    assert layer.commitChanges(), layer.commitErrors()
    assert areas(layer) == [100.0]


def test_the_outline_is_moved_to_the_crs_of_the_layer(project):
    layer = memory(crs="EPSG:4326")

    kept = keep(layer, square(0, 0))

    box = layer.getFeature(kept.feature_id).geometry().boundingBox()
    assert box.xMinimum() == pytest.approx(15.0, abs=1e-9)
    assert box.width() == pytest.approx(10.0 / 83_000, rel=0.02)


def test_an_existing_layer_gets_the_fields_that_it_has_in_their_own_types(project, tmp_path):
    layer = memory(fields="CLASS:string(4),Score:integer,model:integer,created:string(10),other:string")

    kept = keep(layer, square(0, 0), label="building", score=0.9)

    feature = layer.getFeature(kept.feature_id)
    assert (feature["CLASS"], feature["Score"], feature["created"]) == ("buil", 1, "2026-01-01")
    assert not feature["model"] and not feature["other"]
    made = memory(fields="label:string(5),perimeter_m:double,model_sha256:string")
    shapefile = as_file(made, tmp_path / "s.shp", "ESRI Shapefile")
    kept = keep(shapefile, square(0, 0), label="a long one")
    feature = shapefile.getFeature(kept.feature_id)
    assert (feature["label"], feature["perimeter_"], feature["model_sha2"]) == ("a lon", 40.0, "ab" * 32)
    assert shapefile.commitChanges(), shapefile.commitErrors()


def test_the_time_goes_into_fields_for_times(project, tmp_path):
    for kind, year in (("datetime", "2026-01-01T00:00:00Z"), ("date", "2026-01-01")):
        made = memory(fields=f"created:{kind}")
        for layer in (made, as_file(made, tmp_path / f"{kind}.gpkg")):
            kept = keep(layer, square(0, 0))
            assert layer.getFeature(kept.feature_id)["created"].toString(Qt.DateFormat.ISODate) == year
            assert layer.commitChanges(), layer.commitErrors()


def test_default_values_of_the_layer_count_where_the_outline_has_none(layer):
    layer.setDefaultValueDefinition(layer.fields().lookupField("label"), QgsDefaultValue("'from ' || 'QGIS'"))

    kept = keep(layer, square(0, 0))

    assert layer.getFeature(kept.feature_id)["label"] == "from QGIS"
    assert layer.getFeature(keep(layer, square(50, 0), label="mine").feature_id)["label"] == "mine"


def test_a_hard_constraint_is_an_error_and_changes_nothing(layer):
    index = layer.fields().lookupField("label")
    layer.setFieldConstraint(
        index,
        QgsFieldConstraints.Constraint.ConstraintNotNull,
        QgsFieldConstraints.ConstraintStrength.ConstraintStrengthHard,
    )

    with pytest.raises(OutputError, match=r"'label' of .* refuses the object"):
        keep(layer, square(0, 0))

    assert not layer.isEditable()
    assert keep(layer, square(0, 0), label="roof").written


def test_the_answer_of_the_form_is_written_and_a_cancelled_form_keeps_nothing(layer):
    def fill(asked, feature):
        assert asked is layer
        feature["label"] = "from the form"
        return feature

    kept = TargetLayer(layer, ask_form=fill).keep(outline(square(0, 0)), UTM, PROVENANCE)
    assert layer.getFeature(kept.feature_id)["label"] == "from the form"
    before = state(layer)

    kept = TargetLayer(layer, ask_form=lambda *_: None).keep(outline(square(0, 0)), UTM, PROVENANCE)

    assert not kept.written
    assert "cancelled" in kept.message
    assert state(layer) == before


@pytest.mark.parametrize("everywhere", [True, False])
def test_the_projects_rule_against_overlaps_is_obeyed(layer, everywhere):
    project = QgsProject.instance()
    modes = QgsProject.AvoidIntersectionsMode
    if everywhere:
        other = memory(crs="EPSG:4326")
        keep(other, square(0, 0))
        project.addMapLayer(other)
        project.setAvoidIntersectionsMode(modes.AvoidIntersectionsLayers)
        project.setAvoidIntersectionsLayers([other])
    else:
        keep(layer, square(0, 0))
        project.setAvoidIntersectionsMode(modes.AvoidIntersectionsCurrentLayer)

    kept = keep(layer, square(5, 0))

    assert kept.message.startswith("clipped")
    assert layer.getFeature(kept.feature_id).geometry().area() == pytest.approx(50.0, abs=1e-3)


def test_topological_editing_gives_neighbours_the_new_vertices(layer):
    project = QgsProject.instance()
    first = keep(layer, square(0, 0, 20))
    before = state(layer)
    project.setTopologicalEditing(True)

    keep(layer, square(20, 5))

    vertices = {(v.x() - LEFT, v.y() - BOTTOM) for v in layer.getFeature(first.feature_id).geometry().vertices()}
    assert {(20.0, 5.0), (20.0, 15.0)} <= vertices
    undone_and_redone(layer, before)


def test_a_failure_in_the_middle_leaves_nothing_half_done(layer, monkeypatch):
    keep(layer, square(0, 0))
    layer.commitChanges()
    before = state(layer)
    monkeypatch.setattr(type(layer), "deleteFeature", lambda *_: False)
    keep(layer, square(12, 0))
    between, steps = state(layer), layer.undoStack().count()

    with pytest.raises(OutputError, match="can't be deleted"):
        keep(layer, square(8, 0), settings=MERGE)

    assert (state(layer), layer.undoStack().count()) == (between, steps)
    layer.undoStack().undo()
    assert state(layer) == before


def test_a_layer_that_cannot_be_edited_is_an_error(project, tmp_path):
    locked = memory()
    locked.setReadOnly(True)
    text = tmp_path / "points.csv"
    text.write_text('wkt;label\n"Polygon ((0 0, 1 0, 1 1, 0 0))";a\n')
    virtual = QgsVectorLayer(f"{text.as_uri()}?delimiter=;&wktField=wkt&crs={UTM}", "csv", "delimitedtext")
    assert virtual.isValid()
    for layer in (locked, virtual):
        with pytest.raises(OutputError, match="can't be edited"):
            keep(layer, square(0, 0))
        with pytest.raises(OutputError, match="can't be edited"):
            TargetLayer(layer).remove(1)
    with pytest.raises(OutputError, match="not a polygon layer"):
        keep(memory("Point"), square(0, 0))


def test_correcting_replaces_geometry_and_provenance_in_one_step(layer):
    kept = keep(layer, square(0, 0), label="roof", score=0.5)
    before, steps = state(layer), layer.undoStack().count()

    again = TargetLayer(layer).replace(kept.feature_id, outline(square(0, 0, 5), score=0.8), UTM, PROVENANCE)

    assert again.feature_id == kept.feature_id
    assert layer.undoStack().count() == steps + 1
    feature = layer.getFeature(kept.feature_id)
    assert (feature.geometry().area(), feature["label"], feature["score"]) == (25.0, "roof", 0.8)
    undone_and_redone(layer, before)


def test_a_correction_in_several_parts_keeps_them_all(project):
    layer = memory("Polygon")
    kept = keep(layer, square(0, 0), label="roof")
    before = state(layer)

    TargetLayer(layer).replace(kept.feature_id, outline(square(0, 0, 5), square(20, 0, 6)), UTM, PROVENANCE)

    assert areas(layer) == [25.0, 36.0]
    assert [f["label"] for f in layer.getFeatures()] == ["roof", "roof"]
    undone_and_redone(layer, before)


def test_removing_is_one_step(layer):
    kept = keep(layer, square(0, 0))
    before = state(layer)

    TargetLayer(layer).remove(kept.feature_id)

    assert state(layer) == []
    assert layer.undoStack().undoText() == "Segment: remove object"
    layer.undoStack().undo()
    assert state(layer) == before


def test_what_is_no_longer_there_is_an_error(layer):
    for change in (
        lambda: TargetLayer(layer).remove(4711),
        lambda: TargetLayer(layer).replace(4711, outline(square(0, 0)), UTM, PROVENANCE),
    ):
        with pytest.raises(OutputError, match="4711 is no longer in"):
            change()
    assert not layer.isEditable()


def test_the_innermost_polygon_under_a_point_is_found_in_any_crs(layer):
    keep(layer, square(0, 0, 20))
    layer.commitChanges()
    top = keep(layer, square(5, 5))
    target = TargetLayer(layer)
    here, degrees = QgsCoordinateReferenceSystem(UTM), QgsCoordinateReferenceSystem("EPSG:4326")

    assert target.at(QgsPointXY(LEFT + 6, BOTTOM + 6), here).id() == top.feature_id
    assert target.at(QgsPointXY(LEFT + 1, BOTTOM + 1), here).geometry().area() == 400.0
    assert target.at(QgsPointXY(LEFT + 30, BOTTOM + 30), here) is None
    ((x, y),) = transform_points([(LEFT + 6, BOTTOM + 6)], UTM, "EPSG:4326")
    assert target.at(QgsPointXY(x, y), degrees).id() == top.feature_id


def test_five_thousand_neighbours_are_not_looked_at_one_by_one(project, tmp_path, monkeypatch):
    made = memory()
    features = []
    for index in range(5000):
        feature = QgsFeature(made.fields())
        geometry = QgsGeometry()
        geometry.fromWkb(square(12 * (index % 100), 12 * (index // 100)).wkb)
        feature.setGeometry(geometry)
        features.append(feature)
    made.dataProvider().addFeatures(features)
    asked = []
    real = QgsGeometry.intersects
    monkeypatch.setattr(QgsGeometry, "intersects", lambda self, other: asked.append(1) or real(self, other))
    for layer in (made, as_file(made, tmp_path / "many.gpkg")):
        asked.clear()
        kept = keep(layer, square(606, 306), settings=CLIP)

        assert layer.getFeature(kept.feature_id).geometry().area() == pytest.approx(100.0 - 4 * 16.0, abs=1e-3)
        assert len(asked) < 20


def test_computed_fields_are_left_to_the_layer(layer):
    layer.addExpressionField("'computed'", to_qgis_fields((FIELDS[5],)).at(0))

    kept = keep(layer, square(0, 0))
    TargetLayer(layer).replace(kept.feature_id, outline(square(0, 0, 5)), UTM, PROVENANCE)

    assert layer.getFeature(kept.feature_id)["model"] == "computed"


def test_a_layer_that_was_removed_is_an_error_and_holds_nothing(project):
    layer = TargetLayer.new_memory_layer(project, "Outlines", QgsCoordinateReferenceSystem(UTM))
    target = TargetLayer(layer)
    project.removeMapLayer(layer.id())

    with pytest.raises(OutputError, match="no longer in the project"):
        target.keep(outline(square(0, 0)), UTM, PROVENANCE)
    assert target.at(QgsPointXY(LEFT, BOTTOM), QgsCoordinateReferenceSystem(UTM)) is None


def test_a_default_value_that_counts_what_is_there_counts_each_object_of_many(project):
    layer = memory(fields="label:string,number:integer")
    project.addMapLayer(layer)
    index = layer.fields().lookupField("number")
    layer.setDefaultValueDefinition(index, QgsDefaultValue('coalesce(maximum("number"), 0) + 1'))
    TargetLayer(layer).keep_all([outline(square(20 * i, 0)) for i in range(3)], UTM, PROVENANCE, KeepSettings())
    assert sorted(feature["number"] for feature in layer.getFeatures()) == [1, 2, 3]
