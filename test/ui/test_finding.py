"""Words, Everything and Similar: objects appear while a search runs, and are filtered and copied afterwards."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from prompt_segmenter.core import search
from prompt_segmenter.core.errors import Cancelled, ModelRunError, ServerUnavailableError, UnsupportedPromptError
from prompt_segmenter.core.models import catalogue
from prompt_segmenter.core.models.model import CertaintyPolicy
from prompt_segmenter.core.outlines.masks import PartRule
from prompt_segmenter.core.outlines.results import FIELDS
from prompt_segmenter.core.scan.overlaps import OverlapRule
from prompt_segmenter.test.algorithms.conftest import write_tif
from prompt_segmenter.test.helpers.fake_scan import WORDS, FakeScan, FakeStore
from prompt_segmenter.test.ui.conftest import as_file, outline, square
from prompt_segmenter.test.ui.stage import LEFT, TOP, Stage, until
from prompt_segmenter.ui import found_page
from prompt_segmenter.ui.finding import Finding
from prompt_segmenter.ui.found_layer import FoundLayer
from prompt_segmenter.ui.placement import OverlapRule as KeepRule
from prompt_segmenter.ui.scan_controls import Area, Closeness
from prompt_segmenter.ui.segment_panel import SegmentPanel
from prompt_segmenter.ui.session_source import Chosen, Sessions
from prompt_segmenter.ui.target_layer import KeepSettings
from prompt_segmenter.ui.workplace import connect_panel
from pytest_qgis.utils import wait
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeature,
    QgsGeometry,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorDataProvider,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest


def tree(col, score=0.9, label="tree", **more):
    return replace(outline(square(col, -20), label=label, score=score), **more)


class Desk:
    """The panel with the map, and somebody who presses its buttons."""

    def __init__(self, stage, panel, finding, store):
        self.stage, self.panel, self.finding, self.store = stage, panel, finding, store
        self.failures, self.copied = [], []
        finding.failed.connect(self.failures.append)
        finding.copied.connect(self.copied.append)

    def type(self, text):
        self.panel.words.text.setEditText(text)

    def begin(self, page="words"):
        getattr(self.panel, page).find.click()

    def find(self, page="words"):
        self.begin(page)
        self.settle()

    def settle(self):
        until(lambda: self.finding.search.run is None)
        wait(10)

    def page(self, name="words"):
        return getattr(self.finding, name)

    def layer(self, page="words"):
        found = self.page(page).layer
        return None if found is None else found.layer

    def said(self, page="words"):
        return getattr(self.panel, page).results.status.text.text()

    def count(self, page="words"):
        return getattr(self.panel, page).results.count.text()

    def slide(self, value, page="words"):
        getattr(self.panel, page).results.set_threshold(value)
        wait(80)


@pytest.fixture
def scan(monkeypatch):
    made = FakeScan([tree(0), tree(20, 0.4)], [tree(40, 0.6)])
    monkeypatch.setattr(search, "Scan", made)
    for name in ("words_finder", "everything_finder", "similar_finder"):
        monkeypatch.setattr(search, name, lambda *given, name=name: (name, *given))
    yield made
    made.let = 99


@pytest.fixture
def raster(tmp_path, project):
    data = np.full((3, 100, 100), 90, np.uint8)
    path = write_tif(tmp_path / "a.tif", data, transform=(2, 0, LEFT, 0, -2, TOP), photometric="RGB")
    layer = QgsRasterLayer(path, "photo")
    project.addMapLayer(layer)
    return layer


@pytest.fixture
def one_word_model(monkeypatch):
    monkeypatch.setattr(catalogue, "SPECS", (*(s for s in catalogue.SPECS if "words" not in s.accepts), WORDS))


@pytest.fixture
def desk(qgis_canvas, qgis_parent, raster, scan, one_word_model):
    store = FakeStore()
    panel = SegmentPanel(store=store)
    stage = Stage(qgis_canvas, qgis_parent)
    qgis_canvas.setLayers([raster])
    connect_panel(stage.segmenter, panel)
    panel.set_layer(raster)
    # deleted with the panel, by this thread: Python may collect it in any
    finding = Finding(qgis_canvas, panel, stage.segmenter, store=store, models=store, parent=panel)
    desk = Desk(stage, panel, finding, store)
    desk.type("tree")
    yield desk
    scan.let = 99
    assert finding.close()
    stage.close()
    panel.close()
    panel.deleteLater()


@pytest.fixture
def strict(desk, monkeypatch):
    """Another click model, which takes less for an object."""
    spec = replace(catalogue.get("starter"), name="strict", title="Strict", certainty=CertaintyPolicy(min_score=0.85))
    monkeypatch.setattr(catalogue, "SPECS", (*catalogue.SPECS, spec))
    desk.panel._model.refresh()
    return spec


def test_objects_appear_while_the_search_runs_and_the_layer_is_named_after_the_words(desk, scan):
    scan.let = 1
    desk.begin()
    until(lambda: desk.layer() is not None and desk.page().layer.total == 2)

    layer = desk.layer()
    assert desk.finding.search.run is not None and layer.name() == "tree"
    assert layer.featureCount() == 1, "one is below the threshold"
    assert desk.count() == "1 of 2 shown"
    assert not desk.panel.words.results.status.bar.isHidden()
    until(lambda: desk.said() == "Window 2 of 2: 2 found so far")
    assert not desk.panel.words.find.isEnabled() and not desk.panel.everything.find.isEnabled()
    scan.let = 2
    desk.settle()

    assert desk.said() == "3 found."
    assert desk.count() == "2 of 3 shown"
    assert desk.panel.words.find.isEnabled() and desk.panel.words.results.status.bar.isHidden()
    assert threading.main_thread() not in scan.threads
    assert desk.failures == []


def test_every_object_has_all_attributes_once_the_search_is_over(desk, scan):
    desk.find()
    desk.slide(0.0)
    features = list(desk.layer().getFeatures())
    assert [field.name() for field in desk.layer().fields()] == [column.name for column in FIELDS]
    assert sorted(feature["score"] for feature in features) == [0.4, 0.6, 0.9]
    for feature in features:
        assert (feature["model"], feature["model_sha256"]) == ("starter_words + starter", "cd" * 32)
        assert (feature["label"], feature["source"], feature["settings"]) == ("tree", "scene.tif", "windows")
    assert desk.layer().crs().authid() == "EPSG:32633"


def test_the_slider_hides_and_shows_without_another_search_and_loses_nothing(desk, scan):
    desk.find()
    for value, shown in ((0.95, 0), (0.7, 1), (0.0, 3), (0.5, 2)):
        desk.slide(value)
        assert desk.layer().featureCount() == shown == len(list(desk.layer().getFeatures()))
        assert desk.count() == f"{shown} of 3 shown"
    assert len(scan.calls) == 1


def test_the_slider_works_while_the_layer_is_edited_and_edits_stay(desk, scan):
    desk.find()
    layer = desk.layer()
    desk.slide(0.5)
    assert layer.startEditing()
    best = next(feature for feature in layer.getFeatures() if feature["score"] == 0.9)
    assert layer.deleteFeature(best.id())
    assert desk.count() == "1 of 2 shown"
    other = next(layer.getFeatures())
    assert layer.changeAttributeValue(other.id(), layer.fields().lookupField("label"), "shrub")

    desk.slide(0.0)
    assert sorted(feature["score"] for feature in layer.getFeatures()) == [0.4, 0.6]
    desk.slide(0.5)
    assert [feature["label"] for feature in layer.getFeatures()] == ["shrub"]
    layer.undoStack().undo()
    layer.undoStack().undo()
    assert desk.count() == "2 of 3 shown"
    assert layer.commitChanges()
    desk.slide(0.0)
    assert desk.layer().featureCount() == 3


def test_objects_without_a_score_are_always_shown(desk, scan):
    scan.batches = ([tree(0, float("nan")), tree(20, 0.2)],)
    desk.find()
    desk.slide(0.9)
    assert desk.count() == "1 of 2 shown" and desk.layer().featureCount() == 1


def test_several_words_become_classes_of_one_layer(desk, scan):
    scan.batches = ([tree(0), tree(20, label="building")],)
    desk.type(" building;tree; building")
    desk.find()

    assert desk.layer().name() == "building; tree"
    renderer = desk.layer().renderer()
    assert renderer.type() == "categorizedSymbol" and renderer.classAttribute() == "label"
    assert [category.value() for category in renderer.categories()][:2] == ["building", "tree"]
    assert scan.calls[0].finder[2] == ("building", "tree")


def test_what_the_layer_of_one_word_looks_like_is_one_colour_and_everything_has_many(desk, scan):
    desk.find()
    assert desk.layer().renderer().type() == "singleSymbol"
    scan.batches = ([tree(0, label="")],)
    desk.find("everything")
    assert desk.layer("everything").renderer().type() == "singleSymbol"
    assert desk.layer("everything").renderer().symbol().symbolLayer(0).hasDataDefinedProperties()


def test_words_are_remembered_once_they_were_looked_for(desk, scan):
    for text in ("pond", "tree; road"):
        desk.type(text)
        desk.find()
    box = desk.panel.words.text
    assert [box.itemText(row) for row in range(box.count())] == ["tree; road", "pond"]
    assert desk.panel.words.words() == "tree; road"


def test_enter_in_the_field_begins_the_search(desk, scan):
    QTest.keyClick(desk.panel.words.text.lineEdit(), Qt.Key.Key_Return)
    desk.settle()
    assert desk.count() == "2 of 3 shown" and len(scan.calls) == 1


def test_without_words_nothing_is_begun(desk, scan):
    desk.type(" ; ")
    desk.find()
    assert scan.calls == [] and desk.layer() is None
    assert "It did not work" in desk.said() and len(desk.failures) == 1


def test_an_unknown_word_is_said_with_what_is_known_and_leaves_no_layer(desk, scan):
    desk.store.words.refuses = UnsupportedPromptError("'castle' is not known.", hint="It knows: tree, building.")
    before = set(QgsProject.instance().mapLayers())
    desk.type("castle")
    desk.find()

    assert desk.said() == "It did not work: 'castle' is not known. It knows: tree, building."
    assert [type(error) for error in desk.failures] == [UnsupportedPromptError]
    assert set(QgsProject.instance().mapLayers()) == before and not desk.panel.words.results.has_result


def test_another_model_for_words_proposes_its_own_threshold(desk, monkeypatch):
    other = replace(WORDS, name="strict", title="Strict", confidence=0.2)
    monkeypatch.setattr(catalogue, "SPECS", (*catalogue.SPECS, other))
    desk.panel.words.model.refresh()
    assert desk.panel.words.results.threshold() == 0.5
    desk.panel.words.model.choose("strict")
    assert desk.panel.words.results.threshold() == 0.2


def test_nothing_found_is_an_empty_layer_and_a_suggestion(desk, scan):
    scan.batches = ([],)
    desk.find()
    assert desk.layer().featureCount() == 0 and desk.count() == "0 of 0 shown"
    assert desk.said().startswith("Nothing found. Try another word")
    assert not desk.panel.words.results.copy.isEnabled()


def test_what_is_all_below_the_threshold_is_said(desk, scan):
    scan.batches = ([tree(0, 0.2)],)
    desk.find()
    assert desk.said() == "1 found, all below the threshold: move the slider to the left to see them."


def test_stopping_keeps_what_was_found_if_that_is_wanted(desk, scan):
    scan.let = 1
    desk.begin()
    until(lambda: desk.page().layer.total == 2)
    desk.panel.words.results.status.cancel.click()
    desk.settle()

    assert desk.page().layer.total == 2 and desk.layer() is not None
    assert "Stopped: only a part was looked at." in desk.said()
    assert next(desk.layer().getFeatures())["model"] == "starter_words + starter"
    assert desk.panel.words.find.isEnabled()


def test_stopping_takes_the_layer_away_if_nothing_is_to_be_kept(desk, scan):
    before = set(QgsProject.instance().mapLayers())
    desk.panel.scan.keep.setChecked(False)
    scan.let = 1
    desk.begin()
    until(lambda: desk.page().layer.total == 2)
    desk.panel.words.results.status.cancel.click()

    assert desk.finding.search.run is None, "nobody waits for the thread"
    assert desk.said() == "Stopped." and desk.layer() is None
    assert set(QgsProject.instance().mapLayers()) == before
    assert scan.ended.wait(5.0)
    wait(20)
    assert desk.said() == "Stopped." and desk.failures == []


def test_a_second_press_on_stop_does_not_wait(desk, scan, monkeypatch):
    monkeypatch.setattr(FakeScan, "run", lambda self, progress, on_found=None: until_cancelled(self, progress))
    desk.begin()
    until(lambda: scan.threads)
    desk.panel.words.results.status.cancel.click()
    assert desk.finding.search.run is not None and desk.said() == "Stopping"
    scan.ended.set()
    desk.panel.words.results.status.cancel.click()
    assert desk.finding.search.run is None and desk.layer() is None


def until_cancelled(scan, progress):
    """Go on although it was asked to come to an end, as what waits for an answer may."""
    scan.threads.add(threading.current_thread())
    scan.ended.wait(10.0)
    raise ModelRunError("too late to matter")


def test_a_search_that_fails_keeps_what_it_found_and_can_be_tried_again(desk, scan):
    scan.fails = ModelRunError("The graph failed.")
    desk.find()
    assert [type(error) for error in desk.failures] == [ModelRunError]
    assert desk.said() == "It did not work: The graph failed. 3 found until then stay."
    assert desk.layer().featureCount() == 2
    scan.fails = None
    desk.finding.retry()
    desk.settle()
    assert desk.said() == "3 found."


def test_a_server_that_is_waited_for_goes_on_after_a_stop(desk, scan, monkeypatch):
    monkeypatch.setattr(catalogue, "SPECS", (*catalogue.SPECS[:-1], replace(WORDS, server="samgeo")))
    scan.let = 0
    desk.begin()
    until(lambda: scan.threads)
    wait(300)
    bar = desk.panel.words.results.status.bar
    assert (bar.minimum(), bar.maximum()) == (0, 0), "nobody knows how far a server is"
    desk.panel.words.results.status.cancel.click()
    desk.settle()
    assert "The server may go on with what it has begun." in desk.said()


def test_a_server_that_does_not_answer_is_an_error(desk, scan):
    scan.fails = ServerUnavailableError("No answer from the server.", hint="Start it.")
    scan.batches = ()
    desk.find()
    assert desk.said() == "It did not work: No answer from the server. Start it."
    assert desk.layer() is None


def test_the_layer_may_be_removed_in_the_middle(desk, scan, project):
    scan.let = 1
    desk.begin()
    until(lambda: desk.page().layer.total == 2)
    project.removeMapLayer(desk.layer().id())

    assert desk.finding.search.run is None and desk.layer() is None
    assert not desk.panel.words.results.has_result
    assert scan.ended.wait(5.0)
    wait(20)
    assert desk.failures == []


def test_the_image_may_be_removed_in_the_middle_and_what_was_found_stays(desk, scan, project, raster):
    scan.let = 1
    desk.begin()
    until(lambda: desk.page().layer.total == 2)
    project.removeMapLayer(raster.id())
    assert desk.finding.search.run is None
    assert desk.said() == "The image was removed. Stopped. 2 found until then stay."
    assert desk.layer().featureCount() == 1


def test_the_project_may_be_cleared_in_the_middle(desk, scan, project):
    scan.let = 1
    desk.begin()
    until(lambda: desk.page().layer.total == 2)
    project.clear()
    assert desk.finding.search.run is None and desk.layer() is None
    assert not desk.panel.words.results.has_result and desk.said() == ""
    desk.slide(0.3)


def test_the_plugin_may_be_unloaded_in_the_middle(desk, scan):
    scan.let = 1
    desk.begin()
    until(lambda: desk.page().layer.total == 2)
    assert desk.finding.close()
    wait(20)
    assert scan.ended.is_set()


def test_a_search_that_is_begun_while_another_runs_is_not(desk, scan):
    scan.let = 0
    desk.begin()
    desk.finding.find_everything()
    assert len(QgsProject.instance().mapLayersByName("Everything")) == 0
    scan.let = 99
    desk.settle()


def test_the_remove_button_takes_the_layer_away(desk, scan):
    before = set(QgsProject.instance().mapLayers())
    desk.find()
    desk.panel.words.results.remove.click()
    assert set(QgsProject.instance().mapLayers()) == before
    assert not desk.panel.words.results.has_result


def test_another_search_has_a_layer_of_its_own_and_the_one_before_stays(desk, scan):
    desk.find()
    first = desk.layer()
    desk.find()
    assert desk.layer() is not first and first.featureCount() == 2
    desk.slide(0.95)
    assert (first.featureCount(), desk.layer().featureCount()) == (2, 0)


def test_what_is_shown_is_copied_to_the_kept_objects_as_one_step(desk, scan):
    desk.find()
    desk.panel.words.results.copy.click()

    target = desk.stage.target()
    assert desk.copied == [target] and desk.panel.target() is target
    assert desk.said() == "2 copied to 'Segmented objects'."
    assert sorted(feature["score"] for feature in target.getFeatures()) == [0.6, 0.9]
    assert {feature["label"] for feature in target.getFeatures()} == {"tree"}
    assert target.undoStack().count() == 1
    target.undoStack().undo()
    assert target.featureCount() == 0


def test_copying_obeys_the_rule_for_overlaps_and_takes_corrections_with_it(desk, scan):
    desk.stage.segmenter.set_keep_settings(KeepSettings(KeepRule.SKIP, label="plant"))
    desk.find()
    layer = desk.layer()
    layer.startEditing()
    label = layer.fields().lookupField("label")
    for feature in list(layer.getFeatures()):
        layer.changeAttributeValue(feature.id(), label, "shrub" if feature["score"] == 0.9 else "")
    grown = next(feature for feature in layer.getFeatures() if feature["score"] == 0.9)
    layer.changeGeometry(grown.id(), grown.geometry().buffer(1.0, 4))
    desk.panel.words.results.copy.click()
    desk.panel.words.results.copy.click()

    kept = sorted(desk.stage.kept(), key=lambda feature: feature["label"])
    assert [feature["label"] for feature in kept] == ["plant", "shrub"]
    assert kept[1].geometry().area() > 130.0 and kept[1]["area_m2"] == pytest.approx(143.0, rel=0.05)
    assert desk.said().startswith("0 copied to") and "2 left out" in desk.said()


def stopped(found, count, text, parent):
    """Somebody who presses Cancel after the first object."""
    yield next(found)
    raise Cancelled("Stopped on request.")


def test_copying_that_is_stopped_in_the_middle_writes_nothing(desk, scan, monkeypatch):
    monkeypatch.setattr(found_page, "watched", stopped)
    desk.find()
    desk.panel.words.results.copy.click()

    # the layer that was made for the copies goes with them
    assert QgsProject.instance().mapLayersByName("Segmented objects") == []
    assert desk.said() == "Stopped: nothing was copied."
    assert desk.copied == desk.failures == []
    monkeypatch.undo()
    desk.panel.words.results.copy.click()
    (target,) = QgsProject.instance().mapLayersByName("Segmented objects")
    assert target.featureCount() == 2


def test_a_layer_that_was_chosen_stays_as_it_was_when_copying_is_stopped(desk, scan, monkeypatch):
    desk.find()
    desk.panel.words.results.copy.click()
    (target,) = QgsProject.instance().mapLayersByName("Segmented objects")
    target.undoStack().clear()
    monkeypatch.setattr(found_page, "watched", stopped)
    desk.find()
    desk.panel.words.results.copy.click()
    assert target.featureCount() == 2 and target.undoStack().count() == 0
    assert desk.said() == "Stopped: nothing was copied."


def test_a_layer_is_not_copied_onto_itself(desk, scan):
    desk.find()
    desk.stage.segmenter.choose_target(desk.layer())
    desk.panel.words.results.copy.click()
    assert "is the target layer itself" in desk.said() and desk.layer().featureCount() == 2


def test_where_to_look_is_what_the_canvas_shows_cut_to_the_image(desk, scan, raster):
    desk.stage.canvas.setExtent(QgsRectangle(LEFT - 50, TOP - 60, LEFT + 10, TOP))
    wait(5)
    desk.find()
    left, bottom, right, top = scan.settings.extent
    seen = desk.stage.canvas.mapSettings().visibleExtent()
    assert (left, top) == (LEFT, min(TOP, seen.yMaximum()))
    assert right == pytest.approx(seen.xMaximum()) and bottom == pytest.approx(seen.yMinimum())
    assert scan.settings.resolution is None
    assert scan.settings.outline.parts is PartRule.ALL


def test_the_whole_layer_and_the_canvas_resolution(desk, scan):
    desk.panel.scan.area.setCurrentIndex(desk.panel.scan.area.findData(Area.WHOLE))
    desk.panel.scan.closeness.setCurrentIndex(desk.panel.scan.closeness.findData(Closeness.CANVAS))
    desk.stage.show_view(scale=5.0)
    desk.find()
    assert scan.settings.extent is None
    assert scan.settings.resolution == pytest.approx(desk.stage.canvas.mapUnitsPerPixel())


def test_the_box_around_selected_polygons_of_another_crs(desk, scan, project):
    layer = QgsVectorLayer("Polygon?crs=EPSG:4326", "areas", "memory")
    project.addMapLayer(layer)
    area = QgsGeometry.fromRect(QgsRectangle(LEFT + 20, TOP - 80, LEFT + 120, TOP - 30))
    utm = QgsCoordinateReferenceSystem("EPSG:32633")
    area.transform(QgsCoordinateTransform(utm, layer.crs(), project))
    feature = QgsFeature()
    feature.setGeometry(area)
    layer.dataProvider().addFeatures([feature])
    desk.panel.scan.area.setCurrentIndex(desk.panel.scan.area.findData(Area.SELECTED))
    desk.find()
    assert "No polygon is selected" in desk.said() and scan.calls == []

    layer.selectAll()
    desk.find()
    expected = (LEFT + 20, TOP - 80, LEFT + 120, TOP - 30)
    assert scan.settings.extent == pytest.approx(expected, abs=0.5)


def test_an_image_that_lies_elsewhere_is_said(desk, scan):
    desk.stage.canvas.setExtent(QgsRectangle(LEFT + 9000, TOP - 600, LEFT + 9600, TOP))
    wait(5)
    desk.find()
    assert "The image lies elsewhere" in desk.said() and scan.calls == []


def test_what_the_canvas_shows_is_looked_at_as_it_is_drawn_without_what_was_found(desk, scan, raster):
    desk.find()
    desk.panel.set_layer(None)
    desk.stage.canvas.setLayers([desk.layer(), raster])
    desk.find()
    assert scan.calls[-1].source.uri == "map: photo"
    assert scan.settings.resolution == pytest.approx(desk.stage.canvas.mapUnitsPerPixel())


def test_what_was_found_changes_nothing_for_clicks_on_what_the_canvas_shows(desk, scan, raster):
    chosen, sessions, canvas = Chosen(None, styled=False, model="starter"), Sessions(), desk.stage.canvas
    before = sessions.key(chosen, canvas.mapSettings())
    desk.find()
    canvas.setLayers([desk.layer(), raster])
    assert sessions.key(chosen, canvas.mapSettings()) == before


def test_only_found_layers_on_the_canvas_are_no_image(desk, scan):
    desk.find()
    desk.panel.set_layer(None)
    desk.stage.canvas.setLayers([desk.layer()])
    desk.find()
    assert "shows no layer" in desk.said()


def test_sizes_overlaps_and_the_rule_for_a_stop_reach_the_scan(desk, scan):
    controls = desk.panel.scan
    controls.least.setValue(12.5)
    controls.most.setValue(300.0)
    controls.overlaps.setCurrentIndex(controls.overlaps.findData(OverlapRule.KEEP))
    controls.keep.setChecked(False)
    desk.find()
    settings = scan.settings
    assert (settings.min_area_m2, settings.max_area_m2, settings.keep_on_cancel) == (12.5, 300.0, False)
    assert settings.overlaps is OverlapRule.KEEP and settings.confidence == 0.0


def test_the_click_model_outlines_words_only_where_that_is_wanted(desk, scan):
    desk.find()
    assert desk.store.loads == ["any_words", "starter"]
    assert scan.calls[-1].finder[3] is not None
    desk.panel.words.outline_box.setChecked(False)
    desk.find()
    assert scan.calls[-1].finder[3] is None
    assert desk.store.loads == ["any_words", "starter"], "loaded once"


def test_everything_is_asked_of_the_click_model_and_covers_if_that_is_wanted(desk, scan):
    box = desk.panel.everything.closeness
    box.setCurrentIndex(box.findData(8))
    desk.find("everything")
    assert scan.calls[-1].finder[0] == "everything_finder" and scan.calls[-1].finder[2].step_px == 8
    assert desk.layer("everything").name() == "Everything"
    assert scan.settings.overlaps is OverlapRule.BEST
    # what the model itself takes for objects; what is vaguer comes when the slider is moved
    least = catalogue.get("starter").certainty.min_score
    assert desk.panel.everything.results.threshold() == least
    assert desk.count("everything") == "1 of 3 shown" and scan.calls[-1].finder[2].min_score == 0.3
    desk.slide(0.5, "everything")
    assert desk.count("everything") == "2 of 3 shown"
    desk.panel.everything.coverage_box.setChecked(True)
    desk.find("everything")
    assert scan.settings.overlaps is OverlapRule.COVERAGE
    assert scan.calls[-1].finder[2].min_score == 0.5, "the ground is divided among those that are shown"


def test_a_slider_that_stands_lower_finds_what_is_vaguer_still(desk, scan):
    desk.panel.everything.results.set_threshold(0.1)
    desk.find("everything")
    assert scan.calls[-1].finder[2].min_score == 0.1


def test_another_click_model_proposes_its_own_threshold_for_everything(desk, strict, monkeypatch):
    all_by_itself = replace(strict, name="alone", accepts=strict.accepts | {"everything"})
    monkeypatch.setattr(catalogue, "SPECS", (*catalogue.SPECS, all_by_itself))
    models, results = desk.panel._model, desk.panel.everything.results
    models.refresh()
    for name, threshold in (("strict", 0.85), ("alone", 0.0), ("starter", 0.75)):
        models.choose(name)
        assert results.threshold() == threshold


def test_another_model_leaves_the_result_of_the_last_one_as_it_is_until_the_next_search(desk, scan, strict):
    models, results = desk.panel._model, desk.panel.everything.results
    desk.find("everything")
    desk.slide(0.3, "everything")
    models.choose("strict")
    wait(80)
    assert results.threshold() == 0.3 and desk.count("everything") == "3 of 3 shown"
    desk.find("everything")
    assert results.threshold() == 0.85 and desk.count("everything") == "1 of 3 shown"


def test_the_layer_of_an_earlier_search_is_left_to_the_user_with_all_that_they_corrected(desk, scan):
    desk.find()
    desk.slide(0.0)
    first = desk.layer()
    label = first.fields().lookupField("label")
    numbers = {round(10 * feature["score"]): feature.id() for feature in first.getFeatures()}
    first.startEditing()
    first.changeAttributeValue(numbers[4], label, "shrub")
    assert first.commitChanges()
    first.startEditing()
    first.changeAttributeValue(numbers[6], label, "hedge")
    desk.slide(0.95)
    assert sorted(feature["label"] for feature in first.getFeatures()) == ["hedge", "shrub"]
    desk.find()

    assert desk.layer() is not first
    assert sorted(feature["label"] for feature in first.getFeatures()) == ["hedge", "shrub"]
    assert first.commitChanges()
    desk.slide(0.7)
    assert sorted(feature["label"] for feature in first.getFeatures()) == ["hedge", "shrub"]


def test_a_layer_that_is_saved_to_a_file_is_the_users_own(desk, scan, tmp_path):
    desk.find()
    layer = desk.layer()
    path = as_file(layer, tmp_path / "kept.gpkg").source()
    layer.setDataSource(path, layer.name(), "ogr")

    assert desk.layer() is None and not desk.panel.words.results.has_result
    desk.slide(0.95)
    assert layer.featureCount() == 2
    desk.find()
    assert desk.layer() is not layer and desk.count() == "0 of 3 shown"


def test_a_layer_that_is_saved_while_the_search_runs_ends_the_search(desk, scan, tmp_path):
    scan.let = 1
    desk.begin()
    until(lambda: desk.page().layer is not None and desk.page().layer.total == 2)
    layer = desk.layer()
    layer.setDataSource(as_file(layer, tmp_path / "kept.gpkg").source(), layer.name(), "ogr")
    desk.settle()
    assert desk.layer() is None and desk.panel.words.find.isEnabled() and desk.failures == []
    assert layer.featureCount() == 1
    assert desk.said() == "Stopped: the layer was saved, and is yours."


def test_what_a_layer_refuses_is_said_and_the_page_goes_on(desk, scan, monkeypatch):
    monkeypatch.setattr(QgsVectorDataProvider, "addFeatures", lambda *_: (False, []))
    desk.find()
    assert "can't be written to 'tree'" in desk.said() and desk.failures
    assert desk.panel.words.find.isEnabled() and desk.panel.words.results.status.bar.isHidden()


def test_layers_of_earlier_searches_are_not_held(desk, scan):
    for _ in range(3):
        desk.find()
    desk.panel.words.results.remove.click()
    desk.find()
    until(lambda: len(desk.finding.words.findChildren(FoundLayer)) == 1)


def test_a_search_that_can_not_begin_moves_no_slider(desk, scan, strict):
    desk.find("everything")
    desk.slide(0.3, "everything")
    desk.panel._model.choose("strict")
    layer = desk.layer("everything")

    def refuse(*_):
        raise UnsupportedPromptError("No.", hint="No.")

    desk.finding.everything._make_run = refuse
    desk.find("everything")
    wait(80)
    assert desk.layer("everything") is layer and desk.count("everything") == "3 of 3 shown"
    assert desk.panel.everything.results.threshold() == 0.3


def test_a_slider_that_is_moved_or_a_model_that_is_chosen_back_takes_a_proposal_away(desk, scan, strict):
    models, results = desk.panel._model, desk.panel.everything.results
    desk.find("everything")
    desk.slide(0.3, "everything")
    models.choose("strict")
    models.choose("starter")
    desk.find("everything")
    assert results.threshold() == 0.3
    models.choose("strict")
    desk.slide(0.4, "everything")
    desk.find("everything")
    assert results.threshold() == 0.4 and desk.count("everything") == "3 of 3 shown"


def test_objects_that_come_only_at_the_end_are_all_there(desk, scan, monkeypatch):
    play = FakeScan.run
    monkeypatch.setattr(FakeScan, "run", lambda self, progress, on_found=None: play(self, progress, lambda found: None))
    desk.find()
    desk.slide(0.0)
    assert desk.layer().featureCount() == 3
    assert {feature["model"] for feature in desk.layer().getFeatures()} == {"starter_words + starter"}


def test_objects_that_the_result_no_longer_has_are_taken_away(desk, scan, monkeypatch):
    play = FakeScan.run

    def run(self, progress, on_found=None):
        result = play(self, progress, on_found)
        return replace(result, polygons=result.polygons[1:])

    monkeypatch.setattr(FakeScan, "run", run)
    desk.find()
    desk.slide(0.0)
    assert sorted(feature["score"] for feature in desk.layer().getFeatures()) == [0.4, 0.6]
    assert desk.count() == "2 of 2 shown"
