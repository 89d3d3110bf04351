"""A DEM at several resolutions, each read in pieces: what lets a finder look for large and small landforms alike.

Level 0 is the coarsest resolution that still resolves the smallest landform asked for; each further level halves it.
Levels that fit in memory are kept, finer ones are read from the source piece by piece.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..outlines.measure import local_frame
from ..progress import NullProgress, Progress, check
from ..raster.grid import PixelGrid, Window
from ..raster.source import RasterSource
from .elevation import read_elevation
from .reader import ElevationSettings

FloatArray = NDArray[np.float64]
ElevationArray = NDArray[np.float32]
KEPT_CELLS = 64_000_000
"""A level up to this many cells (256 MB) is kept in memory, and the coarser ones are made from it: the outlines of
hundreds of candidates need windows here and there, and a source takes its time for each."""
STRIP_CELLS = 4_000_000
"""So many native cells are read between two looks at whether the user has cancelled."""
_METRICS = 256
_NEARLY = 1.01
LEAST_CELLS = 8
"""A level with fewer rows or columns shows no landform."""


@dataclass(frozen=True)
class DemTile:
    """A piece of a DEM at one level."""

    elevation: ElevationArray
    """(H, W) metres, NaN where unusable."""
    grid: PixelGrid
    """Where it lies."""

    def metres(self) -> FloatArray:
        """Return metres east and north for one column (first column) and one row (second), in the middle; (2, 2)."""
        return ground_matrix(self.grid, (self.grid.width / 2.0, self.grid.height / 2.0))


def ground_matrix(grid: PixelGrid, pixel: tuple[float, float]) -> FloatArray:
    """Return the local ground metric of a grid at a pixel (col, row), in any CRS, as metres (2, 2).

    The first column is (east, north) for a step of one column, the second for one row. Rotation, shear, oblong cells
    and the shrinking of a degree of longitude are all in it.
    """
    a, b, _, d, e, _ = grid.transform
    frame = local_frame(grid.to_map([pixel])[0], grid.crs)
    matrix: FloatArray = frame.matrix @ np.array([[a, b], [d, e]])
    return matrix


def inverted(matrix: FloatArray) -> FloatArray:
    """Return the inverse of a (2, 2) matrix: pixels for a metre east and north, out of metres for a pixel's step."""
    (a, b), (d, e) = matrix.tolist()
    inverse: FloatArray = np.array([[e, -b], [-d, a]]) / (a * e - b * d)
    return inverse


def cell_sizes(matrix: FloatArray) -> tuple[float, float]:
    """Return the length in metres of one column's and one row's step."""
    along = np.hypot(matrix[0], matrix[1])
    return float(along[0]), float(along[1])


class DemLevels:
    """One band of a raster source as elevation in metres, at resolutions that halve from level to level.

    Parameters
    ----------
    source : RasterSource
        The DEM; the caller closes it.
    cell_m : float
        Largest useful cell of level 0 in metres: the source is averaged down to about this, never made finer.
    settings : ElevationSettings, optional
        Band, unit and undeclared nodata.
    """

    def __init__(self, source: RasterSource, cell_m: float, settings: ElevationSettings | None = None) -> None:
        self._source = source
        self._settings = settings or ElevationSettings()
        self._doubts: dict[str, str] = {}
        native = source.grid
        across, down = cell_sizes(ground_matrix(native, (native.width / 2.0, native.height / 2.0)))
        self._first = (_factor(cell_m, across, native.width), _factor(cell_m, down, native.height))
        self._kept: dict[int, ElevationArray] = {}
        self._grids: dict[int, PixelGrid] = {}
        self._metrics: dict[tuple[int, int], FloatArray] = {}
        shorter = min(native.width // self._first[0], native.height // self._first[1])
        self.count = max(1, int(math.log2(max(1, shorter // LEAST_CELLS))) + 1)
        """How many levels there are."""

    @property
    def doubts(self) -> tuple[str, ...]:
        """What looks wrong with the values that were read so far: undeclared nodata, an implausible relief."""
        return tuple(self._doubts.values())

    def grid(self, level: int) -> PixelGrid:
        """Return the grid of a whole level."""
        if level not in self._grids:
            self._grids[level] = self._grid(level)
        return self._grids[level]

    def _grid(self, level: int) -> PixelGrid:
        native = self._source.grid
        by_x, by_y = self._first
        width, height = max(1, native.width // by_x), max(1, native.height // by_y)
        a, b, c, d, e, f = native.transform
        grid = PixelGrid((a * by_x, b * by_y, c, d * by_x, e * by_y, f), native.crs, width, height)
        for _ in range(level):
            a, b, c, d, e, f = grid.transform
            size = (math.ceil(grid.width / 2), math.ceil(grid.height / 2))
            grid = PixelGrid((2 * a, 2 * b, c, 2 * d, 2 * e, f), grid.crs, *size)
        return grid

    def metric(self, pixel: tuple[float, float], level: int = 0) -> FloatArray:
        """Return metres for a step of one column and one row of a level (2, 2), near a pixel (col, row) of level 0.

        Taken at the nearest of 256 x 256 places, between which it hardly changes.
        """
        grid = self.grid(0)
        size = max(1.0, max(grid.width, grid.height) / _METRICS)
        place = int(pixel[0] / size), int(pixel[1] / size)
        if place not in self._metrics:
            self._metrics[place] = ground_matrix(grid, ((place[0] + 0.5) * size, (place[1] + 0.5) * size))
        matrix: FloatArray = self._metrics[place] * 2.0**level
        return matrix

    def cell_m(self, level: int) -> float:
        """Return the mean side in metres of a level's cell, in the middle of the DEM."""
        grid = self.grid(0)
        (a, b), (d, e) = self.metric((grid.width / 2.0, grid.height / 2.0)).tolist()
        return float(math.sqrt(abs(a * e - b * d)) * 2.0**level)

    def level_for(self, cell_m: float) -> int:
        """Return the coarsest level whose cells are at most ``cell_m``; the finest where none is."""
        ratio = cell_m / self.cell_m(0)
        return min(max(math.floor(math.log2(ratio) + 1e-9) if ratio > 0 else 0, 0), self.count - 1)

    def read(self, level: int, window: Window, progress: Progress | None = None) -> DemTile:
        """Return a window of a level; the part of it that lies on the level.

        Raises
        ------
        RasterReadError
            If the pixels can't be read.
        Cancelled
            If the user asked to stop.
        """
        progress = progress or NullProgress()
        whole = self.grid(level)
        col, row = max(window.col, 0), max(window.row, 0)
        width = max(1, min(window.col + window.width, whole.width) - col)
        height = max(1, min(window.row + window.height, whole.height) - row)
        inside = Window(col, row, width, height)
        if level > 0 or whole.width * whole.height <= KEPT_CELLS:
            kept = self._level(level, progress)
            data = kept[row : row + height, col : col + width]
        else:
            data = self._read(inside, progress)
        return DemTile(data, whole.window(inside))

    def _level(self, level: int, progress: Progress) -> ElevationArray:
        """Return a whole level, made from the next finer one, or strip by strip from the source."""
        if level in self._kept:
            return self._kept[level]
        finer = self.grid(level - 1) if level > 0 else None
        if finer is not None and (level - 1 in self._kept or finer.width * finer.height <= KEPT_CELLS):
            made = halved(self._level(level - 1, progress))
        else:
            made = self._from_strips(level, progress)
        self._kept[level] = made
        return made

    def _from_strips(self, level: int, progress: Progress) -> ElevationArray:
        by = 1 if level == 0 else 2
        source_grid = self.grid(0)
        if level > 1:
            return halved(self._level(level - 1, progress))
        rows = max(2, STRIP_CELLS // (source_grid.width * self._first[0] * self._first[1]) // 2 * 2)
        parts = []
        for row in range(0, source_grid.height, rows):
            check(progress)
            strip = self._read(Window(0, row, source_grid.width, min(rows, source_grid.height - row)), progress)
            parts.append(halved(strip) if by == 2 else strip)
        return np.concatenate(parts)

    def _read(self, window: Window, progress: Progress) -> ElevationArray:
        """Return level 0's window from the source, in metres."""
        by_x, by_y = self._first
        native = Window(window.col * by_x, window.row * by_y, window.width * by_x, window.height * by_y)
        native = Window(
            native.col,
            native.row,
            min(native.width, self._source.grid.width - native.col),
            min(native.height, self._source.grid.height - native.row),
        )
        settings = self._settings
        read = read_elevation(
            self._source,
            native,
            band=settings.band,
            unit=settings.unit,
            factor=settings.factor,
            nodata=settings.nodata,
            progress=progress,
        )
        for doubt in read.warnings:
            # one sentence of each kind, whatever the piece
            self._doubts.setdefault(" ".join(word for word in doubt.split()[:6] if not word.isdigit()), doubt)
        # averaged here and not by the source, which would mix undeclared nodata into the heights
        return _averaged(read.metres.astype(np.float32, copy=False), by_x, by_y)


def halved(elevation: ElevationArray) -> ElevationArray:
    """Return the means of 2 x 2 cells (H, W) -> (ceil(H/2), ceil(W/2)); NaN only where all four are."""
    height, width = elevation.shape
    padded = np.full((height + height % 2, width + width % 2), np.nan, np.float32)
    padded[:height, :width] = elevation
    quarters = np.stack([padded[i::2, j::2] for i in (0, 1) for j in (0, 1)])
    usable = np.isfinite(quarters)
    count = usable.sum(axis=0)
    total = np.where(usable, quarters, np.float32(0.0)).sum(axis=0)
    means: ElevationArray = np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
    return means


def _averaged(metres: ElevationArray, by_x: int, by_y: int) -> ElevationArray:
    """Return the means of blocks of ``by_y`` rows and ``by_x`` columns; NaN where less than half is usable."""
    if by_x == 1 and by_y == 1:
        return metres
    height, width = metres.shape[0] // by_y, metres.shape[1] // by_x
    blocks = metres[: height * by_y, : width * by_x].reshape(height, by_y, width, by_x)
    usable = np.isfinite(blocks)
    count = usable.sum(axis=(1, 3))
    total = np.where(usable, blocks, np.float32(0.0)).sum(axis=(1, 3), dtype=np.float64)
    means: ElevationArray = np.where(2 * count >= by_x * by_y, total / np.maximum(count, 1), np.nan).astype(np.float32)
    return means


def _factor(cell_m: float, native_m: float, size: int) -> int:
    return max(1, min(int(_NEARLY * cell_m / native_m), size // LEAST_CELLS)) if native_m > 0 else 1
