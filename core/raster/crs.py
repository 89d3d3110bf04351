"""Coordinate reference systems: comparing them, moving points between them, and lengths on the ground.

A CRS is text everywhere in the core ("EPSG:32633" or WKT), and None is pixel space. Coordinates are always (x, y) =
(easting, northing) or (longitude, latitude), whatever axis order the CRS declares.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import native
from ..errors import CrsError, MissingCrsError
from ..proj_thread import calls_proj

FloatArray = NDArray[np.float64]
_CACHED = 64
_CODE_LENGTH = 20


@calls_proj
@functools.lru_cache(maxsize=_CACHED)
def parse(text: str) -> Any:
    """Return the ``pyproj.CRS`` that ``text`` (authority code, WKT or PROJ string) stands for.

    Raises
    ------
    CrsError
        If the text can't be understood.
    """
    pyproj = native.pyproj()
    try:
        return pyproj.CRS.from_user_input(text)
    except pyproj.exceptions.CRSError as error:
        raise CrsError(
            f"The coordinate reference system '{_short(text)}' can't be understood.",
            hint="Give an authority code such as EPSG:4326, or WKT.",
        ) from error


@calls_proj
@functools.lru_cache(maxsize=_CACHED)
def canonical(text: str) -> str:
    """Return the authority code of a CRS that is exactly a registered one, else ``text`` itself.

    Examples
    --------
    >>> canonical("epsg:4326")
    'EPSG:4326'
    """
    authority = parse(text).to_authority(min_confidence=100)
    return text if authority is None else ":".join(authority)


def same(first: str | None, second: str | None) -> bool:
    """Return True if both name the same CRS, axis order aside. Pixel space (None) is only the same as itself.

    Examples
    --------
    >>> same("EPSG:4326", "OGC:CRS84"), same("EPSG:4326", None)
    (True, False)
    """
    if first is None or second is None:
        return first is second
    return first == second or _same_parsed(first, second)


@calls_proj
@functools.lru_cache(maxsize=_CACHED)
def _same_parsed(first: str, second: str) -> bool:
    one, other = parse(first), parse(second)
    if one.equals(other, ignore_axis_order=True):
        return True
    # The same CRS written by another program differs in names only (ESRI's WKT, GeoTIFF keys).
    authority = one.to_authority()
    return authority is not None and authority == other.to_authority()


@calls_proj
def transform_points(xy: ArrayLike, from_crs: str | None, to_crs: str | None) -> FloatArray:
    """Return points (N, 2) in another CRS, as a new float64 array (N, 2).

    Raises
    ------
    MissingCrsError
        If exactly one of the two is pixel space.
    CrsError
        If there is no way between the two, or a point has no place in ``to_crs``; the message names the point.
    """
    points = np.array(xy, dtype=np.float64).reshape(-1, 2)
    if same(from_crs, to_crs):
        return points
    if from_crs is None or to_crs is None:
        raise MissingCrsError(
            f"Coordinates can't be brought from {title(from_crs)} to {title(to_crs)}.",
            hint="Give prompts in pixels for an image without a CRS, and in a CRS for a georeferenced raster.",
        )
    moved = _run(_transformer(from_crs, to_crs), points)
    lost = ~np.isfinite(moved).all(axis=1)
    if lost.any():
        x, y = points[np.flatnonzero(lost)[0]]
        raise CrsError(
            f"The point ({x:.12g}, {y:.12g}) of {title(from_crs)} has no place in {title(to_crs)}.",
            hint="Check the coordinates, their order (x, y) and their CRS.",
        )
    return moved


@calls_proj
def ground_lengths(from_xy: ArrayLike, to_xy: ArrayLike, crs: str) -> FloatArray:
    """Return the ground distances in metres (N,) from points (N, 2) to points (N, 2), both in ``crs``.

    Geodesic on the CRS's own ellipsoid, whichever body that is. Where a CRS has none (a local grid), or a point lies
    outside the area that has a longitude and latitude, the straight distance times the CRS's unit.
    """
    starts = np.asarray(from_xy, dtype=np.float64).reshape(-1, 2)
    ends = np.asarray(to_xy, dtype=np.float64).reshape(-1, 2)
    straight: FloatArray = np.hypot(*(ends - starts).T) * metres_per_unit(crs)
    base = geodetic(crs)
    if base is None:
        return straight
    to_lonlat, geod = base
    lonlat = _run(to_lonlat, np.vstack([starts, ends]))
    on_body = np.isfinite(lonlat).all(axis=1) & (np.abs(lonlat[:, 1]) <= 90.0)
    usable = on_body[: len(starts)] & on_body[len(starts) :]
    first, second = lonlat[: len(starts)][usable], lonlat[len(starts) :][usable]
    lengths = straight.copy()
    if usable.any():
        lengths[usable] = _columns(geod.inv, np.column_stack([first, second]))[2]
    return lengths


@calls_proj
@functools.lru_cache(maxsize=_CACHED)
def geodetic(crs: str) -> tuple[Any, Any] | None:
    """Return what geodesic measures need: a ``pyproj.Transformer`` to degrees, and the ``pyproj.Geod``.

    The transformer goes from ``crs`` (x, y) to (longitude, latitude) in degrees on the same datum, so no datum shift
    can enter; points without a place come out as infinity. None for a CRS without an ellipsoid (a local grid).
    """
    pyproj = native.pyproj()
    horizontal = _horizontal(crs)
    base, geod = horizontal.geodetic_crs, horizontal.get_geod()
    if base is None or geod is None:
        return None
    if horizontal.is_geographic:
        # PROJ takes a PROJ string on another sphere, and the same CRS as JSON, for two different celestial bodies.
        horizontal = pyproj.CRS.from_json_dict(horizontal.to_json_dict())
    return pyproj.Transformer.from_crs(horizontal, _in_degrees(base), always_xy=True), geod


def _in_degrees(base: Any) -> Any:
    """Return the longitude and latitude in degrees on the datum of a geodetic CRS, which may be rotated or in grads."""
    description = (base.source_crs if base.is_derived else base).to_json_dict()
    description.pop("id", None)
    description["type"] = "GeographicCRS"
    description["coordinate_system"] = {
        "subtype": "ellipsoidal",
        "axis": [
            {"name": "Longitude", "abbreviation": "lon", "direction": "east", "unit": "degree"},
            {"name": "Latitude", "abbreviation": "lat", "direction": "north", "unit": "degree"},
        ],
    }
    return native.pyproj().CRS.from_json_dict(description)


@calls_proj
def is_geographic(crs: str | None) -> bool:
    """Return True if coordinates are longitude and latitude."""
    return crs is not None and bool(_horizontal(crs).is_geographic)


@calls_proj
def unit_name(crs: str | None) -> str:
    """Return the name of the coordinates' unit, e.g. "metre", "degree", "US survey foot"; "pixel" for None."""
    if crs is None:
        return "pixel"
    axes = _horizontal(crs).axis_info
    return str(axes[0].unit_name) if axes else "unknown"


@calls_proj
@functools.lru_cache(maxsize=_CACHED)
def metres_per_unit(crs: str) -> float:
    """Return the length of one coordinate unit in metres; of an angular unit, along the equator of the CRS's body."""
    horizontal = _horizontal(crs)
    axes = horizontal.axis_info
    factor = float(axes[0].unit_conversion_factor) if axes else 1.0
    if horizontal.is_geographic and horizontal.ellipsoid is not None:
        factor *= horizontal.ellipsoid.semi_major_metre
    return factor if math.isfinite(factor) and factor > 0.0 else 1.0


def _horizontal(crs: str) -> Any:
    """Return the part of a CRS that x and y belong to: a compound CRS has a vertical part, a bound one a shift."""
    parsed = parse(crs)
    if parsed.is_bound:
        parsed = parsed.source_crs
    if parsed.is_compound:
        parsed = parsed.sub_crs_list[0]
    return parsed.source_crs if parsed.is_bound else parsed


@functools.lru_cache(maxsize=_CACHED)
def _transformer(from_crs: str, to_crs: str) -> Any:
    pyproj = native.pyproj()
    try:
        return pyproj.Transformer.from_crs(parse(from_crs), parse(to_crs), always_xy=True)
    except pyproj.exceptions.ProjError as error:
        raise CrsError(
            f"There is no transformation from {title(from_crs)} to {title(to_crs)}.",
            hint="Give the coordinates in the raster's own CRS.",
        ) from error


def _run(transformer: Any, points: FloatArray) -> FloatArray:
    if not len(points):
        return points.copy()
    return np.column_stack(_columns(transformer.transform, points)).astype(np.float64)


def _columns(function: Any, table: FloatArray) -> list[FloatArray]:
    """Return the arrays that ``function`` of pyproj gives for the columns of a table (N, K), N at least 1.

    A single row goes as two: pyproj takes arrays of one for plain numbers, in a way that numpy has deprecated.
    """
    rows = len(table)
    columns = function(*(np.repeat(table, 2, axis=0) if rows == 1 else table).T)
    return [np.asarray(column)[:rows] for column in columns]


@calls_proj
def title(crs: str | None) -> str:
    """Return what people call a CRS: its code, or the name inside its WKT."""
    if crs is None:
        return "pixel space (no CRS)"
    return crs if len(crs) <= _CODE_LENGTH else f"'{_short(str(parse(crs).name))}'"


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
