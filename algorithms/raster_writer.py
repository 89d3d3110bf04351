"""Writing rasters with QGIS, piece by piece; nothing is left of one that was not finished."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsMultiBandColorRenderer,
    QgsRasterBlock,
    QgsRasterFileWriter,
    QgsRasterLayer,
    QgsRectangle,
)

from ..core.errors import OutputError
from ..core.raster.grid import PixelGrid, Window

_OPTIONS = ["COMPRESS=DEFLATE", "TILED=YES", "BIGTIFF=IF_SAFER"]
_TYPES = {"uint8": Qgis.DataType.Byte, "float32": Qgis.DataType.Float32}


class RasterWriter:
    """A GeoTIFF under way; leaving the ``with`` block by an error or a cancellation deletes it.

    Parameters
    ----------
    path : str
        Where it is written.
    grid : PixelGrid
        North-up.
    crs : QgsCoordinateReferenceSystem
        Its CRS.
    dtype : str
        "uint8" or "float32".
    bands : int
        How many.
    nodata : float, optional
        Declared for every band.

    Raises
    ------
    OutputError
        If it can't be made or written.
    """

    def __init__(
        self,
        path: str,
        grid: PixelGrid,
        crs: QgsCoordinateReferenceSystem,
        dtype: str,
        *,
        bands: int = 1,
        nodata: float | None = None,
    ) -> None:
        self._path = path
        self._bands = bands
        self._type = _TYPES[dtype]
        writer = QgsRasterFileWriter(path)
        writer.setOutputFormat("GTiff")
        # The newer name of the same setting; the older one is going away.
        is_new = hasattr(writer, "setCreationOptions")
        (writer.setCreationOptions if is_new else writer.setCreateOptions)(_OPTIONS)
        extent = QgsRectangle(*grid.bounds)
        self._provider: Any = writer.createMultiBandRaster(self._type, grid.width, grid.height, extent, crs, bands)
        if self._provider is None or not self._provider.isValid():
            raise self._failure("it can't be made")
        for band in range(1, bands + 1) if nodata is not None else ():
            if not self._provider.setNoDataValue(band, nodata):
                raise self._failure("its nodata value can't be set")
        if not self._provider.isEditable() and not self._provider.setEditable(True):
            raise self._failure("it can't be written to")

    def __enter__(self) -> RasterWriter:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the file, or delete it after an error."""
        if self._provider is not None:
            self._provider.setEditable(False)
            self._provider = None
        if kind is not None:
            drop(self._path)

    def write(self, values: NDArray[Any], window: Window) -> None:
        """Write values (B, h, w) of the raster's type at a window of it."""
        for band, plane in enumerate(values, start=1):
            block = QgsRasterBlock(self._type, window.width, window.height)
            block.setData(np.ascontiguousarray(plane).tobytes())
            if not self._provider.writeBlock(block, band, window.col, window.row):
                raise self._failure("writing failed")

    def _failure(self, what: str) -> OutputError:
        return OutputError(
            f"The raster {self._path}: {what}.",
            hint="Check that there is room and that the folder can be written to, or choose another place.",
        )


def save_rgb_style(path: str) -> bool:
    """Write the style of a finished RGB raster beside it: its bytes as they are, without a stretch."""
    layer = QgsRasterLayer(path, "composite")
    if not layer.isValid():
        return False
    layer.setRenderer(QgsMultiBandColorRenderer(layer.dataProvider(), 1, 2, 3))
    _, ok = layer.saveNamedStyle(str(Path(path).with_suffix(".qml")))
    return bool(ok)


def drop(path: str) -> None:
    """Delete a raster and what lies beside it."""
    for name in (path, f"{path}.aux.xml", str(Path(path).with_suffix(".qml"))):
        with suppress(OSError):
            Path(name).unlink(missing_ok=True)
