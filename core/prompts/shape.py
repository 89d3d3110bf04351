"""The shape prompt: a polygon that is nearly right, to be corrected by the clicks that follow it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import native
from ..errors import PromptError
from ..raster import crs as crs_maths
from ..raster.fill import filled
from ..raster.grid import Bounds, PixelGrid
from .prompt import PixelPromptBuilder, exact

NAME = "shape"


@dataclass(frozen=True)
class ShapePrompt:
    """A polygon or multipolygon in map coordinates: the model's answer before the first click, as it were."""

    wkt: str
    """Its WKT, two-dimensional."""
    geometry: Any = field(init=False, repr=False, compare=False)
    """The same as a shapely geometry."""

    kind = NAME
    locates = True

    def __post_init__(self) -> None:
        shapely = native.shapely()
        try:
            geometry = shapely.wkt.loads(self.wkt)
        except (shapely.errors.ShapelyError, ValueError) as error:
            raise PromptError(f"The shape '{_short(self.wkt)}' can't be read.", hint=_HINT) from error
        if geometry.geom_type not in ("Polygon", "MultiPolygon") or geometry.is_empty:
            raise PromptError(f"The shape '{_short(self.wkt)}' is not a polygon.", hint=_HINT)
        object.__setattr__(self, "geometry", geometry)

    @classmethod
    def of(cls, geometry: Any) -> ShapePrompt:
        """Return the prompt of a shapely (multi)polygon, without losing a digit."""
        return cls(_exact_wkt(geometry))

    def describe(self) -> str:
        """Return e.g. "{POLYGON ((0 0, 1 0, 1 1, 0 0))}"."""
        return f"{{{self.wkt}}}"

    def envelope(self) -> Bounds:
        """Return (left, bottom, right, top)."""
        left, bottom, right, top = map(float, self.geometry.bounds)
        return left, bottom, right, top

    def transformed(self, from_crs: str | None, to_crs: str | None) -> ShapePrompt:
        """Return the same shape in another CRS, vertex by vertex."""
        if crs_maths.same(from_crs, to_crs):
            return self

        def move(xs: Any, ys: Any, *_: Any) -> tuple[Any, Any]:
            moved = crs_maths.transform_points(np.column_stack([xs, ys]), from_crs, to_crs)
            return moved[:, 0], moved[:, 1]

        return ShapePrompt.of(native.shapely().ops.transform(move, self.geometry))

    def add_to(self, pixels: PixelPromptBuilder, grid: PixelGrid) -> None:
        """Add an include point well inside: what every model takes, beside the mask that :meth:`mask` gives."""
        inside = self.geometry.representative_point()
        col, row = grid.to_pixel([(inside.x, inside.y)])[0]
        pixels.add_point(float(col), float(row), include=True)

    def mask(self, grid: PixelGrid) -> NDArray[np.bool_]:
        """Return the pixels (H, W) of a grid whose centres lie in the shape, holes left out."""
        rings = []
        for polygon in getattr(self.geometry, "geoms", [self.geometry]):
            for ring in (polygon.exterior, *polygon.interiors):
                rings.append(grid.to_pixel(np.asarray(ring.coords)[:, :2]))
        return filled(rings, grid.height, grid.width)


def _exact_wkt(geometry: Any) -> str:
    """Return WKT whose coordinates read back as the very same numbers."""
    parts = [
        "(" + ", ".join(_ring(ring) for ring in (polygon.exterior, *polygon.interiors)) + ")"
        for polygon in getattr(geometry, "geoms", [geometry])
    ]
    if geometry.geom_type == "Polygon":
        return f"POLYGON {parts[0]}"
    return f"MULTIPOLYGON ({', '.join(parts)})"


def _ring(ring: Any) -> str:
    return "(" + ", ".join(f"{exact(float(x))} {exact(float(y))}" for x, y, *_ in ring.coords) + ")"


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


_HINT = "Give a polygon or multipolygon as WKT."
ENTRY = ShapePrompt
