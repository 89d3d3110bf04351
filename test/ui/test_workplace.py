from __future__ import annotations

import sys

import numpy as np
import prompt_segmenter
import pytest
from prompt_segmenter.algorithms import server_settings
from prompt_segmenter.core.errors import ModelNotInstalledError, OutsideExtentError
from prompt_segmenter.test.algorithms.conftest import write_tif
from prompt_segmenter.test.helpers.samgeo_script import runs, samgeo_command
from prompt_segmenter.test.ui.stage import LEFT, NONE, TOP, until
from prompt_segmenter.test.ui.test_terrain_page import endless, write_dem
from prompt_segmenter.ui import workplace as workplace_module
from prompt_segmenter.ui.mode import Mode
from prompt_segmenter.ui.preferences import Preferences
from pytest_qgis.utils import wait
from qgis.core import QgsApplication, QgsCoordinateReferenceSystem, QgsProject, QgsRasterLayer, QgsRectangle
from qgis.gui import QgsMapToolPan, QgsMessageBar
from qgis.PyQt.QtCore import QPoint, Qt
from qgis.PyQt.QtGui import QGuiApplication
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QPushButton, QWidget

__all__ = ["endless"]


class Window:
    """As much of QGIS's window as the plugin uses."""

    def __init__(self, window, canvas):
        self.window, self.canvas = window, canvas
        self.menu, self.bar, self.docks = [], [], []
        self.active = None
        self.messages = QgsMessageBar(window)
        self.properties_of = []

    def mainWindow(self):
        return self.window

    def mapCanvas(self):
        return self.canvas

    def messageBar(self):
        return self.messages

    def activeLayer(self):
        return self.active

    def setActiveLayer(self, layer):
        self.active = layer

    def showLayerProperties(self, layer):
        self.properties_of.append(layer)

    def addDockWidget(self, area, dock):
        self.docks.append(dock)
        self.window.addDockWidget(area, dock)

    def removeDockWidget(self, dock):
        self.docks.remove(dock)
        self.window.removeDockWidget(dock)

    def addPluginToRasterMenu(self, title, action):
        self.menu.append(action)

    def removePluginRasterMenu(self, title, action):
        self.menu.remove(action)

    def addRasterToolBarIcon(self, action):
        self.bar.append(action)

    def removeRasterToolBarIcon(self, action):
        self.bar.remove(action)


@pytest.fixture
def layer(tmp_path, project):
    data = np.full((3, 400, 400), 60, np.uint8)
    data[:, 150:250, 150:250] = 200
    path = write_tif(tmp_path / "a.tif", data, transform=(1, 0, LEFT, 0, -1, TOP), photometric="RGB")
    layer = QgsRasterLayer(path, "photo")
    project.addMapLayer(layer)
    return layer


@pytest.fixture
def window(qgis_canvas, qgis_parent, layer):
    Preferences().set("store/on_disk", False)
    qgis_parent.setCentralWidget(qgis_canvas)
    qgis_parent.resize(900, 600)
    qgis_parent.show()
    qgis_canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:32633"))
    qgis_canvas.setLayers([layer])
    qgis_canvas.setExtent(QgsRectangle(LEFT, TOP - 400, LEFT + 400, TOP))
    wait(10)
    return Window(qgis_parent, qgis_canvas)


@pytest.fixture
def plugin(window):
    registry = QgsApplication.processingRegistry()
    present = registry.providerById("promptsegmenter")
    if present is not None:
        registry.removeProvider(present)
    plugin = prompt_segmenter.classFactory(window)
    plugin.initGui()
    yield plugin
    plugin.unload()
    assert (window.menu, window.bar, window.docks) == ([], [], [])


@pytest.fixture
def place(plugin, window, layer):
    """The panel and the tool, opened by the action, with the view encoded."""
    window.active = layer
    window.menu[0].trigger()
    place = plugin._workplace
    settle(place, lambda: place.segmenter.inquirer.encodes)
    return place


def settle(place, condition=lambda: True):
    until(lambda: condition() and not place.segmenter.inquirer.worker.is_busy, timeout_s=60)
    wait(20)


def click(place, button=Qt.MouseButton.LeftButton):
    canvas = place.segmenter._canvas
    where = canvas.mapSettings().mapToPixel().transform(LEFT + 200, TOP - 200)
    QTest.mouseClick(canvas.viewport(), button, NONE, QPoint(round(where.x()), round(where.y())))
    settle(place)


def test_nothing_of_the_tool_is_there_before_its_action(plugin, window):
    assert plugin._workplace is None
    assert window.docks == []


def test_the_action_opens_the_panel_on_the_active_raster_and_takes_the_tool_up(place, window, layer):
    action = window.menu[0]

    assert window.docks == [place.panel]
    assert place.panel.layer() is layer
    assert place.segmenter.is_active
    assert action.isChecked()
    assert place.panel._start.isChecked()
    action.trigger()
    assert not place.segmenter.is_active
    assert not action.isChecked()
    assert not place.panel._start.isChecked()
    place.panel._start.click()
    assert place.segmenter.is_active
    assert action.isChecked()


def test_another_tool_unchecks_the_action(place, window):
    pan = QgsMapToolPan(window.canvas)
    window.canvas.setMapTool(pan)

    assert not window.menu[0].isChecked()
    assert not place.panel._start.isChecked()


def test_the_panels_buttons_do_what_the_keys_do(place, window):
    controls = place.panel._object
    click(place)
    assert controls.keep.isEnabled()
    assert "score" in controls.summary.text()
    controls.undo.click()
    assert place.segmenter.summary() == ""
    controls.redo.click()
    assert place.segmenter.can_keep
    controls.drop.click()
    assert not place.segmenter.gestures.has_open
    controls.undo.click()
    controls.keep.click()

    target = place.segmenter.keeper.layer
    assert [feature["model"] for feature in target.getFeatures()] == ["starter"]
    assert place.panel.target() is target
    # QGIS's undo is that of the active layer
    assert window.active is target


def test_the_panels_choices_reach_the_tool(place):
    place.panel._mode.buttons[Mode.EACH_CLICK].setChecked(True)
    place.panel._mode.hover.setChecked(False)
    place.panel._keep.label_box.setEditText("roof")

    assert place.segmenter.gestures.mode is Mode.EACH_CLICK
    assert not place.segmenter.gestures.anticipation.hover
    assert place.segmenter.keeper.settings.label == "roof"
    place.panel.set_layer(None)
    settle(place)
    click(place)
    assert place.segmenter.can_keep


def test_copies_make_the_object_again(place):
    click(place)
    place.panel.copy_command_requested.emit()
    text = QGuiApplication.clipboard().text()
    assert text.startswith("qgis_process run promptsegmenter:")
    assert "a.tif" in text
    place.panel.copy_python_requested.emit()
    assert "processing.run(" in QGuiApplication.clipboard().text()


def test_what_the_canvas_shows_has_no_command_and_says_so(place, window):
    place.panel.set_layer(None)
    settle(place)
    click(place)
    place.panel.copy_command_requested.emit()

    assert "be named in a command" in window.messages.currentItem().text()


def test_a_missing_package_shows_the_page_and_leaves_the_tool_alone(plugin, window, monkeypatch):
    monkeypatch.setattr(workplace_module, "missing_packages", lambda: ["onnxruntime"])
    window.menu[0].trigger()
    place = plugin._workplace

    assert place.panel._pages.currentIndex() == 1
    assert not place.segmenter.is_active
    assert not window.menu[0].isChecked()


def button_of(bar):
    return next(button for button in bar.currentItem().findChildren(QPushButton) if button.text())


def test_an_error_is_in_the_message_bar_with_what_can_be_done(place, window, monkeypatch):
    started = []
    monkeypatch.setattr(place._downloads, "start", started.append)
    place.segmenter.failed.emit(ModelNotInstalledError("It is not installed.", hint="Download it."))
    assert "It is not installed. Download it." in window.messages.currentItem().text()
    button_of(window.messages).click()
    assert started == ["starter"]

    place.segmenter.failed.emit(OutsideExtentError("This prompt lies outside the raster."))
    assert "outside the raster" in window.messages.currentItem().text()


def test_a_click_beside_the_image_says_so_and_is_taken_back(place, window):
    click(place)
    window.canvas.setExtent(QgsRectangle(LEFT - 400, TOP - 400, LEFT + 400, TOP + 400))
    wait(10)
    QTest.mouseClick(window.canvas.viewport(), Qt.MouseButton.LeftButton, NONE, QPoint(20, 20))
    settle(place)

    assert "outside" in window.messages.currentItem().text().lower()
    assert len(place.segmenter.outlining.current.prompts) == 1
    assert place.segmenter.can_keep
    assert "taken back" in place.panel._status.text.text()


def test_unloading_in_the_middle_gives_everything_back(qgis_canvas, plugin, window, layer):
    pan = QgsMapToolPan(qgis_canvas)
    qgis_canvas.setMapTool(pan)
    before = set(qgis_canvas.scene().items())
    window.active = layer
    window.menu[0].trigger()
    wait(30)
    plugin.unload()
    wait(50)

    assert (window.menu, window.bar, window.docks) == ([], [], [])
    assert qgis_canvas.mapTool() is pan
    assert set(qgis_canvas.scene().items()) == before
    assert window.window.findChildren(QWidget, "PromptSegmenterPanel") == []
    layer.triggerRepaint()
    QgsProject.instance().removeMapLayer(layer)
    qgis_canvas.setRotation(5)
    wait(100)


def test_the_plugin_can_be_loaded_again_after_it_was_used(plugin, window, layer):
    window.active = layer
    window.menu[0].trigger()
    wait(20)
    plugin.unload()
    plugin.initGui()
    window.menu[0].trigger()
    place = plugin._workplace
    settle(place, lambda: place.segmenter.inquirer.encodes)
    click(place)

    assert place.segmenter.can_keep


def test_unloading_in_the_middle_of_a_search_leaves_nothing(place, plugin, tmp_path, endless):
    controls = place.panel.terrain
    controls.list.setLayer(write_dem(tmp_path / "dem.tif"))
    controls.volcanoes.click()
    until(endless.begun.is_set)

    plugin.unload()
    wait(50)

    until(endless.ended.is_set, timeout_s=2.0)


def test_accepted_landforms_become_the_active_layer(place, window, tmp_path):
    controls = place.panel.terrain
    controls.list.setLayer(write_dem(tmp_path / "dem.tif"))
    controls.method.setCurrentIndex(1)
    controls.volcanoes.click()
    until(lambda: not place.terrain.search.is_running, timeout_s=60)
    controls.candidates.accept_all.click()
    assert window.active.name() == "Volcanoes" and window.active.featureCount() == 2
    assert controls.candidates.isHidden()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_a_server_that_was_started_ends_when_the_plugin_is_unloaded(place, plugin, tmp_path):
    servers = place.panel.servers
    servers.command.setText(samgeo_command(tmp_path))
    servers.start.click()
    until(lambda: server_settings.url_of("samgeo") and "pid" in servers.log.toPlainText())
    pid = int(servers.log.toPlainText().rpartition("pid ")[2].split()[0])
    assert runs(pid)

    plugin.unload()

    until(lambda: not runs(pid))
    assert server_settings.url_of("samgeo") == ""
