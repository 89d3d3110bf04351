"""A first cheap look at many candidates, so that only those that can pass are traced."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..progress import Progress, check
from .candidates import Candidate
from .dem_levels import DemLevels
from .edifice import look_around
from .evidence import NEIGHBOURS, SURROUNDINGS
from .polar import PolarDem

MOST_NEIGHBOURS = 3.0 * NEIGHBOURS
"""Twice the share of high surroundings at which nothing else could bring the confidence to one half: the candidate's
radius is only about the outline's."""
LEAST_SYMMETRY = 0.5
"""Share of the relief that the distance from the candidate explains: half of it, for a circle that is only about the
outline. Measured on the development DEMs: 0.4 to 0.75 in mountains, 0.56 and more on volcanoes."""
RAYS, SAMPLES = 24, 16
_CELLS = 8.0
_REACH = 2.0


def promising(
    levels: DemLevels, candidates: list[Candidate], least_height_m: float, progress: Progress
) -> list[Candidate]:
    """Return the candidates that are high enough and not amid others of their height, in the same order.

    Raises
    ------
    Cancelled
        If the user asked to stop.
    """
    kept = []
    for index, candidate in enumerate(candidates):
        check(progress)
        radius = candidate.radius_m
        polar = look_around(
            levels, candidate.pixel, _REACH * radius, radius / _CELLS, progress, rays=RAYS, samples=SAMPLES
        )
        if _may_stand(polar, radius, least_height_m):
            kept.append(candidate)
        progress.report((index + 1) / len(candidates), "Looking at each place")
    return kept


def _may_stand(polar: PolarDem, radius_m: float, least_height_m: float) -> bool:
    within = polar.radius_m / radius_m
    heights, known = polar.elevation, np.isfinite(polar.elevation)
    ring = _values(heights, known & (within > 0.9) & (within < 1.1))
    top = _values(heights, known & (within < 0.6))
    if top.size < RAYS / 4:
        return False
    if ring.size < RAYS / 4:
        # its foot is mostly beyond the DEM: nothing to go by yet
        return True
    base, summit = float(np.median(ring)), float(np.percentile(top, 95.0))
    # the outline may lie farther out and lower than the candidate's ring
    if summit - base < 0.5 * least_height_m:
        return False
    if _symmetry(polar, radius_m) < LEAST_SYMMETRY:
        return False
    outside = known & (within > SURROUNDINGS[0]) & (within < SURROUNDINGS[1])
    if not outside.any():
        return True
    area = np.broadcast_to(polar.radius_m, heights.shape)
    high = outside & (heights > 0.5 * (base + summit))
    return float(area[high].sum()) <= MOST_NEIGHBOURS * float(area[outside].sum())


def _symmetry(polar: PolarDem, radius_m: float) -> float:
    """Return the share of the relief above an inclined plane that the distance from the centre explains."""
    inside = (polar.radius_m >= 0.2 * radius_m) & (polar.radius_m <= 1.01 * radius_m)
    heights = polar.elevation[:, inside]
    whole = np.isfinite(heights).all(axis=1)
    if whole.sum() < RAYS / 4:
        return 1.0
    east, north = (axis[:, inside][whole] for axis in polar.points())
    heights = heights[whole]
    table = np.column_stack([east.ravel(), north.ravel(), np.ones(east.size)])
    plane = np.linalg.lstsq(table, heights.ravel(), rcond=None)[0]
    above = heights - (plane[0] * east + plane[1] * north)
    weight = np.broadcast_to(polar.radius_m[inside], above.shape)
    total = float((weight * (above - np.average(above, weights=weight)) ** 2).sum())
    rest = float((weight * (above - above.mean(axis=0)) ** 2).sum())
    return 1.0 - rest / total if total > 0.0 else 0.0


def _values(heights: NDArray[np.float64], chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    values: NDArray[np.float64] = heights[chosen]
    return values
