"""Searches in a window like QGIS's: messages with buttons, models that are fetched, and a plugin that is unloaded."""

from __future__ import annotations

import pytest
from prompt_segmenter.core import search
from prompt_segmenter.core.errors import LicenceError, ModelNotInstalledError, ServerBusyError
from prompt_segmenter.core.models import catalogue
from prompt_segmenter.test.helpers.fake_scan import FakeScan
from prompt_segmenter.test.ui.stage import until
from prompt_segmenter.test.ui.test_finding import tree
from prompt_segmenter.test.ui.test_model_choice import BOUND, answer
from prompt_segmenter.test.ui.test_workplace import button_of, layer, place, plugin, window
from pytest_qgis.utils import wait
from qgis.core import QgsProject

__all__ = ["layer", "place", "plugin", "window"]


@pytest.fixture
def scan(monkeypatch):
    made = FakeScan([tree(0), tree(20)], [tree(40)])
    monkeypatch.setattr(search, "Scan", made)
    monkeypatch.setattr(search, "everything_finder", lambda *given: given)
    yield made
    made.let = 99


def begin(place):
    place.start()
    place.panel.ways.show_page("everything")
    place.panel.everything.find.click()


def test_the_plugin_may_be_unloaded_while_a_search_runs(place, plugin, scan):
    scan.let = 1
    begin(place)
    until(lambda: place.finding.everything.layer.total == 2)
    found = QgsProject.instance().mapLayersByName("Everything")[0]
    plugin.unload()
    assert scan.ended.wait(5.0)
    wait(30)
    assert found.featureCount() == 2, "what the user has seen stays theirs"


def test_a_search_that_fails_can_be_tried_again_from_the_message(place, window, scan):
    scan.fails = ServerBusyError("The server is busy.", hint="Wait a moment.")
    begin(place)
    until(lambda: window.messages.currentItem() is not None)
    assert window.messages.currentItem().title() == "The server is busy"
    scan.fails = None
    place.finding.everything.remove()
    button_of(window.messages).click()
    until(lambda: place.finding.search.run is None and len(scan.calls) == 2)
    wait(10)
    assert place.finding.everything.layer.total == 3


@pytest.mark.parametrize("error", [ModelNotInstalledError("Not here."), LicenceError("Not accepted.")])
def test_the_button_of_a_missing_model_gets_the_one_that_was_searched_with(place, window, monkeypatch, error):
    started = []
    monkeypatch.setattr(place._downloads, "start", started.append)
    place.finding.failed.emit(error)
    button_of(window.messages).click()
    assert started == [place.panel.words.model.name()]


@pytest.mark.parametrize("accept", [True, False])
def test_a_model_with_a_licence_is_fetched_only_once_it_is_accepted(place, monkeypatch, tmp_path, accept):
    monkeypatch.setenv("PROMPT_SEGMENTER_MODELS", str(tmp_path))
    monkeypatch.setattr(catalogue, "SPECS", (*catalogue.SPECS, BOUND))
    started = []
    monkeypatch.setattr(place._downloads, "start", started.append)
    answer(accept)
    place.panel.download_requested.emit("bound")
    assert started == (["bound"] if accept else [])


def test_what_is_copied_makes_its_layer_the_active_one(place, window, scan):
    begin(place)
    until(lambda: place.finding.search.run is None)
    wait(10)
    place.panel.everything.results.copy.click()
    assert window.active is place.segmenter.keeper.layer and window.active.featureCount() == 3
