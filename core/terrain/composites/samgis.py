"""The recipe of SamGIS, to the last bit: what its web service shows its model for a view of a terrain tile source.

Elevation, its slope and the slope of the slope, each stretched from its lowest to its highest value in the view, and
inverted. Cells are taken to be ``int(61 * width / 1024)`` metres wide, whatever they are; so the same mountain looks
different in a view of another width or zoom, which is why it is not the default.

References
----------
SamGIS, samgis-web 1.3.0 (MIT licence), https://github.com/trincadev/samgis-be
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...errors import RasterReadError
from ...progress import Progress, SubProgress
from ...raster.grid import Window
from ..composite import CompositeSettings, RgbImage
from ..reader import ElevationReader, Piece

NAME = "samgis"
_CELLS = 61
_WIDTH = 1024
_SHARES = (2.5, 1.1, 2.0)
_TOPS = (64, 128, 192)
_MARGIN = 2
_SIDE = 2048
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Range:
    """The values of a channel in the whole view."""

    low: float = math.inf
    """The lowest."""
    high: float = -math.inf
    """The highest."""
    has_void: bool = False
    """True if some are void."""

    def with_values(self, values: FloatArray) -> Range:
        """Return the range that takes these in too."""
        known = values[np.isfinite(values)]
        if not known.size:
            return Range(self.low, self.high, True)
        is_void = self.has_void or known.size < values.size
        return Range(min(self.low, float(known.min())), max(self.high, float(known.max())), is_void)

    def filled(self) -> Range:
        """Return the range once SamGIS has put 0 where the voids were."""
        return Range(min(self.low, 0.0), max(self.high, 0.0)) if self.has_void else self

    def scaled(self, values: FloatArray, top: float) -> FloatArray:
        """Return values from 0 to ``top``; voids count as 0, which may lie outside the range, as in SamGIS."""
        if not self.high > self.low:
            return np.zeros_like(values)
        found: FloatArray = top * (np.where(np.isnan(values), 0.0, values) - self.low) / (self.high - self.low)
        return found

    def mapped(self, top: float) -> Range:
        """Return the range of :meth:`scaled`."""
        ends = np.array([self.low, self.high] + ([np.nan] if self.has_void else []))
        return Range().with_values(self.scaled(ends, top))


@dataclass(frozen=True)
class SamgisComposite:
    """The recipe with the ranges of one view."""

    cell: int
    """What a cell is taken to measure."""
    height: Range
    """Of the elevations, in metres."""
    slope: Range
    """Of the slopes, in degrees."""
    bend: Range
    """Of the slopes of the slope."""
    mixed: Range
    """Of the weighted sum."""

    has_void_colour = False
    sees_beyond = False

    @property
    def text(self) -> str:
        """Cell size and ranges."""
        ranges = (self.height, self.slope, self.bend, self.mixed)
        listed = ",".join(f"{one.low!r}:{one.high!r}" for one in ranges)
        return f"composite={NAME} cell={self.cell} ranges={listed}"

    def margin(self, cell_m: tuple[float, float]) -> tuple[int, int]:
        """Return two cells: the slope of a slope."""
        return _MARGIN, _MARGIN

    def picture(self, piece: Piece) -> RgbImage:
        """Return the picture of the inner part."""
        heights, slope, bend = (values[piece.inner] for values in _steepness(piece, self.cell))
        bend_255 = self.bend.scaled(bend, 255.0)
        mixed = self.mix(heights, slope, bend_255)
        channels = (
            (heights, self.height.filled()),
            (mixed, self.mixed),
            (bend_255, self.bend.mapped(255.0)),
        )
        # Whole numbers by cutting off, then inverted.
        painted = [
            255 - (top * one.scaled(values, 1.0)).astype(np.uint8) for (values, one), top in zip(channels, _TOPS)
        ]
        return np.stack(painted, axis=-1)

    def mix(self, heights: FloatArray, slope: FloatArray, bend_255: FloatArray) -> FloatArray:
        """Return the weighted sum of the three, each from 0 to 255."""
        parts = (
            self.height.scaled(heights, 255.0),
            self.slope.scaled(slope, 255.0),
            self.bend.mapped(255.0).scaled(bend_255, 255.0),
        )
        mixed: FloatArray = (_SHARES[0] * parts[0] + _SHARES[1] * parts[1] + _SHARES[2] * parts[2]) / 3
        return mixed


class SamgisRecipe:
    """Fits the recipe to a view, in two passes over it; larger ones are read in pieces, with the same answer."""

    per_view = True

    def fit(
        self,
        reader: ElevationReader,
        settings: CompositeSettings,
        region: Window,
        size: tuple[int, int],
        progress: Progress,
    ) -> SamgisComposite:
        """Return the composite of a view; see :class:`CompositeRecipe`. The smoothing is not used."""
        if min(size) < 2:
            raise RasterReadError(
                f"A view of {size[0]} x {size[1]} cells has no slopes.", hint="Look at a larger part of the raster."
            )
        cell = int(size[0] * _CELLS / _WIDTH)
        if cell < 1:
            raise RasterReadError(
                f"A view of {size[0]} columns is too narrow for the recipe samgis.",
                hint="Look at 17 columns or more, or use the recipe metric.",
            )
        ranges = [Range(), Range(), Range()]

        def measure(piece: Piece) -> None:
            for index, values in enumerate(_steepness(piece, cell)):
                ranges[index] = ranges[index].with_values(values[piece.inner])

        _each(reader, region, size, SubProgress(progress, 0.0, 0.5), measure)
        if not ranges[0].high >= ranges[0].low:
            raise RasterReadError(
                f"'{reader.source.uri}' holds nothing but nodata there.", hint="Look elsewhere, or check its nodata."
            )
        rough = SamgisComposite(cell, ranges[0], ranges[1], ranges[2], Range())
        mixed = [Range()]

        def mix(piece: Piece) -> None:
            heights, slope, bend = (values[piece.inner] for values in _steepness(piece, cell))
            mixed[0] = mixed[0].with_values(rough.mix(heights, slope, rough.bend.scaled(bend, 255.0)))

        _each(reader, region, size, SubProgress(progress, 0.5, 1.0), mix)
        return replace(rough, mixed=mixed[0])


def _each(
    reader: ElevationReader, region: Window, size: tuple[int, int], progress: Progress, use: Callable[[Piece], None]
) -> None:
    if size != (region.width, region.height):
        use(reader.around(region, size, (0, 0), progress))
        return
    for piece in reader.pieces(region, _SIDE, (_MARGIN, _MARGIN), progress, within=region):
        use(piece)


def _steepness(piece: Piece, cell: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the elevations (NaN where void), their slope, and the slope of that, for a piece with its margin."""
    heights = piece.elevation.metres.astype(np.float64)
    slope = _slope(heights, cell)
    return heights, slope, _slope(slope, cell)


def _slope(values: FloatArray, cell: int) -> FloatArray:
    down, across = np.gradient(values, cell)
    degrees: FloatArray = np.degrees(np.arctan(np.sqrt(down**2 + across**2)))
    return degrees


ENTRY = SamgisRecipe()
