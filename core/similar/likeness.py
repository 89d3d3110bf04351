"""What examples look like, in numbers: a direction in feature space, prototypes, colours and shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import PromptError
from ..models.model import FloatArray, ImageArray

SHRINKAGE = 1.0
"""What is added to the diagonal of the covariance of standardised features. Chosen on generated scenes: 0.05, 0.3 and 1
gave a mean average precision of cells of 0.45, 0.48 and 0.51 from one example, 0.57, 0.59 and 0.60 from three."""
_COUNTER_WEIGHT = 0.5
"""How much of the mean of what is not wanted counter-examples are, however few of them there are."""
_BINS = 6
_RANGE = 2.5
"""Standard deviations of the scene's colours that the colour histogram spans, to each side."""


@dataclass(frozen=True)
class Sample:
    """An example as it was seen: in the cells and pixels of a tile."""

    inside: FloatArray
    """(N, C) cells of it."""
    outside: FloatArray
    """(M, C) cells around it."""
    pixels: ImageArray
    """(P, 3) colours of it."""
    scene: ImageArray
    """(S, 3) colours of it and what is around it."""
    shape: Shape
    """Its size and form."""
    wanted: bool
    """False for a counter-example."""


@dataclass(frozen=True)
class Shape:
    """Size and form of a mask, from its moments."""

    area: float
    """In native pixels."""
    elongation: float
    """Longer by shorter axis of the ellipse of the same moments, at least 1."""
    compactness: float
    """Area by the area of that ellipse: 1 for ellipses, 0.95 for rectangles, less for ragged or branched things."""

    @classmethod
    def of(cls, mask: NDArray[np.bool_], factor: float) -> Shape:
        """Return the shape of a mask (H, W) whose pixels are ``factor`` native pixels wide; it is not empty."""
        rows, cols = np.nonzero(mask)
        area = float(len(rows))
        spread = np.cov(np.stack((cols, rows)), bias=True) + np.eye(2) / 12.0 if len(rows) > 1 else np.eye(2) / 12.0
        low, high = np.linalg.eigvalsh(spread)
        ellipse = 4.0 * np.pi * float(np.sqrt(low * high))
        return cls(area * factor * factor, float(np.sqrt(high / low)), area / ellipse)


@dataclass(frozen=True)
class ColourScale:
    """Colours in units of how much the scene's vary."""

    mean: FloatArray
    """(3,)"""
    spread: FloatArray
    """(3,)"""

    @classmethod
    def of(cls, pixels: NDArray[np.uint8]) -> ColourScale:
        """Return the scale of pixels (N, 3)."""
        planes = _opponent(pixels)
        return cls(planes.mean(axis=0), planes.std(axis=0) + np.float32(0.01))

    def histogram(self, pixels: NDArray[np.uint8]) -> FloatArray:
        """Return the square roots of the shares (BINS ** 3,) of pixels (N, 3) in each colour, neighbours blended."""
        scaled = (_opponent(pixels) - self.mean) / self.spread
        bins = np.clip((scaled / _RANGE + 1.0) * (_BINS / 2.0), 0, _BINS - 1).astype(np.int64)
        flat = (bins[:, 0] * _BINS + bins[:, 1]) * _BINS + bins[:, 2]
        counts = np.bincount(flat, minlength=_BINS**3).astype(np.float32).reshape(_BINS, _BINS, _BINS)
        for axis in range(3):
            padded = np.pad(counts, [(1, 1) if i == axis else (0, 0) for i in range(3)], mode="edge")
            low, high = padded.take(np.arange(_BINS), axis), padded.take(np.arange(2, _BINS + 2), axis)
            counts = 0.25 * low + 0.5 * counts + 0.25 * high
        return np.asarray(np.sqrt(counts.ravel() / max(float(counts.sum()), 1e-9)), np.float32)


@dataclass(frozen=True)
class Likeness:
    """How like the examples anything is."""

    mean: FloatArray
    """(C,) of all cells that were seen."""
    spread: FloatArray
    """(C,)"""
    direction: FloatArray
    """(C,) from what is around the examples to the examples, where features are standardised."""
    ends: tuple[float, float]
    """Where what is around, and the examples, lie on it in the mean."""
    prototypes: FloatArray
    """(K, C) unit vectors, one for each example, in standardised features."""
    counters: FloatArray
    """(J, C) those of counter-examples."""
    colours: ColourScale
    histograms: FloatArray
    """(K, B) of the examples."""
    counter_histograms: FloatArray
    """(J, B)"""
    shapes: tuple[Shape, ...]
    """Of the examples."""

    def of_cells(self, cells: FloatArray) -> FloatArray:
        """Return how like the examples each cell (C, ...) is: 0 like what is around them, 1 like them, in the mean."""
        flat = cells.reshape(len(cells), -1)
        weights = self.direction / self.spread
        values = weights @ flat - float(weights @ self.mean)
        low, high = self.ends
        return np.asarray(((values - low) / (high - low)).reshape(cells.shape[1:]), np.float32)

    def standardised(self, cells: FloatArray) -> FloatArray:
        """Return the unit vectors (N, C) of cells (N, C)."""
        return _unit((cells - self.mean) / self.spread)


def fit(samples: Sequence[Sample]) -> Likeness:
    """Return what tells the wanted samples from their surroundings and from those that are not wanted.

    Linear discriminant analysis with a shrunken covariance of everything that was seen, as in exemplar detectors: that
    takes no second class, so that other wanted objects among the surroundings do little harm.

    References
    ----------
    Hariharan, Malik & Ramanan (2012), Discriminative decorrelation for clustering and classification, ECCV,
    doi:10.1007/978-3-642-33765-9_33.

    Raises
    ------
    PromptError
        If no sample has surroundings.
    """
    if not any(len(sample.outside) for sample in samples):
        raise PromptError(
            "The examples fill all that is seen of the raster: nothing is left to compare them with.",
            hint="Give smaller examples, or a larger raster.",
        )
    wanted = [sample for sample in samples if sample.wanted]
    unwanted = [sample for sample in samples if not sample.wanted]
    everything = np.concatenate([np.concatenate((sample.inside, sample.outside)) for sample in samples])
    mean, spread = everything.mean(axis=0), everything.std(axis=0) + np.float32(1e-4)
    inside = np.mean([_mean(sample.inside, mean, spread) for sample in wanted], axis=0)
    around = _mean(np.concatenate([sample.outside for sample in samples]), mean, spread)
    if unwanted:
        against = np.mean([_mean(sample.inside, mean, spread) for sample in unwanted], axis=0)
        around = (1.0 - _COUNTER_WEIGHT) * around + _COUNTER_WEIGHT * against
    scaled = (everything - mean) / spread
    covariance = scaled.T @ scaled / len(scaled)
    direction = np.linalg.solve(covariance + SHRINKAGE * np.eye(len(mean)), inside - around).astype(np.float32)
    low, high = float(direction @ around), float(direction @ inside)
    colours = ColourScale.of(np.concatenate([sample.scene for sample in samples]))
    bins = _BINS**3
    return Likeness(
        mean=mean,
        spread=spread,
        direction=direction,
        ends=(low, max(high, low + 1e-6)),
        prototypes=_stacked([_unit(_mean(sample.inside, mean, spread)[None])[0] for sample in wanted], len(mean)),
        counters=_stacked([_unit(_mean(sample.inside, mean, spread)[None])[0] for sample in unwanted], len(mean)),
        colours=colours,
        histograms=_stacked([colours.histogram(sample.pixels) for sample in wanted], bins),
        counter_histograms=_stacked([colours.histogram(sample.pixels) for sample in unwanted], bins),
        shapes=tuple(sample.shape for sample in wanted),
    )


def _mean(cells: FloatArray, mean: FloatArray, spread: FloatArray) -> FloatArray:
    return np.asarray(((cells - mean) / spread).mean(axis=0), np.float32)


def _unit(vectors: FloatArray) -> FloatArray:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-9), np.float32)


def _stacked(vectors: Sequence[FloatArray], width: int) -> FloatArray:
    return np.asarray(vectors, np.float32).reshape(-1, width)


def _opponent(pixels: NDArray[np.uint8]) -> FloatArray:
    """Return brightness and two opponent colours (N, 3) of pixels (N, 3)."""
    red, green, blue = (pixels.astype(np.float32) / 255.0).T
    return np.stack(((red + green + blue) / 3.0, red - green, (red + green) / 2.0 - blue), axis=1)
