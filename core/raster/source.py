"""What a raster source is: anything that can say where its pixels are and read a window of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from ..progress import Progress
from .chip import RasterChip
from .grid import PixelGrid, Window


class BandRole(Enum):
    """What a band is for, as the file declares it."""

    RED = "red"
    GREEN = "green"
    BLUE = "blue"
    NIR = "nir"
    ALPHA = "alpha"
    GRAY = "gray"
    PALETTE = "palette"
    UNDEFINED = "undefined"


@dataclass(frozen=True)
class BandInfo:
    """One band of a source."""

    name: str
    """What the file calls it, else "Band 1", "Band 2", ..."""
    dtype: str
    """numpy name of the pixel type, e.g. "uint16"."""
    role: BandRole
    """What it is for."""
    palette: tuple[tuple[int, int, int, int], ...] = ()
    """RGBA colour of each value 0, 1, 2, ... of a palette band."""


class RasterSource(Protocol):
    """Pixels that can be read by window. Safe to use from one thread at a time."""

    @property
    def uri(self) -> str:
        """What to open to get this source again (path, URL or layer source), without credentials."""

    @property
    def grid(self) -> PixelGrid:
        """The whole source at its finest resolution."""

    @property
    def bands(self) -> tuple[BandInfo, ...]:
        """Its bands, alpha included."""

    @property
    def already_rgb(self) -> bool:
        """True if the pixels are a finished picture (rendered by a style or a tile server): no stretch is applied."""

    def read(
        self, window: Window, size: tuple[int, int], bands: tuple[int, ...], progress: Progress | None = None
    ) -> RasterChip:
        """Return the window's pixels, resampled to ``size``.

        Parameters
        ----------
        window : Window
            Whole native pixels, inside the grid.
        size : tuple of int
            (width, height) of the chip: the window's own or smaller. Smaller is averaged, but for palettes.
        bands : tuple of int
            Band numbers, from 1. Alpha and masks are always honoured in ``valid`` and need not be named.
        progress : Progress, optional
            Asked for cancellation between the pieces of a long read.

        Raises
        ------
        RasterReadError
            If the pixels can't be read.
        """

    def close(self) -> None:
        """Let go of what the source holds open; it can't be read afterwards."""


def check_request(source: RasterSource, window: Window, size: tuple[int, int], bands: tuple[int, ...]) -> None:
    """Raise ValueError if a call of ``source.read`` breaks its contract; for sources to call first."""
    grid = source.grid
    fits = min(window.col, window.row) >= 0 and min(window.width, window.height) >= 1
    if not fits or window.col + window.width > grid.width or window.row + window.height > grid.height:
        raise ValueError(f"read: expected a window inside {grid.width} x {grid.height} pixels, got {window}")
    if not (1 <= size[0] <= window.width and 1 <= size[1] <= window.height):
        raise ValueError(f"read: expected a size from 1 to {window.width} x {window.height}, got {size}")
    if not bands or not all(1 <= number <= len(source.bands) for number in bands):
        raise ValueError(f"read: expected band numbers from 1 to {len(source.bands)}, got {bands}")
