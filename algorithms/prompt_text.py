"""Prompts given as one line of text, the way results keep them, brought to a raster by QGIS."""

from __future__ import annotations

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsGeometry,
    QgsPointXY,
    QgsProcessingContext,
    QgsProject,
    QgsRectangle,
)

from ..core.errors import PromptError
from ..core.prompts.box import BoxPrompt
from ..core.prompts.parse import parse_prompts
from ..core.prompts.point import PointPrompt
from ..core.prompts.prompt import Prompt, PromptSet
from ..core.prompts.shape import ShapePrompt
from .bridge import crs_text, from_qgis_geometry, move_bounds, move_geometry, to_qgis_crs


def read_prompts(
    text: str, target: QgsCoordinateReferenceSystem, context: QgsProcessingContext | QgsProject
) -> PromptSet:
    """Return the prompts of a text in the target CRS; the set remembers them as they were written.

    Raises
    ------
    PromptError
        If the text can't be understood.
    CrsError
        If a prompt has no place in the target CRS.
    """
    return move_prompts(parse_prompts(text, crs=crs_text(target)), target, context)


def move_prompts(
    prompts: PromptSet, target: QgsCoordinateReferenceSystem, context: QgsProcessingContext | QgsProject
) -> PromptSet:
    """Return prompts in the target CRS by the project's own datum transformations; ``given`` is what they were.

    Raises
    ------
    CrsError
        If one has no place there.
    """
    crs = to_qgis_crs(prompts.crs)
    moved = tuple(_moved(prompt, crs, target, context) for prompt in prompts.prompts)
    return PromptSet(moved, crs_text(target), prompts.label, prompts.object, given=prompts)


def _moved(
    prompt: Prompt,
    crs: QgsCoordinateReferenceSystem,
    target: QgsCoordinateReferenceSystem,
    context: QgsProcessingContext | QgsProject,
) -> Prompt:
    if isinstance(prompt, PointPrompt):
        spot = move_geometry(QgsGeometry.fromPointXY(QgsPointXY(prompt.x, prompt.y)), crs, target, context).asPoint()
        return PointPrompt(spot.x(), spot.y(), prompt.include)
    if isinstance(prompt, BoxPrompt):
        return BoxPrompt(*move_bounds(QgsRectangle(*prompt.envelope()), crs, target, context))
    if isinstance(prompt, ShapePrompt):
        if not crs.isValid() or crs == target:
            return prompt
        shape = QgsGeometry()
        shape.fromWkb(prompt.geometry.wkb)
        return ShapePrompt.of(from_qgis_geometry(move_geometry(shape, crs, target, context)))
    raise PromptError(f"A {prompt.kind} prompt can't be moved to another CRS.", hint="Give it in the raster's own CRS.")
