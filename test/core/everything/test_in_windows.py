"""The starter model over several windows: what is found may not depend on where windows begin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from prompt_segmenter.core.everything import everything_finder
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.raster.grid import PixelGrid
from prompt_segmenter.core.raster.sources.array import ArraySource
from prompt_segmenter.core.scan import Scan, ScanSettings

GRID = PixelGrid((0.5, 0.0, 500000.0, 0.0, -0.5, 4600000.0), "EPSG:32633", 1300, 300)
ON_THE_SEAM = (470, 100, 90, 60)
"""(left, top, width, height) of a roof across column 512."""


@pytest.fixture(scope="module")
def source():
    rng = np.random.default_rng(5)
    image = np.full((300, 1300, 3), (96, 118, 72), np.int16)
    for left in range(20, 1250, 75):
        top, wide, high = int(rng.integers(10, 220)), int(rng.integers(20, 60)), int(rng.integers(20, 60))
        image[top : top + high, left : left + wide] = rng.integers(130, 230, 3)
    left, top, wide, high = ON_THE_SEAM
    image[top - 8 : top + high + 8, left - 8 : left + wide + 8] = (96, 118, 72)
    image[top : top + high, left : left + wide] = (200, 120, 90)
    image += rng.integers(-6, 7, image.shape, dtype=np.int16)
    return ArraySource(image.clip(0, 255).astype(np.uint8).transpose(2, 0, 1), GRID, already_rgb=True)


def outlines(source, window_px, finder):
    found = Scan(source, finder, ScanSettings(window_px=window_px)).run(NullProgress())
    return [polygon.geometry for polygon in found.polygons]


def agreement(some, others):
    """The share of outlines that the others have too, to the last corner."""
    hits = sum(any(a.symmetric_difference(b).area <= 1e-6 * a.area for b in others) for a in some)
    return hits / len(some)


def test_windows_of_both_sizes_give_the_same_objects_and_one_across_the_seam_is_whole(source):
    finder = everything_finder(ModelStore().load("starter"))
    small, large = outlines(source, 512, finder), outlines(source, 1024, finder)
    assert len(small) >= 12
    assert agreement(small, large) == agreement(large, small) == 1.0
    left, top, wide, high = ON_THE_SEAM
    middle = GRID.to_map([(left + wide / 2, top + high / 2)])[0]
    for found in (small, large):
        (roof,) = [each for each in found if each.distance(type(each.centroid)(middle)) == 0.0]
        assert roof.area == pytest.approx(wide * high * 0.25, rel=0.1)


def test_without_context_they_would_not(source):
    # that the test above can fail
    finder = everything_finder(ModelStore().load("starter"))
    finder.windows = replace(finder.windows, context_px=0, overlap_px=64)
    small, large = outlines(source, 512, finder), outlines(source, 1024, finder)
    assert min(agreement(small, large), agreement(large, small)) < 1.0
