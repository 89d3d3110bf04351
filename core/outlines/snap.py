"""Classical refinement: an outline's logits drawn to the edges of the image, pixel by pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
_FLAT = 1e-3
"""Variance (of brightness 0 to 1) below which the image has no edge to snap to, only noise."""
_SOFTNESS = 4.0
"""Logits are squashed by this before, so that only those near the outline can move it."""


def snapped(logits: FloatArray, image: NDArray[np.uint8], radius_px: int) -> FloatArray:
    """Return logits (H, W) whose zero line follows the edges of the image within a few pixels of where it was.

    A guided filter: in each small window the logits become the linear function of brightness that is nearest to them.
    Where the image is flat they stay as they were.

    Parameters
    ----------
    logits : ndarray (H, W)
        Greater than zero inside. Only signs and near-zero values mean something in the result.
    image : ndarray of uint8 (H, W, 3)
        The image that they were made from.
    radius_px : int
        Windows have sides of 2 radius_px + 1 pixels.

    References
    ----------
    He, K., Sun, J., Tang, X. (2013): Guided image filtering. DOI 10.1109/TPAMI.2012.213
    """
    result = logits.astype(np.float32, copy=True)
    inside = logits > 0
    rows, cols = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not rows.size or inside.all():
        return result
    margin = 4 * radius_px + 2
    view = (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + 1 + margin),
        slice(max(0, int(cols[0]) - margin), int(cols[-1]) + 1 + margin),
    )
    squashed = np.tanh(logits[view] / np.float32(_SOFTNESS))
    guide = image[view].mean(axis=2, dtype=np.float32) / np.float32(255)
    mean, middle = _means(squashed, radius_px), _means(guide, radius_px)
    variance = np.maximum(_means(guide * guide, radius_px) - middle * middle, 0)
    slope = (_means(guide * squashed, radius_px) - middle * mean) / (variance + np.float32(_FLAT))
    offset = mean - slope * middle
    led = _means(slope, radius_px) * guide + _means(offset, radius_px)
    result[view] = _SOFTNESS * (variance * led + _FLAT * squashed) / (variance + _FLAT)
    return result


def _means(array: FloatArray, radius: int) -> FloatArray:
    """Return the mean of the (2 radius + 1)² neighbours of each cell; the edge's cells are repeated outwards."""
    for axis in (0, 1):
        padding = [(radius, radius) if axis == along else (0, 0) for along in (0, 1)]
        padded = np.pad(array, padding, mode="edge")
        last = padded.shape[axis] - 2 * radius
        shifted = (
            padded[start : start + last] if axis == 0 else padded[:, start : start + last]
            for start in range(2 * radius + 1)
        )
        array = np.add.reduce(list(shifted))
    return array / np.float32((2 * radius + 1) ** 2)
