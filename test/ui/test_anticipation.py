from __future__ import annotations

import math

import pytest
from prompt_segmenter.test.helpers.fake_interactive import RADIUS
from prompt_segmenter.test.ui.stage import LEFT, SHIFT, TOP, Stage, until
from prompt_segmenter.ui.mode import Mode
from prompt_segmenter.ui.preferences import Preferences
from pytest_qgis.utils import wait
from qgis.core import QgsCoordinateReferenceSystem
from qgis.PyQt.QtCore import QEvent, QPoint, Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication

DISC = math.pi * RADIUS**2
LEFT_BUTTON, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def stage(qgis_canvas, qgis_parent, project):
    stage = Stage(qgis_canvas, qgis_parent)
    yield stage
    stage.close()


def disc(times=1.0):
    return pytest.approx(DISC * times, rel=0.02)


def rest(stage, ms=250):
    wait(ms)
    stage.settle()


def test_the_view_is_encoded_when_the_tool_starts_and_the_first_click_needs_no_encode(stage):
    stage.start()
    assert stage.fake.encodes == 1
    stage.click(100, 200)

    assert stage.fake.encodes == 1
    assert len(stage.outlines_at(100, 200)) == 1


def test_nothing_is_encoded_before_the_tool_is_taken_up_or_after_it_is_laid_down(stage):
    stage.show_view(dx=50)
    wait(500)
    assert stage.fake.aheads == []
    stage.start()
    stage.segmenter.deactivate()
    stage.show_view(dx=500)
    wait(500)

    assert len(stage.fake.aheads) == 1


def test_after_panning_has_settled_the_view_is_encoded_once_and_no_prompt_is_lost(stage):
    stage.start()
    stage.click(100, 200)
    for step in range(1, 8):
        stage.show_view(dx=20.0 * step)
        wait(40)
    assert stage.fake.encodes == 1
    until(lambda: stage.fake.encodes == 2)
    stage.settle()

    assert stage.fake.aheads[-1].bounds[0] == pytest.approx(LEFT + 140.0)
    (item,) = stage.objects
    assert (item.prompts[0].x, item.prompts[0].y) == pytest.approx((LEFT + 100, TOP - 200))
    assert sum(band.area() == disc() for band in stage.bands()) == 1
    stage.click(106, 200)
    assert len(stage.current.prompts) == 2


def test_what_is_under_the_pointer_is_encoded_first(stage):
    stage.start()
    stage.move(300, 100)
    stage.show_view(scale=2.0)
    until(lambda: len(stage.fake.nears) == 2)

    assert stage.fake.nears[-1] == pytest.approx((LEFT + 300, TOP - 100), abs=0.5)


@pytest.mark.parametrize("button", [Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton])
def test_encoding_gives_way_as_soon_as_a_button_is_pressed_and_is_taken_up_again(stage, button):
    stage.fake.go.clear()
    stage.segmenter.activate()
    until(lambda: stage.fake.aheads)
    ahead = stage.segmenter.inquirer.worker._running
    QTest.mousePress(stage.canvas.viewport(), button, NONE, QPoint(100, 100))

    assert ahead.is_cancelled()
    until(ahead.finished.is_set)
    stage.fake.go.set()
    QTest.mouseRelease(stage.canvas.viewport(), button, NONE, QPoint(100, 100))
    until(lambda: len(stage.fake.aheads) >= 2)
    stage.settle()
    assert stage.failures == []


def test_encoding_gives_way_when_the_view_changes(stage):
    stage.fake.go.clear()
    stage.segmenter.activate()
    until(lambda: stage.fake.aheads)
    ahead = stage.segmenter.inquirer.worker._running
    stage.show_view(dx=300)

    assert ahead.is_cancelled()
    until(ahead.finished.is_set)
    stage.fake.go.set()
    until(lambda: stage.fake.encodes)
    assert stage.fake.aheads[-1].bounds[0] == pytest.approx(LEFT + 300.0)


def test_resting_shows_what_a_click_would_give_and_moving_takes_it_away(stage):
    stage.start(hover=True)
    stage.move(100, 200)
    assert stage.bands() == []
    rest(stage)
    assert stage.outlines_at(100, 200) == [disc()]
    assert stage.current is None
    assert stage.markers() == []

    stage.move(160, 200)
    assert stage.bands() == []
    rest(stage)
    assert stage.outlines_at(160, 200) == [disc()]
    assert len(stage.bands()) == 1


def test_the_tentative_outline_looks_different_and_is_what_the_click_then_gives_without_asking_again(stage):
    from qgis.gui import QgsRubberBand

    stage.start(hover=True)
    stage.move(100, 200)
    rest(stage)
    (band,) = [item for item in stage.canvas.scene().items() if isinstance(item, QgsRubberBand)]
    tentative = band.asGeometry().asWkt(3), band.strokeColor().name()
    asked = len(stage.fake.asked)
    stage.click(100, 200)

    assert len(stage.fake.asked) == asked
    (band,) = [item for item in stage.canvas.scene().items() if isinstance(item, QgsRubberBand)]
    assert band.asGeometry().asWkt(3) == tentative[0]
    assert band.strokeColor().name() != tentative[1]


def test_the_pointer_is_a_point_beside_those_already_set(stage):
    stage.start(hover=True)
    stage.click(100, 200)
    stage.move(140, 200)
    rest(stage)

    assert stage.fake.asked[-1].startswith("+500100,4599800 +500140,4599800")
    assert stage.outlines_at(140, 200) == [disc(2)]
    assert stage.prompts() == ["+100,200"]
    stage.move(200, 200, SHIFT)
    rest(stage)
    assert stage.fake.asked[-1].startswith("+500200,4599800 EPSG")


def test_with_each_click_an_object_the_pointer_elsewhere_is_the_next_one(stage):
    stage.start(hover=True)
    stage.segmenter.choose_mode(Mode.EACH_CLICK)
    stage.click(100, 200)
    stage.move(140, 200)
    rest(stage)
    assert stage.fake.asked[-1].startswith("+500140,4599800 EPSG")
    stage.move(104, 200)
    rest(stage)

    assert stage.fake.asked[-1].startswith("+500100,4599800 +500104,4599800")


def test_only_where_the_pointer_rests_is_asked_about(stage):
    stage.start(hover=True)
    for x in range(100, 200, 10):
        stage.move(x, 200)
        wait(20)
    rest(stage)

    assert stage.fake.asked == ["+500190,4599800 EPSG:32633"]


def test_an_answer_for_a_place_that_the_pointer_has_left_is_not_shown(stage):
    stage.start(hover=True)
    stage.fake.go.clear()
    stage.move(100, 200)
    until(lambda: stage.fake.asked)
    stage.move(300, 200)
    stage.fake.go.set()
    wait(30)
    assert stage.outlines_at(100, 200) == []
    rest(stage)

    assert stage.outlines_at(300, 200) == [disc()]


def test_a_click_stops_the_answer_for_the_pointer(stage):
    stage.start(hover=True)
    stage.fake.go.clear()
    stage.move(100, 200)
    until(lambda: stage.fake.asked)
    hover = stage.segmenter.inquirer.worker._running
    stage.click(300, 300, settle=False)

    assert hover.is_cancelled()
    stage.fake.go.set()
    stage.settle()
    assert [band.area() for band in stage.bands()] == [disc()]
    assert stage.prompts() == ["+300,300"]


def test_the_pointer_waits_for_a_view_that_is_being_encoded_and_is_answered_then(stage):
    stage.fake.go.clear()
    stage.segmenter.set_hover(True)
    stage.segmenter.activate()
    until(lambda: stage.fake.aheads)
    ahead = stage.segmenter.inquirer.worker._running
    stage.move(100, 200)
    wait(200)
    assert not ahead.is_cancelled()
    assert stage.fake.asked == []
    stage.fake.go.set()
    until(stage.bands)

    assert stage.outlines_at(100, 200) == [disc()]


def test_hover_can_be_switched_off(stage):
    stage.start(hover=True)
    stage.move(100, 200)
    rest(stage)
    stage.segmenter.set_hover(False)
    assert stage.bands() == []
    stage.move(150, 200)
    rest(stage)

    assert stage.bands() == []
    assert len(stage.fake.asked) == 1


def test_how_long_a_rest_is_can_be_set(stage):
    Preferences().set("hover_ms", 600)
    stage.start(hover=True)
    stage.move(100, 200)
    rest(stage, 350)
    assert stage.fake.asked == []
    rest(stage, 450)

    assert len(stage.fake.asked) == 1


def test_nothing_is_shown_ahead_where_the_user_has_just_clicked_until_the_pointer_moves(stage):
    stage.start(hover=True)
    stage.move(100, 200)
    rest(stage)
    stage.exclude(100, 200)
    rest(stage, 800)
    assert stage.bands() == []
    stage.move(103, 200)
    rest(stage)

    assert len(stage.bands()) == 1


def test_after_panning_the_pointer_that_still_rests_shows_what_is_under_it_now(stage):
    stage.start(hover=True)
    stage.move(100, 200)
    rest(stage)
    stage.show_view(dx=40)
    assert stage.bands() == []
    until(stage.bands)


def test_leaving_the_map_takes_the_tentative_outline_away(stage):
    stage.start(hover=True)
    stage.move(100, 200)
    rest(stage)
    QApplication.sendEvent(stage.canvas.viewport(), QEvent(QEvent.Type.Leave))

    assert stage.bands() == []


def test_resting_on_a_kept_polygon_shows_that_it_would_be_opened(stage):
    stage.start(hover=True)
    stage.double_click(100, 200)
    asked = len(stage.fake.asked)
    stage.move(104, 200)
    rest(stage)

    assert stage.outlines_at(100, 200) == [disc()]
    assert len(stage.fake.asked) == asked


def test_an_error_under_the_pointer_is_no_message(stage):
    stage.start(hover=True)
    stage.fake.fails = RuntimeError("a bug")
    stage.move(100, 200)
    rest(stage)
    stage.fake.fails = None

    assert stage.failures == []


def test_another_resolution_of_the_screen_is_what_the_answer_is_asked_for(stage):
    stage.start()
    stage.show_view(scale=3.0)
    until(lambda: len(stage.fake.aheads) == 2)

    first, second = stage.fake.aheads
    assert first.resolution == pytest.approx(1.0)
    assert second.resolution == pytest.approx(3.0)


def test_on_a_rotated_map_the_view_encloses_its_corners_and_clicks_are_where_they_are_seen(stage):
    stage.canvas.setRotation(45.0)
    stage.start()
    (view,) = stage.fake.aheads[-1:]
    side = stage.canvas.mapSettings().outputSize().width()

    assert view.resolution == pytest.approx(1.0)
    assert view.bounds[2] - view.bounds[0] == pytest.approx(side * math.sqrt(2), rel=1e-6)
    stage.click(300, 300)
    assert stage.outlines_at(300, 300) == [disc()]
    stage.drag((200, 300), (260, 330))
    box = stage.current.prompts[-1]
    seen = [stage.canvas.getCoordinateTransform().toMapCoordinates(stage.pixel(200, 300))]
    assert box.left <= seen[0].x() <= box.right
    assert stage.failures == []


def test_a_change_of_the_maps_crs_keeps_the_prompts_where_they_are_on_the_ground(stage):
    stage.start()
    stage.click(100, 200)
    stage.canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    wait(10)

    assert stage.current.crs == "EPSG:32633"
    (shown,) = stage.bands()
    assert shown.boundingBox().xMinimum() == pytest.approx(1_670_000, abs=5_000)
    (marker,) = stage.markers()
    assert shown.boundingBox().contains(marker.center())
    middle = shown.centroid().asPoint()
    stage.canvas.setCenter(middle)
    stage.canvas.zoomScale(2000)
    wait(10)
    where = stage.canvas.getCoordinateTransform().transform(middle)
    QTest.mouseClick(stage.canvas.viewport(), LEFT_BUTTON, NONE, QPoint(round(where.x()), round(where.y())))
    stage.settle()
    assert stage.current.crs == "EPSG:32633"
    assert stage.current.prompts[1].x == pytest.approx(LEFT + 100, abs=1.5)
