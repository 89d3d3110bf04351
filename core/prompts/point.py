"""The point prompt: a click that includes or excludes what lies under it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..errors import PromptError
from ..raster import crs as crs_maths
from ..raster.grid import Bounds, PixelGrid
from .prompt import PixelPromptBuilder, exact

NAME = "point"


@dataclass(frozen=True)
class PointPrompt:
    """A click at a map coordinate."""

    x: float
    """Easting or longitude."""
    y: float
    """Northing or latitude."""
    include: bool = True
    """True for a part of the object, False for what is not."""

    kind = NAME

    def __post_init__(self) -> None:
        if not (math.isfinite(self.x) and math.isfinite(self.y)):
            raise PromptError(
                f"The point {self.describe()} is not a place.", hint="Give both coordinates as finite numbers."
            )

    @property
    def locates(self) -> bool:
        """True for an include point."""
        return self.include

    def describe(self) -> str:
        """Return e.g. "+12.5,46.1" (include) or "-12.5,46.1" (exclude)."""
        return f"{'+' if self.include else '-'}{exact(self.x)},{exact(self.y)}"

    def envelope(self) -> Bounds:
        """Return (x, y, x, y)."""
        return self.x, self.y, self.x, self.y

    def transformed(self, from_crs: str | None, to_crs: str | None) -> PointPrompt:
        """Return the same click in another CRS."""
        moved = crs_maths.transform_points([(self.x, self.y)], from_crs, to_crs)
        return PointPrompt(float(moved[0, 0]), float(moved[0, 1]), self.include)

    def add_to(self, pixels: PixelPromptBuilder, grid: PixelGrid) -> None:
        """Add the click in pixels of ``grid``."""
        col, row = grid.to_pixel([(self.x, self.y)])[0]
        pixels.add_point(float(col), float(row), include=self.include)


ENTRY = PointPrompt
