"""EncodedSource: a picture whose colours say elevations (a saved terrarium or mapbox tile), as elevations in metres."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingsError
from ..progress import Progress
from ..raster.chip import RasterChip
from ..raster.grid import PixelGrid, Window
from ..raster.resample import average_over
from ..raster.source import BandInfo, BandRole, RasterSource, check_request
from ..raster.terrain_rgb import TerrainEncoding, elevations

_STRIP_PX = 4_000_000


class EncodedSource:
    """The elevations that a source's first three bands encode. Closing it closes the other.

    Colours are decoded at native resolution and elevations averaged, never the other way round.

    Parameters
    ----------
    source : RasterSource
        Its first three bands are uint8.
    encoding : TerrainEncoding
        How they say elevations.

    Raises
    ------
    SettingsError
        If the bands are not of that kind.
    """

    already_rgb = False

    def __init__(self, source: RasterSource, encoding: TerrainEncoding) -> None:
        kinds = [band.dtype for band in source.bands[:3]]
        if kinds != ["uint8"] * 3:
            raise SettingsError(
                f"'{source.uri}' can't be {encoding.value} terrain: its bands are {', '.join(kinds)}, not three of "
                "uint8.",
                hint="Name the encoding only for pictures whose colours are elevations; say none for a plain DEM.",
            )
        self._source = source
        self._encoding = encoding
        self.bands = (BandInfo("Elevation", encoding.dtype, BandRole.GRAY),)

    @property
    def uri(self) -> str:
        """The picture's own, with the encoding in front."""
        return f"{self._encoding.value}:{self._source.uri}"

    @property
    def grid(self) -> PixelGrid:
        """The picture's own."""
        return self._source.grid

    def read(
        self, window: Window, size: tuple[int, int], bands: tuple[int, ...], progress: Progress | None = None
    ) -> RasterChip:
        """Return the elevations of a window at ``size``; see :class:`RasterSource`."""
        check_request(self, window, size, bands)
        rows = max(1, _STRIP_PX * size[1] // (window.width * window.height))
        parts = [self._strip(window, size, top, min(top + rows, size[1]), progress) for top in range(0, size[1], rows)]
        metres, valid = (np.concatenate([part[index] for part in parts]) for index in (0, 1))
        grid = self.grid.window(window).resampled(*size)
        return RasterChip(np.stack([metres] * len(bands)), valid, grid, ("Elevation",) * len(bands), self.uri)

    def close(self) -> None:
        """Close the picture."""
        self._source.close()

    def _strip(
        self, window: Window, size: tuple[int, int], top: int, bottom: int, progress: Progress | None
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return some rows of the result."""
        step = window.height / size[1]
        first, last = int(top * step), min(window.height, -int(-bottom * step // 1))
        part = Window(window.col, window.row + first, window.width, last - first)
        chip = self._source.read(part, (part.width, part.height), (1, 2, 3), progress)
        opaque = np.where(chip.valid, 255, 0).astype(np.uint8)[None]
        metres, valid = elevations(np.concatenate([chip.data, opaque]), self._encoding)
        if (part.width, part.height) == (size[0], bottom - top):
            return metres, valid
        box = (0.0, top * step - first, float(window.width), bottom * step - first)
        means, usable = average_over(metres[None], valid, box, (size[0], bottom - top))
        return means[0].astype(metres.dtype), usable


def encoding_in(uri: str) -> tuple[TerrainEncoding | None, str]:
    """Return the encoding that :attr:`EncodedSource.uri` has in front, and the picture's own name.

    Examples
    --------
    >>> encoding_in("mapbox:/data/tile.png")[1], encoding_in("/data/dem.tif")
    ('/data/tile.png', (None, '/data/dem.tif'))
    """
    for encoding in TerrainEncoding:
        if uri.startswith(f"{encoding.value}:"):
            return encoding, uri[len(encoding.value) + 1 :]
    return None, uri
