"""The points that may be asked: a lattice of the whole raster, the coarse ones first, and what is known of each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Indices = NDArray[np.intp]


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


def grid_points(size: tuple[int, int], count: int) -> Points:
    """Return the middles of ``count`` x ``count`` cells of a picture (width, height), (N, 2)."""
    middles = ((np.arange(count) + 0.5) * (side / count) for side in size)
    points: Points = np.stack(np.meshgrid(*middles), axis=-1).reshape(-1, 2)
    return points


class OpenPoints:
    """Which points are still worth asking, and in which order.

    Parameters
    ----------
    points : ndarray (N, 2)
        In the order that they are asked.
    barred : ndarray (N,) of bool
        Those that are never asked.
    spare : ndarray (N,) of bool
        Those that are asked only where :meth:`prefer` names them.
    patience : float
        How much doubt a point bears before it is given up.
    """

    def __init__(self, points: Points, barred: NDArray[np.bool_], spare: NDArray[np.bool_], patience: float) -> None:
        self._points, self._spare, self._patience = points, spare, patience
        self._gone, self._covered = barred.copy(), np.zeros(len(points), dtype=np.bool_)
        self._doubt = np.zeros(len(points))
        self._preferred: list[int] = []

    def ask(self) -> Iterator[tuple[int, int]]:
        """Yield how many points are behind, and the index of the next one to ask, until none is left."""
        for behind in range(len(self._points)):
            yield from ((behind, index) for index in self._first())
            open_ = not (self._gone[behind] or self._spare[behind] or self._covered[behind])
            if open_ and self._doubt[behind] < self._patience:
                self._gone[behind] = True
                yield behind, behind
        yield from ((len(self._points), index) for index in self._first())

    @property
    def points(self) -> Points:
        """All points (N, 2), asked or not."""
        return self._points

    def cover(self, inside: NDArray[np.bool_]) -> None:
        """Ask none of these points (N,) any more: the object that they lie in is found."""
        self._covered |= inside

    def doubt(self, much: NDArray[np.float64]) -> None:
        """Expect less of points (N,): one that seems to lie in the same thing gave no object."""
        self._doubt += much

    def prefer(self, place: NDArray[np.float64], *, covered_too: bool = False) -> None:
        """Ask the point nearest to a place (2,) next, whatever doubt there is; not if it was asked.

        A covered one is asked only if ``covered_too``.
        """
        if not len(self._points):
            return
        index = int(((self._points - place) ** 2).sum(axis=1).argmin())
        if not self._gone[index] and (covered_too or not self._covered[index]):
            self._preferred.append(index)

    def _first(self) -> Iterator[int]:
        """Yield the preferred points, the last named first."""
        while self._preferred:
            index = self._preferred.pop()
            if not self._gone[index]:
                self._gone[index] = True
                yield index
