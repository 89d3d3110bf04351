"""Which of many overlapping masks stay: box and mask suppression on crops, without a picture-sized array for each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..models.finding import FoundMask

Boxes = NDArray[np.float64]


def box_iou(box: Boxes, others: Boxes) -> NDArray[np.float64]:
    """Return the IoU of a box (4,) with each of the others (N, 4), (N,); boxes are (left, top, right, bottom)."""
    low, high = np.maximum(others[:, :2], box[:2]), np.minimum(others[:, 2:], box[2:])
    shared = np.clip(high - low, 0.0, None).prod(axis=1)
    sizes = (others[:, 2:] - others[:, :2]).prod(axis=1) + (box[2:] - box[:2]).prod()
    iou: NDArray[np.float64] = shared / np.maximum(sizes - shared, 1e-12)
    return iou


def suppressed_boxes(boxes: Boxes, rank: Sequence[float], limit: float) -> list[int]:
    """Return which boxes (N, 4) stay, the highest rank first, where none meets a higher one in more than ``limit`` IoU.

    Examples
    --------
    >>> boxes = np.array([(0, 0, 10, 10), (0, 0, 10, 9), (20, 0, 30, 10)], dtype=float)
    >>> suppressed_boxes(boxes, [0.8, 0.9, 0.5], 0.7)
    [1, 2]
    """
    left = np.argsort(-np.asarray(rank, dtype=np.float64), kind="stable")
    kept: list[int] = []
    while left.size:
        first, left = int(left[0]), left[1:]
        kept.append(first)
        left = left[box_iou(boxes[first], boxes[left]) <= limit]
    return kept


def shared_px(one: FoundMask, other: FoundMask) -> int:
    """Return how many pixels two masks of one picture share."""
    a, b = one.window, other.window
    left, top = max(a.col, b.col), max(a.row, b.row)
    right, bottom = min(a.col + a.width, b.col + b.width), min(a.row + a.height, b.row + b.height)
    if left >= right or top >= bottom:
        return 0
    first = one.mask[top - a.row : bottom - a.row, left - a.col : right - a.col]
    second = other.mask[top - b.row : bottom - b.row, left - b.col : right - b.col]
    return int(np.count_nonzero(first & second))


def mask_iou(one: FoundMask, other: FoundMask) -> float:
    """Return the IoU of two masks of one picture."""
    shared = shared_px(one, other)
    return shared / (int(np.count_nonzero(one.mask)) + int(np.count_nonzero(other.mask)) - shared)


def distinct(
    found: Sequence[FoundMask], rank: Sequence[float], size: tuple[int, ...], *, same: float, covered: float
) -> list[int]:
    """Return which masks of a picture are its objects, those of the highest rank first.

    A mask is another view of a higher one if their IoU is above ``same``; it is a part, or a group, of higher ones if
    more than ``covered`` of its own pixels belong to them. Both are dropped. What lies in the hole of another, or ranks
    above what surrounds it, stays, and overlaps it: nested objects are the caller's to resolve.

    Parameters
    ----------
    found : sequence of FoundMask
        Of one picture.
    rank : sequence of float
        How much is thought of each, e.g. its score; NaN comes last.
    size : tuple of int
        (H, W) of the picture.
    same, covered : float
        Shares, 0 to 1.
    """
    kept: list[int] = []
    taken = np.zeros(size, dtype=np.bool_)
    for index in np.argsort(-np.nan_to_num(np.asarray(rank, dtype=np.float64), nan=-np.inf), kind="stable").tolist():
        mask = found[index]
        under = taken[mask.window.slices]
        area = int(np.count_nonzero(mask.mask))
        shared = int(np.count_nonzero(under & mask.mask))
        if shared > covered * area:
            continue
        # most masks meet nothing that ranks higher
        if shared and any(mask_iou(mask, found[other]) > same for other in kept):
            continue
        under |= mask.mask
        kept.append(index)
    return kept
