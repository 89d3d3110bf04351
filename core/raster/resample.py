"""Averaging pixels down to a smaller size, for sources whose pixels are already in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def average(
    data: NDArray[Any], valid: NDArray[np.bool_], size: tuple[int, int]
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return data (B, h, w) and validity (h, w) at ``size`` (width, height), smaller than or equal to what is given.

    Each new pixel is the mean of the usable pixels under it, weighted by the area that it covers of each, and is usable
    as soon as one of them is. Whole-number types are rounded.

    Parameters
    ----------
    data : ndarray
        (B, H, W), real numbers.
    valid : ndarray of bool
        (H, W), True where a pixel counts.
    size : tuple of int
        (width, height) of the result.

    Examples
    --------
    >>> means, usable = average(np.array([[[1, 3, 5, 9]]]), np.array([[True, True, True, False]]), (2, 1))
    >>> means.tolist(), usable.tolist()
    ([[[2, 5]]], [[True, True]])
    """
    if (data.shape[2], data.shape[1]) == size:
        return data, valid
    kind = np.float64 if data.dtype.itemsize > 2 else np.float32
    across = _overlaps(data.shape[2], size[0]).astype(kind)
    down = _overlaps(data.shape[1], size[1]).astype(kind)
    weight = down @ valid.astype(kind) @ across.T
    usable = weight > 0.0
    summed = down @ np.where(valid, data, 0).astype(kind) @ across.T
    means = summed / np.where(usable, weight, 1.0)
    if data.dtype.kind != "f":
        means = np.rint(means)
    return means.astype(data.dtype), usable


def nearest(
    data: NDArray[Any], valid: NDArray[np.bool_], size: tuple[int, int]
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return data (B, h, w) and validity (h, w) at ``size`` (width, height): the pixel under each new middle."""
    cols = ((np.arange(size[0]) + 0.5) * data.shape[2] / size[0]).astype(np.intp)
    rows = ((np.arange(size[1]) + 0.5) * data.shape[1] / size[1]).astype(np.intp)
    return data[:, rows[:, None], cols], valid[rows[:, None], cols]


def _overlaps(fine: int, coarse: int) -> NDArray[np.float64]:
    """Return how much of each of ``fine`` pixels lies under each of ``coarse`` ones on one line, (coarse, fine)."""
    ends = np.arange(1, coarse + 1)[:, None] * (fine / coarse)
    starts = np.arange(coarse)[:, None] * (fine / coarse)
    pixels = np.arange(fine)[None, :]
    overlaps: NDArray[np.float64] = np.clip(np.minimum(ends, pixels + 1.0) - np.maximum(starts, pixels), 0.0, 1.0)
    # What rounding leaves of a pixel that only touches must not make it count.
    overlaps[overlaps < 1e-9] = 0.0
    return overlaps
