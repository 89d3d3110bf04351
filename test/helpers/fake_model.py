"""A model whose answer is known on paper: everything as bright as what was clicked."""

from __future__ import annotations

import numpy as np
from prompt_segmenter.core.errors import EmptyPromptError
from prompt_segmenter.core.models.model import ImageEmbedding, LookPolicy, MaskPrediction, ModelSpec
from prompt_segmenter.core.progress import check

SPEC = ModelSpec(
    name="same_brightness",
    title="Same brightness",
    family="test",
    accepts=frozenset({"point", "box"}),
    files=(),
    input_size_px=64,
    licence="none",
    citation_url="",
    look=LookPolicy(chip_px=64),
)


class Identity:
    """Logits are already at image size."""

    def full(self, logits):
        return logits

    def at(self, logits, points):
        cols = np.clip(points[:, 0].astype(int), 0, logits.shape[2] - 1)
        rows = np.clip(points[:, 1].astype(int), 0, logits.shape[1] - 1)
        return logits[:, rows, cols]


class SameBrightness:
    """Takes every pixel whose green value is within 8 of that under the first include point (or the box's middle)."""

    preprocess_version = 1
    takes_previous = True
    weights_sha256 = "0" * 64

    def __init__(self, look=SPEC.look, candidates=1, score=0.8):
        self.spec = ModelSpec(**{**SPEC.__dict__, "look": look})
        self.candidates = candidates
        self.score = score
        self.encoded = []
        self.previous = []

    def encode(self, image, progress):
        check(progress)
        self.encoded.append(image.shape)
        return ImageEmbedding((image[:, :, 1].astype(np.float32),), image.shape[:2])

    def decode(self, embedding, prompts, *, previous, progress):
        check(progress)
        self.previous.append(previous)
        if len(prompts.include):
            col, row = prompts.include[0]
        elif len(prompts.boxes):
            left, top, right, bottom = prompts.boxes[0]
            col, row = (left + right) / 2, (top + bottom) / 2
        else:
            raise EmptyPromptError("Nothing locates the object.")
        (gray,) = embedding.arrays
        seed = gray[min(int(row), gray.shape[0] - 1), min(int(col), gray.shape[1] - 1)]
        logits = 8.0 - np.abs(gray - seed)
        # a second candidate claims the better score and misses the click
        stack = np.stack([logits, -logits][: self.candidates]).astype(np.float32)
        return MaskPrediction(stack, np.float32([self.score, 0.95][: self.candidates]), Identity())

    def mask_logits(self, mask):
        return np.where(mask, 8.0, -8.0).astype(np.float32)
