"""URL templates of map tiles ({z}/{x}/{y}) and the grid that the tiles make up, in web mercator."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..errors import SettingsError
from ..redact import without_credentials
from .grid import PixelGrid

WEB_MERCATOR = "EPSG:3857"
HALF_WORLD_M = math.pi * 6378137.0
DEEPEST = 24
_KNOWN = {"{z}", "{x}", "{y}", "{-y}", "{r}", "{s}"}
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_SUBDOMAINS = "abc"
_OSM = "openstreetmap.org"


@dataclass(frozen=True, order=True)
class TileIndex:
    """A tile's place in the XYZ scheme: row 0 is the northernmost."""

    zoom: int
    """0 for the tile of the whole world."""
    col: int
    """0 begins at 180 degrees west."""
    row: int
    """0 begins at 85.05 degrees north."""

    def __str__(self) -> str:
        return f"{self.zoom}/{self.col}/{self.row}"


@dataclass(frozen=True)
class TileTemplate:
    """The URL of a tile server's tiles.

    ``{z}``, ``{x}`` and ``{y}`` stand for a tile's place; ``{-y}`` counts rows from the south (TMS). ``{s}`` becomes
    a, b or c; ``{r}`` becomes nothing, the tiles of single resolution.

    Examples
    --------
    >>> TileTemplate("https://tiles.example.com/{z}/{x}/{-y}{r}.png?token=x").url(TileIndex(3, 1, 2))
    'https://tiles.example.com/3/1/5.png?token=x'
    """

    text: str
    """As given, the user's token included: show :attr:`shown` in its place."""

    def __post_init__(self) -> None:
        found = set(_PLACEHOLDER.findall(self.text))
        unknown = sorted(found - _KNOWN)
        if urlsplit(self.text).scheme not in ("http", "https") or not urlsplit(self.text).netloc:
            raise SettingsError(f"'{self.shown}' is not a web address.", hint="Begin with https://.")
        if unknown:
            raise SettingsError(
                f"The tile address '{self.shown}' has {', '.join(unknown)}, which is not known.",
                hint="Use {z}, {x} and {y} (or {-y}), and write your token itself into the address.",
            )
        if not {"{z}", "{x}"} <= found or len(found & {"{y}", "{-y}"}) != 1:
            raise SettingsError(
                f"The tile address '{self.shown}' doesn't say where zoom, column and row belong.",
                hint="Write {z}, {x} and {y} (or {-y}) into it.",
            )

    @property
    def shown(self) -> str:
        """The address without tokens and passwords."""
        return without_credentials(self.text)

    @property
    def host(self) -> str:
        """Name of the server."""
        return urlsplit(self.text).hostname or ""

    @property
    def tile_px(self) -> int:
        """Side of a tile in pixels: 512 where the address says @2x, else 256."""
        return 512 if "@2x" in self.text else 256

    @property
    def connections(self) -> int:
        """How many tiles may be asked for at once: 2 of the volunteers' servers, as their usage policy says."""
        return 2 if self.host == _OSM or self.host.endswith(f".{_OSM}") else 6

    def url(self, tile: TileIndex) -> str:
        """Return the address of one tile."""
        values = {
            "{z}": str(tile.zoom),
            "{x}": str(tile.col),
            "{y}": str(tile.row),
            "{-y}": str((1 << tile.zoom) - 1 - tile.row),
            "{r}": "",
            "{s}": _SUBDOMAINS[(tile.col + tile.row) % len(_SUBDOMAINS)],
        }
        return _PLACEHOLDER.sub(lambda found: values[found[0]], self.text)

    def grid(self, zoom: int) -> PixelGrid:
        """Return the grid of the whole world at a zoom level.

        Raises
        ------
        SettingsError
            If there is no such level.
        """
        if not 0 <= zoom <= DEEPEST:
            raise SettingsError(f"Zoom {zoom} does not exist.", hint=f"Give 0 to {DEEPEST}; terrain often ends at 15.")
        side = self.tile_px << zoom
        step = 2.0 * HALF_WORLD_M / side
        return PixelGrid((step, 0.0, -HALF_WORLD_M, 0.0, -step, HALF_WORLD_M), WEB_MERCATOR, side, side)
