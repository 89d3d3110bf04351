"""The maps that a SamGIS server fetches, by their names in the package xyzservices, and their zoom levels."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..errors import SettingsError

DEFAULT_SOURCE = "OpenStreetMap.Mapnik"
"""What a SamGIS server takes where a request names no source."""
DEEPEST = 30
"""The deepest level that it takes of a source whose own is not known."""
_BROKEN = {"mapboxterrainrgb": "its address of them is wrong; terrain comes from nextzen.terrarium"}
_ALIASES = {"openstreetmap": "openstreetmapmapnik"}
_HOW = "Give a name of the package xyzservices, such as OpenStreetMap.Mapnik or Esri.WorldImagery."


@dataclass(frozen=True)
class MapSource:
    """A map on the web that SamGIS knows by name."""

    name: str
    """Its name in xyzservices, or SamGIS's own for terrain."""
    host: str
    """Of its tiles, without the subdomain that stands for one of several machines."""
    path: str
    """How the path of its tiles begins."""
    deepest: int = DEEPEST
    """Its deepest zoom level."""


def _esri(name: str, service: str, deepest: int = DEEPEST) -> MapSource:
    return MapSource(f"Esri.{name}", "arcgisonline.com", f"/ArcGIS/rest/services/{service}/MapServer/tile/", deepest)


def _usgs(name: str, service: str) -> MapSource:
    path = f"/arcgis/rest/services/{service}/MapServer/tile/"
    return MapSource(f"USGS.{name}", "basemap.nationalmap.gov", path, 20)


def _carto(name: str, style: str) -> MapSource:
    return MapSource(f"CartoDB.{name}", "basemaps.cartocdn.com", f"/{style}/", 20)


KNOWN: tuple[MapSource, ...] = (
    MapSource(DEFAULT_SOURCE, "tile.openstreetmap.org", "/", 19),
    MapSource("OpenStreetMap.DE", "tile.openstreetmap.de", "/", 18),
    MapSource("OpenStreetMap.France", "tile.openstreetmap.fr", "/osmfr/", 20),
    MapSource("OpenStreetMap.HOT", "tile.openstreetmap.fr", "/hot/", 19),
    MapSource("CyclOSM", "tile-cyclosm.openstreetmap.fr", "/cyclosm/", 20),
    MapSource("OpenTopoMap", "tile.opentopomap.org", "/", 17),
    _esri("WorldImagery", "World_Imagery"),
    _esri("WorldStreetMap", "World_Street_Map"),
    _esri("WorldTopoMap", "World_Topo_Map"),
    _esri("WorldTerrain", "World_Terrain_Base", 13),
    _esri("WorldShadedRelief", "World_Shaded_Relief", 13),
    _esri("WorldPhysical", "World_Physical_Map", 8),
    _esri("NatGeoWorldMap", "NatGeo_World_Map", 16),
    _esri("WorldGrayCanvas", "Canvas/World_Light_Gray_Base", 16),
    _usgs("USTopo", "USGSTopo"),
    _usgs("USImagery", "USGSImageryOnly"),
    _usgs("USImageryTopo", "USGSImageryTopo"),
    _carto("Positron", "light_all"),
    _carto("PositronNoLabels", "light_nolabels"),
    _carto("DarkMatter", "dark_all"),
    _carto("DarkMatterNoLabels", "dark_nolabels"),
    _carto("Voyager", "rastertiles/voyager"),
    _carto("VoyagerNoLabels", "rastertiles/voyager_nolabels"),
    MapSource("SwissFederalGeoportal.SWISSIMAGE", "wmts.geo.admin.ch", "/1.0.0/ch.swisstopo.swissimage/", 19),
    MapSource("nextzen.terrarium", "s3.amazonaws.com", "/elevation-tiles-prod/terrarium/", 15),
)
"""Those that a layer's address is told by. SamGIS takes every other name of xyzservices, too."""


def of_template(template: str) -> str:
    """Return the name of the map that a URL template of tiles belongs to; empty if it is none of :data:`KNOWN`.

    Examples
    --------
    >>> of_template("https://tile.openstreetmap.org/{z}/{x}/{y}.png")
    'OpenStreetMap.Mapnik'
    >>> of_template("https://tiles.example.com/{z}/{x}/{y}.png")
    ''
    """
    # braces are no part of a host's name
    parts = urlsplit(template.replace("{s}", "a"))
    host, path = (parts.hostname or "").lower(), parts.path.lower()
    for source in KNOWN:
        if (host == source.host or host.endswith(f".{source.host}")) and path.startswith(source.path.lower()):
            return source.name
    return ""


def require_fetchable(source_type: str, zoom: int) -> None:
    """Raise for a source or a zoom level that SamGIS answers with an error that says nothing.

    Raises
    ------
    SettingsError
        If the name can't be one of xyzservices, or the source ends before that level.
    """
    key = _key(source_type)
    if not key or "/" in source_type or "{" in source_type:
        raise SettingsError(f"'{source_type}' is no source that a SamGIS server can fetch.", hint=_HOW)
    if key in _BROKEN:
        raise SettingsError(f"SamGIS can't fetch '{source_type}': {_BROKEN[key]}.", hint=_HOW)
    deepest = deepest_of(source_type)
    if not 0 <= zoom <= deepest:
        raise SettingsError(f"Zoom {zoom} does not exist in {source_type}.", hint=f"Give 0 to {deepest}.")


def deepest_of(source_type: str) -> int:
    """Return the deepest zoom level of a source, as far as that is known."""
    key = _key(source_type)
    return next((source.deepest for source in KNOWN if _key(source.name) == key), DEEPEST)


def _key(name: str) -> str:
    """Return a name as xyzservices compares it: without case and punctuation."""
    key = re.sub(r"[^a-z0-9]", "", name.lower())
    return _ALIASES.get(key, key)
