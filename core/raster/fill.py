"""Which pixels lie in a polygon."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def filled(rings: list[NDArray[np.float64]], height: int, width: int) -> NDArray[np.bool_]:
    """Return the pixels (H, W) whose centres lie in an odd number of closed rings (N, 2) of continuous pixels.

    Examples
    --------
    >>> square = np.array([[1.0, 0.0], [3.0, 0.0], [3.0, 2.0], [1.0, 2.0], [1.0, 0.0]])
    >>> filled([square], 2, 4).astype(int).tolist()
    [[0, 1, 1, 0], [0, 1, 1, 0]]
    """
    crossings = np.zeros((height, width + 1), dtype=np.int32)
    x0, y0 = np.concatenate([ring[:-1] for ring in rings]).T if rings else np.zeros((2, 0))
    x1, y1 = np.concatenate([ring[1:] for ring in rings]).T if rings else np.zeros((2, 0))
    # rows whose middle the edge crosses, each end counted with one edge only
    first = np.ceil(np.minimum(y0, y1) - 0.5).clip(0, height).astype(np.int64)
    last = np.ceil(np.maximum(y0, y1) - 0.5).clip(0, height).astype(np.int64)
    count = last - first
    edge = np.repeat(np.arange(len(count)), count)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    along = (row + 0.5 - y0[edge]) / (y1 - y0)[edge]
    col = np.ceil(x0[edge] + along * (x1 - x0)[edge] - 0.5).clip(0, width).astype(np.int64)
    np.add.at(crossings, (row, col), 1)
    inside: NDArray[np.bool_] = np.cumsum(crossings, axis=1)[:, :-1] % 2 == 1
    return inside
