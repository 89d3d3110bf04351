"""Which part of a web map a server is to look at, and at which zoom level."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .errors import SettingsError
from .prompts.box import BoxPrompt
from .raster import crs as crs_maths
from .raster.grid import Bounds
from .remote import mercator
from .remote.samgis import LARGEST_VIEW_PX, MapView
from .remote.samgis_sources import deepest_of

VIEW_PX = 1024
"""Side of the view around prompts: what the models behind the server work at."""
_DEEPEST_CHOSEN = 19
_LOOSE = 1.001


def over(extent: Bounds, crs: str) -> Bounds:
    """Return the (west, south, east, north) in degrees that encloses map bounds in any CRS.

    Raises
    ------
    CrsError, PromptError
        If they have no place in degrees, or are empty.
    """
    return BoxPrompt(*extent).transformed(crs, "EPSG:4326").envelope()


def around(envelopes: Sequence[Bounds], zoom: int, source_type: str) -> MapView:
    """Return the view around prompts: :data:`VIEW_PX` wide, or twice as wide as they are.

    Parameters
    ----------
    envelopes : sequence of (west, south, east, north)
        Of the prompts, in degrees; the view holds them all.
    zoom : int
        Zoom level.
    source_type : str
        Name of the map.
    """
    left, top, right, bottom = _pixels(envelopes, zoom)
    most = max(right - left, bottom - top)
    half = max(VIEW_PX, min(2.0 * most, max(LARGEST_VIEW_PX, most))) / 2.0
    x, y, side = (left + right) / 2.0, (top + bottom) / 2.0, mercator.side_px(zoom)
    low = [max(0, math.floor(value - half)) for value in (x, y)]
    high = [min(side, math.ceil(value + half)) for value in (x, y)]
    (west, north), (east, south) = mercator.to_degrees([low, high], zoom).tolist()
    return MapView((west, south, east, north), zoom, source_type)


def cut(box: Bounds, view: Bounds) -> Bounds:
    """Return the part of a box that is in view; the box itself if none is, which is then refused."""
    shared = (max(box[0], view[0]), max(box[1], view[1]), min(box[2], view[2]), min(box[3], view[3]))
    return shared if shared[0] < shared[2] and shared[1] < shared[3] else box


def zoom_for(
    source_type: str,
    envelopes: Sequence[Bounds],
    shown: Bounds | None,
    *,
    shown_px: int = VIEW_PX,
    zoom: int | None = None,
    resolution_m: float | None = None,
) -> int:
    """Return the zoom level to look at.

    Parameters
    ----------
    source_type : str
        Name of the map: no deeper level than its own is chosen.
    envelopes : sequence of (west, south, east, north)
        Of the prompts or the extent, in degrees: in their middle a resolution is meant.
    shown : tuple of float, optional
        What decides where nothing else says the level: its longer side, in degrees, takes ``shown_px`` at most.
    shown_px : int
        A view's width for an extent.
    zoom : int, optional
        As the user gave it.
    resolution_m : float, optional
        Metres on the ground per pixel; the coarsest level that is as fine is taken.

    Raises
    ------
    SettingsError
        If both are given, or the resolution makes no sense, or nothing says the level.
    """
    if zoom is not None and resolution_m is not None:
        raise SettingsError("Zoom and resolution say the same.", hint="Leave one of them out.")
    if zoom is not None:
        return zoom
    deepest = min(deepest_of(source_type), _DEEPEST_CHOSEN)
    if resolution_m is not None:
        if not 0.0 < resolution_m < math.inf:
            raise SettingsError(f"The resolution is {resolution_m:g} m.", hint="Give metres per pixel, above 0.")
        places = np.array(envelopes)
        latitude = math.radians(float(places[:, 1].min() + places[:, 3].max()) / 2.0)
        finest = (level for level in range(deepest) if _ground_m(level, latitude) <= resolution_m * _LOOSE)
        return next(finest, deepest)
    if shown is None:
        raise SettingsError(
            "How large the object is can't be told from points alone.",
            hint="Give a zoom level, a resolution, an extent, or a box around the object.",
        )
    for level in range(deepest, 0, -1):
        left, top, right, bottom = _pixels([shown], level)
        if max(right - left, bottom - top) <= shown_px:
            return level
    return 0


def _ground_m(zoom: int, latitude: float) -> float:
    return mercator.pixel_m(zoom) * math.cos(latitude)


def _pixels(envelopes: Sequence[Bounds], zoom: int) -> tuple[float, float, float, float]:
    """Return (left, top, right, bottom) in pixels of the world that holds all."""
    corners = [corner for west, south, east, north in envelopes for corner in ((west, north), (east, south))]
    pixels = mercator.to_pixels(corners, zoom)
    (left, top), (right, bottom) = pixels.min(axis=0).tolist(), pixels.max(axis=0).tolist()
    return left, top, right, bottom


def on_the_ground(resolution: float, boxes: Sequence[Bounds], crs: str) -> float:
    """Return a resolution in metres, in the middle of boxes (left, bottom, right, top) of a CRS."""
    x, y = (sum(box[low] + box[low + 2] for box in boxes) / (2.0 * len(boxes)) for low in (0, 1))
    half = resolution / 2.0
    return float(crs_maths.ground_lengths([(x - half, y)], [(x + half, y)], crs)[0])
