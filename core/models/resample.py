"""Resizing of 8-bit images as Pillow's bilinear filter does it, so that a SAM encoder sees what it was trained on."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .model import ImageArray

_PRECISION_BITS = 22
_ROWS_AT_ONCE = 64


def resize(image: ImageArray, size: tuple[int, int]) -> ImageArray:
    """Return the image (H, W, 3) uint8 resized to ``size`` (height, width).

    A triangle filter, which widens as the image shrinks (antialiasing), in Pillow's fixed-point arithmetic: first along
    the rows, then along the columns, rounded to 8 bits after each. An axis that keeps its size is left untouched.
    """
    height, width = size
    if image.shape[1] != width:
        image = _along_first(image.transpose(1, 0, 2), width).transpose(1, 0, 2)
    if image.shape[0] != height:
        image = _along_first(image, height)
    return np.ascontiguousarray(image)


def _along_first(image: NDArray[np.uint8], outputs: int) -> NDArray[np.uint8]:
    rest = image.shape[1:]
    rows = np.ascontiguousarray(image).reshape(image.shape[0], -1)
    first, weights = _filter(image.shape[0], outputs)
    result: NDArray[np.uint8] = np.empty((outputs, rows.shape[1]), np.uint8)
    for start in range(0, outputs, _ROWS_AT_ONCE):
        block = slice(start, start + _ROWS_AT_ONCE)
        total = np.full((len(first[block]), rows.shape[1]), 1 << (_PRECISION_BITS - 1), np.int32)
        for tap in range(weights.shape[1]):
            # A weight beyond the edge is zero: whichever row stands in for it adds nothing.
            source = rows[np.minimum(first[block] + tap, len(rows) - 1)]
            total += source * weights[block, tap, None]
        result[block] = np.clip(total >> _PRECISION_BITS, 0, 255)
    return result.reshape(outputs, *rest)


def _filter(inputs: int, outputs: int) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Return for each output the first input it takes (n,) and the fixed-point weights from there (n, taps)."""
    scale = inputs / outputs
    reach = max(scale, 1.0)
    centre = (np.arange(outputs) + 0.5) * scale
    first = np.maximum((centre - reach + 0.5).astype(np.intp), 0)
    end = np.minimum((centre + reach + 0.5).astype(np.intp), inputs)
    taps = np.arange(math.ceil(reach) * 2 + 1)
    distance = np.abs((first[:, None] + taps + 0.5 - centre[:, None]) / reach)
    weights = np.where(first[:, None] + taps < end[:, None], np.maximum(1.0 - distance, 0.0), 0.0)
    weights /= weights.sum(axis=1, keepdims=True)
    return first, np.floor(weights * (1 << _PRECISION_BITS) + 0.5).astype(np.int32)
