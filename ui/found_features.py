"""The objects of a search in the layer that shows them, and those that a threshold keeps out of it.

A filter of the layer itself would do with less. But QGIS reads the project when it draws a filtered memory layer, in
the thread that draws, and crashes if the project changes meanwhile (seen in 3.22; later versions have the same code).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from qgis.core import QgsFeature, QgsFeatureRequest, QgsFeatureSink, QgsFields, QgsVectorLayer
from qgis.PyQt.QtCore import QCoreApplication, QObject, pyqtSignal

from ..algorithms.bridge import crs_text, to_qgis_geometry
from ..core.errors import OutputError
from ..core.outlines.results import FIELDS, AttributeValue, Provenance, SegmentationResult, SegmentedPolygon
from .found_objects import as_object, labelled, matched

_LATE = ("object", "model", "model_sha256", "source", "stretch", "created", "version", "settings")
"""Attributes that are only known when the search is over."""
_COLUMNS = {column.name: column for column in FIELDS}
_log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Hidden:
    """An object that is below the threshold."""

    found: SegmentedPolygon
    """What was found."""
    feature: QgsFeature | None = None
    """What it was in the layer, with what the user made of it; None if it was never shown."""
    is_reshaped: bool = False
    """Whether its outline was changed by hand."""
    is_corrected: bool = False
    """Whether anything of it was."""


class FoundFeatures(QObject):
    """Writes to the layer beside any edit session, so that it may be edited all the while.

    What was changed stays in the layer, whatever the threshold, until editing ends; and what the user draws, or splits
    off, always does. ``changed`` comes when the user takes objects away or brings them back.

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
        self._hidden: list[_Hidden] = []
        self._unwritten: list[int] = []
        self._deleted: set[int] = set()
        self._reshaped: set[int] = set()
        self._corrected: set[int] = set()
        self._edited: set[int] = set()
        layer.featureDeleted.connect(self._miss)
        layer.featureAdded.connect(self._meet)
        layer.geometryChanged.connect(self._note_shape)
        layer.attributeValueChanged.connect(self._note_edit)

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
        self._hidden += (_Hidden(each) for each in found if not self._is_shown(each))
        self._put([_Hidden(each) for each in found if self._is_shown(each)])

    def finish(self, result: SegmentationResult) -> None:
        """Take over what a search gave in the end; raises like :meth:`add`.

        What is known only now is yet to be written to what was there: :meth:`write_some`.
        """
        self.provenance = result.provenance
        # hidden ones are counted down from -1: features of a memory layer have numbers from 1
        hidden = {-1 - row: each for row, each in enumerate(self._hidden)}
        there = {**self._objects, **{number: each.found for number, each in hidden.items()}}
        kept, missing, gone = matched(there, result.polygons)
        self._objects.update((number, found) for number, found in kept.items() if number not in hidden)
        written = [number for number in gone if number not in hidden]
        if written:
            self._layer.dataProvider().deleteFeatures(written)
            for number in written:
                del self._objects[number]
                self._deleted.discard(number)
        self._hidden = [replace(each, found=kept[number]) for number, each in hidden.items() if number in kept]
        for each in self._hidden:
            self._complete(each)
        self._unwritten = list(self._objects)
        self.add(missing)

    def write_some(self, most: int) -> bool:
        """Write what the search knows of all objects to so many of them; return True while there are more."""
        numbers, self._unwritten = self._unwritten[:most], self._unwritten[most:]
        provider = self._layer.dataProvider()
        fields = provider.fields()
        values = {
            number: self._late_values(self._objects[number], fields) for number in numbers if number in self._objects
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
        stay = self._deleted | self._edited
        below = [number for number, each in self._objects.items() if number not in stay and not self._is_shown(each)]
        above = [each for each in self._hidden if self._is_shown(each.found)]
        if above:
            self._put(above)
            self._hidden = [each for each in self._hidden if not self._is_shown(each.found)]
        if below:
            self._take_out(below)
        return bool(above or below)

    def found(self) -> Iterator[SegmentedPolygon]:
        """Yield what is in the layer, as it is now: with the user's corrections, and what they drew."""
        crs = crs_text(self._layer.crs())
        for feature in self._layer.getFeatures(QgsFeatureRequest()):
            number = feature.id()
            if number in self._objects and number not in self._reshaped:
                yield labelled(self._objects[number], feature)
            elif feature.hasGeometry() and not feature.geometry().isEmpty():
                yield as_object(feature, self._objects.get(number), crs)

    def end_edits(self) -> bool:
        """Let the threshold be for what was edited, too; return True if that changed what is shown."""
        self._edited.clear()
        return self.filter()

    def release(self) -> None:
        """Leave the layer as it is from now on; what the user corrected is put back, whatever the threshold."""
        layer = self._layer
        layer.featureDeleted.disconnect(self._miss)
        layer.featureAdded.disconnect(self._meet)
        layer.geometryChanged.disconnect(self._note_shape)
        layer.attributeValueChanged.disconnect(self._note_edit)
        self._put([each for each in self._hidden if each.is_corrected])
        self._hidden = [each for each in self._hidden if not each.is_corrected]

    def _put(self, objects: Sequence[_Hidden]) -> None:
        """Write objects to the layer, all or none."""
        provider = self._layer.dataProvider()
        fields = provider.fields()
        features = [self._feature(each, fields) for each in objects]
        done, added = provider.addFeatures(features, QgsFeatureSink.Flag.RollBackOnErrors)
        if not done:
            text = tr("Objects can't be written to '{}'.").format(self._layer.name())
            raise OutputError(text, hint=tr("Try it again."))
        for feature, each in zip(added, objects):
            self._objects[feature.id()] = each.found
            if each.is_reshaped:
                self._reshaped.add(feature.id())
            if each.is_corrected:
                self._corrected.add(feature.id())

    def _feature(self, hidden: _Hidden, fields: QgsFields) -> QgsFeature:
        """Return what is written for an object to a layer whose fields the user may have changed."""
        before = hidden.feature
        if before is None:
            geometry = to_qgis_geometry(hidden.found.geometry)
            values = {name: column.value(hidden.found, self.provenance) for name, column in _COLUMNS.items()}
        else:
            geometry = before.geometry()
            values = dict(zip(before.fields().names(), before.attributes()))
        feature = QgsFeature(fields)
        feature.setGeometry(geometry)
        feature.setAttributes([values.get(name) for name in fields.names()])
        return feature

    def _take_out(self, numbers: list[int]) -> None:
        """Keep objects, with what the user made of them, out of the layer."""
        provider, unwritten = self._layer.dataProvider(), set(self._unwritten)
        there = {each.id(): each for each in provider.getFeatures(QgsFeatureRequest().setFilterFids(numbers))}
        self._layer.deselect(numbers)
        if not provider.deleteFeatures(numbers):
            _log.warning("what is below the threshold can't be taken out of '%s'", self._layer.name())
            return
        for number in numbers:
            found, corrected = self._objects.pop(number), number in self._corrected
            hidden = _Hidden(found, there.get(number), number in self._reshaped, corrected)
            self._reshaped.discard(number)
            self._corrected.discard(number)
            if number in unwritten:
                self._complete(hidden)
            self._hidden.append(hidden)

    def _complete(self, hidden: _Hidden) -> None:
        """Write what the search knows of all objects to one that was shown before that was known."""
        if hidden.feature is not None:
            for index, value in self._late_values(hidden.found, hidden.feature.fields()).items():
                hidden.feature.setAttribute(index, value)

    def _late_values(self, found: SegmentedPolygon, fields: QgsFields) -> dict[int, AttributeValue]:
        """Return what is only known when the search is over, by the index of each field that is there."""
        values = {fields.lookupField(name): _COLUMNS[name].value(found, self.provenance) for name in _LATE}
        values.pop(-1, None)
        return values

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
        self._corrected.add(number)


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("FoundFeatures", text)
