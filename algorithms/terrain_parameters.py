"""The parameters that say what a raster's heights are and which composite is made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
)

from ..core.errors import SettingsError
from ..core.terrain.composite import RECIPES, CompositeSettings
from ..core.terrain.elevation import ElevationUnit
from ..core.terrain.reader import ElevationSettings
from .terrain_source import AUTO, ENCODINGS, NONE
from .values import is_given

BAND = "BAND"
UNIT = "UNIT"
FACTOR = "FACTOR"
NODATA = "NODATA"
ENCODING = "ENCODING"
COMPOSITE = "COMPOSITE"
ELEVATION_UNIT = "ELEVATION_UNIT"
ELEVATION_NODATA = "ELEVATION_NODATA"
SMOOTHING = "SMOOTHING"
Definition = tuple[QgsProcessingParameterDefinition, str, bool]


def unit(name: str, tr: Callable[[str], str], *, advanced: bool) -> Definition:
    """Return the parameter for the unit of heights, its help, and whether it is an advanced one."""
    units = [unit.value for unit in ElevationUnit]
    return (
        QgsProcessingParameterEnum(
            name, tr("Unit of the elevations"), units, False, units[0], False, usesStaticStrings=True
        ),
        tr("metres, feet (0.3048 m) or us_feet (1200/3937 m)."),
        advanced,
    )


def encoding(tr: Callable[[str], str], *, advanced: bool) -> Definition:
    """Return the parameter for colours that say elevations, like :func:`unit`."""
    return (
        QgsProcessingParameterEnum(
            ENCODING, tr("Elevations in colours"), ENCODINGS, False, AUTO, False, usesStaticStrings=True
        ),
        tr(
            "terrarium or mapbox (terrain-RGB, MapTiler's too) where the colours of tiles or of a picture say "
            "elevations; none for a band of heights; auto takes what the layer itself is set to. The tiles of an XYZ "
            "layer are fetched and decoded as they are, never as they are drawn."
        ),
        advanced,
    )


def composite(tr: Callable[[str], str]) -> Definition:
    """Return the parameter that makes a picture of a DEM, like :func:`unit`."""
    return (
        QgsProcessingParameterEnum(
            COMPOSITE, tr("Composite of a DEM"), [NONE, *RECIPES.names()], False, NONE, False, usesStaticStrings=True
        ),
        tr(
            "For clicks on landforms: metric or samgis turns elevations into a picture (see DEM composite) and looks "
            "at that; BANDS then names the one band of heights. none looks at the raster as it is."
        ),
        False,
    )


def named_nodata(tr: Callable[[str], str]) -> Definition:
    """Return the parameter for voids that a DEM does not declare, where there are other rasters too."""
    return (
        QgsProcessingParameterString(ELEVATION_NODATA, tr("Elevations that mean no data"), "", optional=True),
        tr("With COMPOSITE: values that the raster does not declare as no data itself, such as -9999."),
        True,
    )


def numbers(tr: Callable[[str], str]) -> list[Definition]:
    """Return the parameters for unusual heights, all advanced."""
    real = QgsProcessingParameterNumber.Type.Double
    return [
        (
            QgsProcessingParameterNumber(FACTOR, tr("Height factor"), real, 1.0, False),
            tr("What a stored value is multiplied with to be in the unit: 0.1 for decimetres."),
            True,
        ),
        (
            QgsProcessingParameterString(NODATA, tr("Values that mean no data"), "", optional=True),
            tr("Only if the raster does not declare them itself: -9999, or several with commas."),
            True,
        ),
    ]


def smoothing(tr: Callable[[str], str]) -> Definition:
    """Return the parameter for the smoothing, like :func:`unit`."""
    real = QgsProcessingParameterNumber.Type.Double
    return (
        QgsProcessingParameterNumber(SMOOTHING, tr("Smoothing (metres)"), real, None, True, 0.0),
        tr(
            "Standard deviation of the Gaussian that smooths the elevations before slopes and curvatures are taken. "
            "Without it two cells for the metric composite, and none for the plain outputs."
        ),
        True,
    )


def heights_of(
    parameters: dict[str, Any], algorithm: Any, context: QgsProcessingContext, unit_name: str, band: int
) -> ElevationSettings:
    """Return what the user said about the heights in DEM composite.

    Raises
    ------
    SettingsError
        If a value makes no sense.
    """
    factor = float(algorithm.parameterAsDouble(parameters, FACTOR, context))
    if not 0.0 < abs(factor) < float("inf"):
        raise SettingsError(f"FACTOR is {factor:g}.", hint="Give 1 for heights in the unit.")
    nodata = nodata_of(parameters, algorithm, context, NODATA)
    chosen = ElevationUnit(algorithm.parameterAsEnumString(parameters, unit_name, context))
    return ElevationSettings(band, chosen, factor, nodata)


def nodata_of(
    parameters: dict[str, Any], algorithm: Any, context: QgsProcessingContext, name: str
) -> tuple[float, ...]:
    """Return the values that mean no data.

    Raises
    ------
    SettingsError
        If they are no numbers.
    """
    text = algorithm.parameterAsString(parameters, name, context).strip()
    try:
        return tuple(float(value) for value in text.split(",")) if text else ()
    except ValueError as error:
        raise SettingsError(f"{name} '{text}' can't be read.", hint="Give numbers, such as -9999.") from error


def composite_of(
    parameters: dict[str, Any], algorithm: Any, context: QgsProcessingContext, recipe: str
) -> CompositeSettings:
    """Return the composite that the user chose.

    Raises
    ------
    SettingsError
        If the smoothing makes no sense.
    """
    return CompositeSettings(recipe, smoothing_of(parameters, algorithm, context))


def smoothing_of(parameters: dict[str, Any], algorithm: Any, context: QgsProcessingContext) -> float | None:
    """Return the smoothing in metres; None where it is not given.

    Raises
    ------
    SettingsError
        If it is negative or not finite.
    """
    if not is_given(parameters.get(SMOOTHING)):
        return None
    metres = float(algorithm.parameterAsDouble(parameters, SMOOTHING, context))
    if not 0.0 <= metres < float("inf"):
        raise SettingsError(f"SMOOTHING is {metres:g}.", hint="Give metres, 0 for none.")
    return metres
