"""A DEM seen from a centre: elevations along rays, at true distances on the ground."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .dem_levels import DemTile, ground_matrix, inverted

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class PolarDem:
    """Elevations along rays from a centre."""

    elevation: FloatArray
    """(A, R) metres, bilinear; NaN where one of the four cells around is unusable or the DEM ends."""
    azimuth: FloatArray
    """(A,) radians, mathematical: from east, counter-clockwise. Equal steps around the circle."""
    radius_m: FloatArray
    """(R,) true metres from the centre, equal steps, growing; the first is not 0."""

    @property
    def step_m(self) -> float:
        """Metres between two samples of a ray."""
        return float(self.radius_m[0])

    def points(self) -> tuple[FloatArray, FloatArray]:
        """Return metres east and north of the centre of each sample, (A, R) each."""
        east = np.cos(self.azimuth)[:, None] * self.radius_m
        north = np.sin(self.azimuth)[:, None] * self.radius_m
        return east, north


def sample_polar(
    tile: DemTile,
    centre: tuple[float, float],
    reach_m: float,
    *,
    rays: int,
    samples: int,
    metric: FloatArray | None = None,
) -> PolarDem:
    """Return elevations along ``rays`` from a centre (col, row on the tile) out to ``reach_m``, ``samples`` each.

    ``metric`` (2, 2) is the metres for a step of one column and one row; found at the centre where left out.
    """
    azimuth = np.arange(rays) * (2.0 * np.pi / rays)
    radius = reach_m * np.arange(1, samples + 1) / samples
    inverse = inverted(ground_matrix(tile.grid, centre) if metric is None else metric)
    east, north = np.cos(azimuth)[:, None] * radius, np.sin(azimuth)[:, None] * radius
    cols = centre[0] + inverse[0, 0] * east + inverse[0, 1] * north
    rows = centre[1] + inverse[1, 0] * east + inverse[1, 1] * north
    return PolarDem(bilinear(tile.elevation, cols, rows), azimuth, radius)


def bilinear(elevation: NDArray[np.float32], cols: FloatArray, rows: FloatArray) -> FloatArray:
    """Return elevations at continuous pixels (the first cell's centre is 0.5, 0.5); NaN beyond the outer centres."""
    height, width = elevation.shape
    if height < 2 or width < 2:
        return np.full(cols.shape, np.nan)
    x, y = cols - 0.5, rows - 0.5
    inside = (x >= 0.0) & (x <= width - 1.0) & (y >= 0.0) & (y <= height - 1.0)
    left = np.clip(np.floor(x), 0, width - 2).astype(np.int64)
    top = np.clip(np.floor(y), 0, height - 2).astype(np.int64)
    u, v = np.clip(x - left, 0.0, 1.0), np.clip(y - top, 0.0, 1.0)
    upper = elevation[top, left] * (1.0 - u) + elevation[top, left + 1] * u
    lower = elevation[top + 1, left] * (1.0 - u) + elevation[top + 1, left + 1] * u
    return np.where(inside, upper * (1.0 - v) + lower * v, np.nan)
