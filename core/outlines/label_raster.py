"""A raster of labels: one for each pixel, so that nothing overlaps; gaps are filled over the image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .masks import linked_runs
from .runs import RunMask

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
Labels = NDArray[np.int32]
GAP = 0
"""A usable pixel of no label yet."""
NO_DATA = -1
"""A pixel that shows nothing."""
_CORNER_PX = 2
_FLOOD_LEVELS = (2, 4, 8, 16, 32, 64, 128, 255)
_FAR = 256


class LabelRaster:
    """Labels of all pixels of an extent, with a rim of one pixel without data around it.

    Parameters
    ----------
    width, height : int
        Of the extent.
    """

    def __init__(self, width: int, height: int) -> None:
        self.labels: Labels = np.full((height + 2, width + 2), NO_DATA, dtype=np.int32)
        """(height + 2, width + 2): ``NO_DATA``, ``GAP`` or a label from 1."""
        self._grey: NDArray[np.uint8] = np.zeros((height + 2, width + 2), dtype=np.uint8)

    def see(self, image: NDArray[np.uint8], usable: BoolArray, col: int, row: int) -> None:
        """Take in an image (H, W, 3) whose first pixel is (col, row): where there is data, and how bright it is."""
        height, width = usable.shape
        place = slice(row + 1, row + 1 + height), slice(col + 1, col + 1 + width)
        seen = self.labels[place]
        seen[usable & (seen == NO_DATA)] = GAP
        self._grey[place] = image.mean(axis=2, dtype=np.float32).astype(np.uint8)

    def paint(self, mask: RunMask, label: int) -> None:
        """Give a label to the pixels of a mask of the extent's lattice."""
        flat, across = self.labels.reshape(-1), self.labels.shape[1]
        rows, cols = np.divmod(mask.starts, mask.width + 1)
        begins = (rows + 1) * across + cols + 1
        for start, stop in zip(begins.tolist(), (begins + mask.stops - mask.starts).tolist()):
            flat[start:stop] = label

    def fill(self, first_label: int, speck_px: int, reach_px: int) -> int:
        """Give every usable pixel a label, and return the first number that is no label.

        Specks become gaps. Gaps that are wider than twice the reach keep their shape and become labels of their own,
        from ``first_label`` on; all that is narrower goes to the labels beside it, flooded from all sides at once, over
        even ground first and over the edges of the image last, so that neighbours meet on an edge.

        Parameters
        ----------
        first_label : int
            One more than the highest label.
        speck_px : int
            Parts of fewer pixels are specks.
        reach_px : int
            Half the width of the widest gap that is filled from its sides.
        """
        self._dissolve(speck_px)
        after = self._own_labels(self._wide_gaps(reach_px), first_label, speck_px)
        self._flood()
        # What no label reaches: data without an object, enclosed by pixels without data.
        return self._own_labels(self.labels == GAP, after, 1)

    def _dissolve(self, speck_px: int) -> None:
        runs = label_runs(self.labels)
        small = (runs.areas_px < speck_px)[runs.part] & (runs.label > GAP)
        flat = self.labels.reshape(-1)
        for start, stop in zip(runs.starts[small].tolist(), runs.stops[small].tolist()):
            flat[start:stop] = GAP

    def _wide_gaps(self, reach_px: int) -> BoolArray:
        """Return the gaps, opened by a diamond: without what is narrower than twice the reach (H, W)."""
        gap: BoolArray = self.labels == GAP
        narrow = np.zeros_like(gap)
        rim = _rim(gap, self.labels > GAP)
        for _ in range(reach_px):
            narrow.reshape(-1)[rim] = True
            rim = self._neighbours(rim)
            rim = rim[gap.reshape(-1)[rim] & ~narrow.reshape(-1)[rim]]
        core: BoolArray = gap & ~narrow
        rim = _rim(narrow, core)
        # A little farther than they were eroded: a diamond does not fit into the corners of stairs.
        for _ in range(reach_px + _CORNER_PX):
            core.reshape(-1)[rim] = True
            rim = self._neighbours(rim)
            rim = rim[gap.reshape(-1)[rim] & ~core.reshape(-1)[rim]]
        return core

    def _own_labels(self, pixels: BoolArray, first_label: int, least_px: int) -> int:
        """Give each connected part of some gap pixels a label of its own; parts that are too small stay gaps."""
        self.labels[pixels] = first_label
        runs = label_runs(self.labels)
        fresh = runs.label == first_label
        large = np.unique(runs.part[fresh])
        large = large[runs.areas_px[large] >= least_px]
        numbers = np.full(len(runs.areas_px), GAP, dtype=np.int64)
        numbers[large] = first_label + np.arange(len(large))
        flat = self.labels.reshape(-1)
        for start, stop, number in zip(
            runs.starts[fresh].tolist(), runs.stops[fresh].tolist(), numbers[runs.part[fresh]].tolist()
        ):
            flat[start:stop] = number
        return first_label + len(large)

    def _flood(self) -> None:
        flat = self.labels.reshape(-1)
        pending = _rim(self.labels == GAP, self.labels > GAP)
        for level in _FLOOD_LEVELS:
            front, later = np.unique(pending[flat[pending] == GAP]), []
            while len(front):
                label, step = self._most_alike(front)
                low = step <= level
                later.append(front[~low])
                flat[front[low]] = label[low]
                front = self._neighbours(front[low])
                front = front[flat[front] == GAP]
            pending = np.concatenate([pending[:0], *later])

    def _most_alike(self, front: IntArray) -> tuple[Labels, IntArray]:
        """Return, for each flat index, the label of the neighbour that is nearest in brightness, and how near it is."""
        flat, grey = self.labels.reshape(-1), self._grey.reshape(-1)
        around = np.stack([front + step for step in _steps(self.labels.shape[1])])
        near = flat[around]
        step = np.abs(grey[around].astype(np.int64) - grey[front])
        step[near <= GAP] = _FAR
        best = step.argmin(axis=0), np.arange(len(front))
        return near[best], step[best]

    def _neighbours(self, pixels: IntArray) -> IntArray:
        """Return the flat indices of the four neighbours, each once."""
        if not len(pixels):
            return pixels
        around: IntArray = np.unique(np.concatenate([pixels + step for step in _steps(self.labels.shape[1])]))
        return around


@dataclass(frozen=True)
class LabelRuns:
    """The runs of one label in a raster's rows, and the 4-connected parts that they make up."""

    starts: IntArray
    """(R,) flat index of each run's first pixel, ascending."""
    stops: IntArray
    """(R,) one past its last."""
    label: Labels
    """(R,) what all its pixels have."""
    part: IntArray
    """(R,) number of its part."""
    areas_px: IntArray
    """(P,) pixels of each part."""


def label_runs(labels: Labels) -> LabelRuns:
    """Return the runs of a label raster (H, W)."""
    height, width = labels.shape
    change = np.ones((height, width), dtype=np.bool_)
    np.not_equal(labels[:, 1:], labels[:, :-1], out=change[:, 1:])
    starts = np.flatnonzero(change)
    stops = np.append(starts[1:], height * width)
    label = labels.reshape(-1)[starts]
    root = linked_runs(starts, stops, width, label)
    _, part = np.unique(root, return_inverse=True)
    part = part.reshape(-1).astype(np.int64)
    areas = np.bincount(part, weights=stops - starts).astype(np.int64)
    return LabelRuns(starts, stops, label, part, areas)


def _steps(width: int) -> tuple[int, ...]:
    """Return what leads from a flat index to those of the four neighbours."""
    return -width, -1, 1, width


def _rim(inside: BoolArray, outside: BoolArray) -> IntArray:
    """Return the flat indices of the pixels of one mask that have a neighbour in another; both (H, W), no rim."""
    near = np.zeros_like(inside)
    middle = near[1:-1, 1:-1]
    for shifted in (outside[:-2, 1:-1], outside[2:, 1:-1], outside[1:-1, :-2], outside[1:-1, 2:]):
        middle |= shifted
    near &= inside
    return np.flatnonzero(near)
