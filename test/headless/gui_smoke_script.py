"""Runs inside a real QGIS window (``qgis --code``): segments as a mapper would, with mouse and keys; takes pictures.

tools/gui_smoke.py starts it. GUI_SMOKE (folder), GUI_SMOKE_PLACES (where to point) and GUI_SMOKE_FONT (per cent) come
from the environment.
"""

import json
import os
import sys
import time
import traceback
from pathlib import Path

from qgis import utils
from qgis.core import Qgis, QgsApplication, QgsPointXY, QgsProject, QgsRectangle, QgsVectorLayer
from qgis.gui import QgsRubberBand
from qgis.PyQt.QtCore import QEventLoop, QPoint, Qt, QTimer
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QAction, QApplication, QDockWidget

WORK = Path(os.environ["GUI_SMOKE"])
PLACES = json.loads(os.environ["GUI_SMOKE_PLACES"])
LEFT, RIGHT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.KeyboardModifier.NoModifier
TOO_LONG_S, PATIENCE_S = 60.0, 15.0
WAYS = ("similar", "words", "everything")
"""The panel's searches, in the order that they are tried."""
errors = []


def wait_ms(milliseconds):
    """Let the window work for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def wait_until(happened, what):
    """Let the window work until something has happened."""
    begun = time.monotonic()
    while not happened():
        if time.monotonic() - begun > TOO_LONG_S:
            raise TimeoutError(f"{what} did not happen in {TOO_LONG_S:g} s")
        wait_ms(20)


class Session:
    """The window, and what a mapper does with it."""

    def __init__(self):
        self.window, self.canvas = utils.iface.mainWindow(), utils.iface.mapCanvas()
        self.panel = None

    def open(self):
        """Show the scene as large as it fits, and the panel beside it."""
        for dock in self.window.findChildren(QDockWidget):
            dock.hide()
        for bar in self.window.findChildren(type(utils.iface.rasterToolBar())):
            keep = bar in (utils.iface.rasterToolBar(), utils.iface.mapNavToolToolBar())
            if bar.parent() is self.window:
                bar.setVisible(keep)
        self.window.setWindowState(Qt.WindowState.WindowNoState)
        self.window.resize(1060, 740)
        self.window.activateWindow()
        layer = utils.iface.addRasterLayer(str(WORK / "scene.tif"), "scene")
        self.canvas.setDestinationCrs(layer.crs())
        (action,) = (one for one in self.window.findChildren(QAction) if one.objectName() == "PromptSegmenterTool")
        action.trigger()
        self.panel = self.window.findChild(QDockWidget, "PromptSegmenterPanel")
        self.panel.show()
        self.panel.set_layer(layer)
        self.panel._keep.label_box.setEditText("roof")
        wait_ms(500)
        whole, middle = layer.extent(), layer.extent().center()
        high = 0.5 * whole.width() * self.canvas.height() / self.canvas.width()
        self.canvas.setExtent(QgsRectangle(whole.xMinimum(), middle.y() - high, whole.xMaximum(), middle.y() + high))
        self.canvas.refresh()
        wait_ms(1500)
        self.canvas.waitWhileRendering()
        self.until_idle("the view is encoded")

    def busy(self):
        """Return True while the panel's bar is moving."""
        return not self.panel._status.bar.isHidden()

    def has_outline(self):
        """Return True if there is an object to keep."""
        return self.panel._object.keep.isEnabled()

    def until_idle(self, what):
        """Wait until nothing is computed any more."""
        wait_ms(400)
        wait_until(lambda: not self.busy(), what)

    def pixel(self, x, y):
        """Return where on the canvas a place of the map is."""
        where = self.canvas.mapSettings().mapToPixel().transform(QgsPointXY(x, y))
        return QPoint(round(where.x()), round(where.y()))

    def click(self, place, button):
        """Click at a place of the map and wait for what comes of it."""
        where = self.pixel(*place)
        QTest.mouseMove(self.canvas.viewport(), where)
        wait_ms(300)
        begun = time.monotonic()
        QTest.mouseClick(self.canvas.viewport(), button, NONE, where)
        return begun

    def hover(self, place):
        """Rest the pointer at a place of the map."""
        begun = time.monotonic()
        while not self.has_preview() and time.monotonic() - begun < PATIENCE_S:
            # the view may still be encoded: nothing is previewed before that
            QTest.mouseMove(self.canvas.viewport(), self.pixel(*place) + QPoint(1, 0))
            QTest.mouseMove(self.canvas.viewport(), self.pixel(*place))
            wait_ms(1500)

    def has_preview(self):
        """Return True if an outline is shown though nothing was clicked."""
        return any(item.isVisible() and item.numberOfVertices() > 3 for item in self.bands()) and not self.has_outline()

    def bands(self):
        """Return the rubber bands on the canvas."""
        return [item for item in self.canvas.scene().items() if isinstance(item, QgsRubberBand)]

    def drag(self, box):
        """Drag from the upper left to the lower right corner of map bounds."""
        start, end = self.pixel(box[0], box[3]), self.pixel(box[2], box[1])
        view = self.canvas.viewport()
        QTest.mouseMove(view, start)
        QTest.mousePress(view, LEFT, NONE, start)
        for part in range(1, 11):
            QTest.mouseMove(view, start + (end - start) * (part / 10))
            wait_ms(15)
        QTest.mouseRelease(view, LEFT, NONE, end)

    def key(self, key, modifier=NONE):
        """Press a key on the canvas."""
        self.canvas.setFocus()
        QTest.keyClick(self.canvas, key, modifier)
        wait_ms(300)

    def kept(self):
        """Return how many objects the target layer holds."""
        layer = self.panel.target()
        return layer.featureCount() if isinstance(layer, QgsVectorLayer) else 0

    def find(self, way):
        """Search by one of the panel's ways, and return what it says in the end and the layer."""
        self.panel.ways.show_page(way)
        controls = getattr(self.panel, way)
        before = set(QgsProject.instance().mapLayers())
        wait_ms(200)
        controls.find.click()
        state = controls.results.status
        was_told = False
        begun = time.monotonic()
        while not state.bar.isHidden():
            if time.monotonic() - begun > 2 * TOO_LONG_S:
                raise TimeoutError(f"the search for {way} did not end in {2 * TOO_LONG_S:g} s")
            was_told = was_told or 0 < state.bar.value() < state.bar.maximum()
            wait_ms(20)
        (layer_id,) = set(QgsProject.instance().mapLayers()) - before
        return {
            "said": state.text.text(),
            "count": controls.results.count.text(),
            "seconds": round(time.monotonic() - begun, 1),
            "progress": was_told,
        }, QgsProject.instance().mapLayer(layer_id)

    def slide(self, way, value):
        """Move the slider and return how many are said to be shown, and how many the layer has."""
        results = getattr(self.panel, way).results
        results.set_threshold(value)
        wait_ms(200)
        return results.count.text()

    def shoot(self, name):
        """Take the window's picture."""
        wait_ms(600)
        self.canvas.waitWhileRendering()
        wait_ms(300)
        self.window.grab().save(str(WORK / f"{name}.png"))


def run():
    """Do it and return the report."""
    report = {"version": Qgis.QGIS_VERSION, "kept": []}
    session = Session()
    session.open()
    report["status"] = session.panel._status.text.text()

    session.hover(PLACES["include"])
    report["preview"] = session.has_preview()
    session.shoot("hover")
    session.panel._mode.hover.setChecked(False)
    begun = session.click(PLACES["include"], LEFT)
    wait_until(session.has_outline, "the outline of a click")
    report["click_ms"] = round(1000 * (time.monotonic() - begun))
    session.until_idle("the outline of a click")
    report["outline_after_click"] = session.has_outline()
    report["summary"] = session.panel._object.summary.text()
    session.shoot("click")

    session.click(PLACES["exclude"], RIGHT)
    session.until_idle("the outline after an exclude click")
    report["outline_after_exclude"] = session.has_outline()
    session.shoot("exclude")
    session.key(Qt.Key.Key_Return)
    report["kept"].append(session.kept())

    session.drag(PLACES["box"])
    session.until_idle("the outline of a box")
    report["outline_after_box"] = session.has_outline()
    session.shoot("box")
    session.key(Qt.Key.Key_Return)
    report["kept"].append(session.kept())
    QTest.mouseMove(session.canvas.viewport(), QPoint(3, 3))
    session.shoot("kept")

    session.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    report["after_undo"] = session.kept()
    session.panel.set_layer(None)
    session.until_idle("what the canvas shows is encoded")
    session.click(PLACES["second"], LEFT)
    wait_until(session.has_outline, "the outline of a click on what the canvas shows")
    report["outline_on_canvas"] = session.has_outline()
    report["summary_on_canvas"] = session.panel._object.summary.text()
    session.key(Qt.Key.Key_Escape)
    search(session, report)
    report["errors"] = errors
    return report


def search(session, report):
    """Look for everything and by words, in a part of the scene; filter what was found, and copy it."""
    panel = session.panel
    panel.set_layer(QgsProject.instance().mapLayersByName("scene")[0])
    middle = session.canvas.extent().center()
    half = 0.25 * session.canvas.extent().width()
    session.canvas.setExtent(QgsRectangle(middle.x() - half, middle.y() - half, middle.x() + half, middle.y() + half))
    session.until_idle("the closer view is encoded")
    panel.ways.show_page("clicks")
    session.click(PLACES["include"], LEFT)
    wait_until(session.has_outline, "the outline of an example")
    panel.ways.show_page("similar")
    panel.similar.add_object.click()
    for way in WAYS:
        if way == "words":
            panel.words.text.setEditText("building; tree")
        found, layer = session.find(way)
        report[way] = found
        found["name"] = layer.name()
        session.shoot(way)
        found["all"] = session.slide(way, 0.0)
        found["some"] = session.slide(way, 0.6)
        found["features"] = layer.featureCount()
        before = session.kept()
        getattr(panel, way).results.copy.click()
        wait_ms(300)
        found["copied"] = session.kept() - before
        getattr(panel, way).results.remove.click()


def main():
    """Write the report and leave at once: a QGIS that closes in the usual way asks questions."""
    status = 1
    try:
        (WORK / "report.json").write_text(json.dumps(run()))
        status = 0
    except BaseException:  # noqa: BLE001 (whatever it is, this QGIS must end)
        traceback.print_exc()
        utils.iface.mainWindow().grab().save(str(WORK / "failed.png"))
    sys.stdout.flush()
    QgsProject.instance().setDirty(False)
    os._exit(status)


def hear(message, tag, level):
    """Keep what is logged as wrong by Python or by the plugin."""
    if level == Qgis.MessageLevel.Critical and tag in ("Python error", "Prompt Segmenter", "Plugins"):
        errors.append(message[:300])


font = QApplication.font()
font.setPointSizeF(font.pointSizeF() * int(os.environ["GUI_SMOKE_FONT"]) / 100)
QApplication.setFont(font)
QgsApplication.messageLog().messageReceived[str, str, Qgis.MessageLevel].connect(hear)
QTimer.singleShot(2000, main)
