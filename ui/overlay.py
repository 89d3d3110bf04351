"""What the map tool draws over the map: outlines, prompts, the tentative outline, and a box that is being dragged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from qgis.core import QgsGeometry, QgsPointXY, QgsWkbTypes
from qgis.gui import QgsMapCanvas, QgsMapCanvasItem, QgsRubberBand, QgsVertexMarker
from qgis.PyQt import sip
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QColor

_POLYGON = QgsWkbTypes.GeometryType.PolygonGeometry
_HALO = QColor(0, 0, 0, 150)
INCLUDED, EXCLUDED, _WHITE = QColor(0, 140, 90), QColor(220, 40, 60), QColor(255, 255, 255)
_CIRCLE, _X = QgsVertexMarker.IconType.ICON_CIRCLE, QgsVertexMarker.IconType.ICON_X
_TOP = 10.0


@dataclass(frozen=True)
class Style:
    """How an outline looks."""

    stroke: QColor
    fill: QColor
    width: int
    line: Qt.PenStyle = Qt.PenStyle.SolidLine


CURRENT = Style(QColor(255, 214, 0), QColor(255, 214, 0, 60), 3)
WAITING = Style(QColor(255, 214, 0, 150), QColor(255, 214, 0, 25), 2, Qt.PenStyle.DotLine)
BESIDE = Style(QColor(90, 200, 255), QColor(90, 200, 255, 40), 2)
TENTATIVE = Style(QColor(255, 255, 255), QColor(255, 255, 255, 25), 2, Qt.PenStyle.DashLine)
BOX = Style(INCLUDED, QColor(0, 0, 0, 0), 2)


@dataclass(frozen=True)
class Drawing:
    """What there is to see of one object; everything in the map's CRS."""

    outline: QgsGeometry | None
    """What was found."""
    style: Style
    """How the outline looks."""
    include: Sequence[QgsPointXY] = ()
    """Clicks on the object."""
    exclude: Sequence[QgsPointXY] = ()
    """Clicks on what is not it."""
    boxes: Sequence[QgsGeometry] = field(default_factory=tuple)
    """Boxes around it."""


class Overlay:
    """Rubber bands and markers of one canvas; nothing of it is left after :meth:`clear`.

    Parameters
    ----------
    canvas : QgsMapCanvas
        What is drawn on.
    """

    def __init__(self, canvas: QgsMapCanvas) -> None:
        self._canvas = canvas
        self._items: list[QgsMapCanvasItem] = []
        self._tentative: QgsRubberBand | None = None
        self._drag: QgsRubberBand | None = None

    def show_objects(self, drawings: Sequence[Drawing]) -> None:
        """Draw these objects in place of those drawn before; markers come above all outlines."""
        self._remove(self._items)
        self._items = []
        for drawing in drawings:
            if drawing.outline is not None and not drawing.outline.isEmpty():
                self._items.append(self._band(drawing.outline, drawing.style, _TOP))
            self._items += [self._band(box, BOX, _TOP + 1) for box in drawing.boxes]
        for drawing in drawings:
            for point in drawing.include:
                self._items.append(
                    self._marker(point, QgsVertexMarker.IconType.ICON_CIRCLE, _WHITE, size=11, width=2, fill=INCLUDED)
                )
            for point in drawing.exclude:
                self._items.append(self._marker(point, QgsVertexMarker.IconType.ICON_X, _WHITE, size=13, width=6))
                self._items.append(self._marker(point, QgsVertexMarker.IconType.ICON_X, EXCLUDED, size=11, width=3))

    def show_tentative(self, outline: QgsGeometry) -> None:
        """Draw the outline that a click would give."""
        self.hide_tentative()
        self._tentative = self._band(outline, TENTATIVE, _TOP - 1)

    def hide_tentative(self) -> None:
        """Take the tentative outline away."""
        if self._tentative is not None:
            self._remove([self._tentative])
            self._tentative = None

    def show_drag(self, box: QgsGeometry) -> None:
        """Draw the box that is being dragged."""
        if self._drag is None:
            self._drag = self._band(box, BOX, _TOP + 1)
        else:
            self._drag.setToGeometry(box, None)

    def hide_drag(self) -> None:
        """Take the dragged box away."""
        if self._drag is not None:
            self._remove([self._drag])
            self._drag = None

    def clear(self) -> None:
        """Take everything away."""
        self.hide_tentative()
        self.hide_drag()
        self.show_objects(())

    def _band(self, shape: QgsGeometry, style: Style, z: float) -> QgsRubberBand:
        band = QgsRubberBand(self._canvas, _POLYGON)
        band.setStrokeColor(style.stroke)
        band.setFillColor(style.fill)
        band.setWidth(style.width)
        band.setLineStyle(style.line)
        band.setSecondaryStrokeColor(_HALO)
        band.setZValue(z)
        band.setToGeometry(shape, None)
        return band

    def _marker(
        self,
        point: QgsPointXY,
        icon: QgsVertexMarker.IconType,
        colour: QColor,
        *,
        size: int,
        width: int,
        fill: QColor | None = None,
    ) -> QgsVertexMarker:
        marker = QgsVertexMarker(self._canvas)
        marker.setCenter(point)
        marker.setIconType(icon)
        marker.setIconSize(size)
        marker.setPenWidth(width)
        marker.setColor(colour)
        if fill is not None:
            marker.setFillColor(fill)
        marker.setZValue(_TOP + 2)
        return marker

    def _remove(self, items: Sequence[QgsMapCanvasItem]) -> None:
        # when QGIS closes, the canvas may have taken its items with it
        if sip.isdeleted(self._canvas):
            return
        for item in items:
            if not sip.isdeleted(item):
                self._canvas.scene().removeItem(item)
