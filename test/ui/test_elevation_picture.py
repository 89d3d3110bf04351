"""Clicks on a mountain in the panel: the picture of its heights is looked at, and comes out again."""

from __future__ import annotations

import shlex

import numpy as np
import pytest
from prompt_segmenter.algorithms import replay
from prompt_segmenter.core.models.embedding import EmbeddingCache
from prompt_segmenter.test.algorithms.conftest import FakeStore, write_tif
from prompt_segmenter.test.algorithms.test_demcomposite import GRID
from prompt_segmenter.test.core.terrain.test_metric_recipe import relief
from prompt_segmenter.test.helpers.processing_run import run
from prompt_segmenter.test.ui.stage import Stage
from prompt_segmenter.ui.copy_command import qgis_process_command
from prompt_segmenter.ui.elevation_controls import ElevationControls
from prompt_segmenter.ui.segment_panel import SegmentPanel
from prompt_segmenter.ui.session_source import Sessions
from prompt_segmenter.ui.source_controls import SourceControls
from prompt_segmenter.ui.workplace import connect_panel
from qgis.core import QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import Qt

FLANK = (122.0 * 30, 55.0 * 30)
"""Metres from the upper left corner; the cone's slope is 0.4 here."""


@pytest.fixture
def dem(tmp_path, project):
    """A cone of 900 m and 0.4 m per m, 2,250 m wide on each side."""
    path = write_tif(tmp_path / "dem.tif", relief(GRID, 0.0)[None], crs="EPSG:32633", transform=GRID.transform)
    layer = QgsRasterLayer(path, "dem")
    project.addMapLayer(layer)
    return layer


@pytest.fixture
def panel(project, qgis_app):
    panel = SegmentPanel()
    yield panel
    panel.close()
    panel.deleteLater()


@pytest.fixture
def stage(qgis_canvas, qgis_parent, dem, panel, plugin):
    stage = Stage(qgis_canvas, qgis_parent, sessions=Sessions(FakeStore(), EmbeddingCache(200_000_000)))
    stage.show_view(scale=7.5)
    qgis_canvas.setLayers([dem])
    connect_panel(stage.segmenter, panel)
    yield stage
    stage.close()


@pytest.fixture
def plugin(qgis_app, monkeypatch):
    from prompt_segmenter.algorithms import segmentprompts
    from prompt_segmenter.plugin import PromptSegmenterPlugin

    plugin = PromptSegmenterPlugin(None)
    plugin.initProcessing()
    monkeypatch.setattr(segmentprompts, "ModelStore", FakeStore)
    monkeypatch.setattr(replay, "ModelStore", FakeStore)
    yield plugin
    plugin.unload()


def choose(panel, recipe):
    box = panel.findChild(ElevationControls).picture_box
    box.setCurrentIndex(box.findData(recipe))


def choose_unit(panel, text):
    box = panel.findChild(ElevationControls).unit_box
    box.setCurrentIndex(box.findText(text))


def cone_area():
    rows, cols = np.indices((GRID.height, GRID.width)) + 0.5
    return 900.0 * (np.hypot(30 * (cols - GRID.width / 2) - 500, 30 * (rows - GRID.height / 2)) < 2100).sum()


def test_a_click_on_a_cone_gives_its_outline_and_says_how(stage, panel, dem):
    panel.set_layer(dem)
    choose(panel, "metric")
    stage.start()
    stage.click(*FLANK)

    found = stage.segmenter.found()

    assert stage.failures == []
    assert found.answer.outline.area_m2 == pytest.approx(cone_area(), rel=0.06)
    assert "composite=metric smoothing_m=60" in found.provenance.stretch
    assert found.provenance.stretch.endswith("band=1 unit=metres")
    assert found.provenance.source == dem.source()


@pytest.mark.parametrize("recipe", ["metric", "samgis"])
def test_what_is_kept_comes_out_again(stage, panel, dem, recipe):
    panel.set_layer(dem)
    choose(panel, recipe)
    choose_unit(panel, "feet")
    stage.start()
    stage.click(*FLANK)
    stage.key(Qt.Key.Key_Return)
    (kept,) = stage.kept()
    assert f"composite={recipe}" in kept["stretch"] and "unit=feet" in kept["stretch"]

    layer = stage.segmenter.keeper.layer
    layer.commitChanges()
    outcome = run(algorithm="promptsegmenter:replay", INPUT=layer)

    assert [feature["status"] for feature in outcome.features] == ["same"]


@pytest.mark.parametrize("recipe", ["metric", "samgis"])
def test_the_copied_command_finds_it_again(stage, panel, dem, recipe):
    panel.set_layer(dem)
    choose(panel, recipe)
    stage.start()
    stage.click(*FLANK)
    found = stage.segmenter.found()

    line = qgis_process_command(found.answer.outline, found.crs, found.provenance, found.source)
    asked = dict(word.split("=", 1) for word in shlex.split(line)[4:])
    (feature,) = run(**{**asked, "OUTPUT": "memory:", "MODEL": "starter"}).features

    assert feature["window"] == found.answer.outline.window
    assert feature.geometry().area() == pytest.approx(found.answer.outline.geometry.area, rel=1e-12)


def test_another_picture_finds_the_open_object_anew(stage, panel, dem):
    panel.set_layer(dem)
    stage.start()
    stage.click(*FLANK)
    assert "composite" not in stage.segmenter.found().provenance.stretch

    choose(panel, "metric")
    stage.settle()

    assert "composite=metric" in stage.segmenter.found().provenance.stretch


def test_the_style_has_no_say_in_a_picture_of_heights(stage, panel, dem):
    source = panel.findChild(SourceControls)
    panel.set_layer(dem)
    source.style_box.setChecked(True)
    choose(panel, "metric")
    assert not source.style_box.isEnabled()
    stage.start()
    stage.click(*FLANK)
    assert "composite=metric" in stage.segmenter.found().provenance.stretch

    choose(panel, "none")
    assert source.style_box.isEnabled()


def test_each_layer_has_its_own_choice_and_only_those_of_one_band_have_one(stage, panel, dem, raster):
    controls = panel.findChild(ElevationControls)
    panel.set_layer(raster)
    assert controls.isHidden() and controls.picture() is None
    panel.set_layer(dem)
    assert not controls.isHidden() and controls.picture() is None
    choose(panel, "samgis")
    panel.set_layer(raster)
    assert controls.picture() is None and stage.segmenter._chosen.dem is None
    panel.set_layer(None)
    assert controls.isHidden() and controls.picture() is None

    panel.set_layer(dem)

    assert controls.picture().composite.recipe == "samgis"
    assert stage.segmenter._chosen.dem == controls.picture()


def test_the_choice_is_kept_in_the_project(panel, dem, tmp_path):
    panel.set_layer(dem)
    choose(panel, "metric")
    choose_unit(panel, "US survey feet")
    path = str(tmp_path / "p.qgz")
    assert QgsProject.instance().write(path)
    QgsProject.instance().clear()
    assert QgsProject.instance().read(path)
    (again,) = QgsProject.instance().mapLayers().values()

    panel.set_layer(again)

    choice = panel.findChild(ElevationControls).picture()
    assert (choice.composite.recipe, choice.heights.unit.value) == ("metric", "us_feet")


def test_the_layer_may_go_while_its_picture_is_looked_at(stage, panel, dem):
    panel.set_layer(dem)
    choose(panel, "metric")
    stage.start()
    stage.click(*FLANK, settle=False)

    QgsProject.instance().removeMapLayer(dem.id())
    stage.settle()
    choose(panel, "samgis")

    assert panel.findChild(ElevationControls).picture() is None


def test_undeclared_voids_are_told(stage, panel, tmp_path):
    heights = relief(GRID, 0.0).astype(np.float32)
    heights[:30, :30] = -9999
    path = write_tif(tmp_path / "voids.tif", heights[None], crs="EPSG:32633", transform=GRID.transform)
    layer = QgsRasterLayer(path, "voids")
    QgsProject.instance().addMapLayer(layer)
    panel.set_layer(layer)
    choose(panel, "metric")
    stage.start()
    stage.click(*FLANK)

    assert any("-9999" in text for text in stage.said)
