"""From a mask to polygons that follow the pixels' sides exactly."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import native
from ..raster.grid import PixelGrid
from .masks import Parts, find_parts

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Ring = FloatArray
"""(N, 2) corners (col, row) of a ring, first and last the same."""


def polygonize(mask: NDArray[np.bool_], grid: PixelGrid) -> list[Any]:
    """Return the mask's 4-connected parts as shapely Polygons in the grid's CRS, the largest first.

    Parameters
    ----------
    mask : ndarray of bool (H, W)
        H and W are the grid's height and width.
    grid : PixelGrid
        Where the mask lies. May be rotated, sheared, south-up or of oblong pixels.

    Returns
    -------
    list of shapely.geometry.Polygon
        Vertices are pixel corners, so the covered area is that of the pixels, to the last digit that the coordinates
        hold. Holes are kept. Shells run counter-clockwise in map space and holes clockwise; every polygon is valid.

    Notes
    -----
    The vertices are found in whole pixels and only then brought to the map: no rounding can open a gap between
    neighbours, and no half pixel is lost.
    """
    if mask.shape != (grid.height, grid.width):
        raise ValueError(f"polygonize: expected a mask ({grid.height}, {grid.width}), got {mask.shape}")
    return [map_polygon(shell, holes, grid) for shell, holes in pixel_rings(mask)]


def map_polygon(shell: Ring, holes: list[Ring], grid: PixelGrid) -> Any:
    """Return the shapely Polygon of rings in continuous pixels, in map space: shell counter-clockwise, holes not."""
    a, b, _, d, e, _ = grid.transform
    # Pixel rings enclose a positive area in (col, row); a grid that mirrors, as north-up grids do, turns them round.
    step = 1 if a * e - b * d > 0.0 else -1
    polygon = native.shapely().geometry.Polygon
    return polygon(grid.to_map(shell)[::step], [grid.to_map(hole)[::step] for hole in holes])


def pixel_rings(mask: NDArray[np.bool_]) -> list[tuple[Ring, list[Ring]]]:
    """Return shell and holes of each 4-connected part of a bool mask (H, W), in pixel corners, largest part first.

    Only true corners are given, none in the middle of a side. Seen with rows growing downwards, shells run clockwise
    and holes counter-clockwise. Rings never cross; they touch each other and themselves in no more than single corners,
    as valid polygons may.

    Notes
    -----
    The left and right ends of the pixel runs are chained into vertical sides, left sides going up and right sides down,
    so that the object is always on the right hand. The ends of vertical sides on one lattice row, in order, are
    the ends of that row's horizontal sides. Where two pixels touch by a corner, the right side comes before the left
    one, which turns around each pixel: 4-connectivity. Cost: the number of runs, not of pixels.
    """
    return part_rings(find_parts(mask))


def part_rings(parts: Parts) -> list[tuple[Ring, list[Ring]]]:
    """Return what :func:`pixel_rings` gives, for parts that were found already."""
    if not parts.count:
        return []
    sides = _vertical_sides(parts)
    shells: dict[int, Ring] = {}
    holes: dict[int, list[Ring]] = defaultdict(list)
    for ring, part in _rings(*sides):
        for loop in _simple_loops(ring):
            if _signed_area(loop) > 0.0:
                shells[part] = loop
            else:
                holes[part].append(loop)
    order = sorted(shells, key=lambda part: -int(parts.areas_px[part]))
    return [(shells[part], holes[part]) for part in order]


def _vertical_sides(parts: Parts) -> tuple[IntArray, IntArray, IntArray, NDArray[np.bool_], IntArray]:
    """Return column, top row, bottom row, "is a left side" and part of every vertical side of the parts."""
    stride = parts.shape[1] + 1
    at = np.concatenate([parts.starts, parts.stops])
    is_left = np.arange(len(at)) < len(parts.starts)
    row, col = np.divmod(at, stride)
    order = np.lexsort((row, col, is_left))
    row, col, is_left, part = row[order], col[order], is_left[order], np.concatenate([parts.part] * 2)[order]
    same = (col[1:] == col[:-1]) & (is_left[1:] == is_left[:-1]) & (row[1:] == row[:-1] + 1)
    first = np.flatnonzero(np.concatenate([[True], ~same]))
    last = np.concatenate([first[1:], [len(row)]]) - 1
    return col[first], row[first], row[last] + 1, is_left[first], part[first]


def _rings(
    col: IntArray, top: IntArray, bottom: IntArray, is_left: NDArray[np.bool_], part: IntArray
) -> list[tuple[list[tuple[int, int]], int]]:
    """Return each closed ring of corners, without its last one, and its part."""
    count = len(col)
    end_row = np.concatenate([top, bottom])
    side = np.concatenate([np.arange(count)] * 2)
    order = np.lexsort((is_left[side], col[side], end_row))
    one, other = order[0::2], order[1::2]
    # A left side is left at its top and a right side at its bottom; the partner's end is where the next side begins.
    exits = np.where(one < count, is_left[side[one]], ~is_left[side[one]])
    follower = np.empty(count, dtype=np.int64)
    follower[side[one[exits]]] = side[other[exits]]
    follower[side[other[~exits]]] = side[one[~exits]]
    after, columns, parts = follower.tolist(), col.tolist(), part.tolist()
    begin, end = np.where(is_left, bottom, top).tolist(), np.where(is_left, top, bottom).tolist()
    rings, done = [], [False] * count
    for first in range(count):
        ring, at = [], first
        while not done[at]:
            done[at] = True
            ring += [(columns[at], begin[at]), (columns[at], end[at])]
            at = after[at]
        if ring:
            rings.append((ring, parts[first]))
    return rings


def _simple_loops(ring: list[tuple[int, int]]) -> list[Ring]:
    """Split a ring wherever it meets itself in a corner, so that no loop visits a corner twice."""
    if len(set(ring)) == len(ring):
        return [_closed(ring)]
    loops: list[Ring] = []
    path: list[tuple[int, int]] = []
    seen: dict[tuple[int, int], int] = {}
    for corner in ring:
        if corner in seen:
            begin = seen[corner]
            loops.append(_closed(path[begin:]))
            for passed in path[begin:]:
                del seen[passed]
            del path[begin:]
        seen[corner] = len(path)
        path.append(corner)
    return [*loops, _closed(path)]


def _closed(corners: list[tuple[int, int]]) -> Ring:
    return np.array([*corners, corners[0]], dtype=np.float64)


def _signed_area(ring: Ring) -> float:
    """Return twice the ring's area, positive where it runs clockwise on the screen (rows growing downwards)."""
    x, y = ring[:, 0], ring[:, 1]
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))
