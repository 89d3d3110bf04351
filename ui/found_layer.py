"""The temporary layer that a search's objects appear in while it runs, and that a threshold filters afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from qgis.core import QgsMemoryProviderUtils, QgsProject, QgsVectorLayer, QgsWkbTypes
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QCoreApplication, QObject, QTimer, pyqtSignal

from ..algorithms.bridge import crs_text, to_qgis_crs, to_qgis_fields
from ..core.errors import OutputError
from ..core.outlines.results import FIELDS, Provenance, SegmentationResult, SegmentedPolygon
from . import own_layers
from .found_features import FoundFeatures
from .found_style import renderer_for
from .target_layer import STYLE_PATH

_DRAWN_EVERY_MS = 500
"""How often the layer is drawn again while objects come in: each drawing reads all of them."""
_MEMORY = "memory"
_MOST_WRITTEN = 1000
"""Objects whose attributes are written before the window draws and answers again."""


class FoundLayer(QObject):
    """A memory layer in the project that may be edited all the while; what is changed stays, whatever the threshold.

    ``counted`` comes when other objects, or another number of them, are shown; ``gone`` when the layer has become
    another one, as it does when it is saved to a file.

    Parameters
    ----------
    name : str
        What it is called.
    crs : str or None
        CRS of the objects.
    measure : str
        The attribute that the threshold is about: "score" or "similarity".
    threshold : float
        Objects below it are hidden; those that have no value never are.
    labels : sequence of str
        Labels that are looked for, in the order of their colours.
    each_its_own : bool
        Give each object a colour of its own, where they have no labels.

    Raises
    ------
    OutputError
        If the project does not take the layer.
    """

    counted = pyqtSignal()
    gone = pyqtSignal()

    def __init__(
        self,
        name: str,
        crs: str | None,
        *,
        measure: str = "score",
        threshold: float = 0.0,
        labels: Sequence[str] = (),
        each_its_own: bool = False,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        kind = QgsWkbTypes.Type.MultiPolygon
        layer = QgsMemoryProviderUtils.createMemoryLayer(name, to_qgis_fields(FIELDS), kind, to_qgis_crs(crs))
        layer.loadNamedStyle(str(STYLE_PATH))
        self.name = name
        self._labels, self._each_its_own = list(labels), each_its_own
        layer.setRenderer(renderer_for(self._labels, each_its_own=each_its_own))
        own_layers.mark(layer)
        self._layer = layer
        if QgsProject.instance().addMapLayer(layer) is None:
            raise OutputError(tr("The new layer can't be added to the project."), hint=tr("Try it again."))
        self.layer_id = str(layer.id())
        self._features = FoundFeatures(layer, measure, threshold, parent=self)
        self._features.changed.connect(self.counted)
        layer.editingStopped.connect(self._end_edits)
        layer.dataSourceChanged.connect(self._look_if_gone)
        self._is_drawn, self._is_let_go = True, False
        self._drawing, self._writing = QTimer(self), QTimer(self)
        self._drawing.setSingleShot(True)
        self._drawing.setInterval(_DRAWN_EVERY_MS)
        self._drawing.timeout.connect(self._draw_late)
        self._writing.setInterval(0)
        self._writing.timeout.connect(self._write_some)

    @property
    def layer(self) -> QgsVectorLayer | None:
        """The layer; None once it was removed, or is no memory layer any more: a file is the user's own."""
        if sip.isdeleted(self._layer) or QgsProject.instance().mapLayer(self.layer_id) is None:
            return None
        return self._layer if self._layer.dataProvider().name() == _MEMORY else None

    @property
    def total(self) -> int:
        """How many of the found objects there are, shown or not."""
        return self._features.total

    @property
    def shown(self) -> int:
        """How many of them are shown."""
        return self._features.shown

    @property
    def threshold(self) -> float:
        """The least value that is shown."""
        return self._features.threshold

    def add(self, found: Sequence[SegmentedPolygon]) -> None:
        """Show more objects at once; nothing happens if the layer is gone."""
        layer = self.layer
        if layer is None or not found:
            return
        self._colour(found)
        self._features.add(found)
        self._draw_soon(layer)

    def finish(self, result: SegmentationResult) -> None:
        """Take over what a search gave in the end: objects that are missing yet, and what it knows of all."""
        layer = self.layer
        if layer is None:
            return
        self._colour(result.polygons)
        try:
            self._features.finish(result)
        finally:
            self._write_some()
            self._draw(layer)

    def set_threshold(self, threshold: float) -> None:
        """Hide what is below a value and show the rest; nothing is lost, and nothing is searched again.

        Raises :class:`OutputError` if the layer does not take what is to be shown.
        """
        self._features.threshold = threshold
        layer = self.layer
        if layer is not None and self._features.filter():
            self._draw(layer)

    def found(self) -> Iterator[SegmentedPolygon]:
        """Yield the objects that are shown, as they are now: with the user's corrections, and what they drew."""
        if self.layer is not None:
            yield from self._features.found()

    @property
    def provenance(self) -> Provenance:
        """What all of them were made with; empty while the search runs."""
        return self._features.provenance

    @property
    def crs(self) -> str | None:
        """CRS of the objects."""
        return crs_text(self._layer.crs()) if self.layer is not None else None

    def let_go(self) -> None:
        """Leave the layer to the user, but for what is still to be written of its objects; then end."""
        if not sip.isdeleted(self._layer) and not self._is_let_go:
            self._layer.editingStopped.disconnect(self._end_edits)
            self._layer.dataSourceChanged.disconnect(self._look_if_gone)
            self._features.release()
        self._is_let_go = True
        if not self._writing.isActive():
            self.deleteLater()

    def remove(self) -> None:
        """Take the layer, and all that it holds, out of the project."""
        if self.layer is not None:
            QgsProject.instance().removeMapLayer(self.layer_id)

    def _colour(self, found: Sequence[SegmentedPolygon]) -> None:
        """Give labels that were not expected a colour, too."""
        new = list(dict.fromkeys(each.label for each in found if each.label and each.label not in self._labels))
        if new:
            self._labels += new
            self._layer.setRenderer(renderer_for(self._labels, each_its_own=self._each_its_own))

    def _draw_soon(self, layer: QgsVectorLayer) -> None:
        """Draw at once if that was not done just now, and else in a moment."""
        if self._drawing.isActive():
            self._is_drawn = False
            self.counted.emit()
        else:
            self._draw(layer)

    def _draw_late(self) -> None:
        layer = self.layer
        if layer is not None and not self._is_drawn:
            self._draw(layer)

    def _draw(self, layer: QgsVectorLayer) -> None:
        self._is_drawn = True
        self._drawing.start()
        layer.updateExtents()
        # what caches features, such as an open attribute table, reads them again
        layer.dataChanged.emit()
        layer.triggerRepaint()
        self.counted.emit()

    def _write_some(self) -> None:
        """Write what the search knows of all objects to the next of them; the window goes on in between."""
        layer = self.layer
        if layer is None:
            self._end_writing()
        elif self._features.write_some(_MOST_WRITTEN):
            self._writing.start()
        elif self._writing.isActive():
            self._end_writing()
            self._draw(layer)

    def _end_writing(self) -> None:
        self._writing.stop()
        if self._is_let_go:
            self.deleteLater()

    def _look_if_gone(self) -> None:
        if self.layer is None:
            self.gone.emit()

    def _end_edits(self) -> None:
        layer = self.layer
        if layer is not None and self._features.end_edits():
            self._draw(layer)


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("FoundLayer", text)
