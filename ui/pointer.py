"""Cursors that say what the next click will do."""

from __future__ import annotations

from enum import Enum

from qgis.PyQt.QtCore import QPointF, QRectF, Qt
from qgis.PyQt.QtGui import QColor, QCursor, QGuiApplication, QPainter, QPen, QPixmap

_SIZE = 32
_HOT = 11
_DARK, _LIGHT = QColor(20, 20, 20), QColor(255, 255, 255)


class Pointer(Enum):
    """What the next click will do."""

    OBJECT = "object"
    """Begin an object, or correct the one that is open."""
    EACH = "each"
    """Keep the object before, and begin the next."""
    BESIDE = "beside"
    """Begin another object beside the open one."""
    OPEN = "open"
    """Open the polygon under the pointer, to correct it."""


def cursor(pointer: Pointer) -> QCursor:
    """Return the cursor: a cross with a gap in its middle, and a sign beside it."""
    ratio = QGuiApplication.primaryScreen().devicePixelRatio() if QGuiApplication.primaryScreen() else 1.0
    picture = QPixmap(round(_SIZE * ratio), round(_SIZE * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for colour, width in ((_LIGHT, 4.0), (_DARK, 1.6)):
        pen = QPen(colour, width)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        for near, far in ((-3.5, -9.5), (3.5, 9.5)):
            painter.drawLine(QPointF(_HOT + near, _HOT), QPointF(_HOT + far, _HOT))
            painter.drawLine(QPointF(_HOT, _HOT + near), QPointF(_HOT, _HOT + far))
        _SIGNS[pointer](painter)
    painter.end()
    return QCursor(picture, _HOT, _HOT)


def _one(painter: QPainter) -> None:
    painter.drawEllipse(QRectF(20, 20, 9, 9))


def _several(painter: QPainter) -> None:
    painter.drawEllipse(QRectF(19, 22, 7, 7))
    painter.drawEllipse(QRectF(24, 17, 6, 6))


def _plus(painter: QPainter) -> None:
    painter.drawLine(QPointF(25, 20), QPointF(25, 30))
    painter.drawLine(QPointF(20, 25), QPointF(30, 25))


def _pencil(painter: QPainter) -> None:
    painter.drawLine(QPointF(20, 30), QPointF(22, 25))
    painter.drawLine(QPointF(20, 30), QPointF(25, 28))
    painter.drawLine(QPointF(22, 25), QPointF(28, 19))
    painter.drawLine(QPointF(25, 28), QPointF(30, 22))
    painter.drawLine(QPointF(28, 19), QPointF(30, 22))


_SIGNS = {Pointer.OBJECT: _one, Pointer.EACH: _several, Pointer.BESIDE: _plus, Pointer.OPEN: _pencil}
