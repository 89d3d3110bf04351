"""The crater of an edifice: the rim that runs around its summit, and the floor inside.

References
----------
C. A. Wood (1980), Morphometric evolution of cinder cones, J. Volcanol. Geotherm. Res. 7, 387-413,
doi:10.1016/0377-0273(80)90040-2 (crater width, rim to rim; depth, rim to floor).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .closed_path import closed_path
from .dem_levels import DemTile
from .depression_fill import filled
from .polar import PolarDem

FloatArray = NDArray[np.float64]
WIDEST = 0.7
"""A rim is looked for within this part of the base's radius: craters of cinder cones are 0.40 +- 0.11 of the base wide
(Wood 1980), and calderas reach two thirds."""
LEAST_DEPTH = 0.05
"""Depth over the edifice's height below which a hollow in the summit is no crater."""
LEAST_DEPTH_CELLS = 0.05
"""Depth over the cell's side that DEM noise does not make: 1.5 m at 30 m."""
LEAST_WIDTH_CELLS = 3.0
"""A hollow that is narrower is a single wrong cell or two."""
LEAST_RIM = 0.6
"""Share of the rim that must stand above half of the depth; a breach may take the rest."""
BREACHED = 0.2
"""A crater whose lowest rim is less than this part of its depth above the floor is breached."""
_OBLIQUE = 2
_ROUGHNESS = 1.0


@dataclass(frozen=True)
class Crater:
    """A crater or a breached one."""

    radius_m: FloatArray
    """(A,) metres to the rim, along each ray of the polar DEM that it was found on."""
    azimuth: FloatArray
    """(A,) radians from east, counter-clockwise."""
    centre: tuple[float, float]
    """(col, row) on the grid of level 0 that the rays start from."""
    width_m: float
    """Diameter of the circle of the rim's area."""
    depth_m: float
    """Of the lowest point inside below the rim's mean elevation."""
    breached: bool
    """True if a part of the rim is gone."""


def deepest_hollow(
    tile: DemTile, centre: tuple[float, float], metric: FloatArray, radius_m: float
) -> tuple[float, float]:
    """Return the (col, row) on a tile of the deepest closed hollow within a radius of ``centre``; else ``centre``."""
    height, width = tile.elevation.shape
    rows, cols = np.mgrid[0:height, 0:width] + 0.5
    east = metric[0, 0] * (cols - centre[0]) + metric[0, 1] * (rows - centre[1])
    north = metric[1, 0] * (cols - centre[0]) + metric[1, 1] * (rows - centre[1])
    depth = filled(tile.elevation) - tile.elevation
    depth = np.where(np.isfinite(depth) & (np.hypot(east, north) <= radius_m), depth, 0.0)
    if depth.max() <= 0.0:
        return centre
    # the middle of its deep half, and not its deepest cell, which lies at a wall as often as not
    deep = depth > 0.5 * depth.max()
    row, col = np.unravel_index(int(np.argmax(depth)), depth.shape)
    near = deep & (np.hypot(rows - row - 0.5, cols - col - 0.5) < 0.25 * min(height, width))
    return float(cols[near].mean()), float(rows[near].mean())


def find_crater(
    polar: PolarDem, centre: tuple[float, float], *, base_radius_m: float, height_m: float, cell_m: float
) -> Crater | None:
    """Return the crater around a polar DEM's centre, or None.

    Parameters
    ----------
    polar : PolarDem
        From the middle of the summit's hollow, out to the widest rim that is possible.
    centre : tuple of float
        Its (col, row) on level 0.
    base_radius_m, height_m : float
        Of the edifice.
    cell_m : float
        Side of the DEM's cell.

    Notes
    -----
    The rim is the closed way over the highest ground around the centre (least cost = least depth below the summit). It
    is a rim where most of it stands above the floor inside.
    """
    usable = polar.radius_m <= WIDEST * base_radius_m
    heights = polar.elevation[:, usable]
    if heights.shape[1] < 4 or np.isnan(heights).mean() > 1.0 - LEAST_RIM or height_m <= 0.0:
        return None
    known = np.where(np.isnan(heights), np.nanmin(heights), heights)
    cost = (known.max() - known) / height_m
    path = closed_path(cost, most_steps=_OBLIQUE, step_cost=_ROUGHNESS / known.shape[1])
    rim = known[np.arange(len(path)), path]
    inside = np.arange(known.shape[1]) <= path[:, None]
    if float(np.mean(path >= known.shape[1] - 2)) > 1.0 - LEAST_RIM:
        return None
    floor = float(known[inside].min())
    depth = float(np.mean(rim)) - floor
    least = max(LEAST_DEPTH * height_m, LEAST_DEPTH_CELLS * cell_m)
    radius = polar.radius_m[path]
    width = 2.0 * float(np.sqrt(np.mean(radius**2)))
    if depth < least or float(np.mean(rim > floor + 0.5 * depth)) < LEAST_RIM or width < LEAST_WIDTH_CELLS * cell_m:
        return None
    breached = float(rim.min()) - floor < BREACHED * depth
    return Crater(radius, polar.azimuth, centre, width, depth, breached)
