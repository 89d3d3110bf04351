"""A map window with the tool in it, and somebody who clicks and types."""

from __future__ import annotations

import time

from prompt_segmenter.test.helpers.fake_interactive import FakeSessions
from prompt_segmenter.ui.segmenter import Segmenter
from pytest_qgis.utils import wait
from qgis.core import QgsCoordinateReferenceSystem, QgsGeometry, QgsPointXY, QgsRectangle
from qgis.gui import QgsRubberBand, QgsVertexMarker
from qgis.PyQt.QtCore import QEvent, QPoint, QPointF, Qt
from qgis.PyQt.QtGui import QMouseEvent
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication

UTM = "EPSG:32633"
LEFT, TOP = 500_000.0, 4_600_000.0
BUTTON_LEFT, BUTTON_RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
NONE, SHIFT, CONTROL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)


def until(condition, timeout_s=30.0):
    """Spin the event loop until something is true, and return it."""
    end = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < end, "it did not become true in time"
        wait(5)
    return value


class Stage:
    """Places are metres from the upper left corner of the view, east and south."""

    def __init__(self, canvas, window, crs=UTM, raster_crs=UTM, sessions=None):
        self.canvas = canvas
        window.setCentralWidget(canvas)
        window.resize(600, 600)
        window.show()
        window.activateWindow()
        canvas.setRotation(0.0)
        canvas.setDestinationCrs(QgsCoordinateReferenceSystem(crs))
        self.show_view()
        self.sessions = sessions or FakeSessions(raster_crs, QgsCoordinateReferenceSystem(raster_crs))
        self.fake = getattr(self.sessions, "fake", None)
        self.segmenter = Segmenter(canvas, sessions=self.sessions)
        self.failures, self.said = [], []
        self.segmenter.failed.connect(self.failures.append)
        self.segmenter.status_changed.connect(lambda text, busy, fraction: self.said.append(text))

    def show_view(self, dx=0.0, dy=0.0, scale=1.0):
        """Look at so many metres for a pixel, from an upper left corner so far from the usual one."""
        size = self.canvas.mapSettings().outputSize()
        width, height = scale * size.width(), scale * size.height()
        self.canvas.setExtent(QgsRectangle(LEFT + dx, TOP - dy - height, LEFT + dx + width, TOP - dy))
        wait(1)

    def start(self, *, hover=False):
        """Take the tool up and wait until the view is encoded."""
        self.segmenter.set_hover(hover)
        self.segmenter.activate()
        if self.fake is not None:
            until(lambda: self.fake.encodes)
        self.settle()

    def settle(self):
        """Wait until nothing is computed any more."""
        until(lambda: not self.segmenter.inquirer.worker.is_busy)
        wait(10)

    def pixel(self, x, y):
        point = self.canvas.mapSettings().mapToPixel().transform(QgsPointXY(LEFT + x, TOP - y))
        return QPoint(round(point.x()), round(point.y()))

    def place(self, x, y):
        """Return the map point of the pixel at a place."""
        return self.canvas.getCoordinateTransform().toMapCoordinates(self.pixel(x, y))

    def move(self, x, y, modifiers=NONE, buttons=Qt.MouseButton.NoButton):
        self.move_to(self.pixel(x, y), modifiers, buttons)

    def move_to(self, pixel, modifiers=NONE, buttons=Qt.MouseButton.NoButton):
        """Move the pointer; what QTest does to move it does nothing without a window system."""
        view = self.canvas.viewport()
        where, on_screen = QPointF(pixel), QPointF(view.mapToGlobal(pixel))
        event = QMouseEvent(QEvent.Type.MouseMove, where, on_screen, Qt.MouseButton.NoButton, buttons, modifiers)
        QApplication.sendEvent(view, event)
        wait(1)

    def click(self, x, y, modifiers=NONE, button=BUTTON_LEFT, *, settle=True):
        QTest.mouseClick(self.canvas.viewport(), button, modifiers, self.pixel(x, y))
        if settle:
            self.settle()

    def exclude(self, x, y, *, settle=True):
        self.click(x, y, button=BUTTON_RIGHT, settle=settle)

    def double_click(self, x, y, *, settle=True):
        """Click twice as a window system says it: press, release, double click, release."""
        QTest.mouseClick(self.canvas.viewport(), BUTTON_LEFT, NONE, self.pixel(x, y))
        QTest.mouseDClick(self.canvas.viewport(), BUTTON_LEFT, NONE, self.pixel(x, y))
        if settle:
            self.settle()

    def drag(self, start, end, modifiers=NONE, *, settle=True):
        view = self.canvas.viewport()
        begun, ended = self.pixel(*start), self.pixel(*end)
        QTest.mousePress(view, BUTTON_LEFT, modifiers, begun)
        for part in range(1, 6):
            self.move_to(begun + (ended - begun) * (part / 5), modifiers, BUTTON_LEFT)
        QTest.mouseRelease(view, BUTTON_LEFT, modifiers, ended)
        if settle:
            self.settle()

    def key(self, key, modifiers=NONE, *, settle=True):
        QTest.keyClick(self.canvas, key, modifiers)
        if settle:
            self.settle()

    @property
    def objects(self):
        return self.segmenter.outlining.state.objects

    @property
    def current(self):
        return self.segmenter.outlining.current

    def prompts(self):
        """Return the current object's prompts as metres from the corner, e.g. ["+100,200"]."""
        words = []
        for prompt in self.current.prompts:
            if prompt.kind == "point":
                sign = "+" if prompt.include else "-"
                words.append(f"{sign}{round(prompt.x - LEFT)},{round(TOP - prompt.y)}")
            else:
                words.append(prompt.kind)
        return words

    def bands(self):
        """Return the visible polygons over the map, as geometries in the map's CRS."""
        found = [item for item in self.canvas.scene().items() if isinstance(item, QgsRubberBand)]
        return [band.asGeometry() for band in found if band.isVisible() and not band.asGeometry().isEmpty()]

    def markers(self):
        return [item for item in self.canvas.scene().items() if isinstance(item, QgsVertexMarker)]

    def outlines_at(self, x, y):
        """Return the areas of the polygons over a place, the largest last."""
        point = QgsGeometry.fromPointXY(self.place(x, y))
        return sorted(band.area() for band in self.bands() if band.contains(point))

    def target(self):
        return self.segmenter.keeper.layer

    def kept(self):
        layer = self.target()
        return [] if layer is None else list(layer.getFeatures())

    def close(self):
        assert self.segmenter.close()
        assert self.bands() == []
        assert self.markers() == []
