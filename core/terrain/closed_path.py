"""The cheapest closed way around a centre, found exactly by dynamic programming."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Single = NDArray[np.float32]


def closed_path(cost: FloatArray, *, most_steps: int, step_cost: float) -> NDArray[np.int64]:
    """Return for each ray the sample that the cheapest closed way goes through, (A,) int64.

    Parameters
    ----------
    cost : ndarray
        (A, R) finite cost of going through sample R of ray A. The last ray lies beside the first.
    most_steps : int
        By how many samples two neighbouring rays may differ.
    step_cost : float
        Cost of each such sample of difference.

    Returns
    -------
    ndarray
        Index into R for each ray; the first and the last differ by at most ``most_steps`` too.

    Notes
    -----
    All start samples are tried at once and each must end beside itself, so the way is closed and the least of all
    closed ones, not an open one that was bent (A * R^2 * (2 ``most_steps`` + 1) additions).

    References
    ----------
    R. Bellman (1957), Dynamic Programming, Princeton; for closed contours in polar space, B. Appleton and C. Sun
    (2003), Circular shortest paths by branch and bound, Pattern Recognition 36, doi:10.1016/S0031-3203(03)00122-5.

    Examples
    --------
    >>> closed_path(np.array([[2.0, 0.0, 1.0], [0.0, 1.0, 1.0]]), most_steps=1, step_cost=0.1).tolist()
    [1, 0]
    """
    rays, samples = cost.shape
    # single precision: heights of a landform to a millimetre, at half of the time
    totals = np.empty((rays, samples, samples), dtype=np.float32)  # ray x start sample x present sample
    totals[0] = np.inf
    np.fill_diagonal(totals[0], cost[0])
    step = np.float32(step_cost)
    for ray in range(1, rays):
        _nearby_least(totals[ray - 1], most_steps, step, out=totals[ray])
        totals[ray] += cost[ray].astype(np.float32)
    closing = np.empty_like(totals[0])
    _nearby_least(totals[-1], most_steps, step, out=closing)
    start = int(np.argmin(np.diagonal(closing)))
    path = np.empty(rays, dtype=np.int64)
    sample = start
    for ray in range(rays - 1, -1, -1):
        low, high = max(0, sample - most_steps), min(samples, sample + most_steps + 1)
        sample = low + int(np.argmin(totals[ray, start, low:high] + step_cost * np.abs(np.arange(low, high) - sample)))
        path[ray] = sample
    return path


def _nearby_least(total: Single, most_steps: int, step_cost: np.float32, *, out: Single) -> None:
    """Write for each sample the least of its row's samples that can step to it, with the cost of the steps."""
    np.copyto(out, total)
    for _ in range(most_steps):
        dearer = out + step_cost
        np.minimum(out[:, 1:], dearer[:, :-1], out=out[:, 1:])
        np.minimum(out[:, :-1], dearer[:, 1:], out=out[:, :-1])
