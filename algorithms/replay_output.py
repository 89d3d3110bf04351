"""What a replay writes: all that was stored, the polygon that came out this time, and how the two agree."""

from __future__ import annotations

import math

from qgis.core import QgsCoordinateReferenceSystem, QgsFeature, QgsFields, QgsProcessingContext

from ..core.outlines.results import Field, FieldKind
from ..core.replay import Replayed
from .bridge import move_geometry, to_qgis_crs, to_qgis_fields, to_qgis_geometry

_ADDED = (
    Field("verdict", FieldKind.TEXT, lambda *_: ""),
    Field("iou", FieldKind.REAL, lambda *_: 0.0),
    Field("status", FieldKind.TEXT, lambda *_: ""),
)


def fields_with_outcome(fields: QgsFields) -> QgsFields:
    """Return the fields of results and those of a replay; a replay can be replayed, so they may be there already."""
    both = QgsFields(fields)
    for field in to_qgis_fields(_ADDED):
        if both.lookupField(field.name()) < 0:
            both.append(field)
    return both


def feature_of(
    stored: QgsFeature,
    again: Replayed,
    fields: QgsFields,
    crs: QgsCoordinateReferenceSystem,
    context: QgsProcessingContext,
) -> QgsFeature:
    """Return what came out, beside all that was stored but the geometry."""
    feature = QgsFeature(fields)
    for index, value in enumerate(stored.attributes()):
        feature.setAttribute(index, value)
    iou = None if math.isnan(again.iou) else again.iou
    for name, value in zip(("verdict", "iou", "status"), (again.verdict.value, iou, again.status)):
        feature.setAttribute(fields.lookupField(name), value)
    if again.polygon is not None:
        shape, there = to_qgis_geometry(again.polygon.geometry), to_qgis_crs(again.crs)
        feature.setGeometry(move_geometry(shape, there if crs.isValid() else crs, crs, context))
    return feature
