from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core.errors import ChipTooLargeError
from prompt_segmenter.core.look import Looker
from prompt_segmenter.core.models.embedding import EmbeddingCache
from prompt_segmenter.core.models.model import LookPolicy, MaskPrediction
from prompt_segmenter.core.outlines.masks import PartRule
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.prompts.build import prompts
from prompt_segmenter.core.raster.grid import PixelGrid
from prompt_segmenter.core.raster.rgb import RgbRecipe
from prompt_segmenter.core.raster.source import BandInfo, BandRole
from prompt_segmenter.core.raster.sources.array import ArraySource
from prompt_segmenter.test.helpers.fake_model import Identity, SameBrightness

DARK, BRIGHT = 20, 200


class Scripted(SameBrightness):
    """Gives what a function says for (brightness (H, W), prompts, previous): a mask and a score."""

    def __init__(self, answer, look=None, takes_previous=True):
        super().__init__(look or LookPolicy(chip_px=64))
        self.answer = answer
        self.takes_previous = takes_previous

    def decode(self, embedding, prompts, *, previous, progress):
        self.previous.append(previous)
        mask, score = self.answer(embedding.arrays[0], prompts, previous)
        return MaskPrediction(np.where(mask, 5.0, -5.0)[None].astype(np.float32), np.float32([score]), Identity())


def scene(*squares, width=400, height=400):
    data = np.full((3, height, width), DARK, np.uint8)
    for col, row, side in squares:
        data[:, row : row + side, col : col + side] = BRIGHT
    return ArraySource(data, PixelGrid.pixel_space(width, height))


def looker(source, model, **settings):
    return Looker(source, model, RgbRecipe((1, 2, 3)), EmbeddingCache(10**8), **settings)


def find(source, model, clicks, *, exclude=(), box=None, resolution=None, **settings):
    given = prompts(include=clicks, exclude=exclude, box=box)
    return looker(source, model, **settings).find(given, NullProgress(), resolution=resolution)


def bright(gray, *_):
    return gray > 100, 0.8


def test_other_objects_at_the_edge_of_the_chip_do_not_make_it_grow():
    grid_of_squares = [(20 + 40 * i, 20 + 40 * j, 20) for i in range(9) for j in range(9)]
    source = scene(*grid_of_squares)

    look = find(source, SameBrightness(), [(190, 190)])

    assert look.view.window.width == 64
    assert not look.cut
    assert look.mask.sum() == 20 * 20


def test_with_all_parts_wanted_other_objects_do_count():
    source = scene(*[(20 + 40 * i, 180, 20) for i in range(9)])

    look = find(source, SameBrightness(), [(190, 190)], parts=PartRule.ALL)

    assert look.view.window.width > 64


def test_a_wider_look_that_loses_the_object_is_not_taken():
    source = scene((100, 100, 200))
    model = Scripted(lambda gray, *_: ((gray > 100) & (len(model.previous) == 1), 0.8))

    look = find(source, model, [(200, 200)])

    assert len(model.previous) == 4  # one wider look, in three rounds

    assert look.mask.all()
    assert look.view.window.width == 64
    assert look.cut


def test_a_small_box_is_looked_at_closely_where_the_model_wants_that():
    source = scene((100, 100, 20))
    model = Scripted(bright, LookPolicy(chip_px=64, scales=(1.0, 4.0), box_margin=0.5))

    look = find(source, model, [], box=(96, 96, 124, 124))

    assert (look.view.window.width, look.view.size) == (56, (56, 56))
    assert len(model.encoded) == 1


def test_a_large_box_gets_its_margin_at_the_chips_own_size():
    source = scene((100, 100, 100))
    model = Scripted(bright, LookPolicy(chip_px=64, box_margin=0.5))

    look = find(source, model, [(150, 150)], box=(100, 100, 200, 200))

    assert (look.view.window.width, look.view.size) == (200, (64, 64))


def test_several_clicks_are_looked_at_once():
    model = Scripted(bright, LookPolicy(chip_px=64, scales=(1.0, 4.0)))

    find(scene((190, 190, 20)), model, [(195, 195), (205, 205)])

    assert len(model.encoded) == 1


def far_policy(scale=8.0):
    return LookPolicy(chip_px=64, scales=(scale,), zoom_in=True)


def test_a_closer_look_at_another_object_is_refused_however_sure_the_model_is():
    source = scene((100, 100, 60))

    def speck_when_close(gray, *_):
        mask = gray > 100
        if mask.mean() < 0.3:
            return mask, 0.8
        speck = np.zeros_like(mask)
        speck[30:34, 30:34] = True
        return speck, 0.95

    look = find(source, Scripted(speck_when_close, far_policy(6.0)), [(130, 130)])

    assert look.score == pytest.approx(0.8)
    assert look.view.window.width == 384


def test_a_closer_look_that_agrees_is_taken():
    look = find(scene((100, 100, 40)), Scripted(bright, far_policy(6.0)), [(120, 120)])

    assert look.view.window.width == 64
    assert look.mask.sum() == 40 * 40


def test_a_closer_look_never_leaves_a_prompt_out_of_the_picture():
    source = scene((300, 300, 30))

    look = find(source, Scripted(bright, far_policy(6.0)), [(5, 5), (315, 315)])

    assert look.unsatisfied == 1
    assert look.view.window.width == 372


def test_a_closer_look_is_taken_on_a_strip_that_is_narrower_than_the_chip():
    source = scene((20, 1000, 20), width=60, height=4000)

    look = find(source, Scripted(bright, far_policy()), [(30, 1010)])

    assert look.view.window.height == 64
    assert look.mask.sum() == 20 * 20


def test_the_best_round_is_kept_when_a_later_one_is_worse():
    source = scene((190, 190, 20))

    def collapses(gray, given, previous):
        return (gray > 100) & (previous is None), 0.8

    model = Scripted(collapses)
    look = find(source, model, [(200, 200), (215, 215)])

    assert len(model.previous) == 3
    assert look.mask.sum() == 20 * 20
    assert look.unsatisfied == 1


def test_a_model_that_takes_no_mask_is_asked_once():
    model = Scripted(bright, takes_previous=False)

    look = find(scene((190, 190, 20)), model, [(200, 200), (215, 215)])

    assert model.previous == [None]
    assert look.unsatisfied == 1


def test_a_given_resolution_is_kept_while_the_chip_grows():
    source = scene((40, 40, 200))

    look = find(source, SameBrightness(), [(140, 140)], resolution=2.0)

    assert look.grid.resolution == (2.0, 2.0)
    assert not look.cut
    assert look.mask.sum() == 100 * 100


def test_growing_at_a_given_resolution_ends_at_the_largest_chip_and_says_cut():
    source = scene((40, 40, 200))

    look = find(source, SameBrightness(), [(140, 140)], resolution=1.0, max_pixels=130 * 130)

    assert look.cut
    assert look.grid.resolution == (1.0, 1.0)
    assert look.view.size == (128, 128)


def test_a_box_that_needs_too_many_pixels_at_a_given_resolution_is_refused():
    source = scene((40, 40, 200))

    with pytest.raises(ChipTooLargeError, match="360 x 360 pixels were asked for"):
        find(source, SameBrightness(), [], box=(10, 10, 310, 310), resolution=1.0, max_pixels=100 * 100)


def test_an_exclude_point_far_from_the_object_does_not_change_where_is_looked():
    source = scene((100, 100, 20))

    look = find(source, SameBrightness(), [(110, 110)], exclude=[(390, 390)])

    assert look.view.window.width == 64
    assert look.unsatisfied == 0


def test_a_click_on_a_transparent_palette_value_is_a_click_on_nothing():
    values = np.zeros((1, 100, 100), np.uint8)
    values[0, 40:60, 40:60] = 1
    palette = ((255, 0, 0, 0), (0, 0, 255, 255))
    bands = (BandInfo("classes", "uint8", BandRole.PALETTE, palette),)
    source = ArraySource(values, PixelGrid.pixel_space(100, 100), bands=bands)
    painted = Looker(source, SameBrightness(), RgbRecipe((1,), palette=palette), EmbeddingCache(10**8))

    nothing = painted.find(prompts(include=[(10, 10)]), NullProgress())
    something = painted.find(prompts(include=[(50, 50)]), NullProgress())

    assert nothing.blank
    assert something.mask.sum() == 20 * 20
