"""The temporary layer that a search's objects appear in while it runs, and that a threshold filters afterwards."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence

from qgis.core import QgsFeature, QgsFeatureRequest, QgsMemoryProviderUtils, QgsProject, QgsVectorLayer, QgsWkbTypes
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QCoreApplication, QObject, QTimer, pyqtSignal

from ..algorithms.bridge import crs_text, to_qgis_crs, to_qgis_fields, to_qgis_geometry
from ..core.errors import OutputError
from ..core.outlines.results import FIELDS, AttributeValue, Provenance, SegmentationResult, SegmentedPolygon
from . import own_layers
from .found_objects import as_object, labelled, matched
from .found_style import renderer_for
from .target_layer import STYLE_PATH

_SHARED = ("model", "model_sha256", "source", "stretch", "created", "version", "settings")
"""What is known of all objects at once, when the search is over."""
_OBJECT = next(index for index, column in enumerate(FIELDS) if column.name == "object")
_DRAWN_EVERY_MS = 500
"""How often the layer is drawn again while objects come in: each drawing reads all of them."""
_MOST_WRITTEN = 1000
"""Objects whose attributes are written before the window draws and answers again."""
_log = logging.getLogger(__name__)


class FoundLayer(QObject):
    """A memory layer in the project, written to beside any edit session, so that it may be edited all the while.

    ``counted`` comes when other objects, or another number of them, are shown.

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
        self._measure, self._threshold = measure, threshold
        self._objects: dict[int, SegmentedPolygon] = {}
        self._deleted: set[int] = set()
        self._reshaped: set[int] = set()
        self._shown = 0
        self._unwritten: list[int] = []
        self._provenance = Provenance("", "", "")
        if QgsProject.instance().addMapLayer(layer) is None:
            raise OutputError(tr("The new layer can't be added to the project."), hint=tr("Try it again."))
        self.layer_id = str(layer.id())
        layer.featureDeleted.connect(self._miss)
        layer.featureAdded.connect(self._meet)
        layer.geometryChanged.connect(self._note_shape)
        self._is_drawn = True
        self._drawing, self._writing = QTimer(self), QTimer(self)
        self._drawing.setSingleShot(True)
        self._drawing.setInterval(_DRAWN_EVERY_MS)
        self._drawing.timeout.connect(self._draw_late)
        self._writing.setInterval(0)
        self._writing.timeout.connect(self._write_some)
        self._filter()

    @property
    def layer(self) -> QgsVectorLayer | None:
        """The layer; None once it was removed."""
        if sip.isdeleted(self._layer) or QgsProject.instance().mapLayer(self.layer_id) is None:
            return None
        return self._layer

    @property
    def total(self) -> int:
        """How many of the found objects there are, shown or not."""
        return len(self._objects) - len(self._deleted)

    @property
    def shown(self) -> int:
        """How many of them are shown."""
        return self._shown

    @property
    def threshold(self) -> float:
        """The least value that is shown."""
        return self._threshold

    def add(self, found: Sequence[SegmentedPolygon]) -> None:
        """Show more objects at once; nothing happens if the layer is gone."""
        layer = self.layer
        if layer is None or not found:
            return
        self._colour(found)
        fields, features = layer.fields(), []
        for each in found:
            feature = QgsFeature(fields)
            feature.setGeometry(to_qgis_geometry(each.geometry))
            feature.setAttributes([column.value(each, self._provenance) for column in FIELDS])
            features.append(feature)
        done, added = layer.dataProvider().addFeatures(features)
        if not done:
            raise OutputError(tr("Objects can't be written to '{}'.").format(self.name), hint=tr("Try it again."))
        self._objects.update(zip((feature.id() for feature in added), found))
        self._shown += sum(map(self._is_shown, found))
        self._draw_soon(layer)

    def finish(self, result: SegmentationResult) -> None:
        """Take over what a search gave in the end: objects that are missing yet, and what it knows of all."""
        layer = self.layer
        if layer is None:
            return
        self._provenance = result.provenance
        kept, missing, gone = matched(self._objects, result.polygons)
        self._objects.update(kept)
        if gone:
            layer.dataProvider().deleteFeatures(gone)
            for number in gone:
                del self._objects[number]
                self._deleted.discard(number)
        self._unwritten = list(self._objects)
        self._write_some()
        self.add(missing)
        self._count()
        self._draw(layer)

    def set_threshold(self, threshold: float) -> None:
        """Hide what is below a value and show the rest; nothing is lost, and nothing is searched again."""
        self._threshold = threshold
        self._filter()

    def found(self) -> Iterator[SegmentedPolygon]:
        """Yield the objects that are shown, as they are now: with the user's corrections, and what they drew."""
        layer = self.layer
        if layer is None:
            return
        crs = crs_text(layer.crs())
        for feature in layer.getFeatures(QgsFeatureRequest()):
            number = feature.id()
            if number in self._objects and number not in self._reshaped:
                yield labelled(self._objects[number], feature)
            elif feature.hasGeometry() and not feature.geometry().isEmpty():
                yield as_object(feature, self._objects.get(number), crs)

    @property
    def provenance(self) -> Provenance:
        """What all of them were made with; empty while the search runs."""
        return self._provenance

    @property
    def crs(self) -> str | None:
        """CRS of the objects."""
        return crs_text(self._layer.crs()) if self.layer is not None else None

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

    def _filter(self) -> None:
        layer = self.layer
        if layer is None:
            return
        name = self._measure
        wanted = f'"{name}" >= {self._threshold!r} OR "{name}" IS NULL' if self._threshold > 0.0 else ""
        if layer.subsetString() != wanted:
            # the layer itself refuses while it is edited; its provider does not, and edits go by numbers that stay
            if not layer.dataProvider().setSubsetString(wanted):
                _log.warning("'%s' can't be filtered by %s", self.name, wanted)
            layer.subsetStringChanged.emit()
        self._count()
        self._draw(layer)

    def _count(self) -> None:
        """Count anew what is shown."""
        there = (found for number, found in self._objects.items() if number not in self._deleted)
        self._shown = sum(map(self._is_shown, there))

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
        if layer is None or not self._unwritten:
            self._writing.stop()
            return
        numbers, self._unwritten = self._unwritten[:_MOST_WRITTEN], self._unwritten[_MOST_WRITTEN:]
        there = {number: self._objects[number] for number in numbers if number in self._objects}
        values: dict[int, dict[int, AttributeValue]] = {
            number: {_OBJECT: FIELDS[_OBJECT].value(found, self._provenance)} for number, found in there.items()
        }
        for index, column in enumerate(FIELDS):
            if column.name in _SHARED and there:
                value = column.value(next(iter(there.values())), self._provenance)
                for own in values.values():
                    own[index] = value
        if not layer.dataProvider().changeAttributeValues(values):
            _log.warning("what '%s' was made with can't be written", self.name)
        if self._unwritten:
            self._writing.start()
        elif self._writing.isActive():
            self._writing.stop()
            self._draw(layer)

    def _is_shown(self, found: SegmentedPolygon) -> bool:
        value = float(getattr(found, self._measure))
        return math.isnan(value) or value >= self._threshold

    def _miss(self, number: int) -> None:
        if number in self._objects and number not in self._deleted:
            self._deleted.add(number)
            self._shown -= self._is_shown(self._objects[number])
            self.counted.emit()

    def _meet(self, number: int) -> None:
        # undoing a deletion
        if number in self._deleted:
            self._deleted.discard(number)
            self._shown += self._is_shown(self._objects[number])
            self.counted.emit()

    def _note_shape(self, number: int) -> None:
        self._reshaped.add(number)


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("FoundLayer", text)
