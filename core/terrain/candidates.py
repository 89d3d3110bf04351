"""Places from which the ground falls away on all sides, at several scales: what may be a volcano's centre.

The measure is the share of radial flow: the mean, over a ring around a place, of the cosine between the direction in
which the ground falls and the direction away from the place. It is 1 on a cone, 2/pi = 0.64 on a straight ridge (the
mean of abs(cos) over all azimuths), 0 on a slope and on random ground. A ring, and not a disc, because a summit has a
crater, a breached one or a dome as often as a point.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..progress import Progress, check
from ..raster.grid import Window
from .dem_levels import DemLevels, DemTile, inverted

FloatArray = NDArray[np.float64]
INNER = 0.3
"""Inner radius of the ring over the outer: crater over basal diameter of cinder cones is 0.40 +- 0.11 (Wood 1980,
doi:10.1016/0377-0273(80)90040-2), less on stratovolcanoes (Grosse et al. 2009, doi:10.1130/G25734A.1); a wider crater
costs a part of the ring, not the candidate."""
RADIUS_CELLS = 8.0
"""A scale is looked at on the coarsest level where its radius has at least this many cells: the inner ring of two to
three cells still holds all directions."""
STEP = math.sqrt(2.0)
"""Between scales: a ring that is off by a quarter octave loses at most 30 % of its area to the plain."""
LEAST_FLOW = 0.7
"""A straight ridge reaches 2/pi = 0.64 and a cone 1; a candidate must be above a ridge, the evidence decides later."""
FLAT_DEG = 1.0
"""Ground that falls less says nothing about direction. The flattest shields lie near 2 degrees (Grosse et al. 2014,
doi:10.1007/s00445-013-0784-4)."""
LEAST_SEEN = 0.5
"""A place of whose ring more than half is unknown (nodata, the DEM's edge) can't be judged."""
SAME_PLACE = 0.5
SAME_SCALE = 2.5
TILE = 512
"""Rows and columns of a level that are looked at at once."""
_FINE = 1e-6


@dataclass(frozen=True)
class Candidate:
    """A place from which the ground falls away."""

    pixel: tuple[float, float]
    """(col, row), continuous, on the grid of level 0."""
    radius_m: float
    """The scale at which it was found, in true metres: about half of the base's width."""
    flow: float
    """Share of radial flow, -1 to 1."""

    @property
    def rank(self) -> float:
        """What competing scales are compared by.

        Beyond the base, the flow falls with the inverse square of the radius, and inside it is constant: any power
        between 0 and 2 of the radius puts the best scale at the base's own. One half keeps the penalty for a poor fit
        above the gain of a larger ring.
        """
        return self.flow * math.sqrt(self.radius_m)


def scales(smallest_m: float, largest_m: float) -> list[float]:
    """Return the radii that cover base widths from ``smallest_m`` to ``largest_m``, growing by ``STEP``."""
    first, last = smallest_m / 2.0, max(largest_m, smallest_m) / 2.0
    count = math.ceil(math.log(last / first) / math.log(STEP) - _FINE) + 1
    return [first * STEP**index for index in range(count)]


def find_candidates(levels: DemLevels, radii_m: list[float], progress: Progress) -> list[Candidate]:
    """Return the local maxima of radial flow at all scales, the best first, those that repeat another left out.

    Raises
    ------
    Cancelled
        If the user asked to stop.
    """
    by_level: dict[int, list[float]] = {}
    for radius in radii_m:
        by_level.setdefault(levels.level_for(radius / RADIUS_CELLS), []).append(radius)
    found: list[Candidate] = []
    work = sum(levels.grid(level).width * levels.grid(level).height for level in by_level)
    done = 0
    for level, radii in by_level.items():
        whole = levels.grid(level)
        for row in range(0, whole.height, TILE):
            for col in range(0, whole.width, TILE):
                check(progress)
                inner = Window(col, row, min(TILE, whole.width - col), min(TILE, whole.height - row))
                found.extend(_in_tile(levels, level, inner, radii, progress))
                done += inner.width * inner.height
                progress.report(done / work, "Looking for places from which the ground falls away")
    return without_repeats(found, levels)


def without_repeats(candidates: list[Candidate], levels: DemLevels) -> list[Candidate]:
    """Return the candidates by falling rank, without those that are the same place at another scale.

    Two are the same where their centres are nearer than half of the larger radius and their radii within a factor of
    two and a half: a cone on a large volcano's flank, or a small one in its crater, is its own.
    """
    order = sorted(candidates, key=lambda each: -each.rank)
    pixels = np.array([each.pixel for each in order]).reshape(-1, 2)
    radii = np.array([each.radius_m for each in order])
    alive = np.ones(len(order), dtype=np.bool_)
    kept = []
    for index, candidate in enumerate(order):
        if not alive[index]:
            continue
        kept.append(candidate)
        away = np.hypot(*((pixels - pixels[index]) @ levels.metric(candidate.pixel).T).T)
        larger, smaller = np.maximum(radii, radii[index]), np.minimum(radii, radii[index])
        alive &= ~((away < SAME_PLACE * larger) & (larger < SAME_SCALE * smaller))
    return kept


def radial_flow(tile: DemTile, radius_m: float) -> tuple[FloatArray, FloatArray]:
    """Return the share of radial flow around each cell, and the share of the ring that is known.

    Parameters
    ----------
    tile : DemTile
        Elevation (H, W) in metres, NaN where unusable.
    radius_m : float
        Outer radius of the ring, true metres.

    Returns
    -------
    (H, W) float64, -1 to 1, and (H, W) float64, 0 to 1. What lies beyond the tile is unknown.

    Notes
    -----
    With u the unit vector of steepest descent, weighted by slope^2 / (slope^2 + tan^2 ``FLAT_DEG``), and r the unit
    vector away from the centre: the mean of u . r over the known cells of the ring, by FFT.
    """
    return _flows(tile, [radius_m])[0]


def _in_tile(levels: DemLevels, level: int, inner: Window, radii_m: list[float], progress: Progress) -> list[Candidate]:
    middle = (inner.col + inner.width / 2.0) * 2.0**level, (inner.row + inner.height / 2.0) * 2.0**level
    # one cell for the gradient, and one because the metric differs a little between a tile and its margin
    reach = max(_kernel_size(levels.metric(middle, level), radius) for radius in radii_m) + 2
    window = Window(inner.col - reach, inner.row - reach, inner.width + 2 * reach, inner.height + 2 * reach)
    tile = levels.read(level, window, progress)
    left, top = inner.col - max(window.col, 0), inner.row - max(window.row, 0)
    factor = 2.0**level
    found = []
    for radius, (flow, seen) in zip(radii_m, _flows(tile, radii_m)):
        score = np.where(seen >= LEAST_SEEN, flow, -1.0)
        for row, col in zip(*np.nonzero(_peaks(score) & (score >= LEAST_FLOW))):
            if top <= row < top + inner.height and left <= col < left + inner.width:
                pixel = (max(window.col, 0) + col + 0.5) * factor, (max(window.row, 0) + row + 0.5) * factor
                found.append(Candidate(pixel, radius, float(score[row, col])))
    return found


def _flows(tile: DemTile, radii_m: list[float]) -> list[tuple[FloatArray, FloatArray]]:
    matrix = tile.metres()
    east, north, known = _descent(tile.elevation, matrix)
    reach = max(_kernel_size(matrix, radius) for radius in radii_m)
    shape = tuple(_fast_length(max(size, reach + 1) + reach) for size in known.shape)
    east_f, north_f, known_f = (np.fft.rfft2(field, shape) for field in (east, north, known.astype(np.float64)))
    height, width = known.shape
    flows = []
    for radius in radii_m:
        ring, ring_east, ring_north = (_transform(kernel, shape) for kernel in _ring(matrix, radius))
        seen = np.fft.irfft2(known_f * np.conj(ring), shape)[:height, :width]
        outward = np.fft.irfft2(east_f * np.conj(ring_east) + north_f * np.conj(ring_north), shape)[:height, :width]
        flow = np.where(seen > _FINE, outward / np.maximum(seen, _FINE), -1.0)
        flows.append((np.where(known, flow, -1.0), seen))
    return flows


def _descent(elevation: NDArray[np.float32], matrix: FloatArray) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Return the weighted direction of descent, east and north (H, W), and where it is known."""
    if min(elevation.shape) < 2:
        nothing = np.zeros(elevation.shape)
        return nothing, nothing, np.zeros(elevation.shape, dtype=np.bool_)
    down, along = np.gradient(elevation.astype(np.float64))
    known: NDArray[np.bool_] = np.isfinite(down) & np.isfinite(along)
    # dz/dpixel = M^T grad z, with M the metres of a pixel's step
    inverse = inverted(matrix)
    east = -(inverse[0, 0] * along + inverse[1, 0] * down)
    north = -(inverse[0, 1] * along + inverse[1, 1] * down)
    steepness = np.hypot(east, north)
    flat = math.tan(math.radians(FLAT_DEG))
    weight = np.where(known, steepness / (steepness**2 + flat**2), 0.0)
    return np.where(known, east * weight, 0.0), np.where(known, north * weight, 0.0), known


def _ring(matrix: FloatArray, radius_m: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the ring's weight and its outward direction east and north, each (2n+1, 2n+1); the weights sum to 1."""
    half = _kernel_size(matrix, radius_m)
    rows, cols = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float64)
    east = matrix[0, 0] * cols + matrix[0, 1] * rows
    north = matrix[1, 0] * cols + matrix[1, 1] * rows
    away = np.hypot(east, north)
    weight = ((away <= radius_m) & (away >= INNER * radius_m)).astype(np.float64)
    weight /= max(weight.sum(), 1.0)
    away[half, half] = 1.0
    return weight, weight * east / away, weight * north / away


def _kernel_size(matrix: FloatArray, radius_m: float) -> int:
    """Return how many cells a circle reaches in any direction, for a sheared and oblong cell too."""
    inverse = inverted(matrix)
    return math.ceil(radius_m * float(np.hypot(inverse[:, 0], inverse[:, 1]).max()))


def _transform(kernel: FloatArray, shape: tuple[int, ...]) -> NDArray[np.complex128]:
    """Return the Fourier transform of a kernel whose middle lies at the origin."""
    padded = np.zeros(shape)
    half = kernel.shape[0] // 2
    padded[: kernel.shape[0], : kernel.shape[1]] = kernel
    transformed: NDArray[np.complex128] = np.fft.rfft2(np.roll(padded, (-half, -half), axis=(0, 1)))
    return transformed


def _fast_length(length: int) -> int:
    """Return the least number from ``length`` up that has only small factors, as the FFT likes them."""
    while True:
        rest = length
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return length
        length += 1


def _peaks(score: FloatArray) -> NDArray[np.bool_]:
    """Return which cells are not below any of their eight neighbours (H, W)."""
    padded = np.pad(score, 1, constant_values=-2.0)
    height, width = score.shape
    around = [padded[1 + i : 1 + i + height, 1 + j : 1 + j + width] for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]
    highest: NDArray[np.bool_] = score >= np.maximum.reduce(around)
    return highest
