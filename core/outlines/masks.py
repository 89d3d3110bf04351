"""From a model's masks to the one mask that is meant: candidate choice, connected parts.

Masks are bool arrays (H, W). Parts are 4-connected: pixels that only share a corner belong to different parts, which is
what makes every part one valid polygon.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
_FEW_RUNS = 8192


class PartRule(Enum):
    """Which connected parts of a mask make up the object."""

    LARGEST = "largest"
    """The largest part alone."""
    WITH_INCLUDE = "with_include"
    """Every part that holds an include point; the largest part if none does (a box alone, a near miss)."""
    ALL = "all"
    """Every part."""


def choose_candidate(scores: ArrayLike, inside_include: ArrayLike, inside_exclude: ArrayLike) -> int:
    """Return the index of the candidate that satisfies most prompts, and among those the one with the highest score.

    Parameters
    ----------
    scores : array_like (K,)
        Predicted IoU of each candidate; NaN counts as the lowest.
    inside_include : array_like of bool (K, n)
        Whether each include point lies in each candidate's mask. n may be 0.
    inside_exclude : array_like of bool (K, m)
        The same for exclude points. m may be 0.

    Notes
    -----
    An include point inside, and an exclude point outside, is one satisfied prompt. Ties go to the first candidate.

    Examples
    --------
    >>> choose_candidate([0.9, 0.8], [[True], [True]], [[True], [False]])
    1
    """
    score = np.asarray(scores, dtype=np.float64).reshape(-1)
    if not score.size:
        raise ValueError("choose_candidate: expected at least one candidate, got none")
    count = len(score)
    satisfied = np.zeros(count, dtype=np.int64)
    satisfied += _per_candidate(inside_include, count).sum(axis=1)
    satisfied += (~_per_candidate(inside_exclude, count)).sum(axis=1)
    ranked = np.where(satisfied == satisfied.max(), np.nan_to_num(score, nan=-np.inf), -np.inf)
    best = np.flatnonzero((satisfied == satisfied.max()) & (ranked == ranked.max()))
    return int(best[0])


def select_parts(mask: BoolArray, rule: PartRule, include: ArrayLike = ()) -> BoolArray:
    """Return the mask (H, W) of those connected parts that ``rule`` keeps; the input is not changed.

    Parameters
    ----------
    mask : ndarray of bool (H, W)
        May be empty of True pixels: then so is the result.
    rule : PartRule
        Which parts to keep.
    include : array_like (N, 2)
        Include points in continuous pixels (col, row), used by ``PartRule.WITH_INCLUDE``. A point lies in the pixel
        that holds it; one outside the mask's frame lies in no part.
    """
    if rule is PartRule.ALL:
        return mask.copy()
    parts = find_parts(mask)
    if parts.count <= 1:
        return mask.copy()
    wanted: IntArray = np.empty(0, dtype=np.int64)
    if rule is PartRule.WITH_INCLUDE:
        wanted = parts.holding(include)
    if not wanted.size:
        wanted = np.array([int(parts.areas_px.argmax())])
    return parts.mask(wanted)


@dataclass(frozen=True)
class Parts:
    """The 4-connected parts of a mask, held as horizontal runs of pixels."""

    shape: tuple[int, int]
    """(H, W) of the mask."""
    starts: IntArray
    """(R,) first pixel of each run, as an index into rows of W + 1 pixels; ascending."""
    stops: IntArray
    """(R,) one past the last pixel of each run, in the same indexing."""
    part: IntArray
    """(R,) number of the part that each run belongs to, 0 to count - 1, in order of first appearance."""
    areas_px: IntArray
    """(count,) pixels in each part."""

    @property
    def count(self) -> int:
        """How many parts there are."""
        return len(self.areas_px)

    def holding(self, points: ArrayLike) -> IntArray:
        """Return the numbers of the parts that hold at least one of the continuous pixels (N, 2), ascending."""
        at = np.asarray(points, dtype=np.float64).reshape(-1, 2)
        height, width = self.shape
        with np.errstate(invalid="ignore"):
            usable = ((at >= 0.0) & (at <= (width, height))).all(axis=1)
        # The outer right and bottom edge belong to the last pixel.
        col = np.minimum(np.floor(at[usable, 0]), width - 1).astype(np.int64)
        row = np.minimum(np.floor(at[usable, 1]), height - 1).astype(np.int64)
        flat = row * (width + 1) + col
        run = np.searchsorted(self.starts, flat, side="right") - 1
        inside = (run >= 0) & (flat < self.stops[run]) if len(self.starts) else np.zeros(len(flat), dtype=np.bool_)
        numbers: IntArray = np.unique(self.part[run[inside]])
        return numbers

    def mask(self, numbers: ArrayLike) -> BoolArray:
        """Return the mask (H, W) of the parts with these numbers."""
        keep = np.zeros(self.count, dtype=np.bool_)
        keep[np.asarray(numbers, dtype=np.int64)] = True
        kept = keep[self.part]
        height, width = self.shape
        if int(np.count_nonzero(kept)) <= _FEW_RUNS:
            return self._painted(kept)
        steps = np.zeros(height * (width + 1) + 1, dtype=np.int8)
        steps[self.starts[kept]] = 1
        steps[self.stops[kept]] = -1
        filled = np.add.accumulate(steps, dtype=np.int8)[:-1].reshape(height, width + 1)
        chosen: BoolArray = filled[:, :width].astype(np.bool_)
        return chosen

    def _painted(self, kept: BoolArray) -> BoolArray:
        """Return the mask of some runs one by one, which is quicker than a pass over all pixels where they are few."""
        height, width = self.shape
        rows = self.starts[kept] // (width + 1)
        painted = np.zeros(height * width, dtype=np.bool_)
        for start, stop in zip((self.starts[kept] - rows).tolist(), (self.stops[kept] - rows).tolist()):
            painted[start:stop] = True
        return painted.reshape(height, width)


def find_parts(mask: BoolArray) -> Parts:
    """Return the 4-connected parts of a bool mask (H, W).

    Notes
    -----
    Runs of True pixels are found in one pass, runs of neighbouring rows that overlap are paired by binary search, and
    the pairs are merged by hooking roots onto smaller roots and compressing paths: all of it in array operations, so
    the time depends on the length of the outline and not on the number of parts.
    """
    if mask.ndim != 2 or mask.dtype != np.bool_:
        raise ValueError(f"find_parts: expected a bool mask (H, W), got {mask.dtype} {mask.shape}")
    height, width = mask.shape
    stride = width + 1
    # One empty column after each row keeps runs of neighbouring rows apart; one cell before all starts the first.
    padded = np.zeros(height * stride + 1, dtype=np.bool_)
    padded[1:].reshape(height, stride)[:, :width] = mask
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    return parts_of_runs((height, width), edges[0::2], edges[1::2])


def parts_of_runs(shape: tuple[int, int], starts: IntArray, stops: IntArray) -> Parts:
    """Return the 4-connected parts of a mask (H, W) given as runs in the indexing of :class:`Parts`, ascending."""
    root = _merge(len(starts), *_overlaps(starts, stops, shape[1] + 1))
    _, part = np.unique(root, return_inverse=True)
    part = part.reshape(-1).astype(np.int64)
    areas: IntArray = np.bincount(part, weights=stops - starts).astype(np.int64)
    return Parts(shape, starts, stops, part, areas)


def linked_runs(starts: IntArray, stops: IntArray, stride: int, label: NDArray[Any]) -> IntArray:
    """Return, for each run of a raster, the first run (R,) of its 4-connected part: runs of equal labels that touch."""
    upper, lower = _overlaps(starts, stops, stride)
    same = label[upper] == label[lower]
    return _merge(len(starts), upper[same], lower[same])


def _overlaps(starts: IntArray, stops: IntArray, stride: int) -> tuple[IntArray, IntArray]:
    """Return index pairs (upper run, lower run) of runs in neighbouring rows that share a pixel side."""
    first = np.searchsorted(stops, starts + stride, side="right")
    last = np.searchsorted(starts, stops + stride, side="left")
    counts = np.maximum(last - first, 0)
    upper = np.repeat(np.arange(len(starts)), counts)
    within = np.arange(len(upper)) - np.repeat(np.cumsum(counts) - counts, counts)
    return upper, np.repeat(first, counts) + within


def _merge(count: int, first: IntArray, second: IntArray) -> IntArray:
    """Return, for each of ``count`` items, the smallest item of its group (count,), given linked pairs."""
    root = np.arange(count)
    while True:
        one, other = root[first], root[second]
        apart = one != other
        if not apart.any():
            return root
        first, second, one, other = first[apart], second[apart], one[apart], other[apart]
        # Where several pairs hook the same root one of them wins; the others come round again.
        root[np.maximum(one, other)] = np.minimum(one, other)
        while True:
            above = root[root]
            if np.array_equal(above, root):
                break
            root = above


def _per_candidate(inside: ArrayLike, count: int) -> NDArray[Any]:
    return np.asarray(inside, dtype=np.bool_).reshape(count, -1)
