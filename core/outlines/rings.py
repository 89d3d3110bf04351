"""Work on single closed rings (N, 2), whose first point is also the last: taking the stairs out, rounding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import native

FloatArray = NDArray[np.float64]
RingWork = Callable[[FloatArray], FloatArray]
_WHOLE_PX = 1e-4
_FLAT_TOP_PX = 4.0


def rings_of(polygon: Any) -> list[FloatArray]:
    """Return the coordinates (N, 2) of a shapely Polygon's rings, the shell first."""
    return [np.asarray(ring.coords, dtype=np.float64)[:, :2] for ring in [polygon.exterior, *polygon.interiors]]


def polygon_of(rings: list[FloatArray]) -> Any:
    """Return the shapely Polygon of a shell and its holes; it may be invalid."""
    return native.shapely().geometry.Polygon(rings[0], rings[1:])


def map_rings(polygon: Any, work: RingWork) -> Any:
    """Return the shapely Polygon whose rings are ``work`` of the given one's; it may be invalid."""
    return polygon_of([work(ring) for ring in rings_of(polygon)])


def without_stairs(ring: FloatArray) -> FloatArray:
    """Return a ring of pixel corners (col, row) as the slanting line that its steps stand for.

    Parameters
    ----------
    ring : ndarray (N, 2)
        Whole pixels, with corners only. A ring that is not on whole pixels (already reshaped, merged from tiles of
        other grids) is returned as it is.

    Notes
    -----
    A side of one pixel between a left and a right turn is a step: a slanting line drawn in pixels has one in each pair
    of neighbouring sides. Each step is replaced by its middle, through which the line goes. Where the line turns back
    between two steps (the top of a disc) the middle of that side is kept as well, or its two quarters where it is
    long: a flat top, not a tip. Other corners stay, so that an upright rectangle keeps its own. No point of the
    outline moves by more than half a pixel, and along a straight line the area stays the same.
    """
    whole = np.round(ring[:-1])
    if np.abs(whole - ring[:-1]).max() > _WHOLE_PX:
        return ring
    side = np.roll(whole, -1, axis=0) - whole
    before = np.roll(side, 1, axis=0)
    turn = np.sign(before[:, 0] * side[:, 1] - before[:, 1] * side[:, 0])
    if (turn == 0.0).any():
        return ring
    # Side i runs from corner i to corner i + 1.
    straight_on = turn != np.roll(turn, -1)
    length = np.abs(side).sum(axis=1)
    step = straight_on & (length == 1.0)
    turns_back = ~straight_on & np.roll(step, 1) & np.roll(step, -1)
    flat = turns_back & (length >= _FLAT_TOP_PX)
    corner = ~step & ~np.roll(step, 1)
    points = np.stack([whole, whole + 0.25 * side, whole + 0.5 * side, whole + 0.75 * side], axis=1).reshape(-1, 2)
    keep = np.stack([corner, flat, step | (turns_back & ~flat), flat], axis=1).reshape(-1)
    kept = points[keep]
    return ring if len(kept) < 3 else np.vstack([kept, kept[:1]])


def line_without_stairs(line: FloatArray) -> FloatArray:
    """Return a line of pixel corners (col, row) as the slanting line that its steps stand for; its ends stay.

    As :func:`without_stairs`, for a line (N, 2) whose corners are all corners.
    """
    side = np.diff(line, axis=0)
    turn = np.zeros(len(line))
    turn[1:-1] = np.sign(side[:-1, 0] * side[1:, 1] - side[:-1, 1] * side[1:, 0])
    both = turn[:-1] * turn[1:]
    length = np.abs(side).sum(axis=1)
    step = (both < 0.0) & (length == 1.0)
    padded = np.concatenate([[False], step, [False]])
    turns_back = (both > 0.0) & padded[:-2] & padded[2:]
    flat = turns_back & (length >= _FLAT_TOP_PX)
    corner = ~padded[1:-1] & ~padded[:-2]
    corner[0] = True
    begin = line[:-1]
    points = np.stack([begin, begin + 0.25 * side, begin + 0.5 * side, begin + 0.75 * side], axis=1).reshape(-1, 2)
    keep = np.stack([corner, flat, step | (turns_back & ~flat), flat], axis=1).reshape(-1)
    return np.vstack([points[keep], line[-1:]])


def from_farthest(ring: FloatArray) -> FloatArray:
    """Return the same ring, begun at its point farthest from the middle: Douglas-Peucker never drops the first."""
    corners = ring[:-1]
    away = corners - corners.mean(axis=0)
    first = int((away**2).sum(axis=1).argmax())
    turned = np.roll(corners, -first, axis=0)
    return np.vstack([turned, turned[:1]])


def straightened(ring: FloatArray, tolerance: float) -> FloatArray:
    """Return the ring without the points that lie within ``tolerance`` of the lines between those that stay.

    By Douglas-Peucker, for this ring alone: it may come to cross itself or others. A ring that would have fewer than
    three corners is returned as it is.
    """
    line = native.shapely().geometry.LineString(ring).simplify(tolerance, preserve_topology=False)
    kept = np.asarray(line.coords, dtype=np.float64)
    return kept if len(kept) > 3 else ring


def rounded(ring: FloatArray, iterations: int, *, longest_cut: float) -> FloatArray:
    """Return the ring with its corners cut at a quarter of each side, ``iterations`` times.

    Parameters
    ----------
    ring : ndarray (N, 2)
        Any closed ring.
    iterations : int
        Each one doubles the number of points.
    longest_cut : float
        The first cut takes at most this much of a side, each later one half of the one before: a corner between
        long sides is rounded off, and the sides stay.

    References
    ----------
    G. M. Chaikin (1974), An algorithm for high-speed curve generation, Computer Graphics and Image Processing 3,
    346-349, doi:10.1016/0146-664X(74)90028-8.
    """
    corners = ring[:-1]
    for iteration in range(iterations):
        side = np.roll(corners, -1, axis=0) - corners
        length = np.maximum(np.hypot(side[:, 0], side[:, 1]), np.finfo(np.float64).tiny)
        cut = side * np.minimum(0.25, longest_cut / 2.0**iteration / length)[:, None]
        corners = np.stack([corners + cut, corners + side - cut], axis=1).reshape(-1, 2)
    return np.vstack([corners, corners[:1]])


def rounded_line(line: FloatArray, iterations: int, *, longest_cut: float) -> FloatArray:
    """Return a line (N, 2) with its corners cut as :func:`rounded` cuts a ring's; its ends stay."""
    for iteration in range(iterations):
        side = np.diff(line, axis=0)
        length = np.maximum(np.hypot(side[:, 0], side[:, 1]), np.finfo(np.float64).tiny)
        cut = side * np.minimum(0.25, longest_cut / 2.0**iteration / length)[:, None]
        cuts = np.stack([line[:-1] + cut, line[1:] - cut], axis=1).reshape(-1, 2)
        line = np.vstack([line[:1], cuts[1:-1], line[-1:]])
    return line
