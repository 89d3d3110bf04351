"""Smoothing by a Gaussian of a width in metres that leaves voids out and planes as they are."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingsError
from ..progress import NullProgress, Progress, check
from .elevation import ElevationGrid, reachable

FloatArray = NDArray[np.float64]
REACH = 4.0
"""The Gaussian is cut at this many standard deviations."""
_TILE = 512
_LEAST_PX = 0.3
_TAPS = 41


def smoothed(elevation: ElevationGrid, sigma_m: float, progress: Progress | None = None) -> ElevationGrid:
    """Return the elevations smoothed by a Gaussian of ``sigma_m`` metres, void where they are void.

    Normalised convolution: only usable cells count. Where the cells that count lie to one side (at the edge of the
    data), the mean is brought back to the cell along the smoothed gradient, so that a plane stays the same plane. The
    Gaussian is round on the ground but for cells that are sheared there, whose shear it takes on.

    Parameters
    ----------
    elevation : ElevationGrid
        Left as it is.
    sigma_m : float
        Standard deviation in metres; below 0.3 of a cell nothing is done along that axis.
    progress : Progress, optional
        Asked for cancellation.

    Raises
    ------
    SettingsError
        If the width is negative or not a number.
    Cancelled
        If the user asked to stop.

    References
    ----------
    Knutsson, H., Westin, C.-F. (1993). Normalized and differential convolution. IEEE CVPR, 515-523.
    https://doi.org/10.1109/CVPR.1993.341081
    """
    if not (math.isfinite(sigma_m) and sigma_m >= 0.0):
        raise SettingsError(f"A smoothing of {sigma_m} m makes no sense.", hint="Give metres, 0 for none.")
    across, down = (np.asarray(steps, dtype=np.float64) for steps in elevation.spacing)
    widths = tuple(_in_cells(sigma_m, steps) for steps in reachable(across, down))
    if not any(sigma.any() for sigma in widths):
        return elevation
    progress = progress or NullProgress()
    # One more, so that what is unknown beyond a tile can't reach its middle.
    reach = [math.ceil(REACH * float(sigma.max())) + 1 for sigma in widths]
    tile = max(_TILE, 2 * max(reach))
    height, width = elevation.metres.shape
    metres = np.empty_like(elevation.metres)
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            check(progress)
            here = slice(top, min(top + tile, height)), slice(left, min(left + tile, width))
            metres[here] = _tile(elevation, here, widths, (reach[1], reach[0]))
        progress.report(min(1.0, (top + tile) / height))
    return replace(elevation, metres=metres)


def _in_cells(sigma_m: float, steps: FloatArray) -> FloatArray:
    """Return the width of the Gaussian in cells, (H,); 0 where it is too small to matter."""
    sigma: FloatArray = sigma_m / steps
    return np.where(sigma < _LEAST_PX, 0.0, sigma)


def _tile(
    elevation: ElevationGrid, here: tuple[slice, slice], widths: tuple[FloatArray, ...], reach: tuple[int, int]
) -> FloatArray:
    """Return one tile, smoothed from itself and ``reach`` (rows, columns) of cells around it."""
    height, width = elevation.metres.shape
    around = tuple(
        slice(max(part.start - more, 0), min(part.stop + more, size))
        for part, more, size in zip(here, reach, (height, width))
    )
    usable = elevation.valid[around]
    asked = tuple(part.stop - part.start + 2 * more for part, more in zip(here, reach))
    heights = elevation.metres[around].astype(np.float64)
    # Sums of numbers near 0 keep more digits.
    level = float(heights[usable].mean()) if usable.any() else 0.0
    heights -= level
    sigma = widths[0][around[0]], widths[1][around[0]]
    if usable.all() and heights.shape == asked:
        means = _blur(heights, sigma)[reach[0] : -reach[0] or None, reach[1] : -reach[1] or None]
        return means + level
    means = _one_sided(np.where(usable, heights, 0.0), usable, sigma)
    inner = tuple(slice(part.start - outer.start, part.stop - outer.start) for part, outer in zip(here, around))
    found: FloatArray = np.where(usable, means + level, np.nan)[inner]
    return found


def _one_sided(heights: FloatArray, usable: NDArray[np.bool_], sigma: tuple[FloatArray, FloatArray]) -> FloatArray:
    """Return normalised means brought back from the middle of what counted; heights are 0 where not usable."""
    weight = usable.astype(np.float64)
    across = _along(weight, sigma[0], axis=1)
    counted = np.maximum(_along(across, sigma[1], axis=0), 1e-12)
    means: FloatArray = _blur(heights, sigma) / counted
    aside = (
        _along(_along(weight, sigma[0], axis=1, moment=True), sigma[1], axis=0) / counted,
        _along(across, sigma[1], axis=0, moment=True) / counted,
    )
    for axis, offset in zip((1, 0), aside):
        rises, known = _rises(heights, usable, axis)
        share = np.maximum(_blur(known.astype(np.float64), sigma), 1e-12)
        means -= offset * _blur(rises, sigma) / share
    return means


def _rises(heights: FloatArray, usable: NDArray[np.bool_], axis: int) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return the rise for one cell along an axis from usable neighbours (0 where there are none), and where."""
    rises, known = np.zeros_like(heights), np.zeros(heights.shape, dtype=np.float64)
    first = (slice(None), slice(None, -1)) if axis == 1 else (slice(None, -1), slice(None))
    second = (slice(None), slice(1, None)) if axis == 1 else (slice(1, None), slice(None))
    both = usable[first] & usable[second]
    step = np.where(both, heights[second] - heights[first], 0.0)
    for side in (first, second):
        rises[side] += step
        known[side] += both
    return rises / np.maximum(known, 1.0), known > 0.0


def _blur(values: FloatArray, sigma: tuple[FloatArray, FloatArray]) -> FloatArray:
    return _along(_along(values, sigma[0], axis=1), sigma[1], axis=0)


def _along(values: FloatArray, sigma: FloatArray, *, axis: int, moment: bool = False) -> FloatArray:
    """Return the sum over an axis of values under a Gaussian of ``sigma`` cells (one for each row), 0 outside.

    With ``moment`` each weight is multiplied by its offset in cells.
    """
    reach = math.ceil(REACH * float(sigma.max()))
    if reach == 0:
        return np.zeros_like(values) if moment else values
    offsets = np.arange(-reach, reach + 1)
    scaled = offsets / np.where(sigma > 0.0, sigma, 1.0)[:, None]
    weights = np.where(np.abs(scaled) <= REACH, np.exp(-0.5 * scaled**2), 0.0)
    weights[sigma == 0.0] = offsets == 0
    weights /= weights.sum(axis=1, keepdims=True)
    if moment:
        weights *= offsets
    if axis == 0:
        down: FloatArray = _banded(weights, len(values)) @ values
        return down
    padded = np.pad(values, [(0, 0), (reach, reach)])
    length = values.shape[1]
    if len(offsets) > _TAPS:
        size = padded.shape[1]
        spectrum = np.fft.rfft(padded, axis=1) * np.conj(np.fft.rfft(weights, n=size, axis=1))
        return np.fft.irfft(spectrum, n=size, axis=1)[:, :length]
    total = np.zeros_like(values)
    for index in range(len(offsets)):
        total += weights[:, index, None] * padded[:, index : index + length]
    return total


def _banded(weights: FloatArray, length: int) -> FloatArray:
    """Return the (length, length) matrix whose rows are the weights, centred on the diagonal."""
    reach = weights.shape[1] // 2
    wide = np.zeros((length, length + 2 * reach))
    for index in range(weights.shape[1]):
        wide[np.arange(length), np.arange(length) + index] = weights[:, index]
    return wide[:, reach : reach + length]
