"""Elevations of a source, read with one set of choices, piece by piece and with a margin around each piece."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..progress import NullProgress, Progress, check
from ..raster.chip import RasterChip
from ..raster.grid import PixelGrid, Window
from ..raster.resample import average
from ..raster.source import BandInfo, RasterSource
from .elevation import ElevationGrid, ElevationUnit, ground_units, reachable, read_elevation, require_elevation

_STRIP_PX = 4_000_000


@dataclass(frozen=True)
class ElevationSettings:
    """What the user says about the heights of a raster."""

    band: int = 1
    """Band number, from 1."""
    unit: ElevationUnit = ElevationUnit.METRES
    """Unit of the heights."""
    factor: float = 1.0
    """What a stored value is multiplied with to be in the unit."""
    nodata: tuple[float, ...] = ()
    """Stored values that are voids although the file doesn't declare them."""

    def text(self) -> str:
        """Return it for provenance, e.g. "band=1 unit=metres"; what is at its default but for these two is left out."""
        parts = [f"band={self.band}", f"unit={self.unit.value}"]
        if self.factor != 1.0:
            parts.append(f"factor={self.factor!r}")
        if self.nodata:
            parts.append("nodata=" + ",".join(f"{value!r}" for value in self.nodata))
        return " ".join(parts)


@dataclass(frozen=True)
class Piece:
    """A window of elevations with some more around it."""

    elevation: ElevationGrid
    """The window and its margin, as far as the raster goes."""
    inner: tuple[slice, slice]
    """Where the window itself lies in it, (rows, columns)."""
    window: Window
    """The window, in native pixels of the raster."""


class ElevationReader:
    """Reads a source's elevations.

    Parameters
    ----------
    source : RasterSource
        The caller closes it.
    settings : ElevationSettings
        Band, unit, voids.

    Raises
    ------
    RasterReadError
        If the source is a picture.
    SettingsError
        If the band does not exist or the factor makes no sense.
    """

    def __init__(self, source: RasterSource, settings: ElevationSettings | None = None) -> None:
        self.settings = settings or ElevationSettings()
        require_elevation(source, self.settings.band, self.settings.factor)
        self.source = source

    @property
    def grid(self) -> PixelGrid:
        """The whole source at its finest resolution."""
        return self.source.grid

    def read(self, window: Window, size: tuple[int, int], progress: Progress | None = None) -> ElevationGrid:
        """Return a window at ``size`` (width, height); see :func:`read_elevation`.

        Voids that the file doesn't declare never enter an average.
        """
        wanted = self.settings
        is_native = size == (window.width, window.height)
        source = self.source if is_native or not wanted.nodata else _Voided(self.source, wanted.nodata)
        return read_elevation(
            source,
            window,
            size,
            band=wanted.band,
            unit=wanted.unit,
            factor=wanted.factor,
            nodata=wanted.nodata,
            progress=progress,
        )

    def smallest_cell(self, region: Window, size: tuple[int, int] | None = None) -> tuple[float, float]:
        """Return the least ground size in metres, along columns and along rows, of the cells of a region.

        At native resolution, or read at ``size``. What a margin in metres must be divided by; see :func:`reachable`.
        """
        size = size or (region.width, region.height)
        east, north = ground_units(self.grid.window(region).resampled(*size), self.grid)
        a, b, _, d, e, _ = self.grid.window(region).resampled(*size).transform
        across, down = reachable(np.hypot(a * east, d * north), np.hypot(b * east, e * north))
        return float(across.min()), float(down.min())

    def around(
        self,
        window: Window,
        size: tuple[int, int],
        margin: tuple[int, int],
        progress: Progress | None = None,
        *,
        within: Window | None = None,
    ) -> Piece:
        """Return a window at ``size`` with ``margin`` (columns, rows) more of its own cells, as far as there are.

        They reach as far as the raster, or as the window ``within`` where that is given.
        """
        limits = within or Window(0, 0, self.grid.width, self.grid.height)
        steps = window.width / size[0], window.height / size[1]
        cols = _widened(window.col - limits.col, window.width, limits.width, margin[0], steps[0])
        rows = _widened(window.row - limits.row, window.height, limits.height, margin[1], steps[1])
        wide = Window(limits.col + cols.start, limits.row + rows.start, cols.length, rows.length)
        read = self.read(wide, (cols.before + size[0] + cols.after, rows.before + size[1] + rows.after), progress)
        inner = slice(rows.before, rows.before + size[1]), slice(cols.before, cols.before + size[0])
        return Piece(read, inner, window)

    def pieces(
        self,
        region: Window,
        side: int,
        margin: tuple[int, int],
        progress: Progress | None = None,
        *,
        within: Window | None = None,
    ) -> Iterator[Piece]:
        """Yield the windows of at most ``side`` pixels that make up a region, at native resolution.

        Their margins are those of :meth:`around`, so that all windows agree.
        """
        progress = progress or NullProgress()
        for row in range(region.row, region.row + region.height, side):
            height = min(side, region.row + region.height - row)
            for col in range(region.col, region.col + region.width, side):
                check(progress)
                width = min(side, region.col + region.width - col)
                yield self.around(Window(col, row, width, height), (width, height), margin, progress, within=within)
            progress.report((row + height - region.row) / region.height)


class _Voided:
    """A source whose undeclared voids are not valid; averages are made here, after they have been left out."""

    already_rgb = False

    def __init__(self, source: RasterSource, nodata: tuple[float, ...]) -> None:
        self._source = source
        self._nodata = nodata
        self.uri, self.grid = source.uri, source.grid
        self.bands: tuple[BandInfo, ...] = source.bands

    def read(
        self, window: Window, size: tuple[int, int], bands: tuple[int, ...], progress: Progress | None = None
    ) -> RasterChip:
        rows = max(1, _STRIP_PX // window.width * size[1] // window.height)
        found: list[tuple[NDArray[np.float64], NDArray[np.bool_]]] = []
        names: tuple[str, ...] = ()
        for top in range(0, size[1], rows):
            bottom = min(top + rows, size[1])
            first, last = (edge * window.height // size[1] for edge in (top, bottom))
            strip = Window(window.col, window.row + first, window.width, last - first)
            chip = self._source.read(strip, (strip.width, strip.height), bands, progress)
            data = chip.data.astype(np.float64)
            usable = chip.valid & ~np.isin(chip.data[0], self._nodata)
            found.append(average(data, usable, (size[0], bottom - top)))
            names = chip.band_names
        values, valid = (np.concatenate([part[index] for part in found], axis=-2) for index in (0, 1))
        return RasterChip(values, valid, self.grid.window(window).resampled(*size), names, self.uri)

    def close(self) -> None:
        """Do nothing: the source belongs to somebody else."""


@dataclass(frozen=True)
class _Widened:
    """One axis of a window with a margin."""

    start: int
    length: int
    before: int
    after: int


def _widened(start: int, length: int, whole: int, margin: int, step: float) -> _Widened:
    """Return a window's axis with up to ``margin`` cells of ``step`` native pixels more, kept inside ``whole``."""
    before = min(margin, int(start / step + 1e-9))
    after = min(margin, int((whole - start - length) / step + 1e-9))
    first, last = start - round(before * step), start + length + round(after * step)
    return _Widened(first, last - first, before, after)
