"""Elevation sources of QGIS layers: a band of any raster, encoded colours of a file, or tiles taken as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from qgis.core import QgsRasterLayer

from ..core.errors import RasterReadError, SettingsError
from ..core.raster.grid import Bounds
from ..core.raster.source import BandInfo, RasterSource
from ..core.raster.sources.terrain_tiles import DEFAULT_ZOOM, TerrainTileSource
from ..core.raster.terrain_rgb import TerrainEncoding
from ..core.raster.tile_template import DEEPEST, HALF_WORLD_M, TileTemplate
from ..core.terrain.encoded import EncodedSource
from .provider_source import ProviderSource, is_picture, unturned
from .qgis_tiles import QgisFetcher, QtDecoder

AUTO = "auto"
NONE = "none"
ENCODINGS = [AUTO, NONE, *(encoding.value for encoding in TerrainEncoding)]
_INTERPRETATIONS = {
    "terrariumterrain": TerrainEncoding.TERRARIUM,
    "maptilerterrain": TerrainEncoding.MAPBOX,
}
_DEEPEST_TERRAIN = 15
_TILES_ACROSS = 8


@dataclass(frozen=True)
class TileLayer:
    """What the source of an XYZ layer says."""

    template: TileTemplate
    """Its address."""
    deepest: int
    """Its deepest zoom level."""
    interpretation: str
    """How QGIS itself is told to read its colours; empty if it isn't."""
    authcfg: str
    """Id of a login that QGIS keeps."""
    referer: str
    """What is sent as the page that it is on."""


def tile_layer(source: str) -> TileLayer:
    """Return what the source of a layer of QGIS's provider wms says.

    Raises
    ------
    SettingsError
        If it is no XYZ layer: elevations drawn or resampled by a server are none any more.
    """
    said = {name: values[-1] for name, values in parse_qs(source).items()}
    if said.get("type") != "xyz" or "url" not in said:
        raise SettingsError(
            "Elevations can't be read from a map service, which draws pictures.",
            hint="Use an elevation raster, or an XYZ layer of terrarium or mapbox terrain-RGB tiles.",
        )
    deepest = int(said["zmax"]) if said.get("zmax", "").isdigit() else _DEEPEST_TERRAIN
    referer = said.get("http-header:referer", said.get("referer", ""))
    template = TileTemplate(said["url"])
    return TileLayer(template, deepest, said.get("interpretation", ""), said.get("authcfg", ""), referer)


def encoding_of(choice: str, layer: TileLayer | None, bands: tuple[BandInfo, ...]) -> TerrainEncoding | None:
    """Return how colours say elevations; None if a band holds them itself.

    Raises
    ------
    SettingsError
        If that is left to be found out and can't be.
    """
    if choice not in (AUTO, NONE):
        return TerrainEncoding(choice)
    if layer is not None:
        found = _INTERPRETATIONS.get(layer.interpretation)
        if found is None or choice == NONE:
            raise SettingsError(
                f"How the tiles of {layer.template.host} say elevations is not known.",
                hint="Say ENCODING=terrarium or ENCODING=mapbox.",
            )
        return found
    if choice == AUTO and len(bands) >= 3 and all(band.dtype == "uint8" for band in bands[:3]):
        raise SettingsError(
            "The raster is a picture of three bands of bytes, and no elevation raster.",
            hint="If its colours say elevations, say how: ENCODING=terrarium or mapbox. For heights in one of its "
            "bands: ENCODING=none.",
        )
    return None


def layer_elevation(
    layer: QgsRasterLayer, choice: str, *, bounds: Bounds | None = None, zoom: int | None = None
) -> RasterSource:
    """Return the elevations of a layer; must be called on the layer's thread, and read on any one.

    Parameters
    ----------
    layer : QgsRasterLayer
        A valid layer.
    choice : str
        One of ``ENCODINGS``.
    bounds : tuple of float, optional
        In the layer's CRS: what will be looked at. Only layers of tiles are cut to it.
    zoom : int, optional
        Of tiles; the deepest with which the bounds take about 8 x 8 tiles where left out.

    Raises
    ------
    SettingsError, RasterReadError
        If the layer holds no elevations.
    """
    if is_picture(layer):
        if layer.providerType() != "wms":
            raise RasterReadError(f"'{layer.name()}' is a picture and holds no elevations.", hint="Choose a DEM.")
        tiles = tile_layer(layer.source())
        encoding = encoding_of(choice, tiles, ())
        fetcher = QgisFetcher(tiles.authcfg, tiles.referer)
        return tile_elevation(tiles.template, encoding, bounds, zoom, deepest=tiles.deepest, fetcher=fetcher)
    source = ProviderSource(layer)
    encoding = encoding_of(choice, None, source.bands)
    return source if encoding is None else EncodedSource(source, encoding)


def tile_elevation(
    template: TileTemplate,
    encoding: TerrainEncoding | None,
    bounds: Bounds | None,
    zoom: int | None,
    *,
    deepest: int = _DEEPEST_TERRAIN,
    fetcher: QgisFetcher | None = None,
) -> TerrainTileSource:
    """Return the elevations of a tile server, fetched and decoded by QGIS; see :func:`layer_elevation`."""
    if encoding is None:
        raise SettingsError(
            f"How the tiles of {template.host} say elevations is not known.",
            hint="Say ENCODING=terrarium or ENCODING=mapbox.",
        )
    level = zoom if zoom is not None else fitting_zoom(template, bounds, deepest)
    return TerrainTileSource(
        template, encoding, level, bounds=bounds, fetcher=fetcher or QgisFetcher(), decoder=QtDecoder()
    )


def fitting_zoom(template: TileTemplate, bounds: Bounds | None, deepest: int) -> int:
    """Return the deepest level that covers the bounds with about 8 tiles along the longer side."""
    deepest = min(deepest, DEEPEST)
    if bounds is None:
        return min(DEFAULT_ZOOM, deepest)
    longer = max(bounds[2] - bounds[0], bounds[3] - bounds[1])
    level = deepest
    while level > 0 and longer > _TILES_ACROSS * 2.0 * HALF_WORLD_M / (1 << level):
        level -= 1
    return level


def untwisted(source: Any) -> RasterSource:
    """Return the file itself in place of a provider that would turn it north-up; see :func:`unturned`."""
    return unturned(source) if isinstance(source, ProviderSource) else source
