"""The servers page: what is set is remembered, how servers are is said, and the window never waits for them."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
import threading
import time

import pytest
from prompt_segmenter.algorithms import server_settings
from prompt_segmenter.algorithms.server_settings import ServerSettings
from prompt_segmenter.test.helpers.samgeo_script import runs, samgeo_command
from prompt_segmenter.test.helpers.samgis_server import serve
from prompt_segmenter.test.ui.stage import until
from prompt_segmenter.ui import servers_page
from prompt_segmenter.ui.samgeo_runner import SamgeoRunner
from prompt_segmenter.ui.segment_panel import SegmentPanel
from prompt_segmenter.ui.server_controls import ServerControls
from prompt_segmenter.ui.servers_page import ServersPage
from pytest_qgis.utils import wait
from qgis.core import QgsApplication, QgsAuthMethodConfig, QgsSettings
from qgis.PyQt.QtCore import QElapsedTimer, Qt, QTimer

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in ("PROMPT_SEGMENTER_SAMGEO_URL", "GEOLIBRE_ML_SAMGEO_URL", "PROMPT_SEGMENTER_SAMGIS_URL"):
        monkeypatch.delenv(name, raising=False)
    yield
    server_settings.announce("")


@pytest.fixture
def page(qgis_app):
    controls = ServerControls()
    page = ServersPage(controls)
    page.failures = []
    page.failed.connect(page.failures.append)
    controls.show()
    wait(20)
    yield page
    page.close()
    controls.deleteLater()


@pytest.fixture
def controls(page):
    return page._controls


@pytest.fixture
def samgis():
    with serve() as site:
        yield site


@pytest.fixture
def samgeo(tmp_path):
    """A server that is there already, by its address."""
    runner = SamgeoRunner()
    urls = []
    runner.started.connect(urls.append)
    runner.start(samgeo_command(tmp_path))
    until(lambda: urls)
    server_settings.announce("")
    yield urls[0]
    runner.close(10)


@pytest.fixture
def deaf():
    """A server that takes connections and says nothing, by its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(5)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def type_into(field, text):
    field.setText(text)
    field.editingFinished.emit()


def state(box):
    return box.state.text()


class TestSettings:
    def test_without_any_it_says_so_and_may_start_one(self, controls):
        assert state(controls.samgeo) == state(controls.samgis) == "None is set up."
        assert not controls.start.isHidden()
        assert controls.log.isHidden()
        assert server_settings.stored() == ServerSettings()

    def test_what_is_typed_is_remembered_at_once(self, controls, page):
        type_into(controls.samgis.url, "http://127.0.0.1:9/")
        type_into(controls.route, "/words")
        type_into(controls.command, "my-samgeo --reload")
        controls.model.setEditText("sam2")
        controls.model.lineEdit().editingFinished.emit()
        controls.shift.click()

        assert server_settings.stored() == ServerSettings(
            samgis_url="http://127.0.0.1:9/",
            samgis_words_route="/words",
            samgeo_command="my-samgeo --reload",
            samgeo_model="sam2",
            samgis_correct_shift=False,
        )
        again = ServerControls()
        other = ServersPage(again)
        assert again.settings() == server_settings.stored()
        other.close()

    def test_an_address_with_a_password_is_not_stored_and_not_repeated(self, controls):
        type_into(controls.samgeo.url, "http://me:hush-hush@server:8000")

        assert "Not stored" in state(controls.samgeo)
        assert "hush" not in state(controls.samgeo)
        assert server_settings.stored() == ServerSettings()

    def test_an_address_of_the_environment_is_shown_and_left_alone(self, monkeypatch, qgis_app):
        monkeypatch.setenv("PROMPT_SEGMENTER_SAMGIS_URL", "http://127.0.0.1:9")
        server_settings.store(ServerSettings(samgis_url="http://127.0.0.1:8"))
        controls = ServerControls()
        page = ServersPage(controls)

        assert controls.samgis.url.text() == "http://127.0.0.1:9"
        assert not controls.samgis.url.isEnabled()
        assert "PROMPT_SEGMENTER_SAMGIS_URL" in controls.samgis.url.toolTip()
        controls.shift.click()
        assert server_settings.stored().samgis_url == "http://127.0.0.1:8"
        page.close()

    def test_a_login_is_chosen_from_qgis_s_own_store(self, controls, samgis):
        manager = QgsApplication.authManager()
        assert manager.setMasterPassword("master", True)
        config = QgsAuthMethodConfig()
        config.setName("mine")
        config.setMethod("Basic")
        config.setConfigMap({"username": "me", "password": "hush-hush"})
        manager.storeAuthenticationConfig(config)
        type_into(controls.samgis.url, samgis.url)
        until(lambda: samgis.headers)
        controls.samgis.login.setConfigId(config.id())
        until(lambda: any("Authorization" in headers for headers in samgis.headers))

        said = server_settings.stored()
        assert said.samgis_authcfg == config.id()
        assert said.samgis_login_for == samgis.url
        settings = QgsSettings()
        assert "hush" not in str([settings.value(key) for key in settings.allKeys() if "prompt_segmenter" in key])
        manager.removeAuthenticationConfig(config.id())
        controls.samgis.refresh.click()
        assert "keeps no login" in state(controls.samgis)


class TestState:
    def test_a_samgeo_server_is_told_with_version_and_models(self, controls, samgeo):
        type_into(controls.samgeo.url, samgeo)
        until(lambda: "available" in state(controls.samgeo))

        assert "samgeo-api 1.4.2" in state(controls.samgeo)
        assert "sam3: facebook/sam3" in state(controls.samgeo)
        assert "no model yet" in state(controls.samgeo)
        assert controls.start.isHidden()
        listed = [controls.model.itemText(row) for row in range(controls.model.count())]
        assert listed == ["", "sam3:facebook/sam3", "sam2:sam2-hiera-large"]
        controls.model.setCurrentIndex(1)
        assert server_settings.stored().samgeo_model == "sam3:facebook/sam3"

    def test_a_samgis_server_is_well_or_not(self, controls, samgis):
        type_into(controls.samgis.url, samgis.url)
        until(lambda: "has its models" in state(controls.samgis))

        samgis.health = (500, {"msg": "Error - Internal Server Error"})
        controls.samgis.refresh.click()
        until(lambda: "weights are missing" in state(controls.samgis))

    def test_no_server_there(self, controls):
        type_into(controls.samgeo.url, "http://127.0.0.1:9")
        type_into(controls.samgis.url, "http://127.0.0.1:9")
        until(
            lambda: "refuses connections" in state(controls.samgeo) and "refuses connections" in state(controls.samgis)
        )

    def test_plain_http_to_another_machine_warns_before_it_is_asked(self, controls, page, monkeypatch):
        monkeypatch.setattr(page.samgeo, "start", lambda address: None)
        type_into(controls.samgeo.url, "http://gpu.example:8000")

        assert "without encryption" in state(controls.samgeo)

    def test_while_somebody_looks_it_is_asked_again(self, qgis_app, monkeypatch, samgeo):
        monkeypatch.setattr(servers_page, "AGAIN_EVERY_MS", 100)
        server_settings.store(ServerSettings(samgeo_url=samgeo))
        controls = ServerControls()
        page = ServersPage(controls)
        asked = []
        page.samgeo.answered.connect(asked.append)
        wait(400)
        assert asked == []
        controls.show()
        until(lambda: len(asked) >= 3)
        controls.hide()
        page.close()


def longest_pause_ms(work, lasting_ms=1500):
    """Return the longest time that the window could do nothing in, while ``work`` was going on."""
    pauses, clock = [], QElapsedTimer()
    timer = QTimer()
    timer.setInterval(5)
    timer.timeout.connect(lambda: pauses.append(clock.restart()))
    clock.start()
    timer.start()
    work()
    wait(lasting_ms)
    timer.stop()
    return max(pauses)


class TestTheWindowNeverWaits:
    def test_for_servers_that_hang(self, controls, page, deaf):
        def ask():
            type_into(controls.samgeo.url, deaf)
            type_into(controls.samgis.url, deaf)
            for _ in range(5):
                controls.samgeo.refresh.click()
                controls.samgis.refresh.click()

        assert longest_pause_ms(ask) < 500
        assert page.samgeo.is_asking
        assert page.samgis.is_asking
        assert "Asking" in state(controls.samgis)
        until(lambda: "busy" in state(controls.samgeo))

    def test_not_even_when_it_is_closed(self, controls, page, deaf):
        type_into(controls.samgeo.url, deaf)
        type_into(controls.samgis.url, deaf)
        wait(200)

        began = time.monotonic()
        page.close()
        assert time.monotonic() - began < 1.0

    def test_for_a_server_that_takes_its_time_to_start(self, controls, page, tmp_path):
        type_into(controls.command, samgeo_command(tmp_path, "slow"))

        assert longest_pause_ms(controls.start.click) < 500
        assert page.runner.is_running
        assert "Starting samgeo-api" in controls.progress.text.text()
        controls.progress.cancel.click()
        until(lambda: not page.runner.is_running)
        assert controls.progress.isHidden()
        assert page.failures == []


class TestStart:
    def begin(self, controls, page, tmp_path, mood="well"):
        type_into(controls.command, samgeo_command(tmp_path, mood))
        controls.start.click()
        until(lambda: server_settings.url_of("samgeo"))
        until(lambda: "available" in state(controls.samgeo) and "pid" in controls.log.toPlainText())
        return int(re.search(r"pid (\d+)", controls.log.toPlainText())[1])

    @linux
    def test_it_runs_is_used_shows_its_log_and_is_stopped(self, controls, page, tmp_path):
        pid = self.begin(controls, page, tmp_path)

        assert runs(pid)
        found = server_settings.servers().samgeo
        assert found.url.startswith("http://127.0.0.1:")
        assert found.headers == ()
        assert controls.start.text() == "Stop server"
        assert "started with token=***" in controls.log.toPlainText()
        assert "very-secret" not in controls.log.toPlainText()
        assert server_settings.stored().samgeo_url == ""
        controls.start.click()
        until(lambda: not runs(pid))
        assert server_settings.url_of("samgeo") == ""
        assert controls.start.text() == "Start server"
        assert state(controls.samgeo) == "None is set up."

    @linux
    def test_it_ends_with_the_page(self, controls, page, tmp_path):
        pid = self.begin(controls, page, tmp_path)

        assert page.close()
        until(lambda: not runs(pid))
        assert server_settings.url_of("samgeo") == ""

    @linux
    def test_it_ends_with_qgis(self, controls, page, tmp_path):
        pid = self.begin(controls, page, tmp_path)

        page._quit()
        assert not runs(pid)

    @linux
    def test_one_that_dies_is_noticed(self, controls, page, tmp_path):
        pid = self.begin(controls, page, tmp_path)
        os.kill(pid, signal.SIGKILL)

        until(lambda: not page.runner.is_running)
        assert server_settings.url_of("samgeo") == ""
        assert controls.start.text() == "Start server"

    def test_what_keeps_it_from_starting_is_said(self, controls, page, tmp_path):
        type_into(controls.command, samgeo_command(tmp_path, "broken"))
        controls.start.click()
        until(lambda: page.failures)

        assert "no module named torch" in str(page.failures[0])
        assert "no module named torch" in state(controls.samgeo)
        assert not controls.start.isHidden()
        assert controls.start.isEnabled()

    def test_a_command_that_is_not_there_says_how_it_is_installed(self, controls, page):
        type_into(controls.command, "no-such-samgeo-api")
        controls.start.click()
        until(lambda: page.failures)

        assert "pip install" in state(controls.samgeo)

    @linux
    def test_a_page_that_closes_during_the_start_leaves_nothing(self, controls, page, tmp_path):
        type_into(controls.command, samgeo_command(tmp_path, "slow"))
        controls.start.click()
        until(lambda: "pid" in controls.log.toPlainText())
        pid = int(re.search(r"pid (\d+)", controls.log.toPlainText())[1])

        page.close()
        until(lambda: not runs(pid), timeout_s=15)


class TestPanel:
    @pytest.fixture
    def panel(self, qgis_app):
        panel = SegmentPanel()
        yield panel
        panel.close()
        panel.deleteLater()

    def test_it_is_a_page_of_the_panel_that_is_asked_for_when_it_is_turned_to(self, panel, heard):
        shown = heard(panel.servers.shown)
        panel.show()
        wait(20)
        assert not panel.servers.isVisible()
        assert shown.values == []

        panel.ways.show_page("servers")
        wait(20)

        assert panel.servers.isVisible()
        assert len(shown.values) == 1

    def test_every_field_has_a_name_for_screen_readers(self, panel):
        for box in (panel.servers.samgeo, panel.servers.samgis):
            for index in range(box.form.rowCount()):
                field = box.form.itemAt(index, box.form.ItemRole.FieldRole).widget()
                assert field.accessibleName()
            assert box.refresh.accessibleName()
        assert panel.servers.log.accessibleName()

    def test_what_a_server_says_is_no_html(self, panel):
        panel.servers.samgeo.show_state(["<b>bold</b>"])
        assert panel.servers.samgeo.state.text() == "<b>bold</b>"
        assert panel.servers.samgeo.state.textFormat() == Qt.TextFormat.PlainText

    def test_the_map_tool_s_models_are_without_samgis(self, panel):
        names = [panel._model.list.itemData(row) for row in range(panel._model.list.count())]
        assert "starter" in names
        assert "samgis" not in names


def test_threads_end(page, deaf, controls):
    before = threading.active_count()
    type_into(controls.samgis.url, deaf)
    page.close()
    until(lambda: threading.active_count() <= before + 1, timeout_s=40)
