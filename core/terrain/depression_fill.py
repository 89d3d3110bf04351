"""Closed depressions: how deep water would stand in them.

References
----------
R. Barnes, C. Lehman, D. Mulla (2014), Priority-flood: an optimal depression-filling and watershed-labeling algorithm
for digital elevation models, Computers & Geosciences 62, 117-127, doi:10.1016/j.cageo.2013.04.024.
O. Planchon, F. Darboux (2002), A fast, simple and versatile algorithm to fill the depressions of digital elevation
models, Catena 46, 159-176, doi:10.1016/S0341-8162(01)00164-3.
"""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..progress import NullProgress, Progress, check

FloatArray = NDArray[np.float64]
_BETWEEN_CHECKS = 100_000


def filled(elevation: NDArray[Any], progress: Progress | None = None) -> FloatArray:
    """Return the surface (H, W) on which water could run off everywhere, to the edge or to nodata.

    Parameters
    ----------
    elevation : ndarray
        (H, W) metres, NaN where unusable. Water leaves the grid at its edge and at unusable cells.
    progress : Progress, optional
        Asked for cancellation.

    Returns
    -------
    ndarray
        (H, W) float64, not below ``elevation``; NaN where that is NaN.

    Examples
    --------
    >>> bowl = np.full((5, 5), 3.0); bowl[2, 2] = 1.0; bowl[2, 3:] = 2.0
    >>> filled(bowl)[2].tolist()
    [3.0, 3.0, 2.0, 2.0, 2.0]
    """
    progress = progress or NullProgress()
    height, width = elevation.shape
    across = width + 2
    padded = np.full((height + 2, across), np.nan)
    padded[1:-1, 1:-1] = elevation
    surface = padded.ravel().tolist()
    # cells that water can leave from, and all others
    known = np.isfinite(padded)
    done = (~known).ravel().tolist()
    outlets = known & ~_surrounded(known)
    queue = [(surface[cell], cell) for cell in np.flatnonzero(outlets.ravel()).tolist()]
    for _, cell in queue:
        done[cell] = True
    heapq.heapify(queue)
    steps = (-across - 1, -across, -across + 1, -1, 1, across - 1, across, across + 1)
    count = 0
    while queue:
        level, cell = heapq.heappop(queue)
        count += 1
        if count % _BETWEEN_CHECKS == 0:
            check(progress)
        for step in steps:
            other = cell + step
            if done[other]:
                continue
            done[other] = True
            surface[other] = max(surface[other], level)
            heapq.heappush(queue, (surface[other], other))
    result: FloatArray = np.array(surface).reshape(padded.shape)[1:-1, 1:-1]
    return result


def _surrounded(known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which cells have eight known neighbours."""
    inner = known.copy()
    for axis in (0, 1):
        inner = inner & np.roll(inner, 1, axis) & np.roll(inner, -1, axis)
    inner[[0, -1]] = False
    inner[:, [0, -1]] = False
    return inner
