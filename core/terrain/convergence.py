"""Radial convergence: how well the ground falls away from a centre on all sides."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingsError
from ..progress import NullProgress, Progress, check
from .elevation import ElevationGrid, reachable
from .surface import Float32Array, gradient

FloatArray = NDArray[np.float64]
_BLOCK = 1024
_RATIO = 1.02
_LEAST_COVER = 0.2


def radial_convergence(
    elevation: ElevationGrid, radius_m: float, *, inner_m: float = 0.0, progress: Progress | None = None
) -> Float32Array:
    """Return how well the slopes within a radius point away from each cell, -1 to 1, float32 (H, W).

    The mean, over the ground between ``inner_m`` and ``radius_m``, of the cosine of the angle between downslope and
    the direction away from the cell: 1 in the middle of a cone, -1 in the middle of a funnel, 0 on a plane. Flat ground
    counts as 0. NaN where the cell is void, or less than a fifth of that ground is known.

    By FFT correlation in blocks; the ground spacing is taken as constant within 2 %, in steps that do not depend on
    where the grid begins, so that windows of a raster agree.

    Parameters
    ----------
    elevation : ElevationGrid
        Smooth it before, if it is noisy.
    radius_m, inner_m : float
        Metres.
    progress : Progress, optional
        Told about blocks; asked for cancellation.

    Raises
    ------
    SettingsError
        If the radius is not larger than the inner one and than one cell.
    Cancelled
        If the user asked to stop.

    References
    ----------
    The convergence index (Koethe, R., Lehmeier, F., 1996, SARA - System zur Automatischen Relief-Analyse; Kiss, R.,
    2004, Determination of drainage network in digital elevation models, utilities and limitations, Journal of Hungarian
    Geomathematics 2, 16-29) with a radius, its sign turned and scaled to -1..1.
    """
    if not (math.isfinite(radius_m) and radius_m > max(inner_m, *elevation.cell_m)):
        raise SettingsError(
            f"A radius of {radius_m:g} m is too small for cells of {max(elevation.cell_m):.3g} m.",
            hint="Give a radius of several cells.",
        )
    progress = progress or NullProgress()
    fields = _downslope(elevation)
    result = np.full(elevation.metres.shape, np.nan, dtype=np.float32)
    bands = list(_bands(elevation))
    for rows, col_step, row_step in bands:
        kernels, reach = _kernels(col_step, row_step, radius_m, inner_m)
        block = max(_BLOCK, 2 * max(reach))
        for top in range(rows.start, rows.stop, block):
            progress.report(top / len(result))
            for left in range(0, result.shape[1], block):
                check(progress)
                here = slice(top, min(top + block, rows.stop)), slice(left, min(left + block, result.shape[1]))
                result[here] = _correlated(fields, here, kernels, reach)
    result[~elevation.valid] = np.nan
    return result


def _downslope(elevation: ElevationGrid) -> tuple[Float32Array, Float32Array, Float32Array]:
    """Return the unit vector downslope (east, north; 0 where flat or unknown) and 1 where it is known."""
    east, north = gradient(elevation)
    known = np.isfinite(east) & np.isfinite(north)
    size = np.hypot(east, north)
    size[~known | (size == 0.0)] = np.inf
    downslope = [np.where(known, -rise / size, np.float32(0.0)) for rise in (east, north)]
    return downslope[0], downslope[1], known.astype(np.float32)


def _bands(elevation: ElevationGrid) -> Iterator[tuple[slice, FloatArray, FloatArray]]:
    """Yield runs of rows of nearly the same ground spacing, with the (east, north) ground steps that stand for it."""
    a, b, _, d, e, _ = elevation.grid.transform
    steps = np.column_stack(reachable(*(np.asarray(unit, dtype=np.float64) for unit in elevation.unit_m or ())))
    rounded = np.rint(np.log(steps) / math.log(_RATIO))
    starts = [0, *(np.flatnonzero(np.any(np.diff(rounded, axis=0) != 0.0, axis=1)) + 1).tolist(), len(steps)]
    for start, stop in zip(starts[:-1], starts[1:]):
        east, north = _RATIO ** rounded[start]
        yield slice(start, stop), np.array([a * east, d * north]), np.array([b * east, e * north])


def _kernels(
    col_step: FloatArray, row_step: FloatArray, radius_m: float, inner_m: float
) -> tuple[tuple[FloatArray, FloatArray, FloatArray], tuple[int, int]]:
    """Return the direction away from the middle (east, north) and 1 within the radius; and the (rows, cols) reach."""
    area = abs(col_step[0] * row_step[1] - col_step[1] * row_step[0])
    reach = math.ceil(radius_m * np.hypot(*col_step) / area), math.ceil(radius_m * np.hypot(*row_step) / area)
    rows, cols = np.mgrid[-reach[0] : reach[0] + 1, -reach[1] : reach[1] + 1]
    east, north = cols * col_step[0] + rows * row_step[0], cols * col_step[1] + rows * row_step[1]
    distance = np.hypot(east, north)
    inside = (distance <= radius_m) & (distance > inner_m)
    scale = np.where(inside, 1.0 / np.where(inside, distance, 1.0), 0.0)
    return (east * scale, north * scale, inside.astype(np.float64)), reach


def _correlated(
    fields: tuple[Float32Array, ...],
    here: tuple[slice, slice],
    kernels: tuple[FloatArray, ...],
    reach: tuple[int, int],
) -> Float32Array:
    """Return the mean cosine for the cells of a block."""
    size = tuple(part.stop - part.start for part in here)
    padded = tuple(_fast(length + 2 * more) for length, more in zip(size, reach))
    spectra = [np.fft.rfft2(_around(field, here, reach), s=padded) for field in fields]
    known = _sums([spectra[2]], [kernels[2]], padded, size)
    total = _sums(spectra[:2], kernels[:2], padded, size)
    enough = known > _LEAST_COVER * kernels[2].sum()
    means: Float32Array = np.where(enough, total / np.maximum(known, 1.0), np.nan).astype(np.float32)
    return means


def _sums(
    spectra: list[NDArray[np.complex128]],
    kernels: tuple[FloatArray, ...] | list[FloatArray],
    padded: tuple[int, ...],
    size: tuple[int, ...],
) -> FloatArray:
    turned = sum(spectrum * np.conj(np.fft.rfft2(kernel, s=padded)) for spectrum, kernel in zip(spectra, kernels))
    sums: FloatArray = np.fft.irfft2(turned, s=padded)[: size[0], : size[1]]
    return sums


def _around(field: Float32Array, here: tuple[slice, slice], reach: tuple[int, int]) -> Float32Array:
    """Return the cells of a block and ``reach`` more on each side, 0 beyond the edge."""
    found = np.zeros([part.stop - part.start + 2 * more for part, more in zip(here, reach)], dtype=np.float32)
    taken, placed = [], []
    for part, more, length in zip(here, reach, field.shape):
        first, last = max(part.start - more, 0), min(part.stop + more, length)
        taken.append(slice(first, last))
        placed.append(slice(first - part.start + more, last - part.start + more))
    found[tuple(placed)] = field[tuple(taken)]
    return found


def _fast(length: int) -> int:
    """Return the next length whose only prime factors are 2, 3 and 5."""
    while True:
        rest = length
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return length
        length += 1
