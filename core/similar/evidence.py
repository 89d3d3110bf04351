"""How like the examples an outlined object is as a whole: facts of it, and the one number they come to."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from ..models.model import FloatArray, ImageArray
from .likeness import Likeness, Shape


@dataclass(frozen=True)
class Evidence:
    """What speaks for an object."""

    inside: float
    """Likeness of its cells: 0 as what is around the examples, 1 as the examples."""
    ring: float
    """Likeness of the cells around it."""
    nearest: float
    """Cosine of its mean features with those of the nearest example."""
    colour: float
    """Overlap of its colours with those of the nearest example, 0 to 1 (Bhattacharyya)."""
    size: float
    """Natural logarithm of how often it is as large, or as small, as the example next in size."""
    form: float
    """How far its elongation and compactness are from those of the example most like it in that."""
    score: float
    """The click model's."""
    stability: float
    """IoU of its masks at a higher and a lower threshold."""
    cut: float
    """1 if it goes on beyond what the click model was shown, else 0."""
    counter: float
    """How much nearer a counter-example is than any example, in features and colours; 0 if none is."""

    def vector(self) -> FloatArray:
        """Return all of it, (10,)."""
        return np.array(astuple(self), np.float32)


@dataclass(frozen=True)
class Seen:
    """An outlined object in the cells and pixels of what was looked at."""

    mask: NDArray[np.bool_]
    """(H, W) working pixels."""
    image: ImageArray
    """(H, W, 3)"""
    cells: FloatArray
    """(C, h, w)"""
    cover: FloatArray
    """(h, w) share of each cell that belongs to it."""
    ring: FloatArray
    """(h, w) 1 for the cells around it."""
    factor: float
    """Native pixels for each working pixel."""


def weigh(seen: Seen, likeness: Likeness, score: float, stability: float, *, cut: bool) -> Evidence:
    """Return what speaks for an object, of which the click model says ``score``, ``stability`` and ``cut``."""
    flat = seen.cells.reshape(len(seen.cells), -1)
    weights = seen.cover.ravel()
    inside = (flat @ weights / max(float(weights.sum()), 1e-6)).astype(np.float32)
    around = seen.ring.ravel()
    beside = (flat @ around / max(float(around.sum()), 1e-6)).astype(np.float32)
    vector = likeness.standardised(inside[None])[0]
    histogram = likeness.colours.histogram(seen.image[seen.mask])
    near, colour = float((likeness.prototypes @ vector).max()), float((likeness.histograms @ histogram).max())
    counter = 0.0
    if len(likeness.counters):
        counter = max(0.0, float((likeness.counters @ vector).max()) - near)
        counter += max(0.0, float((likeness.counter_histograms @ histogram).max()) - colour)
    shape = Shape.of(seen.mask, seen.factor)
    return Evidence(
        inside=float(likeness.of_cells(inside[:, None])[0]),
        ring=float(likeness.of_cells(beside[:, None])[0]),
        nearest=near,
        colour=colour,
        size=min(abs(float(np.log(shape.area / other.area))) for other in likeness.shapes),
        form=min(_difference(shape, other) for other in likeness.shapes),
        score=score,
        stability=stability,
        cut=float(cut),
        counter=counter,
    )


def _difference(one: Shape, other: Shape) -> float:
    stretch = abs(float(np.log(one.elongation / other.elongation)))
    return stretch + 2.0 * abs(one.compactness - other.compactness)
