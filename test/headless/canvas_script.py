"""Runs inside a real QGIS window (``qgis --code``): uses the map tool, unloads the plugin in the middle, and quits.

RASTER, PLACE (map coordinates of an object) and REPORT come from the environment. QGIS ends in its own way: its exit
status says whether everything was put away.
"""

import json
import os
import sys
import threading
import time
import traceback
from pathlib import Path

from qgis import utils
from qgis.core import QgsPointXY, QgsProject, QgsSettings
from qgis.PyQt.QtCore import QEvent, QEventLoop, QPoint, Qt, QTimer
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QAction, QApplication, QDockWidget, QToolBar

NAME = "prompt_segmenter"
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
X, Y = json.loads(os.environ["PLACE"])


def wait_ms(milliseconds):
    """Let the window work for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def wait_until(happened, what):
    """Let the window work until something has happened."""
    end = time.monotonic() + 60
    while not happened():
        if time.monotonic() > end:
            raise TimeoutError(what)
        wait_ms(20)


def start():
    """Take the tool up by its button and return the plugin's parts."""
    window = utils.iface.mainWindow()
    (action,) = (one for one in window.findChildren(QAction) if one.objectName() == "PromptSegmenterTool")
    action.trigger()
    return utils.plugins[NAME]._workplace


def pixel(x, y):
    """Return where on the canvas a place of the map is."""
    where = utils.iface.mapCanvas().mapSettings().mapToPixel().transform(QgsPointXY(x, y))
    return QPoint(round(where.x()), round(where.y()))


def settle(place):
    """Wait until nothing is computed any more."""
    wait_ms(400)
    wait_until(lambda: not place.segmenter.inquirer.worker.is_busy, "the worker's rest")
    wait_ms(50)


def features(layer):
    """Return how many objects a layer holds."""
    return layer.featureCount()


def use(report):
    """Keep an object by double click, take it back by QGIS's own undo, and bring it back."""
    canvas = utils.iface.mapCanvas()
    report["before"] = type(canvas.mapTool()).__name__
    place = start()
    wait_until(lambda: place.segmenter.inquirer.encodes, "an encoded view")
    settle(place)
    QTest.mouseClick(canvas.viewport(), LEFT, NONE, pixel(X, Y))
    settle(place)
    report["summary"] = place.segmenter.summary()
    QTest.mouseDClick(canvas.viewport(), LEFT, NONE, pixel(X, Y))
    settle(place)
    layer = place.segmenter.keeper.layer
    report["kept"] = features(layer)
    report["active"] = utils.iface.activeLayer() is layer
    # shortcuts are for the active window, and nobody else makes it so on a bare screen
    utils.iface.mainWindow().activateWindow()
    canvas.setFocus()
    wait_until(canvas.hasFocus, "the canvas's focus")
    QTest.keyClick(canvas, Qt.Key.Key_Z, CONTROL)
    report["undone"] = features(layer)
    QTest.keyClick(canvas, Qt.Key.Key_Z, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    report["redone"] = features(layer)
    # QGIS's S is an action of this toolbar
    utils.iface.mainWindow().findChild(QToolBar, "mSnappingToolBar").show()
    wait_ms(100)
    snapping = QgsProject.instance().snappingConfig().enabled()
    QTest.keyClick(canvas, Qt.Key.Key_S)
    report["snapping_by_s"] = QgsProject.instance().snappingConfig().enabled() != snapping
    layer.commitChanges()


def unload(report):
    """Unload the plugin while the view is encoded, and look what is left."""
    canvas = utils.iface.mapCanvas()
    utils.plugins[NAME]._workplace.segmenter.deactivate()
    before = canvas.mapTool()
    start()
    canvas.zoomByFactor(0.7)
    wait_ms(320)
    begun = time.monotonic()
    report["unloaded"] = bool(utils.unloadPlugin(NAME))
    report["unload_s"] = round(time.monotonic() - begun, 2)
    wait_ms(200)
    report["same_tool"] = canvas.mapTool() is before
    report["threads"] = [thread.name for thread in threading.enumerate() if thread.name == NAME]
    # what is deleted later is deleted when the script has returned, which here is too late
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    docks = utils.iface.mainWindow().findChildren(QDockWidget)
    report["docks"] = [dock.objectName() for dock in docks if dock.objectName() == "PromptSegmenterPanel"]


def quit_in_the_middle():
    """Load the plugin again, begin to encode, and close QGIS as a user does."""
    utils.loadPlugin(NAME)
    utils.startPlugin(NAME)
    start()
    utils.iface.mapCanvas().zoomByFactor(0.6)
    wait_ms(320)
    QgsSettings().setValue("app/askToSaveMemoryLayers", False)
    QgsProject.instance().setDirty(False)
    utils.iface.actionExit().trigger()


def main():
    """Do it, write the report, and quit."""
    report = {}
    try:
        layer = utils.iface.addRasterLayer(os.environ["RASTER"], "image")
        utils.iface.mapCanvas().setDestinationCrs(layer.crs())
        utils.iface.mapCanvas().setExtent(layer.extent())
        wait_ms(500)
        use(report)
        unload(report)
        Path(os.environ["REPORT"]).write_text(json.dumps(report))
        quit_in_the_middle()
    except BaseException:  # noqa: BLE001 (whatever it is, this QGIS must end)
        traceback.print_exc()
        sys.stderr.write(json.dumps(report))
        os._exit(1)


QTimer.singleShot(2000, main)
