"""Pixels that are already in memory: for Python users, rendered pictures and tests. Not opened by a URI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...progress import NullProgress, Progress, check
from ..chip import RasterChip
from ..grid import PixelGrid, Window
from ..resample import average, nearest
from ..source import BandInfo, BandRole, check_request


@dataclass(frozen=True)
class ArraySource:
    """A raster source over an array.

    Examples
    --------
    >>> source = ArraySource(np.arange(12).reshape(1, 3, 4), PixelGrid.pixel_space(4, 3))
    >>> source.read(Window(1, 1, 2, 1), (2, 1), (1,)).data.tolist()
    [[[5, 6]]]
    """

    data: NDArray[Any]
    """(B, H, W), real numbers; not copied, so leave it alone afterwards."""
    grid: PixelGrid
    """Where the pixels lie."""
    valid: NDArray[np.bool_] | None = None
    """(H, W), True where a pixel is usable; None for all. NaN and infinity are never usable."""
    bands: tuple[BandInfo, ...] = ()
    """One for each band; made up where left out."""
    already_rgb: bool = False
    """True for a finished picture: no stretch is applied."""
    uri: str = "memory"
    """What provenance says about where the pixels come from."""

    def __post_init__(self) -> None:
        expected = (self.grid.height, self.grid.width)
        if self.data.ndim != 3 or self.data.shape[1:] != expected or self.data.dtype.kind not in "uif":
            raise ValueError(
                f"ArraySource.data: expected real numbers (B, {expected[0]}, {expected[1]}), "
                f"got {self.data.dtype} {self.data.shape}"
            )
        if self.valid is not None and (self.valid.shape != expected or self.valid.dtype != np.bool_):
            raise ValueError(f"ArraySource.valid: expected bool {expected}, got {self.valid.dtype} {self.valid.shape}")
        if not self.bands:
            names = (f"Band {number}" for number in range(1, len(self.data) + 1))
            infos = tuple(BandInfo(name, self.data.dtype.name, BandRole.UNDEFINED) for name in names)
            object.__setattr__(self, "bands", infos)
        if len(self.bands) != len(self.data):
            raise ValueError(f"ArraySource.bands: expected {len(self.data)}, got {len(self.bands)}")

    def read(
        self, window: Window, size: tuple[int, int], bands: tuple[int, ...], progress: Progress | None = None
    ) -> RasterChip:
        """Return the window's pixels, averaged down to ``size`` (nearest for palettes)."""
        check_request(self, window, size, bands)
        check(progress or NullProgress())
        rows = slice(window.row, window.row + window.height)
        cols = slice(window.col, window.col + window.width)
        picked = self.data[[number - 1 for number in bands], rows, cols]
        usable = np.ones(picked.shape[1:], dtype=np.bool_) if self.valid is None else self.valid[rows, cols]
        if picked.dtype.kind == "f":
            usable = usable & np.isfinite(picked).all(axis=0)
        is_palette = any(self.bands[number - 1].role is BandRole.PALETTE for number in bands)
        data, valid = (nearest if is_palette else average)(picked, usable, size)
        return RasterChip(
            data=data,
            valid=valid.copy(),
            grid=self.grid.window(window).resampled(*size),
            band_names=tuple(self.bands[number - 1].name for number in bands),
            source_uri=self.uri,
        )

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""
