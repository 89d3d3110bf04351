"""From a heat map to objects: each hill of the map is one, and touching hills are parted in the valley between them.

Everything is decided by the cells around a place, so that two windows that overlap part the same objects.

References
----------
Edelsbrunner, H., Letscher, D., Zomorodian, A. (2002): Topological persistence and simplification.
DOI 10.1007/s00454-002-2885-2
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..models.finding import FoundMask, HeatMap
from ..models.model import FloatArray
from ..models.text_graphs import enclosing, spread, trimmed
from ..outlines.masks import find_parts
from ..raster.grid import Window

FLOOR = 0.1
"""Mean heat below which nothing is an object."""
_FOOT = 0.5
"""A hill reaches down to this share of its own peak, or to the model's own line where that is lower."""
_VALLEY = 0.75
"""Two hills are two objects if the pass between them is lower than this share of the lower peak."""
_TOP = 0.95
"""A hill's top are the cells that have this share of its peak."""
_SMOOTHINGS = 2
_SMALLEST_CELLS = 4

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Hill:
    """An object of a heat map."""

    found: FoundMask
    """Its pixels, and its mean heat as score."""
    peak: tuple[float, float]
    """Continuous pixel (x, y) of the image that is surest to be of it."""


def hills(heat: HeatMap, image_size: tuple[int, int]) -> list[Hill]:
    """Return the objects of a heat map in an image (H, W), with at least :data:`FLOOR` of mean heat.

    Parameters
    ----------
    heat : HeatMap
        (h, w) cells that cover the image.
    image_size : tuple of int
        (H, W) in pixels.
    """
    smooth = _smoothed(heat.values)
    labels, peaks = _basins(smooth, FLOOR)
    grounds = _grounds(labels, len(peaks))
    found: list[Hill] = []
    for number, peak in enumerate(peaks):
        height = float(smooth.flat[peak])
        # At half of a peak of twice the floor, no cell is below the floor: nor is their mean.
        if height >= 2 * FLOOR:
            cut = min(_FOOT * height, heat.threshold)
            place = (int(peak // labels.shape[1]), int(peak % labels.shape[1]))
            hill = _hill(_Ground(grounds[number], labels, number, place), heat, smooth, cut, image_size)
            if hill is not None:
                found.append(hill)
    return found


@dataclass(frozen=True)
class _Ground:
    """The cells that a hill may cover."""

    window: Window
    """Of cells, one more on each side than it covers."""
    labels: IntArray
    """(h, w) of the whole map."""
    number: int
    """Its own label."""
    peak: tuple[int, int]
    """(row, column) of its highest cell."""

    def cut(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return the window's part of an array (h, w)."""
        return array[self.window.slices]


def _hill(ground: _Ground, heat: HeatMap, smooth: FloatArray, cut: float, image_size: tuple[int, int]) -> Hill | None:
    """Return what of a hill is above ``cut`` and connected to its peak; None if it is a speck."""
    values, box = ground.cut(heat.values), ground.window
    basin = ground.cut(ground.labels) == ground.number
    cells = basin & (values > cut)
    row, col = ground.peak[0] - box.row, ground.peak[1] - box.col
    cells[row, col] = True
    parts = find_parts(cells)
    kept = parts.mask(parts.holding([(col + 0.5, row + 0.5)]))
    if np.count_nonzero(kept) < _SMALLEST_CELLS:
        return None
    whole = np.zeros_like(ground.labels, dtype=np.bool_)
    ground.cut(whole)[:] = kept
    window = enclosing(whole, image_size)
    if window is None:
        return None
    # Heat says where the outline is between cells; which hill a pixel belongs to, the cell whose pixel it is. One cell
    # around the hill may hold a part of a pixel's way down, where no other hill begins.
    ground.cut(whole)[:] = _widened(kept) & (basin | (values <= cut))
    pixels = trimmed((spread(heat.values, window, image_size) > cut) & _nearest(whole, window, image_size), window)
    if pixels is None:
        return None
    return Hill(FoundMask(*pixels, float(values[kept].mean()), heat.label), _surest(ground, kept, smooth, image_size))


def _surest(
    ground: _Ground, kept: NDArray[np.bool_], smooth: FloatArray, image_size: tuple[int, int]
) -> tuple[float, float]:
    """Return the pixel (x, y) in the middle of a hill's top: where it is flat, its highest cell may be anywhere."""
    heights = ground.cut(smooth)
    rows, cols = np.nonzero(kept & (heights >= _TOP * smooth[ground.peak]))
    if not rows.size:
        rows, cols = (
            np.array([place]) for place in (ground.peak[0] - ground.window.row, ground.peak[1] - ground.window.col)
        )
    nearest = int(((rows - rows.mean()) ** 2 + (cols - cols.mean()) ** 2).argmin())
    row, col = int(rows[nearest]) + ground.window.row, int(cols[nearest]) + ground.window.col
    return (col + 0.5) * image_size[1] / smooth.shape[1], (row + 0.5) * image_size[0] / smooth.shape[0]


def _grounds(labels: IntArray, count: int) -> list[Window]:
    """Return for each label the cells that enclose it, and one more on each side where there are any."""
    rows, cols = np.nonzero(labels >= 0)
    numbers = labels[rows, cols]
    ends = []
    for places, side in ((cols, labels.shape[1]), (rows, labels.shape[0])):
        first, last = np.full(count, side), np.zeros(count, np.int64)
        np.minimum.at(first, numbers, places)
        np.maximum.at(last, numbers, places)
        ends.append((np.maximum(first - 1, 0), np.minimum(last + 2, side)))
    (left, right), (top, bottom) = ends
    return [Window(int(left[n]), int(top[n]), int(right[n] - left[n]), int(bottom[n] - top[n])) for n in range(count)]


def _smoothed(values: FloatArray) -> FloatArray:
    """Return the cells (h, w), each blended with its neighbours, so that noise makes no hills."""
    for _ in range(_SMOOTHINGS):
        for axis in (0, 1):
            padding = [(1, 1) if axis == along else (0, 0) for along in (0, 1)]
            padded = np.pad(values, padding, mode="edge")
            before, after = (
                padded.take(range(values.shape[axis]), axis),
                padded.take(range(2, values.shape[axis] + 2), axis),
            )
            values = ((before + after) * np.float32(0.25) + values * np.float32(0.5)).astype(np.float32)
    return values


def _basins(smooth: FloatArray, floor: float) -> tuple[IntArray, IntArray]:
    """Return which hill each cell (h, w) above the floor belongs to, -1 for others, and the cell of each hill's peak.

    Each cell points to the highest of its eight neighbours, and so, by pointing on, to a peak. Hills are then joined,
    the highest pass first, wherever the pass is not much lower than the lower one's peak.
    """
    rows, cols = smooth.shape
    # A rank for each cell: no two are equal, so a plateau has one peak and nothing points in a circle.
    order = np.argsort(smooth, axis=None, kind="stable")
    rank = np.empty(smooth.size, np.int64)
    rank[order] = np.arange(smooth.size)
    grid = np.where(smooth > floor, rank.reshape(rows, cols), -1)
    padded = np.pad(grid, 1, constant_values=-1)
    best = grid.copy()
    for down in range(3):
        for along in range(3):
            np.maximum(best, padded[down : down + rows, along : along + cols], out=best)
    above = np.flatnonzero(grid >= 0)
    target = np.arange(smooth.size)
    target[above] = order[best.flat[above]]
    while True:
        onward = target[target]
        if np.array_equal(onward, target):
            break
        target = onward
    peaks, inverse = np.unique(target[above], return_inverse=True)
    number = np.full(smooth.size, -1, np.int64)
    number[above] = inverse.reshape(-1)
    joined = _joined(number.reshape(rows, cols), smooth, smooth.reshape(-1)[peaks])
    kept, compact = np.unique(joined, return_inverse=True)
    number[above] = compact.reshape(-1)[number[above]]
    return number.reshape(rows, cols), peaks[kept]


def _joined(labels: IntArray, smooth: FloatArray, heights: FloatArray) -> IntArray:
    """Return for each hill the one that it is joined to: itself, or the higher one across a pass that is no valley."""
    one, other, height = _passes(labels, smooth, len(heights))
    root = np.arange(len(heights))

    def top(hill: int) -> int:
        while root[hill] != hill:
            root[hill] = root[root[hill]]
            hill = int(root[hill])
        return hill

    for index in np.argsort(-height, kind="stable"):
        first, second = top(int(one[index])), top(int(other[index]))
        if first != second and height[index] > _VALLEY * min(heights[first], heights[second]):
            lower, higher = sorted((first, second), key=lambda hill: (heights[hill], hill))
            root[lower] = higher
    return np.array([top(hill) for hill in range(len(heights))], np.int64)


def _passes(labels: IntArray, smooth: FloatArray, count: int) -> tuple[IntArray, IntArray, FloatArray]:
    """Return pairs of hills that touch, and the height of the highest pass between them: three times (P,)."""
    pairs, heights = [], []
    for down, along in ((0, 1), (1, 0), (1, 1), (1, -1)):
        rows, cols = labels.shape
        left, right = (
            (slice(0, cols - along), slice(along, cols)) if along >= 0 else (slice(1, cols), slice(0, cols - 1))
        )
        near, far = (slice(0, rows - down), left), (slice(down, rows), right)
        one, other = labels[near], labels[far]
        touch = (one != other) & (one >= 0) & (other >= 0)
        low, high = np.minimum(one, other)[touch], np.maximum(one, other)[touch]
        pairs.append(low * count + high)
        heights.append(np.minimum(smooth[near], smooth[far])[touch])
    all_pairs, all_heights = np.concatenate(pairs), np.concatenate(heights)
    different, inverse = np.unique(all_pairs, return_inverse=True)
    highest = np.full(len(different), -np.inf, np.float32)
    np.maximum.at(highest, inverse.reshape(-1), all_heights)
    return different // max(count, 1), different % max(count, 1), highest


def _widened(cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the cells and their eight neighbours."""
    padded = np.pad(cells, 1)
    rows, cols = cells.shape
    wide = np.zeros_like(cells)
    for down in range(3):
        for along in range(3):
            wide |= padded[down : down + rows, along : along + cols]
    return wide


def _nearest(cells: NDArray[np.bool_], window: Window, image_size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return for each pixel of a window whether its middle lies in a marked cell."""
    rows = (np.arange(window.row, window.row + window.height) + 0.5) * cells.shape[0] / image_size[0]
    cols = (np.arange(window.col, window.col + window.width) + 0.5) * cells.shape[1] / image_size[1]
    marked: NDArray[np.bool_] = cells[np.ix_(rows.astype(int), cols.astype(int))]
    return marked
