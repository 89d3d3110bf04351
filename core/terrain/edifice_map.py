"""From an edifice's rays back to the map: outline, summit, crater and prompts in the DEM's CRS."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import native
from ..progress import Progress
from .crater import Crater, deepest_hollow, find_crater
from .dem_levels import DemLevels, inverted
from .edifice import Edifice, look_around, tile_around
from .outliner import EXCLUDE_AT, INCLUDE_AT

FloatArray = NDArray[np.float64]
SUMMIT_CELLS = 100.0
"""The summit is looked for on the level where the radius has at least this many cells."""
CRATER_CELLS = 48.0
"""Hollows are looked for on the level where the radius has at least this many cells: a crater of a tenth of the base is
five of them wide."""
_RAYS, _SAMPLES = 96, 48


def on_map(levels: DemLevels, centre: tuple[float, float], azimuth: FloatArray, radius_m: FloatArray) -> FloatArray:
    """Return map points (N, 2) at true distances from a centre (col, row of level 0)."""
    metres = np.column_stack([np.cos(azimuth) * radius_m, np.sin(azimuth) * radius_m])
    pixels = np.array(centre) + metres @ inverted(levels.metric(centre)).T
    return levels.grid(0).to_map(pixels)


def in_metres(levels: DemLevels, centre: tuple[float, float], x: Any, y: Any) -> tuple[FloatArray, FloatArray]:
    """Return map coordinates as true metres east and north of a centre (col, row of level 0)."""
    points = np.column_stack([np.atleast_1d(np.asarray(x, np.float64)), np.atleast_1d(np.asarray(y, np.float64))])
    metres = (levels.grid(0).to_pixel(points) - np.array(centre)) @ levels.metric(centre).T
    return metres[:, 0], metres[:, 1]


def polygon(levels: DemLevels, centre: tuple[float, float], azimuth: FloatArray, radius_m: FloatArray) -> Any:
    """Return the valid shapely Polygon of a contour around a centre, in the DEM's CRS, counter-clockwise."""
    shapely = native.shapely()
    shape = shapely.geometry.Polygon(on_map(levels, centre, azimuth, np.maximum(radius_m, 1e-3)))
    if not shape.is_valid:
        shape = max(getattr(shape.buffer(0), "geoms", [shape.buffer(0)]), key=lambda part: part.area)
    return shapely.geometry.polygon.orient(shape, 1.0)


def summit_of(levels: DemLevels, edifice: Edifice, progress: Progress) -> tuple[float, float, float]:
    """Return the map (x, y) and the elevation of the highest cell inside the outline."""
    outline = edifice.outline
    reach = float(outline.radius_m.max())
    cell = outline.mean_radius_m / SUMMIT_CELLS
    tile, at = tile_around(levels, edifice.centre, reach, cell, progress)
    metric = levels.metric(edifice.centre, levels.level_for(cell))
    rows, cols = np.mgrid[0 : tile.elevation.shape[0], 0 : tile.elevation.shape[1]] + 0.5
    east = metric[0, 0] * (cols - at[0]) + metric[0, 1] * (rows - at[1])
    north = metric[1, 0] * (cols - at[0]) + metric[1, 1] * (rows - at[1])
    azimuth = edifice.polar.azimuth
    limit = np.interp(np.arctan2(north, east), azimuth, outline.radius_m, period=2.0 * np.pi)
    heights = np.where((np.hypot(east, north) <= limit) & np.isfinite(tile.elevation), tile.elevation, -np.inf)
    row, col = np.unravel_index(int(np.argmax(heights)), heights.shape)
    x, y = tile.grid.to_map([(col + 0.5, row + 0.5)])[0]
    return float(x), float(y), float(heights[row, col])


def crater_of(levels: DemLevels, edifice: Edifice, height_m: float, progress: Progress) -> Crater | None:
    """Return the crater of an edifice, looked for around the deepest hollow near the summit and around the centre."""
    radius = edifice.outline.mean_radius_m
    cell = radius / CRATER_CELLS
    level = levels.level_for(cell)
    tile, at = tile_around(levels, edifice.centre, 0.7 * radius, cell, progress)
    metric = levels.metric(edifice.centre, level)
    col, row = deepest_hollow(tile, at, metric, 0.5 * radius)
    hollow = edifice.centre[0] + (col - at[0]) * 2.0**level, edifice.centre[1] + (row - at[1]) * 2.0**level
    found = []
    for centre in dict.fromkeys((hollow, edifice.centre)):
        polar = look_around(levels, centre, 0.75 * radius, cell, progress, rays=_RAYS, samples=_SAMPLES)
        crater = find_crater(polar, centre, base_radius_m=radius, height_m=height_m, cell_m=levels.cell_m(0))
        if crater is not None:
            found.append(crater)
    return max(found, key=lambda crater: crater.depth_m, default=None)


def prompt_points(levels: DemLevels, edifice: Edifice) -> tuple[FloatArray, FloatArray]:
    """Return map points on the edifice and beside it, (N, 2) each, for a model; those off the DEM are left out."""
    outline, azimuth = edifice.outline, edifice.polar.azimuth
    four, eight = len(azimuth) // 4, len(azimuth) // 8
    centre = np.array([levels.grid(0).to_map([edifice.centre])[0]])
    flank = on_map(levels, edifice.centre, azimuth[::four], INCLUDE_AT[1] * outline.radius_m[::four])
    beside = on_map(levels, edifice.centre, azimuth[::eight], EXCLUDE_AT * outline.radius_m[::eight])
    beside = beside[~outline.cut[::eight]]
    grid = levels.grid(0)
    return np.vstack([centre, flank])[grid.contains(grid.to_pixel(np.vstack([centre, flank])))], beside[
        grid.contains(grid.to_pixel(beside))
    ]
