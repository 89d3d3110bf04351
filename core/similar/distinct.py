"""One outline for each object: of those that overlap, the most similar one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..models.finding import FoundMask

_WITHIN = 0.8
"""An outline that lies in a more similar one by this share is a part of it."""


def distinct(found: Sequence[FoundMask], most_iou: float) -> list[FoundMask]:
    """Return the objects without those that repeat a more similar one, the most similar first.

    Parameters
    ----------
    found : sequence of FoundMask
        In any order; the result depends on it only among equals.
    most_iou : float
        Two objects may overlap by at most this, and by less than most of the smaller one.
    """
    order = sorted(found, key=lambda one: (-one.similarity, -one.score, one.window.row, one.window.col))
    kept: list[FoundMask] = []
    areas: list[int] = []
    boxes = np.zeros((len(order), 4))
    for one in order:
        window = one.window
        box = np.array([window.col, window.row, window.col + window.width, window.row + window.height])
        area = int(np.count_nonzero(one.mask))
        earlier = boxes[: len(kept)]
        meets = (earlier[:, :2] < box[2:]).all(axis=1) & (earlier[:, 2:] > box[:2]).all(axis=1)
        for index in np.flatnonzero(meets).tolist():
            common = overlap_px(one, kept[index])
            smaller, union = min(area, areas[index]), area + areas[index] - common
            if common > most_iou * union or common >= _WITHIN * smaller:
                break
        else:
            boxes[len(kept)] = box
            kept.append(one)
            areas.append(area)
    return kept


def overlap_px(one: FoundMask, other: FoundMask) -> int:
    """Return how many pixels two masks share."""
    a, b = one.window, other.window
    left, right = max(a.col, b.col), min(a.col + a.width, b.col + b.width)
    top, bottom = max(a.row, b.row), min(a.row + a.height, b.row + b.height)
    if left >= right or top >= bottom:
        return 0
    first = one.mask[top - a.row : bottom - a.row, left - a.col : right - a.col]
    second = other.mask[top - b.row : bottom - b.row, left - b.col : right - b.col]
    return int(np.count_nonzero(first & second))
