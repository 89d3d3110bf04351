"""What goes away in the middle of something: nothing is lost that can be kept, and nothing breaks."""

from __future__ import annotations

import math
import threading
import time

import numpy as np
import pytest
from prompt_segmenter.core.errors import ModelNotInstalledError
from prompt_segmenter.test.algorithms.conftest import write_tif
from prompt_segmenter.test.helpers.fake_interactive import RADIUS
from prompt_segmenter.test.ui.stage import CONTROL, LEFT, TOP, Stage, until
from prompt_segmenter.ui.target_layer import TargetLayer
from pytest_qgis.utils import wait
from qgis.core import QgsApplication, QgsCoordinateReferenceSystem, QgsRasterLayer
from qgis.gui import QgsMapToolPan
from qgis.PyQt.QtCore import QCoreApplication, Qt

DISC = math.pi * RADIUS**2
Key = Qt.Key


@pytest.fixture
def stage(qgis_canvas, qgis_parent, project):
    stage = Stage(qgis_canvas, qgis_parent)
    stage.start()
    yield stage
    stage.close()


@pytest.fixture
def photo(tmp_path, project):
    path = write_tif(tmp_path / "photo.tif", np.full((3, 20, 20), 90, np.uint8), transform=(30, 0, LEFT, 0, -30, TOP))
    layer = QgsRasterLayer(path, "photo")
    project.addMapLayer(layer)
    return layer


def disc(times=1.0):
    return pytest.approx(DISC * times, rel=0.02)


def test_removing_the_image_in_the_middle_stops_the_work_and_keeps_the_prompts(stage, photo, project):
    stage.segmenter.choose_layer(photo)
    stage.click(100, 200)
    stage.fake.go.clear()
    stage.click(112, 200, settle=False)
    until(lambda: len(stage.fake.asked) == 2)
    project.removeMapLayer(photo)
    stage.settle()

    assert stage.prompts() == ["+100,200", "+112,200"]
    assert stage.outlines_at(100, 200) == [disc()]
    assert stage.failures == []
    until(lambda: stage.sessions.closed == 2)
    stage.click(120, 200)
    assert "no image" in str(stage.failures[0])
    stage.fake.go.set()
    stage.segmenter.choose_layer(None)
    stage.click(130, 200)
    assert len(stage.outlines_at(100, 200)) == 1
    assert len(stage.current.prompts) == 4


def test_what_was_found_before_the_image_was_removed_can_still_be_kept(stage, photo, project):
    stage.segmenter.choose_layer(photo)
    stage.click(100, 200)
    project.removeMapLayer(photo)
    wait(10)
    stage.segmenter.choose_layer(None)
    stage.key(Key.Key_Return)

    assert [feature.geometry().area() for feature in stage.kept()] == [disc()]
    assert len(stage.fake.asked) == 1


def test_without_its_target_layer_an_opened_polygon_goes_on_as_a_new_object(stage, project):
    layer = TargetLayer.new_memory_layer(project, "kept", QgsCoordinateReferenceSystem("EPSG:32633"))
    stage.segmenter.choose_target(layer)
    stage.double_click(100, 200)
    stage.click(100, 200)
    stage.click(112, 200)
    assert stage.current.edited is not None
    layer.rollBack()
    project.removeMapLayer(layer)
    wait(10)

    assert stage.current.edited is None
    stage.key(Key.Key_Return)
    (kept,) = stage.kept()
    assert kept.geometry().area() > DISC
    assert stage.target() is not None
    assert stage.failures == []


def test_a_polygon_that_was_deleted_meanwhile_is_written_anew(stage):
    stage.double_click(100, 200)
    stage.click(100, 200)
    stage.click(112, 200)
    stage.target().deleteFeature(stage.kept()[0].id())
    stage.key(Key.Key_Return)

    assert len(stage.kept()) == 1
    assert stage.failures == []


def test_a_polygon_that_was_saved_meanwhile_is_still_the_one_that_is_corrected(stage):
    stage.double_click(100, 200)
    stage.click(100, 200)
    stage.click(112, 200)
    number = stage.kept()[0].id()
    assert stage.target().commitChanges()
    assert stage.kept()[0].id() != number
    stage.key(Key.Key_Return)

    (kept,) = stage.kept()
    assert kept.geometry().contains(stage.place(120, 200))
    assert stage.failures == []


def test_a_new_project_begins_anew(stage, project):
    stage.double_click(300, 300)
    stage.click(100, 200)
    stage.fake.go.clear()
    stage.click(112, 200, settle=False)
    project.clear()
    stage.fake.go.set()
    stage.settle()

    assert stage.current is None
    assert stage.bands() == []
    assert stage.target() is None
    assert not stage.segmenter.outlining.history.can_undo
    assert stage.failures == []


def test_an_open_object_survives_another_tool_and_coming_back(stage):
    stage.click(100, 200)
    stage.fake.go.clear()
    stage.click(112, 200, settle=False)
    pan = QgsMapToolPan(stage.canvas)
    stage.canvas.setMapTool(pan)
    assert stage.bands() == []
    assert stage.markers() == []
    stage.fake.go.set()
    stage.settle()
    assert stage.bands() == []
    stage.segmenter.activate()

    assert stage.prompts() == ["+100,200", "+112,200"]
    assert len(stage.outlines_at(106, 200)) == 1
    assert len(stage.markers()) == 2


def test_laying_the_tool_down_brings_the_one_before_back(stage, qgis_canvas):
    pan = QgsMapToolPan(qgis_canvas)
    qgis_canvas.setMapTool(pan)
    stage.segmenter.activate()
    assert qgis_canvas.mapTool() is stage.segmenter.tool
    stage.segmenter.deactivate()

    assert qgis_canvas.mapTool() is pan


def test_a_tool_before_that_is_no_more_is_not_brought_back(stage, qgis_canvas):
    from qgis.PyQt import sip

    pan = QgsMapToolPan(qgis_canvas)
    qgis_canvas.setMapTool(pan)
    stage.segmenter.activate()
    sip.delete(pan)
    stage.segmenter.deactivate()

    assert qgis_canvas.mapTool() is None


def test_an_answer_during_panning_is_drawn_where_it_belongs(stage):
    stage.fake.go.clear()
    stage.click(100, 200, settle=False)
    stage.show_view(dx=50.0, dy=20.0)
    stage.fake.go.set()
    stage.settle()

    assert stage.outlines_at(50, 180) == []
    (band,) = stage.bands()
    middle = band.centroid().asPoint()
    assert (middle.x(), middle.y()) == pytest.approx((LEFT + 100, TOP - 200))


def test_closing_in_the_middle_stops_at_once_and_leaves_nothing(qgis_canvas, qgis_parent, project):
    stage = Stage(qgis_canvas, qgis_parent)
    pan = QgsMapToolPan(qgis_canvas)
    qgis_canvas.setMapTool(pan)
    stage.start()
    stage.click(100, 200)
    stage.fake.go.clear()
    stage.click(112, 200, settle=False)
    until(lambda: len(stage.fake.asked) == 2)
    begun = time.monotonic()
    stage.close()

    assert time.monotonic() - begun < 1.0
    assert qgis_canvas.mapTool() is pan
    assert "prompt_segmenter" not in [thread.name for thread in threading.enumerate()]
    assert stage.segmenter.close()
    stage.segmenter.activate()
    assert qgis_canvas.mapTool() is pan
    project.clear()
    qgis_canvas.setRotation(10.0)
    wait(20)


def test_quitting_in_the_middle_stops_the_worker(stage):
    stage.fake.go.clear()
    stage.click(112, 200, settle=False)
    until(lambda: stage.fake.asked)
    QCoreApplication.instance().aboutToQuit.emit()

    assert "prompt_segmenter" not in [thread.name for thread in threading.enumerate()]
    assert stage.bands() == []


def test_long_work_is_in_the_task_manager_and_its_cancel_stops_it_without_losing_a_prompt(stage):
    manager = QgsApplication.taskManager()
    stage.fake.go.clear()
    stage.click(100, 200, settle=False)
    until(manager.activeTasks)
    assert [task.description() for task in manager.activeTasks()] == ["Outline an object"]
    manager.activeTasks()[0].cancel()
    until(lambda: not stage.segmenter.outlining.is_waiting(stage.current))

    assert stage.prompts() == ["+100,200"]
    assert stage.failures == []
    stage.fake.go.set()
    stage.click(112, 200)
    assert len(stage.outlines_at(100, 200)) == 1


def test_the_panels_cancel_stops_what_was_to_be_kept_and_keeps_the_object_open(stage):
    stage.fake.go.clear()
    stage.click(100, 200, settle=False)
    stage.key(Key.Key_Return, settle=False)
    stage.segmenter.cancel()
    stage.settle()
    stage.fake.go.set()
    assert stage.kept() == []
    assert stage.prompts() == ["+100,200"]
    stage.key(Key.Key_Return)

    assert len(stage.kept()) == 1


def test_a_model_that_is_not_there_is_said_at_once_and_the_next_click_finds_it(qgis_canvas, qgis_parent, project):
    stage = Stage(qgis_canvas, qgis_parent)
    stage.sessions.fails_to_open = ModelNotInstalledError("mobile_sam is not installed.", hint="Download it.")
    stage.segmenter.set_hover(False)
    stage.segmenter.activate()
    until(lambda: stage.failures)
    assert isinstance(stage.failures[0], ModelNotInstalledError)
    stage.click(100, 200)
    assert stage.prompts() == ["+100,200"]
    stage.sessions.fails_to_open = None
    stage.segmenter.retry()
    stage.settle()

    assert len(stage.outlines_at(100, 200)) == 1
    stage.close()


def test_another_model_is_asked_about_what_is_open_and_the_session_before_is_closed(stage):
    stage.click(100, 200)
    stage.segmenter.choose_model("mobile_sam")
    assert len(stage.bands()) == 1
    stage.settle()

    assert [choice.model for choice in stage.sessions.opened] == ["starter", "mobile_sam"]
    assert stage.sessions.closed == 1
    assert stage.fake.asked == [stage.fake.asked[0]] * 2


def test_a_place_that_was_clicked_before_is_asked_about_anew_on_another_image(stage, photo):
    stage.click(100, 200)
    stage.key(Key.Key_Escape)
    stage.segmenter.choose_layer(photo)
    stage.click(100, 200)
    assert len(stage.fake.asked) == 2

    stage.key(Key.Key_Escape)
    photo.triggerRepaint()
    stage.click(100, 200)
    assert len(stage.fake.asked) == 3


def test_what_is_open_keeps_its_outline_when_another_image_is_chosen(stage, photo):
    stage.click(100, 200)
    stage.click(112, 200)
    stage.segmenter.choose_layer(photo)
    stage.key(Key.Key_Z, CONTROL)

    assert len(stage.fake.asked) == 2
    assert stage.segmenter.can_keep


def test_a_layer_that_looks_different_is_copied_anew(stage, photo):
    stage.segmenter.choose_layer(photo)
    stage.click(100, 200)
    opened = len(stage.sessions.opened)
    photo.triggerRepaint()
    stage.click(112, 200)

    assert len(stage.sessions.opened) == opened + 1
    assert len(stage.outlines_at(106, 200)) == 1


def test_a_session_that_only_suits_another_scale_is_replaced_without_stopping_what_was_asked(stage):
    stage.fake.go.clear()
    stage.click(100, 200, settle=False)
    # a question that still waits would be replaced by the next one
    until(lambda: stage.fake.asked)
    stage.sessions.extra_key = 1
    stage.click(112, 200, settle=False)
    stage.fake.go.set()
    stage.settle()

    assert len(stage.fake.asked) == 2
    assert stage.sessions.closed == 1
    assert len(stage.outlines_at(106, 200)) == 1
