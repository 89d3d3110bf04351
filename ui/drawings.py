"""What is known of the open objects, as drawings on the map and as a line of words."""

from __future__ import annotations

import math

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCsException,
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QCoreApplication, QLocale

from ..algorithms.bridge import crs_text, to_qgis_crs, to_qgis_geometry
from ..core.prompts.box import BoxPrompt
from ..core.prompts.point import PointPrompt
from ..core.prompts.shape import ShapePrompt
from .canvas_view import mover
from .live_session import Found
from .overlay import BESIDE, CURRENT, WAITING, Drawing
from .prompt_state import OpenObject

_HECTARE_M2, _KM2_M2 = 10_000.0, 1_000_000.0


def drawing(
    item: OpenObject, found: Found | None, crs: QgsCoordinateReferenceSystem, *, is_current: bool, is_answered: bool
) -> Drawing:
    """Return how an object looks on a map.

    Parameters
    ----------
    item : OpenObject
        What the user has pointed at.
    found : Found or None
        What was found last.
    crs : QgsCoordinateReferenceSystem
        The map's.
    is_current : bool
        True if gestures go to it.
    is_answered : bool
        True if what was found is for all that the user has pointed at.
    """
    outline = outline_of(found, crs)
    if found is None:
        shapes = [prompt for prompt in item.prompts if isinstance(prompt, ShapePrompt)]
        outline = _there(QgsGeometry.fromWkt(shapes[0].wkt), item.crs, crs) if shapes else None
    style = (CURRENT if is_current else BESIDE) if is_answered else WAITING
    points = [prompt for prompt in item.prompts if isinstance(prompt, PointPrompt)]
    return Drawing(
        outline,
        style,
        include=_points([prompt for prompt in points if prompt.include], item.crs, crs),
        exclude=_points([prompt for prompt in points if not prompt.include], item.crs, crs),
        boxes=_boxes([prompt for prompt in item.prompts if isinstance(prompt, BoxPrompt)], item.crs, crs),
    )


def outline_of(found: Found | None, crs: QgsCoordinateReferenceSystem) -> QgsGeometry | None:
    """Return an outline in the map's CRS; None if there is none, or no place for it."""
    if found is None or found.answer.outline is None:
        return None
    return _there(to_qgis_geometry(found.answer.outline.geometry), found.crs, crs)


def feature_outline(
    feature: QgsFeature, layer: QgsVectorLayer | None, crs: QgsCoordinateReferenceSystem
) -> QgsGeometry | None:
    """Return a feature's outline in the map's CRS; None if it has no place there."""
    own = crs_text(layer.crs()) if layer is not None else None
    return _there(QgsGeometry(feature.geometry()), own, crs)


def summary(item: OpenObject, found: Found | None, others: int) -> str:
    """Return what is known of an object in a line, e.g. "1,250 m² · score 0.93 · 2 prompts"."""
    words = []
    outline = found.answer.outline if found is not None else None
    if outline is not None:
        words.append(area(outline.area_m2))
        if math.isfinite(outline.score):
            words.append(tr("score {}").format(QLocale().toString(outline.score, "f", 2)))
    elif found is not None:
        words.append(tr("nothing found"))
    if item.edited is not None:
        words.append(tr("corrects the polygon {}").format(item.edited.feature_id))
    words.append(tr("%n prompt(s)", count=len(item.prompts)))
    if others:
        words.append(tr("%n more open", count=others))
    return " · ".join(words)


def area(square_metres: float) -> str:
    """Return an area in a unit that suits it."""
    for size, unit in ((_KM2_M2, "km²"), (_HECTARE_M2, "ha")):
        if square_metres >= size:
            return f"{QLocale().toString(square_metres / size, 'f', 2)} {unit}"
    return f"{QLocale().toString(square_metres, 'f', 0 if square_metres >= 100 else 1)} m²"


def _there(shape: QgsGeometry, crs: str | None, target: QgsCoordinateReferenceSystem) -> QgsGeometry | None:
    way = mover(to_qgis_crs(crs), target, QgsProject.instance().transformContext())
    try:
        done = shape.transform(way) == QgsGeometry.OperationResult.Success
    except QgsCsException:
        return None
    return shape if done else None


def _points(prompts: list[PointPrompt], crs: str | None, target: QgsCoordinateReferenceSystem) -> list[QgsPointXY]:
    moved = (_there(QgsGeometry.fromPointXY(QgsPointXY(prompt.x, prompt.y)), crs, target) for prompt in prompts)
    return [point.asPoint() for point in moved if point is not None]


def _boxes(prompts: list[BoxPrompt], crs: str | None, target: QgsCoordinateReferenceSystem) -> list[QgsGeometry]:
    boxes = []
    for prompt in prompts:
        left, bottom, right, top = prompt.envelope()
        corners = [QgsPointXY(x, y) for x, y in ((left, bottom), (right, bottom), (right, top), (left, top))]
        boxes.append(_there(QgsGeometry.fromPolygonXY([corners]), crs, target))
    return [box for box in boxes if box is not None]


def tr(text: str, *, count: int = -1) -> str:
    """Return a text in the user's language, for so many."""
    translated = QCoreApplication.translate("Drawings", text, None, count)
    # without a translation there are no plural forms
    return translated.replace("(s)", "" if count == 1 else "s").replace("%n", str(count))
