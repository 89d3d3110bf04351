"""Finds more of what examples show with a model that takes examples itself, in the same picture or beside it.

Such models (SAM 3) take boxes of the picture that they search. An example that lies in the picture is given as its box.
An example elsewhere is shown in a strip on the right of the picture, as a chip of the same resolution, and given as its
box there; what the model finds in the strip is thrown away. A picture that holds at least one wanted example whole is
searched with the examples that it holds, and only counter-examples are added beside it: the model sees them in place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..errors import EmptyPromptError, OutsideExtentError
from ..image_finder import WindowPolicy
from ..models.finding import ExampleModel, FoundMask
from ..models.model import ImageArray, LoadedModel
from ..picture import Picture
from ..progress import Progress, check
from ..prompts.prompt import PromptSet
from ..prompts.shape import ShapePrompt
from ..raster.grid import Window
from ..session import SegmentationSession
from ..window import View
from .distinct import distinct
from .examples import outline_examples

_CONTEXT = 0.5
"""Ground shown around an example in the strip, as a share of its longer side."""
_GAP_PX = 8
_GREY = 124
_MOST_SHARE = 0.5
"""Longest side of a chip of the strip, as a share of the picture's height: larger examples are shown smaller."""
_DUPLICATE_IOU = 0.5
_LEAST_WINDOW, _LARGEST_WINDOW, _LEAST_OVERLAP = 1024, 4096, 128


@dataclass(frozen=True)
class ExampleBox:
    """An example or counter-example as a box."""

    box: tuple[float, float, float, float]
    """(left, top, right, bottom) in native pixels of the raster."""
    wanted: bool
    """False for a counter-example."""


def example_boxes(
    session: SegmentationSession,
    examples: Sequence[PromptSet],
    counter_examples: Sequence[PromptSet],
    progress: Progress,
) -> list[ExampleBox]:
    """Return the boxes of examples; boxes and shapes are not outlined anew, clicks are.

    Raises
    ------
    EmptyPromptError
        If there is no example, or nothing is found at a click.
    OutsideExtentError, UnsupportedPromptError, CrsError
        As :meth:`SegmentationSession.segment`.
    """
    if not examples:
        raise EmptyPromptError("There is no example.", hint="Give a polygon, a box or a click on one of the objects.")
    found = []
    for prompts, wanted in [(one, True) for one in examples] + [(one, False) for one in counter_examples]:
        prompts.require_located()
        if all(prompt.kind in ("box", ShapePrompt.kind) for prompt in prompts.prompts):
            native = session.source.grid.box_to_pixel(prompts.transformed(session.source.grid.crs).envelope())
        else:
            native = outline_examples(session, [prompts], [], progress)[0].box
        left, top, right, bottom = (float(value) for value in native)
        raster = session.source.grid
        if right <= 0.0 or bottom <= 0.0 or left >= raster.width or top >= raster.height:
            raise OutsideExtentError(
                f"The example {(prompts.given or prompts).describe()[:80]} lies outside the raster.",
                hint="Check its coordinates and their CRS.",
            )
        found.append(ExampleBox((left, top, right, bottom), wanted))
    return found


@dataclass(frozen=True)
class Composed:
    """A picture with what has to be shown beside it."""

    image: ImageArray
    """(H, W + strip, 3)"""
    boxes: NDArray[np.float32]
    """(N, 4) in pixels of the image."""
    wanted: NDArray[np.bool_]
    """(N,)"""


class ExemplarFinder:
    """Finds objects like examples with a model that takes examples.

    Parameters
    ----------
    session : SegmentationSession
        Where the examples' pixels come from.
    model : ExampleModel
        The session's model.
    examples : sequence of ExampleBox
        At least one of them is wanted.
    described : str
        The examples as text.
    """

    def __init__(
        self, session: SegmentationSession, model: ExampleModel, examples: Sequence[ExampleBox], described: str
    ) -> None:
        self._session, self._model, self._examples, self._described = session, model, tuple(examples), described
        largest = max(max(one.box[2] - one.box[0], one.box[3] - one.box[1]) for one in examples if one.wanted)
        overlap = min(_LARGEST_WINDOW // 2, max(_LEAST_OVERLAP, math.ceil(1.5 * largest / 32.0) * 32))
        self.windows = WindowPolicy(min(_LARGEST_WINDOW, max(_LEAST_WINDOW, 4 * overlap)), overlap)
        """Windows that hold objects as large as the largest example."""

    @property
    def models(self) -> tuple[LoadedModel, ...]:
        """The model."""
        return (self._session.model,)

    def describe(self) -> str:
        """Return the examples as text."""
        return self._described

    def find(self, picture: Picture, progress: Progress) -> list[FoundMask]:
        """Return the objects of a picture that the model takes for more of the same; similarity is its score."""
        check(progress)
        progress.report(0.0, "Looking for similar objects")
        composed = self.composed(picture, progress)
        size = picture.image.shape[1], picture.image.shape[0]
        found = []
        for one in self._model.find_like(composed.image, composed.boxes, composed.wanted, progress):
            kept = _within(one, size, picture.valid)
            if kept is not None:
                found.append(replace(kept, similarity=one.score, prompt=""))
        progress.report(1.0)
        return distinct(found, _DUPLICATE_IOU)

    def composed(self, picture: Picture, progress: Progress) -> Composed:
        """Return the picture with a strip of the examples that it does not hold, where it needs one."""
        height, width = picture.image.shape[:2]
        inside = [_in_picture(one, picture) for one in self._examples]
        held = [(box, one.wanted) for box, one in zip(inside, self._examples) if box is not None]
        has_wanted = any(wanted for _, wanted in held)
        missing = [one for box, one in zip(inside, self._examples) if box is None and not (has_wanted and one.wanted)]
        chips = [self._chip(one, picture, progress) for one in missing]
        strip, places = _stacked([image for image, _ in chips], height)
        boxes = [box for box, _ in held]
        for (_, box), (x, y) in zip(chips, places):
            left, top = width + x, y
            boxes.append((box[0] + left, box[1] + top, box[2] + left, box[3] + top))
        return Composed(
            image=np.concatenate((picture.image, strip), axis=1),
            boxes=np.asarray(boxes, np.float32).reshape(-1, 4),
            wanted=np.array([wanted for _, wanted in held] + [one.wanted for one in missing], np.bool_),
        )

    def _chip(
        self, example: ExampleBox, picture: Picture, progress: Progress
    ) -> tuple[ImageArray, tuple[float, float, float, float]]:
        """Return an example with some of its surroundings as the picture would show it, and its box there."""
        raster = self._session.source.grid
        left, top, right, bottom = example.box
        around = _CONTEXT * max(right - left, bottom - top)
        col, row = (max(0, math.floor(at - around)) for at in (left, top))
        end, last = min(raster.width, math.ceil(right + around)), min(raster.height, math.ceil(bottom + around))
        window = Window(col, row, max(1, end - col), max(1, last - row))
        coarse = picture.view.coarseness
        most = max(32.0, _MOST_SHARE * picture.image.shape[0])
        coarse = max(coarse, max(window.width, window.height) / most)
        size = max(1, round(window.width / coarse)), max(1, round(window.height / coarse))
        image = self._session.looker(progress).pictures.picture(View(window, size), progress).image
        across, down = size[0] / window.width, size[1] / window.height
        box = ((left - col) * across, (top - row) * down, (right - col) * across, (bottom - row) * down)
        return image, box


def _in_picture(example: ExampleBox, picture: Picture) -> tuple[float, float, float, float] | None:
    """Return an example's box in picture pixels; None unless it lies whole in the picture."""
    window, (width, height) = picture.view.window, picture.view.size
    across, down = width / window.width, height / window.height
    left, top, right, bottom = example.box
    moved = (
        (left - window.col) * across,
        (top - window.row) * down,
        (right - window.col) * across,
        (bottom - window.row) * down,
    )
    whole = moved[0] >= 0.0 and moved[1] >= 0.0 and moved[2] <= width and moved[3] <= height
    return moved if whole else None


def _stacked(chips: Sequence[ImageArray], height: int) -> tuple[ImageArray, list[tuple[int, int]]]:
    """Return a strip (height, W, 3) of chips below each other, in as many columns as it takes, and where each begins.

    A grey gap parts the strip from what is on its left, and the chips from each other.
    """
    places, x, y, widest = [], _GAP_PX, 0, 0
    for chip in chips:
        if y > 0 and y + chip.shape[0] > height:
            x, y, widest = x + widest + _GAP_PX, 0, 0
        places.append((x, y))
        y += chip.shape[0] + _GAP_PX
        widest = max(widest, chip.shape[1])
    strip = np.full((height, x + widest if chips else 0, 3), _GREY, np.uint8)
    for chip, (left, top) in zip(chips, places):
        shown = chip[: height - top]
        strip[top : top + shown.shape[0], left : left + shown.shape[1]] = shown
    return strip, places


def _within(found: FoundMask, size: tuple[int, int], valid: NDArray[np.bool_]) -> FoundMask | None:
    """Return the part of a mask that lies on usable pixels of the picture, if most of it does; else None."""
    window = found.window
    width, height = max(0, min(window.width, size[0] - window.col)), min(window.height, size[1] - window.row)
    if width == 0 or height <= 0:
        return None
    mask = found.mask[:height, :width]
    if 2 * np.count_nonzero(mask) < np.count_nonzero(found.mask):
        return None
    mask = mask & valid[window.row : window.row + height, window.col : window.col + width]
    if not mask.any():
        return None
    return replace(found, window=Window(window.col, window.row, width, height), mask=mask)
