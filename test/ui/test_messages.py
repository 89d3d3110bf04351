from __future__ import annotations

import inspect

import pytest
from prompt_segmenter.core import errors
from prompt_segmenter.core.errors import Cancelled, SegmentError
from prompt_segmenter.ui import messages
from prompt_segmenter.ui.messages import Action
from qgis.core import Qgis
from qgis.gui import QgsMessageBar
from qgis.PyQt.QtWidgets import QPushButton

FAMILY = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, SegmentError)]
LEVEL = Qgis.MessageLevel


@pytest.fixture
def bar(qgis_app):
    bar = QgsMessageBar()
    yield bar
    bar.deleteLater()


@pytest.mark.parametrize("kind", FAMILY)
def test_every_error_of_the_core_keeps_its_words_and_its_hint(bar, kind):
    item = messages.show(bar, kind("It is 3 < 4.", hint="Try 5."))

    assert item.text() == "It is 3 &lt; 4. Try 5."
    assert item.title()


@pytest.mark.parametrize(
    ("error", "level", "action"),
    [
        (errors.ModelNotInstalledError("a"), LEVEL.Warning, Action.DOWNLOAD),
        (errors.DependencyError("a"), LEVEL.Warning, Action.SHOW_INSTALL),
        (errors.ChipTooLargeError("a"), LEVEL.Warning, Action.COARSER),
        (errors.MissingCrsError("a"), LEVEL.Warning, Action.OPEN_SETTINGS),
        (errors.RasterReadError("a"), LEVEL.Critical, Action.RETRY),
        (errors.DownloadError("a"), LEVEL.Critical, Action.RETRY),
        (errors.EmptyPromptError("a"), LEVEL.Info, None),
        (errors.OutsideExtentError("a"), LEVEL.Warning, None),
        (errors.OutputError("a"), LEVEL.Critical, None),
    ],
)
def test_how_bad_it_is_and_what_can_be_done(error, level, action):
    message = messages.of(error)

    assert (message.level, message.action) == (level, action)


def test_a_new_kind_of_error_is_shown_as_its_parent():
    class Odd(errors.RasterReadError):
        pass

    assert messages.of(Odd("a")).action is Action.RETRY


def test_the_button_does_it_and_the_message_goes(bar):
    done = []
    item = messages.show(bar, errors.ModelNotInstalledError("No weights."), on_action=done.append)
    (button,) = [one for one in item.findChildren(QPushButton) if one.text() == "Download"]

    button.click()

    assert done == [Action.DOWNLOAD]
    assert bar.currentItem() is None


def test_without_somebody_to_do_it_there_is_no_button(bar):
    item = messages.show(bar, errors.ModelNotInstalledError("No weights."))

    assert [one for one in item.findChildren(QPushButton) if one.text()] == []


def test_the_same_message_does_not_pile_up(bar):
    first = messages.show(bar, errors.OutsideExtentError("There."))

    assert messages.show(bar, errors.OutsideExtentError("There.")) is first
    assert messages.show(bar, errors.OutsideExtentError("Elsewhere.")) is not first


def test_what_the_user_has_cancelled_is_no_news(bar):
    assert messages.show(bar, Cancelled("Stopped on request.")) is None
    assert bar.currentItem() is None


def test_critical_stays_and_a_notice_goes():
    assert messages.of(errors.OutputError("a")).seconds == 0
    assert 0 < messages.of("Kept.").seconds < messages.of(errors.OutsideExtentError("a")).seconds


def test_an_error_that_nobody_expected_is_named_with_its_kind():
    message = messages.of(KeyError("colour"))

    assert message.text == "KeyError: 'colour'. Please report it, with what you did before."
    assert message.level == LEVEL.Critical
