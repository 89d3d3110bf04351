"""The SAM-1 frame: how an image, its prompts and its masks lie in the square that the graphs work in.

The longest side is brought to the frame's size, the rest is padded on the right and at the bottom. Prompts and masks
live in a frame of 1024 whatever the encoder's own size is.

References
----------
Kirillov, A. et al. (2023): Segment Anything. DOI 10.1109/ICCV51070.2023.00371
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .upsample import SeparableUpsampler, bilinear, cropped

FRAME_PX = 1024
LOW_RES_PX = 256


@dataclass(frozen=True)
class SamFrame:
    """The place of one image in a square frame.

    Examples
    --------
    >>> frame = SamFrame((733, 1171))
    >>> frame.resized
    (641, 1024)
    """

    image_size: tuple[int, int]
    """(H, W) of the image."""
    size_px: int = FRAME_PX
    """Side of the square."""

    @property
    def resized(self) -> tuple[int, int]:
        """(height, width) of the image in the frame; halves are rounded up."""
        scale = self.size_px / max(self.image_size)
        height, width = (max(1, int(side * scale + 0.5)) for side in self.image_size)
        return height, width

    def to_frame(self, pixels: ArrayLike) -> NDArray[np.float32]:
        """Return what a decoder takes for continuous image pixels (N, 2): float32 (N, 2).

        Each axis has its own factor, because the resized sides are rounded. The graph adds half a pixel by itself.
        """
        points = np.asarray(pixels, dtype=np.float64).reshape(-1, 2)
        (height, width), (rows, cols) = self.image_size, self.resized
        return (points * (cols / width, rows / height) - 0.5).astype(np.float32)

    def upsampler(self) -> SeparableUpsampler:
        """Return what brings low-resolution logits (256, 256) to the image.

        As the reference does: to the frame, the padding cut away, then to the image, and never with antialiasing. One
        interpolation from 256 straight to the image would be another one.
        """
        to_frame = bilinear(LOW_RES_PX, self.size_px)
        bands = [
            bilinear(inside, side).after(cropped(to_frame, inside))
            for inside, side in zip(self.resized, self.image_size)
        ]
        return SeparableUpsampler(*bands)

    @property
    def low_res_inside(self) -> tuple[slice, slice]:
        """Where the image lies in the low-resolution logits, without the padding."""
        rows, cols = (-(-side * LOW_RES_PX // self.size_px) for side in self.resized)
        return slice(0, rows), slice(0, cols)
