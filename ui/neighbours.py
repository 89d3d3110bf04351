"""Which polygons of a layer lie around a place, asked once or for thousands of objects that are written in a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from qgis.core import (
    QgsFeature,
    QgsFeatureIterator,
    QgsFeatureRequest,
    QgsGeometry,
    QgsRectangle,
    QgsSpatialIndex,
    QgsVectorLayer,
    QgsVectorLayerFeatureSource,
)

Around = Callable[[QgsRectangle], list[QgsFeature]]
"""Returns the polygons whose bounding box meets a rectangle."""


def near(layer: QgsVectorLayer, rectangle: QgsRectangle) -> list[QgsFeature]:
    """Return the layer's polygons whose bounding box meets a rectangle, in drawing order, edits included."""
    return _with_geometry(layer.getFeatures(QgsFeatureRequest().setFilterRect(rectangle)))


class Neighbours:
    """The polygons of a layer that is written to all the while, and tells of that.

    A layer goes through all that was added since it was saved each time it is asked. Here it is only asked as it was
    before, and what is written since is found by an index.

    Parameters
    ----------
    layer : QgsVectorLayer
        As it is now, edits included.
    """

    def __init__(self, layer: QgsVectorLayer) -> None:
        self._before = QgsVectorLayerFeatureSource(layer)
        self._gone: set[int] = set()
        """What the layer as it was does not know any better."""
        self._written: dict[int, QgsFeature] = {}
        self._index = QgsSpatialIndex()

    def near(self, rectangle: QgsRectangle) -> list[QgsFeature]:
        """Return the polygons whose bounding box meets a rectangle: those that were there before first."""
        before = _with_geometry(self._before.getFeatures(QgsFeatureRequest().setFilterRect(rectangle)))
        written = self._index.intersects(rectangle)
        return [each for each in before if each.id() not in self._gone] + [self._written[number] for number in written]

    def add(self, features: Iterable[QgsFeature]) -> None:
        """Take in what was written."""
        for feature in features:
            # with transaction groups what is written is at once there, too
            self._gone.add(feature.id())
            if self._index.addFeature(feature):
                self._written[feature.id()] = QgsFeature(feature)

    def change(self, feature: QgsFeature, geometry: QgsGeometry) -> None:
        """Take in the new geometry of a feature that :meth:`near` gave."""
        self.remove([feature])
        changed = QgsFeature(feature)
        changed.setGeometry(geometry)
        self.add([changed])

    def remove(self, features: Iterable[QgsFeature]) -> None:
        """Forget features that :meth:`near` gave."""
        for feature in features:
            self._gone.add(feature.id())
            written = self._written.pop(feature.id(), None)
            if written is not None:
                self._index.deleteFeature(written)


def _with_geometry(features: QgsFeatureIterator) -> list[QgsFeature]:
    return [feature for feature in features if feature.hasGeometry()]
