"""Where a chip is placed on a raster: around the prompts, or over an extent, and how it grows.

Contract fixed by the lead (look.py and session.py call exactly this); the bodies are engineer "raster"'s.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .raster.grid import Bounds, PixelGrid, Window


@dataclass(frozen=True)
class View:
    """A piece of a raster at a resolution: what is read for one look."""

    window: Window
    """Whole native pixels."""
    size: tuple[int, int]
    """(width, height) that the window is read at; never larger than the window."""

    def text(self) -> str:
        """Return it for provenance: "col,row,width,height@WIDTHxHEIGHT" in native pixels and chip pixels."""
        window = self.window
        return f"{window.col},{window.row},{window.width},{window.height}@{self.size[0]}x{self.size[1]}"

    def grid(self, raster: PixelGrid) -> PixelGrid:
        """Return the grid of the pixels that are read."""
        return raster.window(self.window).resampled(*self.size)


def place(raster: PixelGrid, pixel_box: ArrayLike, chip_px: int, *, resolution: float | None = None, scale: float = 1.0) -> View:
    """Return the view around a native pixel box (left, top, right, bottom; a point's is twice the same corner).

    chip_px wide at native resolution (or at ``resolution`` in CRS units per pixel, never finer than native) times ``scale`` of ground width;
    coarsened just enough to hold the box with a margin; shifted inside the raster rather than cut.
    """
    raise NotImplementedError


def over(raster: PixelGrid, bounds: Bounds, chip_px: int, max_pixels: int, *, resolution: float | None = None) -> View:
    """Return the view over map ``bounds`` (raster's CRS; clipped to the raster; OutsideExtentError when they don't meet).

    With a resolution: exactly that (never finer than native), ChipTooLargeError if more than ``max_pixels``.
    Without: native, coarsened so that the longest side is at most ``chip_px``.
    """
    raise NotImplementedError


def grow(raster: PixelGrid, view: View) -> View:
    """Return the view of twice the ground around the same middle, at the same chip size; ``view`` itself when it is the whole raster."""
    raise NotImplementedError


def touches_edge(mask: NDArray[np.bool_], view: View, raster: PixelGrid) -> bool:
    """Return True if the mask (H, W) touches a side of the chip that is not the raster's own edge."""
    raise NotImplementedError
