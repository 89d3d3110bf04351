"""The parameters that all searches share: which part of the raster, how fine, which objects, and what overlaps do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterNumber,
)

from ..core.errors import SettingsError
from ..core.scan import OverlapRule, ScanSettings
from . import image_parameters, outline_parameters
from .image_parameters import EXTENT, RESOLUTION, Look
from .values import is_given

CONFIDENCE = "CONFIDENCE"
MIN_SIZE = "MIN_SIZE"
MAX_SIZE = "MAX_SIZE"
OVERLAPS = "OVERLAPS"
WINDOW_SIZE = "WINDOW_SIZE"
KEEP_ON_CANCEL = "KEEP_ON_CANCEL"
_LEAST_WINDOW_PX, _LARGEST_WINDOW_PX = 128, 4096
_REAL = QgsProcessingParameterNumber.Type.Double
_INTEGER = QgsProcessingParameterNumber.Type.Integer

Definition = tuple[QgsProcessingParameterDefinition, str, bool]


def definitions(tr: Callable[[str], str]) -> list[Definition]:
    """Return the parameters, each with its help and whether it is an advanced one; ``tr`` translates."""
    rules = [rule.value for rule in OverlapRule]
    return [
        (
            QgsProcessingParameterExtent(EXTENT, tr("Part of the raster to search"), None, True),
            tr("xmin,xmax,ymin,ymax and optionally [EPSG:n]. Without it the whole raster is searched."),
            False,
        ),
        (
            QgsProcessingParameterNumber(RESOLUTION, tr("Resolution (map units per pixel)"), _REAL, None, True, 0.0),
            tr(
                "Coarser than the raster's own: for objects that are large in its pixels. Needed for map services that "
                "have no resolution of their own."
            ),
            False,
        ),
        (
            QgsProcessingParameterNumber(CONFIDENCE, tr("Least score (0 to 1)"), _REAL, None, True, 0.0, 1.0),
            tr(
                "Objects of which the model is less sure are left out. Lower finds more, and more that is none. "
                "Without it, what suits the model."
            ),
            False,
        ),
        (
            QgsProcessingParameterNumber(MIN_SIZE, tr("Smallest object (m²)"), _REAL, 0.0, False, 0.0),
            tr("Smaller objects are left out."),
            False,
        ),
        (
            QgsProcessingParameterNumber(MAX_SIZE, tr("Largest object (m²)"), _REAL, None, True, 0.0),
            tr("Larger objects are left out."),
            False,
        ),
        (
            QgsProcessingParameterEnum(
                OVERLAPS, tr("Overlaps"), rules, False, OverlapRule.BEST.value, False, usesStaticStrings=True
            ),
            tr(
                "keep: objects may overlap. best: each place belongs to the object with the highest score. coverage: "
                "every place belongs to exactly one object, without gaps, and shared borders are simplified together."
            ),
            True,
        ),
        (
            QgsProcessingParameterNumber(
                WINDOW_SIZE,
                tr("Window (pixels)"),
                _INTEGER,
                None,
                True,
                _LEAST_WINDOW_PX,
                _LARGEST_WINDOW_PX,
            ),
            tr("Side of the pieces that a large extent is searched in. Without it, what suits the model."),
            True,
        ),
        (
            QgsProcessingParameterBoolean(KEEP_ON_CANCEL, tr("Keep what was found when cancelled"), False),
            tr("Write what was found until then to the output file. QGIS itself loads no layer of a cancelled run."),
            True,
        ),
    ]


def confidence_of(parameters: dict[str, Any], algorithm: Any, context: QgsProcessingContext) -> float | None:
    """Return the least score that the user wants; None where they say nothing."""
    if not is_given(parameters.get(CONFIDENCE)):
        return None
    return float(algorithm.parameterAsDouble(parameters, CONFIDENCE, context))


def read(
    parameters: dict[str, Any], algorithm: Any, context: QgsProcessingContext, look: Look, *, confidence: float = 0.0
) -> ScanSettings:
    """Return the settings of the search; ``confidence`` is what counts where the user says none.

    Raises
    ------
    SettingsError
        If one is out of its range, or contradicts another.
    """
    smallest = float(algorithm.parameterAsDouble(parameters, MIN_SIZE, context))
    largest = None
    if is_given(parameters.get(MAX_SIZE)):
        largest = float(algorithm.parameterAsDouble(parameters, MAX_SIZE, context))
        if not largest > smallest:
            raise SettingsError(
                f"MAX_SIZE is {largest:g} m2 and MIN_SIZE is {smallest:g} m2.", hint="Give a larger MAX_SIZE, or none."
            )
    given = confidence_of(parameters, algorithm, context)
    window = None
    if is_given(parameters.get(WINDOW_SIZE)):
        window = int(algorithm.parameterAsInt(parameters, WINDOW_SIZE, context))
    return ScanSettings(
        rgb=image_parameters.rgb_of(parameters, algorithm, context),
        outline=outline_parameters.read(parameters, algorithm, context),
        extent=look.extent,
        resolution=look.resolution,
        window_px=window,
        confidence=confidence if given is None else given,
        min_area_m2=smallest,
        max_area_m2=largest,
        overlaps=OverlapRule(algorithm.parameterAsEnumString(parameters, OVERLAPS, context)),
        keep_on_cancel=algorithm.parameterAsBool(parameters, KEEP_ON_CANCEL, context),
    )
