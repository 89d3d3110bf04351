"""The stretch: which values of each channel become black and white, the same for every view of a source."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import RasterReadError, SettingsError
from ..progress import Progress, check
from .chip import RasterChip
from .grid import Window
from .source import RasterSource

_SAMPLE_PX = 1 << 20
_WHOLE_READ_PX = 64 << 20
_TABLE_PX = 1 << 16
_PATCHES = 8
_PATCH_PX = 128
_DIGITS = 6
_COLLAR_SHARE = 0.01
_COLLAR_PX = 32


@dataclass(frozen=True)
class Stretch:
    """A linear map of values to 0..255 for each channel; values outside are clipped.

    Examples
    --------
    >>> Stretch.parse("120:3400").apply(np.array([[[120.0, 1760.0, 9000.0]]])).tolist()
    [[[0, 128, 255]]]
    """

    ranges: tuple[tuple[float, float], ...]
    """(low, high) of each channel: low becomes 0, high becomes 255. One pair serves all channels."""

    def __post_init__(self) -> None:
        if not self.ranges:
            raise SettingsError("A stretch needs at least one low:high pair.", hint="Give it as low:high.")
        for low, high in self.ranges:
            if not (low < high and math.isfinite(high - low)):
                raise SettingsError(
                    f"The stretch {low:g}:{high:g} is empty or inverted.",
                    hint="Give it as low:high with low < high, in the raster's own values.",
                )

    @classmethod
    def parse(cls, text: str) -> Stretch:
        """Return the stretch written as "low:high" or "low:high,low:high,low:high".

        Raises
        ------
        SettingsError
            If the text is not of that form, or a pair is empty or inverted.
        """
        try:
            pairs = [tuple(float(part) for part in pair.split(":")) for pair in text.split(",")]
            return cls(tuple((low, high) for low, high in pairs))
        except ValueError as error:
            raise SettingsError(
                f"The stretch '{text}' can't be understood.",
                hint="Give low:high, or three of them divided by commas, for example 0:3000,0:3000,0:2500.",
            ) from error

    def text(self) -> str:
        """Return the text that :meth:`parse` reads, exact to the last bit."""
        return ",".join(f"{_shortest(low)}:{_shortest(high)}" for low, high in self.ranges)

    def apply(self, data: NDArray[Any]) -> NDArray[np.uint8]:
        """Return data (C, H, W) as uint8 (C, H, W). NaN becomes 0."""
        ranges = self.ranges * len(data) if len(self.ranges) == 1 else self.ranges
        return np.stack([_stretched(channel, *pair) for channel, pair in zip(data, ranges)])


def sample(source: RasterSource, bands: tuple[int, ...], progress: Progress) -> NDArray[Any]:
    """Return usable values (C, N) of the whole source, about a million or fewer of each band.

    From one decimated read (which uses overviews) or, where a huge raster would have to be read whole for that, from
    patches at native resolution on an even lattice. The same source always gives the same values.

    Raises
    ------
    RasterReadError
        If it can't be read, or holds nothing but nodata.
    Cancelled
        If the user asked to stop.
    """
    grid = source.grid
    # Tile servers have their own coarser pictures, and a lattice would ask for hundreds of tiles.
    patchy = grid.width * grid.height > _WHOLE_READ_PX and not getattr(source, "has_overviews", False)
    values = _lattice(source, bands, progress) if patchy else None
    if values is None or values.shape[1] == 0:
        check(progress)
        factor = max(1.0, math.sqrt(grid.width * grid.height / _SAMPLE_PX))
        size = max(1, int(grid.width / factor)), max(1, int(grid.height / factor))
        values = _values(source.read(Window(0, 0, grid.width, grid.height), size, bands, progress))
    if values.shape[1] == 0:
        raise RasterReadError(
            f"The raster '{source.uri}' holds nothing but nodata in band {', '.join(map(str, bands))}.",
            hint="Choose other bands, or check the raster's nodata value.",
        )
    return values


def percentile_stretch(values: NDArray[Any], percentiles: tuple[float, float], *, joint: bool = False) -> Stretch:
    """Return the stretch from one percentile of each channel's values (C, N) to another.

    Pixels that look like nodata that the file forgot to declare are left out, so that a black collar doesn't take the
    contrast of the rest: those with the lowest value of every channel, if they are at least a hundredth of all.

    Parameters
    ----------
    values : ndarray
        (C, N), finite.
    percentiles : tuple of float
        (low, high), 0 to 100.
    joint : bool
        True for one range over all channels, which leaves the colours as they are.
    """
    shown = values if joint else _without_collar(values)
    channels = shown.reshape(1, -1) if joint else shown
    return Stretch(tuple(_range(channel.astype(np.float64), percentiles) for channel in channels))


def _stretched(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    if values.dtype.kind in "ui" and values.dtype.itemsize <= 2 and values.size > _TABLE_PX:
        # Few values and many pixels: a table of all values is ten times faster.
        limits = np.iinfo(values.dtype)
        table = _stretched(np.arange(limits.min, limits.max + 1), low, high)
        looked_up: NDArray[np.uint8] = table[values.astype(np.intp) - limits.min]
        return looked_up
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = values.astype(np.float64)
        scaled -= low
        scaled *= 255.0 / (high - low)
    np.nan_to_num(scaled, copy=False, nan=0.0)
    return np.rint(scaled.clip(0.0, 255.0, out=scaled), out=scaled).astype(np.uint8)


def _lattice(source: RasterSource, bands: tuple[int, ...], progress: Progress) -> NDArray[Any]:
    grid = source.grid
    width, height = min(_PATCH_PX, grid.width), min(_PATCH_PX, grid.height)
    found = []
    for row in np.linspace(0, grid.height - height, _PATCHES).astype(int):
        check(progress)
        for col in np.linspace(0, grid.width - width, _PATCHES).astype(int):
            window = Window(int(col), int(row), width, height)
            found.append(_values(source.read(window, (width, height), bands, progress)))
    return np.concatenate(found, axis=1)


def _values(chip: RasterChip) -> NDArray[Any]:
    values: NDArray[Any] = chip.data[:, chip.valid]
    return values


def _without_collar(values: NDArray[Any]) -> NDArray[Any]:
    """Return the columns of (C, N) that are no collar; all of them if the rest shows nothing."""
    collar = (values == values.min(axis=1, keepdims=True)).all(axis=0)
    if collar.sum() < max(_COLLAR_PX, _COLLAR_SHARE * collar.size) or collar.all():
        return values
    rest: NDArray[Any] = values[:, ~collar]
    return rest if (rest.min(axis=1) < rest.max(axis=1)).all() else values


def _range(values: NDArray[np.float64], percentiles: tuple[float, float]) -> tuple[float, float]:
    low, high = (float(value) for value in np.percentile(values, percentiles))
    if low == high:
        # Nearly everything has one value: what little differs is what there is to see.
        low, high = float(values.min()), float(values.max())
    low, high = _rounded(low, high), _rounded(high, high - low)
    if low >= high:
        # A constant channel becomes middle grey.
        half = max(0.5, abs(low) * 1e-6)
        low, high = low - half, high + half
    return low, high


def _rounded(value: float, span: float) -> float:
    """Return the value rounded to what matters beside ``span``, so that the stretch's text is short."""
    if not span > 0.0 or not math.isfinite(span):
        return value
    return round(value, _DIGITS - 1 - math.floor(math.log10(span)))


def _shortest(value: float) -> str:
    text = f"{value:.12g}"
    return text if float(text) == value else repr(value)
