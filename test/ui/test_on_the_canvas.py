"""The whole of it with the model that comes with the plugin: a raster in a window, a click, a polygon in a layer."""

from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core.models.embedding import EmbeddingCache
from prompt_segmenter.test.algorithms.conftest import write_tif
from prompt_segmenter.test.ui.stage import LEFT, NONE, SHIFT, TOP, Stage, until
from prompt_segmenter.ui.preferences import Preferences
from prompt_segmenter.ui.session_source import Sessions
from pytest_qgis.utils import wait
from qgis.core import QgsCoordinateReferenceSystem, QgsGeometry, QgsProject, QgsRasterLayer, QgsRectangle
from qgis.PyQt.QtCore import QPoint, Qt
from qgis.PyQt.QtTest import QTest

SQUARES = ((150, 150, 90), (350, 150, 60), (200, 380, 110))
"""(x, y, side) in metres from the upper left corner."""


@pytest.fixture(autouse=True)
def no_store_on_disk(no_settings):
    Preferences().set("store/on_disk", False)


def scene(path):
    """Write bright squares on a dark, slightly noisy ground: 600 pixels of 1 m."""
    random = np.random.default_rng(5)
    data = np.empty((3, 600, 600), np.float64)
    data[:] = np.array([70, 90, 60])[:, None, None]
    for x, y, side in SQUARES:
        data[:, y : y + side, x : x + side] = np.array([205, 180, 160])[:, None, None]
    data += random.normal(0.0, 4.0, data.shape)
    return write_tif(path, data.clip(0, 255).astype(np.uint8), transform=(1, 0, LEFT, 0, -1, TOP), photometric="RGB")


@pytest.fixture
def layer(tmp_path, project):
    layer = QgsRasterLayer(scene(tmp_path / "squares.tif"), "squares")
    project.addMapLayer(layer)
    return layer


@pytest.fixture
def stage(qgis_canvas, qgis_parent, layer):
    stage = Stage(qgis_canvas, qgis_parent, sessions=Sessions(cache=EmbeddingCache(200_000_000)))
    qgis_canvas.setLayers([layer])
    stage.segmenter.choose_layer(layer)
    stage.start()
    until(lambda: stage.segmenter.inquirer.encodes, timeout_s=60)
    stage.settle()
    yield stage
    stage.close()


def middle(number):
    x, y, side = SQUARES[number]
    return x + side / 2, y + side / 2


def overlap(geometry, number):
    """Return the IoU of an outline with a square."""
    x, y, side = SQUARES[number]
    square = QgsGeometry.fromRect(QgsRectangle(LEFT + x, TOP - y - side, LEFT + x + side, TOP - y))
    return geometry.intersection(square).area() / geometry.combine(square).area()


def test_a_click_gives_the_object_and_enter_puts_it_into_a_new_layer(stage):
    encodes = stage.segmenter.inquirer.encodes
    stage.click(*middle(0))
    assert stage.segmenter.inquirer.encodes == encodes
    (outline,) = stage.outlines_at(*middle(0))
    assert outline == pytest.approx(90 * 90, rel=0.2)
    stage.key(Qt.Key.Key_Return)

    (kept,) = stage.kept()
    assert overlap(kept.geometry(), 0) > 0.85
    assert kept["model"] == "starter"
    assert kept["prompts"].endswith("EPSG:32633")
    assert stage.target() in QgsProject.instance().mapLayers().values()
    assert stage.failures == []


def test_boxes_corrections_and_objects_beside_are_kept_and_undo_shows_what_was_before(stage):
    x, y, side = SQUARES[1]
    stage.drag((x - 5, y - 5), (x + side + 5, y + side + 5))
    before = sorted(band.asWkt(3) for band in stage.bands())
    stage.exclude(x - 60, y + 20)
    stage.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert sorted(band.asWkt(3) for band in stage.bands()) == before
    stage.click(*middle(2), SHIFT)
    stage.key(Qt.Key.Key_Return, SHIFT)

    assert sorted(round(max(overlap(f.geometry(), n) for n in (1, 2)), 1) for f in stage.kept()) >= [0.8, 0.8]
    assert len(stage.kept()) == 2
    assert stage.failures == []


def test_an_open_polygon_is_corrected_in_place(stage):
    stage.double_click(*middle(0))
    (before,) = stage.kept()
    stage.click(*middle(0))
    assert stage.prompts() == ["shape"]
    x, y, side = SQUARES[0]
    stage.exclude(x + side - 8, y + side - 8)
    stage.key(Qt.Key.Key_Return)

    (after,) = stage.kept()
    assert after.id() == before.id()
    assert not after.geometry().equals(before.geometry())
    assert stage.failures == []


def test_resting_the_pointer_shows_the_object_before_the_click(stage):
    stage.segmenter.set_hover(True)
    stage.move(*middle(0))
    until(stage.bands)
    (seen,) = stage.bands()

    assert overlap(seen, 0) > 0.8
    assert stage.current is None


def test_what_the_canvas_shows_is_segmented_too_and_at_another_scale_with_the_same_prompts(stage):
    stage.segmenter.choose_layer(None)
    stage.click(*middle(0))
    (outline,) = stage.outlines_at(*middle(0))
    assert outline == pytest.approx(90 * 90, rel=0.25)
    stage.show_view(dx=100, dy=100, scale=0.4)
    wait(400)
    stage.settle()
    stage.exclude(20, 20)

    assert len(stage.current.prompts) == 2
    assert stage.failures == []
    assert overlap(stage.bands()[0], 0) > 0.7


def test_the_session_survives_a_change_of_crs_with_the_prompts_where_they_were(stage):
    stage.click(*middle(0), NONE)
    stage.canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    wait(10)
    stage.key(Qt.Key.Key_Return)

    (kept,) = stage.kept()
    assert stage.target().crs().authid() == "EPSG:4326"
    assert abs(kept.geometry().boundingBox().xMinimum() - 15.0) < 0.01
    assert kept["prompts"].endswith("EPSG:32633")
    assert stage.failures == []


def test_on_a_rotated_map_the_object_that_is_clicked_is_found(stage):
    stage.canvas.setRotation(30.0)
    wait(400)
    stage.settle()
    x, y = middle(0)
    where = stage.canvas.mapSettings().mapToPixel().transform(LEFT + x, TOP - y)
    place = QPoint(round(where.x()), round(where.y()))
    QTest.mouseClick(stage.canvas.viewport(), Qt.MouseButton.LeftButton, NONE, place)
    stage.settle()
    stage.key(Qt.Key.Key_Return)

    (kept,) = stage.kept()
    assert overlap(kept.geometry(), 0) > 0.8


def test_after_panning_away_and_back_nothing_is_encoded_again_and_the_outline_is_the_same(stage):
    stage.click(*middle(1))
    first = sorted(band.asWkt(3) for band in stage.bands())
    stage.key(Qt.Key.Key_Escape)
    stage.show_view(dx=150, dy=60)
    wait(400)
    stage.settle()
    stage.show_view()
    wait(400)
    encodes = stage.segmenter.inquirer.encodes
    stage.settle()
    stage.click(*middle(1))

    assert sorted(band.asWkt(3) for band in stage.bands()) == first
    assert stage.segmenter.inquirer.encodes == encodes


def test_what_is_kept_is_not_looked_at_with_what_the_canvas_shows(stage, layer):
    stage.segmenter.choose_layer(None)
    wait(400)
    stage.settle()
    stage.click(*middle(0))
    seen = stage.bands()[0].asWkt(3)
    stage.key(Qt.Key.Key_Return)
    stage.canvas.setLayers([stage.target(), layer])
    wait(400)
    stage.settle()
    encodes = stage.segmenter.inquirer.encodes
    stage.click(*middle(0), SHIFT)

    assert stage.segmenter.inquirer.encodes == encodes
    assert stage.bands()[0].asWkt(3) == seen
