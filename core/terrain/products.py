"""What is made of an elevation raster, piece by piece: the composite, and plain rasters of slope, aspect, curvature."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..progress import NullProgress, Progress, SubProgress, check
from ..raster.grid import Window
from .composite import RECIPES, Composite, CompositeSettings
from .convergence import radial_convergence
from .derivatives import aspect_deg, plan_curvature, profile_curvature, slope_deg
from .elevation import ElevationGrid
from .reader import ElevationReader, Piece
from .smoothing import REACH, smoothed
from .surface import Float32Array

RGB = "output"
NODATA = -9999.0
SIDE = 1024
_RADIUS_CELLS = 20.0
_STENCIL = 2
Values = NDArray[Any]


@dataclass(frozen=True)
class Product:
    """One plain raster."""

    title: str
    """What people read."""
    help: str
    """What it holds, in which unit."""
    derive: Callable[[ElevationGrid, float], Float32Array]
    """Makes it of elevations; the number is the radius in metres, which only the radial convergence needs."""


PRODUCTS: dict[str, Product] = {
    "slope": Product("Slope", "Degrees, 0 to 90.", lambda ground, _: slope_deg(ground)),
    "aspect": Product(
        "Aspect",
        "Direction that the ground faces, degrees clockwise from the map's north; no data where it is flat.",
        lambda ground, _: aspect_deg(ground),
    ),
    "plan_curvature": Product(
        "Plan curvature",
        "Curvature of the contour line, 1/m, positive where convex (spurs).",
        lambda ground, _: plan_curvature(ground),
    ),
    "profile_curvature": Product(
        "Profile curvature",
        "Curvature along the steepest line, 1/m, positive where convex.",
        lambda ground, _: profile_curvature(ground),
    ),
    "radial_convergence": Product(
        "Radial convergence",
        "How well the ground falls away on all sides within the radius: 1 in the middle of a cone, -1 of a funnel.",
        radial_convergence,
    ),
}
"""Plain rasters by name."""


@dataclass(frozen=True)
class Order:
    """What is wanted."""

    region: Window
    """Which part of the raster, in native pixels."""
    composite: CompositeSettings
    """The composite; its smoothing, where given, is that of the plain rasters too."""
    products: tuple[str, ...] = ()
    """Names of ``PRODUCTS``."""
    radius_m: float | None = None
    """Of the radial convergence; twenty cells where left out."""
    side: int = SIDE
    """Largest width and height of a piece."""


class Production:
    """Iterates over the pieces: (window inside the region, arrays (B, h, w) by name), "output" being the composite."""

    nodata = NODATA

    def __init__(self, reader: ElevationReader, order: Order, composite: Composite, progress: Progress) -> None:
        self._reader = reader
        self._order = order
        self._composite = composite
        self._progress = progress
        self._smallest = reader.smallest_cell(order.region)
        radius = order.radius_m
        self._radius = _RADIUS_CELLS * max(reader.grid.metres_per_pixel()) if radius is None else radius
        self.doubts: dict[str, None] = {}
        """Sentences on elevations that look wrong, once the pieces have been read."""

    @property
    def text(self) -> str:
        """How it is made."""
        return f"{self._composite.text} {self._reader.settings.text()}"

    @property
    def rgb_nodata(self) -> float | None:
        """The value that means no data in the composite."""
        return 0.0 if self._composite.has_void_colour else None

    def __iter__(self) -> Iterator[tuple[Window, dict[str, Values]]]:
        """Yield the pieces."""
        region = self._order.region
        limits = None if self._composite.sees_beyond else region
        margin = self._composite.margin(self._smallest)
        painted = self._reader.pieces(region, self._order.side, margin, self._progress, within=limits)
        plain = self._plain_pieces()
        for piece in painted:
            check(self._progress)
            self.doubts.update(dict.fromkeys(piece.elevation.warnings))
            results: dict[str, Values] = {RGB: np.moveaxis(self._composite.picture(piece), -1, 0)}
            other = next(plain, None)
            if other is not None:
                results.update(self._derived(other))
            at = Window(
                piece.window.col - region.col, piece.window.row - region.row, piece.window.width, piece.window.height
            )
            yield at, results

    def _plain_pieces(self) -> Iterator[Piece]:
        """Yield the same pieces with the margin that the plain rasters need, which is another."""
        if not self._order.products:
            return
        needed = REACH * 1.05 * (self._order.composite.smoothing_m or 0.0)
        if "radial_convergence" in self._order.products:
            needed += 1.05 * self._radius
        across, down = (math.ceil(needed / size) + _STENCIL for size in self._smallest)
        yield from self._reader.pieces(self._order.region, self._order.side, (across, down), NullProgress())

    def _derived(self, piece: Piece) -> dict[str, Values]:
        ground = smoothed(piece.elevation, self._order.composite.smoothing_m or 0.0)
        found: dict[str, Values] = {}
        for name in self._order.products:
            check(self._progress)
            values = PRODUCTS[name].derive(ground, self._radius)[piece.inner]
            found[name] = np.nan_to_num(values, nan=NODATA)[None]
        return found


def produce(reader: ElevationReader, order: Order, progress: Progress) -> Production:
    """Return the production of an order, its composite fitted; the work is done as it is iterated over.

    Raises
    ------
    SettingsError, RasterReadError
        If the settings make no sense, or there is nothing but nodata.
    Cancelled
        If the user asked to stop.
    """
    recipe = RECIPES.get(order.composite.recipe)
    size = order.region.width, order.region.height
    fitted = recipe.fit(reader, order.composite, order.region, size, SubProgress(progress, 0.0, 0.3))
    return Production(reader, order, fitted, SubProgress(progress, 0.3, 1.0))
