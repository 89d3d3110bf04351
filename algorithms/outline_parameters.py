"""The outline parameters of the algorithms, and how their values become the core's settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterNumber,
)

from ..core.outlines.masks import PartRule
from ..core.outlines.shape import OutlineSettings
from .values import is_given

PART = "PART"
FILL_HOLES = "FILL_HOLES"
MIN_AREA = "MIN_AREA"
SIMPLIFY = "SIMPLIFY"
SIMPLIFY_PX = "SIMPLIFY_PX"
SMOOTH = "SMOOTH"
EXPAND = "EXPAND"
_INTEGER = QgsProcessingParameterNumber.Type.Integer
_REAL = QgsProcessingParameterNumber.Type.Double
_DEFAULTS = OutlineSettings()


def definitions(tr: Callable[[str], str]) -> list[tuple[QgsProcessingParameterDefinition, str, bool]]:
    """Return the parameters, each with its help and whether it is an advanced one; ``tr`` translates."""
    rules = [rule.value for rule in PartRule]
    return [
        (
            QgsProcessingParameterEnum(
                PART, tr("Parts to keep"), rules, False, _DEFAULTS.parts.value, False, usesStaticStrings=True
            ),
            tr(
                "Which connected parts make up the object: largest, with_include (those that hold an include point; "
                "the largest if none does) or all."
            ),
            True,
        ),
        (
            QgsProcessingParameterNumber(FILL_HOLES, tr("Fill holes up to (m²)"), _REAL, None, True, 0.0),
            tr("Holes up to this area are filled; 0 keeps all of them. Without a value only specks are filled."),
            True,
        ),
        (
            QgsProcessingParameterNumber(MIN_AREA, tr("Smallest part (m²)"), _REAL, 0.0, False, 0.0),
            tr("Parts below this area are dropped, even if nothing is left."),
            True,
        ),
        (
            QgsProcessingParameterNumber(SIMPLIFY, tr("Simplify by (m)"), _REAL, None, True, 0.0),
            tr(
                "How far the outline may move when it is simplified; 0 keeps the pixels' own sides. Without a value it "
                "may move by one pixel, which takes out the stairs."
            ),
            True,
        ),
        (
            QgsProcessingParameterNumber(
                SIMPLIFY_PX, tr("Simplify by (pixels)"), _REAL, _DEFAULTS.simplify_px, False, 0.0
            ),
            tr("The same in pixels that were looked at; counts where no metres are given."),
            True,
        ),
        (
            QgsProcessingParameterNumber(SMOOTH, tr("Smooth"), _INTEGER, _DEFAULTS.smooth, False, 0, 5),
            tr("How often corners are cut: 0 for buildings, 2 or 3 for trees and lakes."),
            True,
        ),
        (
            QgsProcessingParameterNumber(EXPAND, tr("Expand by (m)"), _REAL, 0.0),
            tr("How far the outline is pushed outwards; a negative number contracts it."),
            True,
        ),
    ]


def definitions_of_found(
    tr: Callable[[str], str],
) -> list[tuple[QgsProcessingParameterDefinition, str, bool]]:
    """Return the parameters for objects that nobody clicked: all their parts count, and their own size is asked for."""
    return [each for each in definitions(tr) if each[0].name() not in (PART, MIN_AREA)]


def read(parameters: dict[str, Any], algorithm: Any, context: QgsProcessingContext) -> OutlineSettings:
    """Return the settings; of parts, where the algorithm has no such parameter, all are kept.

    Raises
    ------
    SettingsError
        If one is out of its range.
    """

    def number(name: str) -> float:
        return float(algorithm.parameterAsDouble(parameters, name, context))

    chooses = algorithm.parameterDefinition(PART) is not None
    return OutlineSettings(
        parts=PartRule(algorithm.parameterAsEnumString(parameters, PART, context)) if chooses else PartRule.ALL,
        fill_holes_m2=number(FILL_HOLES) if is_given(parameters.get(FILL_HOLES)) else None,
        min_area_m2=number(MIN_AREA) if chooses else 0.0,
        simplify_px=number(SIMPLIFY_PX),
        simplify_m=number(SIMPLIFY) if is_given(parameters.get(SIMPLIFY)) else None,
        smooth=int(algorithm.parameterAsInt(parameters, SMOOTH, context)),
        expand_m=number(EXPAND),
    )
