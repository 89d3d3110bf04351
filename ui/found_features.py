"""The objects of a search in the layer that shows them, and those that a threshold keeps out of it.

A filter of the layer itself would do with less. But QGIS reads the project when it draws a filtered memory layer, in
the thread that draws, and crashes if the project changes meanwhile (seen in 3.22; later versions have the same code).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from qgis.core import QgsFeature, QgsFeatureRequest, QgsFeatureSink, QgsFields, QgsVectorLayer
from qgis.PyQt.QtCore import QCoreApplication, QObject, pyqtSignal

from ..algorithms.bridge import crs_text, to_qgis_fields, to_qgis_geometry
from ..core.errors import OutputError
from ..core.outlines.results import FIELDS, AttributeValue, Provenance, SegmentationResult, SegmentedPolygon
from .found_objects import as_object, labelled, matched

_LATE = ("object", "model", "model_sha256", "source", "stretch", "created", "version", "settings")
"""Attributes that are only known when the search is over."""
_COLUMNS = {column.name: column for column in FIELDS}
_log = logging.getLogger(__name__)


class FoundFeatures(QObject):
    """Writes to the layer beside any edit session, so that it may be edited all the while.

    What the user changes or draws stays in the layer, whatever the threshold. ``changed`` comes when they take objects
    away or bring them back.

    Parameters
    ----------
    layer : QgsVectorLayer
        A memory layer that had the fields of a result. It must outlive this object's calls.
    measure : str
        The attribute that the threshold is about: "score" or "similarity".
    threshold : float
        Objects below it are not in the layer; those that have no value always are.
    """

    changed = pyqtSignal()

    def __init__(self, layer: QgsVectorLayer, measure: str, threshold: float, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._layer = layer
        self._measure = measure
        self.threshold = threshold
        """The least value that is shown; :meth:`filter` heeds it."""
        self.provenance = Provenance("", "", "")
        """What all of them were made with; empty while the search runs."""
        self._objects: dict[int, SegmentedPolygon] = {}
        self._hidden: list[SegmentedPolygon] = []
        self._unwritten: list[int] = []
        self._deleted: set[int] = set()
        self._reshaped: set[int] = set()
        self._edited: set[int] = set()
        self._corrected: set[int] = set()
        self._types = {field.name(): field.type() for field in to_qgis_fields(FIELDS)}
        self._slots: list[tuple[Any, Any]] = [
            (layer.featureDeleted, self._miss),
            (layer.featureAdded, self._meet),
            (layer.geometryChanged, self._note_shape),
            (layer.attributeValueChanged, self._note_edit),
            (layer.committedGeometriesChanges, self._note_correction),
            (layer.committedAttributeValuesChanges, self._note_correction),
        ]
        for signal, slot in self._slots:
            signal.connect(slot)

    @property
    def shown(self) -> int:
        """How many of the found objects are in the layer."""
        return len(self._objects) - len(self._deleted)

    @property
    def total(self) -> int:
        """How many of them there are, shown or not."""
        return self.shown + len(self._hidden)

    def add(self, found: Sequence[SegmentedPolygon]) -> None:
        """Take more objects; raises :class:`OutputError` if those to show can't be written."""
        self._hidden += (each for each in found if not self._is_shown(each))
        self._put([each for each in found if self._is_shown(each)])

    def finish(self, result: SegmentationResult) -> None:
        """Take over what a search gave in the end; raises like :meth:`add`.

        What is known only now is yet to be written to what was there: :meth:`write_some`.
        """
        self.provenance = result.provenance
        # hidden ones are counted down from -1: features of a memory layer have numbers from 1
        hidden = {-1 - row: found for row, found in enumerate(self._hidden)}
        kept, missing, gone = matched({**self._objects, **hidden}, result.polygons)
        written = [number for number in gone if number not in hidden and number not in self._changed]
        if written:
            self._layer.dataProvider().deleteFeatures(written)
            for number in written:
                del self._objects[number]
                self._deleted.discard(number)
        self._objects.update((number, found) for number, found in kept.items() if number not in hidden)
        self._hidden = [found for number, found in kept.items() if number in hidden]
        self._unwritten = list(self._objects)
        self.add(missing)

    def write_some(self, most: int) -> bool:
        """Write what the search knows of all objects to so many of them; return True while there are more."""
        numbers, self._unwritten = self._unwritten[:most], self._unwritten[most:]
        provider = self._layer.dataProvider()
        indices = {name: index for index, name in enumerate(self._known(provider.fields())) if name in _LATE}
        values = {
            number: self._late_values(self._objects[number], indices) for number in numbers if number in self._objects
        }
        if values and not provider.changeAttributeValues(values):
            _log.warning("what '%s' was made with can't be written", self._layer.name())
        return bool(self._unwritten)

    def filter(self) -> bool:
        """Take what is below the threshold out of the layer, put in what is not, and return True if there was any.

        Raises
        ------
        OutputError
            If the layer doesn't take what is to be shown; it stays hidden then.
        """
        has_hidden = self._hide()
        above = [each for each in self._hidden if self._is_shown(each)]
        if above:
            self._put(above)
            self._hidden = [each for each in self._hidden if not self._is_shown(each)]
        return has_hidden or bool(above)

    def end_edits(self) -> bool:
        """Hide again what was edited and given up; return True if there was any."""
        self._edited.clear()
        return self._hide()

    def found(self) -> Iterator[SegmentedPolygon]:
        """Yield what is in the layer, as it is now: with the user's corrections, and what they drew."""
        crs = crs_text(self._layer.crs())
        for feature in self._layer.getFeatures(QgsFeatureRequest()):
            number = feature.id()
            if number in self._objects and number not in self._reshaped:
                yield labelled(self._objects[number], feature)
            elif feature.hasGeometry() and not feature.geometry().isEmpty():
                yield as_object(feature, self._objects.get(number), crs)

    def release(self) -> None:
        """Heed the layer no longer."""
        for signal, slot in self._slots:
            signal.disconnect(slot)
        self._slots = []

    def _hide(self) -> bool:
        """Take what is below the threshold out of the layer; return True if there was any."""
        stay = self._changed
        below = [number for number, each in self._objects.items() if number not in stay and not self._is_shown(each)]
        if not below:
            return False
        self._layer.deselect(below)
        if not self._layer.dataProvider().deleteFeatures(below):
            _log.warning("what is below the threshold can't be taken out of '%s'", self._layer.name())
            return False
        self._hidden += (self._objects.pop(number) for number in below)
        return True

    def _put(self, objects: Sequence[SegmentedPolygon]) -> None:
        """Write objects to the layer, all or none."""
        provider = self._layer.dataProvider()
        fields = provider.fields()
        known = self._known(fields)
        features = [self._feature(each, fields, known) for each in objects]
        done, added = provider.addFeatures(features, QgsFeatureSink.Flag.RollBackOnErrors)
        if not done:
            text = tr("Objects can't be written to '{}'.").format(self._layer.name())
            raise OutputError(text, hint=tr("Try it again."))
        self._objects.update((feature.id(), each) for feature, each in zip(added, objects))

    def _feature(self, found: SegmentedPolygon, fields: QgsFields, known: Sequence[str]) -> QgsFeature:
        feature = QgsFeature(fields)
        feature.setGeometry(to_qgis_geometry(found.geometry))
        feature.setAttributes([_COLUMNS[name].value(found, self.provenance) if name else None for name in known])
        return feature

    def _late_values(self, found: SegmentedPolygon, indices: dict[str, int]) -> dict[int, AttributeValue]:
        """Return what is only known when the search is over, by the index of each field that is there."""
        return {index: _COLUMNS[name].value(found, self.provenance) for name, index in indices.items()}

    def _known(self, fields: QgsFields) -> list[str]:
        """Return the name of each field that is a result's; the user may have replaced it by another of that name."""
        return [field.name() if self._types.get(field.name()) == field.type() else "" for field in fields]

    @property
    def _changed(self) -> set[int]:
        """What the user has changed or deleted, saved or not."""
        return self._deleted | self._edited | self._corrected

    def _is_shown(self, found: SegmentedPolygon) -> bool:
        value = float(getattr(found, self._measure))
        return math.isnan(value) or value >= self.threshold

    def _miss(self, number: int) -> None:
        self._note_edit(number)
        if number in self._objects and number not in self._deleted:
            self._deleted.add(number)
            self.changed.emit()

    def _meet(self, number: int) -> None:
        # undoing a deletion
        if number in self._deleted:
            self._deleted.discard(number)
            self.changed.emit()

    def _note_shape(self, number: int) -> None:
        self._reshaped.add(number)
        self._note_edit(number)

    def _note_edit(self, number: int) -> None:
        self._edited.add(number)

    def _note_correction(self, _layer_id: str, changes: Collection[int]) -> None:
        self._corrected.update(changes)


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("FoundFeatures", text)
