"""Prompts on a DEM: the parameters that make a picture of elevations, and SamGIS's own requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessingContext,
    QgsProcessingParameterString,
    QgsRasterLayer,
    QgsRectangle,
)

from ..core.errors import PromptError, SettingsError
from ..core.prompts import samgis_request
from ..core.prompts.prompt import PromptSet
from ..core.prompts.samgis_request import SamgisRequest
from ..core.raster.grid import Bounds
from ..core.raster.source import RasterSource
from ..core.terrain.composite import CompositeSettings
from ..core.terrain.composite_source import CompositeSource
from ..core.terrain.elevation import ElevationUnit
from ..core.terrain.reader import ElevationSettings
from . import terrain_parameters
from .bridge import crs_text, move_bounds
from .image_parameters import BANDS, EXTENT, RENDER, RESOLUTION, STRETCH, Look, rgb_of
from .prompt_parameters import BOX, BOXES, EXCLUDE, INCLUDE, POINTS
from .provider_source import is_picture
from .terrain_parameters import COMPOSITE, ELEVATION_NODATA, ELEVATION_UNIT, ENCODING, Definition
from .terrain_source import NONE, layer_elevation, tile_layer, untwisted
from .values import is_given

REQUEST = "REQUEST"
_AROUND_PX = 2048
_LARGEST_REQUEST_BYTES = 1 << 20


@dataclass(frozen=True)
class DemChoice:
    """What the user said about looking at a DEM."""

    composite: CompositeSettings
    """The picture."""
    heights: ElevationSettings
    """The elevations."""
    encoding: str
    """How colours say elevations."""


def definitions(tr: Callable[[str], str]) -> list[Definition]:
    """Return the parameters."""
    return [
        terrain_parameters.composite(tr),
        terrain_parameters.unit(ELEVATION_UNIT, tr, advanced=True),
        terrain_parameters.named_nodata(tr),
        terrain_parameters.encoding(tr, advanced=True),
        (
            QgsProcessingParameterString(REQUEST, tr("Request in the form of SamGIS"), "", optional=True),
            tr(
                "JSON as the web service SamGIS takes it, or a file of it: bbox is taken as EXTENT, zoom as RESOLUTION "
                "(the ground size of a web map's pixel at that zoom), prompt as the prompts. Coordinates are degrees "
                "(EPSG:4326). INPUT says what is looked at; source_type is used by MODEL=samgis. Prompts outside bbox "
                "are refused."
            ),
            True,
        ),
    ]


def choice_of(parameters: dict[str, Any], algorithm: Any, context: QgsProcessingContext) -> DemChoice | None:
    """Return how to look at a DEM; None to look at the raster as it is.

    Raises
    ------
    SettingsError
        If a value makes no sense with the others.
    """
    recipe = algorithm.parameterAsEnumString(parameters, COMPOSITE, context)
    if recipe == NONE:
        return None
    if is_given(parameters.get(STRETCH)) or algorithm.parameterAsBool(parameters, RENDER, context):
        raise SettingsError(
            f"COMPOSITE={recipe} makes the picture itself.", hint=f"Leave {STRETCH} and {RENDER} out, or COMPOSITE."
        )
    bands = rgb_of(parameters, algorithm, context).bands or (1,)
    if len(bands) > 1:
        raise SettingsError(
            f"{BANDS} names {len(bands)} bands.", hint=f"With COMPOSITE={recipe} name the one band that holds heights."
        )
    unit = ElevationUnit(algorithm.parameterAsEnumString(parameters, ELEVATION_UNIT, context))
    nodata = terrain_parameters.nodata_of(parameters, algorithm, context, ELEVATION_NODATA)
    encoding = algorithm.parameterAsEnumString(parameters, ENCODING, context)
    return DemChoice(CompositeSettings(recipe), ElevationSettings(bands[0], unit, 1.0, nodata), encoding)


def dem_source(layer: QgsRasterLayer, choice: DemChoice, look: Look, objects: tuple[PromptSet, ...]) -> RasterSource:
    """Return the elevations of a layer; must be called on the layer's thread.

    Of tiles, those of the extent are taken, or of what lies around the prompts.
    """
    if not is_picture(layer) or layer.providerType() != "wms":
        return layer_elevation(layer, choice.encoding)
    tiles = tile_layer(layer.source())
    zoom = tiles.deepest if look.extent is None else None
    if look.resolution is not None:
        steps = [tiles.template.grid(level).resolution[0] for level in range(tiles.deepest + 1)]
        zoom = next((level for level, step in enumerate(steps) if step <= look.resolution * 1.001), tiles.deepest)
    bounds = look.extent or _around(objects, tiles.template.grid(zoom or 0).resolution[0])
    return layer_elevation(layer, choice.encoding, bounds=bounds, zoom=zoom)


def painted(source: Any, choice: DemChoice) -> CompositeSource:
    """Return the picture of elevations; closing it closes them."""
    return CompositeSource(untwisted(source), choice.composite, choice.heights)


def request_of(parameters: dict[str, Any], algorithm: Any, context: QgsProcessingContext) -> SamgisRequest | None:
    """Return SamGIS's request, if there is one.

    Raises
    ------
    PromptError
        If it can't be understood, or other prompts or places are given beside it.
    """
    if not is_given(parameters.get(REQUEST)):
        return None
    beside = [
        name for name in (INCLUDE, EXCLUDE, BOX, POINTS, BOXES, EXTENT, RESOLUTION) if is_given(parameters.get(name))
    ]
    if beside:
        raise PromptError(
            f"{REQUEST} says itself what {' and '.join(beside)} would say.", hint=f"Leave {REQUEST} or the others out."
        )
    text = algorithm.parameterAsString(parameters, REQUEST, context).strip()
    if not text.startswith("{"):
        path = Path(text)
        if not path.is_file() or path.stat().st_size > _LARGEST_REQUEST_BYTES:
            raise PromptError(f"{REQUEST} is neither JSON nor a file of it.", hint="It begins with {.")
        text = path.read_text(encoding="utf-8")
    return samgis_request.parse(text)


def asked(
    request: SamgisRequest, layer: QgsRasterLayer, context: QgsProcessingContext
) -> tuple[tuple[PromptSet, ...], Look]:
    """Return the prompts and the place of a request for a layer, the place in the layer's CRS."""
    degrees = QgsCoordinateReferenceSystem(samgis_request.WGS84)
    mercator = QgsCoordinateReferenceSystem("EPSG:3857")
    west, south, east, north = request.bounds
    extent = move_bounds(QgsRectangle(west, south, east, north), degrees, layer.crs(), context)
    left, bottom, right, top = move_bounds(QgsRectangle(west, south, east, north), degrees, mercator, context)
    x, y, half = (left + right) / 2.0, (bottom + top) / 2.0, request.pixel_m / 2.0
    pixel = move_bounds(QgsRectangle(x - half, y - half, x + half, y + half), mercator, layer.crs(), context)
    resolution = max(pixel[2] - pixel[0], pixel[3] - pixel[1])
    target = crs_text(layer.crs())
    objects = tuple(replace(one.transformed(target), given=one) for one in request.objects)
    return objects, Look(extent, resolution)


def _around(objects: tuple[PromptSet, ...], step: float) -> Bounds:
    """Return what lies around all prompts, as far as an object may grow."""
    boxes = [one.envelope() for one in objects]
    far = _AROUND_PX * step
    return (
        min(box[0] for box in boxes) - far,
        min(box[1] for box in boxes) - far,
        max(box[2] for box in boxes) + far,
        max(box[3] for box in boxes) + far,
    )
