"""Model lists of different kinds, models of servers, and licences that have to be accepted first."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prompt_segmenter.core.models import catalogue
from prompt_segmenter.core.models.model import ModelFile
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.test.helpers.fake_scan import WORDS
from prompt_segmenter.ui import licence
from prompt_segmenter.ui.model_controls import ModelControls, about
from prompt_segmenter.ui.preferences import Preferences
from qgis.PyQt.QtCore import QTimer
from qgis.PyQt.QtWidgets import QApplication, QLabel, QMessageBox

FILE = ModelFile("words.onnx", "ab" * 32, 5_000_000, "https://example.org/words.onnx")
FETCHED = replace(WORDS, name="fetched", title="To be fetched", files=(FILE,))
BOUND = replace(
    FETCHED, name="bound", title="Bound", must_accept=True, licence="Own licence", licence_url="https://example.org/l"
)
REMOTE = replace(WORDS, name="remote", title="On a server", server="samgeo")


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr(catalogue, "SPECS", (catalogue.get("starter"), REMOTE, FETCHED, WORDS, BOUND))
    return ModelStore(tmp_path)


@pytest.fixture
def controls(store, qgis_app):
    made = ModelControls(store=store, kind="words", key="words/model", title="Model for words")
    yield made
    made.deleteLater()


def entries(controls):
    return [controls.list.itemText(row) for row in range(controls.list.count())]


def answer(accept):
    """Press a button of the message box that will be shown; it is asked what it says."""
    seen = []

    def press():
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        seen.append(box.text())
        role = QMessageBox.ButtonRole.AcceptRole if accept else QMessageBox.ButtonRole.RejectRole
        next(button for button in box.buttons() if box.buttonRole(button) == role).click()

    QTimer.singleShot(50, press)
    return seen


def test_only_models_that_take_words_are_listed_and_one_that_is_here_is_used(controls):
    assert entries(controls) == [
        "On a server",
        "To be fetched (to be downloaded)",
        "Any words",
        "Bound (to be downloaded)",
    ]
    assert controls.name() == "any_words"


def test_the_choice_of_a_kind_is_remembered_apart_from_the_click_model(controls, store):
    controls.choose("remote")
    assert controls.name() == "remote"
    assert Preferences().text("words/model") == "remote" and Preferences().text("model") == ""
    assert ModelControls(store=store, kind="words", key="words/model").name() == "remote"
    assert ModelControls(store=store).name() == "starter"


def test_a_model_of_a_server_says_where_it_runs():
    assert "Size: runs on a server" in about(REMOTE)


def test_without_a_model_of_the_kind_it_says_so(qgis_app, tmp_path, monkeypatch):
    monkeypatch.setattr(catalogue, "SPECS", (catalogue.get("starter"),))
    controls = ModelControls(store=ModelStore(tmp_path), kind="words")
    assert controls.name() == ""
    assert "No model of this kind is known." in [label.text() for label in controls.findChildren(QLabel)]


def test_a_model_that_is_here_is_used_only_once_its_licence_is_accepted(controls, store, tmp_path):
    (tmp_path / "words.onnx").write_bytes(b"x")
    controls.refresh()
    controls.choose("bound")
    assert controls.name() == "any_words"
    texts = [label.text() for label in controls.findChildren(QLabel)]
    assert "Its licence (Own licence) has to be accepted first. Until then: Any words." in texts
    store.accept(BOUND)
    controls.refresh()
    assert controls.name() == "bound"


@pytest.mark.parametrize("accept", [True, False])
def test_a_licence_is_shown_and_the_answer_recorded(store, accept, qgis_parent):
    seen = answer(accept)
    assert licence.ask(store, BOUND, qgis_parent) is accept
    assert "Own licence" in seen[0] and "https://example.org/l" in seen[0]
    assert store.is_accepted(BOUND) is accept
    if accept:
        assert licence.ask(store, BOUND, qgis_parent), "it is not asked twice"


def test_what_needs_no_acceptance_is_not_asked_about(store):
    assert licence.ask(store, FETCHED)
