"""The box prompt: a rectangle in map space that encloses the object."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..errors import PromptError
from ..raster import crs as crs_maths
from ..raster.grid import Bounds, PixelGrid
from .prompt import PixelPromptBuilder, exact

NAME = "box"
_EDGE_POINTS = 21


@dataclass(frozen=True)
class BoxPrompt:
    """A map rectangle. On a rotated grid, or in another CRS, it becomes the upright box that encloses it."""

    left: float
    """Smallest x."""
    bottom: float
    """Smallest y."""
    right: float
    """Largest x."""
    top: float
    """Largest y."""

    kind = NAME
    locates = True

    def __post_init__(self) -> None:
        if not all(math.isfinite(value) for value in self.envelope()):
            raise PromptError(
                f"The box {self.describe()} is not a place.", hint="Give its four sides as finite numbers."
            )
        if self.right <= self.left or self.top <= self.bottom:
            raise PromptError(
                f"The box {self.describe()} is empty or inverted.",
                hint="Give it as left,bottom,right,top with left < right and bottom < top.",
            )

    def describe(self) -> str:
        """Return e.g. "[12,46,13,47]" (left, bottom, right, top)."""
        return f"[{','.join(map(exact, self.envelope()))}]"

    def envelope(self) -> Bounds:
        """Return (left, bottom, right, top)."""
        return self.left, self.bottom, self.right, self.top

    def transformed(self, from_crs: str | None, to_crs: str | None) -> BoxPrompt:
        """Return the upright box that encloses this one in another CRS (its sides are followed, not only corners)."""
        if crs_maths.same(from_crs, to_crs):
            return self
        xs = np.linspace(self.left, self.right, _EDGE_POINTS)
        ys = np.linspace(self.bottom, self.top, _EDGE_POINTS)
        sides = [(x, y) for x in xs for y in (self.bottom, self.top)] + [
            (x, y) for y in ys for x in (self.left, self.right)
        ]
        moved = crs_maths.transform_points(sides, from_crs, to_crs)
        left, bottom = moved.min(axis=0)
        right, top = moved.max(axis=0)
        return BoxPrompt(float(left), float(bottom), float(right), float(top))

    def add_to(self, pixels: PixelPromptBuilder, grid: PixelGrid) -> None:
        """Add the enclosing pixel box on ``grid``."""
        pixels.add_box(grid.box_to_pixel(self.envelope()))


ENTRY = BoxPrompt
