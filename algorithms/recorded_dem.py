"""The elevations that a result was found in: the DEM itself, below the picture that was made of it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs

from qgis.core import QgsRasterLayer

from ..core.errors import RasterReadError, SettingsError
from ..core.raster.source import RasterSource
from ..core.raster.terrain_rgb import TerrainEncoding
from ..core.raster.tile_template import TileTemplate
from ..core.terrain.encoded import encoding_in
from .bridge import split_source
from .provider_source import is_picture
from .terrain_source import NONE, layer_elevation, tile_elevation, untwisted

OTHER = "Give the raster to use in its place (RASTER)."


def open_dem(name: str, layer: QgsRasterLayer | None = None) -> RasterSource:
    """Return the elevations of a result's source, or of the given layer in its place, as they were read then.

    Raises
    ------
    RasterReadError
        If it can't be opened.
    SettingsError
        If the name can't be understood, or the layer holds no elevations.
    """
    for encoding in TerrainEncoding:
        if name.startswith(f"{encoding.value}+"):
            return _tiles(encoding, name[len(encoding.value) + 1 :], layer)
    colours, picture = encoding_in(name)
    return untwisted(layer_elevation(layer or opened_layer(picture), NONE if colours is None else colours.value))


def opened_layer(name: str) -> QgsRasterLayer:
    """Return the raster layer of a result's source.

    Raises
    ------
    RasterReadError
        If it can't be opened.
    """
    provider, source = split_source(name)
    layer = QgsRasterLayer(source, Path(source).name, provider)
    if not layer.isValid():
        kept_back = "; its secrets were not kept" if "***" in name else ""
        raise RasterReadError(f"The source '{name}' is missing or can't be opened{kept_back}.", hint=OTHER)
    return layer


def _tiles(encoding: TerrainEncoding, text: str, layer: QgsRasterLayer | None) -> RasterSource:
    """Return tiles of the same zoom level and bounds, which are those of the recorded pixels."""
    url, _, fragment = text.partition("#")
    said = {name: values[-1] for name, values in parse_qs(fragment).items()}
    try:
        zoom = int(said["zoom"])
        left, bottom, right, top = (float(part) for part in said["bounds"].split(","))
    except (KeyError, ValueError) as error:
        raise SettingsError(f"The tiles '{text}' don't say their zoom level and bounds.", hint=OTHER) from error
    bounds = (left, bottom, right, top)
    if layer is not None:
        if not is_picture(layer):
            raise SettingsError(
                f"It was made from elevation tiles, and '{layer.name()}' has pixels of its own.",
                hint="Give the XYZ layer of the tiles (RASTER).",
            )
        return layer_elevation(layer, encoding.value, bounds=bounds, zoom=zoom)
    if "***" in url:
        raise RasterReadError(f"The tiles '{url}' need a key, which was not kept.", hint=OTHER)
    return tile_elevation(TileTemplate(url), encoding, bounds, zoom)
