"""Outlines of what a detector put a box around, by a click model that looks at each box."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..models.model import FloatArray, ImageArray, ImageEmbedding, MaskPrediction, SegmentationModel
from ..models.resample import resize
from ..models.text_graphs import spread, trimmed
from ..outlines.masks import PartRule, choose_candidate, select_parts
from ..outlines.snap import snapped
from ..progress import Progress
from ..prompts.prompt import PixelPrompts
from ..raster.grid import Window

Box = tuple[float, float, float, float]
Placed = tuple[Window, NDArray[np.bool_]]
_ONE_LOOK = 2
"""An image of up to this many chips along its longer side is encoded as one where the model looks at a whole frame."""
_ROOM = 1.2
"""A chip is at least this much larger than the box in it."""


@dataclass(frozen=True)
class Wanted:
    """What is to be outlined."""

    box: Box
    """(left, top, right, bottom) in continuous pixels of the image."""
    point: tuple[float, float] | None = None
    """Continuous pixel that is of the object, where one is known."""


@dataclass(frozen=True)
class _Chip:
    """A part of the image as the click model sees it."""

    window: Window
    """In pixels of the image."""
    image: ImageArray
    """(h, w, 3), reduced where the window is larger than the model's chip."""
    embedding: ImageEmbedding


class BoxOutliner:
    """Outlines boxes in one image; the last chip is kept, so give boxes in the order of :meth:`chip_of`.

    Parameters
    ----------
    model : SegmentationModel
        Takes boxes.
    image : ndarray (H, W, 3) uint8
        The image that boxes lie in.
    """

    def __init__(self, model: SegmentationModel, image: ImageArray) -> None:
        self._model, self._image = model, image
        self._last: _Chip | None = None

    def chip_of(self, box: Box) -> Window:
        """Return the part of the image that is looked at for a box: whole pixels, with ground around the box.

        A model with a ``box_margin`` looks at each box from near. One without looks at its whole frame: at the whole
        image where that is not much larger, else at chips on a lattice, which neighbours share.
        """
        policy, (height, width) = self._model.spec.look, self._image.shape[:2]
        longer = max(box[2] - box[0], box[3] - box[1], 1.0)
        middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        if policy.box_margin is not None:
            side = math.ceil(longer * (1.0 + 2.0 * policy.box_margin))
            starts = [round(at - side / 2) for at in middle]
        elif max(height, width) <= _ONE_LOOK * policy.chip_px:
            return Window(0, 0, width, height)
        else:
            step = policy.chip_px // 2
            side = max(policy.chip_px, math.ceil(longer * _ROOM / step + 1) * step)
            starts = [round((at - side / 2) / step) * step for at in middle]
        (col, row), (cols, rows) = starts, (min(side, width), min(side, height))
        return Window(min(max(col, 0), width - cols), min(max(row, 0), height - rows), cols, rows)

    def outline(self, wanted: Wanted, progress: Progress) -> Placed | None:
        """Return the window and the pixels of the object in a box; None if the model finds nothing there."""
        chip = self._chip(self.chip_of(wanted.box), progress)
        height, width = chip.image.shape[:2]
        scale = np.array([width / chip.window.width, height / chip.window.height])
        corner = np.array([chip.window.col, chip.window.row])
        box = (np.array(wanted.box).reshape(2, 2) - corner) * scale
        points = np.zeros((0, 2)) if wanted.point is None else (np.array([wanted.point]) - corner) * scale
        prompts = PixelPrompts(
            points.astype(np.float32), np.ones(len(points), np.int8), box.reshape(1, 4).astype(np.float32)
        )
        prediction = self._model.decode(chip.embedding, prompts, previous=None, progress=progress)
        logits = _best(prediction, prompts)
        if self._model.spec.look.snap_px:
            logits = snapped(logits, chip.image, self._model.spec.look.snap_px)
        here = Window(0, 0, chip.window.width, chip.window.height)
        if (height, width) != (here.height, here.width):
            logits = spread(logits, here, (here.height, here.width))
        mask = select_parts(logits > 0, PartRule.WITH_INCLUDE, points / scale)
        return trimmed(mask, chip.window)

    def _chip(self, window: Window, progress: Progress) -> _Chip:
        if self._last is None or self._last.window != window:
            self._last = None
            image = np.ascontiguousarray(self._image[window.slices])
            shrink = self._model.spec.look.chip_px / max(window.width, window.height)
            if shrink < 1.0 and self._model.spec.look.box_margin is not None:
                image = resize(image, (max(1, round(window.height * shrink)), max(1, round(window.width * shrink))))
            self._last = _Chip(window, image, self._model.encode(image, progress))
        return self._last


def _best(prediction: MaskPrediction, prompts: PixelPrompts) -> FloatArray:
    """Return the logits (h, w), greater than zero inside, of the candidate that holds the point, or scores best."""
    index = choose_candidate(prediction.scores, prediction.inside(prompts.include), prediction.inside(prompts.exclude))
    logits: FloatArray = (prediction.logits(index) - prediction.mask_threshold).astype(np.float32)
    return logits
