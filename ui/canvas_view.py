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
    QgsProject,
)

from ..algorithms.bridge import to_qgis_crs
from ..algorithms.prompt_text import move_prompts
from ..core.prompts.prompt import PromptSet
from ..core.screen import ScreenView

_SIDE_PIECES = 20
_STEP_PX = 20.0


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


def moved_prompts(prompts: PromptSet, crs: str | None, project: QgsProject) -> PromptSet:
    """Return prompts in another CRS, with the same prompts as they were given beside them.

    A replay moves them in the same way. Where one of the two is no CRS, coordinates stay as they are.

    Raises
    ------
    CrsError
        If one has no place there.
    """
    target = to_qgis_crs(crs)
    moved = move_prompts(prompts, target if target.isValid() else to_qgis_crs(prompts.crs), project)
    return replace(moved, crs=crs)
