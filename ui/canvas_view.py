"""Between the map canvas and the core: what is seen, and prompts, in the source's CRS by the project's own rules."""

from __future__ import annotations

import math
from dataclasses import replace

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsCsException,
    QgsGeometry,
    QgsMapSettings,
    QgsPointXY,
    QgsRectangle,
)

from ..algorithms.bridge import to_qgis_crs
from ..core.errors import CrsError
from ..core.prompts.box import BoxPrompt
from ..core.prompts.point import PointPrompt
from ..core.prompts.prompt import Prompt, PromptSet
from ..core.prompts.shape import ShapePrompt
from ..core.screen import ScreenView

_SIDE_PIECES = 20
_STEP_PX = 20.0
_DIGITS = 17


def mover(
    source: QgsCoordinateReferenceSystem,
    target: QgsCoordinateReferenceSystem,
    context: QgsCoordinateTransformContext,
) -> QgsCoordinateTransform:
    """Return the way from one CRS to another; where one of them is none, coordinates stay as they are."""
    if not source.isValid() or not target.isValid():
        return QgsCoordinateTransform()
    return QgsCoordinateTransform(source, target, context)


def screen_view(
    settings: QgsMapSettings, crs: QgsCoordinateReferenceSystem, context: QgsCoordinateTransformContext
) -> ScreenView | None:
    """Return what a map window shows, in another CRS; None if it shows nothing that has a place there.

    Parameters
    ----------
    settings : QgsMapSettings
        The canvas's; a rotated window is taken by its four corners. A pixel is a device-independent one.
    crs : QgsCoordinateReferenceSystem
        The source's.
    context : QgsCoordinateTransformContext
        The project's.
    """
    size = settings.outputSize()
    if not settings.hasValidSettings() or size.isEmpty():
        return None
    way = mover(settings.destinationCrs(), crs, context)
    corners = [QgsPointXY(corner) for corner in settings.visiblePolygon()]
    seen = QgsGeometry.fromPolygonXY([corners]).densifyByCount(_SIDE_PIECES)
    to_map = settings.mapToPixel()
    middle = (size.width() / 2.0, size.height() / 2.0)
    ends = [(middle[0] - _STEP_PX, middle[1]), (middle[0] + _STEP_PX, middle[1])]
    ends += [(middle[0], middle[1] - _STEP_PX), (middle[0], middle[1] + _STEP_PX)]
    try:
        left, right, top, bottom = (way.transform(to_map.toMapCoordinatesF(x, y)) for x, y in ends)
        if seen.transform(way) != QgsGeometry.OperationResult.Success:
            return None
    except QgsCsException:
        return None
    box = seen.boundingBox()
    resolution = (left.distance(right) + top.distance(bottom)) / (4.0 * _STEP_PX)
    bounds = (box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum())
    if not (all(map(math.isfinite, bounds)) and math.isfinite(resolution) and resolution > 0.0):
        return None
    return ScreenView(bounds, resolution)


def moved_point(point: QgsPointXY, way: QgsCoordinateTransform) -> QgsPointXY:
    """Return a point in the target CRS.

    Raises
    ------
    CrsError
        If it has no place there.
    """
    try:
        return way.transform(point)
    except QgsCsException as error:
        raise _lost(point.toString(8), way) from error


def moved_prompts(prompts: PromptSet, crs: str | None, context: QgsCoordinateTransformContext) -> PromptSet:
    """Return prompts in another CRS, with the same prompts as they were given beside them.

    Raises
    ------
    CrsError
        If one has no place there.
    """
    way = mover(to_qgis_crs(prompts.crs), to_qgis_crs(crs), context)
    moved = tuple(_moved(prompt, way) for prompt in prompts.prompts)
    return replace(prompts, prompts=moved, crs=crs, given=prompts)


def _moved(prompt: Prompt, way: QgsCoordinateTransform) -> Prompt:
    if way.isShortCircuited() or not way.isValid():
        return prompt
    if isinstance(prompt, PointPrompt):
        point = moved_point(QgsPointXY(prompt.x, prompt.y), way)
        return PointPrompt(point.x(), point.y(), prompt.include)
    try:
        if isinstance(prompt, BoxPrompt):
            box = way.transformBoundingBox(QgsRectangle(prompt.left, prompt.bottom, prompt.right, prompt.top))
            return BoxPrompt(box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum())
        if isinstance(prompt, ShapePrompt):
            shape = QgsGeometry.fromWkt(prompt.wkt)
            if shape.transform(way) == QgsGeometry.OperationResult.Success:
                return ShapePrompt(shape.asWkt(_DIGITS))
    except QgsCsException as error:
        raise _lost(prompt.describe(), way) from error
    raise _lost(prompt.describe(), way)


def _lost(what: str, way: QgsCoordinateTransform) -> CrsError:
    names = [crs.authid() or crs.description() for crs in (way.sourceCrs(), way.destinationCrs())]
    return CrsError(
        f"{what[:80]} ({names[0]}) has no place in {names[1]}.",
        hint="Check the project's CRS and that of the image.",
    )
