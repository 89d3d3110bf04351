"""The composite: an elevation raster as the RGB picture that segmentation models take. One recipe per module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..progress import Progress
from ..raster.grid import Window
from ..registry import Registry
from .reader import ElevationReader, Piece

DEFAULT = "metric"
RgbImage = NDArray[np.uint8]


@dataclass(frozen=True)
class CompositeSettings:
    """What the user may choose of a composite."""

    recipe: str = DEFAULT
    """Name of a recipe."""
    smoothing_m: float | None = None
    """Standard deviation in metres of the smoothing before slopes and curvatures; None for what suits the cells."""
    percentiles: tuple[float, float] = (1.0, 99.0)
    """Which elevations of the whole raster become the ends of the elevation channel (recipe metric)."""
    elevation_m: tuple[float, float] | None = None
    """Those ends themselves, in metres; None to take them from the raster (recipe metric)."""


class Composite(Protocol):
    """A recipe with everything fixed that it takes from a raster: gives the same ground the same colours."""

    @property
    def text(self) -> str:
        """All that is needed to make it again, for provenance, e.g. "composite=metric smoothing_m=45 ..."."""

    @property
    def has_void_colour(self) -> bool:
        """True if void cells are black (0, 0, 0) and no other cell is; False if the recipe colours them like others."""

    @property
    def sees_beyond(self) -> bool:
        """True if the margin may reach beyond the view that it was fitted to, as far as the raster goes."""

    def margin(self, cell_m: tuple[float, float]) -> tuple[int, int]:
        """Return how many (columns, rows) of cells of a size it needs around what it paints."""

    def picture(self, piece: Piece) -> RgbImage:
        """Return the picture (h, w, 3) uint8 of the inner part of a piece."""


class CompositeRecipe(Protocol):
    """A way to make composites; each module of ``composites`` defines NAME and ENTRY, an instance of this."""

    @property
    def per_view(self) -> bool:
        """True if it is fitted to each view anew, False if one fit serves all views of a raster."""

    def fit(
        self,
        reader: ElevationReader,
        settings: CompositeSettings,
        region: Window,
        size: tuple[int, int],
        progress: Progress,
    ) -> Composite:
        """Return the composite for a region of a raster that will be painted at ``size`` (width, height).

        Raises
        ------
        SettingsError
            If the settings make no sense.
        RasterReadError
            If there is nothing but nodata, or too little to take slopes of.
        Cancelled
            If the user asked to stop.
        """


RECIPES: Registry[CompositeRecipe] = Registry(f"{__package__}.composites", "composite recipe")
