"""More of what examples show, with a click model whose answers are known on paper."""

from __future__ import annotations

import math

import numpy as np
import pytest
from prompt_segmenter.core.errors import Cancelled, EmptyPromptError, OutsideExtentError, UnsupportedPromptError
from prompt_segmenter.core.image_finder import ImageFinder
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.prompts.build import prompts
from prompt_segmenter.core.prompts.prompt import PromptSet
from prompt_segmenter.core.prompts.shape import ShapePrompt
from prompt_segmenter.core.raster.grid import Window
from prompt_segmenter.core.similar import DEFAULT_SIMILARITY, SimilarSettings, similar_finder
from prompt_segmenter.test.helpers.fake_model import SameBrightness
from prompt_segmenter.test.helpers.look_alike_model import LookAlike
from shapely.geometry import Point, box

from .conftest import GRID, RADIUS, disc

QUIET = NullProgress()


def kept(found, threshold=DEFAULT_SIMILARITY):
    return [one for one in found if one.similarity >= threshold]


def hits(found, spots):
    """How many of the discs are found with an IoU of 0.8, each by one object."""
    return sum(sum(iou(one, disc(spot)) >= 0.8 for one in found) == 1 for spot in spots)


def iou(one, mask):
    window = one.window
    part = mask[window.row : window.row + window.height, window.col : window.col + window.width]
    common = np.count_nonzero(part & one.mask)
    return common / (mask.sum() + one.mask.sum() - common)


def look(discs, examples, counter=(), session=None):
    finder = similar_finder(session or discs.session(), examples, list(counter), None, QUIET)
    return finder.find(discs.picture(), QUIET)


@pytest.mark.parametrize("count", [1, 3])
def test_examples_of_one_colour_find_all_of_it_and_none_of_the_other(discs, count):
    found = kept(look(discs, [discs.click(spot) for spot in discs.red[:count]]))
    assert hits(found, discs.red) == len(discs.red) == len(found)
    found = kept(look(discs, [discs.click(spot) for spot in discs.blue[:count]]))
    assert hits(found, discs.blue) == len(discs.blue) == len(found)


def test_an_example_of_each_colour_finds_both(discs):
    found = kept(look(discs, [discs.click(discs.red[0]), discs.click(discs.blue[0])]))
    assert hits(found, discs.red) == len(discs.red)
    assert hits(found, discs.blue) == len(discs.blue)


def test_a_counter_example_takes_its_kind_away(discs):
    mixed = [discs.click(discs.red[0]), discs.click(discs.blue[0])]
    assert hits(kept(look(discs, mixed)), discs.blue[1:]) == len(discs.blue) - 1
    with_counter = kept(look(discs, mixed[:1], [discs.click(discs.blue[1])]))
    assert hits(with_counter, discs.red) == len(discs.red) == len(with_counter)


def as_box(spot):
    corners = GRID.to_map([(spot[0] - RADIUS, spot[1] + RADIUS + 1), (spot[0] + RADIUS + 1, spot[1] - RADIUS)])
    return prompts(box=corners.ravel(), crs=GRID.crs)


def as_polygon(spot):
    (middle,) = GRID.to_map([(spot[0] + 0.5, spot[1] + 0.5)])
    return PromptSet((ShapePrompt.of(Point(*middle).buffer(RADIUS * 0.5)),), GRID.crs)


@pytest.mark.parametrize("crs", ["EPSG:32633", "EPSG:4326", "EPSG:3857"])
@pytest.mark.parametrize("drawn", [as_box, as_polygon, None])
def test_an_example_may_be_a_click_a_box_or_a_polygon_in_any_crs(discs, drawn, crs):
    example = (drawn or discs.click)(discs.red[3]).transformed(crs)
    found = kept(look(discs, [example]))
    assert hits(found, discs.red) == len(discs.red) == len(found)


def test_windows_of_any_place_find_the_same_where_they_overlap(discs):
    finder = similar_finder(discs.session(), [discs.click(discs.red[0])], [], None, QUIET)
    whole = kept(finder.find(discs.picture(), QUIET))
    for window in (Window(37, 21, 300, 290), Window(90, 5, 310, 300)):
        part = kept(finder.find(discs.picture(window), QUIET))
        moved = {(one.window.col + window.col, one.window.row + window.row, one.mask.tobytes()) for one in part}
        inside = {
            (one.window.col, one.window.row, one.mask.tobytes())
            for one in whole
            if window.col + 4 < one.window.col
            and one.window.col + one.window.width < window.col + window.width - 4
            and window.row + 4 < one.window.row
            and one.window.row + one.window.height < window.row + window.height - 4
        }
        assert inside
        assert inside <= moved


def test_a_higher_threshold_gives_a_part_of_what_a_lower_one_gives(discs):
    found = look(discs, [discs.click(discs.red[0])])
    counts = [len(kept(found, threshold)) for threshold in (0.02, 0.1, 0.3, 0.5, 0.7, 0.9)]
    assert counts == sorted(counts, reverse=True)
    assert [one.similarity for one in found] == sorted((one.similarity for one in found), reverse=True)
    assert all(0.0 <= one.similarity <= 1.0 for one in found)
    assert all(one.score == pytest.approx(0.9) and 0.0 <= one.stability <= 1.0 for one in found)


def test_what_repeats_another_outline_is_left_out(discs):
    found = look(discs, [discs.click(discs.red[0])])
    for spot in discs.red:
        assert sum(iou(one, disc(spot)) > 0.3 for one in found) == 1


def test_it_says_what_it_looks_for_and_which_windows_hold_it(discs):
    finder = similar_finder(discs.session(), [discs.click(discs.red[0])], [discs.click(discs.blue[0])], None, QUIET)
    assert isinstance(finder.models[0], LookAlike)
    told = finder.describe()
    assert told.startswith("like +500")
    assert "; unlike +5" in told
    assert finder.windows.overlap_px >= 1.5 * (2 * RADIUS + 1)
    assert finder.windows.window_px >= 4 * finder.windows.overlap_px
    a_finder: ImageFinder = finder
    assert a_finder is finder


def test_pixels_without_data_belong_to_nothing(discs):
    finder = similar_finder(discs.session(), [discs.click(discs.red[0])], [], None, QUIET)
    picture = discs.picture()
    spot = discs.red[4]
    picture.valid[disc(spot)] = False
    found = kept(finder.find(picture, QUIET))
    assert hits(found, discs.red) == len(discs.red) - 1
    assert not any(iou(one, disc(spot)) > 0.0 for one in found)


def test_a_large_example_is_looked_at_coarsely_and_a_small_raster_whole():
    from .conftest import Discs

    class Large(Discs):
        def __init__(self):
            rows, cols = np.mgrid[0:320, 0:400]
            self.image = np.full((320, 400, 3), 110, np.uint8)
            self.image[(cols - 100) ** 2 + (rows - 160) ** 2 < 80**2] = (200, 60, 50)
            self.image[(cols - 300) ** 2 + (rows - 160) ** 2 < 80**2] = (200, 60, 50)
            self.image[10:40, 10:40] = (60, 80, 210)

    scene = Large()
    model = LookAlike()
    found = kept(look(scene, [scene.click((100, 160))], session=scene.session(model)))
    rows, cols = np.mgrid[0:320, 0:400]
    assert len(found) == 2
    for col in (100, 300):
        wanted = (cols - col) ** 2 + (rows - 160) ** 2 < 80**2
        assert max(iou(one, wanted) for one in found) > 0.95
    assert model.decodes < 60


class Impatient(NullProgress):
    """Stops after so many questions."""

    def __init__(self, patience):
        self.left = patience
        self.reports = []

    def report(self, fraction, message=""):
        self.reports.append((fraction, message))

    def is_cancelled(self):
        self.left -= 1
        return self.left < 0


def test_cancel_stops_between_two_places(discs):
    model = LookAlike()
    finder = similar_finder(discs.session(model), [discs.click(discs.red[0])], [], None, QUIET)
    before = model.decodes
    with pytest.raises(Cancelled):
        finder.find(discs.picture(), Impatient(9))
    assert model.decodes - before < 9
    with pytest.raises(Cancelled):
        similar_finder(discs.session(), [discs.click(discs.red[0])], [], None, Impatient(0))


def test_progress_goes_up_and_says_what_is_done(discs):
    progress = Impatient(math.inf)
    finder = similar_finder(discs.session(), [discs.click(spot) for spot in discs.red[:2]], [], None, progress)
    fractions = [fraction for fraction, _ in progress.reports]
    assert fractions == sorted(fractions)
    assert {"Outlining example 2 of 2", "Learning what the examples look like"} <= {
        text for _, text in progress.reports
    }
    progress = Impatient(math.inf)
    finder.find(discs.picture(), progress)
    fractions = [fraction for fraction, _ in progress.reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


def test_it_says_what_is_wrong_with_examples_and_models(discs):
    with pytest.raises(EmptyPromptError):
        similar_finder(discs.session(), [], [discs.click(discs.red[0])], None, QUIET)
    with pytest.raises(OutsideExtentError):
        similar_finder(discs.session(), [discs.click((5000, 20))], [], None, QUIET)
    with pytest.raises(UnsupportedPromptError, match="does not say what things look like"):
        similar_finder(discs.session(SameBrightness()), [discs.click(discs.red[0])], [], None, QUIET)


def test_a_polygon_that_covers_no_pixel_centre_is_still_an_example(discs):
    (middle,) = GRID.to_map([discs.red[0]])
    tiny = PromptSet((ShapePrompt.of(box(*(middle + 0.02), *(middle + 0.05))),), GRID.crs)
    assert look(discs, [tiny]) is not None


def test_settings_have_ranges():
    with pytest.raises(Exception, match="floor"):
        SimilarSettings(floor=2.0)
