"""From the working pixels of a chip to a mask in the pixels of the picture."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..models.finding import FoundMask
from ..models.model import FloatArray
from ..raster.grid import Window
from .cells import WorkingGrid


def placed(
    logits: FloatArray, corner: tuple[int, int], grid: WorkingGrid, valid: NDArray[np.bool_]
) -> FoundMask | None:
    """Return what is above zero of a chip as a mask in picture pixels, without unusable ones; None if that is nothing.

    Parameters
    ----------
    logits : ndarray (h, w)
        In working pixels.
    corner : tuple of int
        Where they begin, in working pixels of the raster (x, y).
    grid : WorkingGrid
        The picture's.
    valid : ndarray of bool (H, W)
        The picture's usable pixels.
    """
    inside = logits > 0
    rows, cols = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not rows.size:
        return None
    crop = logits[max(rows[0] - 1, 0) : rows[-1] + 2, max(cols[0] - 1, 0) : cols[-1] + 2]
    left, top = corner[0] + max(int(cols[0]) - 1, 0), corner[1] + max(int(rows[0]) - 1, 0)
    across = _span(left, crop.shape[1], grid.factor, grid.origin[0], valid.shape[1])
    down = _span(top, crop.shape[0], grid.factor, grid.origin[1], valid.shape[0])
    if across.size == 0 or down.size == 0:
        return None
    drawn = _blended(
        _blended(crop, (down + 0.5 + grid.origin[1]) / grid.factor - top - 0.5, 0),
        (across + 0.5 + grid.origin[0]) / grid.factor - left - 0.5,
        1,
    )
    mask = (drawn > 0) & valid[down[0] : down[-1] + 1, across[0] : across[-1] + 1]
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    kept = np.ascontiguousarray(mask[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1])
    window = Window(int(across[0] + cols[0]), int(down[0] + rows[0]), kept.shape[1], kept.shape[0])
    return FoundMask(window, kept, score=math.nan)


def _span(start: int, count: int, factor: float, origin: float, limit: int) -> NDArray[np.int64]:
    """Return the picture pixels under working pixels along an axis."""
    first = max(0, math.floor(start * factor - origin))
    last = min(limit, math.ceil((start + count) * factor - origin))
    return np.arange(first, max(first, last))


def _blended(values: FloatArray, places: NDArray[np.float64], axis: int) -> FloatArray:
    """Return values at continuous indices along an axis, held at the ends."""
    low = np.clip(np.floor(places).astype(int), 0, values.shape[axis] - 1)
    high = np.minimum(low + 1, values.shape[axis] - 1)
    share = np.clip(places - low, 0.0, 1.0).astype(np.float32).reshape((-1, 1) if axis == 0 else (1, -1))
    return np.asarray(values.take(low, axis) * (1 - share) + values.take(high, axis) * share, np.float32)
