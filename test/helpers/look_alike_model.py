"""A click model whose features and answers are known on paper: what something looks like is its colour."""

from __future__ import annotations

import numpy as np
from prompt_segmenter.core.models.finding import FeatureMap, FoundMask
from prompt_segmenter.core.models.model import ImageEmbedding, LookPolicy, MaskPrediction, ModelSpec
from prompt_segmenter.core.progress import check
from prompt_segmenter.core.raster.grid import Window

from .fake_model import Identity

SPEC = ModelSpec(
    name="look_alike",
    title="Look-alike",
    family="test",
    accepts=frozenset({"point", "box", "shape"}),
    files=(),
    input_size_px=64,
    licence="none",
    citation_url="",
    look=LookPolicy(chip_px=96),
)
CELL = 4
_FIRM = 40.0


class LookAlike:
    """Features are the colours of cells of 4 pixels; an object is all whose colour is within 40 of the click's."""

    preprocess_version = 1
    takes_previous = False
    weights_sha256 = "1" * 64
    part_step_px = CELL

    def __init__(self):
        self.spec = SPEC
        self.decodes = 0

    def encode(self, image, progress):
        check(progress)
        return ImageEmbedding((image.astype(np.float32),), image.shape[:2])

    encode_whole = encode

    def part(self, whole, window):
        rows, cols = slice(window.row, window.row + window.height), slice(window.col, window.col + window.width)
        return ImageEmbedding((whole.arrays[0][rows, cols],), (window.height, window.width))

    def features(self, embedding):
        colours = embedding.arrays[0]
        height, width = (-(-side // CELL) * CELL for side in colours.shape[:2])
        full = np.pad(colours, ((0, height - colours.shape[0]), (0, width - colours.shape[1]), (0, 0)), mode="edge")
        cells = full.reshape(height // CELL, CELL, width // CELL, CELL, 3).mean(axis=(1, 3))
        return FeatureMap(cells.transpose(2, 0, 1).astype(np.float32), (CELL, CELL))

    def decode(self, embedding, prompts, *, previous, progress):
        check(progress)
        self.decodes += 1
        colours = embedding.arrays[0]
        if len(prompts.include):
            col, row = prompts.include[0]
        else:
            left, top, right, bottom = prompts.boxes[0]
            col, row = (left + right) / 2, (top + bottom) / 2
        seed = colours[min(int(row), colours.shape[0] - 1), min(int(col), colours.shape[1] - 1)]
        logits = _FIRM - np.abs(colours - seed).max(axis=2)
        return MaskPrediction(logits[None].astype(np.float32), np.float32([0.9]), Identity())

    def mask_logits(self, mask):
        return np.where(mask, 8.0, -8.0).astype(np.float32)


class TakesExamples(LookAlike):
    """Takes boxes itself: everything of the colour in the middle of an example's box; remembers what it was asked."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def find_like(self, image, boxes, wanted, progress):
        check(progress)
        self.asked.append((image.copy(), boxes.copy(), wanted.copy()))
        found = []
        for box in boxes[wanted]:
            seed = image[int((box[1] + box[3]) / 2), int((box[0] + box[2]) / 2)].astype(int)
            alike = np.abs(image.astype(int) - seed).max(axis=2) < _FIRM
            found += pieces(alike, 0.8)
        return found


def pieces(mask, score):
    """Each 4-connected part of a mask as a found mask."""
    left = mask.copy()
    found = []
    while left.any():
        row, col = np.argwhere(left)[0]
        part, front = np.zeros_like(left), np.zeros_like(left)
        front[row, col] = True
        while front.any():
            part |= front
            grown = np.zeros_like(front)
            grown[1:] |= front[:-1]
            grown[:-1] |= front[1:]
            grown[:, 1:] |= front[:, :-1]
            grown[:, :-1] |= front[:, 1:]
            front = grown & left & ~part
        left &= ~part
        rows, cols = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
        window = Window(int(cols[0]), int(rows[0]), int(np.ptp(cols)) + 1, int(np.ptp(rows)) + 1)
        kept = part[window.row : window.row + window.height, window.col : window.col + window.width]
        found.append(FoundMask(window, kept.copy(), score))
    return found
