"""Which of several findings of the same object stays: the one with the highest score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..raster.grid import Window
from .finding import FoundBox, FoundMask

T = TypeVar("T", FoundBox, FoundMask)
MOST_SHARED = 0.5
"""Two findings whose IoU is greater are the same object."""


def best_boxes(boxes: Sequence[FoundBox]) -> list[FoundBox]:
    """Return the boxes without those that share too much with a better one of the same label, the best first."""
    kept: list[FoundBox] = []
    for some in _by_label(boxes):
        corners = np.array([box.box for box in some], np.float64)
        alive = np.ones(len(some), np.bool_)
        for index, box in enumerate(some):
            if alive[index]:
                kept.append(box)
                # What is worse than this one and shares too much with it can't stay, whatever comes later.
                alive[index + 1 :] &= _iou(corners[index], corners[index + 1 :]) <= MOST_SHARED
    return kept


def best_masks(masks: Sequence[FoundMask]) -> list[FoundMask]:
    """Return the masks without those that share too much with a better one of the same label, the best first.

    The same mask of another label stays: which label it is better for is decided by whoever has all of them.
    """
    kept: list[FoundMask] = []
    for some in _by_label(masks):
        corners = np.array([_corners(mask.window) for mask in some], np.float64)
        areas = np.array([np.count_nonzero(mask.mask) for mask in some])
        alive = np.ones(len(some), np.bool_)
        for index, mask in enumerate(some):
            if not alive[index]:
                continue
            kept.append(mask)
            # Pixels are counted only for those whose windows meet.
            meet = np.flatnonzero(alive[index + 1 :] & (_shared(corners[index], corners[index + 1 :]) > 0)) + index + 1
            for other in meet:
                common = _common(mask, some[other])
                if common > MOST_SHARED * (areas[index] + areas[other] - common):
                    alive[other] = False
    return kept


def clip(window: Window, mask: NDArray[np.bool_], within: Window) -> NDArray[np.bool_]:
    """Return a mask of ``window`` as one of ``within`` (within.height, within.width); what lies outside is left out."""
    cut = np.zeros((within.height, within.width), np.bool_)
    left, top = max(window.col, within.col), max(window.row, within.row)
    right = min(window.col + window.width, within.col + within.width)
    bottom = min(window.row + window.height, within.row + within.height)
    if right > left and bottom > top:
        source = mask[top - window.row : bottom - window.row, left - window.col : right - window.col]
        cut[top - within.row : bottom - within.row, left - within.col : right - within.col] = source
    return cut


def _common(one: FoundMask, other: FoundMask) -> int:
    """Return how many pixels two masks share."""
    left, top = max(one.window.col, other.window.col), max(one.window.row, other.window.row)
    right = min(one.window.col + one.window.width, other.window.col + other.window.width)
    bottom = min(one.window.row + one.window.height, other.window.row + other.window.height)
    if right <= left or bottom <= top:
        return 0
    both = Window(left, top, right - left, bottom - top)
    return int(np.count_nonzero(clip(one.window, one.mask, both) & clip(other.window, other.mask, both)))


def _by_label(findings: Sequence[T]) -> list[list[T]]:
    """Return the findings of each label, the best first; of equal ones, the first given."""
    labels: dict[str, list[T]] = {}
    for finding in findings:
        labels.setdefault(finding.label, []).append(finding)
    return [sorted(some, key=lambda finding: -_known(finding.score)) for some in labels.values()]


def _known(score: float) -> float:
    return 0.0 if math.isnan(score) else score


def _corners(window: Window) -> tuple[int, int, int, int]:
    return window.col, window.row, window.col + window.width, window.row + window.height


def _shared(box: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the area that a box (4,) shares with each of others (N, 4)."""
    size = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared: NDArray[np.float64] = np.maximum(size, 0.0).prod(axis=1)
    return shared


def _iou(box: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    shared = _shared(box, others)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1)
    iou: NDArray[np.float64] = shared / np.maximum((box[2:] - box[:2]).prod() + areas - shared, 1e-9)
    return iou
