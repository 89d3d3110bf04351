"""Where a decoder's low-resolution logits lie on the image that they are of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..models.model import MaskPrediction

_TINY = 1e-3


@dataclass(frozen=True)
class Placement:
    """The linear way from image pixels to cells of low-resolution logits, without the frame's padding."""

    scale: tuple[float, float]
    """Cells for each image pixel, along x and y."""
    offset: tuple[float, float]
    """Where the image begins in cells (x, y), before what is left out."""
    inside: tuple[slice, slice]
    """Rows and columns of cells that the image covers."""

    @classmethod
    def of(cls, prediction: MaskPrediction, size: tuple[int, int]) -> Placement:
        """Return the placement on an image of ``size`` (width, height).

        The prediction's own upsampler is asked where two pixels lie on ramps, because only it knows the frame; away
        from the edges, where it holds values, interpolation of a ramp is exact.
        """
        height, width = prediction.low_res_logits.shape[1:]
        ramps = np.empty((2, height, width), np.float32)
        ramps[0], ramps[1] = np.arange(width) + 0.5, (np.arange(height) + 0.5)[:, None]
        pixels = np.floor(np.array([size, size]) * np.array([[0.25], [0.75]])) + 0.5
        found = prediction.upsampler.at(ramps, pixels.astype(np.float32)).T  # (2 points, 2 axes)
        spans = pixels[1] - pixels[0]
        scale = np.where(spans > 0, (found[1] - found[0]) / np.where(spans > 0, spans, 1), [width, height])
        offset = found[0] - pixels[0] * scale
        first = np.maximum(np.floor(offset + _TINY), 0).astype(int)
        last = np.minimum(np.ceil(offset + scale * size - _TINY), (width, height)).astype(int)
        return cls(
            (float(scale[0]), float(scale[1])),
            (float(offset[0]), float(offset[1])),
            (slice(int(first[1]), int(last[1])), slice(int(first[0]), int(last[0]))),
        )

    def to_cells(self, pixels: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return continuous image pixels (N, 2) in cells of ``inside``."""
        start = (self.inside[1].start, self.inside[0].start)
        cells: NDArray[np.float64] = pixels * np.array(self.scale) + self.offset - start
        return cells

    def to_pixels(self, cells: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return corners of cells of ``inside`` (N, 2) in continuous image pixels."""
        start = (self.inside[1].start, self.inside[0].start)
        pixels: NDArray[np.float64] = (cells + start - np.array(self.offset)) / np.array(self.scale)
        return pixels
