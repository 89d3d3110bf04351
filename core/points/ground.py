"""A picture encoded at one ground width, and what a click model says of single points of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..models.finding import GivesObjectness
from ..models.model import DecodesParts, FloatArray, ImageEmbedding, MaskPrediction, SegmentationModel
from ..models.upsample import SeparableUpsampler, bilinear
from ..picture import Picture
from ..progress import Progress
from ..prompts.prompt import PixelPrompts
from ..raster.grid import Window
from ..raster.rgb import faint

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
    """A picture, or a part of it, encoded at one ground width."""

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

    def ask_again(self, asked: Asked, index: int, point: NDArray[np.float64], progress: Progress) -> Asked:
        """Return what the model says of a point (2,) of the same chip, given the logits of an earlier candidate."""

    def objectness(self, points: NDArray[np.float64], progress: Progress) -> FloatArray | None:
        """Return the log-odds (N,) that points (N, 2) in picture pixels give an object; None of a model without."""

    def open_sides(self, chip: Window) -> tuple[bool, bool, bool, bool]:
        """Return for the left, top, right and bottom side of a chip if there is more to see beyond it.

        There is in the picture, and beyond it where its home ends before: pictures with context are cut out of more. A
        model that looks at frames alone has to take its window for all there is.
        """

    def pixels(self, chip: Window) -> NDArray[np.uint8]:
        """Return the image (h, w, 3) of a chip."""

    def corner(self, chip: Window) -> tuple[float, float]:
        """Return where a chip begins in picture pixels (x, y); negative in what was added for the lattice."""


class _Encoded:
    """What both kinds share: an image, its embedding, and where it lies on the picture.

    It begins at multiples of ``cell`` pixels of the raster: where the picture does not, its edge is repeated.
    """

    def __init__(self, model: SegmentationModel, picture: Picture, seen: Window, factor: int, cell: int) -> None:
        self.factor = factor
        x, y = origin(picture)
        self._before = (x + seen.col) % cell, (y + seen.row) % cell
        self._start = seen.col - self._before[0], seen.row - self._before[1]
        self._model = model
        image = faint(picture.image[seen.slices], picture.valid[seen.slices])
        self._image = reduced(_led_in(image, self._before), factor)
        width, height = picture.image.shape[1], picture.image.shape[0]
        home = picture.home if isinstance(model, DecodesParts) and picture.home else Window(0, 0, width, height)
        # a side that home doesn't reach is not where things end
        self._low = [-math.inf if first > 0 else 0.0 for first in (home.col, home.row)]
        ends = zip((home.col + home.width, home.row + home.height), (width, height))
        self._high = [math.inf if last < side else float(side) for last, side in ends]
        self._embedding: ImageEmbedding

    def objectness(self, points: NDArray[np.float64], progress: Progress) -> FloatArray | None:
        """Return the log-odds (N,) that points (N, 2) give an object, as far as the model can tell."""
        if not isinstance(self._model, GivesObjectness):
            return None
        found = self._model.objectness(self._embedding, progress)
        (across, down), (height, width) = found.step_px, found.values.shape[1:]
        upsampler = SeparableUpsampler(bilinear(height, round(height * down)), bilinear(width, round(width * across)))
        at = ((points - self._start) / self.factor).astype(np.float32)
        odds: FloatArray = upsampler.at(found.values[:1], at)[0]
        return odds

    def ask_again(self, asked: Asked, index: int, point: NDArray[np.float64], progress: Progress) -> Asked:
        """Return what the model says of a point (2,) of the same chip, given the logits of an earlier candidate."""
        at = ((point - self.corner(asked.chip)) / self.factor)[None].astype(np.float32)
        previous = asked.prediction.low_res_logits[index]
        return self._decoded(asked.chip, at, previous, progress)

    def open_sides(self, chip: Window) -> tuple[bool, bool, bool, bool]:
        """Return for each side of a chip if the picture, or what it was cut out of, goes on beyond it."""
        (left, top), (right, bottom) = self.corner(chip), self.corner(_end(chip))
        return left > self._low[0], top > self._low[1], right < self._high[0], bottom < self._high[1]

    def pixels(self, chip: Window) -> NDArray[np.uint8]:
        """Return the image (h, w, 3) of a chip."""
        return self._image[chip.slices]

    def corner(self, chip: Window) -> tuple[float, float]:
        """Return where a chip begins in picture pixels."""
        x, y = self._start
        return float(chip.col * self.factor + x), float(chip.row * self.factor + y)

    def _part(self, chip: Window) -> ImageEmbedding:
        """Return the embedding of a chip."""
        return self._embedding

    def _decoded(self, chip: Window, at: NDArray[np.float32], previous: FloatArray | None, progress: Progress) -> Asked:
        return Asked(self._model.decode(self._part(chip), include(at), previous=previous, progress=progress), chip, at)


class PartsGround(_Encoded):
    """A picture encoded once, of which the window around each point is decoded; for models that decode parts.

    Parameters
    ----------
    model : SegmentationModel
        Also a :class:`DecodesParts`.
    picture : Picture
        Its place on the raster decides where cells begin.
    seen : Window
        What is encoded of it.
    factor : int
        Picture pixels for each encoded pixel.
    progress : Progress
        Asked for cancellation.
    """

    def __init__(
        self, model: SegmentationModel, picture: Picture, seen: Window, factor: int, progress: Progress
    ) -> None:
        if not isinstance(model, DecodesParts):
            raise TypeError(f"PartsGround: the model '{model.spec.name}' does not decode parts")
        super().__init__(model, picture, seen, factor, CELL_PX * factor)
        self._parts = model
        self._embedding = model.encode_whole(self._image, progress)
        self._side = model.spec.look.chip_px
        self.reach_px = float(self._side * factor)

    def ask(self, point: NDArray[np.float64], progress: Progress) -> Asked:
        """Return what the model says of a point (2,) in picture pixels, from the chip around it."""
        middle = (point - self._start) / self.factor
        chip = self._chip(middle)
        return self._decoded(chip, (middle - (chip.col, chip.row))[None].astype(np.float32), None, progress)

    def _part(self, chip: Window) -> ImageEmbedding:
        """Return the embedding of a chip, cut out of that of the whole."""
        return self._parts.part(self._embedding, chip)

    def _chip(self, middle: NDArray[np.float64]) -> Window:
        """Return the chip around a point of the encoded image, in it and clear of what was added where possible."""
        limits = np.array(self._image.shape[1::-1])
        size = np.minimum(self._side, limits)
        # the last pixels of a picture whose side is no whole cells are looked at too
        furthest = -((size - limits) // _PART_PX) * _PART_PX
        # of a picture that is hardly larger than a chip, also what was added is looked at
        first = np.minimum(np.array(self._before) // self.factor // _PART_PX * _PART_PX, furthest)
        start = np.round((middle - size / 2) / _PART_PX) * _PART_PX
        last = np.maximum(furthest, first)
        col, row = np.clip(start, first, last).astype(int)
        # what does not end with the image has to be whole cells
        width, height = (int(s if at + s <= end else end - at) for s, at, end in zip(size, (col, row), limits))
        return Window(int(col), int(row), width, height)


class FrameGround(_Encoded):
    """A picture, or a part of it, that is encoded as one frame, reduced where it is larger than that.

    Parameters
    ----------
    model : SegmentationModel
        What encodes and decodes.
    picture : Picture
        Of which it is a part.
    seen : Window
        What is encoded of it.
    factor : int
        Picture pixels for each pixel that is given to the model.
    progress : Progress
        Asked for cancellation.
    """

    def __init__(
        self, model: SegmentationModel, picture: Picture, seen: Window, factor: int, progress: Progress
    ) -> None:
        super().__init__(model, picture, seen, factor, factor)
        self._embedding = model.encode(self._image, progress)
        self._chip = Window(0, 0, self._image.shape[1], self._image.shape[0])
        self.reach_px = float(max(seen.width, seen.height))

    def ask(self, point: NDArray[np.float64], progress: Progress) -> Asked:
        """Return what the model says of a point (2,) in picture pixels."""
        return self._decoded(self._chip, ((point - self._start) / self.factor)[None].astype(np.float32), None, progress)


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
