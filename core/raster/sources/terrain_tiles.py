"""Elevation tiles (terrarium, mapbox terrain-RGB) of a web server, decoded to metres.

Opened by ``terrarium+https://host/{z}/{x}/{y}.png#zoom=12`` or ``mapbox+https://...``; after the zoom may follow
``&bounds=left,bottom,right,top`` in web-mercator metres, to which the source is then cut.
"""

from __future__ import annotations

import math
import warnings
from collections import OrderedDict
from typing import Any, Protocol
from urllib.parse import parse_qs

import numpy as np
from numpy.typing import NDArray

from ... import native
from ...errors import ChipTooLargeError, OutsideExtentError, SettingsError, TileDownloadError
from ...progress import NullProgress, Progress, check
from ..chip import RasterChip
from ..grid import Bounds, PixelGrid, Window
from ..resample import average_over
from ..source import BandInfo, BandRole, RasterSource, check_request
from ..terrain_rgb import TerrainEncoding, elevations
from ..tile_fetch import Patience, RequestsFetcher, TileCache, TileFetcher, fetch_tiles
from ..tile_template import TileIndex, TileTemplate

NAME = "terrain_tiles"
MOST_TILES = 400
DEFAULT_ZOOM = 12
_DECODED = 64
_CACHE = TileCache()


class TileDecoder(Protocol):
    """Turns a picture file into pixels."""

    def decode(self, file: bytes) -> NDArray[np.uint8] | None:
        """Return RGBA (4, H, W) exactly as stored, or None if it is no picture."""


class TerrainTileSource:
    """Elevations in metres of a tile server at one zoom level. Use it from one thread at a time.

    Coarser views are read from the server's own coarser zoom levels.

    Parameters
    ----------
    template : TileTemplate
        Where the tiles are.
    encoding : TerrainEncoding
        How they say elevations.
    zoom : int
        The finest level to read.
    bounds : tuple of float, optional
        (left, bottom, right, top) in web-mercator metres; the source ends there, at whole pixels.
    fetcher, decoder : TileFetcher, TileDecoder, optional
        By default requests and rasterio.
    cache : TileCache, optional
        By default one for the whole process.
    most_tiles : int
        Largest number of tiles of one read.
    patience : Patience, optional
        For tiles that don't come at once.

    Raises
    ------
    SettingsError
        If there is no such zoom level, or the bounds make no sense.
    OutsideExtentError
        If the bounds don't meet the world.
    """

    already_rgb = False
    has_overviews = True

    def __init__(
        self,
        template: TileTemplate,
        encoding: TerrainEncoding,
        zoom: int = DEFAULT_ZOOM,
        *,
        bounds: Bounds | None = None,
        fetcher: TileFetcher | None = None,
        decoder: TileDecoder | None = None,
        cache: TileCache | None = None,
        most_tiles: int = MOST_TILES,
        patience: Patience | None = None,
    ) -> None:
        self._template = template
        self._encoding = encoding
        self._zoom = zoom
        whole = template.grid(zoom)
        self._at = _cut(whole, bounds)
        self.grid: PixelGrid = whole.window(self._at)
        self.bands = (BandInfo("Elevation", encoding.dtype, BandRole.GRAY),)
        self._fetcher = fetcher or RequestsFetcher()
        self._decoder = decoder or RasterioDecoder()
        self._cache = cache if cache is not None else _CACHE
        self._most_tiles = most_tiles
        self._patience = patience
        self._decoded: OrderedDict[TileIndex, tuple[NDArray[Any], NDArray[np.bool_]]] = OrderedDict()

    @property
    def uri(self) -> str:
        """What opens it again, but for the token."""
        left, bottom, right, top = self.grid.bounds
        bounds = f"{left:.3f},{bottom:.3f},{right:.3f},{top:.3f}"
        return f"{self._encoding.value}+{self._template.shown}#zoom={self._zoom}&bounds={bounds}"

    def read(
        self, window: Window, size: tuple[int, int], bands: tuple[int, ...], progress: Progress | None = None
    ) -> RasterChip:
        """Return the elevations of a window at ``size``; see :class:`RasterSource`.

        Raises
        ------
        ChipTooLargeError
            If more tiles would be needed than the limit.
        TileDownloadError
            If a tile does not come, or is no picture.
        """
        check_request(self, window, size, bands)
        progress = progress or NullProgress()
        check(progress)
        coarser = min(self._zoom, int(math.log2(min(window.width / size[0], window.height / size[1]))))
        scale = 1 << coarser
        left, top = (self._at.col + window.col) / scale, (self._at.row + window.row) / scale
        right, bottom = left + window.width / scale, top + window.height / scale
        part = (math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom))
        metres, valid = self._mosaic(self._zoom - coarser, part, progress)
        if metres.shape != (size[1], size[0]):
            box = (left - part[0], top - part[1], right - part[0], bottom - part[1])
            means, valid = average_over(metres[None], valid, box, size)
            metres = means[0].astype(metres.dtype)
        grid = self.grid.window(window).resampled(*size)
        return RasterChip(np.stack([metres] * len(bands)), valid, grid, ("Elevation",) * len(bands), self.uri)

    def close(self) -> None:
        """Forget the tiles."""
        self._decoded.clear()

    def _mosaic(
        self, zoom: int, part: tuple[int, int, int, int], progress: Progress
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return the pixels (left, top, right, bottom) of a zoom level: metres and validity."""
        side = self._template.tile_px
        left, top, right, bottom = part
        cols, rows = range(left // side, -(-right // side)), range(top // side, -(-bottom // side))
        if len(cols) * len(rows) > self._most_tiles:
            raise ChipTooLargeError(
                f"{right - left} x {bottom - top} pixels are {len(cols) * len(rows)} tiles of {self._template.host}; "
                f"the limit is {self._most_tiles}.",
                hint="Ask for a smaller area or a lower zoom.",
            )
        tiles = [TileIndex(zoom, col, row) for row in rows for col in cols]
        metres = np.empty((bottom - top, right - left), dtype=self._encoding.dtype)
        valid = np.empty(metres.shape, dtype=np.bool_)
        for tile, (heights, usable) in self._read_tiles(tiles, progress).items():
            col, row = tile.col * side, tile.row * side
            y, x = slice(max(row, top), min(row + side, bottom)), slice(max(col, left), min(col + side, right))
            here = slice(y.start - top, y.stop - top), slice(x.start - left, x.stop - left)
            there = slice(y.start - row, y.stop - row), slice(x.start - col, x.stop - col)
            metres[here], valid[here] = heights[there], usable[there]
        return metres, valid

    def _read_tiles(
        self, tiles: list[TileIndex], progress: Progress
    ) -> dict[TileIndex, tuple[NDArray[Any], NDArray[np.bool_]]]:
        found = {tile: self._decoded[tile] for tile in tiles if tile in self._decoded}
        missing = [tile for tile in tiles if tile not in found]
        if missing:
            files = fetch_tiles(self._template, missing, self._fetcher, self._cache, progress, patience=self._patience)
            broken = []
            for tile in missing:
                pixels = self._decoder.decode(files[tile])
                if pixels is None or pixels.shape != (4, self._template.tile_px, self._template.tile_px):
                    broken.append((tile, "no picture" if pixels is None else f"{pixels.shape[2]} x {pixels.shape[1]}"))
                    continue
                found[tile] = elevations(pixels, self._encoding)
            if broken:
                raise self._unreadable(broken, len(tiles))
        for tile in tiles:
            self._decoded[tile] = found[tile]
            self._decoded.move_to_end(tile)
        while len(self._decoded) > _DECODED:
            self._decoded.popitem(last=False)
        return found

    def _unreadable(self, broken: list[tuple[TileIndex, str]], total: int) -> TileDownloadError:
        tile, what = broken[0]
        side = self._template.tile_px
        return TileDownloadError(
            f"{len(broken)} of {total} tiles of {self._template.shown} are no pictures of {side} x {side} pixels: "
            f"{tile} is {what}.",
            hint="Check the address: it must give PNG or lossless WebP tiles (write @2x for tiles of 512 pixels).",
        )


class RasterioDecoder:
    """Decodes PNG and WebP with rasterio's GDAL."""

    def decode(self, file: bytes) -> NDArray[np.uint8] | None:
        """Return RGBA; see :class:`TileDecoder`."""
        # GDAL knows a hundred formats, and a server may send anything.
        driver = "PNG" if file.startswith(b"\x89PNG") else "WEBP" if file[8:12] == b"WEBP" else ""
        if not driver:
            return None
        rasterio = native.rasterio()
        with warnings.catch_warnings(), native.rasterio_env():
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            try:
                with rasterio.io.MemoryFile(file) as memory, memory.open(driver=driver) as picture:
                    pixels = _through_palette(picture)
            except (rasterio.errors.RasterioError, rasterio.errors.RasterioIOError):
                return None
        if pixels.dtype != np.uint8 or len(pixels) not in (3, 4):
            return None
        opaque = np.full((4 - len(pixels), *pixels.shape[1:]), 255, np.uint8)
        rgba: NDArray[np.uint8] = np.concatenate([pixels, opaque])
        return rgba


class TerrainTileOpener:
    """Opens ``terrarium+https://...`` and ``mapbox+https://...``."""

    def accepts(self, uri: str) -> bool:
        """Return True for those two."""
        return any(uri.startswith(f"{encoding.value}+http") for encoding in TerrainEncoding)

    def open(self, uri: str, *, pixel_space: bool) -> RasterSource:
        """Return the source; see :class:`TerrainTileSource`. Tiles always have a CRS."""
        kind, _, rest = uri.partition("+")
        url, _, fragment = rest.partition("#")
        said = {name: values[-1] for name, values in parse_qs(fragment).items()}
        try:
            zoom = int(said.get("zoom", DEFAULT_ZOOM))
            numbers = [float(part) for part in said["bounds"].split(",")] if "bounds" in said else None
            bounds = None if numbers is None else (numbers[0], numbers[1], numbers[2], numbers[3])
        except (ValueError, IndexError) as error:
            raise SettingsError(
                f"'{fragment}' after the tile address can't be understood.",
                hint="Write #zoom=12 or #zoom=12&bounds=left,bottom,right,top (web-mercator metres).",
            ) from error
        return TerrainTileSource(TileTemplate(url), TerrainEncoding(kind), zoom, bounds=bounds)


def _through_palette(picture: Any) -> NDArray[Any]:
    pixels: NDArray[Any] = picture.read()
    if picture.count != 1:
        return pixels
    try:
        colours = picture.colormap(1)
    except ValueError:
        return pixels
    table = np.array([colours.get(value, (0, 0, 0, 0)) for value in range(256)], dtype=np.uint8)
    return np.moveaxis(table[pixels[0]], -1, 0)


def _cut(whole: PixelGrid, bounds: Bounds | None) -> Window:
    if bounds is None:
        return Window(0, 0, whole.width, whole.height)
    left, bottom, right, top = bounds
    if not (left < right and bottom < top):
        raise SettingsError(f"The bounds {bounds} are empty or inverted.", hint="Give left,bottom,right,top.")
    box = np.clip(whole.box_to_pixel(bounds), 0, whole.width)
    col, row = math.floor(float(box[0]) + 1e-6), math.floor(float(box[1]) + 1e-6)
    width, height = math.ceil(float(box[2]) - 1e-6) - col, math.ceil(float(box[3]) - 1e-6) - row
    if width < 1 or height < 1:
        raise OutsideExtentError(f"The bounds {bounds} don't meet the tiles.", hint="Give web-mercator metres.")
    return Window(col, row, width, height)


ENTRY = TerrainTileOpener()
