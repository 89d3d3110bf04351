"""The parameters of a model that is a server which fetches the map itself (SamGIS), and what they come to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from qgis.core import QgsProcessingContext, QgsProcessingParameterNumber, QgsProcessingParameterString, QgsRasterLayer

from ..core.errors import MissingCrsError, SettingsError
from ..core.map_server import MapServer, MapServerSettings, require_server
from ..core.map_view import on_the_ground
from ..core.models import catalogue
from ..core.models.store import ModelStore
from ..core.prompts.prompt import PromptSet
from ..core.prompts.samgis_request import SamgisRequest
from ..core.remote.address import ServerAddress, Servers
from ..core.remote.samgis_sources import DEEPEST, of_template
from ..core.scan import OverlapRule
from . import outline_parameters, server_settings
from .bridge import crs_text
from .image_parameters import BANDS, PIXEL_SPACE, RENDER, RESOLUTION, STRETCH, WINDOW, Look
from .search_parameters import CONFIDENCE, KEEP_ON_CANCEL, OVERLAPS, WINDOW_SIZE
from .terrain_parameters import COMPOSITE, Definition
from .terrain_source import NONE
from .values import is_given

SOURCE_TYPE = "SOURCE_TYPE"
ZOOM = "ZOOM"
_WEB_PROVIDERS = frozenset({"wms", "arcgismapserver"})
_OF_PIXELS = (BANDS, STRETCH, WINDOW, CONFIDENCE, WINDOW_SIZE)
_SWITCHES = (RENDER, PIXEL_SPACE, KEEP_ON_CANCEL)
Parameters = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """What the server is to look at."""

    layer: QgsRasterLayer
    """Shows the same map, and has the CRS of the outlines."""
    look: Look
    """Extent and resolution, in the layer's CRS."""
    objects: tuple[PromptSet, ...] = ()
    """In the layer's CRS: a resolution is meant in their middle where there is no extent."""
    request: SamgisRequest | None = None
    """Says zoom and source, where the parameters don't."""


def definitions(tr: Callable[[str], str]) -> list[Definition]:
    """Return the parameters, each with its help and whether it is an advanced one."""
    whole = QgsProcessingParameterNumber.Type.Integer
    return [
        (
            QgsProcessingParameterString(SOURCE_TYPE, tr("Map that SamGIS fetches"), "", optional=True),
            tr(
                "With MODEL=samgis: the map's name in the package xyzservices, such as OpenStreetMap.Mapnik or "
                "Esri.WorldImagery. Without it that of INPUT's own tiles, where they are known."
            ),
            True,
        ),
        (
            QgsProcessingParameterNumber(ZOOM, tr("Zoom level that SamGIS looks at"), whole, None, True, 0, DEEPEST),
            tr(
                "With MODEL=samgis: the map's zoom level. Without it what RESOLUTION says, or what shows the extent or "
                "the boxes well."
            ),
            True,
        ),
    ]


def model_names(kind: str) -> list[str]:
    """Return the names of all models that take a kind of prompt, those that fetch the map themselves at the end."""
    return [*ModelStore().names(kind), *(spec.name for spec in catalogue.map_servers(kind))]


def check(parameters: Parameters, algorithm: Any, context: QgsProcessingContext, *, fetches_map: bool) -> None:
    """Raise for values that don't go with the model; asks no server.

    Raises
    ------
    SettingsError
        Names the parameters.
    ServerUnavailableError
        If the model is a server and none is set up.
    """
    if not fetches_map:
        odd = [name for name in (SOURCE_TYPE, ZOOM) if is_given(parameters.get(name))]
        if odd:
            raise SettingsError(f"{' and '.join(odd)}: only for MODEL=samgis.", hint="Leave it out, or choose samgis.")
        return
    odd = [name for name in _OF_PIXELS if is_given(parameters.get(name))]
    switches = [name for name in _SWITCHES if algorithm.parameterDefinition(name) is not None]
    odd += [name for name in switches if algorithm.parameterAsBool(parameters, name, context)]
    for name, unsaid in ((COMPOSITE, (NONE,)), (OVERLAPS, (OverlapRule.KEEP.value, OverlapRule.BEST.value))):
        known = algorithm.parameterDefinition(name) is not None
        odd += [name] if known and algorithm.parameterAsEnumString(parameters, name, context) not in unsaid else []
    if odd:
        raise SettingsError(
            f"{' and '.join(odd)} can't be told to SamGIS, which fetches the map itself.",
            hint="Leave it out, or choose another model.",
        )
    if is_given(parameters.get(ZOOM)) and is_given(parameters.get(RESOLUTION)):
        raise SettingsError(f"{ZOOM} and {RESOLUTION} say the same.", hint="Leave one of them out.")
    url = server_settings.url_of("samgis")
    require_server(Servers(samgis=ServerAddress(url) if url else None))


def map_server(parameters: Parameters, algorithm: Any, context: QgsProcessingContext, asked: Asked) -> MapServer:
    """Return the server, told what to look at. Called on the main thread; nothing is sent.

    Raises
    ------
    SettingsError
        If the layer is none that the server could fetch, or its map isn't known by name, or a login can't be used.
    ServerUnavailableError
        If no server is set up.
    """
    layer, look, request = asked.layer, asked.look, asked.request
    given = algorithm.parameterAsString(parameters, SOURCE_TYPE, context).strip()
    source_type = source_of(layer, given or (request.source_type if request is not None else ""))
    crs = crs_text(layer.crs())
    if crs is None:
        raise MissingCrsError(f"The layer '{layer.name()}' has no CRS.", hint="Set it in the layer's properties.")
    zoom = request.zoom if request is not None else None
    if is_given(parameters.get(ZOOM)):
        zoom = algorithm.parameterAsInt(parameters, ZOOM, context)
    boxes = [look.extent] if look.extent is not None else [one.envelope() for one in asked.objects]
    shown = layer.extent()
    boxes = boxes or [(shown.xMinimum(), shown.yMinimum(), shown.xMaximum(), shown.yMaximum())]
    resolution_m = on_the_ground(look.resolution, boxes, crs) if zoom is None and look.resolution else None
    outline = outline_parameters.read(parameters, algorithm, context)
    settings = MapServerSettings(crs, source_type, zoom, resolution_m, look.extent, outline)
    return MapServer(server_settings.servers(["samgis"]), settings)


def source_of(layer: QgsRasterLayer, given: str) -> str:
    """Return the name of the map that a layer shows, or as it was given.

    Raises
    ------
    SettingsError
        If the layer is a file or database, or its map isn't known and no name is given.
    """
    if layer.providerType() not in _WEB_PROVIDERS:
        raise SettingsError(
            f"SamGIS fetches maps from the web itself, so it can't look at '{layer.name()}'.",
            hint="Choose a layer of web tiles, or another model for this one.",
        )
    if given:
        return given
    said = {name: values[-1] for name, values in parse_qs(layer.source()).items()}
    name = of_template(said.get("url", "")) if said.get("type") == "xyz" else ""
    if not name:
        raise SettingsError(
            f"By which name SamGIS knows the map of '{layer.name()}' can't be told from its address.",
            hint=f"Give its name in the package xyzservices as {SOURCE_TYPE}, for example Esri.WorldImagery.",
        )
    return name
