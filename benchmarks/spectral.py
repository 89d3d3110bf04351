"""Spectral indices of colour images, and the one rule for each word that does best: what words are compared with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from training.words.targets import WORDS

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Index = Callable[[Floats], Floats]
_LEVELS = 40


class Labelled(Protocol):
    """An image whose every pixel is labelled for every word."""

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """(H, W, 3)"""

    @property
    def right(self) -> dict[str, Mask]:
        """Where each word is right (H, W)."""

    @property
    def known(self) -> dict[str, Mask]:
        """Where it can be said whether it is (H, W)."""


def _planes(rgb: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    red, green, blue = (rgb[..., i] for i in range(3))
    return red, green, blue, red + green + blue + 0.02


def _spread(rgb: Floats) -> Floats:
    grey = rgb.mean(axis=2)
    return np.asarray(np.sqrt(np.maximum(cv2.blur(grey * grey, (9, 9)) - cv2.blur(grey, (9, 9)) ** 2, 0)), np.float32)


def _excess_green(rgb: Floats) -> Floats:
    red, green, blue, total = _planes(rgb)
    return (2 * green - red - blue) / total


def _redness(rgb: Floats) -> Floats:
    red, _, blue, total = _planes(rgb)
    return (red - blue) / total


def _cyan(rgb: Floats) -> Floats:
    red, green, blue, total = _planes(rgb)
    return (green + blue - 2 * red) / total


INDICES: dict[str, Index] = {
    "brightness": lambda rgb: rgb.mean(axis=2),
    "excess green": _excess_green,
    "dark and green": lambda rgb: _excess_green(rgb) - rgb.mean(axis=2),
    "red minus blue": _redness,
    "cyan": _cyan,
    "saturation": lambda rgb: (rgb.max(axis=2) - rgb.min(axis=2)) / (rgb.max(axis=2) + 0.02),
    "local contrast": _spread,
}


@dataclass(frozen=True)
class Rule:
    """One index, cut at one value."""

    name: str
    sign: int
    level: float

    def __call__(self, rgb: NDArray[np.uint8]) -> Mask:
        """Where the rule holds (H, W)."""
        index = cv2.GaussianBlur(INDICES[self.name](rgb.astype(np.float32) / 255), (0, 0), 1.5)
        found: Mask = self.sign * index > self.level
        return found

    def __str__(self) -> str:
        return f"{'low ' if self.sign < 0 else ''}{self.name}"


def fitted(pictures: Sequence[Labelled]) -> dict[str, Rule]:
    """For each word the index and the level with the best IoU on these pictures."""
    best = {word: (-1.0, Rule("brightness", 1, 0.0)) for word in WORDS}
    for name, index in INDICES.items():
        planes = [cv2.GaussianBlur(index(p.rgb.astype(np.float32) / 255), (0, 0), 1.5)[::2, ::2] for p in pictures]
        flat = np.concatenate([plane.ravel() for plane in planes])
        levels = np.quantile(flat[::7], np.linspace(0.02, 0.98, _LEVELS))
        places = np.searchsorted(levels, flat)
        for word in WORDS:
            wanted = np.concatenate([p.right[word][::2, ::2].ravel() for p in pictures])
            known = np.concatenate([p.known[word][::2, ::2].ravel() for p in pictures])
            of_known = np.bincount(places[known], minlength=_LEVELS + 1)
            of_right = np.bincount(places[known & wanted], minlength=_LEVELS + 1)
            for sign in (1, -1):
                # what lies above each level, or below it
                said, both = (h[::-1].cumsum()[::-1][1:] if sign > 0 else h.cumsum()[:-1] for h in (of_known, of_right))
                iou = both / np.maximum(1, said + of_right.sum() - both)
                if iou.max() > best[word][0]:
                    best[word] = (float(iou.max()), Rule(name, sign, sign * float(levels[iou.argmax()])))
    return {word: rule for word, (_, rule) in best.items()}


def otsu(index: Floats) -> Mask:
    """Where an index is above the level that parts it best."""
    low, high = np.quantile(index, (0.002, 0.998))
    scaled = (np.clip((index - low) / (high - low + 1e-6), 0, 1) * 255).astype(np.uint8)
    level, _ = cv2.threshold(scaled, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    found: Mask = scaled > level
    return found
