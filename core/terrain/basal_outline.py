"""Where a landform that rises all around ends: its basal outline, as the break of slope at its foot.

Along each ray from the centre the ground is compared with a line that falls with a reference slope T. The sample that
lies deepest below that line is where the ground stops falling faster than T: the concave break of slope at the foot.
The way around through these samples is chosen as one closed least-cost contour, so that a ray that runs down a valley,
or across a col to the next hill, is held by its neighbours.

References
----------
L. D. Euillades, P. Grosse, P. A. Euillades (2013), NETVOLC: an algorithm for automatic delimitation of volcano edifice
boundaries using DEMs, Computers & Geosciences 56, 151-160, doi:10.1016/j.cageo.2013.03.011: the boundary is the closed
path of least cost over concave breaks of slope.
D. R. Bohnenstiehl et al. (2012), A modified basal outlining algorithm for identifying topographic highs from gridded
elevation data, Part 1, Computers & Geosciences 49, 308-314, doi:10.1016/j.cageo.2012.04.023: the base is followed
along profiles from a closed contour.
P. L. Rosin (2001), Unimodal thresholding, Pattern Recognition 34, 2083-2096, doi:10.1016/S0031-3203(00)00136-9: the
knee of a falling curve is where it is deepest below its chord.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .closed_path import closed_path
from .polar import PolarDem

FloatArray = NDArray[np.float64]
FOOT = 1.0 / math.e
"""The foot is where the ground falls with this part of the flank's slope: on a profile that flattens exponentially, as
stratovolcanoes' do (Karatson et al. 2010, doi:10.1016/j.jvolgeores.2010.01.006), that is one decay length down."""
RING_PLAIN_DEG = 8.0
"""A foot is never looked for where the ground falls less steeply than the flank's part, but more than this: the aprons
and ring plains around a cone fall with less (Davidson and de Silva 2000, Composite volcanoes, Encyclopedia of
Volcanoes, 663-681)."""
FLANK = 0.25
"""A ray's flank slope is its steepest mean over this part of the radius: longer than a cliff or a gully's head."""
SUMMIT = 0.2
"""The outline never comes nearer than this part of the reach, lest it runs around a crater's inner foot."""
OBLIQUE = 2
"""Samples that neighbouring rays may differ by: with twice as many rays as samples, about 45 degrees to the ray."""
ROUGHNESS = 1.0
"""What a way costs that goes from the centre to the end of the reach, in heights of the landform: a step costs more
than the noise on a ray, and less than a real spur."""
ROUNDS = 3
_UNKNOWN = 0.25


@dataclass(frozen=True)
class BasalOutline:
    """A closed contour around a centre."""

    radius_m: FloatArray
    """(A,) metres from the centre along each ray of the polar DEM, cut where the data ends."""
    cut: NDArray[np.bool_]
    """(A,) True where the data ends before the landform does."""
    flank_slope: float
    """Fall of the flank, metres per metre."""
    base: tuple[float, float, float]
    """(a, b, c): the plane through the foot, elevation = a * east + b * north + c, metres from the centre."""
    open: float
    """Share of the rays whose foot lies at the end of the polar DEM: it may be farther out."""

    @property
    def mean_radius_m(self) -> float:
        """Radius of the circle of the same area."""
        return float(np.sqrt(np.mean(self.radius_m**2)))


def trace_base(polar: PolarDem, rounds: int = ROUNDS) -> BasalOutline | None:
    """Return the basal outline, or None where nothing falls away from the centre.

    Parameters
    ----------
    polar : PolarDem
        Elevations out to about twice the expected radius.
    rounds : int
        How often the plane below the landform and its flank's slope are taken from the outline, and it is traced anew.
    """
    filled, last = _known(polar.elevation)
    if filled is None:
        return None
    east, north = polar.points()
    plane = np.zeros(3)
    radius = np.full(len(filled), polar.radius_m[-1] / 2.0)
    slope = foot = 0.0
    for _ in range(max(1, rounds)):
        ground = filled - (plane[0] * east + plane[1] * north)
        slope = _flank_slope(ground, polar, float(np.median(radius)))
        if slope <= 0.0:
            return None
        foot = min(FOOT * slope, math.tan(math.radians(RING_PLAIN_DEG)))
        path = closed_path(
            _cost(ground, last, polar, slope, foot), most_steps=OBLIQUE, step_cost=ROUGHNESS / len(polar.radius_m)
        )
        radius = polar.radius_m[path]
        plane = _plane(filled, path, last, east, north, steepest=foot)
    ends = polar.radius_m[last]
    falls_on = _falls_at_the_end(filled - (plane[0] * east + plane[1] * north), last, polar.step_m) > foot
    cut = (radius > ends + 0.5 * polar.step_m) | ((radius > ends - 1.5 * polar.step_m) & falls_on)
    cut &= last < len(polar.radius_m) - 1
    a, b, c = plane.tolist()
    at_reach = float(np.mean((path >= len(polar.radius_m) - 2) & (last >= len(polar.radius_m) - 2)))
    return BasalOutline(np.minimum(radius, ends), cut, slope, (a, b, c), at_reach)


def _known(elevation: FloatArray) -> tuple[FloatArray | None, NDArray[np.int64]]:
    """Return elevations with gaps bridged and the ends carried on, and the last known sample of each ray."""
    known = np.isfinite(elevation)
    samples = np.arange(elevation.shape[1])
    last = np.where(known.any(axis=1), elevation.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1), 0)
    if known.sum() < 0.25 * known.size:
        return None, last
    lowest = np.nanmin(elevation)
    filled = np.empty_like(elevation)
    for ray, usable in enumerate(known):
        filled[ray] = np.interp(samples, samples[usable], elevation[ray, usable]) if usable.any() else lowest
    return filled, last


def _falls_at_the_end(ground: FloatArray, last: NDArray[np.int64], step_m: float) -> FloatArray:
    """Return the fall of each ray over the last three steps before its data ends, metres per metre."""
    rays = np.arange(len(ground))
    before = np.maximum(last - 3, 0)
    fall: FloatArray = (ground[rays, before] - ground[rays, last]) / (np.maximum(last - before, 1) * step_m)
    return fall


def _flank_slope(ground: FloatArray, polar: PolarDem, radius_m: float) -> float:
    """Return the median over the rays of their steepest fall over ``FLANK`` of the radius."""
    span = max(2, round(FLANK * radius_m / polar.step_m))
    reach = max(span + 1, round(1.5 * radius_m / polar.step_m))
    falls = (ground[:, :-span] - ground[:, span:])[:, :reach] / (span * polar.step_m)
    return float(np.median(falls.max(axis=1)))


def _cost(ground: FloatArray, last: NDArray[np.int64], polar: PolarDem, slope: float, foot: float) -> FloatArray:
    """Return how far each sample lies above the deepest possible one, in heights of the landform; (A, R)."""
    samples = np.arange(ground.shape[1])
    beyond = np.maximum(samples - last[:, None], 0) * polar.step_m
    raised = ground + foot * (polar.radius_m + _UNKNOWN * beyond - beyond)
    height = slope * polar.radius_m[-1] / 2.0
    cost: FloatArray = raised / height
    nearest = int(SUMMIT * ground.shape[1])
    cost[:, :nearest] = cost.max() + 1.0
    cost -= cost.min()
    return cost


def _plane(
    filled: FloatArray,
    path: NDArray[np.int64],
    last: NDArray[np.int64],
    east: FloatArray,
    north: FloatArray,
    *,
    steepest: float,
) -> FloatArray:
    """Return the plane (3,) through the foot, no steeper than ``steepest``; level where few feet are known."""
    rays = np.arange(len(path))
    x, y, z = east[rays, path], north[rays, path], filled[rays, path]
    seen = path <= last
    if seen.sum() < len(path) / 2:
        return np.array([0.0, 0.0, float(np.median(z))])
    table = np.column_stack([x[seen], y[seen], np.ones(int(seen.sum()))])
    plane: FloatArray = np.linalg.lstsq(table, z[seen], rcond=None)[0]
    tilt = float(np.hypot(plane[0], plane[1]))
    if tilt > steepest:
        plane[:2] *= steepest / tilt
        plane[2] = float(np.mean(z[seen] - table[:, :2] @ plane[:2]))
    return plane
