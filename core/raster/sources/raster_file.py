"""Raster files and everything else that GDAL opens: GeoTIFF, VRT, zip, /vsi paths, URLs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import native
from ...errors import RasterReadError
from ...progress import NullProgress, Progress, check
from ...redact import without_credentials
from ..chip import RasterChip
from ..dataset import open_dataset, readable
from ..georeference import place
from ..grid import PixelGrid, Window
from ..source import BandInfo, BandRole, RasterSource, check_request

NAME = "raster_file"
_DECLARED = {role.value: role for role in BandRole}
_DESCRIBED = {role.value: role for role in (BandRole.RED, BandRole.GREEN, BandRole.BLUE, BandRole.NIR)}


class RasterFileSource:
    """A raster that GDAL reads. Use it from one thread at a time, and close it.

    Parameters
    ----------
    uri : str
        Path, URL or other GDAL name.
    pixel_space : bool
        True to ignore the georeference: x is the column and y the row (downwards), without a CRS.

    Raises
    ------
    RasterReadError
        If it can't be opened, or holds nothing but complex numbers.
    MissingCrsError
        If it has no CRS and ``pixel_space`` is False.
    """

    already_rgb = False

    def __init__(self, uri: str, *, pixel_space: bool = False) -> None:
        self._uri = uri
        self._file = open_dataset(uri)
        try:
            self._bands = _band_infos(self._file)
            _refuse_complex(uri, self._bands)
            with readable(uri, "The georeference"):
                self._dataset, self._grid = place(self._file, uri, pixel_space=pixel_space)
        except BaseException:
            self._file.close()
            raise

    @property
    def uri(self) -> str:
        """Its name, without credentials."""
        return without_credentials(self._uri)

    @property
    def grid(self) -> PixelGrid:
        """The whole raster at its finest resolution."""
        return self._grid

    @property
    def bands(self) -> tuple[BandInfo, ...]:
        """Its bands, alpha included."""
        return self._bands

    def read(
        self, window: Window, size: tuple[int, int], bands: tuple[int, ...], progress: Progress | None = None
    ) -> RasterChip:
        """Return the window's pixels, resampled to ``size`` (width, height); see :class:`RasterSource`.

        Decimated pixels are the mean of the usable ones under them, or the nearest one for palettes; a chip pixel is
        usable as soon as one pixel under it is. Bands of different types come as the type that holds all of them.
        """
        check_request(self, window, size, bands)
        # An alpha band is itself never masked: it masks the others.
        masked = [number for number in bands if self._bands[number - 1].role is not BandRole.ALPHA] or list(bands)
        how = self._resampling(window, bands)
        progress = progress or NullProgress()
        numbers = ", ".join(str(number) for number in bands)
        pieces = []
        with readable(self._uri, f"Band {numbers}"):
            for piece in self._pieces(bands):
                check(progress)
                pieces.append(self._dataset.read(piece, out_shape=(len(piece), size[1], size[0]), **how))
            check(progress)
            masks: NDArray[np.uint8] = self._dataset.read_masks(
                masked, out_shape=(len(masked), size[1], size[0]), **how
            )
            check(progress)
        data: NDArray[Any] = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
        return RasterChip(
            data=data,
            valid=_usable(data, masks),
            grid=self._grid.window(window).resampled(*size),
            band_names=tuple(self._bands[number - 1].name for number in bands),
            source_uri=self.uri,
        )

    def close(self) -> None:
        """Let go of the file."""
        if self._dataset is not self._file:
            self._dataset.close()
        self._file.close()

    def _pieces(self, bands: tuple[int, ...]) -> list[list[int]]:
        """Return which bands are read together."""
        types = {self._bands[number - 1].dtype for number in bands}
        interleaving = self._file.interleaving
        # Where the file stores them pixel by pixel, reading them one by one would decode everything for each.
        apart = len(types) > 1 or (interleaving is not None and interleaving.name == "band")
        return [[number] for number in bands] if apart else [list(bands)]

    def _resampling(self, window: Window, bands: tuple[int, ...]) -> dict[str, Any]:
        """Return rasterio's arguments that say what is read and how it is decimated."""
        rasterio = native.rasterio()
        is_palette = any(self._bands[number - 1].role is BandRole.PALETTE for number in bands)
        how = rasterio.enums.Resampling
        return {
            "window": rasterio.windows.Window(window.col, window.row, window.width, window.height),
            "resampling": how.nearest if is_palette else how.average,
        }


class RasterFileOpener:
    """Opens whatever no other kind of source claims."""

    def accepts(self, uri: str) -> bool:
        """Return True: GDAL is asked about everything."""
        return True

    def open(self, uri: str, *, pixel_space: bool) -> RasterSource:
        """Return the raster ``uri``; see :class:`RasterFileSource`."""
        return RasterFileSource(uri, pixel_space=pixel_space)


def _usable(data: NDArray[Any], masks: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return where a pixel can be used, (H, W).

    Like GDAL's dataset mask: a pixel is nodata only where all bands are, since 0 in one band of a picture whose
    nodata is 0 is just a dark colour. NaN and infinity are never a value.
    """
    usable: NDArray[np.bool_] = (masks > 0).any(axis=0)
    if data.dtype.kind == "f":
        usable &= np.isfinite(data).all(axis=0)
    return usable


def _band_infos(dataset: Any) -> tuple[BandInfo, ...]:
    infos = []
    for number in range(1, dataset.count + 1):
        described = (dataset.descriptions[number - 1] or "").strip()
        role = _DECLARED.get(dataset.colorinterp[number - 1].name, BandRole.UNDEFINED)
        if role in (BandRole.GRAY, BandRole.UNDEFINED):
            role = _DESCRIBED.get(described.casefold(), role)
        palette = _palette(dataset, number) if role is BandRole.PALETTE else ()
        if role is BandRole.PALETTE and not palette:
            role = BandRole.GRAY
        infos.append(BandInfo(described or f"Band {number}", dataset.dtypes[number - 1], role, palette))
    return tuple(infos)


def _palette(dataset: Any, number: int) -> tuple[tuple[int, int, int, int], ...]:
    try:
        colours = dataset.colormap(number)
    except ValueError:
        # rasterio's word for a band that is declared a palette and has none, as VRTs made by hand are.
        return ()
    return tuple(tuple(colours.get(value, (0, 0, 0, 0))) for value in range(max(colours, default=-1) + 1))


def _refuse_complex(uri: str, bands: tuple[BandInfo, ...]) -> None:
    if all(band.dtype.startswith("complex") for band in bands):
        shown = without_credentials(uri)
        raise RasterReadError(
            f"The raster '{shown}' holds complex numbers ({bands[0].dtype}), which are not a picture.",
            hint="Make an amplitude raster of it first, for example with gdal_calc: abs(A).",
        )


ENTRY = RasterFileOpener()
