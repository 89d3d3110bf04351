"""Examples of what is looked for, and of what is not: collected from the map and from layers, shown on the map."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from qgis.core import QgsCoordinateReferenceSystem, QgsGeometry, QgsProject, QgsVectorLayer, QgsWkbTypes
from qgis.gui import QgsMapCanvas
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QCoreApplication, QObject, pyqtSignal
from qgis.PyQt.QtGui import QColor

from ..algorithms.bridge import crs_text, from_qgis_geometry, move_geometry
from ..core.errors import CrsError
from ..core.prompts.prompt import PromptSet
from ..core.prompts.shape import ShapePrompt
from .overlay import EXCLUDED, INCLUDED, Drawing, Overlay, Style

WANTED = Style(INCLUDED, QColor(0, 140, 90, 70), 3)
UNWANTED = Style(EXCLUDED, QColor(220, 40, 60, 70), 3)


@dataclass(frozen=True)
class Example:
    """A polygon that is like what is looked for, or like what is not."""

    geometry: QgsGeometry
    """Its outline."""
    crs: QgsCoordinateReferenceSystem
    """CRS of the outline."""
    wanted: bool
    """False for a counter-example."""
    title: str
    """Where it comes from, in words."""

    def prompts(self, target: QgsCoordinateReferenceSystem) -> PromptSet:
        """Return it as the core takes it, moved by QGIS to the image's CRS; raises :class:`CrsError`."""
        moved = move_geometry(self.geometry, self.crs, target, QgsProject.instance())
        given = PromptSet((_shape(self.geometry),), crs_text(self.crs))
        return PromptSet((_shape(moved),), crs_text(target), given=given)


class Examples(QObject):
    """The examples, in the order they were added. ``changed`` comes when they are others.

    Parameters
    ----------
    canvas : QgsMapCanvas
        Where they are drawn while :meth:`show` says so.
    """

    changed = pyqtSignal()

    def __init__(self, canvas: QgsMapCanvas, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._overlay = Overlay(canvas)
        self._is_shown = False
        self.items: tuple[Example, ...] = ()
        canvas.destinationCrsChanged.connect(self._draw)

    def add(self, new: Iterable[Example]) -> int:
        """Add examples, but those that are there already, and return how many were new."""
        fresh = [each for each in new if not any(_same(each, old) for old in self.items)]
        if fresh:
            self._keep((*self.items, *fresh))
        return len(fresh)

    def remove(self, rows: Iterable[int]) -> None:
        """Forget those in these rows."""
        gone = set(rows)
        self._keep(tuple(each for row, each in enumerate(self.items) if row not in gone))

    def clear(self) -> None:
        """Forget all."""
        self._keep(())

    def prompts(self, target: QgsCoordinateReferenceSystem, *, wanted: bool) -> list[PromptSet]:
        """Return the examples, or the counter-examples, in the image's CRS; raises :class:`CrsError`."""
        return [each.prompts(target) for each in self.items if each.wanted is wanted]

    def show(self, wanted: bool) -> None:
        """Draw them on the map, or not."""
        self._is_shown = wanted
        self._draw()

    def close(self) -> None:
        """Leave nothing on the map."""
        if not sip.isdeleted(self._canvas):
            self._canvas.destinationCrsChanged.disconnect(self._draw)
        self.items = ()
        self._overlay.clear()

    def _keep(self, items: tuple[Example, ...]) -> None:
        self.items = items
        self._draw()
        self.changed.emit()

    def _draw(self) -> None:
        shown = self.items if self._is_shown else ()
        self._overlay.show_objects([Drawing(self._on_map(each), WANTED if each.wanted else UNWANTED) for each in shown])

    def _on_map(self, example: Example) -> QgsGeometry | None:
        """Return an outline in the map's CRS; None where it has no place there."""
        here = self._canvas.mapSettings().destinationCrs()
        try:
            return move_geometry(example.geometry, example.crs, here, QgsProject.instance())
        except CrsError:
            return None


def selected(*, wanted: bool) -> list[Example]:
    """Return the selected features of all polygon layers of the project as examples."""
    found = []
    for layer in polygon_layers():
        for feature in sorted(layer.getSelectedFeatures(), key=lambda each: each.id()):
            if feature.hasGeometry() and not feature.geometry().isEmpty():
                title = tr("{layer}, polygon {number}").format(layer=layer.name(), number=feature.id())
                parts = feature.geometry().asGeometryCollection()
                found += [Example(part, layer.crs(), wanted, title) for part in parts]
    return found


def polygon_layers() -> list[QgsVectorLayer]:
    """Return the project's polygon layers."""
    polygon = QgsWkbTypes.GeometryType.PolygonGeometry
    layers = QgsProject.instance().mapLayers().values()
    return [each for each in layers if isinstance(each, QgsVectorLayer) and each.geometryType() == polygon]


def _shape(geometry: QgsGeometry) -> ShapePrompt:
    return ShapePrompt.of(from_qgis_geometry(geometry))


def _same(one: Example, other: Example) -> bool:
    return one.crs == other.crs and one.wanted is other.wanted and one.geometry.equals(other.geometry)


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("Examples", text)
