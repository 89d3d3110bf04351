"""Examples for a model that takes them itself: as boxes where the picture holds them, else in a strip beside it."""

from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core.errors import Cancelled, EmptyPromptError, OutsideExtentError
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.raster.grid import Window
from prompt_segmenter.core.similar import similar_finder
from prompt_segmenter.test.helpers.look_alike_model import TakesExamples

from .conftest import GRID, RADIUS
from .test_similar_finder import Impatient, as_box, as_polygon, hits

QUIET = NullProgress()
LEFT, RIGHT = Window(0, 0, 200, 320), Window(200, 0, 200, 320)


def halves(discs):
    """The red discs wholly in the left and in the right half of the scene."""
    reach = RADIUS + 1
    return [s for s in discs.red if s[0] + reach < 200], [s for s in discs.red if s[0] - reach > 200]


def opened(discs, examples, counter=()):
    model = TakesExamples()
    return similar_finder(discs.session(model), examples, list(counter), None, QUIET), model


@pytest.mark.parametrize("crs", ["EPSG:32633", "EPSG:4326"])
@pytest.mark.parametrize("drawn", [as_box, as_polygon, None])
def test_an_example_in_the_picture_is_given_as_its_box(discs, drawn, crs):
    spot = discs.red[0]
    finder, model = opened(discs, [(drawn or discs.click)(spot).transformed(crs)])
    found = finder.find(discs.picture(), QUIET)
    assert hits(found, discs.red) == len(discs.red) == len(found)
    ((image, boxes, wanted),) = model.asked
    assert image.shape == (320, 400, 3)
    assert wanted.tolist() == [True]
    around = (spot[0] - RADIUS, spot[1] - RADIUS, spot[0] + RADIUS + 1, spot[1] + RADIUS + 1)
    assert np.abs(boxes[0] - around).max() < 2.0


def test_an_example_elsewhere_is_shown_in_a_strip_and_found_nowhere_but_in_the_picture(discs):
    left, right = halves(discs)
    finder, model = opened(discs, [as_box(left[0])])
    found = finder.find(discs.picture(RIGHT), QUIET)
    ((image, boxes, _wanted),) = model.asked
    assert image.shape[0] == 320
    assert image.shape[1] > 200 + 2 * RADIUS
    assert np.array_equal(image[:, :200], discs.picture(RIGHT).image)
    assert boxes[0, 0] >= 200.0
    middle = image[int(boxes[0, 1::2].mean()), int(boxes[0, ::2].mean())]
    assert np.abs(middle.astype(int) - discs.image[left[0][1], left[0][0]]).max() < 3
    assert boxes[0, 2] - boxes[0, 0] == pytest.approx(2 * RADIUS + 1, abs=1e-3)
    assert all(one.window.col + one.window.width <= 200 for one in found)
    whole = [(one.window.col + 200, one.window.row) for one in found]
    assert {(s[0] - RADIUS, s[1] - RADIUS) for s in right} <= set(whole)


def test_a_picture_that_holds_an_example_gets_only_counter_examples_beside_it(discs):
    left, right = halves(discs)
    blue = next(spot for spot in discs.blue if spot[0] + RADIUS + 1 < 200)
    finder, model = opened(discs, [as_box(right[0]), as_box(left[0])], [as_box(blue)])
    finder.find(discs.picture(RIGHT), QUIET)
    ((image, boxes, wanted),) = model.asked
    assert wanted.tolist() == [True, False]
    assert boxes[0, 2] <= 200.0
    assert boxes[1, 0] >= 200.0
    assert image.shape[1] < 200 + 5 * RADIUS


def test_many_examples_fill_columns_and_none_is_lost(discs):
    left, _ = halves(discs)
    finder, model = opened(discs, [as_box(spot) for spot in left] * 4)
    finder.find(discs.picture(RIGHT), QUIET)
    ((image, boxes, _wanted),) = model.asked
    assert len(boxes) == 4 * len(left)
    for box in boxes:
        assert box[2] <= image.shape[1]
        assert box[3] <= image.shape[0]
        middle = image[int(box[1::2].mean()), int(box[::2].mean())].astype(int)
        assert np.abs(middle - (200, 60, 50)).max() < 25


def test_similarity_is_what_the_model_says_and_windows_hold_the_example(discs):
    finder, model = opened(discs, [as_box(discs.red[0])])
    found = finder.find(discs.picture(), QUIET)
    assert {one.similarity for one in found} == {0.8}
    assert finder.models == (model,)
    assert finder.describe().startswith("like [")
    assert finder.windows.overlap_px >= 3 * RADIUS


def test_pixels_without_data_are_left_out(discs):
    finder, _ = opened(discs, [as_box(discs.red[0])])
    picture = discs.picture()
    picture.valid[:] = False
    assert finder.find(picture, QUIET) == []


def test_it_stops_and_says_what_is_missing(discs):
    finder, _ = opened(discs, [as_box(discs.red[0])])
    with pytest.raises(Cancelled):
        finder.find(discs.picture(), Impatient(0))
    with pytest.raises(EmptyPromptError):
        opened(discs, [])
    with pytest.raises(OutsideExtentError, match="outside the raster"):
        opened(discs, [as_box((-900, 40))])
    assert GRID.crs == "EPSG:32633"
