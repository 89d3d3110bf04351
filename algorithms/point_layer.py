"""A layer of points as prompts: which of its points make an object, and which count for all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from qgis.core import QgsCoordinateReferenceSystem, QgsProcessingContext, QgsProcessingFeatureSource, QgsWkbTypes

from ..core.errors import PromptError
from ..core.prompts.point import PointPrompt
from ..core.prompts.prompt import Prompt
from .bridge import move_geometry, points_of
from .values import include_of, is_null, object_name


@dataclass
class PointLayer:
    """What a layer of points holds."""

    objects: list[tuple[Any, list[Prompt]]] = field(default_factory=list)
    """Names (None to be numbered) and prompts of the objects that the layer tells apart."""
    loose: list[Prompt] = field(default_factory=list)
    """Include points that belong to the one object of the call."""
    shared: list[Prompt] = field(default_factory=list)
    """Exclude points that count for every object of the call."""


def existing_field(source: QgsProcessingFeatureSource, name: str, parameter: str) -> str:
    """Return a field name that the layer has, or none if none is given.

    Raises
    ------
    PromptError
        If the layer has no such field; lists those that it has.
    """
    there = source.fields().names()
    if name and name not in there:
        raise PromptError(
            f"POINTS has no field '{name}' ({parameter}).", hint=f"Its fields are: {', '.join(there) or 'none'}."
        )
    return name


def read_points(
    source: QgsProcessingFeatureSource,
    target: QgsCoordinateReferenceSystem,
    context: QgsProcessingContext,
    *,
    label_field: str,
    group_field: str,
    each: bool,
) -> PointLayer:
    """Return the layer's prompts in the target CRS; features without a geometry are passed over.

    Parameters
    ----------
    source : QgsProcessingFeatureSource
        Points or multipoints.
    target : QgsCoordinateReferenceSystem
        The raster's.
    context : QgsProcessingContext
        Says how to get there.
    label_field, group_field : str
        Existing fields, or empty.
    each : bool
        True if each include point is an object of its own.

    Raises
    ------
    PromptError, CrsError, MissingCrsError
        If a label can't be read, or a point has no place in the target CRS.
    """
    layer = PointLayer()
    alone = QgsWkbTypes.isMultiType(source.wkbType()) or bool(group_field)
    groups: dict[Any, tuple[Any, list[Prompt]]] = {}
    for feature in source.getFeatures():
        geometry = feature.geometry()
        if geometry.isNull() or geometry.isEmpty():
            continue
        include = include_of(feature[label_field], feature.id(), label_field) if label_field else True
        moved = points_of(move_geometry(geometry, source.sourceCrs(), target, context))
        prompts: list[Prompt] = [PointPrompt(point.x(), point.y(), include=include) for point in moved]
        group = feature[group_field] if group_field else None
        if not is_null(group):
            groups.setdefault(("group", group), (object_name(group), []))[1].extend(prompts)
        elif not include:
            layer.shared.extend(prompts)
        elif each:
            groups.update({(feature.id(), index): (None, [prompt]) for index, prompt in enumerate(prompts)})
        elif alone:
            groups["feature", feature.id()] = (None, prompts)
        else:
            layer.loose.extend(prompts)
    layer.objects.extend(groups.values())
    return layer
