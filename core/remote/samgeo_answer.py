"""What a samgeo-api server answers: objects, nothing, or one of its many ways to refuse.

The contract was observed on segment-geospatial 1.4.2. Its GeoJSON has one feature for each connected region; regions of
one ``value`` are one object.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CrsError, ServerUnavailableError
from ..raster import crs as crs_maths
from ..raster.fill import filled
from ..raster.grid import PixelGrid, Window
from .exchange import HttpReply
from .http import OK
from .samgeo_refusal import detail_of, refusal

NOTHING = ((404, "No objects found"), (500, "Segmentation produced no output"))
"""Errors, by status and first words, that only say that there is nothing."""
NOTHING_AT_ALL = (*NOTHING, (500, "list index out of range"))
"""The same of an automatic request: SAM and SAM 2 stumble over an image without any object."""
_FARTHEST_PX = 1e7
"""Coordinates beyond this are none of an image."""
Ring = NDArray[np.float64]


@dataclass(frozen=True)
class RemoteObject:
    """An object that a server found in an image."""

    window: Window
    """The pixels of the image that enclose it."""
    mask: NDArray[np.bool_]
    """(window.height, window.width): which of them belong to it. At least one does."""
    score: float
    """How sure the server's model is, 0 to 1; NaN where it does not say."""


class _GarbageError(Exception):
    """The answer is not the contract's; the text says why."""


def objects_of(
    reply: HttpReply, grid: PixelGrid, shown: str, *, nothing: tuple[tuple[int, str], ...] = NOTHING
) -> list[RemoteObject]:
    """Return the objects of an answer, in its order; none is no error.

    Parameters
    ----------
    reply : HttpReply
        To a POST with ``output_format=geojson`` (or "detections", which has boxes).
    grid : PixelGrid
        Of the image that was sent. Coordinates are its pixels where the answer names no CRS, else map coordinates.
    shown : str
        What messages call the server.
    nothing : tuple of (int, str)
        Status and first words of errors that mean: no objects.

    Raises
    ------
    SegmentError
        The one that fits the refusal; see :mod:`.samgeo_refusal`.
    ServerUnavailableError
        If the answer is not the contract's.
    """
    if any(reply.status == status and detail_of(reply).startswith(text) for status, text in nothing):
        return []
    if reply.status != OK:
        raise refusal(reply, shown)
    try:
        collection = json.loads(reply.body)
        return _grouped(collection, grid)
    except (_GarbageError, ValueError, RecursionError, CrsError) as error:
        why = str(error) if isinstance(error, (_GarbageError, CrsError)) else "it is no JSON"
        raise ServerUnavailableError(
            f"The server {shown} answers with something that is not samgeo-api's GeoJSON: {why}.",
            hint="Check that the address is that of a samgeo-api server, version 1.4 or later.",
        ) from error


def _grouped(collection: Any, grid: PixelGrid) -> list[RemoteObject]:
    features = _of_type(_of_type(collection, dict, "the answer").get("features"), list, "'features'")
    to_pixels = _Places(_crs(collection.get("crs")), grid)
    rings: dict[object, list[Ring]] = {}
    scores: dict[object, float] = {}
    for number, given in enumerate(features):
        feature = _of_type(given, dict, "a feature")
        properties = _of_type(feature.get("properties") or {}, dict, "'properties'")
        name: object = properties.get("value", properties.get("id", f"feature {number}"))
        name = name if isinstance(name, (int, float, str)) else f"feature {number}"
        for polygon in _polygons(feature.get("geometry")):
            rings.setdefault(name, []).extend(to_pixels.of(ring) for ring in polygon)
        scores[name] = _higher(scores.get(name, math.nan), _score(properties.get("score")))
    made = (_object(parts, scores[name], grid) for name, parts in rings.items() if parts)
    return [one for one in made if one is not None]


def _crs(member: Any) -> str | None:
    """Return the CRS that an answer names, in any of its three forms: absent, plain text, or named object."""
    if member is None or isinstance(member, str):
        return member or None
    properties = member.get("properties") if isinstance(member, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    return str(_of_type(name, str, "'crs'"))


class _Places:
    """Brings an answer's coordinates to pixels of the image."""

    def __init__(self, crs: str | None, grid: PixelGrid) -> None:
        if crs is not None and grid.crs is None:
            raise _GarbageError(f"it is in {crs[:60]}, and the image that was sent has no place")
        self._crs = crs
        self._grid = grid
        self._moves = crs is not None and not crs_maths.same(crs, grid.crs)

    def of(self, ring: Any) -> Ring:
        """Return a ring (N, 2) in continuous pixels."""
        try:
            points = np.asarray(_of_type(ring, list, "a ring"), dtype=np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise _GarbageError("a ring has no coordinates") from error
        if points.ndim != 2 or len(points) < 4 or points.shape[1] < 2:
            raise _GarbageError("a ring has no coordinates")
        points = points[:, :2]
        if self._crs is not None and np.isfinite(points).all():
            moved = crs_maths.transform_points(points, self._crs, self._grid.crs) if self._moves else points
            points = self._grid.to_pixel(moved)
        if not (np.abs(points) < _FARTHEST_PX).all():
            raise _GarbageError("a coordinate is none of the image")
        return points


def _polygons(geometry: Any) -> list[list[Any]]:
    geometry = _of_type(geometry, dict, "a geometry")
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind not in ("Polygon", "MultiPolygon"):
        raise _GarbageError(f"a geometry is a {str(kind)[:20]} and no polygon")
    polygons = [coordinates] if kind == "Polygon" else _of_type(coordinates, list, "'coordinates'")
    return [_of_type(polygon, list, "'coordinates'") for polygon in polygons]


def _object(rings: list[Ring], score: float, grid: PixelGrid) -> RemoteObject | None:
    """Return the object that rings enclose; None if it holds no pixel of the image.

    Its regions come from one raster, so they share no pixel, and an odd number of rings is around each of its pixels.
    """
    points = np.concatenate(rings)
    low = np.floor(points.min(axis=0)).astype(int).clip(0)
    high = np.minimum(np.ceil(points.max(axis=0)).astype(int), (grid.width, grid.height))
    width, height = (int(side) for side in high - low)
    if width < 1 or height < 1:
        return None
    mask = filled([ring - low for ring in rings], height, width)
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    # Map coordinates are a hair off the pixels' corners, and the window may be a pixel too large for it.
    mask = mask[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    window = Window(int(low[0] + cols[0]), int(low[1] + rows[0]), mask.shape[1], mask.shape[0])
    return RemoteObject(window, mask, score)


def _score(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return math.nan
    return min(max(float(value), 0.0), 1.0)


def _higher(one: float, other: float) -> float:
    return other if math.isnan(one) else one if math.isnan(other) else max(one, other)


def _of_type(value: Any, wanted: type, what: str) -> Any:
    if not isinstance(value, wanted):
        raise _GarbageError(f"{what} is missing or of another kind")
    return value
