"""Extent parameters read strictly: QGIS itself turns an inverted rectangle around and takes an empty one for none."""

from __future__ import annotations

import math
import re
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessingContext,
    QgsRectangle,
    QgsReferencedRectangle,
)

from ..core.errors import CrsError, PromptError
from .values import is_given

_FOUR_NUMBERS = re.compile(r"^\s*([^,\[]+),([^,\[]+),([^,\[]+),([^,\[]+?)\s*(\[.*\])?\s*$")


def extent_of(
    name: str, parameters: dict[str, Any], algorithm: Any, context: QgsProcessingContext
) -> tuple[QgsRectangle, QgsCoordinateReferenceSystem] | None:
    """Return a parameter's rectangle and its CRS (invalid where none is said: the raster's), or None if not given.

    Raises
    ------
    PromptError
        If it is empty, inverted, not finite or can't be read.
    CrsError
        If it says a CRS that QGIS does not know.
    """
    value = parameters.get(name)
    if not is_given(value):
        return None
    written = None
    explicit = not isinstance(value, QgsRectangle) or isinstance(value, QgsReferencedRectangle)
    if isinstance(value, str):
        numbers = _FOUR_NUMBERS.match(value)
        if numbers:
            _require_rectangle(name, value, numbers.groups()[:4])
            written = numbers[5]
            explicit = written is not None
    rectangle = algorithm.parameterAsExtent(parameters, name, context)
    if rectangle.isNull() or rectangle.isEmpty():
        raise PromptError(f"{name} '{_text(value)}' is empty or can't be read.", hint=_HINT)
    crs = algorithm.parameterAsExtentCrs(parameters, name, context) if explicit else QgsCoordinateReferenceSystem()
    if written is not None and not crs.isValid():
        raise unknown_crs(name, written.strip("[] "))
    return rectangle, crs


def unknown_crs(name: str, text: str) -> CrsError:
    """Return the error for a CRS that the user wrote and QGIS does not know."""
    return CrsError(f"{name} is in the CRS '{text}', which QGIS does not know.", hint="Give a code such as EPSG:4326.")


def _require_rectangle(name: str, text: str, numbers: tuple[str, ...]) -> None:
    try:
        left, right, bottom, top = (float(number) for number in numbers)
    except ValueError as error:
        raise PromptError(f"{name} '{text}' can't be read.", hint=_HINT) from error
    if not all(map(math.isfinite, (left, right, bottom, top))):
        raise PromptError(f"{name} '{text}' is not a place.", hint=_HINT)
    if left >= right or bottom >= top:
        raise PromptError(f"{name} '{text}' is empty or inverted.", hint=_HINT)


def _text(value: Any) -> str:
    return value.toString() if isinstance(value, QgsRectangle) else str(value)


_HINT = "Write it as xmin,xmax,ymin,ymax with xmin < xmax and ymin < ymax, and optionally [EPSG:n]."
