"""A picture encoded at one ground width, and what a click model says of single points of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..models.model import DecodesParts, ImageEmbedding, MaskPrediction, SegmentationModel
from ..picture import Picture
from ..progress import Progress
from ..prompts.prompt import PixelPrompts
from ..raster.grid import Window

CELL_PX = 32
"""Encoded images begin at multiples of this on the lattice of the whole raster: the coarsest cell of the encoders, so
that the same ground falls into the same cells whichever window it is seen in."""
_PART_PX = 4


@dataclass(frozen=True)
class Asked:
    """What a model said of one point."""

    prediction: MaskPrediction
    """Its candidates, on the chip."""
    chip: Window
    """Which pixels of the encoded image it looked at."""
    at: NDArray[np.float32]
    """(1, 2) the point in pixels of the chip."""


class Ground(Protocol):
    """A picture encoded at one ground width."""

    @property
    def factor(self) -> int:
        """Picture pixels for each encoded pixel."""

    @property
    def reach_px(self) -> float:
        """Side of what is looked at with one point, in picture pixels."""

    def ask(self, point: NDArray[np.float64], progress: Progress) -> Asked:
        """Return what the model says of a point (2,) in picture pixels.

        Raises
        ------
        ModelRunError
            If the graph fails.
        Cancelled
            If the user asked to stop.
        """

    def open_sides(self, chip: Window) -> tuple[bool, bool, bool, bool]:
        """Return for the left, top, right and bottom side of a chip if the picture goes on beyond it."""

    def pixels(self, chip: Window) -> NDArray[np.uint8]:
        """Return the image (h, w, 3) of a chip."""

    def corner(self, chip: Window) -> tuple[float, float]:
        """Return where a chip begins in picture pixels (x, y); negative in what was added for the lattice."""


class PartsGround:
    """A picture encoded once, of which the window around each point is decoded; for models that decode parts.

    Parameters
    ----------
    model : SegmentationModel
        Also a :class:`DecodesParts`.
    picture : Picture
        Its place on the raster decides where cells begin.
    factor : int
        Picture pixels for each encoded pixel.
    progress : Progress
        Asked for cancellation.
    """

    def __init__(self, model: SegmentationModel, picture: Picture, factor: int, progress: Progress) -> None:
        if not isinstance(model, DecodesParts):
            raise TypeError(f"PartsGround: the model '{model.spec.name}' does not decode parts")
        self._model, self._parts, self.factor = model, model, factor
        cell = CELL_PX * factor
        self._before = tuple(start % cell for start in origin(picture))  # (x, y) added in front
        self._size = picture.image.shape[1], picture.image.shape[0]
        self._image = reduced(_led_in(picture.image, self._before), factor)
        self._whole = model.encode_whole(self._image, progress)
        self._side = model.spec.look.chip_px
        self.reach_px = float(self._side * factor)

    def ask(self, point: NDArray[np.float64], progress: Progress) -> Asked:
        """Return what the model says of a point (2,) in picture pixels, from the chip around it."""
        middle = (point + self._before) / self.factor
        chip = self._chip(middle)
        at = (middle - (chip.col, chip.row))[None].astype(np.float32)
        embedding = self._parts.part(self._whole, chip)
        return Asked(self._model.decode(embedding, include(at), previous=None, progress=progress), chip, at)

    def open_sides(self, chip: Window) -> tuple[bool, bool, bool, bool]:
        """Return for each side of a chip if the picture goes on beyond it."""
        (left, top), (right, bottom) = self.corner(chip), self.corner(_end(chip))
        return left > 0, top > 0, right < self._size[0], bottom < self._size[1]

    def pixels(self, chip: Window) -> NDArray[np.uint8]:
        """Return the image (h, w, 3) of a chip."""
        return self._image[chip.row : chip.row + chip.height, chip.col : chip.col + chip.width]

    def corner(self, chip: Window) -> tuple[float, float]:
        """Return where a chip begins in picture pixels."""
        return (
            float(chip.col * self.factor - self._before[0]),
            float(chip.row * self.factor - self._before[1]),
        )

    def _chip(self, middle: NDArray[np.float64]) -> Window:
        """Return the chip around a point of the encoded image, in it and clear of what was added where possible."""
        limits = np.array(self._image.shape[1::-1])
        size = np.minimum(self._side, limits)
        furthest = (limits - size) // _PART_PX * _PART_PX
        # of a picture that is hardly larger than a chip, also what was added is looked at
        first = np.minimum(np.array(self._before) // self.factor // _PART_PX * _PART_PX, furthest)
        start = np.round((middle - size / 2) / _PART_PX) * _PART_PX
        last = np.maximum(furthest, first)
        col, row = np.clip(start, first, last).astype(int)
        # what does not end with the image has to be whole cells
        width, height = (int(s if at + s <= end else end - at) for s, at, end in zip(size, (col, row), limits))
        return Window(int(col), int(row), width, height)


class FrameGround:
    """A picture that is encoded as one frame, reduced where it is larger than that.

    Parameters
    ----------
    model : SegmentationModel
        What encodes and decodes.
    picture : Picture
        What is encoded.
    factor : int
        Picture pixels for each pixel that is given to the model.
    progress : Progress
        Asked for cancellation.
    """

    def __init__(self, model: SegmentationModel, picture: Picture, factor: int, progress: Progress) -> None:
        self._model, self.factor = model, factor
        self._image = reduced(picture.image, factor)
        self._embedding: ImageEmbedding = model.encode(self._image, progress)
        self._chip = Window(0, 0, self._image.shape[1], self._image.shape[0])
        self.reach_px = float(max(picture.image.shape[:2]))

    def ask(self, point: NDArray[np.float64], progress: Progress) -> Asked:
        """Return what the model says of a point (2,) in picture pixels."""
        at = (point / self.factor)[None].astype(np.float32)
        prediction = self._model.decode(self._embedding, include(at), previous=None, progress=progress)
        return Asked(prediction, self._chip, at)

    def open_sides(self, chip: Window) -> tuple[bool, bool, bool, bool]:
        """Return False: the frame is all there is."""
        return False, False, False, False

    def pixels(self, chip: Window) -> NDArray[np.uint8]:
        """Return the image (h, w, 3)."""
        return self._image

    def corner(self, chip: Window) -> tuple[float, float]:
        """Return the picture's corner."""
        return 0.0, 0.0


def grounds(model: SegmentationModel, picture: Picture, progress: Progress) -> list[Ground]:
    """Return the picture encoded at each ground width of the model that shows more than the one before, finest first.

    A model that looks at whole frames has one, however wide it is asked to look: its frame is the picture.
    """
    longest = max(picture.image.shape[:2])
    if not isinstance(model, DecodesParts):
        return [FrameGround(model, picture, 1, progress)]
    chip_px = model.spec.look.chip_px
    factors = sorted({max(1, round(scale)) for scale in model.spec.look.scales})
    found: list[Ground] = []
    for factor in factors:
        if found and found[-1].reach_px >= longest:
            break
        kind = PartsGround if longest > chip_px * factor else FrameGround
        found.append(kind(model, picture, factor, progress))
    return found


def origin(picture: Picture) -> tuple[int, int]:
    """Return where the picture begins on the lattice of the whole raster at the picture's resolution, (x, y)."""
    view = picture.view
    return (
        round(view.window.col * view.size[0] / view.window.width),
        round(view.window.row * view.size[1] / view.window.height),
    )


def include(points: NDArray[np.float32]) -> PixelPrompts:
    """Return points (N, 2) as clicks on one object."""
    return PixelPrompts(points, np.ones(len(points), np.int8), np.empty((0, 4), np.float32))


def reduced(image: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Return an image (H, W, 3) as means of squares of ``factor`` pixels; the last ones share the edge's colours."""
    if factor == 1:
        return image
    missing = [(0, -side % factor) for side in image.shape[:2]]
    full = np.pad(image, [*missing, (0, 0)], mode="edge")
    rows, cols = full.shape[0] // factor, full.shape[1] // factor
    sums = full.reshape(rows, factor, cols, factor, 3).sum(axis=(1, 3), dtype=np.uint32)
    means: NDArray[np.uint8] = ((sums + factor * factor // 2) // (factor * factor)).astype(np.uint8)
    return means


def _led_in(image: NDArray[np.uint8], before: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return an image with its first columns and rows repeated in front of it, ``before`` (x, y) times."""
    if not any(before):
        return image
    return np.pad(image, [(before[1], 0), (before[0], 0), (0, 0)], mode="edge")


def _end(chip: Window) -> Window:
    return Window(chip.col + chip.width, chip.row + chip.height, 1, 1)
