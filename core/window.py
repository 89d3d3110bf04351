"""Where a chip is placed on a raster: around the prompts, or over an extent, and how it grows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import ChipTooLargeError, OutsideExtentError, SettingsError
from .raster import crs as crs_maths
from .raster.grid import Bounds, PixelGrid, Window

_MARGIN = 0.1
_GROWTH = 2
_TINY_PX = 1e-6


@dataclass(frozen=True)
class View:
    """A piece of a raster at a resolution: what is read for one look."""

    window: Window
    """Whole native pixels."""
    size: tuple[int, int]
    """(width, height) that the window is read at; never larger than the window."""

    @property
    def pixels(self) -> int:
        """How many pixels are read."""
        return self.size[0] * self.size[1]

    @property
    def coarseness(self) -> float:
        """Native pixels per pixel that is read, the larger of columns and rows; 1 for native resolution."""
        return max(self.window.width / self.size[0], self.window.height / self.size[1])

    def text(self) -> str:
        """Return it for provenance: "col,row,width,height@WIDTHxHEIGHT" in native pixels and chip pixels."""
        window = self.window
        return f"{window.col},{window.row},{window.width},{window.height}@{self.size[0]}x{self.size[1]}"

    def grid(self, raster: PixelGrid) -> PixelGrid:
        """Return the grid of the pixels that are read."""
        return raster.window(self.window).resampled(*self.size)


def place(
    raster: PixelGrid, pixel_box: ArrayLike, chip_px: int, *, resolution: float | None = None, scale: float = 1.0
) -> View:
    """Return the view around a native pixel box.

    Shifted inside the raster rather than cut at its edge; a raster smaller than the chip is read whole.

    Parameters
    ----------
    raster : PixelGrid
        The whole raster.
    pixel_box : array_like
        (left, top, right, bottom) in continuous native pixels; a point's is twice the same corner.
    chip_px : int
        Side of the chip in its own pixels.
    resolution : float, optional
        CRS units per chip pixel, native where it is finer; the chip then has as many pixels as the ground needs.
    scale : float
        Ground width relative to that chip. It is widened further until the box fits with a tenth of it to spare on
        each side.

    Raises
    ------
    SettingsError
        If the resolution is not a positive number.
    """
    limits = np.array([raster.width, raster.height], dtype=np.float64)
    corners = np.asarray(pixel_box, dtype=np.float64).reshape(2, 2).clip(0.0, limits)
    factors = _coarsening(raster, resolution)
    ground = chip_px * scale * factors
    needed = (corners[1] - corners[0]) * (1.0 + 2.0 * _MARGIN)
    ground = ground * max(1.0, float((needed / ground).max()))
    window = _around(raster, corners.mean(axis=0), ground)
    if resolution is not None:
        return View(window, _read_size(window, factors))
    width = min(window.width, max(1, round(window.width * chip_px / ground[0])))
    height = min(window.height, max(1, round(window.height * chip_px / ground[1])))
    return View(window, (width, height))


def over(raster: PixelGrid, bounds: Bounds, chip_px: int, max_pixels: int, *, resolution: float | None = None) -> View:
    """Return the view over map bounds, checked before anything is read.

    Parameters
    ----------
    raster : PixelGrid
        The whole raster.
    bounds : tuple of float
        (left, bottom, right, top) in the raster's CRS. The part on the raster is taken, in whole native pixels.
    chip_px : int
        Longest side of the chip where no resolution is given.
    max_pixels : int
        Most pixels that the chip may have.
    resolution : float, optional
        CRS units per chip pixel, native where it is finer; native or as coarse as ``chip_px`` demands if not given.

    Raises
    ------
    OutsideExtentError
        If the bounds don't meet the raster.
    ChipTooLargeError
        If the chip has more than ``max_pixels``; the hint names the resolution that fits.
    SettingsError
        If the bounds are empty or inverted, or the resolution is not a positive number.
    """
    window = _under(raster, bounds)
    if resolution is None:
        factors = np.full(2, max(1.0, max(window.width, window.height) / chip_px))
    else:
        factors = _coarsening(raster, resolution)
    view = View(window, _read_size(window, factors))
    require_readable(view, raster, max_pixels)
    return view


def require_readable(view: View, raster: PixelGrid, max_pixels: int) -> None:
    """Raise :class:`ChipTooLargeError` if the view has more than ``max_pixels``; the hint says what fits."""
    if view.pixels > max_pixels:
        width, height = view.size
        raise ChipTooLargeError(
            f"{width} x {height} pixels were asked for; the limit is {max_pixels} ({_side(max_pixels)}).",
            hint=f"Ask for a resolution of {_fitting(raster, view.window, max_pixels)} or coarser, or for less ground.",
        )


def require_on(view: View, raster: PixelGrid) -> None:
    """Raise :class:`SettingsError` if the view, which comes from elsewhere, is not one of this raster."""
    window, (width, height) = view.window, view.size
    fits = window.col + window.width <= raster.width and window.row + window.height <= raster.height
    if not fits or min(window.col, window.row) < 0 or not (width <= window.width and height <= window.height):
        raise SettingsError(
            f"The window {view.text()} is not one of this raster, which has {raster.width} x {raster.height} pixels.",
            hint="Use the raster that it was made on, at its own resolution.",
        )


def grow(raster: PixelGrid, view: View, *, keep_resolution: bool = False) -> View:
    """Return the view of twice the ground around the same middle, at the same longest chip side or resolution.

    Its pixels keep their proportions. The part beyond the raster is left out, and ``view`` itself comes back when it
    already is the whole raster.
    """
    old = view.window
    if (old.width, old.height) == (raster.width, raster.height):
        return view
    middle = np.array([old.col + old.width / 2.0, old.row + old.height / 2.0])
    window = _around(raster, middle, _GROWTH * np.array([old.width, old.height], dtype=np.float64))
    factors = np.array([old.width / view.size[0], old.height / view.size[1]])
    if keep_resolution:
        return View(window, _read_size(window, factors))
    longest = max(window.width / factors[0], window.height / factors[1])
    return View(window, _read_size(window, factors * max(1.0, longest / max(view.size))))


def indices_under(view: View, other: View, axis: int) -> NDArray[np.int64]:
    """Return, for each column (axis 0) or row (axis 1) of a view, that of another view under its middle.

    Negative, or beyond the other view's size, where it does not reach.
    """
    starts = [(one.window.col, one.window.row)[axis] for one in (view, other)]
    steps = [(one.window.width, one.window.height)[axis] / one.size[axis] for one in (view, other)]
    native = starts[0] + (np.arange(view.size[axis]) + 0.5) * steps[0]
    indices: NDArray[np.int64] = np.floor((native - starts[1]) / steps[1]).astype(np.int64)
    return indices


def touches_edge(mask: NDArray[np.bool_], view: View, raster: PixelGrid) -> bool:
    """Return True if the mask (H, W) touches a side of the chip that is not the raster's own edge."""
    window = view.window
    return bool(
        (window.col > 0 and mask[:, 0].any())
        or (window.row > 0 and mask[0].any())
        or (window.col + window.width < raster.width and mask[:, -1].any())
        or (window.row + window.height < raster.height and mask[-1].any())
    )


def _coarsening(raster: PixelGrid, resolution: float | None) -> NDArray[np.float64]:
    """Return how many native columns and rows a chip pixel takes, both at least 1, (2,)."""
    if resolution is None:
        return np.ones(2)
    if not (math.isfinite(resolution) and resolution > 0.0):
        raise SettingsError(
            f"A resolution of {resolution} makes no sense.",
            hint=f"Give a positive number of {crs_maths.unit_name(raster.crs)}s per pixel, or leave it out.",
        )
    factors: NDArray[np.float64] = np.maximum(resolution / np.array(raster.resolution), 1.0)
    return factors


def _around(raster: PixelGrid, middle: NDArray[np.float64], ground: NDArray[np.float64]) -> Window:
    """Return the window of ``ground`` (columns, rows) around a pixel, cut to the raster's size and shifted inside."""
    width = min(raster.width, max(1, round(float(ground[0]))))
    height = min(raster.height, max(1, round(float(ground[1]))))
    col = min(max(round(float(middle[0]) - width / 2.0), 0), raster.width - width)
    row = min(max(round(float(middle[1]) - height / 2.0), 0), raster.height - height)
    return Window(col, row, width, height)


def _under(raster: PixelGrid, bounds: Bounds) -> Window:
    left, bottom, right, top = bounds
    # Written so that NaN fails too.
    if not (left < right and bottom < top and math.isfinite(right - left) and math.isfinite(top - bottom)):
        raise SettingsError(
            f"The extent {_listed(bounds)} is empty or inverted.",
            hint="Give it as left, bottom, right, top with left < right and bottom < top.",
        )
    box = raster.box_to_pixel(bounds)
    # A bound that lies on a pixel's side but for rounding must not bring in the next pixel.
    limits = np.array([raster.width, raster.height])
    first = np.clip(np.floor(box[:2] + _TINY_PX), 0, limits).astype(int)
    last = np.clip(np.ceil(box[2:] - _TINY_PX), 0, limits).astype(int)
    width, height = last - first
    if width < 1 or height < 1:
        raise OutsideExtentError(
            f"The extent {_listed(bounds)} doesn't meet the raster, which covers {_listed(raster.bounds)}.",
            hint="Check the extent and its CRS.",
        )
    return Window(int(first[0]), int(first[1]), int(width), int(height))


def _read_size(window: Window, factors: NDArray[np.float64]) -> tuple[int, int]:
    width, height = window.width / float(factors[0]), window.height / float(factors[1])
    return max(1, round(width)), max(1, round(height))


def _fitting(raster: PixelGrid, window: Window, max_pixels: int) -> str:
    """Return the finest resolution, rounded up to three digits, that reads the window within the limit."""
    resolution = max(raster.resolution)
    while math.prod(_read_size(window, _coarsening(raster, resolution))) > max_pixels:
        asked = math.prod(_read_size(window, _coarsening(raster, resolution)))
        resolution = _rounded_up(resolution * max(1.01, math.sqrt(asked / max_pixels)))
    unit = crs_maths.unit_name(raster.crs)
    return f"{resolution:g} {unit}{'' if unit.endswith('foot') else 's'} per pixel"


def _rounded_up(value: float) -> float:
    step = 10.0 ** (math.floor(math.log10(value)) - 2)
    return math.ceil(value / step) * step


def _side(max_pixels: int) -> str:
    side = math.isqrt(max_pixels)
    return f"{side} x {side}"


def _listed(bounds: Bounds) -> str:
    return ", ".join(f"{value:.10g}" for value in bounds)
