"""Slope, aspect, curvatures and radial convergence of an elevation grid, in true ground units.

All work on 3 x 3 cells or more, use only usable cells, and are NaN where those don't suffice: a void never enters a
neighbour's value, and a plane stays the same plane up to the edge of the data. Directions follow the map: north is up
along the CRS's y axis (grid north).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .convergence import radial_convergence
from .elevation import ElevationGrid
from .smoothing import smoothed
from .surface import Float32Array, FloatArray, Surface, gradient, second_order, strips

__all__ = [
    "aspect_deg",
    "gradient",
    "plan_curvature",
    "profile_and_tangential",
    "profile_curvature",
    "radial_convergence",
    "slope_deg",
    "smoothed",
    "tangential_curvature",
]


def slope_deg(elevation: ElevationGrid) -> Float32Array:
    """Return the slope in degrees, 0 to 90, float32 (H, W); NaN where unknown. See :func:`gradient`."""
    east, north = gradient(elevation)
    slope: Float32Array = np.degrees(np.arctan(np.hypot(east, north, out=east), out=east), out=east)
    return slope


def aspect_deg(elevation: ElevationGrid) -> Float32Array:
    """Return the direction that each cell faces (downslope), in degrees clockwise from grid north, 0 to 360.

    float32 (H, W); NaN where unknown and on flat ground, which faces nowhere. See :func:`gradient`.
    """
    east, north = gradient(elevation)
    flat = (east == 0.0) & (north == 0.0)
    aspect: Float32Array = np.degrees(np.arctan2(-east, -north)) % np.float32(360.0)
    # The remainder of a tiny negative angle is 360 itself.
    aspect[aspect >= 360.0] = 0.0
    aspect[flat] = np.nan
    return aspect


def profile_curvature(elevation: ElevationGrid) -> Float32Array:
    """Return the normal curvature along the line of steepest slope, 1/m, positive where convex, float32 (H, W).

    Negative at the concave foot of a cone; 1/R on a ball of radius R. 0 on flat ground; NaN where unknown.

    References
    ----------
    Zevenbergen, L. W., Thorne, C. R. (1987). Quantitative analysis of land surface topography. Earth Surface Processes
    and Landforms 12(1), 47-56. https://doi.org/10.1002/esp.3290120107 (the derivatives)
    Mitasova, H., Hofierka, J. (1993). Interpolation by regularized spline with tension: II. Application to terrain
    modeling and surface geometry analysis. Mathematical Geology 25, 657-669. https://doi.org/10.1007/BF00893172
    """
    return _curvature(elevation, _profile)


def plan_curvature(elevation: ElevationGrid) -> Float32Array:
    """Return the curvature of the contour line, 1/m, positive where convex (spurs), float32 (H, W).

    1/r on a cone at the distance r from its axis. It grows without bound towards flat ground; exactly flat cells are
    0. NaN where unknown. References as for :func:`profile_curvature`.
    """
    return _curvature(elevation, _plan)


def tangential_curvature(elevation: ElevationGrid) -> Float32Array:
    """Return the normal curvature across the line of steepest slope, 1/m, positive where convex, float32 (H, W).

    The plan curvature times the sine of the slope, and so of the same size as the profile curvature and tame on flat
    ground. 1/R on a ball of radius R. NaN where unknown. References as for :func:`profile_curvature`.
    """
    return _curvature(elevation, _tangential)


def profile_and_tangential(elevation: ElevationGrid) -> tuple[Float32Array, Float32Array]:
    """Return both normal curvatures for the price of one; see :func:`profile_curvature`."""
    profile, tangential = (np.empty(elevation.metres.shape, dtype=np.float32) for _ in range(2))
    for rows, cells in strips(elevation):
        surface = second_order(elevation, rows, cells)
        profile[rows], tangential[rows] = _profile(surface), _tangential(surface)
    return profile, tangential


def _curvature(elevation: ElevationGrid, formula: Callable[[Surface], FloatArray]) -> Float32Array:
    curvature = np.empty(elevation.metres.shape, dtype=np.float32)
    for rows, cells in strips(elevation):
        curvature[rows] = formula(second_order(elevation, rows, cells))
    return curvature


def _profile(surface: Surface) -> FloatArray:
    p, q = surface.east, surface.north
    steepness = p * p + q * q
    bend = p * p * surface.east_east + 2.0 * p * q * surface.east_north + q * q * surface.north_north
    return _over(-bend, steepness * (1.0 + steepness) ** 1.5)


def _tangential(surface: Surface) -> FloatArray:
    steepness = surface.east**2 + surface.north**2
    return _over(-_across(surface), steepness * np.sqrt(1.0 + steepness))


def _plan(surface: Surface) -> FloatArray:
    return _over(-_across(surface), (surface.east**2 + surface.north**2) ** 1.5)


def _across(surface: Surface) -> FloatArray:
    p, q = surface.east, surface.north
    bend: FloatArray = q * q * surface.east_east - 2.0 * p * q * surface.east_north + p * p * surface.north_north
    return bend


def _over(above: FloatArray, below: FloatArray) -> FloatArray:
    """Return the quotient, 0 where the divisor is 0."""
    return np.where(below == 0.0, np.where(np.isnan(above), np.nan, 0.0), above / np.where(below == 0.0, 1.0, below))
