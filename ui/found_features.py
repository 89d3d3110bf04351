"""The objects of a search in the layer that shows them, and those that a threshold keeps out of it.

A filter of the layer itself would do with less. But QGIS reads the project when it draws a filtered memory layer, in
the thread that draws, and crashes if the project changes meanwhile (seen in 3.22; the same code is in 3.44).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qgis.core import QgsFeature, QgsFeatureRequest, QgsVectorLayer
from qgis.PyQt.QtCore import QObject, pyqtSignal

from ..algorithms.bridge import crs_text, to_qgis_geometry
from ..core.outlines.results import FIELDS, AttributeValue, Provenance, SegmentationResult, SegmentedPolygon
from .found_objects import as_object, labelled, matched

_LATE = ("object", "model", "model_sha256", "source", "stretch", "created", "version", "settings")
"""Attributes that are only known when the search is over."""
_LATE_INDICES = [index for index, column in enumerate(FIELDS) if column.name in _LATE]
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


class FoundFeatures(QObject):
    """Writes to the layer beside any edit session, so that it may be edited all the while.

    What is edited stays in the layer, whatever the threshold, until editing ends. ``changed`` comes when the user
    takes objects away or brings them back.

    Parameters
    ----------
    layer : QgsVectorLayer
        A layer with the fields of a result that nothing else writes to. It must outlive this object's calls.
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

    def add(self, found: Sequence[SegmentedPolygon]) -> bool:
        """Take more objects and return True if those to show could be written."""
        self._hidden += (_Hidden(each) for each in found if not self._is_shown(each))
        return self._put([_Hidden(each) for each in found if self._is_shown(each)])

    def finish(self, result: SegmentationResult) -> bool:
        """Take over what a search gave in the end; return True if what was missing could be written.

        What is known only now is yet to be written to what was there: :meth:`write_some`.
        """
        self.provenance = result.provenance
        kept, rest, gone = matched(self._objects, result.polygons)
        self._objects.update(kept)
        if gone:
            self._layer.dataProvider().deleteFeatures(gone)
            for number in gone:
                del self._objects[number]
                self._deleted.discard(number)
        before = self._hidden
        kept, missing, _ = matched(dict(enumerate(each.found for each in before)), rest)
        self._hidden = [_Hidden(found, before[row].feature, before[row].is_reshaped) for row, found in kept.items()]
        for each in self._hidden:
            self._complete(each)
        self._unwritten = list(self._objects)
        return self.add(missing)

    def write_some(self, most: int) -> bool:
        """Write what the search knows of all objects to so many of them; return True while there are more."""
        numbers, self._unwritten = self._unwritten[:most], self._unwritten[most:]
        values = {number: self._late_values(self._objects[number]) for number in numbers if number in self._objects}
        if values and not self._layer.dataProvider().changeAttributeValues(values):
            _log.warning("what '%s' was made with can't be written", self._layer.name())
        return bool(self._unwritten)

    def filter(self) -> bool:
        """Take what is below the threshold out of the layer, put in what is not, and return True if there was any."""
        stay = self._deleted | self._edited
        below = [number for number, each in self._objects.items() if number not in stay and not self._is_shown(each)]
        above = [each for each in self._hidden if self._is_shown(each.found)]
        if above:
            self._hidden = [each for each in self._hidden if not self._is_shown(each.found)]
            if not self._put(above):
                _log.warning("what is hidden can't be written to '%s'", self._layer.name())
                self._hidden += above
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

    def _put(self, objects: Sequence[_Hidden]) -> bool:
        """Write objects to the layer and return True if that was done."""
        done, added = self._layer.dataProvider().addFeatures([self._feature(each) for each in objects])
        if done:
            for feature, each in zip(added, objects):
                self._objects[feature.id()] = each.found
                if each.is_reshaped:
                    self._reshaped.add(feature.id())
        return bool(done)

    def _feature(self, hidden: _Hidden) -> QgsFeature:
        if hidden.feature is not None:
            return hidden.feature
        feature = QgsFeature()
        feature.setGeometry(to_qgis_geometry(hidden.found.geometry))
        feature.setAttributes([column.value(hidden.found, self.provenance) for column in FIELDS])
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
            hidden = _Hidden(self._objects.pop(number), there.get(number), number in self._reshaped)
            self._reshaped.discard(number)
            if number in unwritten:
                self._complete(hidden)
            self._hidden.append(hidden)

    def _complete(self, hidden: _Hidden) -> None:
        """Write what the search knows of all objects to one that was shown before that was known."""
        if hidden.feature is not None:
            for index, value in self._late_values(hidden.found).items():
                hidden.feature.setAttribute(index, value)

    def _late_values(self, found: SegmentedPolygon) -> dict[int, AttributeValue]:
        return {index: FIELDS[index].value(found, self.provenance) for index in _LATE_INDICES}

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
