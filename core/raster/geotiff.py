"""Writing GeoTIFFs with rasterio: piece by piece to a file that is there when it is whole, or small ones in memory."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import native
from ..errors import OutputError
from .grid import PixelGrid, Window

_ENDINGS = (".tif", ".tiff")
_ROOM = "Check that there is room and that the folder can be written to, or choose another place."


class GeoTiff:
    """A GeoTIFF under way."""

    def __init__(self, file: Any, path: Path) -> None:
        self._file = file
        self._path = path

    def write(self, values: NDArray[Any], window: Window) -> None:
        """Write values (B, h, w) of the raster's type at a window of it.

        Raises
        ------
        OutputError
            If that fails.
        """
        rasterio = native.rasterio()
        here = rasterio.windows.Window(window.col, window.row, window.width, window.height)
        try:
            self._file.write(np.ascontiguousarray(values), window=here)
        except rasterio.errors.RasterioError as error:
            raise OutputError(f"The raster {self._path} can't be written: {error}.", hint=_ROOM) from error


def check_geotiff(path: str | Path) -> None:
    """Raise if a path can't be that of a GeoTIFF: asked before the work begins.

    Raises
    ------
    OutputError
        If the ending is another, or there is no such folder.
    """
    path = Path(path)
    if path.suffix.lower() not in _ENDINGS:
        raise OutputError(f"The output '{path}' is no GeoTIFF.", hint="Give a name that ends in .tif.")
    if not path.absolute().parent.is_dir() or path.is_dir():
        raise OutputError(f"The output '{path}' can't be written there.", hint="Give a file in a folder that exists.")


@contextmanager
def geotiff(
    path: str | Path, grid: PixelGrid, dtype: str, *, bands: int = 1, nodata: float | None = None
) -> Iterator[GeoTiff]:
    """Open a new GeoTIFF, to be written window by window; one that is there is replaced at the end.

    Parameters
    ----------
    path : str or Path
        Where it will be.
    grid : PixelGrid
        Rotated and sheared ones are kept as they are.
    dtype : str
        numpy's name of the pixel type.
    bands : int
        How many.
    nodata : float, optional
        Declared for every band.

    Raises
    ------
    OutputError
        If it can't be made. Nothing is left of it then, nor after any other error.
    """
    check_geotiff(path)
    target = Path(path)
    part = target.with_name(f".{target.stem}.part{target.suffix}")
    rasterio = native.rasterio()
    profile = _profile(grid, dtype, bands, nodata)
    try:
        with native.rasterio_env(), rasterio.open(part, "w", **profile) as file:
            yield GeoTiff(file, target)
        part.replace(target)
    except (rasterio.errors.RasterioIOError, OSError) as error:
        raise OutputError(f"The raster {target} can't be written: {error}.", hint=_ROOM) from error
    finally:
        part.unlink(missing_ok=True)


def geotiff_bytes(bands: NDArray[Any], grid: PixelGrid) -> bytes:
    """Return bands (B, H, W) as the content of a GeoTIFF file; without a georeference for a grid in pixel space.

    Raises
    ------
    OutputError
        If that fails.
    """
    rasterio = native.rasterio()
    try:
        # The warning says that there is no georeference where none is wanted.
        with warnings.catch_warnings(), native.rasterio_env(), rasterio.io.MemoryFile() as memory:
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            # It is sent or thrown away at once: the quickest compression.
            with memory.open(**_profile(grid, str(bands.dtype), len(bands), None), zlevel=1) as file:
                file.write(np.ascontiguousarray(bands))
            return bytes(memory.read())
    except rasterio.errors.RasterioError as error:
        raise OutputError(
            f"An image of {grid.width} x {grid.height} pixels can't be made a GeoTIFF: {error}.",
            hint="Choose a smaller area.",
        ) from error


def _profile(grid: PixelGrid, dtype: str, bands: int, nodata: float | None) -> dict[str, Any]:
    return {
        "driver": "GTiff",
        "width": grid.width,
        "height": grid.height,
        "count": bands,
        "dtype": dtype,
        "crs": grid.crs,
        "transform": native.rasterio().transform.guard_transform(grid.transform),
        "nodata": nodata,
        "compress": "deflate",
        "tiled": grid.width >= 256 and grid.height >= 256,
        "bigtiff": "if_safer",
    }
