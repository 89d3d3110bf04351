"""The pixels of web maps: how a web service and we say the same place, at a zoom level, without PROJ."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
TILE_PX = 256
EARTH_RADIUS_M = 6378137.0
WORLD_M = 2.0 * math.pi * EARTH_RADIUS_M
NORTHERNMOST = 85.0511287798066
"""Latitude at which the square map of the world ends."""


def side_px(zoom: int) -> int:
    """Return the width and height of the world in pixels."""
    return TILE_PX << zoom


def pixel_m(zoom: int) -> float:
    """Return the side of a pixel in web-mercator metres."""
    return WORLD_M / side_px(zoom)


def to_pixels(lonlat: ArrayLike, zoom: int) -> FloatArray:
    """Return continuous pixels of the world (N, 2), origin at its north-west corner, of degrees (N, 2)."""
    degrees = np.asarray(lonlat, dtype=np.float64).reshape(-1, 2)
    sine = np.sin(np.radians(degrees[:, 1]))
    x = 0.5 + degrees[:, 0] / 360.0
    y = 0.5 - np.arctanh(sine) / (2.0 * math.pi)
    pixels: FloatArray = np.column_stack([x, y]) * float(side_px(zoom))
    return pixels


def to_degrees(pixels: ArrayLike, zoom: int) -> FloatArray:
    """Return longitudes and latitudes (N, 2) of continuous pixels of the world (N, 2)."""
    share = np.asarray(pixels, dtype=np.float64).reshape(-1, 2) / side_px(zoom)
    latitude = np.degrees(np.arctan(np.sinh(math.pi * (1.0 - 2.0 * share[:, 1]))))
    degrees: FloatArray = np.column_stack([360.0 * (share[:, 0] - 0.5), latitude])
    return degrees
