"""Pixels of a file layer as the layer's own provider gives them: every format that QGIS opens, at native resolution."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qgis.core import QgsRasterBlock, QgsRasterDataProvider, QgsRasterLayer, QgsRectangle

from ..core.errors import RasterReadError, SegmentError
from ..core.progress import NullProgress, Progress, check
from ..core.raster import crs as crs_maths
from ..core.raster.chip import RasterChip
from ..core.raster.grid import Bounds, PixelGrid, Window
from ..core.raster.resample import average
from ..core.raster.rgb import Palette
from ..core.raster.source import BandInfo, BandRole, RasterSource, check_request
from ..core.raster.sources import open_source
from .bridge import crs_text, file_path, source_text

DTYPES = {1: "uint8", 2: "uint16", 3: "int16", 4: "uint32", 5: "int32", 6: "float32", 7: "float64", 14: "int8"}
"""numpy name of each Qgis.DataType that holds one number for each pixel."""
COMPLEX = {8, 9, 10, 11}
"""Qgis.DataType of complex numbers."""
PICTURE = {12, 13}
"""Qgis.DataType of colours: what a map or tile server sends."""
_ROLES = {
    1: BandRole.GRAY,
    2: BandRole.PALETTE,
    3: BandRole.RED,
    4: BandRole.GREEN,
    5: BandRole.BLUE,
    6: BandRole.ALPHA,
}
_Method = QgsRasterDataProvider.ResamplingMethod
_OVERSAMPLE = 4
"""A provider that can't average is read this much finer, and averaged here."""

_STRIP_PX = 16_000_000
"""So many of the file's pixels are read between two looks at whether the user has cancelled."""


class ProviderSource:
    """A raster file through QGIS. Made on the layer's thread; then read from any one other.

    Rotated files come as the provider shows them: resampled to north-up. :func:`unturned` gives their own pixels.

    Parameters
    ----------
    layer : QgsRasterLayer
        A valid layer whose provider gives numbers, not colours.

    Raises
    ------
    RasterReadError
        If the layer has no pixels, or pixels of a type that can't be segmented.
    """

    already_rgb = False

    def __init__(self, layer: QgsRasterLayer) -> None:
        provider = layer.dataProvider()
        self._name = layer.name()
        self._provider: QgsRasterDataProvider = provider.clone()
        self.uri = source_text(layer)
        self.grid = layer_grid(layer)
        self.bands = tuple(self._band(number) for number in range(1, provider.bandCount() + 1))
        self._user_nodata = {
            number: [(item.min(), item.max()) for item in provider.userNoDataValues(number)]
            for number in range(1, provider.bandCount() + 1)
        }
        self.file = layer.source() if layer.providerType() == "gdal" and not any(self._user_nodata.values()) else ""
        """What the core can open to read the same pixels itself; empty if it can't."""
        # Without the large number, the provider thins out whole rows and columns before it averages.
        can_resample = self._provider.enableProviderResampling(True) and self._provider.setMaxOversampling(1e9)
        # And the user's own nodata values are known to it only after it has averaged.
        can_resample = can_resample and not any(self._user_nodata.values())
        self._averages = bool(can_resample and self._provider.setZoomedOutResamplingMethod(_Method.Average))

    def read(
        self, window: Window, size: tuple[int, int], bands: tuple[int, ...], progress: Progress | None = None
    ) -> RasterChip:
        """Return the window's pixels, averaged to ``size``; see :class:`RasterSource`."""
        check_request(self, window, size, bands)
        progress = progress or NullProgress()
        grid = self.grid.window(window).resampled(*size)
        alphas = [band for band, info in enumerate(self.bands, start=1) if info.role is BandRole.ALPHA]
        values, usable = {}, {}
        for band in dict.fromkeys((*bands, *alphas)):
            values[band], usable[band] = self._read_band(band, window, size, progress)
        # 0 in one band of a picture whose nodata is 0 is just a dark colour
        valid: NDArray[np.bool_] = np.any([usable[band] for band in bands], axis=0)
        for band in bands:
            valid &= np.isfinite(values[band])
        for band in alphas:
            valid &= usable[band] & (values[band] > 0)
        names = tuple(self.bands[band - 1].name for band in bands)
        return RasterChip(np.stack([values[band] for band in bands]), valid, grid, names, self.uri)

    def close(self) -> None:
        """Let go of the provider, and with it of the file."""
        self._provider = None

    def _band(self, number: int) -> BandInfo:
        kind = int(self._provider.dataType(number))
        if kind in COMPLEX:
            raise RasterReadError(
                f"Band {number} of '{self._name}' holds complex numbers.",
                hint="Make a raster of their amplitude first, for example with the raster calculator.",
            )
        if kind not in DTYPES:
            raise RasterReadError(
                f"Band {number} of '{self._name}' has a pixel type that can't be read ({kind}).",
                hint="Convert the raster to bytes, integers or floating point numbers first.",
            )
        role = _ROLES.get(int(self._provider.colorInterpretation(number)), BandRole.UNDEFINED)
        palette = palette_of(self._provider.colorTable(number)) if role is BandRole.PALETTE else ()
        return BandInfo(self._provider.generateBandName(number), DTYPES[kind], role, palette)

    def _read_band(
        self, band: int, window: Window, size: tuple[int, int], progress: Progress
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return values and usable pixels (H, W), read in strips: a read of the provider itself can't be cancelled."""
        grid = self.grid.window(window).resampled(*size)
        times = 1
        if size != (window.width, window.height) and not self._averages and not self._is_palette(band):
            times = min(_OVERSAMPLE, max(1, window.width // size[0]), max(1, window.height // size[1]))
        rows = max(1, _STRIP_PX * size[1] // (window.width * window.height))
        if window.height % (size[1] * times) and (not self._averages or self._is_palette(band)):
            rows = size[1]  # which pixel is the nearest one depends on where a read begins
        parts = []
        for top in range(0, size[1], rows):
            check(progress)
            strip = grid.window(Window(0, top, size[0], min(rows, size[1] - top)))
            values, usable = self._read_block(band, strip.bounds, (strip.width * times, strip.height * times))
            means, averaged = average(values[np.newaxis], usable, (strip.width, strip.height))
            parts.append((means[0], averaged))
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def _is_palette(self, band: int) -> bool:
        return self.bands[band - 1].role is BandRole.PALETTE

    def _read_block(self, band: int, bounds: Bounds, size: tuple[int, int]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        if self._averages:
            # averages of palette entries mean nothing, and the provider refuses to make them
            method = _Method.Nearest if self._is_palette(band) else _Method.Average
            if not self._provider.setZoomedOutResamplingMethod(method):
                raise RasterReadError(f"'{self._name}' can't be read at a coarser resolution.", hint="Export it first.")
        block = self._provider.block(band, QgsRectangle(*bounds), *size)
        if not block.isValid() or block.isEmpty():
            raise RasterReadError(
                f"Band {band} of '{self._name}' can't be read ({reason(block) or 'no reason given'}).",
                hint="Check that the file is whole, for example with gdalinfo -checksum.",
            )
        values = _values(block, size)
        return values, self._usable(block, values, band)

    def _usable(self, block: QgsRasterBlock, values: NDArray[Any], band: int) -> NDArray[np.bool_]:
        usable: NDArray[np.bool_] = np.isfinite(values)
        if block.hasNoDataValue():
            nodata = block.noDataValue()
            # compared in the band's own type: a float32 nodata value is not the same number as a float64
            usable &= values != np.asarray(nodata).astype(values.dtype)
        for low, high in self._user_nodata[band]:
            usable &= ~((values >= low) & (values <= high))
        return usable


def palette_of(items: Iterable[Any]) -> Palette:
    """Return the RGBA colour of each value 0, 1, 2, ... from QGIS's list; a value that is not in it is transparent."""
    colours = {
        int(item.value): (item.color.red(), item.color.green(), item.color.blue(), item.color.alpha()) for item in items
    }
    return tuple(colours.get(value, (0, 0, 0, 0)) for value in range(max(colours, default=-1) + 1))


def unturned(source: ProviderSource) -> RasterSource:
    """Return the core's own reader for a file that the provider would turn north-up, else the source itself.

    Turning resamples the pixels and fills the corners with nothing; the core works on rotated grids as they are.
    """
    if not source.file:
        return source
    try:
        own = open_source(file_path(source.file))
    except SegmentError:
        return source
    _, b, _, d, _, _ = own.grid.transform
    if (b or d) and crs_maths.same(own.grid.crs, source.grid.crs):
        return own
    own.close()
    return source


def reason(block: QgsRasterBlock) -> str:
    """Return why a block could not be read, or nothing."""
    error = block.error()
    # QGIS crashes when an empty error is asked for its summary
    return "" if error.isEmpty() else str(error.summary())


def layer_grid(layer: QgsRasterLayer) -> PixelGrid:
    """Return the grid of a layer that has pixels of its own.

    Raises
    ------
    RasterReadError
        If it has none.
    """
    if layer.width() < 1 or layer.height() < 1:
        raise RasterReadError(f"'{layer.name()}' has no pixels.", hint="Choose another raster.")
    extent = layer.extent()
    size_x, size_y = extent.width() / layer.width(), extent.height() / layer.height()
    transform = (size_x, 0.0, extent.xMinimum(), 0.0, -size_y, extent.yMaximum())
    return PixelGrid(transform, crs_text(layer.crs()), layer.width(), layer.height())


def is_picture(layer: QgsRasterLayer) -> bool:
    """Return True if a layer has no pixels of its own (web tiles, WMS): only QGIS can render it.

    Its provider gives colours, or elevations where QGIS is told to read tiles so.
    """
    provider = layer.dataProvider()
    return layer.providerType() == "wms" or (provider.bandCount() > 0 and int(provider.dataType(1)) in PICTURE)


def _values(block: QgsRasterBlock, size: tuple[int, int]) -> NDArray[Any]:
    dtype = DTYPES[int(block.dataType())]
    # a copy, because the bytes belong to the block
    return np.frombuffer(bytes(block.data()), dtype=dtype).reshape(size[1], size[0]).copy()
