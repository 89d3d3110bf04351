"""A click model with parts and ground widths whose answer is known on paper: the flat patch of colour under a click."""

from __future__ import annotations

import numpy as np
from prompt_segmenter.core.models.model import ImageEmbedding, LookPolicy, MaskPrediction
from prompt_segmenter.core.outlines.masks import PartRule, select_parts
from prompt_segmenter.core.picture import Picture
from prompt_segmenter.core.progress import NullProgress, check
from prompt_segmenter.core.raster.grid import Window
from prompt_segmenter.core.window import View

from .fake_model import SPEC, Identity, ModelSpec

SURE = 6.0
PARTS = LookPolicy(chip_px=64, scales=(1.0, 4.0))


class Flood:
    """Takes the 4-connected pixels whose green value is within 8 of that under the click; looks at frames."""

    preprocess_version = 1
    takes_previous = False
    weights_sha256 = "1" * 64

    def __init__(self, look=LookPolicy(chip_px=64), score=0.9):  # noqa: B008 (frozen)
        self.spec = ModelSpec(**{**SPEC.__dict__, "look": look})
        self.score = score
        self.asked = 0

    def encode(self, image, progress):
        check(progress)
        return ImageEmbedding((image[:, :, 1].astype(np.float32),), image.shape[:2])

    def decode(self, embedding, prompts, *, previous, progress):
        check(progress)
        self.asked += 1
        (gray,) = embedding.arrays
        col, row = np.minimum(prompts.include[0].astype(int), np.array(gray.shape[::-1]) - 1)
        mask = select_parts(np.abs(gray - gray[row, col]) <= 8, PartRule.WITH_INCLUDE, prompts.include)
        logits = np.where(mask, np.float32(SURE), np.float32(-SURE))
        return MaskPrediction(logits[None], np.float32([self.score]), Identity())

    def mask_logits(self, mask):
        return np.where(mask, np.float32(SURE), np.float32(-SURE))


class FloodParts(Flood):
    """The same, asked around each click at two ground widths."""

    part_step_px = 4

    def __init__(self, look=PARTS, score=0.9):
        super().__init__(look, score)

    def encode_whole(self, image, progress):
        return self.encode(image, progress)

    def part(self, whole, window):
        gray = whole.arrays[0]
        rows, cols = gray.shape
        ends = (window.col + window.width, window.row + window.height)
        if window.col % 4 or window.row % 4 or ends[0] > cols or ends[1] > rows:
            raise ValueError(f"{window} is no part of {gray.shape}")
        cut = gray[window.row : ends[1], window.col : ends[0]]
        return ImageEmbedding((cut,), cut.shape)


def picture(image, col=0, row=0, valid=None):
    """The picture of an image (H, W, 3) that begins at a pixel of its raster."""
    height, width = image.shape[:2]
    view = View(Window(col, row, width, height), (width, height))
    return Picture(view, image, "", np.ones((height, width), bool) if valid is None else valid)


class Counting(NullProgress):
    """Keeps what is reported, and is cancelled at the given question about it."""

    def __init__(self, stop_at=None):
        self.messages, self.fractions, self.questions, self.stop_at = [], [], 0, stop_at

    def report(self, fraction, message=""):
        self.fractions.append(fraction)
        if message:
            self.messages.append(message)

    def is_cancelled(self):
        self.questions += 1
        return self.stop_at is not None and self.questions > self.stop_at
