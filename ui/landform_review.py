"""What a finder has found and nobody has judged yet: drawn on the map, then accepted, corrected or dropped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from qgis.core import QgsGeometry, QgsProject, QgsVectorLayer
from qgis.gui import QgsMapCanvas
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QObject, Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor

from ..algorithms.bridge import move_geometry, to_qgis_crs, to_qgis_geometry
from ..core.errors import CrsError
from ..core.terrain.landform import Landform
from .landform_layer import LandformLayers
from .landform_search import Findings
from .overlay import Drawing, Overlay, Style

WAITING = Style(QColor(255, 120, 0), QColor(255, 120, 0, 35), 2)
SELECTED = Style(QColor(255, 120, 0), QColor(255, 120, 0, 90), 4)
UNLIKELY = Style(QColor(255, 120, 0, 190), QColor(255, 120, 0, 20), 2, Qt.PenStyle.DashLine)
_LIKELY = 0.5
_AROUND = 1.3


@dataclass(frozen=True)
class Candidate:
    """A landform that waits to be judged."""

    number: int
    """What tells it from the others."""
    landform: Landform
    """The finder's."""

    def value(self, findings: Findings | None, *names: str) -> float | None:
        """Return the first of the finder's measures of one of these names."""
        for column in findings.result.columns if findings is not None else ():
            if column.name in names:
                value = column.value(self.landform)
                return None if value is None else float(value)
        return None


class LandformReview(QObject):
    """The candidates of one search. ``changed`` comes when they are others.

    Parameters
    ----------
    canvas : QgsMapCanvas
        Where they are drawn.
    """

    changed = pyqtSignal()

    def __init__(self, canvas: QgsMapCanvas, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._overlay = Overlay(canvas)
        self._layers = LandformLayers()
        self._selected: frozenset[int] = frozenset()
        self._corrected: set[tuple[str, int]] = set()
        self.findings: Findings | None = None
        self.candidates: tuple[Candidate, ...] = ()
        canvas.destinationCrsChanged.connect(self._draw)

    def show(self, findings: Findings) -> None:
        """Wait for judgement of what was found, in place of what was found before."""
        self.findings = findings
        self._keep(Candidate(number, each) for number, each in enumerate(findings.result.polygons, start=1))

    def select(self, numbers: Iterable[int]) -> None:
        """Draw these more strongly."""
        self._selected = frozenset(numbers)
        self._draw()

    def accept(self, numbers: Iterable[int]) -> tuple[QgsVectorLayer, list[int]] | None:
        """Write candidates into the layer of their kind; return it and their numbers there, None if there are none.

        Raises
        ------
        OutputError
            If the layer refuses them; they are then still candidates.
        """
        wanted = set(numbers)
        taken = [each.landform for each in self.candidates if each.number in wanted]
        if self.findings is None or not taken:
            return None
        done = self._layers.add(self.findings, taken)
        self.drop(wanted)
        return done

    def drop(self, numbers: Iterable[int]) -> None:
        """Forget candidates."""
        gone = set(numbers)
        self._keep(each for each in self.candidates if each.number not in gone)

    def clear(self) -> None:
        """Forget all."""
        self.findings = None
        self._keep(())

    def zoom_to(self, number: int) -> None:
        """Show a candidate and what is around it."""
        for each in self.candidates:
            outline = self._outline(each) if each.number == number else None
            if outline is not None:
                box = outline.boundingBox()
                box.scale(_AROUND)
                self._canvas.setExtent(box)
                self._canvas.refresh()

    def expect_correction(self, layer_id: str, feature_id: int) -> None:
        """Note that an accepted landform is being corrected."""
        self._corrected.add((layer_id, feature_id))

    def note_kept(self, layer_id: str, feature_id: int) -> None:
        """Say in the attributes that an outline was corrected, if it was one of those."""
        if (layer_id, feature_id) in self._corrected:
            self._layers.note_correction(layer_id, feature_id)

    def close(self) -> None:
        """Leave nothing on the map."""
        if not sip.isdeleted(self._canvas):
            self._canvas.destinationCrsChanged.disconnect(self._draw)
        self.candidates, self.findings = (), None
        self._overlay.clear()

    def _keep(self, candidates: Iterable[Candidate]) -> None:
        self.candidates = tuple(candidates)
        self._selected &= {each.number for each in self.candidates}
        self._draw()
        self.changed.emit()

    def _draw(self) -> None:
        self._overlay.show_objects([Drawing(self._outline(each), self._style(each)) for each in self.candidates])

    def _style(self, candidate: Candidate) -> Style:
        if candidate.number in self._selected:
            return SELECTED
        return WAITING if candidate.landform.confidence >= _LIKELY else UNLIKELY

    def _outline(self, candidate: Candidate) -> QgsGeometry | None:
        """Return an outline in the map's CRS; None where it has no place there."""
        shape = to_qgis_geometry(candidate.landform.geometry)
        own = to_qgis_crs(self.findings.result.crs if self.findings is not None else None)
        here = self._canvas.mapSettings().destinationCrs()
        try:
            return move_geometry(shape, own if own.isValid() else here, here, QgsProject.instance())
        except CrsError:
            return None
