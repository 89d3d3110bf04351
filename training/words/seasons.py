"""Other colours of what scenes show: seasons, soils, waters, roofs and haze.

Colours are changed by kind and by multiplication, so shading, texture and shadows stay.
"""

from __future__ import annotations

import cv2
import numpy as np

from ..scenes.canvas import Kinds
from ..scenes.kinds import Kind
from ..scenes.textures import Array, Rng, noise

_CHANGED = 0.65
"""Share of the windows, and within these of the kinds, whose colours are changed."""
Colour = tuple[float, float, float]
_COLOURS: dict[Kind, tuple[Colour, ...]] = {
    Kind.TREE: (
        (0.09, 0.14, 0.08),
        (0.20, 0.30, 0.12),
        (0.30, 0.27, 0.25),
        (0.42, 0.40, 0.38),
        (0.45, 0.30, 0.12),
        (0.14, 0.20, 0.17),
    ),
    Kind.GRASS: ((0.60, 0.54, 0.38), (0.22, 0.36, 0.14), (0.38, 0.38, 0.24), (0.48, 0.44, 0.36)),
    Kind.FIELD: ((0.22, 0.36, 0.14), (0.66, 0.58, 0.36), (0.40, 0.32, 0.24), (0.30, 0.26, 0.22), (0.50, 0.52, 0.24)),
    Kind.SOIL: ((0.62, 0.40, 0.26), (0.26, 0.21, 0.18), (0.74, 0.68, 0.58), (0.50, 0.42, 0.32)),
    Kind.WATER: ((0.04, 0.06, 0.08), (0.16, 0.24, 0.14), (0.42, 0.36, 0.26), (0.12, 0.24, 0.32), (0.30, 0.36, 0.36)),
    Kind.ROAD: ((0.30, 0.30, 0.31), (0.55, 0.54, 0.52), (0.58, 0.40, 0.28), (0.18, 0.18, 0.19)),
    Kind.PAVED: ((0.32, 0.32, 0.33), (0.66, 0.65, 0.62), (0.48, 0.46, 0.44)),
}
_ROOFS: tuple[Colour, ...] = (
    (0.62, 0.30, 0.22),
    (0.46, 0.26, 0.18),
    (0.82, 0.82, 0.80),
    (0.55, 0.55, 0.56),
    (0.26, 0.25, 0.25),
    (0.60, 0.52, 0.42),
    (0.30, 0.42, 0.56),
    (0.36, 0.46, 0.38),
    (0.50, 0.38, 0.30),
)


def recoloured(rgb: Array, kinds: Kinds, rng: Rng) -> Array:
    """The scene (H, W, 3) with other colours of some of its kinds, of roofs one by one, and with haze in patches."""
    if rng.random() > _CHANGED:
        return rgb
    gains = np.ones_like(rgb)
    for kind, colours in _COLOURS.items():
        where = kinds == kind
        if rng.random() < _CHANGED and where.any():
            gains[where] = _gain(rgb[where], colours, rng)
    if rng.random() < _CHANGED:
        _, roofs = cv2.connectedComponents((kinds == Kind.BUILDING).astype(np.uint8), connectivity=4)
        table = np.ones((int(roofs.max()) + 1, 3), np.float32)
        counts = np.maximum(1, np.bincount(roofs.ravel(), minlength=len(table)))
        means = np.stack([np.bincount(roofs.ravel(), band.ravel()) for band in np.moveaxis(rgb, 2, 0)], 1)
        few = rng.choice(len(_ROOFS), int(rng.integers(1, 5)))
        for number in range(1, len(table)):
            one = (means[number] / counts[number])[None].astype(np.float32)
            table[number] = _gain(one, tuple(_ROOFS[i] for i in few), rng)
        gains = np.where((kinds == Kind.BUILDING)[..., None], table[roofs], gains)
    out = rgb * cv2.GaussianBlur(gains, (0, 0), 0.7)
    if rng.random() < 0.3:
        patches = cv2.resize(noise(rng, (128, 128), 4), kinds.shape[::-1])
        veil = np.clip(0.3 + 0.3 * patches, 0, 1)[..., None] * np.float32(rng.uniform(0.2, 0.9))
        out = out * (1 - veil) + veil * np.float32([0.80, 0.84, 0.90])
    return np.asarray(out, np.float32)


def _gain(values: Array, colours: tuple[Colour, ...], rng: Rng) -> Array:
    """What brings the mean of values (N, 3) some of the way to one of the colours (3,)."""
    aim = np.array(colours[int(rng.integers(len(colours)))]) * np.exp(rng.normal(0, 0.15) + rng.normal(0, 0.06, 3))
    ratio = np.clip(aim / np.maximum(values.mean(0), 0.03), 0.15, 5)
    return np.asarray(ratio ** rng.uniform(0.4, 1), np.float32)
