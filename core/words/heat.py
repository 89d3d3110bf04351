"""From a heat map to objects: each hill of the map is one, and touching hills are parted in the valley between them.

Everything is decided by the cells around a place, so that two windows that overlap part the same objects.

References
----------
Edelsbrunner, H., Letscher, D., Zomorodian, A. (2002): Topological persistence and simplification.
DOI 10.1007/s00454-002-2885-2
"""

from __future__ import annotations

from dataclasses import dataclass

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
    values = heat.values
    smooth = _smoothed(values)
    labels, peaks = _basins(smooth, FLOOR)
    rows, cols = values.shape
    found: list[Hill] = []
    for number, peak in enumerate(peaks):
        height = float(smooth.flat[peak])
        # At half of a peak of twice the floor, no cell is below the floor: nor is their mean.
        if height < 2 * FLOOR:
            continue
        cut = min(_FOOT * height, heat.threshold)
        place = (int(peak // cols), int(peak % cols))
        hill = _hill(values, labels == number, cut, place, image_size)
        if hill is not None:
            window, mask, mean = hill
            centre = ((place[1] + 0.5) * image_size[1] / cols, (place[0] + 0.5) * image_size[0] / rows)
            found.append(Hill(FoundMask(window, mask, mean, heat.label), centre))
    return found


def _hill(
    values: FloatArray, basin: NDArray[np.bool_], cut: float, peak: tuple[int, int], image_size: tuple[int, int]
) -> tuple[Window, NDArray[np.bool_], float] | None:
    """Return the pixels of a hill, in their window, and its mean heat; None if it is a speck."""
    cells = basin & ((values > cut) | _only(peak, values.shape))
    around = trimmed(cells, Window(0, 0, values.shape[1], values.shape[0]))
    if around is None:
        return None
    box, part = around
    parts = find_parts(part)
    held = parts.holding([(peak[1] + 0.5 - box.col, peak[0] + 0.5 - box.row)])
    kept = np.zeros_like(cells)
    kept[box.row : box.row + box.height, box.col : box.col + box.width] = parts.mask(held)
    if np.count_nonzero(kept) < _SMALLEST_CELLS:
        return None
    window = enclosing(kept, image_size)
    if window is None:
        return None
    # Heat says where the outline is between cells; which hill a pixel belongs to, the cell whose pixel it is. One cell
    # around the hill may hold a part of a pixel's way down, where no other hill begins.
    mine = _nearest(_widened(kept) & (basin | (values <= cut)), window, image_size)
    pixels = trimmed((spread(values, window, image_size) > cut) & mine, window)
    return None if pixels is None else (*pixels, float(values[kept].mean()))


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


def _only(cell: tuple[int, int], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    marked = np.zeros(shape, np.bool_)
    marked[cell] = True
    return marked


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
