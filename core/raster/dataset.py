"""Opening files with GDAL, and saying in plain words why one can't be opened or read."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .. import native
from ..errors import RasterReadError
from ..redact import without_credentials

_NETWORK_OPTIONS = {"GDAL_HTTP_TIMEOUT": 30, "GDAL_HTTP_CONNECTTIMEOUT": 10, "GDAL_HTTP_MAX_RETRY": 2}
_GDAL_NAME = re.compile(r"/vsi|[A-Za-z][A-Za-z0-9_+.-]+:")


def open_dataset(uri: str) -> Any:
    """Return the open rasterio dataset of a path, a URL or any other name that GDAL knows.

    A zip file opens as the one raster that it holds.

    Raises
    ------
    RasterReadError
        If there is nothing, or nothing that GDAL can read as a raster.
    """
    name = uri.strip()
    if not name:
        raise RasterReadError("No raster was given.", hint="Give the path of a raster file.")
    if not _GDAL_NAME.match(name) and not Path(name).exists():
        raise RasterReadError(f"There is no file '{name}'.", hint="Check the path and its spelling.")
    try:
        dataset = _open(name)
    except _gdal_errors() as error:
        if Path(name).is_file() and zipfile.is_zipfile(name):
            return _open_zipped(name)
        raise RasterReadError(_why_unopened(name, error), hint=_what_to_do(name)) from error
    if dataset.count == 0:
        subdatasets = [without_credentials(inner) for inner in dataset.subdatasets]
        dataset.close()
        raise RasterReadError(
            f"'{without_credentials(name)}' has no bands of its own but {len(subdatasets)} rasters inside.",
            hint=f"Open one of them by its name: {', '.join(subdatasets[:3]) or 'none is listed'}.",
        )
    return dataset


@contextmanager
def readable(uri: str, what: str) -> Iterator[None]:
    """Turn GDAL's errors into :class:`RasterReadError`: ``what`` is being read from ``uri``."""
    try:
        with native.rasterio_env(**_options(uri)):
            yield
    except _gdal_errors() as error:
        raise RasterReadError(
            f"{what} of '{without_credentials(uri)}' can't be read ({_first_sentence(error)}).",
            hint="The file may be damaged, cut short or out of reach: check it with gdalinfo -checksum.",
        ) from error


def _open(name: str) -> Any:
    rasterio = native.rasterio()
    with warnings.catch_warnings():
        # A raster without a place is no surprise here: it is refused, or asked for, by the caller.
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with native.rasterio_env(**_options(name)):
            return rasterio.open(name)


def _open_zipped(path: str) -> Any:
    """Open the raster in a zip whose format GDAL only knows by the inner file's name."""
    with zipfile.ZipFile(path) as archive:
        names = [f"/vsizip/{path}/{info.filename}" for info in archive.infolist() if not info.is_dir()]
    opened = {}
    for name in names:
        try:
            opened[name] = _open(name)
        except _gdal_errors():
            continue
    if len(opened) == 1:
        return next(iter(opened.values()))
    for dataset in opened.values():
        dataset.close()
    if opened:
        raise RasterReadError(
            f"The zip file '{path}' holds {len(opened)} rasters.",
            hint=f"Open one of them by its name: {', '.join(list(opened)[:3])}.",
        )
    raise RasterReadError(
        f"The zip file '{path}' holds no raster that GDAL can read.", hint="Unpack it and look inside."
    )


def _why_unopened(name: str, error: Exception) -> str:
    shown = without_credentials(name)
    path = Path(name)
    if path.is_dir():
        return f"'{shown}' is a folder, not a raster file."
    if path.is_file() and path.stat().st_size == 0:
        return f"The file '{shown}' is empty (0 bytes)."
    if path.is_file():
        return f"The file '{shown}' can't be opened as a raster ({_first_sentence(error)})."
    return f"The raster '{shown}' can't be opened ({_first_sentence(error)})."


def _what_to_do(name: str) -> str:
    if Path(name).is_file():
        return "Give a raster file that GDAL can read, such as a GeoTIFF; gdalinfo says whether it can."
    return "Check the name, and the connection if it lies on a server; gdalinfo should be able to open it."


def _first_sentence(error: BaseException) -> str:
    text = without_credentials(" ".join(str(error.__cause__ or error).split()))
    return text.rstrip(".")[:160] or type(error).__name__


def _options(uri: str) -> dict[str, Any]:
    return _NETWORK_OPTIONS if "/vsi" in uri or "://" in uri else {}


def _gdal_errors() -> tuple[type[Exception], ...]:
    rasterio = native.rasterio()
    return rasterio.errors.RasterioError, rasterio._err.CPLE_BaseError, OSError
