"""Pixels of a layer as QGIS draws it: web tiles, WMS, and any raster with its style."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray
from qgis.core import QgsRasterBlockFeedback, QgsRasterLayer, QgsRectangle

from ..core.errors import ChipTooLargeError, RasterReadError, SettingsError
from ..core.progress import NullProgress, Progress, check
from ..core.raster.chip import RasterChip
from ..core.raster.grid import Bounds, PixelGrid, Window
from ..core.raster.resample import average
from ..core.raster.source import BandInfo, BandRole, check_request
from .bridge import crs_text, source_text
from .provider_source import is_picture, layer_grid, reason

_PIECE_PX = 1024
"""Map servers refuse pictures that are much larger; larger windows are put together from pieces."""
_FINER = 8
"""A coarser picture of a file is drawn at most this much finer, and averaged."""
_EMPTY_SHARE = 0.02
"""A picture with more than this share of empty pixels is worth a warning."""
_TILE_PX = 256
OSM_HOST = "tile.openstreetmap.org"
_OSM_TILES = 64
"""The volunteers' server forbids bulk download; what a map window shows is a few dozen tiles."""
RGB_BANDS = (
    BandInfo("Red", "uint8", BandRole.RED),
    BandInfo("Green", "uint8", BandRole.GREEN),
    BandInfo("Blue", "uint8", BandRole.BLUE),
)


class RenderedSource:
    """A layer drawn by its own renderer. Made on the layer's thread; then read from any one other.

    Parameters
    ----------
    layer : QgsRasterLayer
        A valid layer.
    extent : tuple of float, optional
        Map bounds that will be looked at, in the layer's CRS; used where the layer has no resolution of its own.
    resolution : float, optional
        CRS units per pixel; used where the layer has no resolution of its own.

    Raises
    ------
    SettingsError
        If the layer has no resolution of its own, and neither is given.
    """

    already_rgb = True
    bands = RGB_BANDS

    def __init__(self, layer: QgsRasterLayer, *, extent: Bounds | None = None, resolution: float | None = None) -> None:
        self._layer: Any = layer.clone()
        self._name = layer.name()
        self.uri = source_text(layer)
        self._is_picture = is_picture(layer)
        self.grid = _picture_grid(layer, extent, resolution) if self._is_picture else layer_grid(layer)
        self._is_osm = OSM_HOST in unquote(layer.source())
        self.empty_share = 0.0
        """Largest share (0 to 1) of a chip that came out transparent: outside the layer, or tiles that did not come."""
        self._shown = False
        # the resolution of the last empty picture, as long as there was no other
        self._empty_at: float | None = None

    def read(
        self, window: Window, size: tuple[int, int], bands: tuple[int, ...], progress: Progress | None = None
    ) -> RasterChip:
        """Return the window as drawn at ``size``; see :class:`RasterSource`."""
        check_request(self, window, size, bands)
        if self._is_osm:
            refuse_bulk(size)
        progress = progress or NullProgress()
        grid = self.grid.window(window).resampled(*size)
        picture = np.zeros((3, size[1], size[0]), dtype=np.uint8)
        valid = np.zeros((size[1], size[0]), dtype=np.bool_)
        across, down = self._finer(window.width, size[0]), self._finer(window.height, size[1])
        for row in range(0, size[1], _PIECE_PX // down):
            for col in range(0, size[0], _PIECE_PX // across):
                check(progress)
                width, height = min(_PIECE_PX // across, size[0] - col), min(_PIECE_PX // down, size[1] - row)
                here = slice(row, row + height), slice(col, col + width)
                piece = grid.window(Window(col, row, width, height))
                drawn = self._draw(piece.resampled(width * across, height * down))
                picture[:, here[0], here[1]], valid[here] = average(drawn[:3], drawn[3] > 0, (width, height))
        self._count(valid, grid)
        names = tuple(RGB_BANDS[band - 1].name for band in bands)
        return RasterChip(picture[[band - 1 for band in bands]], valid, grid, names, self.uri)

    def doubts(self) -> Iterator[str]:
        """Yield what the user should know about the pictures that were read."""
        if self._empty_at is not None:
            yield (
                f"'{self._name}' shows nothing there at {self._empty_at:.6g} units per pixel. Check the connection and "
                "the place, or give a coarser RESOLUTION: tiles may not exist so close."
            )
        elif self.empty_share > _EMPTY_SHARE:
            yield f"{self.empty_share:.0%} of the picture was empty: outside the layer, or tiles did not come."

    def close(self) -> None:
        """Let go of the layer, and with it of its file or connection."""
        self._layer = None

    def _finer(self, native: int, wanted: int) -> int:
        """Return how many times finer than wanted to draw, along one axis.

        QGIS draws a coarser picture from single pixels. Servers and tiles have their own coarser pictures.
        """
        return 1 if self._is_picture else min(_FINER, math.ceil(native / wanted))

    def _count(self, valid: NDArray[np.bool_], grid: PixelGrid) -> None:
        self.empty_share = max(self.empty_share, 1.0 - float(valid.mean()))
        if valid.any():
            self._shown, self._empty_at = True, None
        elif not self._shown:
            self._empty_at = max(grid.resolution)

    def _draw(self, grid: PixelGrid) -> NDArray[np.uint8]:
        """Return what the layer's renderer draws on a grid: RGBA (4, H, W) uint8, colours not premultiplied."""
        left, bottom, right, top = grid.bounds
        feedback = QgsRasterBlockFeedback()
        drawn = self._layer.pipe().last()
        block = drawn.block(1, QgsRectangle(left, bottom, right, top), grid.width, grid.height, feedback)
        problems = [text for text in (*feedback.errors(), reason(block)) if text]
        if problems or not block.isValid() or block.isEmpty():
            raise RasterReadError(
                f"'{self._name}' can't be drawn ({'; '.join(problems[:3]) or 'no reason given'}).",
                hint="Check the connection to its server, or try again later.",
            )
        pixels = np.frombuffer(bytes(block.data()), dtype=np.uint8).reshape(grid.height, grid.width, 4)
        return np.moveaxis(straight_rgba(pixels), 2, 0)


def _picture_grid(layer: QgsRasterLayer, extent: Bounds | None, resolution: float | None) -> PixelGrid:
    """Return the grid of a layer without pixels of its own: its extent at its finest resolution."""
    own = [value for value in layer.dataProvider().nativeResolutions() if value > 0]
    if own:
        finest = min(own)
    elif resolution is not None:
        finest = resolution
    elif extent is not None:
        finest = max(extent[2] - extent[0], extent[3] - extent[1]) / _PIECE_PX
    else:
        raise SettingsError(
            f"'{layer.name()}' has no resolution of its own.",
            hint="Give RESOLUTION (map units per pixel), or EXTENT.",
        )
    whole = layer.extent()
    if whole.isEmpty() or not all(map(math.isfinite, (whole.xMinimum(), whole.yMaximum(), whole.width()))):
        raise RasterReadError(f"'{layer.name()}' does not say what it covers.", hint="Choose another raster.")
    bounds = (whole.xMinimum(), whole.yMinimum(), whole.xMaximum(), whole.yMaximum())
    return PixelGrid.from_bounds(bounds, (finest, finest), crs_text(layer.crs()))


def straight_rgba(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return RGBA from QGIS's premultiplied ARGB32, whose bytes lie in the machine's order."""
    order = [2, 1, 0, 3] if sys.byteorder == "little" else [1, 2, 3, 0]
    rgba: NDArray[np.uint8] = pixels[:, :, order]
    alpha = rgba[:, :, 3:].astype(np.float32)
    if (alpha < 255).any():
        colours = rgba[:, :, :3] * (255.0 / np.maximum(alpha, 1.0))
        rgba[:, :, :3] = np.clip(np.rint(colours), 0, 255).astype(np.uint8)
    return rgba


def refuse_bulk(size: tuple[int, int]) -> None:
    """Raise :class:`ChipTooLargeError` if a picture of this size is more than the volunteers' tile server allows."""
    tiles = (math.ceil(size[0] / _TILE_PX) + 1) * (math.ceil(size[1] / _TILE_PX) + 1)
    if tiles > _OSM_TILES:
        raise ChipTooLargeError(
            f"{size[0]} x {size[1]} pixels are about {tiles} tiles of {OSM_HOST}, which forbids bulk download.",
            hint=f"Ask for at most {_OSM_TILES} tiles (about 1700 x 1700 pixels), or use another source.",
        )
