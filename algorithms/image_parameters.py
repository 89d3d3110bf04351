"""The raster parameters of the algorithms: which pixels are looked at, and how they become an image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Union

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterExtent,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsRasterLayer,
)

from ..core.errors import MissingCrsError, RasterReadError, SettingsError
from ..core.raster.grid import Bounds
from ..core.raster.rgb import RgbSettings, parse_bands
from ..core.raster.stretch import Stretch
from ..core.redact import without_credentials
from ..core.trace import Trace
from .bridge import move_bounds
from .extents import extent_of
from .provider_source import ProviderSource, is_picture
from .rendered_source import RenderedSource
from .values import is_given

INPUT = "INPUT"
EXTENT = "EXTENT"
RESOLUTION = "RESOLUTION"
BANDS = "BANDS"
STRETCH = "STRETCH"
RENDER = "RENDER"
WINDOW = "WINDOW"
PIXEL_SPACE = "PIXEL_SPACE"
LayerSource = Union[ProviderSource, RenderedSource]


@dataclass(frozen=True)
class Look:
    """What the user said about where to look and at which resolution."""

    extent: Bounds | None
    """Map bounds in the raster's CRS; None to look around the prompts."""
    resolution: float | None
    """Map units of the raster's CRS per pixel; None for native, or as coarse as needed."""
    trace: Trace | None = None
    """The very pixels and steps of a result that is to be made again."""


def definitions(tr: Callable[[str], str]) -> list[tuple[QgsProcessingParameterDefinition, str, bool]]:
    """Return the parameters, each with its help and whether it is an advanced one; ``tr`` translates."""
    return [
        (
            QgsProcessingParameterRasterLayer(INPUT, tr("Raster layer")),
            tr("Any raster layer. A file is read at its own resolution; web tiles and map services are drawn by QGIS."),
            False,
        )
    ]


def advanced_definitions(tr: Callable[[str], str]) -> list[tuple[QgsProcessingParameterDefinition, str, bool]]:
    """Return the parameters that are seldom changed, like :func:`definitions`."""
    real = QgsProcessingParameterNumber.Type.Double
    return [
        (
            QgsProcessingParameterExtent(EXTENT, tr("Part of the raster to look at"), None, True),
            tr(
                "xmin,xmax,ymin,ymax and optionally [EPSG:n]. Without it a part around the prompts is looked at, and a "
                "wider one if the object does not fit."
            ),
            True,
        ),
        (
            QgsProcessingParameterNumber(RESOLUTION, tr("Resolution (map units per pixel)"), real, None, True, 0.0),
            tr(
                "Coarser than the raster's own: for objects that are large in its pixels. Needed for map services that "
                "have no resolution of their own."
            ),
            True,
        ),
        (
            QgsProcessingParameterString(WINDOW, tr("Window of a result"), "", optional=True),
            tr(
                "The field 'window' of a result: the very pixels that it was found in. With the same raster, model and "
                "prompts it gives the same outline. It takes the place of EXTENT and RESOLUTION."
            ),
            True,
        ),
        (
            QgsProcessingParameterString(BANDS, tr("Bands for red, green and blue"), "", optional=True),
            tr(
                "Band numbers from 1, such as 4,3,2, or one number for grey. Without them the raster's declared "
                "colours, or its first three bands."
            ),
            True,
        ),
        (
            QgsProcessingParameterString(STRETCH, tr("Stretch"), "", optional=True),
            tr(
                "Values that become black and white, written low:high for all bands (0:3000) or for each "
                "(0:3000,0:2800,0:2500). Without it the 2nd and 98th percentile of the whole raster, if it needs one."
            ),
            True,
        ),
        (
            QgsProcessingParameterBoolean(RENDER, tr("Use the layer's style"), False),
            tr("Look at the picture that the layer's style makes, in place of its values."),
            True,
        ),
        (
            QgsProcessingParameterBoolean(PIXEL_SPACE, tr("Allow a raster without a CRS"), False),
            tr("Work in the layer's own coordinates when it has no CRS. Areas and lengths are then in those units."),
            True,
        ),
    ]


def advanced_definitions_of_search(
    tr: Callable[[str], str],
) -> list[tuple[QgsProcessingParameterDefinition, str, bool]]:
    """Return those that say what a part of a raster looks like, for a search of all of it."""
    return [each for each in advanced_definitions(tr) if each[0].name() not in (EXTENT, RESOLUTION, WINDOW)]


def layer_of(
    parameters: dict[str, Any], algorithm: Any, context: QgsProcessingContext, *, needs_crs: bool = True
) -> QgsRasterLayer:
    """Return the raster layer; it may lack a CRS if PIXEL_SPACE says so or none is needed.

    Raises
    ------
    RasterReadError
        If there is none, or it can't be opened.
    MissingCrsError
        If it has no CRS and that was not allowed.
    """
    layer = algorithm.parameterAsRasterLayer(parameters, INPUT, context)
    if layer is None or not layer.isValid() or layer.dataProvider() is None:
        given = str(parameters.get(INPUT))
        is_service = "url=" in given and "://" not in given.split("url=", maxsplit=1)[0]
        raise RasterReadError(
            f"The raster '{without_credentials(given)}' can't be opened.",
            hint="Write the provider in front of a web layer's source: wms://type=xyz&url=..."
            if is_service
            else "Check that the file is there and that QGIS opens it as a raster layer.",
        )
    if needs_crs and not layer.crs().isValid() and not algorithm.parameterAsBool(parameters, PIXEL_SPACE, context):
        raise MissingCrsError(
            f"The raster '{layer.name()}' has no CRS, so areas and positions are unknown.",
            hint="Set its CRS, or say PIXEL_SPACE=true to work in the layer's own coordinates.",
        )
    return layer


def look_of(
    parameters: dict[str, Any], algorithm: Any, context: QgsProcessingContext, layer: QgsRasterLayer | None
) -> Look:
    """Return where to look; without a layer the values are only checked.

    Raises
    ------
    PromptError
        If the extent is empty, inverted or can't be read.
    SettingsError
        If the resolution is not positive, or the window can't be understood.
    CrsError
        If the extent has no place in the raster's CRS.
    """
    resolution = None
    if is_given(parameters.get(RESOLUTION)):
        resolution = float(algorithm.parameterAsDouble(parameters, RESOLUTION, context))
        if not 0.0 < resolution < float("inf"):
            raise SettingsError(f"RESOLUTION is {resolution:g}.", hint="Give a number above 0, in map units per pixel.")
    found = extent_of(EXTENT, parameters, algorithm, context)
    # searches have no WINDOW, and QGIS leaves it to the algorithm what becomes of values that have no parameter
    if algorithm.parameterDefinition(WINDOW) is not None and is_given(parameters.get(WINDOW)):
        if found is not None:
            raise SettingsError("WINDOW and EXTENT both say where to look.", hint="Leave one of them out.")
        return Look(None, resolution, Trace.parse(algorithm.parameterAsString(parameters, WINDOW, context)))
    if found is None or layer is None:
        return Look(None, resolution)
    rectangle, crs = found
    return Look(move_bounds(rectangle, crs, layer.crs(), context), resolution)


def rgb_of(parameters: dict[str, Any], algorithm: Any, context: QgsProcessingContext) -> RgbSettings:
    """Return band choice and stretch.

    Raises
    ------
    SettingsError
        If they can't be read.
    """
    bands = algorithm.parameterAsString(parameters, BANDS, context).strip()
    stretch = algorithm.parameterAsString(parameters, STRETCH, context).strip()
    return RgbSettings(bands=parse_bands(bands) if bands else None, stretch=Stretch.parse(stretch) if stretch else None)


def source_of(
    parameters: dict[str, Any], algorithm: Any, context: QgsProcessingContext, layer: QgsRasterLayer, look: Look
) -> LayerSource:
    """Return the source of a layer's pixels; must be called on the layer's thread.

    Raises
    ------
    RasterReadError
        If its pixels can't be segmented.
    SettingsError
        If it has no resolution of its own and none is given.
    """
    if is_picture(layer) or algorithm.parameterAsBool(parameters, RENDER, context):
        return RenderedSource(layer, extent=look.extent, resolution=look.resolution)
    return ProviderSource(layer)
