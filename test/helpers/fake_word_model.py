"""Word models whose answers are known on paper: a word is a range of brightness."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from prompt_segmenter.core.errors import UnsupportedPromptError
from prompt_segmenter.core.models.finding import FeatureMap, FoundMask
from prompt_segmenter.core.models.model import ModelSpec
from prompt_segmenter.core.outlines.masks import find_parts
from prompt_segmenter.core.progress import check
from prompt_segmenter.core.raster.grid import Window
from prompt_segmenter.test.helpers.fake_model import SameBrightness

WORDS = {"bright": (180, 256), "medium": (100, 180), "nothing": (256, 999)}
SPEC = ModelSpec(
    name="brightness_words",
    title="Words for brightness",
    family="test",
    accepts=frozenset({"words"}),
    files=(),
    input_size_px=64,
    licence="none",
    citation_url="",
)


class BrightnessWords:
    """Finds the connected parts of an image whose brightest band is in a word's range; the score is its mean / 255."""

    spec = SPEC
    weights_sha256 = "1" * 64
    preprocess_version = 1

    def __init__(self):
        self.asked = []

    def require_known(self, phrases):
        for phrase in phrases:
            if phrase not in WORDS:
                raise UnsupportedPromptError(f"The word '{phrase}' is not known.", hint=f"Use: {', '.join(WORDS)}.")

    def find(self, image, phrases, progress):
        check(progress)
        self.asked.append(image.shape)
        found = []
        brightest = image.max(axis=2)
        for phrase in phrases:
            low, high = WORDS[phrase]
            parts = find_parts((brightest >= low) & (brightest < high))
            for number in range(parts.count):
                mask = parts.mask([number])
                rows, cols = np.nonzero(mask)
                left, top, right, bottom = cols.min(), rows.min(), cols.max() + 1, rows.max() + 1
                score = float(brightest[mask].mean()) / 255
                window = Window(int(left), int(top), int(right - left), int(bottom - top))
                found.append(FoundMask(window, mask[top:bottom, left:right], score, phrase))
        return found


class BrightnessFeatures(SameBrightness):
    """A click model whose features are steps of brightness, for each 2 x 2 pixels."""

    def __init__(self, score=0.95):
        super().__init__(score=score)
        self.spec = replace(self.spec, accepts=frozenset({"point", "box", "shape"}))

    def features(self, embedding):
        (gray,) = embedding.arrays
        height, width = gray.shape[0] // 2 * 2, gray.shape[1] // 2 * 2
        cells = gray[:height, :width].reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
        steps = np.arange(0.0, 256.0, 32.0)[:, None, None]
        return FeatureMap(np.clip(1 - np.abs(cells - steps) / 32, 0, 1).astype(np.float32), (2.0, 2.0))
