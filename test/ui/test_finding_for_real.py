"""The panel's searches with the models that come with the plugin, on a small made scene."""

from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.test.algorithms.conftest import write_tif
from prompt_segmenter.test.ui.stage import LEFT, TOP, Stage, until
from prompt_segmenter.ui.finding import Finding
from prompt_segmenter.ui.segment_panel import SegmentPanel
from prompt_segmenter.ui.workplace import connect_panel
from pytest_qgis.utils import wait
from qgis.core import QgsFeature, QgsGeometry, QgsProject, QgsRasterLayer, QgsRectangle, QgsVectorLayer

SIDE = 300
ROOFS = ((40, 40), (40, 200), (180, 60), (190, 210))
"""(row, column) of the corners of red squares of 50 pixels, on green."""


@pytest.fixture
def scene(tmp_path, project):
    noise = np.random.default_rng(1).integers(-8, 9, (3, SIDE, SIDE))
    picture = np.array([70, 120, 60])[:, None, None] + noise
    for row, col in ROOFS:
        picture[:, row : row + 50, col : col + 50] = np.array([170, 70, 60])[:, None, None] + noise[:, :50, :50]
    data = picture.clip(0, 255).astype(np.uint8)
    path = write_tif(tmp_path / "scene.tif", data, transform=(0.5, 0, LEFT, 0, -0.5, TOP), photometric="RGB")
    layer = QgsRasterLayer(path, "scene")
    project.addMapLayer(layer)
    return layer


@pytest.fixture
def panel(qgis_canvas, qgis_parent, scene):
    panel = SegmentPanel()
    stage = Stage(qgis_canvas, qgis_parent)
    qgis_canvas.setLayers([scene])
    qgis_canvas.setExtent(scene.extent())
    connect_panel(stage.segmenter, panel)
    panel.set_layer(scene)
    panel.finding = Finding(qgis_canvas, panel, stage.segmenter, parent=panel)
    panel.failures = []
    panel.finding.failed.connect(panel.failures.append)
    yield panel
    assert panel.finding.close()
    stage.close()
    panel.close()
    panel.deleteLater()


def search(panel, way):
    getattr(panel, way).find.click()
    until(lambda: panel.finding.search.run is None, timeout_s=180)
    wait(20)
    assert panel.failures == []
    return getattr(panel.finding, way).layer.layer


def hits(layer):
    """Return how many of the roofs an object of the layer covers, by an IoU of at least 0.8."""
    found = 0
    for row, col in ROOFS:
        left, top = LEFT + 0.5 * col, TOP - 0.5 * row
        roof = QgsGeometry.fromRect(QgsRectangle(left, top - 25, left + 25, top))
        shapes = [feature.geometry() for feature in layer.getFeatures()]
        found += any(roof.intersection(s).area() >= 0.8 * roof.combine(s).area() for s in shapes if s.intersects(roof))
    return found


def test_everything_finds_the_roofs(panel):
    layer = search(panel, "everything")
    assert hits(layer) == len(ROOFS)
    feature = next(layer.getFeatures())
    assert feature["model"] == "starter" and feature["area_m2"] > 0 and feature["prompts"]


def test_one_roof_is_an_example_for_the_others(panel):
    row, col = ROOFS[0]
    example = QgsVectorLayer("Polygon?crs=EPSG:32633", "examples", "memory")
    feature = QgsFeature()
    left, top = LEFT + 0.5 * col, TOP - 0.5 * row
    feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(left, top - 25, left + 25, top)))
    example.dataProvider().addFeatures([feature])
    example.selectAll()
    QgsProject.instance().addMapLayer(example)
    panel.similar.add_selection.click()
    layer = search(panel, "similar")
    panel.similar.results.set_threshold(0.1)
    wait(80)
    assert hits(layer) >= 3
    assert all(0.0 <= feature["similarity"] <= 1.0 for feature in layer.getFeatures())


def test_words_of_two_languages_are_looked_for(panel):
    panel.words.text.setEditText("building; Wiese")
    layer = search(panel, "words")
    assert layer.name() == "building; Wiese" and layer.featureCount() == panel.finding.words.layer.shown
    panel.words.results.set_threshold(0.0)
    wait(80)
    assert {feature["label"] for feature in layer.getFeatures()} <= {"building", "Wiese"}
    assert layer.featureCount() > 0


def test_two_names_of_one_word_give_each_object_once_and_that_is_said(panel):
    panel.words.text.setEditText("Haus; Wiese; roof")
    layer = search(panel, "words")
    panel.words.results.set_threshold(0.0)
    wait(80)
    assert "Haus" in {feature["label"] for feature in layer.getFeatures()} <= {"Haus", "Wiese"}
    said = panel.words.results.status.text.text()
    assert "'Haus' and 'roof' mean the same to the model 'starter_words'" in said


def test_a_word_that_is_not_known_is_refused_with_what_is(panel):
    panel.words.text.setEditText("castle")
    panel.words.find.click()
    until(lambda: panel.finding.search.run is None)
    wait(20)
    assert "does not know 'castle'" in str(panel.failures[0]) and "building, tree" in str(panel.failures[0])
    assert panel.finding.words.layer is None
