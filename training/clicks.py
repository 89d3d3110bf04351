"""Simulated people: first clicks, excludes, boxes, and corrections of a wrong answer."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .scenes.canvas import Mask
from .scenes.textures import Array, Rng

SLOTS = 8
NONE, EXCLUDE, INCLUDE, SOFT = -1.0, 0.0, 1.0, 2.0


@dataclass
class Gesture:
    """Prompts of one object, in pixels with corners at integers."""

    points: NDArray[np.float32]
    """(SLOTS, 2)"""
    labels: NDArray[np.float32]
    """(SLOTS,)"""
    box: NDArray[np.float32]
    """(5,): left, top, right, bottom, 1 where there is a box."""

    @classmethod
    def empty(cls) -> Gesture:
        """No prompt."""
        return cls(np.zeros((SLOTS, 2), np.float32), np.full(SLOTS, NONE, np.float32), np.zeros(5, np.float32))

    def add(self, x: float, y: float, label: float) -> None:
        """Put one more click; a full gesture stays as it is."""
        free = np.flatnonzero(self.labels == NONE)
        if len(free):
            self.points[free[0]] = (x, y)
            self.labels[free[0]] = label


def depth(mask: Mask) -> Array:
    """Distance of each pixel to the outline; the image's own frame counts as outline."""
    padded = np.pad(mask.astype(np.uint8), 1)
    return np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1], np.float32)


def start(mask: Mask, rng: Rng) -> Gesture:
    """How somebody begins with this object: one click, click and exclude, box, or box and click."""
    gesture = Gesture.empty()
    kind = rng.random()
    if kind < 0.68 or kind > 0.9:
        gesture.add(*_inside(mask, rng), INCLUDE)
    if 0.5 < kind < 0.68:
        place = _outside(mask, rng)
        if place:
            gesture.add(*place, EXCLUDE)
    if kind >= 0.68:
        gesture.box[:] = _box(mask, rng)
        if kind <= 0.9:
            gesture.add(*gesture.box[:4].reshape(2, 2).mean(0), SOFT)
    return gesture


def correct(gesture: Gesture, wanted: Mask, answer: Mask, rng: Rng, scale: float = 1.0) -> None:
    """Add the click that somebody would give next: near the deepest point of the larger error."""
    missed, extra = depth(wanted & ~answer), depth(answer & ~wanted)
    error, label = (missed, INCLUDE) if missed.max() >= extra.max() else (extra, EXCLUDE)
    top = float(error.max())
    if top < 1.0:
        return
    places = np.flatnonzero(error.ravel() >= (0.999 if rng.random() < 0.5 else 0.6) * top)
    row, col = divmod(int(places[rng.integers(len(places))]), wanted.shape[1])
    gesture.add((col + 0.5) * scale, (row + 0.5) * scale, label)


def _inside(mask: Mask, rng: Rng) -> tuple[float, float]:
    """A click inside, mostly well inside."""
    inner = depth(mask)
    power = 0.0 if rng.random() < 0.25 else rng.uniform(1.0, 4.0)
    weight = (inner.ravel() / max(float(inner.max()), 1e-6)) ** power * mask.ravel()
    total = np.cumsum(weight, dtype=np.float64)
    index = min(int(np.searchsorted(total, rng.random() * total[-1], side="right")), mask.size - 1)
    row, col = divmod(index, mask.shape[1])
    return col + rng.random(), row + rng.random()


def _outside(mask: Mask, rng: Rng) -> tuple[float, float] | None:
    """A click just outside."""
    away = depth(~mask)
    size = float(np.sqrt(mask.sum()))
    places = np.flatnonzero(((away > 1.5) & (away < 3 + rng.uniform(0.05, 0.6) * size)).ravel())
    if not len(places):
        return None
    row, col = divmod(int(places[rng.integers(len(places))]), mask.shape[1])
    return col + 0.5, row + 0.5


def _box(mask: Mask, rng: Rng) -> NDArray[np.float32]:
    """The object's box, drawn with a hand that isn't steady."""
    rows, cols = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = np.array((cols[0], rows[0], cols[-1] + 1, rows[-1] + 1), np.float32)
    size = np.array((box[2] - box[0], box[3] - box[1]) * 2)
    sloppy = rng.choice([0.0, 0.02, 0.05, 0.1])
    box = box + rng.normal(0, sloppy, 4) * size + rng.uniform(-1, 1, 4)
    return np.append(box, 1.0).astype(np.float32)
