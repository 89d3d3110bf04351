"""Examples and counter-examples as parameters: layers of polygons or points, or points as text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsGeometry,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterGeometry,
    QgsReferencedGeometryBase,
    QgsWkbTypes,
)

from ..core.errors import EmptyPromptError
from ..core.prompts.point import PointPrompt
from ..core.prompts.prompt import PromptSet
from ..core.prompts.shape import ShapePrompt
from .bridge import crs_text, from_qgis_geometry, points_of
from .prompt_text import move_prompts
from .values import is_given

EXAMPLES = "EXAMPLES"
COUNTER_EXAMPLES = "COUNTER_EXAMPLES"
EXAMPLE_POINTS = "EXAMPLE_POINTS"
COUNTER_POINTS = "COUNTER_POINTS"


def definitions(tr: Callable[[str], str]) -> list[tuple[QgsProcessingParameterDefinition, str, bool]]:
    """Return the parameters, each with its help and whether it is an advanced one; ``tr`` translates."""
    point = [int(QgsWkbTypes.GeometryType.PointGeometry)]
    layers = [QgsProcessing.SourceType.TypeVectorPolygon, QgsProcessing.SourceType.TypeVectorPoint]

    def layer(name: str, title: str) -> QgsProcessingParameterFeatureSource:
        return QgsProcessingParameterFeatureSource(name, title, layers, None, True)

    def points(name: str, title: str) -> QgsProcessingParameterGeometry:
        return QgsProcessingParameterGeometry(name, title, None, True, point, True)

    return [
        (
            layer(EXAMPLES, tr("Examples")),
            tr("Polygons around, or points on, objects of the kind that is looked for; in any CRS. One is enough."),
            False,
        ),
        (
            points(EXAMPLE_POINTS, tr("Points on examples")),
            tr(
                "The same as text: Point (x y) or MultiPoint ((x y), (x y)); each point is an example. Another CRS "
                "than the raster's is written in front: CRS=EPSG:4326;Point (12.5 46.1)."
            ),
            False,
        ),
        (
            layer(COUNTER_EXAMPLES, tr("Counter-examples")),
            tr("Polygons around, or points on, what looks similar but is not meant."),
            False,
        ),
        (points(COUNTER_POINTS, tr("Points on counter-examples")), tr("The same as text."), False),
    ]


class ExampleReader:
    """Reads the example parameters of one call.

    Parameters
    ----------
    parameters : dict
        As Processing hands them over.
    algorithm : QgsProcessingAlgorithm
        Evaluates them.
    context : QgsProcessingContext
        Of the call.
    """

    def __init__(self, parameters: dict[str, Any], algorithm: Any, context: QgsProcessingContext) -> None:
        self._parameters = parameters
        self._algorithm = algorithm
        self._context = context

    def check(self) -> None:
        """Raise :class:`EmptyPromptError` if no example is given at all; reads no features."""
        if not any(is_given(self._parameters.get(name)) for name in (EXAMPLES, EXAMPLE_POINTS)):
            raise EmptyPromptError(
                "There is no example of what to look for.", hint="Give EXAMPLES (a layer) or EXAMPLE_POINTS."
            )

    def examples(self, target: QgsCoordinateReferenceSystem) -> tuple[PromptSet, ...]:
        """Return the examples in the target CRS, one set each; features are read on the calling thread.

        Raises
        ------
        EmptyPromptError
            If the layer holds none.
        PromptError, CrsError, MissingCrsError
            If one can't be read, or has no place in the target CRS.
        """
        found = (*self._layer(EXAMPLES, target), *self._points(EXAMPLE_POINTS, target))
        if not found:
            raise EmptyPromptError(
                "The layer of examples is empty, so there is nothing to look for.",
                hint="Check EXAMPLES, and whether only selected features are used.",
            )
        return found

    def counter_examples(self, target: QgsCoordinateReferenceSystem) -> tuple[PromptSet, ...]:
        """Return the counter-examples in the target CRS; there may be none."""
        return (*self._layer(COUNTER_EXAMPLES, target), *self._points(COUNTER_POINTS, target))

    def _layer(self, name: str, target: QgsCoordinateReferenceSystem) -> tuple[PromptSet, ...]:
        source = self._algorithm.parameterAsSource(self._parameters, name, self._context)
        if source is None:
            return ()
        sets = [
            prompts
            for feature in source.getFeatures()
            for prompts in _prompts(feature.geometry(), source.sourceCrs(), target, self._context)
        ]
        return tuple(sets)

    def _points(self, name: str, target: QgsCoordinateReferenceSystem) -> tuple[PromptSet, ...]:
        value = self._parameters.get(name)
        if not is_given(value):
            return ()
        geometry = self._algorithm.parameterAsGeometry(self._parameters, name, self._context)
        # in the raster's own coordinates unless a CRS is written in front
        crs = self._algorithm.parameterAsGeometryCrs(self._parameters, name, self._context)
        says = isinstance(value, QgsReferencedGeometryBase) or str(value).upper().lstrip().startswith("CRS")
        return tuple(_prompts(geometry, crs if says else target, target, self._context))


def _prompts(
    geometry: QgsGeometry,
    crs: QgsCoordinateReferenceSystem,
    target: QgsCoordinateReferenceSystem,
    context: QgsProcessingContext,
) -> list[PromptSet]:
    """Return the examples that a geometry holds: each polygon and each point of it is one."""
    if geometry.isNull() or geometry.isEmpty():
        return []
    if geometry.type() == QgsWkbTypes.GeometryType.PolygonGeometry:
        shape = from_qgis_geometry(geometry)
        parts = getattr(shape, "geoms", [shape])
        sets = [PromptSet((ShapePrompt.of(part),), crs_text(crs)) for part in parts]
    else:
        sets = [PromptSet((PointPrompt(point.x(), point.y()),), crs_text(crs)) for point in points_of(geometry)]
    if not crs.isValid():
        # a layer without a CRS is in the raster's coordinates
        return [replace(prompts, crs=crs_text(target)) for prompts in sets]
    return [move_prompts(prompts, target, context) for prompts in sets]
