"""True metres: geodesic area and perimeter of polygons, and the local metric of any CRS."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..proj_thread import calls_proj
from ..raster import crs as crs_maths

FloatArray = NDArray[np.float64]
_PIECE_M = 1000.0
_MOST_PIECES = 4096
_STEP_M = 50.0


@dataclass(frozen=True)
class Measures:
    """Size of a polygon on the ground."""

    area_m2: float
    """Square metres, holes left out."""
    perimeter_m: float
    """Metres, holes included."""


@calls_proj
def measure(geometry: Any, crs: str | None) -> Measures:
    """Return the geodesic area and perimeter of a shapely Polygon or MultiPolygon.

    Parameters
    ----------
    geometry : shapely Polygon or MultiPolygon
        Its sides are straight in ``crs``.
    crs : str or None
        None is pixel space: a unit counts as a metre. So does the unit of a CRS without an ellipsoid, by its length.

    Notes
    -----
    Sides are cut into pieces of about a kilometre before they are brought to the ellipsoid, because what is straight on
    the map is not on the ground: the rest of the error is below a millionth of the area. The area is Karney's exact
    geodesic polygon area, the ellipsoid the CRS's own.

    References
    ----------
    C. F. F. Karney (2013), Algorithms for geodesics, J. Geodesy 87, 43-55, doi:10.1007/s00190-012-0578-z.

    Examples
    --------
    >>> from shapely.geometry import box
    >>> measure(box(0, 0, 3, 4), None)
    Measures(area_m2=12.0, perimeter_m=14.0)
    """
    area = perimeter = 0.0
    for polygon in getattr(geometry, "geoms", [geometry]):
        for index, ring in enumerate([polygon.exterior, *polygon.interiors]):
            ring_area, length = measure_ring(np.asarray(ring.coords, dtype=np.float64)[:, :2], crs)
            area += ring_area if index == 0 else -ring_area
            perimeter += length
    return Measures(max(area, 0.0), perimeter)


@calls_proj
def measure_ring(ring: FloatArray, crs: str | None) -> tuple[float, float]:
    """Return the area in m2 (never negative) and the length in metres of a closed ring (N, 2), first point = last."""
    base = None if crs is None else crs_maths.geodetic(crs)
    if crs is not None and base is not None:
        to_degrees, geod = base
        pieces = _in_pieces(ring, crs_maths.metres_per_unit(crs))
        longitude, latitude = to_degrees.transform(pieces[:, 0], pieces[:, 1])
        if np.isfinite(longitude).all() and np.isfinite(latitude).all():
            area, length = geod.polygon_area_perimeter(longitude, latitude)
            return abs(float(area)), float(length)
    unit = 1.0 if crs is None else crs_maths.metres_per_unit(crs)
    x, y = ((ring - ring[0]) * unit).T
    doubled = float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))
    return abs(doubled) / 2.0, float(np.hypot(np.diff(x), np.diff(y)).sum())


@dataclass(frozen=True)
class LocalFrame:
    """A flat frame of true metres around a place: where tolerances and distances mean what they say."""

    origin: tuple[float, float]
    """(x, y) in the CRS."""
    matrix: FloatArray
    """(2, 2): metres east and north of the origin for one CRS unit of x (first column) and of y (second)."""

    def to_metres(self, xy: FloatArray) -> FloatArray:
        """Return CRS coordinates (N, 2) in metres from the origin (N, 2)."""
        moved: FloatArray = (xy - self.origin) @ self.matrix.T
        return moved

    def to_crs(self, metres: FloatArray) -> FloatArray:
        """Return metres from the origin (N, 2) in CRS coordinates (N, 2)."""
        (a, b), (d, e) = self.matrix.tolist()
        inverse = np.array([[e, -b], [-d, a]]) / (a * e - b * d)
        moved: FloatArray = metres @ inverse.T + self.origin
        return moved


@calls_proj
def local_frame(origin: ArrayLike, crs: str | None) -> LocalFrame:
    """Return the local metric of ``crs`` at a point (x, y): exact at the point, whatever the CRS.

    Pixel space, and a point that has no longitude and latitude, get the CRS's unit in both directions.
    """
    x, y = (float(value) for value in np.asarray(origin, dtype=np.float64))
    unit = 1.0 if crs is None else crs_maths.metres_per_unit(crs)
    matrix = np.eye(2) * unit
    base = None if crs is None else crs_maths.geodetic(crs)
    if base is not None:
        found = _ground_matrix(x, y, _STEP_M / unit, base)
        if np.isfinite(found).all() and abs(float(np.linalg.det(found))) > 1e-9 * unit**2:
            matrix = found
    return LocalFrame((x, y), matrix)


def _ground_matrix(x: float, y: float, step: float, base: tuple[Any, Any]) -> FloatArray:
    to_degrees, geod = base
    ends = np.array([(x, y), (x + step, y), (x - step, y), (x, y + step), (x, y - step)])
    longitude, latitude = to_degrees.transform(ends[:, 0], ends[:, 1])
    if not (np.isfinite(longitude).all() and np.isfinite(latitude).all()) or np.abs(latitude).max() > 90.0:
        return np.full((2, 2), math.nan)
    start = np.full((2, 4), [[longitude[0]], [latitude[0]]])
    azimuth, _, distance = geod.inv(start[0], start[1], longitude[1:], latitude[1:])
    ground = np.array([distance * np.sin(np.radians(azimuth)), distance * np.cos(np.radians(azimuth))])
    matrix: FloatArray = (ground[:, 0::2] - ground[:, 1::2]) / (2.0 * step)
    return matrix


def _in_pieces(ring: FloatArray, metres_per_unit: float) -> FloatArray:
    """Return the ring with points added on its long sides."""
    sides = np.diff(ring, axis=0)
    lengths = np.hypot(sides[:, 0], sides[:, 1]) * metres_per_unit
    counts = np.clip(np.ceil(lengths / _PIECE_M), 1, _MOST_PIECES).astype(np.int64)
    if (counts == 1).all():
        return ring
    which = np.repeat(np.arange(len(sides)), counts)
    within = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    cut: FloatArray = ring[which] + sides[which] * (within / counts[which])[:, None]
    return np.vstack([cut, ring[-1:]])
