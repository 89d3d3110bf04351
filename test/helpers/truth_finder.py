"""A finder that knows the truth: it gives the objects of a made scene as far as they lie in the picture."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from prompt_segmenter.core.image_finder import WindowPolicy
from prompt_segmenter.core.models.finding import NAN, FoundMask
from prompt_segmenter.core.models.model import ModelSpec
from prompt_segmenter.core.progress import check
from prompt_segmenter.core.raster.grid import PixelGrid, Window
from prompt_segmenter.core.raster.sources.array import ArraySource

UTM = (2.0, 0.0, 500000.0, 0.0, -2.0, 4600000.0)


class TruthModel:
    spec = ModelSpec("truth", "Truth", "test", frozenset({"everything"}), (), 64, "none", "")
    weights_sha256 = "0" * 64
    preprocess_version = 1


SMALL = WindowPolicy(64, 16)


@dataclass
class TruthFinder:
    """Gives each object of a raster of object numbers (H, W; 0 for none); or what ``change`` makes of its mask.

    Pixels that are read coarser are those of the native pixel under their middle.
    """

    truth: np.ndarray
    windows: WindowPolicy = SMALL
    labels: dict = field(default_factory=dict)
    scores: dict = field(default_factory=dict)
    similarities: dict = field(default_factory=dict)
    prompt: str = ""
    models: tuple = (TruthModel(),)
    seen: list = field(default_factory=list)

    def describe(self):
        return "everything"

    def find(self, picture, progress):
        check(progress)
        progress.report(0.5, "looking")
        self.seen.append(picture.view)
        window, (width, height) = picture.view.window, picture.view.size
        rows = window.row + ((np.arange(height) + 0.5) * window.height / height).astype(int)
        cols = window.col + ((np.arange(width) + 0.5) * window.width / width).astype(int)
        here = self.truth[np.ix_(rows, cols)]
        return [self.found(number, here == number, picture) for number in np.unique(here[here > 0]).tolist()]

    def found(self, number, mask, picture):
        down, across = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        place = Window(int(across[0]), int(down[0]), int(np.ptp(across)) + 1, int(np.ptp(down)) + 1)
        crop = mask[place.row : place.row + place.height, place.col : place.col + place.width]
        score = self.scores.get(number, NAN)
        similarity = self.similarities.get(number, NAN)
        label = self.labels.get(number, "")
        return FoundMask(place, crop.copy(), score, label, similarity=similarity, prompt=self.prompt)


@dataclass
class StackFinder(TruthFinder):
    """Gives objects that may overlap: ``truth`` is a stack of masks (N, H, W), the first of which is object 1."""

    def find(self, picture, progress):
        check(progress)
        self.seen.append(picture.view)
        window = picture.view.window
        rows, cols = slice(window.row, window.row + window.height), slice(window.col, window.col + window.width)
        here = [(number, mask[rows, cols]) for number, mask in enumerate(self.truth, start=1)]
        return [self.found(number, mask, picture) for number, mask in here if mask.any()]


def scene(truth, transform=UTM, crs="EPSG:32633", valid=None):
    """Return a finished picture of a truth: a grey value for each object."""
    grid = PixelGrid(transform, crs, truth.shape[1], truth.shape[0])
    grey = (truth.astype(np.int64) * 37 % 251).astype(np.uint8)
    return ArraySource(np.stack([grey] * 3), grid, valid=valid, already_rgb=True)
