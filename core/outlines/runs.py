"""Masks of a large lattice of pixels as horizontal runs: as small as their outline, however much ground they cover."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .masks import Parts, parts_of_runs

IntArray = NDArray[np.int64]
Box = tuple[int, int, int, int]
"""(left, top, right, bottom) in whole pixels, right and bottom not included."""


@dataclass(frozen=True, eq=False)
class RunMask:
    """Some pixels of a lattice.

    Pixel (col, row) has the index ``row * (width + 1) + col``: the empty column after each row keeps the runs of
    neighbouring rows apart, so that a mask is a set of intervals, and what is done with masks is done with intervals.
    """

    width: int
    """Columns of the lattice."""
    starts: IntArray
    """(R,) first index of each run, ascending."""
    stops: IntArray
    """(R,) one past the last index of each run: less than the next run's first."""

    @classmethod
    def of(cls, mask: NDArray[np.bool_], col: int, row: int, width: int) -> RunMask:
        """Return a mask (h, w) whose first pixel is (col, row) on a lattice of ``width`` columns that it fits into."""
        height, across = mask.shape
        padded = np.zeros(height * (across + 1) + 1, dtype=np.bool_)
        padded[1:].reshape(height, across + 1)[:, :across] = mask
        edges = np.flatnonzero(padded[1:] != padded[:-1])
        rows, cols = np.divmod(edges, across + 1)
        moved = (rows + row) * (width + 1) + cols + col
        return cls(width, moved[0::2], moved[1::2])

    @classmethod
    def nothing(cls, width: int) -> RunMask:
        """Return the mask of no pixel."""
        none: IntArray = np.empty(0, dtype=np.int64)
        return cls(width, none, none)

    @cached_property
    def area(self) -> int:
        """How many pixels it has."""
        return int((self.stops - self.starts).sum())

    @cached_property
    def box(self) -> Box:
        """The pixels that enclose it; (0, 0, 0, 0) if it has none."""
        if not len(self.starts):
            return (0, 0, 0, 0)
        stride = self.width + 1
        rows, cols = np.divmod(self.starts, stride)
        right = int((self.stops - rows * stride).max())
        return int(cols.min()), int(rows[0]), right, int(rows[-1]) + 1

    def within(self, box: Box) -> RunMask:
        """Return the pixels of it that lie in a box."""
        left, top, right, bottom = box
        own = self.box
        if left <= own[0] and top <= own[1] and right >= own[2] and bottom >= own[3]:
            return self
        stride = self.width + 1
        first, last = np.searchsorted(self.starts, (top * stride, bottom * stride))
        starts, stops = self.starts[first:last], self.stops[first:last]
        base = starts - starts % stride
        starts, stops = np.maximum(starts, base + left), np.minimum(stops, base + right)
        kept = stops > starts
        return RunMask(self.width, starts[kept], stops[kept])

    def __and__(self, other: RunMask) -> RunMask:
        return RunMask(self.width, *_common(self.starts, self.stops, other.starts, other.stops))

    def __sub__(self, other: RunMask) -> RunMask:
        if not len(other.starts) or not len(self.starts):
            return self
        low, high = int(self.starts[0]), int(self.stops[-1])
        outside = np.concatenate([[low], other.stops]), np.concatenate([other.starts, [high]])
        real = outside[1] > outside[0]
        return RunMask(self.width, *_common(self.starts, self.stops, outside[0][real], outside[1][real]))

    def shared(self, other: RunMask) -> int:
        """Return how many pixels it has in common with another mask."""
        box, others = self.box, other.box
        if box[0] >= others[2] or others[0] >= box[2] or box[1] >= others[3] or others[1] >= box[3]:
            return 0
        starts, stops = _common(self.starts, self.stops, other.starts, other.stops)
        return int((stops - starts).sum())

    def parts(self) -> Parts:
        """Return its 4-connected parts, on the lattice as far as its last row."""
        return parts_of_runs((self.box[3], self.width), self.starts, self.stops)

    def of_parts(self, parts: Parts, wanted: NDArray[np.bool_]) -> RunMask:
        """Return those of its parts for which ``wanted`` (parts.count,) is True."""
        kept = wanted[parts.part]
        return RunMask(self.width, self.starts[kept], self.stops[kept])

    def inner(self) -> RunMask:
        """Return the pixels whose four neighbours belong to it too."""
        long = self.stops - self.starts > 2
        narrow = RunMask(self.width, self.starts[long] + 1, self.stops[long] - 1)
        stride = self.width + 1
        above = RunMask(self.width, self.starts + stride, self.stops + stride)
        below = RunMask(self.width, self.starts - stride, self.stops - stride)
        return narrow & above & below

    def outer(self) -> RunMask:
        """Return it with the four neighbours of its pixels, those beyond the lattice's sides too: for comparing."""
        stride = self.width + 1
        wide = RunMask(self.width, self.starts - 1, self.stops + 1)
        above = RunMask(self.width, self.starts - stride, self.stops - stride)
        below = RunMask(self.width, self.starts + stride, self.stops + stride)
        return union([wide, above, below])

    def dense(self, box: Box) -> NDArray[np.bool_]:
        """Return the pixels of a box as an array (bottom - top, right - left)."""
        left, top, right, bottom = box
        inside = self.within(box)
        across = right - left + 1
        rows, cols = np.divmod(np.concatenate([inside.starts, inside.stops]), self.width + 1)
        flat = (rows - top) * across + cols - left
        steps = np.zeros((bottom - top) * across + 1, dtype=np.int8)
        count = len(inside.starts)
        steps[flat[:count]] = 1
        # A run that ends where its row does ends in the empty column: no other begins there.
        steps[flat[count:]] -= 1
        filled = np.add.accumulate(steps, dtype=np.int8)[:-1].reshape(bottom - top, across)
        pixels: NDArray[np.bool_] = filled[:, : right - left].astype(np.bool_)
        return pixels


def union(masks: list[RunMask]) -> RunMask:
    """Return the pixels that belong to any of the masks of one lattice; there must be at least one mask."""
    if len(masks) == 1:
        return masks[0]
    starts = np.concatenate([mask.starts for mask in masks])
    stops = np.concatenate([mask.stops for mask in masks])
    at = np.concatenate([starts, stops])
    step = np.ones(len(at), dtype=np.int64)
    step[len(starts) :] = -1
    # Where one run ends and another begins, the beginning comes first: they become one.
    order = np.lexsort((-step, at))
    depth = np.cumsum(step[order])
    begins = (depth == 1) & (step[order] == 1)
    ends = depth == 0
    return RunMask(masks[0].width, at[order][begins], at[order][ends])


def _common(
    starts: IntArray, stops: IntArray, other_starts: IntArray, other_stops: IntArray
) -> tuple[IntArray, IntArray]:
    """Return starts and stops of what two ascending sets of intervals have in common."""
    first = np.searchsorted(other_stops, starts, side="right")
    last = np.searchsorted(other_starts, stops, side="left")
    counts = np.maximum(last - first, 0)
    one = np.repeat(np.arange(len(starts)), counts)
    within = np.arange(len(one)) - np.repeat(np.cumsum(counts) - counts, counts)
    other = np.repeat(first, counts) + within
    return np.maximum(starts[one], other_starts[other]), np.minimum(stops[one], other_stops[other])
