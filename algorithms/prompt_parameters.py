"""The prompt parameters of the algorithms, and how their values become the core's prompt sets."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterGeometry,
    QgsProcessingParameterString,
    QgsReferencedGeometryBase,
    QgsWkbTypes,
)

from ..core.errors import EmptyPromptError, PromptError
from ..core.prompts.box import BoxPrompt
from ..core.prompts.point import PointPrompt
from ..core.prompts.prompt import Prompt, PromptSet
from .bridge import crs_text, move_bounds, move_geometry, points_of
from .extents import extent_of, unknown_crs
from .point_layer import PointLayer, existing_field, read_points
from .prompt_text import read_prompts
from .values import is_given

INCLUDE = "INCLUDE"
EXCLUDE = "EXCLUDE"
BOX = "BOX"
POINTS = "POINTS"
LABEL_FIELD = "LABEL_FIELD"
GROUP_FIELD = "GROUP_FIELD"
BOXES = "BOXES"
OBJECTS = "OBJECTS"
PROMPTS = "PROMPTS"
LABEL = "LABEL"
ONE_OBJECT = "one"
EACH_POINT = "each_point"
_CRS_IN_FRONT = re.compile(r"\s*CRS\s*=\s*([^;]*);", re.IGNORECASE)

Parameters = dict[str, Any]


def definitions(tr: Callable[[str], str]) -> list[tuple[QgsProcessingParameterDefinition, str, bool]]:
    """Return the parameters, each with its help and whether it is an advanced one; ``tr`` translates."""
    point = [int(QgsWkbTypes.GeometryType.PointGeometry)]
    any_point = [QgsProcessing.SourceType.TypeVectorPoint]
    any_polygon = [QgsProcessing.SourceType.TypeVectorPolygon]
    return [
        (
            QgsProcessingParameterGeometry(INCLUDE, tr("Include points"), None, True, point, True),
            tr(
                "Points on the object, as WKT: Point (x y) or MultiPoint ((x y), (x y)). Another CRS than the raster's "
                "is written in front: CRS=EPSG:4326;MultiPoint ((12.5 46.1))."
            ),
            False,
        ),
        (
            QgsProcessingParameterGeometry(EXCLUDE, tr("Exclude points"), None, True, point, True),
            tr(
                "Points on what does not belong to the object, written like the include points. With several objects "
                "they count for each of them."
            ),
            False,
        ),
        (
            QgsProcessingParameterExtent(BOX, tr("Box around the object"), None, True),
            tr(
                "A rectangle that encloses the object: xmin,xmax,ymin,ymax and optionally [EPSG:n]; without it the "
                "coordinates are the raster's."
            ),
            False,
        ),
        (
            QgsProcessingParameterFeatureSource(POINTS, tr("Point layer"), any_point, None, True),
            tr(
                "A layer of points, in any CRS. All single points are one object, together with INCLUDE and BOX; each "
                "multipoint feature is one, and each value of the object field is one."
            ),
            False,
        ),
        (
            QgsProcessingParameterField(LABEL_FIELD, tr("Include or exclude field"), None, POINTS, optional=True),
            tr(
                "Field of the point layer that says 1 for include and 0 for exclude. Without it all points include. "
                "Exclude features without a value in the object field count for every object of the call."
            ),
            False,
        ),
        (
            QgsProcessingParameterField(GROUP_FIELD, tr("Object field"), None, POINTS, optional=True),
            tr("Field of the point layer whose values tell the objects apart; they name them in the result."),
            False,
        ),
        (
            QgsProcessingParameterFeatureSource(BOXES, tr("Box layer"), any_polygon, None, True),
            tr("A layer of polygons, in any CRS; each feature's bounding box encloses one object."),
            False,
        ),
        (
            QgsProcessingParameterEnum(
                OBJECTS, tr("Objects"), [ONE_OBJECT, EACH_POINT], False, ONE_OBJECT, False, usesStaticStrings=True
            ),
            tr(
                "one: INCLUDE, BOX and the single points of POINTS without an object field belong together; "
                "multipoints, values of the object field and boxes of BOXES are objects of their own. each_point: each "
                "include point is an object of its own. Exclude points count for all objects either way."
            ),
            False,
        ),
        (
            QgsProcessingParameterString(PROMPTS, tr("Prompts as text"), "", optional=True),
            tr(
                "The prompts of one object in place of all others, as the field 'prompts' of a result has them: +x,y "
                "includes, -x,y excludes, [left,bottom,right,top] is a box, {WKT} a shape, then the CRS: "
                "+12.5,46.1 -12.6,46.1 EPSG:4326."
            ),
            True,
        ),
        (
            QgsProcessingParameterString(LABEL, tr("Label of the result"), "", optional=True),
            tr("Class or name that is written into the field 'label' of each polygon."),
            True,
        ),
    ]


class PromptReader:
    """Reads the prompt parameters of one call.

    Parameters
    ----------
    parameters : dict
        As Processing hands them over.
    algorithm : QgsProcessingAlgorithm
        Evaluates them.
    context : QgsProcessingContext
        Of the call.
    """

    def __init__(self, parameters: Parameters, algorithm: Any, context: QgsProcessingContext) -> None:
        self._parameters = parameters
        self._algorithm = algorithm
        self._context = context
        self._each = algorithm.parameterAsEnumString(parameters, OBJECTS, context) == EACH_POINT

    def check(self) -> None:
        """Raise for what is wrong with the values by themselves, before any layer's features are read.

        Raises
        ------
        EmptyPromptError
            If nothing says where an object is.
        PromptError
            If a value can't be read or contradicts another.
        """
        given = {name for name in (INCLUDE, EXCLUDE, BOX, POINTS, BOXES) if is_given(self._parameters.get(name))}
        if is_given(self._parameters.get(PROMPTS)):
            if given:
                raise PromptError(
                    f"PROMPTS says all prompts, so it does not go with {', '.join(sorted(given))}.",
                    hint="Leave one of them out.",
                )
            return
        if not given:
            raise EmptyPromptError("There is no prompt.", hint="Give INCLUDE, BOX, POINTS or BOXES.")
        if given == {EXCLUDE}:
            raise EmptyPromptError(
                "There are only exclude points, so there is no object to look for.",
                hint="Give INCLUDE, BOX, POINTS or BOXES as well.",
            )
        if self._each and BOX in given:
            raise PromptError(
                "BOX encloses one object, so it does not go with OBJECTS=each_point.",
                hint="Leave one of them out, or give several boxes as a layer (BOXES).",
            )
        for name in (LABEL_FIELD, GROUP_FIELD):
            if is_given(self._parameters.get(name)) and POINTS not in given:
                raise PromptError(f"{name} is a field of POINTS, which is not given.", hint=f"Leave {name} out.")
        if self._each and is_given(self._parameters.get(GROUP_FIELD)):
            raise PromptError(
                "GROUP_FIELD puts points together, so it does not go with OBJECTS=each_point.",
                hint="Leave one of them out.",
            )
        self._points(INCLUDE, None)
        self._points(EXCLUDE, None)
        self._box(None)

    def read(self, target: QgsCoordinateReferenceSystem) -> tuple[PromptSet, ...]:
        """Return one prompt set for each object, in the target CRS. Features are read on the calling thread.

        QGIS itself moves them there, by the project's own datum transformations. Each set remembers its prompts as
        they were given, so that messages and attributes repeat what the user wrote.

        Raises
        ------
        EmptyPromptError
            If the layers hold nothing that locates an object.
        PromptError, CrsError, MissingCrsError
            If a value can't be read, or has no place in the target CRS.
        """
        if is_given(self._parameters.get(PROMPTS)):
            text = self._algorithm.parameterAsString(self._parameters, PROMPTS, self._context)
            label = self._algorithm.parameterAsString(self._parameters, LABEL, self._context)
            return (replace(read_prompts(text, target, self._context), label=label),)
        moved, given = self._sets(target), self._sets(self._common_crs(target))
        if not moved:
            raise EmptyPromptError(
                "The layers hold no include point and no box, so there is no object to look for.",
                hint="Check POINTS, LABEL_FIELD and BOXES, and whether only selected features are used.",
            )
        return tuple(replace(here, given=there) for here, there in zip(moved, given))

    def _sets(self, target: QgsCoordinateReferenceSystem) -> list[PromptSet]:
        include: list[Prompt] = [PointPrompt(x, y) for x, y in self._points(INCLUDE, target)]
        exclude: list[Prompt] = [PointPrompt(x, y, include=False) for x, y in self._points(EXCLUDE, target)]
        layer = self._point_layer(target)
        found: list[tuple[Any, list[Prompt]]] = []
        if self._each:
            found += [(None, [prompt]) for prompt in include]
        else:
            together = [*include, *layer.loose, *self._box(target)]
            found += [(None, together)] if together else []
        found += [*layer.objects, *self._box_layer(target)]
        crs = crs_text(target)
        label = self._algorithm.parameterAsString(self._parameters, LABEL, self._context)
        return [PromptSet((*prompts, *layer.shared, *exclude), crs, label, name) for name, prompts in found]

    def _points(self, name: str, target: QgsCoordinateReferenceSystem | None) -> list[tuple[float, float]]:
        value = self._parameters.get(name)
        if not is_given(value):
            return []
        geometry = self._algorithm.parameterAsGeometry(self._parameters, name, self._context)
        points = points_of(geometry)
        if not points:
            raise PromptError(
                f"{name} '{_text(value)}' can't be read as points.",
                hint="Write MultiPoint ((x y), (x y)) with finite numbers; another CRS in front, as CRS=EPSG:4326;",
            )
        crs = self._geometry_crs(name)
        if crs.isValid() and target is not None:
            points = points_of(move_geometry(geometry, crs, target, self._context))
        return [(point.x(), point.y()) for point in points]

    def _geometry_crs(self, name: str) -> QgsCoordinateReferenceSystem:
        """Return the CRS that the user wrote in front of a geometry; invalid if none: the raster's."""
        value = self._parameters.get(name)
        if isinstance(value, QgsReferencedGeometryBase):
            return value.crs()
        written = _CRS_IN_FRONT.match(str(value))
        if not written:
            return QgsCoordinateReferenceSystem()
        crs = self._algorithm.parameterAsGeometryCrs(self._parameters, name, self._context)
        if not crs.isValid():
            raise unknown_crs(name, written[1])
        return crs

    def _common_crs(self, raster_crs: QgsCoordinateReferenceSystem) -> QgsCoordinateReferenceSystem:
        """Return the one CRS that all given prompts are in; the raster's if there are several."""
        given = [self._geometry_crs(name) for name in (INCLUDE, EXCLUDE) if is_given(self._parameters.get(name))]
        box = extent_of(BOX, self._parameters, self._algorithm, self._context)
        given += [] if box is None else [box[1]]
        for name in (POINTS, BOXES):
            source = self._algorithm.parameterAsSource(self._parameters, name, self._context)
            given += [] if source is None else [source.sourceCrs()]
        first = given[0]
        return first if first.isValid() and all(crs == first for crs in given) else raster_crs

    def _box(self, target: QgsCoordinateReferenceSystem | None) -> list[Prompt]:
        found = extent_of(BOX, self._parameters, self._algorithm, self._context)
        if found is None:
            return []
        rectangle, crs = found
        if target is None:
            return []
        return [BoxPrompt(*move_bounds(rectangle, crs, target, self._context))]

    def _point_layer(self, target: QgsCoordinateReferenceSystem) -> PointLayer:
        source = self._algorithm.parameterAsSource(self._parameters, POINTS, self._context)
        if source is None:
            return PointLayer()
        label, group = (
            existing_field(source, str(self._algorithm.parameterAsString(self._parameters, name, self._context)), name)
            for name in (LABEL_FIELD, GROUP_FIELD)
        )
        return read_points(source, target, self._context, label_field=label, group_field=group, each=self._each)

    def _box_layer(self, target: QgsCoordinateReferenceSystem) -> list[tuple[Any, list[Prompt]]]:
        source = self._algorithm.parameterAsSource(self._parameters, BOXES, self._context)
        if source is None:
            return []
        return [
            (None, [BoxPrompt(*move_bounds(geometry.boundingBox(), source.sourceCrs(), target, self._context))])
            for geometry in (feature.geometry() for feature in source.getFeatures())
            if not (geometry.isNull() or geometry.isEmpty())
        ]


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else getattr(value, "asWkt", lambda: str(value))()
    return text if len(text) <= 80 else f"{text[:77]}..."
