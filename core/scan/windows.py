"""The windows that a scan walks through: overlapping, row by row, on one lattice of the pixels that are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import SettingsError
from ..outlines.runs import Box
from ..raster.grid import Bounds, PixelGrid, Window
from ..window import View, over

ALIGN_PX = 32
"""Windows begin at multiples of this many pixels that are read, so that encoders with a stride see the same cells
whatever window they are in."""
MOST_WINDOW_PX = 4096
LEAST_OVERLAP_PX = 8
_NO_LIMIT = 2**62
_Span = tuple[int, int]
"""(first, past the last) pixel that is read, along one axis."""
_Field = tuple[_Span, _Span]
"""What a window shows along one axis, and what of it is its own."""


@dataclass(frozen=True)
class ScanWindow:
    """One of the windows."""

    index: int
    """Its number, from 0, row by row."""
    view: View
    """What is read."""
    box: Box
    """Where it lies on the lattice."""
    home: Box
    """The pixels that are its own: no two windows share one, and together they are the extent. Without context those
    that lie farther from its edges than from any other window's."""
    ahead: tuple[int | None, int | None]
    """(column, row) where later windows begin: those of its own row, and those of later rows; None for no more."""
    home_view: View | None = None
    """What is read to have its home alone, if what it shows is put together from homes; None if it is read whole."""

    @property
    def own(self) -> Window:
        """Its home, in its own pixels."""
        (left, top, _, _), (first, upper, last, lower) = self.box, self.home
        return Window(first - left, upper - top, last - first, lower - upper)

    def is_ahead(self, box: Box) -> bool:
        """Return True if a later window may see something of the box, which this window or an earlier one has seen."""
        col, row = self.ahead
        return (row is not None and box[3] > row) or (col is not None and box[2] > col and box[3] > self.box[1])

    def cuts(self, box: Box, size: tuple[int, int], reach_px: int) -> bool:
        """Return True if what has this box lies within ``reach_px`` of a side that is not one of the extent's own."""
        left, top, right, bottom = self.box
        return (
            (left > 0 and box[0] < left + reach_px)
            or (top > 0 and box[1] < top + reach_px)
            or (right < size[0] and box[2] > right - reach_px)
            or (bottom < size[1] and box[3] > bottom - reach_px)
        )

    def room(self, box: Box, size: tuple[int, int]) -> int:
        """Return how many pixels a box keeps from the nearest side that is not one of the extent's own."""
        left, top, right, bottom = self.box
        gaps = [sum(size)]
        gaps += [box[0] - left] if left > 0 else []
        gaps += [box[1] - top] if top > 0 else []
        gaps += [right - box[2]] if right < size[0] else []
        gaps += [bottom - box[3]] if bottom < size[1] else []
        return min(gaps)


@dataclass(frozen=True)
class ScanLattice:
    """All windows of an extent."""

    grid: PixelGrid
    """The pixels that are read, of the whole extent."""
    windows: tuple[ScanWindow, ...]
    """Row by row."""
    window_px: int
    """Side of a window; with context that of what is its own."""
    overlap_px: int
    """What neighbouring windows share, at least."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the lattice."""
        return self.grid.width, self.grid.height


def lattice_over(
    raster: PixelGrid,
    bounds: Bounds | None,
    window_px: int,
    overlap_px: int,
    *,
    context_px: int = 0,
    resolution: float | None = None,
) -> ScanLattice:
    """Return the windows over map bounds, checked before anything is read.

    Parameters
    ----------
    raster : PixelGrid
        The whole raster.
    bounds : tuple of float or None
        (left, bottom, right, top) in the raster's CRS; None for the whole raster.
    window_px : int
        Side of a window in pixels that are read. An extent that is no larger is one window.
    overlap_px : int
        What neighbouring windows share; from 8 pixels to half a window.
    context_px : int
        If there is any, windows are the squares of a lattice of the whole raster, and this much is read around each;
        ``overlap_px`` has no say then.
    resolution : float, optional
        CRS units per pixel; native where it is finer or not given.

    Raises
    ------
    OutsideExtentError
        If the bounds don't meet the raster.
    SettingsError
        If the bounds are empty, or the window or the resolution makes no sense.

    Notes
    -----
    All windows read the same pixels, so what they find can be compared pixel by pixel: where the resolution is coarser
    than native, the native pixels of one that is read are rounded to a fraction such that every window begins at a
    native pixel (by at most 1.6 %). Only in the last row and column, where the extent ends within a pixel, the window's
    pixels are stretched: by less than a pixel at the far side.
    """
    if not 2 * LEAST_OVERLAP_PX <= window_px <= MOST_WINDOW_PX:
        raise SettingsError(
            f"Windows of {window_px} pixels make no sense.",
            hint=f"Give a side from {2 * LEAST_OVERLAP_PX} to {MOST_WINDOW_PX}, or leave it out.",
        )
    finest = min(raster.resolution) if resolution is None else resolution
    whole = over(raster, raster.bounds if bounds is None else bounds, window_px, _NO_LIMIT, resolution=finest)
    overlap = 2 * context_px if context_px else min(max(overlap_px, LEAST_OVERLAP_PX), window_px // 2)
    if max(whole.size) <= window_px:
        box = (0, 0, *whole.size)
        alone = ScanWindow(0, whole, box, box, (None, None))
        return ScanLattice(whole.grid(raster), (alone,), window_px, overlap)
    # The largest power of two, so that what is whole for one step is so for every multiple.
    step = window_px if context_px else window_px - overlap
    align = min(ALIGN_PX, 1 << (((step + 1) // 2).bit_length() - 1))
    cols = _Axis.of(whole.window.col, whole.window.width, whole.size[0], align)
    rows = _Axis.of(whole.window.row, whole.window.height, whole.size[1], align)
    a, b, c, d, e, f = raster.window(whole.window).transform
    over_x, over_y = cols.native / align, rows.native / align
    grid = PixelGrid((a * over_x, b * over_y, c, d * over_x, e * over_y, f), raster.crs, cols.size, rows.size)
    if context_px:
        across, down = (axis.fields(window_px, context_px) for axis in (cols, rows))
    else:
        across, down = (_with_homes(axis.spans(window_px, overlap), axis.size) for axis in (cols, rows))
    windows = _windows(cols, rows, across, down, by_homes=context_px > 0)
    return ScanLattice(grid, tuple(windows), window_px, overlap)


@dataclass(frozen=True)
class _Axis:
    """Columns or rows of the lattice."""

    first: int
    """First native pixel."""
    extent: int
    """Native pixels."""
    native: int
    """Native pixels to ``align`` pixels that are read."""
    align: int
    size: int
    """Pixels that are read."""

    @classmethod
    def of(cls, first: int, extent: int, size: int, align: int) -> _Axis:
        # Never finer than native: one native pixel to each that is read at the least.
        native = max(align, round(extent / size * align))
        count, rest = divmod(extent * align, native)
        # Rounded down where the last window could have fewer native pixels than it is read at.
        up = 2 * rest >= native and 4 * native >= 5 * align
        return cls(first, extent, native, align, max(1, count + int(up)))

    def spans(self, window_px: int, overlap_px: int) -> list[_Span]:
        """Return (first, past the last) of the windows along it, in pixels that are read."""
        if self.size <= window_px:
            return [(0, self.size)]
        side = window_px if self.native == self.align else window_px - window_px % self.align
        step = (side - overlap_px) // self.align * self.align
        # The last one is moved back, so that it has the others' size and not what is left over.
        last = -(-(self.size - side) // self.align) * self.align
        return [(start, min(start + side, self.size)) for start in [*range(0, last, step), last]]

    def fields(self, window_px: int, context_px: int) -> list[_Field]:
        """Return the windows of the raster's lattice along it, with at least this much around what is their own.

        Of pixels that are coarser than native the lattice is kept to within half of what windows are aligned to.
        """
        start = round(self.first * self.align / self.native)
        inner: Sequence[int] = range(window_px - start % window_px, self.size, window_px)
        if self.native != self.align:
            # where native pixels begin
            inner = [round(cut / self.align) * self.align for cut in inner]
        # what is hardly wider than a line goes to its neighbour: each window is read with much around it
        cuts = [0, *(cut for cut in inner if self.align <= cut <= self.size - self.align), self.size]
        seen = []
        for low, high in zip(cuts, cuts[1:]):
            first = max(0, (low - context_px) // self.align * self.align)
            last = min(self.size, -(-(high + context_px) // self.align) * self.align)
            seen.append(((first, last), (low, high)))
        return seen

    def read(self, span: _Span) -> tuple[int, int]:
        """Return (first, count) of the native pixels of a span."""
        start = span[0] * self.native // self.align
        stop = self.extent if span[1] == self.size else span[1] * self.native // self.align
        return self.first + start, stop - start


def _windows(cols: _Axis, rows: _Axis, across: list[_Field], down: list[_Field], *, by_homes: bool) -> list[ScanWindow]:
    windows: list[ScanWindow] = []
    for j, (row_span, home_rows) in enumerate(down):
        for i, (col_span, home_cols) in enumerate(across):
            windows.append(
                ScanWindow(
                    index=len(windows),
                    view=_view(cols, rows, col_span, row_span),
                    box=(col_span[0], row_span[0], col_span[1], row_span[1]),
                    home=(home_cols[0], home_rows[0], home_cols[1], home_rows[1]),
                    ahead=(
                        across[i + 1][0][0] if i + 1 < len(across) else None,
                        down[j + 1][0][0] if j + 1 < len(down) else None,
                    ),
                    home_view=_view(cols, rows, home_cols, home_rows) if by_homes else None,
                )
            )
    return windows


def _view(cols: _Axis, rows: _Axis, across: _Span, down: _Span) -> View:
    """Return what is read for a span of columns and one of rows."""
    (col, width), (row, height) = cols.read(across), rows.read(down)
    return View(Window(col, row, width, height), (across[1] - across[0], down[1] - down[0]))


def _with_homes(spans: list[_Span], size: int) -> list[_Field]:
    """Return each span with the part of it that ends in the middle of what it shares with its neighbours."""
    seams = [(left[1] + right[0]) // 2 for left, right in zip(spans, spans[1:])]
    return list(zip(spans, zip([0, *seams], [*seams, size])))
