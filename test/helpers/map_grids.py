"""Ways in which a raster may lie on the ground, to ask positions of each."""

from __future__ import annotations

import math

from prompt_segmenter.core.raster.grid import PixelGrid

_TURN = math.radians(30.0)


def map_grids(width: int, height: int) -> dict[str, PixelGrid]:
    """Return grids of one size in degrees, web Mercator and UTM, and rotated ones, by name."""

    along, across = 10 * math.cos(_TURN), 10 * math.sin(_TURN)
    places = {
        "EPSG:4326": ((1e-5, 0.0, 9.0, 0.0, -1e-5, 46.0), "EPSG:4326"),
        "EPSG:3857": ((0.6, 0.0, 1_000_000.0, 0.0, -0.6, 5_800_000.0), "EPSG:3857"),
        "UTM": ((10.0, 0.0, 500_000.0, 0.0, -10.0, 5_100_000.0), "EPSG:32632"),
        "rotated": ((along, across, 500_000.0, across, -along, 5_100_000.0), "EPSG:32632"),
        "rotated degrees": ((1e-5, 4e-6, 9.0, 5e-6, -1.2e-5, 46.0), "EPSG:4326"),
    }
    return {name: PixelGrid(transform, crs, width, height) for name, (transform, crs) in places.items()}
