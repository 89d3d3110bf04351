"""What an algorithm writes to one sink, and the writing of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFields,
    QgsGeometry,
    QgsProcessingContext,
    QgsWkbTypes,
)

from .bridge import to_qgis_fields, to_qgis_geometry
from .outputs import failure_of, not_made, not_written


@dataclass(frozen=True)
class OutputLayer:
    """What is written to one sink."""

    name: str
    """The parameter's."""
    fields: QgsFields
    """Columns."""
    kind: Any
    """QgsWkbTypes.Type of the geometries."""
    rows: Iterable[tuple[QgsGeometry, list[Any]]]
    """Geometry and attributes of each feature."""

    @classmethod
    def of_result(cls, name: str, result: Any) -> OutputLayer:
        """Return the layer of a result's polygons (an :class:`OutlineTable`)."""
        rows = ((to_qgis_geometry(shape), list(values)) for shape, values in result.rows())
        return cls(name, to_qgis_fields(result.fields()), QgsWkbTypes.Type.MultiPolygon, rows)

    def features(self) -> Iterator[QgsFeature]:
        """Yield the features."""
        for geometry, values in self.rows:
            feature = QgsFeature(self.fields)
            feature.setGeometry(geometry)
            feature.setAttributes(values)
            yield feature


def write_layer(
    layer: OutputLayer,
    parameters: dict[str, Any],
    algorithm: Any,
    context: QgsProcessingContext,
    crs: QgsCoordinateReferenceSystem,
) -> str:
    """Write features to a sink, which is made only now so that no failure before leaves an empty file.

    Returns
    -------
    str
        Where they are.

    Raises
    ------
    OutputError
        If the sink can't be made or written to.
    """
    sink, destination = algorithm.parameterAsSink(parameters, layer.name, context, layer.fields, layer.kind, crs)
    if sink is None:
        raise not_made(destination or parameters.get(layer.name))
    failure = failure_of(sink, layer.features())
    del sink
    if failure:
        raise not_written(destination, failure)
    return str(destination)
