"""The surface through the cells of an elevation grid: its first and second derivatives along east and north."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .elevation import ElevationGrid

Float32Array = NDArray[np.float32]
FloatArray = NDArray[np.float64]
_STRIP = 256


@dataclass(frozen=True)
class Surface:
    """First and second derivatives of some rows of a surface along east and north, (h, W) each."""

    east: FloatArray
    """dz/dx, metres per metre."""
    north: FloatArray
    """dz/dy, metres per metre."""
    east_east: FloatArray
    """d2z/dx2, 1/m."""
    east_north: FloatArray
    """d2z/dxdy, 1/m."""
    north_north: FloatArray
    """d2z/dy2, 1/m."""


def gradient(elevation: ElevationGrid) -> tuple[Float32Array, Float32Array]:
    """Return the rise towards east and towards north, metres per metre, float32 (H, W) each; NaN where unknown.

    Horn's third-order finite differences. Where some of the nine cells are void or beyond the edge, each row (column)
    of three contributes its one-sided difference, or nothing, and the weights are normalised: exact on a plane.

    References
    ----------
    Horn, B. K. P. (1981). Hill shading and the reflectance map. Proceedings of the IEEE 69(1), 14-47.
    https://doi.org/10.1109/PROC.1981.11918
    """
    east, north = (np.empty(elevation.metres.shape, dtype=np.float32) for _ in range(2))
    for rows, cells in strips(elevation):
        along_cols = _horn(cells)
        along_rows = _horn(cells.swapaxes(0, 1)).swapaxes(0, 1)
        a, b, c, d = _to_ground(elevation, rows)
        east[rows] = a * along_cols + b * along_rows
        north[rows] = c * along_cols + d * along_rows
    return east, north


def strips(elevation: ElevationGrid) -> Iterator[tuple[slice, FloatArray]]:
    """Yield some rows at a time, with their cells in float64 and one cell more on each side (NaN beyond the edge)."""
    height, width = elevation.metres.shape
    for top in range(0, height, _STRIP):
        bottom = min(top + _STRIP, height)
        first, last = max(top - 1, 0), min(bottom + 1, height)
        cells = np.full((bottom - top + 2, width + 2), np.nan)
        inner = cells[first - top + 1 : last - top + 1, 1:-1]
        inner[:] = elevation.metres[first:last]
        inner[~elevation.valid[first:last]] = np.nan
        yield slice(top, bottom), cells


def _horn(cells: FloatArray) -> FloatArray:
    """Return the rise for one step along axis 1, (h, w), of cells (h + 2, w + 2)."""
    left, middle, right = cells[:, :-2], cells[:, 1:-1], cells[:, 2:]
    rise = right - left
    missing = np.isnan(rise)
    if not missing.any():
        even: FloatArray = (rise[:-2] + 2.0 * rise[1:-1] + rise[2:]) / 8.0
        return even
    forward, backward = 2.0 * (right - middle), 2.0 * (middle - left)
    rise = np.where(missing, np.where(np.isnan(forward), backward, forward), rise)
    known = np.isfinite(rise)
    rise[~known] = 0.0
    weight = known[:-2] + 2.0 * known[1:-1] + known[2:]
    total = rise[:-2] + 2.0 * rise[1:-1] + rise[2:]
    usable = (weight > 0.0) & np.isfinite(middle[1:-1])
    return np.where(usable, total / np.where(weight > 0.0, 2.0 * weight, 1.0), np.nan)


def second_order(elevation: ElevationGrid, rows: slice, cells: FloatArray) -> Surface:
    """Return the derivatives of the surface through the nine cells around each cell (Zevenbergen and Thorne 1987)."""
    middle = cells[1:-1, 1:-1]
    left, right, above, below = cells[1:-1, :-2], cells[1:-1, 2:], cells[:-2, 1:-1], cells[2:, 1:-1]
    col: FloatArray = (right - left) / 2.0
    row: FloatArray = (below - above) / 2.0
    col_col, row_row = left + right - 2.0 * middle, above + below - 2.0 * middle
    col_row = (cells[2:, 2:] - cells[2:, :-2] - cells[:-2, 2:] + cells[:-2, :-2]) / 4.0
    a, b, c, d = _to_ground(elevation, rows)
    return Surface(
        east=a * col + b * row,
        north=c * col + d * row,
        east_east=a * a * col_col + 2.0 * a * b * col_row + b * b * row_row,
        east_north=a * c * col_col + (a * d + b * c) * col_row + b * d * row_row,
        north_north=c * c * col_col + 2.0 * c * d * col_row + d * d * row_row,
    )


def _to_ground(elevation: ElevationGrid, rows: slice) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return (a, b, c, d), (h, 1) each: d/deast = a d/dcol + b d/drow, d/dnorth = c d/dcol + d d/drow."""
    columns, lines = (steps[rows].T[:, :, None] for steps in elevation.steps_m())
    col_east, col_north, row_east, row_north = columns[0], columns[1], lines[0], lines[1]
    determinant = col_east * row_north - col_north * row_east
    return row_north / determinant, -col_north / determinant, -row_east / determinant, col_east / determinant
