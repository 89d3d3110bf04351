"""Elevations written into the colours of a picture: terrarium and mapbox terrain-RGB, decoded exactly."""

from __future__ import annotations

from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray


class TerrainEncoding(Enum):
    """How the three bytes of a pixel say its elevation."""

    TERRARIUM = "terrarium"
    """256 R + G + B/256 - 32768 metres."""
    MAPBOX = "mapbox"
    """(65536 R + 256 G + B)/10 - 10000 metres; MapTiler's is the same."""

    @property
    def void_m(self) -> float:
        """Elevation of the colour black, which stands where there are no data."""
        return -32768.0 if self is TerrainEncoding.TERRARIUM else -10000.0

    @property
    def dtype(self) -> str:
        """Smallest numpy type that holds every elevation exactly (terrarium), or to the last bit (mapbox)."""
        return "float32" if self is TerrainEncoding.TERRARIUM else "float64"


def decode(colours: NDArray[Any], encoding: TerrainEncoding) -> NDArray[Any]:
    """Return elevations in metres (H, W) of colours (3, H, W) uint8.

    Terrarium elevations are exact float32 numbers, 24 bits of steps of 1/256 m; mapbox elevations are the float64
    number nearest to the decimal one. Black is decoded like every other colour: see ``void_m``.

    References
    ----------
    Terrain tiles: formats, https://github.com/tilezen/joerd/blob/master/docs/formats.md
    Mapbox Terrain-RGB v1, https://docs.mapbox.com/data/tilesets/reference/mapbox-terrain-rgb-v1/

    Examples
    --------
    >>> decode(np.array([[[130]], [[17]], [[200]]], np.uint8), TerrainEncoding.TERRARIUM).tolist()
    [[529.78125]]
    >>> decode(np.array([[[1]], [[134]], [[160]]], np.uint8), TerrainEncoding.MAPBOX).tolist()
    [[0.0]]
    """
    if colours.dtype != np.uint8 or colours.ndim != 3 or len(colours) != 3:
        raise ValueError(f"decode: expected uint8 (3, H, W), got {colours.dtype} {colours.shape}")
    # Widened before anything is multiplied: in 8 or 16 bits the red byte would be lost.
    red, green, blue = colours.astype(np.int32)
    steps = (red << 16) + (green << 8) + blue
    metres: NDArray[Any]
    if encoding is TerrainEncoding.TERRARIUM:
        metres = (steps - (32768 << 8)).astype(np.float32) / np.float32(256.0)
    else:
        # One rounding, by dividing whole numbers; n * 0.1 - 10000 would round three times.
        metres = (steps - 100_000) / 10.0
    return metres


def elevations(pixels: NDArray[np.uint8], encoding: TerrainEncoding) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return metres (H, W) of RGBA pixels (4, H, W), and where they are elevations: not transparent and not black."""
    metres = decode(np.ascontiguousarray(pixels[:3]), encoding)
    usable: NDArray[np.bool_] = (pixels[3] > 0) & (metres != encoding.void_m)
    return metres, usable
