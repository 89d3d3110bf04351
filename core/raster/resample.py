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


def average_over(
    data: NDArray[Any], valid: NDArray[np.bool_], box: tuple[float, float, float, float], size: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the float64 means (B, h, w) and validity (h, w) of a part of data that need not begin at a pixel's edge.

    Weighted like :func:`average`, in time that grows with the number of pixels only.

    Parameters
    ----------
    data : ndarray
        (B, H, W), real numbers.
    valid : ndarray of bool
        (H, W), True where a pixel counts.
    box : tuple of float
        (left, top, right, bottom) in continuous pixels of ``data``, inside it.
    size : tuple of int
        (width, height) of the result.

    Examples
    --------
    >>> means, usable = average_over(np.array([[[1, 3, 5, 9]]]), np.ones((1, 4), bool), (0.5, 0, 3.5, 1), (2, 1))
    >>> means.round(3).tolist()
    [[[2.333, 6.333]]]
    """
    left, top, right, bottom = box
    level = np.array([band[valid].mean() if valid.any() else 0.0 for band in data.astype(np.float64)])
    # Sums of numbers near 0 keep more digits.
    centred = np.where(valid, data - level[:, None, None], 0.0)
    planes = np.concatenate([centred, valid[None].astype(np.float64)])
    planes = _means(_means(planes, left, right, size[0]).swapaxes(1, 2), top, bottom, size[1]).swapaxes(1, 2)
    share = planes[-1]
    usable = share > 1e-9
    return planes[:-1] / np.where(usable, share, 1.0) + level[:, None, None], usable


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


def _means(values: NDArray[np.float64], start: float, stop: float, count: int) -> NDArray[np.float64]:
    """Return the means of ``count`` equal parts of [start, stop] along the last axis, from running sums."""
    sums = np.concatenate([np.zeros((*values.shape[:-1], 1)), np.cumsum(values, axis=-1)], axis=-1)
    edges = np.clip(np.linspace(start, stop, count + 1), 0.0, values.shape[-1])
    whole = np.minimum(edges.astype(np.intp), values.shape[-1] - 1)
    upto = sums[..., whole] + (edges - whole) * values[..., whole]
    means: NDArray[np.float64] = np.diff(upto, axis=-1) * (count / (stop - start))
    return means
