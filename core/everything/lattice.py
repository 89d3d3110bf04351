"""What is searched: tiles of the raster, the points that may be asked, and what is expected of each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..raster.grid import Window

Points = NDArray[np.float64]
_LEAST_TILE_PX = 32
"""A tile that would be narrower goes to its neighbour: each is encoded with much around it."""


def lattice(origin: tuple[int, int], size: tuple[int, int], step_px: int) -> tuple[Points, NDArray[np.int64]]:
    """Return the points of a raster's lattice that lie on a picture, and the level of each.

    Parameters
    ----------
    origin : tuple of int
        Where the picture begins on the raster (x, y).
    size : tuple of int
        (width, height) of the picture.
    step_px : int
        Distance of the points.

    Returns
    -------
    points : ndarray (N, 2)
        Middles of squares of ``step_px`` raster pixels, in continuous picture pixels, row by row.
    levels : ndarray (N,)
        0 for every fourth point along both axes, 1 for those half-way between all four of these, 2 for the rest. It
        depends on the place on the raster alone.
    """
    places, numbers = [], []
    for start, length in zip(origin, size):
        index = np.arange(start // step_px, (start + length - 1) // step_px + 1)
        middle = (index + 0.5) * step_px - start
        kept = (middle >= 0) & (middle < length)
        if not kept.any():
            # narrower than a step: the middle of what there is
            middle, kept, index = np.array([length / 2.0]), np.array([True]), np.array([2])
        places.append(middle[kept])
        numbers.append(index[kept])
    points = np.stack(np.meshgrid(*places), axis=-1).reshape(-1, 2)
    cols, rows = (axis.reshape(-1) for axis in np.meshgrid(*numbers))
    levels = np.where((cols % 4 == 2) & (rows % 4 == 2), 0, np.where((cols % 2 == 1) & (rows % 2 == 1), 1, 2))
    return points, levels.astype(np.int64)


def tiles(origin: tuple[int, int], home: Window, side_px: int) -> list[Window]:
    """Return a part of a picture cut at every ``side_px`` pixels of the raster's lattice, row by row.

    Not where less than 32 pixels would be cut off: the squares of a scan at a coarse resolution are only nearly those
    of the lattice, and an extent may begin anywhere.

    Parameters
    ----------
    origin : tuple of int
        Where the picture begins on the raster (x, y).
    home : Window
        The part, in picture pixels.
    side_px : int
        Side of a whole tile.
    """
    spans = []
    for start, first, length in zip(origin, (home.col, home.row), (home.width, home.height)):
        low = start + first
        inner = range((low // side_px + 1) * side_px, low + length, side_px)
        cuts = [low, *(cut for cut in inner if _keeps_off(cut, low, low + length)), low + length]
        spans.append([(one - start, other - one) for one, other in zip(cuts, cuts[1:])])
    return [Window(col, row, width, height) for row, height in spans[1] for col, width in spans[0]]


def _keeps_off(cut: int, low: int, high: int) -> bool:
    """Return True if a cut leaves enough on both sides."""
    return low + _LEAST_TILE_PX <= cut <= high - _LEAST_TILE_PX


def grid_points(size: tuple[int, int], count: int) -> Points:
    """Return the middles of ``count`` x ``count`` cells of a picture (width, height), (N, 2)."""
    middles = ((np.arange(count) + 0.5) * (side / count) for side in size)
    points: Points = np.stack(np.meshgrid(*middles), axis=-1).reshape(-1, 2)
    return points


class OpenPoints:
    """Which points are still worth asking, and in which order: what gives most hope first.

    Parameters
    ----------
    points : ndarray (N, 2)
        All that may be asked.
    hope : ndarray (N,)
        How much is expected of each, as log-odds; minus infinity for those that are asked only where :meth:`prefer`
        names them.
    barred : ndarray (N,) of bool
        Those that are never asked.
    least : float
        Points of less hope than this are given up.
    """

    def __init__(self, points: Points, hope: NDArray[np.float64], barred: NDArray[np.bool_], least: float) -> None:
        self._points, self._hope, self._least = points, hope.astype(np.float64), least
        self._gone, self._covered = barred.copy(), np.zeros(len(points), dtype=np.bool_)
        self._preferred: list[int] = []

    def ask(self) -> Iterator[tuple[float, int]]:
        """Yield which share of the points is done with, and the index of the next one to ask, until none is left."""
        at_first = max(1, np.count_nonzero(self._open()))
        while True:
            open_ = self._open()
            done = 1.0 - np.count_nonzero(open_) / at_first
            index = self._first()
            if index is None:
                if not open_.any():
                    return
                index = int(np.where(open_, self._hope, -np.inf).argmax())
            self._gone[index] = True
            yield done, index

    @property
    def points(self) -> Points:
        """All points (N, 2), asked or not."""
        return self._points

    def cover(self, inside: NDArray[np.bool_]) -> None:
        """Ask none of these points (N,) any more: the object that they lie in is found."""
        self._covered |= inside

    def doubt(self, much: NDArray[np.float64]) -> None:
        """Expect less of points (N,): one that seems to lie in the same thing gave no object."""
        self._hope -= much

    def prefer(self, place: NDArray[np.float64], *, covered_too: bool = False) -> None:
        """Ask the point nearest to a place (2,) next, whatever hope there is; not if it was asked.

        A covered one is asked only if ``covered_too``.
        """
        if not len(self._points):
            return
        index = int(((self._points - place) ** 2).sum(axis=1).argmin())
        if not self._gone[index] and (covered_too or not self._covered[index]):
            self._preferred.append(index)

    def _open(self) -> NDArray[np.bool_]:
        """Return the points (N,) that are worth asking."""
        open_: NDArray[np.bool_] = ~(self._gone | self._covered) & (self._hope >= self._least)
        return open_

    def _first(self) -> int | None:
        """Return the preferred point that was named last, if there is one that was not asked."""
        while self._preferred:
            index = self._preferred.pop()
            if not self._gone[index]:
                return index
        return None
