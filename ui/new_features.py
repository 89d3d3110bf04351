"""New features of a target layer: geometry in its own type, its default values, its constraints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from qgis.core import (
    QgsExpressionContext,
    QgsFeature,
    QgsFieldConstraints,
    QgsGeometry,
    QgsVectorLayer,
    QgsVectorLayerUtils,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QCoreApplication

from ..algorithms.bridge import crs_text, from_qgis_geometry
from ..core.errors import OutputError
from ..core.outlines.measure import measure
from .placement import polygons_of
from .target_fields import measures


def parts_for(layer: QgsVectorLayer, geometry: QgsGeometry) -> list[QgsGeometry]:
    """Return a geometry in the layer's own type, the largest part first; several where it takes single polygons."""
    pieces = polygons_of(geometry)
    parts = QgsGeometry.collectGeometry(pieces).coerceToType(layer.wkbType()) if pieces else []
    parts = [part for part in parts if not part.isEmpty()]
    if not parts:
        raise OutputError(
            tr("The layer '{}' can't hold the outline ({}).").format(
                layer.name(), QgsWkbTypes.displayString(layer.wkbType())
            ),
            hint=tr("Choose another target layer."),
        )
    return sorted(parts, key=lambda part: -part.area())


def new_feature(
    layer: QgsVectorLayer,
    geometry: QgsGeometry,
    attributes: Mapping[int, Any],
    *,
    whole: bool,
    context: QgsExpressionContext | None = None,
) -> QgsFeature:
    """Return a feature with the layer's default values where ``attributes`` has none.

    ``whole`` says that the geometry is all of the outline; the measures of a part are its own. A ``context`` of the
    layer saves time where many are made.
    """
    values = attributes if whole else {**attributes, **measures_of(layer, geometry)}
    keys = set(layer.primaryKeyAttributes())
    values = {index: value for index, value in values.items() if index not in keys}
    context = context or layer.createExpressionContext()
    # it remembers aggregates, and the layer has more objects than when the last one was made
    context.clearCachedValues()
    return QgsVectorLayerUtils.createFeature(layer, geometry, values, context)


def measures_of(layer: QgsVectorLayer, geometry: QgsGeometry) -> dict[int, Any]:
    """Return the attributes that say how large a geometry in the layer's CRS is, by field index."""
    size = measure(from_qgis_geometry(geometry), crs_text(layer.crs()))
    return measures(layer.fields(), size)


def require_constraints(layer: QgsVectorLayer, features: Iterable[QgsFeature]) -> None:
    """Raise if a feature breaks a rule that the layer or its database insists on."""
    hard = QgsFieldConstraints.ConstraintStrength.ConstraintStrengthHard
    for index, field in enumerate(layer.fields()):
        if not field.constraints().constraints():
            continue
        for feature in features:
            obeyed, reasons = QgsVectorLayerUtils.validateAttribute(layer, feature, index, hard)
            if not obeyed:
                raise OutputError(
                    tr("The field '{}' of '{}' refuses the object: {}.").format(
                        field.name(), layer.name(), "; ".join(reasons)
                    ),
                    hint=tr("Give a default value or change the constraint in the layer's properties."),
                )


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("NewFeatures", text)
