"""RasterChip: the pixels of a piece of a raster, with their place and which of them are usable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .grid import PixelGrid


@dataclass(frozen=True)
class RasterChip:
    """Pixels read by a source. Made only by sources; arrays are read-only."""

    data: NDArray[Any]
    """(B, H, W), the source's own dtype and values (no stretch, no scale); anything where ``valid`` is False."""
    valid: NDArray[np.bool_]
    """(H, W), True where the pixel is usable: not masked, not transparent, not nodata in all bands (0 in one band of a
    picture whose nodata is 0 is just a dark colour), and finite in every band."""
    grid: PixelGrid
    """Where the pixels lie; its size is (W, H)."""
    band_names: tuple[str, ...]
    """One name for each band of ``data``."""
    source_uri: str
    """What to open to get these pixels again."""

    def __post_init__(self) -> None:
        size = (self.grid.height, self.grid.width)
        if self.data.ndim != 3 or self.data.shape[1:] != size:
            raise ValueError(f"RasterChip.data: expected shape (B, {size[0]}, {size[1]}), got {self.data.shape}")
        if self.valid.shape != size or self.valid.dtype != np.bool_:
            raise ValueError(f"RasterChip.valid: expected bool {size}, got {self.valid.dtype} {self.valid.shape}")
        if len(self.band_names) != self.data.shape[0]:
            raise ValueError(f"RasterChip.band_names: expected {self.data.shape[0]} names, got {self.band_names}")
        self.data.setflags(write=False)
        self.valid.setflags(write=False)
