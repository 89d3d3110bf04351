"""What a SamGIS server answers: JSON in JSON in JSON, with shapes of background and foreground, half a pixel off."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ServerUnavailableError
from . import mercator

FloatArray = NDArray[np.float64]
Rings = tuple[FloatArray, tuple[FloatArray, ...]]
"""Shell and holes, each (N, 2) continuous pixels of the world at the zoom level, first point = last."""
_NEAR_PX = 0.05
_EXACT_PX = 1e-3
_DEEPEST_NESTING = 6
_HINT = "Check that the address is that of a SamGIS server, and which version it is."


@dataclass(frozen=True)
class SamgisAnswer:
    """What was found."""

    polygons: tuple[Rings, ...]
    """The foreground, in continuous pixels of the world (column, row) at the zoom level of the request."""
    said: str = ""
    """What the language model of a server that takes words said, e.g. "Sure, [SEG]."."""
    shift_px: float = 0.0
    """By how much all polygons were moved to the east and south, to where the pixels lie."""


@dataclass(frozen=True)
class Envelope:
    """A status and what was in it, of a reply that may be another reply's body."""

    status: int
    """HTTP status; of AWS Lambda's envelope, the one that it says."""
    output: dict[str, Any]
    """The inmost object, which has the shapes."""


def opened(status: int, body: bytes) -> Envelope:
    """Return what is inside a reply: of SamGIS itself (body, output), or of its AWS Lambda variant (statusCode, body).

    Raises
    ------
    ServerUnavailableError
        If it is no JSON object.
    """
    inside = _json(body)
    for _ in range(_DEEPEST_NESTING):
        if isinstance(inside.get("statusCode"), int):
            status = inside["statusCode"]
        deeper = inside.get("body", inside.get("output"))
        if isinstance(deeper, str):
            deeper = _json(_plain(deeper) if inside.get("isBase64Encoded") is True else deeper)
        if not isinstance(deeper, dict):
            break
        inside = deeper
    return Envelope(status, inside)


def read(output: dict[str, Any], zoom: int, *, correct_shift: bool) -> SamgisAnswer:
    """Return the foreground of an answer, where it lies.

    Parameters
    ----------
    output : dict
        The inmost object of the reply.
    zoom : int
        Of the request.
    correct_shift : bool
        Mend SamGIS's half pixel: its vertices are pixel corners, but it places them in the middle of pixels, to the
        north-west. Only what lies there is moved, so a server without the fault is left as it is.

    Raises
    ------
    ServerUnavailableError
        If it has no shapes, or they are no polygons in degrees.
    """
    shapes = output.get("geojson")
    collection = _json(shapes) if isinstance(shapes, str) else shapes
    if not isinstance(collection, dict) or not isinstance(collection.get("features"), list):
        raise _not_samgis("it has no GeoJSON")
    foreground = [feature for feature in collection["features"] if _is_foreground(feature)]
    polygons = [_rings(polygon, zoom) for feature in foreground for polygon in _polygons(feature)]
    corners = np.vstack([ring for shell, holes in polygons for ring in (shell, *holes)] or [np.empty((0, 2))])
    shift = 0.5 if correct_shift and _lies_on(corners, 0.5) else 0.0
    said = output.get("output_string", "")
    found = tuple((_placed(shell, shift), tuple(_placed(hole, shift) for hole in holes)) for shell, holes in polygons)
    return SamgisAnswer(found, said if isinstance(said, str) else "", shift)


def _is_foreground(feature: Any) -> bool:
    """Return False for the shapes of what was not found, which SamGIS delivers too."""
    properties = feature.get("properties") if isinstance(feature, dict) else None
    value = properties.get("raster_val", 255.0) if isinstance(properties, dict) else 255.0
    return bool(value != 0)


def _polygons(feature: Any) -> Iterator[list[Any]]:
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if not isinstance(geometry, dict) or kind not in ("Polygon", "MultiPolygon"):
        raise _not_samgis(f"a shape is of the type {kind!r}")
    coordinates = geometry.get("coordinates")
    parts = [coordinates] if kind == "Polygon" else coordinates
    if not isinstance(parts, list) or not all(isinstance(part, list) and part for part in parts):
        raise _not_samgis("a shape has no coordinates")
    yield from parts


def _rings(polygon: list[Any], zoom: int) -> Rings:
    shell, *holes = (_ring(ring, zoom) for ring in polygon)
    return shell, tuple(holes)


def _ring(said: Any, zoom: int) -> FloatArray:
    try:
        degrees = np.array([point[:2] for point in said], dtype=np.float64).reshape(-1, 2)
    except (TypeError, ValueError, IndexError) as error:
        raise _not_samgis("coordinates can't be read") from error
    on_map = np.abs(degrees) <= (180.5, 89.0)
    if len(degrees) < 4 or not on_map.all():
        raise _not_samgis("coordinates are no longitudes and latitudes of a ring")
    return mercator.to_pixels(degrees, zoom)


def _lies_on(corners: FloatArray, part: float) -> bool:
    """Return True if every corner lies on the lattice that begins at a part of a pixel."""
    away = np.abs((corners - part) - np.round(corners - part))
    return bool(len(corners) and (away <= _NEAR_PX).all())


def _placed(ring: FloatArray, shift: float) -> FloatArray:
    """Return a ring, moved; corners that are those of pixels but for the digits that degrees lose, exactly there."""
    moved = ring + shift
    corners = np.round(moved)
    return corners if (np.abs(moved - corners) <= _EXACT_PX).all() else moved


def _json(text: str | bytes) -> dict[str, Any]:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _not_samgis("it is no JSON") from error
    if not isinstance(said, dict):
        raise _not_samgis("it is no JSON object")
    return said


def _plain(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise _not_samgis("its body is no base64") from error


def _not_samgis(why: str) -> ServerUnavailableError:
    return ServerUnavailableError(f"The answer is not one of SamGIS: {why}.", hint=_HINT)
