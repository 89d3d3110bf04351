from __future__ import annotations

import pytest
from prompt_segmenter.ui.page_chooser import PageChooser
from prompt_segmenter.ui.preferences import Preferences
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QLabel, QToolButton


def made():
    chooser = PageChooser()
    for key in ("clicks", "words", "everything", "similar"):
        chooser.add(key, key.title(), QLabel(key), f"about {key}")
    return chooser


@pytest.fixture
def chooser(qgis_app):
    chooser = made()
    chooser.show()
    yield chooser
    chooser.close()
    chooser.deleteLater()


def shown(chooser):
    return [label.text() for label in chooser.findChildren(QLabel) if label.isVisible()]


def button(chooser, title):
    (found,) = [one for one in chooser.findChildren(QToolButton) if one.text() == title]
    return found


def test_only_the_first_page_is_shown_at_first(chooser):
    assert chooser.current() == "clicks" and shown(chooser) == ["clicks"]


def test_a_press_shows_another_page_and_says_so(chooser, heard):
    changes = heard(chooser.changed)
    button(chooser, "Similar").click()
    assert shown(chooser) == ["similar"] and changes.values == ["similar"]
    button(chooser, "Similar").click()
    assert shown(chooser) == ["similar"] and changes.values == ["similar"]


def test_arrow_keys_go_from_page_to_page(chooser):
    chooser.activateWindow()
    assert QTest.qWaitForWindowActive(chooser)
    button(chooser, "Clicks").setFocus()
    assert button(chooser, "Clicks").hasFocus()
    QTest.keyClick(button(chooser, "Clicks"), Qt.Key.Key_Right)
    assert shown(chooser) == ["words"]
    QTest.keyClick(QApplication.focusWidget() or button(chooser, "Words"), Qt.Key.Key_Right)
    assert shown(chooser) == ["everything"]


def test_the_page_that_was_pressed_is_there_next_time_and_one_that_showed_itself_is_not(chooser):
    button(chooser, "Words").click()
    chooser.show_page("everything")
    assert shown(chooser) == ["everything"]
    assert made().current() == "words"


def test_a_page_that_is_no_more_is_forgotten(qgis_app):
    Preferences().set("page", "dreams")
    assert made().current() == "clicks"


def test_what_belongs_to_some_pages_is_seen_with_them(chooser):
    beside = QLabel("beside")
    chooser.show_with(beside, "words", "similar")
    assert beside.isHidden()
    chooser.show_page("words")
    assert not beside.isHidden()
    chooser.show_page("clicks")
    assert beside.isHidden()
