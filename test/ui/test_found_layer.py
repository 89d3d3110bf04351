"""The layer of what was found stays quick and right with many objects, however they come and whatever is done to it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prompt_segmenter.algorithms.values import is_null
from prompt_segmenter.core.errors import Cancelled, OutputError
from prompt_segmenter.core.outlines.results import SegmentationResult
from prompt_segmenter.test.ui.conftest import PROVENANCE, UTM, memory, outline, square
from prompt_segmenter.test.ui.stage import until
from prompt_segmenter.ui import copy_progress, found_layer
from prompt_segmenter.ui.copy_progress import watched
from prompt_segmenter.ui.found_layer import FoundLayer
from prompt_segmenter.ui.found_objects import matched
from prompt_segmenter.ui.found_search import FoundSearch
from pytest_qgis.utils import wait
from qgis.PyQt.QtCore import Qt, QTimer
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QProgressDialog, QPushButton, QWidget


def trees(count, first=0):
    """Return trees in a row, numbered from 1, whose scores go from 0.00 up in hundredths."""
    return [
        replace(outline(square(20 * i, 0), label="tree", score=i / 100), object=i + 1)
        for i in range(first, first + count)
    ]


def whole(objects):
    return SegmentationResult(tuple(objects), UTM, 0.1, PROVENANCE)


@pytest.fixture
def layer(project):
    made = FoundLayer("trees", UTM, threshold=0.5)
    yield made
    made.remove()
    made.deleteLater()


def test_a_layer_that_gets_many_batches_is_counted_each_time_and_drawn_now_and_then(layer, monkeypatch):
    wait(found_layer._DRAWN_EVERY_MS + 100)
    drawn, counted = [], []
    layer.layer.dataChanged.connect(lambda: drawn.append(layer.total))
    layer.counted.connect(lambda: counted.append((layer.shown, layer.total)))
    for first in range(0, 100, 10):
        layer.add(trees(10, first))

    assert counted[0] == (0, 10) and counted[-1] == (50, 100) and len(counted) == 10
    assert 1 <= len(drawn) < 5
    until(lambda: drawn[-1] == 100)
    assert layer.layer.featureCount() == 50


def test_what_is_known_of_all_is_written_in_portions_and_nothing_is_left_out(layer, monkeypatch):
    monkeypatch.setattr(found_layer, "_MOST_WRITTEN", 7)
    objects = trees(40)
    layer.add(objects)
    layer.set_threshold(0.0)
    layer.finish(whole([replace(each, object=each.object + 100) for each in objects]))

    def models():
        return [feature["model"] for feature in layer.layer.getFeatures()]

    assert models().count("starter") == 7
    until(lambda: models() == ["starter"] * 40)
    assert {feature["object"] for feature in layer.layer.getFeatures()} == set(range(101, 141))
    assert {feature["created"] for feature in layer.layer.getFeatures()} == {PROVENANCE.created}


def test_the_layer_may_go_while_attributes_are_written(layer, monkeypatch):
    monkeypatch.setattr(found_layer, "_MOST_WRITTEN", 7)
    objects = trees(40)
    layer.add(objects)
    layer.finish(whole(objects))
    layer.remove()
    wait(50)
    assert layer.layer is None


def test_counts_follow_the_threshold_deletions_and_their_undoing(layer):
    layer.add(trees(100))
    assert (layer.shown, layer.total) == (50, 100)
    layer.set_threshold(0.9)
    assert layer.shown == 10
    source = layer.layer
    source.startEditing()
    gone = [feature.id() for feature in source.getFeatures()][:4]
    source.beginEditCommand("delete")
    source.deleteFeatures(gone)
    source.endEditCommand()
    assert (layer.shown, layer.total) == (6, 96)
    layer.set_threshold(0.0)
    assert layer.shown == 96
    source.undoStack().undo()
    assert (layer.shown, layer.total) == (100, 100)


def scores(layer):
    return sorted(round(100 * feature["score"]) for feature in layer.layer.getFeatures())


def test_what_is_hidden_is_not_in_the_layer_and_the_layer_has_no_filter(layer):
    """QGIS may crash when it draws a filtered memory layer while the project changes."""
    layer.add(trees(100))
    for threshold in (0.95, 0.0, 0.97):
        layer.set_threshold(threshold)
        assert scores(layer) == list(range(round(100 * threshold), 100))
        assert layer.layer.subsetString() == layer.layer.dataProvider().subsetString() == ""
    assert (layer.shown, layer.total) == (3, 100)


def test_what_was_changed_stays_whatever_the_threshold(layer):
    layer.add(trees(60, first=40))
    source = layer.layer
    source.startEditing()
    named, grown, gone, other = (feature.id() for feature in list(source.getFeatures())[:4])
    larger = source.getFeature(grown).geometry().buffer(5.0, 8)
    source.changeAttributeValue(named, source.fields().lookupField("label"), "shrub")
    source.changeGeometry(grown, larger)
    source.deleteFeature(gone)
    layer.set_threshold(0.98)
    assert scores(layer) == [50, 51, 98, 99] and (layer.shown, layer.total) == (4, 59)
    assert not source.getFeature(other).isValid()

    assert source.commitChanges()
    layer.set_threshold(0.99)
    assert scores(layer) == [50, 51, 99] and (layer.shown, layer.total) == (3, 59)
    layer.set_threshold(0.0)
    assert scores(layer) == sorted({*range(40, 100)} - {52}) and layer.total == 59
    there = {round(100 * feature["score"]): feature for feature in source.getFeatures()}
    assert there[50]["label"] == "shrub" and there[51].geometry().equals(larger)
    copied = {round(100 * each.score): each for each in layer.found()}
    assert copied[50].label == "shrub" and copied[51].area_m2 == pytest.approx(larger.area(), rel=0.01)


def test_edits_that_are_given_up_leave_the_threshold_to_all(layer):
    layer.add(trees(60, first=40))
    source = layer.layer
    source.startEditing()
    first, second = [feature.id() for feature in source.getFeatures()][:2]
    source.deleteFeature(first)
    source.changeAttributeValue(second, source.fields().lookupField("label"), "shrub")
    layer.set_threshold(0.98)
    assert scores(layer) == [51, 98, 99]
    counted = []
    layer.counted.connect(lambda: counted.append(layer.shown))
    assert source.rollBack()
    assert scores(layer) == [98, 99] and (layer.shown, layer.total) == (2, 60) and counted[-1] == 2


def test_what_was_hidden_before_the_search_was_over_knows_all_the_same_what_it_was_made_with(layer, monkeypatch):
    monkeypatch.setattr(found_layer, "_MOST_WRITTEN", 7)
    objects = trees(60, first=40)
    layer.add(objects)
    layer.set_threshold(0.9)
    layer.finish(whole([replace(each, object=each.object + 100) for each in objects]))
    # with three of them yet to be written
    layer.set_threshold(0.99)
    layer.set_threshold(0.0)
    until(lambda: [feature["model"] for feature in layer.layer.getFeatures()] == ["starter"] * 60)
    assert {feature["object"] for feature in layer.layer.getFeatures()} == set(range(141, 201))


def test_columns_may_be_deleted_and_added_while_objects_are_hidden(layer):
    layer.add(trees(60, first=40))
    source = layer.layer
    layer.set_threshold(0.8)
    for change in (
        lambda: source.deleteAttribute(source.fields().lookupField("label")),
        lambda: [source.addAttribute(field) for field in memory(fields="mine:int,label:int").fields()],
    ):
        source.startEditing()
        change()
        assert source.commitChanges()
    layer.set_threshold(0.7)
    layer.finish(whole([*layer.found(), *trees(30, first=40)]))
    layer.set_threshold(0.0)
    assert scores(layer) == list(range(40, 100)) and layer.shown == layer.total == 60
    assert {feature["model"] for feature in source.getFeatures()} == {"starter"}
    assert all(is_null(feature["label"]) and is_null(feature["mine"]) for feature in source.getFeatures())


def test_a_column_that_the_user_put_in_place_of_ours_keeps_no_other_from_being_written(layer):
    objects = trees(60, first=40)
    layer.add(objects)
    source = layer.layer
    for change in (
        lambda: source.deleteAttribute(source.fields().lookupField("source")),
        lambda: source.addAttribute(memory(fields="source:int").fields()[0]),
    ):
        source.startEditing()
        change()
        assert source.commitChanges()
    layer.finish(whole(objects))
    assert {feature["model"] for feature in source.getFeatures()} == {"starter"}
    assert all(is_null(feature["source"]) for feature in source.getFeatures())


def test_what_the_user_changed_stays_though_the_result_has_it_no_longer(layer):
    objects = trees(10, first=50)
    layer.add(objects)
    source = layer.layer
    source.startEditing()
    first = next(source.getFeatures())
    source.changeAttributeValue(first.id(), source.fields().lookupField("label"), "shrub")
    layer.finish(whole(objects[5:]))
    assert scores(layer) == [50, *range(55, 60)] and layer.total == 6


def test_what_can_not_be_shown_stays_hidden_and_is_said(layer, monkeypatch):
    layer.add(trees(60, first=40))
    provider = layer.layer.dataProvider()
    monkeypatch.setattr(type(provider), "addFeatures", lambda *_: (False, []))
    for _ in range(2):
        with pytest.raises(OutputError, match="can't be written"):
            layer.set_threshold(0.45)
    assert (layer.shown, layer.total) == (50, 60)
    monkeypatch.undo()
    layer.set_threshold(0.45)
    assert (layer.shown, layer.total) == (55, 60)


def test_comparing_with_the_result_does_not_depend_on_what_is_hidden(layer):
    objects = trees(60, first=40)
    layer.add(objects)
    layer.finish(whole([*objects[:5], *objects[20:]]))
    assert (layer.shown, layer.total) == (40, 45)
    layer.set_threshold(0.0)
    assert scores(layer) == [*range(40, 45), *range(60, 100)]


def test_what_is_hidden_is_not_selected_any_more(layer):
    layer.add(trees(100))
    layer.layer.selectAll()
    layer.set_threshold(0.9)
    assert layer.layer.selectedFeatureCount() == 10


def test_what_is_copied_are_the_very_objects_but_for_those_that_were_changed(layer):
    objects = trees(4)
    layer.add(objects)
    layer.set_threshold(0.0)
    source = layer.layer
    source.startEditing()
    _first, second, third, fourth = (feature.id() for feature in source.getFeatures())
    grown = source.getFeature(second).geometry().buffer(5.0, 8)
    source.changeGeometry(second, grown)
    source.changeAttributeValue(third, source.fields().lookupField("label"), "shrub")
    source.deleteFeature(fourth)
    found = list(layer.found())

    assert found[0] is objects[0] and len(found) == 3
    assert found[1].area_m2 == pytest.approx(grown.area(), rel=0.01) and found[1].score == objects[1].score
    assert found[2].geometry is objects[2].geometry and found[2].label == "shrub"
    source.undoStack().setIndex(0)
    back = list(layer.found())
    # not by equality: objects hold NaN, which equals nothing
    assert len(back) == 4 and all(one is other for one, other in zip(back, objects))


def test_objects_of_a_result_are_told_by_themselves_and_copies_by_their_outlines():
    one, two, three, four = trees(4)
    kept, missing, gone = matched({7: one, 8: two, 9: three}, [replace(two), four, one])
    assert kept.keys() == {7, 8} and kept[7] is one and kept[8].geometry is two.geometry
    assert len(missing) == 1 and missing[0] is four and gone == [9]


def test_two_equal_objects_are_both_kept():
    one = outline(square(0, 0), label="tree")
    twin = replace(one)
    kept, missing, gone = matched({1: one, 2: twin}, [one, twin])
    assert kept[1] is one and kept[2] is twin and missing == gone == []


def test_the_window_has_its_turn_between_batches_that_come_all_at_once(project):
    search = FoundSearch()
    search.run = run = object()
    turns, arrived = [], []
    search.arrived.connect(lambda _, found: arrived.append((len(found), len(turns))))
    timer = QTimer()
    timer.timeout.connect(lambda: turns.append(1))
    timer.start(0)
    search._send(run, trees(1000))
    until(lambda: sum(count for count, _ in arrived) == 1000)

    assert [count for count, _ in arrived] == [100] * 10
    assert len({turn for _, turn in arrived}) == 10
    search.close()


def test_batches_of_a_search_that_was_stopped_are_dropped(project):
    search = FoundSearch()
    search.run = run = object()
    arrived = []
    search.arrived.connect(lambda *_: arrived.append(1))
    search._send(run, trees(500))
    search.run = None
    wait(50)
    assert arrived == []
    search.close()


class TestWatched:
    def test_all_items_come(self, qgis_app):
        parent = QWidget()
        assert list(watched(range(200), 200, "Copying", parent)) == list(range(200))
        assert list(watched([], 0, "Copying", parent)) == []

    def test_cancel_ends_it(self, qgis_app):
        parent = QWidget()
        items = watched(range(200), 200, "Copying", parent)
        assert next(items) == 0
        parent.findChild(QProgressDialog).cancel()
        with pytest.raises(Cancelled):
            next(items)

    def test_the_window_draws_and_the_button_works_while_it_lasts(self, qgis_app, monkeypatch):
        monkeypatch.setattr(copy_progress, "_LOOK_EVERY_S", 0.0)
        monkeypatch.setattr(copy_progress, "_SHOWN_AFTER_MS", 0)
        parent = QWidget()
        items = watched(range(10_000), 10_000, "Copying", parent)
        taken = [next(items)]
        button = parent.findChild(QProgressDialog).findChild(QPushButton)
        QTimer.singleShot(20, lambda: QTest.mouseClick(button, Qt.MouseButton.LeftButton))
        with pytest.raises(Cancelled):
            for number in items:
                taken.append(number)
                QTest.qSleep(1)
        assert 5 < len(taken) < 5000

    def test_no_dialog_is_left(self, qgis_app):
        parent = QWidget()
        items = watched(range(200), 200, "Copying", parent)
        next(items)
        items.close()
        wait(10)
        assert parent.findChild(QProgressDialog) is None
