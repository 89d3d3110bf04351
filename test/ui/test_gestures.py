from __future__ import annotations

import math

import pytest
from prompt_segmenter.core.errors import ModelRunError, OutsideExtentError
from prompt_segmenter.core.outlines.shape import OutlineSettings
from prompt_segmenter.test.helpers.fake_interactive import RADIUS
from prompt_segmenter.test.ui.stage import BUTTON_LEFT, CONTROL, NONE, SHIFT, UTM, Stage, until
from prompt_segmenter.ui.mode import Mode
from prompt_segmenter.ui.pointer import Pointer
from prompt_segmenter.ui.target_layer import TargetLayer
from qgis.core import QgsCoordinateReferenceSystem, QgsProject
from qgis.PyQt.QtCore import QEvent, QPoint, Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QLineEdit

DISC = math.pi * RADIUS**2
Key = Qt.Key


@pytest.fixture
def stage(qgis_canvas, qgis_parent, project):
    stage = Stage(qgis_canvas, qgis_parent)
    stage.start()
    yield stage
    stage.close()


def disc(times=1.0):
    return pytest.approx(DISC * times, rel=0.02)


def test_a_click_shows_the_outline_and_its_marker(stage):
    stage.click(100, 200)

    assert stage.prompts() == ["+100,200"]
    assert stage.outlines_at(100, 200) == [disc()]
    assert [(round(m.center().x()), round(m.center().y())) for m in stage.markers()] == [
        (round(stage.place(100, 200).x()), round(stage.place(100, 200).y()))
    ]
    assert stage.failures == []


def test_a_right_click_excludes_and_points_and_a_box_combine(stage):
    stage.click(100, 200)
    stage.exclude(112, 200)
    stage.drag((80, 180), (130, 190))
    stage.click(150, 200)

    assert stage.prompts() == ["+100,200", "-112,200", "box", "+150,200"]
    assert stage.outlines_at(115, 200) == []
    assert len(stage.outlines_at(92, 200)) == 1
    assert len(stage.objects) == 1


def test_a_right_click_first_waits_for_the_object(stage):
    stage.exclude(112, 200)
    assert stage.fake.asked == []
    assert "click on the object" in stage.said[-1]
    stage.key(Key.Key_Return)
    assert stage.kept() == []

    stage.click(100, 200)
    assert stage.prompts() == ["-112,200", "+100,200"]
    assert len(stage.outlines_at(95, 200)) == 1


def test_a_drag_is_a_box_only_beyond_the_threshold_in_screen_pixels(stage):
    threshold = QApplication.startDragDistance()
    view = stage.canvas.viewport()
    for scale in (1.0, 0.1):
        stage.show_view(scale=scale)
        for pixels, kind in ((threshold - 1, "point"), (threshold, "box")):
            begun = QPoint(200, 200)
            end = begun + QPoint(pixels - pixels // 2, pixels // 2)
            QTest.mousePress(view, BUTTON_LEFT, NONE, begun)
            stage.move_to(end, buttons=BUTTON_LEFT)
            QTest.mouseRelease(view, BUTTON_LEFT, NONE, end)
            assert stage.current.prompts[-1].kind == kind
            stage.settle()


def test_a_box_that_is_a_line_is_not_given(stage):
    stage.drag((100, 100), (160, 100))

    assert stage.current is None
    assert "only a line" in stage.said[-1]
    assert stage.bands() == []


def test_the_box_is_seen_while_it_is_dragged(stage):
    view = stage.canvas.viewport()
    QTest.mousePress(view, BUTTON_LEFT, NONE, QPoint(100, 100))
    stage.move_to(QPoint(150, 180), buttons=BUTTON_LEFT)
    (seen,) = stage.bands()
    assert seen.boundingBox().width() == pytest.approx(50 * stage.canvas.mapUnitsPerPixel())
    QTest.mouseRelease(view, BUTTON_LEFT, NONE, QPoint(150, 180))
    stage.settle()

    assert stage.current.prompts[0].kind == "box"


def test_a_box_stays_where_it_was_begun_when_the_map_is_zoomed_during_the_drag(stage):
    view, begun = stage.canvas.viewport(), stage.place(200, 200)
    QTest.mousePress(view, BUTTON_LEFT, NONE, stage.pixel(200, 200))
    stage.move(230, 230, buttons=BUTTON_LEFT)
    stage.show_view(dx=50, dy=20, scale=0.5)
    stage.move(260, 260, buttons=BUTTON_LEFT)
    QTest.mouseRelease(view, BUTTON_LEFT, NONE, stage.pixel(260, 260))

    (box,) = stage.current.prompts
    assert (box.left, box.top) == (pytest.approx(begun.x(), abs=0.6), pytest.approx(begun.y(), abs=0.6))


def test_shift_click_begins_an_object_beside_and_both_stay(stage):
    stage.click(100, 200)
    stage.click(300, 200, SHIFT)
    stage.click(320, 200)

    assert [len(item.prompts) for item in stage.objects] == [1, 2]
    assert stage.outlines_at(100, 200) == [disc()]
    assert stage.outlines_at(300, 200) == [disc(2)]
    stage.key(Key.Key_Escape)
    assert stage.prompts() == ["+100,200"]
    assert stage.outlines_at(300, 200) == []


def test_enter_keeps_the_current_object_and_the_one_beside_is_next(stage):
    stage.click(100, 200)
    stage.click(300, 200, SHIFT)
    stage.key(Key.Key_Return)

    assert [feature.geometry().area() for feature in stage.kept()] == [disc()]
    assert stage.kept()[0].geometry().boundingBox().contains(stage.place(300, 200))
    assert stage.prompts() == ["+100,200"]
    stage.key(Key.Key_Enter, Qt.KeyboardModifier.KeypadModifier)
    assert len(stage.kept()) == 2
    assert stage.current is None
    assert stage.target().undoStack().count() == 2


def test_shift_enter_keeps_all(stage):
    stage.click(100, 200)
    stage.click(200, 200, SHIFT)
    stage.click(300, 200, SHIFT)
    stage.key(Key.Key_Return, SHIFT)

    assert len(stage.kept()) == 3
    assert stage.objects == ()


def test_enter_before_the_outline_is_there_keeps_it_when_it_comes(stage):
    stage.fake.go.clear()
    stage.click(100, 200, settle=False)
    stage.key(Key.Key_Return, settle=False)
    assert stage.kept() == []
    stage.fake.go.set()
    stage.settle()

    assert [feature.geometry().area() for feature in stage.kept()] == [disc()]
    assert stage.current is None


def test_a_click_after_enter_is_the_next_object_even_if_the_first_has_no_outline_yet(stage):
    stage.fake.go.clear()
    stage.click(100, 200, settle=False)
    stage.key(Key.Key_Return, settle=False)
    stage.click(300, 200, settle=False)
    stage.fake.go.set()
    stage.settle()

    assert [feature.geometry().area() for feature in stage.kept()] == [disc()]
    assert stage.prompts() == ["+300,200"]


def test_undo_after_enter_takes_the_wish_back_while_there_is_no_outline(stage):
    stage.click(100, 200)
    stage.fake.go.clear()
    stage.click(120, 200, settle=False)
    stage.key(Key.Key_Return, settle=False)
    stage.key(Key.Key_Z, CONTROL, settle=False)
    stage.fake.go.set()
    stage.settle()

    assert stage.kept() == []
    assert stage.prompts() == ["+100,200"]
    assert stage.outlines_at(100, 200) == [disc()]


def test_a_double_click_keeps_the_object_as_it_was_seen(stage):
    stage.click(100, 200)
    stage.double_click(300, 300)

    assert [feature.geometry().area() for feature in stage.kept()] == [disc()]
    assert stage.kept()[0].geometry().boundingBox().contains(stage.place(100, 200))
    assert stage.current is None


def test_a_double_click_on_nothing_yet_outlines_and_keeps(stage):
    stage.double_click(100, 200)

    assert [feature.geometry().area() for feature in stage.kept()] == [disc()]
    assert stage.current is None


def test_escape_drops_the_object_first_and_then_goes_on_to_qgis(stage):
    stage.click(100, 200)
    stage.key(Key.Key_Escape)

    assert stage.current is None
    assert stage.bands() == []
    assert stage.kept() == []
    assert not overridden(stage, Key.Key_Escape)


def test_backspace_takes_the_last_prompt(stage):
    stage.click(100, 200)
    stage.exclude(112, 200)
    stage.key(Key.Key_Backspace)
    assert stage.prompts() == ["+100,200"]
    assert stage.outlines_at(108, 200) == [disc()]
    stage.key(Key.Key_Backspace)

    assert stage.current is None
    stage.key(Key.Key_Backspace)
    assert stage.failures == []


@pytest.mark.parametrize("redo", [(Key.Key_Z, CONTROL | SHIFT), (Key.Key_Y, CONTROL)])
def test_undo_shows_the_earlier_outline_at_once_and_redo_the_later(stage, redo):
    stage.click(100, 200)
    before = sorted(band.asWkt(6) for band in stage.bands())
    stage.click(115, 200)
    after = sorted(band.asWkt(6) for band in stage.bands())
    asked = len(stage.fake.asked)

    stage.key(Key.Key_Z, CONTROL, settle=False)
    assert sorted(band.asWkt(6) for band in stage.bands()) == before
    stage.key(*redo, settle=False)
    assert sorted(band.asWkt(6) for band in stage.bands()) == after
    assert len(stage.fake.asked) == asked


def test_m_takes_the_next_candidate_which_the_next_click_goes_on_from_and_undo_takes_back(stage):
    stage.click(100, 200)
    stage.key(Key.Key_M)
    assert stage.outlines_at(100, 200) == [disc(4)]
    stage.key(Key.Key_M)
    assert stage.outlines_at(100, 200) == [disc(9)]
    stage.key(Key.Key_M)
    assert stage.outlines_at(100, 200) == [disc()]
    stage.key(Key.Key_Z, CONTROL)
    assert stage.outlines_at(100, 200) == [disc(9)]
    stage.click(110, 200)
    assert stage.fake.previous[-1] == stage.fake.asked[0]
    assert stage.prompts() == ["+100,200", "+110,200"]


def test_delete_removes_the_polygon_under_the_pointer_as_one_step(stage):
    stage.double_click(100, 200)
    stage.double_click(300, 200)
    steps = stage.target().undoStack().count()
    stage.move(100, 200)
    stage.key(Key.Key_Delete)

    (left,) = stage.kept()
    assert left.geometry().boundingBox().contains(stage.place(300, 200))
    assert stage.target().undoStack().count() == steps + 1
    stage.target().undoStack().undo()
    assert len(stage.kept()) == 2


def test_delete_removes_nothing_while_the_pointer_is_not_over_the_map(stage):
    stage.double_click(100, 200)
    stage.move(100, 200)
    QApplication.sendEvent(stage.canvas.viewport(), QEvent(QEvent.Type.Leave))
    stage.key(Key.Key_Delete)

    assert len(stage.kept()) == 1
    assert "No polygon" in stage.said[-1]


def test_delete_over_nothing_deletes_no_selected_feature(stage):
    stage.double_click(100, 200)
    stage.target().selectAll()
    seen = []
    stage.canvas.keyPressed.connect(lambda event: seen.append(event.isAccepted()))
    stage.move(400, 400)
    for key in (Key.Key_Delete, Key.Key_Backspace):
        stage.key(key)

    # QGIS deletes the selected features when the canvas says that one of these was pressed, and has it accepted
    assert True not in seen
    assert len(stage.kept()) == 1
    assert "No polygon" in " ".join(stage.said)


def test_keys_that_are_not_ours_still_move_the_map(stage):
    seen = []
    stage.canvas.keyPressed.connect(lambda event: seen.append((event.key(), event.isAccepted())))
    before = stage.canvas.extent()
    stage.key(Key.Key_Left)

    assert stage.canvas.extent().xMinimum() < before.xMinimum()
    stage.key(Key.Key_A)
    assert seen == [(Key.Key_Left, True), (Key.Key_A, True)]


def overridden(stage, key, modifiers=NONE, widget=None):
    """Return True if the tool takes a key before QGIS's shortcuts would."""
    from qgis.PyQt.QtCore import QEvent
    from qgis.PyQt.QtGui import QKeyEvent

    event = QKeyEvent(QEvent.Type.ShortcutOverride, key, modifiers)
    event.ignore()
    QApplication.sendEvent(widget or stage.canvas, event)
    return event.isAccepted()


OURS = [
    (Key.Key_Z, CONTROL),
    (Key.Key_Z, CONTROL | SHIFT),
    (Key.Key_Y, CONTROL),
    (Key.Key_Backspace, NONE),
    (Key.Key_Return, NONE),
    (Key.Key_Enter, NONE),
    (Key.Key_Escape, NONE),
    (Key.Key_Delete, NONE),
    (Key.Key_M, NONE),
]


def test_keys_are_taken_from_qgis_only_with_an_object_open_the_canvas_in_focus_and_the_tool_in_use(stage, qgis_parent):
    free_of_object = [(Key.Key_Backspace, NONE), (Key.Key_Delete, NONE)]
    stage.canvas.setFocus()
    until(stage.canvas.hasFocus)
    assert [key for key in OURS if overridden(stage, *key)] == free_of_object
    stage.click(100, 200)
    assert [key for key in OURS if overridden(stage, *key)] == OURS
    for key in ((Key.Key_S, NONE), (Key.Key_M, CONTROL), (Key.Key_M, SHIFT), (Key.Key_S, CONTROL), (Key.Key_A, NONE)):
        assert not overridden(stage, *key)

    field = QLineEdit(qgis_parent)
    field.show()
    field.setFocus()
    until(field.hasFocus)
    assert [key for key in OURS if overridden(stage, *key)] == []
    QTest.keyClicks(field, "mms")
    assert field.text() == "mms"
    assert stage.prompts() == ["+100,200"]
    field.deleteLater()

    stage.segmenter.deactivate()
    stage.canvas.setFocus()
    until(stage.canvas.hasFocus)
    assert [key for key in OURS if overridden(stage, *key)] == []


def test_undo_past_the_first_prompt_is_the_layers_and_redo_comes_back_unless_the_user_went_there(stage):
    stage.canvas.setFocus()
    stage.click(100, 200)
    stage.key(Key.Key_Z, CONTROL)
    assert stage.current is None
    assert overridden(stage, Key.Key_Z, CONTROL | SHIFT)
    stage.key(Key.Key_Z, CONTROL | SHIFT)
    assert stage.prompts() == ["+100,200"]

    stage.key(Key.Key_Z, CONTROL)
    assert not overridden(stage, Key.Key_Z, CONTROL)
    assert not overridden(stage, Key.Key_Z, CONTROL | SHIFT)


def test_each_click_on_a_new_place_keeps_the_object_before(stage):
    stage.segmenter.choose_mode(Mode.EACH_CLICK)
    stage.click(100, 200)
    stage.click(104, 200)
    assert stage.prompts() == ["+100,200", "+104,200"]
    stage.exclude(130, 200)
    stage.click(300, 200)
    assert len(stage.kept()) == 1
    assert stage.prompts() == ["+300,200"]
    stage.drag((400, 400), (450, 450))
    assert len(stage.kept()) == 2
    assert stage.prompts() == ["box"]
    stage.key(Key.Key_Return)

    assert len(stage.kept()) == 3
    assert stage.current is None


def test_quick_clicks_each_become_an_object(stage):
    stage.segmenter.choose_mode(Mode.EACH_CLICK)
    stage.fake.go.clear()
    for x in (100, 200, 300):
        stage.click(x, 200, settle=False)
    stage.fake.go.set()
    stage.settle()

    assert len(stage.kept()) == 2
    assert stage.prompts() == ["+300,200"]
    assert len(stage.objects) == 1


def test_each_click_drops_a_place_where_nothing_was_found(stage):
    stage.segmenter.choose_mode(Mode.EACH_CLICK)
    stage.fake.finds_nothing = True
    stage.click(100, 200)
    stage.fake.finds_nothing = False
    stage.click(300, 200)

    assert stage.kept() == []
    assert [len(item.prompts) for item in stage.objects] == [1]


def test_a_kept_polygon_is_opened_corrected_and_put_back_as_one_step(stage):
    stage.double_click(100, 200)
    (before,) = stage.kept()
    steps = stage.target().undoStack().count()
    stage.click(102, 200)
    assert stage.prompts() == ["shape"]
    assert stage.outlines_at(100, 200) == [disc()]
    stage.click(112, 200)
    assert stage.prompts() == ["shape", "+112,200"]
    stage.key(Key.Key_Return)

    (after,) = stage.kept()
    assert after.id() == before.id()
    assert after.geometry().area() > before.geometry().area()
    assert stage.target().undoStack().count() == steps + 1
    stage.target().undoStack().undo()
    (undone,) = stage.kept()
    assert undone.geometry().area() == disc()


def test_correcting_a_polygon_leaves_its_class_alone(stage):
    stage.segmenter.set_label("tree")
    stage.double_click(100, 200)
    stage.segmenter.set_label("roof")
    stage.click(100, 200)
    stage.click(112, 200)
    stage.key(Key.Key_Return)

    (kept,) = stage.kept()
    assert kept.geometry().contains(stage.place(120, 200))
    assert kept["label"] == "tree"


def test_a_polygon_that_was_only_looked_at_is_not_written(stage):
    stage.double_click(100, 200)
    steps = stage.target().undoStack().count()
    stage.click(100, 200)
    stage.key(Key.Key_Return)
    assert stage.current is None
    stage.click(100, 200)
    stage.key(Key.Key_Escape)

    assert stage.target().undoStack().count() == steps
    assert len(stage.kept()) == 1


def test_a_polygon_that_is_not_shown_is_neither_opened_nor_removed(stage, project):
    stage.double_click(100, 200)
    project.layerTreeRoot().findLayer(stage.target().id()).setItemVisibilityChecked(False)
    stage.move(100, 200)
    stage.key(Key.Key_Delete)
    assert len(stage.kept()) == 1

    stage.click(100, 200)
    assert stage.prompts() == ["+100,200"]


def test_removing_the_polygon_that_is_being_corrected_closes_it(stage):
    stage.double_click(100, 200)
    stage.double_click(300, 200)
    stage.click(100, 200)
    stage.click(112, 200)
    stage.move(100, 200)
    stage.key(Key.Key_Delete)

    assert stage.objects == ()
    assert len(stage.kept()) == 1
    stage.key(Key.Key_Return)
    assert len(stage.kept()) == 1


def test_shift_click_on_a_kept_polygon_begins_a_new_object(stage):
    stage.double_click(100, 200)
    stage.click(100, 200, SHIFT)

    assert stage.prompts() == ["+100,200"]
    assert stage.current.edited is None


def test_a_polygon_in_another_crs_is_opened_without_moving(stage):
    layer = TargetLayer.new_memory_layer(QgsProject.instance(), "kept", QgsCoordinateReferenceSystem("EPSG:4326"))
    stage.segmenter.choose_target(layer)
    stage.double_click(100, 200)
    (kept,) = stage.kept()
    assert abs(kept.geometry().centroid().asPoint().x()) < 180
    stage.click(100, 200)

    assert stage.current.crs == "EPSG:4326"
    assert stage.outlines_at(100, 200) == [disc()]
    stage.click(112, 200)
    assert stage.current.prompts[1].x == pytest.approx(15.0, abs=0.01)
    assert stage.failures == []


def test_outline_settings_change_the_open_object_at_once_without_a_prompt_more(stage):
    stage.click(100, 200)
    stage.segmenter.set_outline(OutlineSettings(expand_m=10.0))
    stage.settle()

    assert stage.outlines_at(100, 200) == [disc(4)]
    assert len(stage.fake.asked) == 1
    stage.key(Key.Key_Return)
    assert stage.kept()[0].geometry().area() == disc(4)


def test_the_label_of_the_moment_of_keeping_is_written(stage):
    stage.segmenter.set_label("roof")
    stage.click(100, 200)
    stage.segmenter.set_label("shed")
    stage.key(Key.Key_Return)

    assert stage.kept()[0]["label"] == "shed"


def test_an_error_leaves_the_prompts_and_the_next_click_tries_again(stage):
    stage.fake.fails = ModelRunError("The graph failed.")
    stage.click(100, 200)
    assert [type(error) for error in stage.failures] == [ModelRunError]
    assert stage.prompts() == ["+100,200"]
    stage.fake.fails = None
    stage.click(120, 200)

    assert stage.prompts() == ["+100,200", "+120,200"]
    assert len(stage.outlines_at(100, 200)) == 1


def test_a_prompt_that_can_not_be_used_is_taken_away_again(stage):
    stage.click(100, 200)
    stage.fake.fails = OutsideExtentError("This prompt lies outside the raster.")
    stage.click(500, 200)
    stage.fake.fails = None

    assert stage.prompts() == ["+100,200"]
    assert stage.outlines_at(100, 200) == [disc()]
    assert len(stage.failures) == 1


def test_the_pointer_says_what_a_click_will_do(stage):
    assert stage.segmenter.gestures.pointer(beside=False) is Pointer.OBJECT
    assert stage.segmenter.gestures.pointer(beside=True) is Pointer.OBJECT
    stage.click(100, 200)
    assert stage.segmenter.gestures.pointer(beside=True) is Pointer.BESIDE
    plain = stage.canvas.cursor().pixmap().toImage()
    QTest.keyPress(stage.canvas, Key.Key_Shift, SHIFT)
    assert stage.canvas.cursor().pixmap().toImage() != plain
    QTest.keyRelease(stage.canvas, Key.Key_Shift)
    assert stage.canvas.cursor().pixmap().toImage() == plain
    stage.segmenter.choose_mode(Mode.EACH_CLICK)
    assert stage.canvas.cursor().pixmap().toImage() != plain


def test_answers_come_from_another_thread(stage):
    import threading

    stage.click(100, 200)

    assert threading.current_thread() not in stage.fake.threads


def test_prompts_are_in_the_maps_crs_and_asked_about_in_the_images(qgis_canvas, qgis_parent, project):
    stage = Stage(qgis_canvas, qgis_parent, raster_crs="EPSG:3857")
    stage.start()
    stage.click(100, 200)

    assert stage.current.crs == UTM
    assert stage.fake.asked[0].endswith("EPSG:3857")
    # 10 m of web Mercator are fewer on the ground, at 41 degrees north
    (area,) = stage.outlines_at(100, 200)
    assert 0.5 * DISC < area < 0.65 * DISC
    stage.key(Key.Key_Return)
    assert stage.kept()[0]["prompts"].endswith(UTM)
    stage.close()
