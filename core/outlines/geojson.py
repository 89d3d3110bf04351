"""GeoJSON as RFC 7946 wants it: longitude and latitude on WGS 84, right-hand rule, cut at the antimeridian."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import native
from ..errors import CrsError, OutputError
from ..raster import crs as crs_maths
from .files import atomic_path
from .results import OutlineTable

FloatArray = NDArray[np.float64]
_DECIMALS = 9
"""A tenth of a millimetre in degrees."""
_PIXEL_NOTE = (
    "The image has no CRS: coordinates are pixels (column, row) from its top left corner, with y growing downwards, "
    "not longitude and latitude."
)


def write_geojson(result: OutlineTable, path: str | Path) -> None:
    """Write a result as a GeoJSON FeatureCollection, all of it or nothing.

    Parameters
    ----------
    result : OutlineTable
        In any CRS; the coordinates are brought to EPSG:4326. In pixel space they are written as they are, and a member
        ``note`` says so.
    path : str or Path
        An existing file is replaced.

    Raises
    ------
    OutputError
        If the file can't be written there, or the outlines have no place on WGS 84 (another planet, a local grid).
    """
    try:
        document = as_geojson(result)
    except CrsError as error:
        raise OutputError(
            f"The outlines can't be written as GeoJSON, which is in longitude and latitude. {error.message}",
            hint="Write a GeoPackage (.gpkg), which keeps the raster's CRS.",
        ) from error
    with atomic_path(path) as part:
        part.write_text(json.dumps(document, ensure_ascii=False, allow_nan=False), encoding="utf-8")


def as_geojson(result: OutlineTable) -> dict[str, Any]:
    """Return the FeatureCollection of a result as plain dicts and lists.

    Raises
    ------
    CrsError
        If a vertex has no longitude and latitude.
    """
    names = [column.name for column in result.fields()]
    document: dict[str, Any] = {"type": "FeatureCollection"}
    if result.crs is None:
        document["note"] = _PIXEL_NOTE
    if result.warnings:
        document["warnings"] = list(result.warnings)
    document["features"] = [
        {
            "type": "Feature",
            "geometry": _geometry(shape, result.crs),
            "properties": dict(zip(names, values)),
        }
        for shape, values in result.rows()
    ]
    return document


def _geometry(shape: Any, crs: str | None) -> dict[str, Any]:
    polygons: list[Any] = []
    for polygon in getattr(shape, "geoms", [shape]):
        polygons.extend([_rings(polygon)] if crs is None else _on_the_globe(polygon, crs))
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def _on_the_globe(polygon: Any, crs: str) -> list[Any]:
    """Return the coordinates of a polygon's pieces west and east of the antimeridian; of itself where it has none."""
    shapely = native.shapely()
    shell, *holes = (_degrees(ring, crs) for ring in [polygon.exterior, *polygon.interiors])
    for hole in holes:
        hole[:, 0] += 360.0 * np.round((shell[:, 0].mean() - hole[:, 0].mean()) / 360.0)
    whole = shapely.geometry.Polygon(shell, holes)
    west, east = float(shell[:, 0].min()), float(shell[:, 0].max())
    if west >= -180.0 and east <= 180.0:
        return [_rings(whole)]
    pieces = []
    for turn in range(int(np.floor((west + 180.0) / 360.0)), int(np.floor((east + 180.0) / 360.0)) + 1):
        middle = 360.0 * turn
        piece = whole.buffer(0).intersection(shapely.geometry.box(middle - 180.0, -90.0, middle + 180.0, 90.0))
        for part in getattr(piece, "geoms", [piece]):
            if part.geom_type == "Polygon" and part.area > 0.0:
                pieces.append(_rings(shapely.affinity.translate(part, -middle)))
    return pieces


def _degrees(ring: Any, crs: str) -> FloatArray:
    """Return a ring in degrees (N, 2), longitudes running on past 180 instead of jumping."""
    moved = crs_maths.transform_points(np.asarray(ring.coords)[:, :2], crs, "EPSG:4326")
    moved[:, 0] = np.unwrap(moved[:, 0], period=360.0)
    return moved


def _rings(polygon: Any) -> list[list[list[float]]]:
    """Return the rings of a polygon as lists, shell counter-clockwise, holes clockwise."""
    oriented = native.shapely().geometry.polygon.orient(polygon, 1.0)
    return [
        np.round(np.asarray(ring.coords, dtype=np.float64)[:, :2], _DECIMALS).tolist()
        for ring in [oriented.exterior, *oriented.interiors]
    ]
