"""An edifice: a candidate with its basal outline, at the centre and the reach that fit it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..progress import Progress, check
from ..raster.grid import Window
from .basal_outline import ROUNDS, BasalOutline, trace_base
from .candidates import Candidate
from .dem_levels import DemLevels, DemTile, inverted
from .polar import PolarDem, sample_polar

FloatArray = NDArray[np.float64]
REACH = 2.0
"""How far beyond the expected radius is looked: the foot is looked for in the middle of the reach."""
MOST_GROWTH = 3
OPEN = 0.2
"""With more of its rays than this at the end of the reach, the foot lies farther out."""
MOST_CUT = 0.1
"""With more of its rays than this cut by the end of the data, the middle of what is seen is not the middle."""
RAYS, SAMPLES = 96, 48
CELLS = 16.0
"""An outline is traced on the level where its radius has at least this many cells."""


@dataclass(frozen=True)
class Edifice:
    """A landform that rises all around, and where it ends."""

    centre: tuple[float, float]
    """(col, row), continuous, on the grid of level 0."""
    outline: BasalOutline
    """Its foot, seen from the centre."""
    polar: PolarDem
    """The DEM that the outline was traced on."""
    candidate: Candidate
    """What it was found by."""


def trace_edifice(
    levels: DemLevels, candidate: Candidate, progress: Progress, *, rays: int = RAYS, samples: int = SAMPLES
) -> Edifice | None:
    """Return the edifice around a candidate; None where the ground does not fall away on most sides.

    The reach grows while the foot lies at its end; then the centre is moved to the middle of the outline, because a
    summit's rim, a breach or the next hill draws it aside, and the outline is traced once more from there.

    Raises
    ------
    Cancelled
        If the user asked to stop.
    """
    check(progress)
    centre, radius = candidate.pixel, candidate.radius_m
    polar, outline = _traced(levels, centre, radius, progress, rays, samples)
    for _ in range(MOST_GROWTH):
        if outline is None or outline.open <= OPEN:
            break
        polar, outline = _traced(levels, centre, outline.mean_radius_m, progress, rays, samples)
    if outline is None:
        return None
    if float(np.mean(outline.cut)) <= MOST_CUT:
        centre = moved(levels, centre, _middle(polar, outline))
        polar, outline = _traced(levels, centre, outline.mean_radius_m, progress, rays, samples)
    return None if outline is None else Edifice(centre, outline, polar, candidate)


def _traced(
    levels: DemLevels, centre: tuple[float, float], radius_m: float, progress: Progress, *size: int
) -> tuple[PolarDem, BasalOutline | None]:
    rays, samples = size
    rounds = ROUNDS if samples >= SAMPLES else ROUNDS - 1  # a coarse outline needs no fine slope
    polar = look_around(levels, centre, REACH * radius_m, radius_m / CELLS, progress, rays=rays, samples=samples)
    return polar, trace_base(polar, rounds)


def look_around(
    levels: DemLevels,
    centre: tuple[float, float],
    reach_m: float,
    cell_m: float,
    progress: Progress,
    *,
    rays: int = RAYS,
    samples: int = SAMPLES,
) -> PolarDem:
    """Return the DEM around a centre (pixel of level 0), from the level that is just fine enough for ``cell_m``."""
    tile, at = tile_around(levels, centre, reach_m, cell_m, progress)
    metric = levels.metric(centre, levels.level_for(cell_m))
    return sample_polar(tile, at, reach_m, rays=rays, samples=samples, metric=metric)


def tile_around(
    levels: DemLevels, centre: tuple[float, float], reach_m: float, cell_m: float, progress: Progress
) -> tuple[DemTile, tuple[float, float]]:
    """Return the part of a level that holds a circle, and the centre's (col, row) on it."""
    level = levels.level_for(cell_m)
    col, row = centre[0] / 2.0**level, centre[1] / 2.0**level
    inverse = inverted(levels.metric(centre, level))
    half = math.ceil(reach_m * float(np.hypot(inverse[:, 0], inverse[:, 1]).max())) + 2
    first_col, first_row = max(0, int(col) - half), max(0, int(row) - half)
    size = int(col) + half + 1 - first_col, int(row) + half + 1 - first_row
    tile = levels.read(level, Window(first_col, first_row, *size), progress)
    return tile, (col - first_col, row - first_row)


def moved(levels: DemLevels, centre: tuple[float, float], metres: tuple[float, float]) -> tuple[float, float]:
    """Return a pixel of level 0 moved by metres east and north, kept on the grid."""
    grid = levels.grid(0)
    step = inverted(levels.metric(centre)) @ np.array(metres)
    col = min(max(centre[0] + float(step[0]), 0.5), grid.width - 0.5)
    row = min(max(centre[1] + float(step[1]), 0.5), grid.height - 0.5)
    return col, row


def _middle(polar: PolarDem, outline: BasalOutline) -> tuple[float, float]:
    """Return the area's centroid in metres from the centre, by sectors of a circle."""
    cubes, squares = outline.radius_m**3, outline.radius_m**2
    area = float(squares.sum()) * 1.5
    east = float((cubes * np.cos(polar.azimuth)).sum()) / area
    north = float((cubes * np.sin(polar.azimuth)).sum()) / area
    return east, north
