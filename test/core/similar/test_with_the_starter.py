"""More of what examples show with the embedded model: same colours in the mean, other textures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.raster.grid import Window
from prompt_segmenter.core.similar import similar_finder
from prompt_segmenter.core.similar.distinct import overlap_px

from .conftest import Discs, disc
from .test_similar_finder import hits, iou, kept

QUIET = NullProgress()


class Textures(Discs):
    """Discs of one mean colour: "red" ones striped, "blue" ones plain."""

    def __init__(self):
        super().__init__()
        rng = np.random.default_rng(3)
        image = np.clip(rng.normal((95, 115, 85), 7, (320, 400, 3)), 0, 255)
        cols = np.mgrid[0:320, 0:400][1]
        stripes = 150 + 55 * np.sign(np.sin(cols * np.pi / 3))
        for spots, value in ((self.red, stripes), (self.blue, np.full((320, 400), 150.0))):
            for spot in spots:
                image[disc(spot)] = value[disc(spot)][:, None] + rng.normal(0, 4, (disc(spot).sum(), 3))
        self.image = np.clip(image, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def starter():
    return ModelStore().load("starter")


def test_the_starter_finds_discs_of_the_same_colour_and_none_of_the_other(discs, starter):
    finder = similar_finder(discs.session(starter), [discs.click(discs.red[0])], [], None, QUIET)
    found = kept(finder.find(discs.picture(), QUIET))
    assert hits(found, discs.red) >= len(discs.red) - 1
    assert not any(iou(one, disc(spot)) > 0.3 for one in found for spot in discs.blue)


def test_the_starter_tells_stripes_from_plain_discs(starter):
    scene = Textures()
    finder = similar_finder(scene.session(starter), [scene.click(spot) for spot in scene.red[:3]], [], None, QUIET)
    found = finder.find(scene.picture(), QUIET)
    best = {True: [], False: []}
    for spots, striped in ((scene.red[3:], True), (scene.blue, False)):
        for spot in spots:
            best[striped].append(max((one.similarity for one in found if iou(one, disc(spot)) > 0.5), default=0.0))
    assert np.median(best[True]) > 0.8
    assert max(best[False]) < min(best[True])


def test_the_starter_finds_nearly_the_same_in_another_window(discs, starter):
    finder = similar_finder(discs.session(starter), [discs.click(discs.red[0])], [], None, QUIET)
    whole = kept(finder.find(discs.picture(), QUIET))
    window = Window(45, 30, 300, 290)
    part = kept(finder.find(discs.picture(window), QUIET))
    moved = [
        replace(one, window=replace(one.window, col=one.window.col + window.col, row=one.window.row + window.row))
        for one in part
    ]
    inside = [
        spot
        for spot in discs.red
        if 65 < spot[0] < 325 and spot[1] > 50 and any(iou(one, disc(spot)) > 0.7 for one in whole)
    ]
    assert len(inside) >= 4
    for spot in inside:
        (one,) = [one for one in whole if iou(one, disc(spot)) > 0.7]
        assert max(overlap_px(one, other) / max(one.mask.sum(), other.mask.sum()) for other in moved) > 0.9
