"""Where a new polygon goes among those that are there: as it is, merged, cut, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from qgis.core import (
    NULL,
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsGeometry,
    QgsProject,
    QgsVectorLayer,
    QgsWkbTypes,
)

from ..algorithms.bridge import move_geometry
from .neighbours import Around, near
from .target_fields import class_field

_SLIVER = 1e-6
"""Overlaps below this part of the new polygon's area are noise of coordinates, not overlaps."""


class OverlapRule(Enum):
    """What happens where a polygon of the target layer already is."""

    ALLOW = "allow"
    """Polygons may overlap."""
    SKIP = "skip"
    """The new polygon is not written."""
    CLIP = "clip"
    """The new polygon gets what is still free."""


@dataclass(frozen=True)
class Placement:
    """What of a new polygon is to be written, and what it is merged with."""

    geometry: QgsGeometry | None
    """In the layer's CRS, merging done; None if it is not to be written."""
    merged: tuple[QgsFeature, ...] = ()
    """Features that it becomes one with, the one that stays first: the largest, and the oldest of equals."""
    clipped: bool = False
    """True if others took something of it."""
    obstacle: QgsFeature | None = None
    """What was in the way."""


def place(
    geometry: QgsGeometry,
    layer: QgsVectorLayer,
    project: QgsProject,
    *,
    overlap: OverlapRule = OverlapRule.ALLOW,
    merge: bool = False,
    label: Any = "",
    ignore: Sequence[int] = (),
    around: Around | None = None,
) -> Placement:
    """Return what to write of a polygon in the layer's CRS; changes nothing.

    Merging comes first: objects of the same class that the polygon overlaps, or shares a side with, are no obstacles.
    The project's own rule against overlaps (its snapping settings) is obeyed whatever ``overlap`` says.

    Parameters
    ----------
    geometry : QgsGeometry
        Valid polygon or multipolygon.
    layer : QgsVectorLayer
        Where it is to go.
    project : QgsProject
        Whose rules count.
    overlap : OverlapRule
        What to do about other polygons of the layer.
    merge : bool
        Become one with what it touches.
    label : str
        Its class: only objects of the same are merged, where the layer has a class field. Empty: any are.
    ignore : sequence of int
        Features that are no obstacles: the one that is being replaced.
    around : callable, optional
        Returns the layer's polygons around a place, where that is known better than the layer says.
    """
    around = around or partial(near, layer)
    # hundreds of objects may be written one after the other: the layer is only asked where the answer counts
    asks = merge or overlap is not OverlapRule.ALLOW
    there = [feature for feature in around(geometry.boundingBox()) if feature.id() not in ignore] if asks else []
    merged = _touched(geometry, [f for f in there if _has_class(f, layer, label)]) if merge else ()
    joined = {feature.id() for feature in merged}
    others = [feature for feature in there if feature.id() not in joined]
    obstacle = next((feature for feature in others if _overlaps(geometry, sound(feature.geometry()))), None)
    if obstacle is not None and overlap is OverlapRule.SKIP:
        return Placement(None, obstacle=obstacle)
    obstacles = [sound(feature.geometry()) for feature in others] if overlap is OverlapRule.CLIP else []
    obstacles += _forbidden_by(project, layer, geometry, {*ignore, *joined}, around)
    rest = without(geometry, obstacles)
    if rest is None:
        return Placement(None, clipped=True, obstacle=obstacle)
    clipped = rest.area() < geometry.area() * (1.0 - _SLIVER)
    if merged:
        rest = QgsGeometry.unaryUnion([rest, *(sound(feature.geometry()) for feature in merged)])
    return Placement(rest, merged, clipped, obstacle)


def without(geometry: QgsGeometry, obstacles: Iterable[QgsGeometry]) -> QgsGeometry | None:
    """Return what of a polygon lies outside the obstacles, without slivers; None if nothing does."""
    taken = [obstacle for obstacle in obstacles if _overlaps(geometry, obstacle)]
    if not taken:
        return geometry
    rest = geometry.difference(QgsGeometry.unaryUnion(taken))
    least = _SLIVER * geometry.area()
    parts = [part for part in polygons_of(rest) if part.area() > least]
    return QgsGeometry.collectGeometry(parts) if parts else None


def sound(geometry: QgsGeometry) -> QgsGeometry:
    """Return a polygon that sets can be formed with: a bow tie that someone drew becomes its two wings."""
    return geometry if geometry.isGeosValid() else geometry.makeValid()


def polygons_of(geometry: QgsGeometry) -> list[QgsGeometry]:
    """Return the polygons that a geometry is made of; lines and points are left out."""
    return [part for part in geometry.asGeometryCollection() if part.type() == QgsWkbTypes.GeometryType.PolygonGeometry]


def _touched(geometry: QgsGeometry, features: list[QgsFeature]) -> tuple[QgsFeature, ...]:
    """Return the features that share more than points with the polygon: the largest first, then the oldest."""
    shared = [
        feature
        for feature in features
        if geometry.intersects(sound(feature.geometry())) and _shares_a_side(geometry, sound(feature.geometry()))
    ]
    # features that are not saved yet have negative numbers, -1 the first
    return tuple(sorted(shared, key=lambda f: (-f.geometry().area(), f.id() < 0, abs(f.id()))))


def _shares_a_side(one: QgsGeometry, other: QgsGeometry) -> bool:
    common = one.intersection(other)
    return any(part.type() != QgsWkbTypes.GeometryType.PointGeometry for part in common.asGeometryCollection())


def _has_class(feature: QgsFeature, layer: QgsVectorLayer, label: Any) -> bool:
    index = class_field(layer.fields())
    if index < 0 or not label:
        return True
    value = feature.attribute(index)
    return ("" if value is None or value == NULL else str(value)) == str(label)


def _overlaps(geometry: QgsGeometry, other: QgsGeometry) -> bool:
    if not geometry.boundingBox().intersects(other.boundingBox()) or not geometry.intersects(other):
        return False
    return bool(geometry.intersection(other).area() > _SLIVER * geometry.area())


def _forbidden_by(
    project: QgsProject, layer: QgsVectorLayer, geometry: QgsGeometry, ignore: set[int], around: Around
) -> list[QgsGeometry]:
    """Return the polygons that the project's settings keep free of others, in the layer's CRS."""
    modes = QgsProject.AvoidIntersectionsMode
    mode = project.avoidIntersectionsMode()
    layers = [layer] if mode == modes.AvoidIntersectionsCurrentLayer else []
    if mode == modes.AvoidIntersectionsLayers:
        layers = project.avoidIntersectionsLayers()
    forbidden = []
    for other in layers:
        both_known = layer.crs().isValid() and other.crs().isValid()
        here, there = (layer.crs(), other.crs()) if both_known else (QgsCoordinateReferenceSystem(),) * 2
        box = move_geometry(geometry, here, there, project).boundingBox()
        own = other.id() == layer.id()
        forbidden += [
            sound(move_geometry(feature.geometry(), there, here, project))
            for feature in (around(box) if own else near(other, box))
            if not own or feature.id() not in ignore
        ]
    return forbidden
