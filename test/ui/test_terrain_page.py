"""The terrain section: a DEM is searched in the background, and what is found is accepted, corrected or dropped."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from prompt_segmenter.core.models.embedding import EmbeddingCache
from prompt_segmenter.core.progress import check
from prompt_segmenter.core.terrain.finders import FINDERS
from prompt_segmenter.test.algorithms.conftest import FakeStore, write_tif
from prompt_segmenter.test.helpers.dems import cratered_cone, distances, square, utm_grid
from prompt_segmenter.test.ui.stage import Stage, until
from prompt_segmenter.ui import landform_search
from prompt_segmenter.ui.segment_panel import SegmentPanel
from prompt_segmenter.ui.session_source import Sessions
from prompt_segmenter.ui.terrain_controls import TerrainControls
from prompt_segmenter.ui.terrain_page import TerrainPage
from prompt_segmenter.ui.workplace import connect_panel
from pytest_qgis.utils import wait
from qgis.core import QgsCoordinateReferenceSystem, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import Qt

CELL, SIZE = 10.0, 200
PLACES = ((55.0, 60.0), (140.0, 135.0))
"""(col, row) of the middles of two cones, 120 m high, 840 m wide."""


def write_dem(path, places=PLACES):
    elevation = np.full((SIZE, SIZE), 300.0)
    for place in places:
        away, _ = distances(utm_grid(SIZE, CELL), place, square(CELL))
        elevation += cratered_cone(away, 120.0, 420.0, 160.0, 50.0)
    transform = (CELL, 0, 500_000.0, 0, -CELL, 4_600_000.0)
    layer = QgsRasterLayer(write_tif(path, elevation.astype(np.float32)[None], transform=transform), path.stem)
    QgsProject.instance().addMapLayer(layer)
    return layer


class Desk:
    """The section with the map tool, and somebody who presses its buttons."""

    def __init__(self, stage, panel, page):
        self.stage, self.panel, self.page = stage, panel, page
        self.controls, self.list = panel.terrain, panel.terrain.candidates
        self.failures, self.accepted = [], []
        page.failed.connect(self.failures.append)
        page.accepted.connect(self.accepted.append)

    def find(self, dem, button="volcanoes"):
        self.controls.list.setLayer(dem)
        self.controls.method.setCurrentIndex(1)
        getattr(self.controls, button).click()
        until(lambda: not self.page.search.is_running, timeout_s=60)

    def rows(self):
        tree = self.list.tree
        return [[tree.topLevelItem(row).text(column) for column in range(4)] for row in range(tree.topLevelItemCount())]

    def choose(self, *rows):
        self.list.tree.clearSelection()
        for row in rows:
            self.list.tree.topLevelItem(row).setSelected(True)

    def said(self):
        return self.controls.status.text.text()


@pytest.fixture
def desk(qgis_canvas, qgis_parent, project):
    panel = SegmentPanel()
    stage = Stage(qgis_canvas, qgis_parent, sessions=Sessions(cache=EmbeddingCache(200_000_000)))
    stage.show_view(scale=4.0)
    connect_panel(stage.segmenter, panel)
    page = TerrainPage(qgis_canvas, panel, stage.segmenter, store=FakeStore())
    yield Desk(stage, panel, page)
    assert page.close()
    stage.close()
    panel.close()
    panel.deleteLater()


@pytest.fixture
def dem(desk, tmp_path):
    layer = write_dem(tmp_path / "dem.tif")
    desk.stage.canvas.setLayers([layer])
    return layer


class Endless:
    """A finder that goes on until it is stopped."""

    title, columns = "Endless", ()

    def __init__(self):
        self.ended = threading.Event()
        self.begun = threading.Event()

    def find(self, source, settings, progress, outliner=None):
        try:
            while True:
                self.begun.set()
                progress.report(0.3, "Looking")
                check(progress)
                time.sleep(0.01)
        finally:
            self.ended.set()


@pytest.fixture
def endless(monkeypatch):
    finder = Endless()

    class Finders:
        @staticmethod
        def get(name):
            return finder

    monkeypatch.setattr(landform_search, "FINDERS", Finders)
    yield finder
    until(finder.ended.is_set)


def begin(desk, dem):
    desk.controls.list.setLayer(dem)
    desk.controls.volcanoes.click()
    until(lambda: desk.page.search.is_running)


def test_volcanoes_are_listed_with_their_measures_and_drawn(desk, dem):
    desk.find(dem)

    assert desk.failures == []
    rows = desk.rows()
    assert [row[0] for row in rows] == ["cinder cone"] * 2
    assert all(float(sure) >= 0.5 for _, sure, _, _ in rows)
    assert [row[2].endswith(" m") and abs(float(row[2][:-2]) - 120.0) < 12.0 for row in rows] == [True, True]
    assert desk.said() == "2 found. Accept, correct or discard them."
    bands = desk.stage.bands()
    assert len(bands) == 2
    for col, row in PLACES:
        (area,) = desk.stage.outlines_at(CELL * col, CELL * row)
        assert area == pytest.approx(np.pi * 420.0**2, rel=0.25)
    assert "radial" in desk.list.tree.topLevelItem(0).toolTip(0)


def test_they_are_drawn_where_they_are_on_a_map_in_another_crs(desk, dem):
    desk.find(dem)
    desk.stage.canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4326"))

    boxes = [band.boundingBox() for band in desk.stage.bands()]

    assert len(boxes) == 2 and all(14.9 < box.xMinimum() < 15.1 and 41.0 < box.yMinimum() < 42.0 for box in boxes)


def test_accepted_ones_are_in_a_layer_with_all_measures_and_no_candidates_any_more(desk, dem):
    desk.find(dem)
    desk.choose(1)
    desk.list.accept.click()

    assert len(desk.rows()) == 1 and len(desk.stage.bands()) == 1
    (layer,) = desk.accepted
    (feature,) = layer.getFeatures()
    assert (layer.name(), feature["class"]) == ("Volcanoes", "cinder cone")
    assert feature["height_m"] == pytest.approx(120.0, rel=0.1)
    assert feature["source"] == dem.source()
    assert layer.crs() == dem.crs() and QgsProject.instance().mapLayer(layer.id()) is layer
    assert desk.said() == "1 written to 'Volcanoes'."

    desk.list.accept_all.click()
    assert layer.featureCount() == 2 and desk.accepted == [layer, layer]
    assert desk.rows() == [] and desk.stage.bands() == []
    layer.undoStack().undo()
    assert layer.featureCount() == 1


def test_dropped_ones_are_gone(desk, dem):
    desk.find(dem)
    desk.choose(0)
    desk.list.drop.click()
    assert len(desk.rows()) == 1 and len(desk.stage.bands()) == 1
    desk.list.drop_all.click()
    assert desk.rows() == [] and desk.stage.bands() == [] and desk.accepted == []
    assert not desk.list.accept_all.isEnabled() and not desk.list.drop_all.isEnabled()


def test_depressions_go_into_a_layer_of_their_own(desk, dem):
    desk.find(dem)
    desk.list.accept_all.click()
    desk.find(dem, "depressions")
    assert [row[2] for row in desk.rows()] != []
    desk.list.accept_all.click()

    first, second = desk.accepted
    assert (first.name(), second.name()) == ("Volcanoes", "Closed depressions")
    assert second.featureCount() == 2
    assert all(feature["depth_m"] > 20.0 for feature in second.getFeatures())


def test_correcting_opens_it_in_its_layer_on_the_picture_of_the_dem(desk, dem):
    desk.find(dem)
    desk.choose(0)
    desk.list.correct.click()
    desk.stage.settle()

    segmenter = desk.stage.segmenter
    (layer,) = desk.accepted
    (before,) = layer.getFeatures()
    assert segmenter.is_active and segmenter.outlining.current.edited.layer_id == layer.id()
    assert desk.panel.layer() is dem and segmenter._chosen.dem.composite.recipe == "metric"
    assert segmenter.found().answer.outline.area_m2 == pytest.approx(before["area_m2"], rel=0.02)

    desk.stage.click(CELL * 100, CELL * 10)
    assert desk.stage.failures == []
    desk.stage.key(Qt.Key.Key_Return)

    (after,) = layer.getFeatures()
    assert not after.geometry().equals(before.geometry())
    assert after["class"] == before["class"] and after["height_m"] == before["height_m"]
    assert after["area_m2"] == pytest.approx(after.geometry().area(), rel=0.01)
    assert after["reasons"].endswith("Outline corrected by clicks; measures are those before.")
    assert "composite=metric" in after["stretch"]
    assert len(desk.rows()) == 1


def test_a_picture_that_was_chosen_before_is_left_as_it_is(desk, dem):
    dem.setCustomProperty("prompt_segmenter/elevation_picture", "samgis")
    desk.find(dem)
    desk.choose(0)
    desk.list.correct.click()
    desk.stage.settle()
    assert desk.stage.segmenter._chosen.dem.composite.recipe == "samgis"


def test_nothing_found_is_a_sentence(desk, tmp_path):
    flat = write_dem(tmp_path / "flat.tif", places=())
    desk.find(flat)
    assert desk.rows() == [] and desk.failures == []
    assert desk.said().startswith("Nothing found with a confidence of 0.5 or more.")
    assert desk.controls.volcanoes.isEnabled()


def test_what_can_not_work_is_said(desk, dem, raster):
    desk.controls.smallest.setValue(5.0)
    desk.controls.largest.setValue(1.0)
    desk.find(dem)
    assert "smallest width, 5 km, is above the largest" in desk.said() and len(desk.failures) == 1
    desk.controls.largest.setValue(0.0)
    desk.find(raster)
    assert "no elevation raster" in desk.said() and len(desk.failures) == 2
    assert not desk.page.search.is_running and desk.controls.volcanoes.isEnabled()


def test_without_a_dem_there_is_nothing_to_press(desk):
    assert not desk.controls.volcanoes.isEnabled() and not desk.controls.depressions.isEnabled()


def test_cancel_is_obeyed_at_once(desk, dem, endless):
    begin(desk, dem)
    until(lambda: desk.said() == "Looking")
    assert not desk.controls.volcanoes.isEnabled() and not desk.controls.status.cancel.isHidden()

    desk.controls.status.cancel.click()

    assert desk.said() == "Stopped." and desk.controls.volcanoes.isEnabled()
    assert not desk.page.search.is_running
    until(endless.ended.is_set, timeout_s=1.0)


def test_a_search_is_in_the_task_manager_whose_cancel_stops_it(desk, dem, endless):
    from qgis.core import QgsApplication

    begin(desk, dem)
    task = until(lambda: next(iter(QgsApplication.taskManager().activeTasks()), None))
    assert task.description() == "Find landforms"
    task.cancel()
    until(lambda: desk.said() == "Stopped.")


def test_a_search_ends_with_its_dem(desk, dem, endless):
    begin(desk, dem)
    until(endless.begun.is_set)
    QgsProject.instance().removeMapLayer(dem.id())
    assert desk.said() == "The DEM was removed." and not desk.page.search.is_running
    assert desk.controls.layer() is None and not desk.controls.volcanoes.isEnabled()


def test_a_search_and_its_candidates_end_with_the_project(desk, dem):
    desk.find(dem)
    QgsProject.instance().clear()
    wait(10)
    assert desk.rows() == [] and desk.stage.bands() == [] and desk.said() == ""


def test_a_running_search_ends_with_the_project_and_with_the_plugin(desk, dem, endless):
    begin(desk, dem)
    until(endless.begun.is_set)
    QgsProject.instance().clear()
    assert not desk.page.search.is_running
    assert desk.page.close()


def test_candidates_outlive_their_dem_and_their_layer(desk, dem):
    desk.find(dem)
    QgsProject.instance().removeMapLayer(dem.id())
    wait(10)
    assert len(desk.rows()) == 2
    desk.choose(0)
    desk.list.accept.click()
    first = desk.accepted[0].id()
    QgsProject.instance().removeMapLayer(first)
    wait(10)
    desk.choose(0)
    desk.list.accept.click()

    assert desk.accepted[1].id() != first and desk.accepted[1].featureCount() == 1


def test_correcting_without_the_dem_still_opens_it(desk, dem):
    desk.find(dem)
    desk.choose(0)
    QgsProject.instance().removeMapLayer(dem.id())
    wait(10)
    desk.choose(0)
    desk.list.correct.click()
    desk.stage.settle()
    assert desk.stage.segmenter.outlining.current.edited is not None


def test_another_tool_in_the_middle_leaves_candidates_and_the_search_alone(desk, dem):
    desk.stage.segmenter.choose_layer(dem)
    desk.stage.segmenter.activate()
    desk.find(dem)
    desk.stage.segmenter.deactivate()
    assert len(desk.stage.bands()) == 2


def test_a_layer_that_was_saved_in_between_takes_the_correction_as_a_new_object(desk, dem):
    desk.find(dem)
    desk.choose(0)
    desk.list.correct.click()
    desk.stage.settle()
    (layer,) = desk.accepted
    layer.commitChanges()
    desk.stage.click(CELL * 100, CELL * 10)
    desk.stage.key(Qt.Key.Key_Return)
    assert desk.stage.failures == []


def test_choosing_in_the_list_draws_it_stronger_and_a_double_click_shows_it(desk, dem):
    desk.find(dem)
    desk.choose(0)
    widths = sorted(item.width() for item in desk.page.review._overlay._items)
    assert widths == [2, 4]
    outline = desk.page.review._outline(desk.page.review.candidates[0]).boundingBox()

    desk.list.tree.itemDoubleClicked.emit(desk.list.tree.topLevelItem(0), 0)

    seen = desk.stage.canvas.extent()
    assert seen.contains(outline) and seen.height() < 3.0 * outline.height()


def test_what_was_asked_for_is_remembered(desk):
    desk.controls.smallest.setValue(1.5)
    desk.controls.confidence.setValue(0.3)
    desk.controls.method.setCurrentIndex(2)

    again = TerrainControls()

    assert again.settings() == desk.controls.settings()
    assert again.settings().smallest_km == 1.5 and again.settings().largest_km is None
    again.deleteLater()


def test_each_button_is_a_finder_of_the_registry(project):
    controls, names = TerrainControls(), []
    controls.find_requested.connect(names.append)
    for button in (controls.volcanoes, controls.depressions):
        button.setEnabled(True)
        button.click()
    assert names == ["volcano", "depressions"] and all(FINDERS.get(name) for name in names)
    controls.deleteLater()
