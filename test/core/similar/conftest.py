"""Discs of two colours on a mottled ground, on a raster with a place."""

from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core.picture import Picture
from prompt_segmenter.core.prompts.build import prompts
from prompt_segmenter.core.raster.grid import PixelGrid, Window
from prompt_segmenter.core.raster.sources.array import ArraySource
from prompt_segmenter.core.session import SegmentationSession
from prompt_segmenter.core.window import View
from prompt_segmenter.test.helpers.look_alike_model import LookAlike

RADIUS = 14
RED, BLUE = (200, 60, 50), (60, 80, 210)
WHOLE = Window(0, 0, 400, 320)
GRID = PixelGrid((0.5, 0.0, 500_000.0, 0.0, -0.5, 4_600_000.0), "EPSG:32633", 400, 320)


class Discs:
    """The scene, and where its discs are (col, row)."""

    def __init__(self):
        rng = np.random.default_rng(11)
        places = [(50 + 75 * col, 46 + 75 * row) for row in range(4) for col in range(5)]
        places = [(x + int(dx), y + int(dy)) for (x, y), (dx, dy) in zip(places, rng.integers(-10, 11, (20, 2)))]
        kinds = rng.permutation(20)
        self.red = [place for place, kind in zip(places, kinds) if kind < 9]
        self.blue = [place for place, kind in zip(places, kinds) if 9 <= kind < 16]
        image = np.clip(rng.normal(115, 6, (320, 400, 3)), 0, 255)
        for spots, colour in ((self.red, RED), (self.blue, BLUE)):
            for spot in spots:
                image[disc(spot)] = np.array(colour) + rng.normal(0, 4, (1, 3))
        self.image = image.astype(np.uint8)

    def session(self, model=None, grid=GRID):
        source = ArraySource(np.ascontiguousarray(self.image.transpose(2, 0, 1)), grid, already_rgb=True)
        return SegmentationSession(source, model or LookAlike())

    def picture(self, window=WHOLE):
        rows, cols = slice(window.row, window.row + window.height), slice(window.col, window.col + window.width)
        image = np.ascontiguousarray(self.image[rows, cols])
        return Picture(View(window, (window.width, window.height)), image, "", np.ones(image.shape[:2], np.bool_))

    def click(self, spot):
        """A click on a disc, in the raster's CRS."""
        x, y = GRID.to_map([(spot[0] + 0.5, spot[1] + 0.5)])[0]
        return prompts(include=[(x, y)], crs=GRID.crs)


def disc(spot):
    """The pixels (H, W) of a disc."""
    rows, cols = np.mgrid[0:320, 0:400]
    return (cols - spot[0]) ** 2 + (rows - spot[1]) ** 2 <= RADIUS**2


@pytest.fixture(scope="session")
def discs():
    return Discs()
