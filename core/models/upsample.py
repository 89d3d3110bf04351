"""Bilinear upsampling of low-resolution logits, exact and fast: each axis is one small banded matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .model import FloatArray

_BLOCK = 32
"""Output rows that share one product: the band makes them need only a few input rows."""


@dataclass(frozen=True)
class Band:
    """A matrix (n, inputs) with few neighbouring non-zeros in each row."""

    first: NDArray[np.intp]
    """(n,) input index that the first weight of each output belongs to."""
    weights: NDArray[np.float64]
    """(n, taps) weights of the inputs ``first``, ``first + 1``, ..."""
    inputs: int
    """Number of inputs."""

    def after(self, inner: Band) -> Band:
        """Return the band that does ``inner`` first and this one then."""
        rows, taps = self.weights.shape
        reached = self.first[:, None] + np.arange(taps)  # (n, taps) outputs of inner
        low = inner.first[reached[:, 0]]
        width = int((inner.first[reached[:, -1]] - low).max()) + inner.weights.shape[1]
        combined = np.zeros((rows, width))
        for tap in range(taps):
            offset = inner.first[reached[:, tap]] - low
            for inner_tap in range(inner.weights.shape[1]):
                # One entry per row in each step, so that plain indexing adds each exactly once.
                combined[np.arange(rows), offset + inner_tap] += (
                    self.weights[:, tap] * inner.weights[reached[:, tap], inner_tap]
                )
        return Band(low, combined, inner.inputs)._within()

    def dense(self) -> NDArray[np.float64]:
        """Return the whole matrix (n, inputs)."""
        matrix = np.zeros((len(self.first), self.inputs))
        for tap in range(self.weights.shape[1]):
            matrix[np.arange(len(self.first)), self.first + tap] += self.weights[:, tap]
        return matrix

    def _within(self) -> Band:
        """Return the same matrix with no more weights than inputs, none of them beyond the last."""
        taps = min(self.weights.shape[1], self.inputs)
        first = np.minimum(self.first, self.inputs - taps)
        weights = np.zeros((len(first), taps))
        for tap in range(self.weights.shape[1]):
            # Beyond the last input all weights are zero, so what is clipped there adds nothing.
            column = np.minimum(self.first - first + tap, taps - 1)
            weights[np.arange(len(first)), column] += self.weights[:, tap]
        return Band(first, weights, self.inputs)


def bilinear(inputs: int, outputs: int) -> Band:
    """Return linear interpolation of ``inputs`` samples to ``outputs``, pixel areas aligned and without antialiasing.

    Outputs beyond the centre of the first or last input take its value.

    Examples
    --------
    >>> bilinear(2, 4).dense().tolist()
    [[1.0, 0.0], [0.75, 0.25], [0.25, 0.75], [0.0, 1.0]]
    """
    centre = np.clip((np.arange(outputs) + 0.5) * (inputs / outputs) - 0.5, 0.0, inputs - 1.0)
    if inputs == 1:
        return Band(np.zeros(outputs, np.intp), np.ones((outputs, 1)), 1)
    first = np.minimum(np.floor(centre).astype(np.intp), inputs - 2)
    along = centre - first
    return Band(first, np.column_stack([1.0 - along, along]), inputs)


def cropped(band: Band, outputs: int) -> Band:
    """Return the first ``outputs`` rows of a band."""
    return Band(band.first[:outputs], band.weights[:outputs], band.inputs)


class SeparableUpsampler:
    """Upsamples maps (h, w) to (H, W) with one band for each axis.

    Parameters
    ----------
    rows : Band
        (H, h), along the columns.
    cols : Band
        (W, w), along the rows.
    """

    def __init__(self, rows: Band, cols: Band) -> None:
        self._rows = rows
        self._cols = cols
        self._row_blocks = _blocks(rows)
        self._col_blocks = _blocks(cols)

    def full(self, logits: FloatArray) -> FloatArray:
        """Return logits (H, W) float32 from one map (h, w)."""
        wide = _product(self._col_blocks, logits.astype(np.float32, copy=False).T)  # (W, h)
        return _product(self._row_blocks, wide.T)

    def at(self, logits: FloatArray, points: NDArray[np.float32]) -> FloatArray:
        """Return logits (K, N) float32 of K maps (K, h, w) in the image pixels that hold N continuous points (N, 2).

        A point is asked for its pixel and not interpolated, so that the answer is what the full mask shows under it.
        Points outside the image are asked at its nearest pixel.
        """
        height, width = len(self._rows.first), len(self._cols.first)
        col = np.clip(np.floor(points[:, 0]), 0, width - 1).astype(np.intp)
        row = np.clip(np.floor(points[:, 1]), 0, height - 1).astype(np.intp)
        down = self._rows.first[row][:, None] + np.arange(self._rows.weights.shape[1])  # (N, taps)
        along = self._cols.first[col][:, None] + np.arange(self._cols.weights.shape[1])
        corners = logits[:, down[:, :, None], along[:, None, :]]  # (K, N, taps, taps)
        values: FloatArray = np.einsum(
            "knij,ni,nj->kn", corners, self._rows.weights[row], self._cols.weights[col]
        ).astype(np.float32)
        return values


@dataclass(frozen=True)
class _Block:
    """A few consecutive rows of a band as a small dense matrix."""

    outputs: slice
    inputs: slice
    weights: FloatArray


def _blocks(band: Band) -> tuple[_Block, ...]:
    blocks = []
    for start in range(0, len(band.first), _BLOCK):
        first, weights = band.first[start : start + _BLOCK], band.weights[start : start + _BLOCK]
        low, high = int(first.min()), int(first.max()) + weights.shape[1]
        dense = Band(first - low, weights, high - low).dense().astype(np.float32)
        blocks.append(_Block(slice(start, start + len(first)), slice(low, high), dense))
    return tuple(blocks)


def _product(blocks: tuple[_Block, ...], values: FloatArray) -> FloatArray:
    """Return the band times ``values`` (inputs, m), as (n, m) float32."""
    values = np.ascontiguousarray(values)
    result: FloatArray = np.empty((blocks[-1].outputs.stop, values.shape[1]), np.float32)
    for block in blocks:
        np.matmul(block.weights, values[block.inputs], out=result[block.outputs])
    return result
