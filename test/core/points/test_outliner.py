from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from prompt_segmenter.core.errors import Cancelled
from prompt_segmenter.core.models.families.sam import ENTRY
from prompt_segmenter.core.models.model import MaskPrediction, ModelSpec, RuntimeSettings
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.core.points.looks import context_px
from prompt_segmenter.core.points.outliner import Candidate, PointOutliner
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.raster.grid import Window
from prompt_segmenter.test.helpers import onnx_graphs
from prompt_segmenter.test.helpers.flood_model import Counting, Flood, FloodParts, picture

QUIET = NullProgress()


def scene(height=200, width=200):
    return np.full((height, width, 3), 40, np.uint8)


def begun(model, image, col=0, row=0, valid=None, *, close=True):
    """An outliner that looks closely at all of an image, or at the whole of it at once."""
    outliner = PointOutliner(model)
    tile = Window(0, 0, image.shape[1], image.shape[0]) if close else None
    outliner.begin(picture(image, col, row, valid), tile, QUIET)
    return outliner


def frame(model, image, **place):
    return begun(model, image, **place, close=False)


def best(outliner, x, y, ground=0):
    return min(outliner.candidates((x, y), ground, QUIET), key=Candidate.demerits)


def on_raster(found, image, col=0, row=0):
    """The pixels of an object, on the whole raster's image."""
    whole = np.zeros(image.shape[:2], bool)
    window = found.window
    top, left = window.row + row, window.col + col
    whole[top : top + window.height, left : left + window.width] = found.mask
    return whole


@pytest.mark.parametrize(("model", "begin"), [(Flood, frame), (FloodParts, begun)])
def test_a_square_is_outlined_to_the_pixel_whether_frames_or_parts_are_decoded(model, begin):
    image = scene()
    image[50:70, 90:120] = 200
    outliner = begin(model(), image)
    candidate = best(outliner, 100.0, 60.0)
    found = outliner.full(candidate)
    assert found.window == Window(90, 50, 30, 20)
    assert found.mask.all()
    assert not candidate.cut
    assert found.score == pytest.approx(0.9)
    assert (found.stability, found.prompt) == (1.0, "+100,60")


def test_what_does_not_fit_a_close_look_is_whole_when_all_of_the_picture_is_looked_at():
    image = scene()
    image[40:160, 40:160] = 200  # 120 px where a fine chip is 64
    model = FloodParts()
    assert best(begun(model, image), 100.0, 100.0).cut
    outliner = frame(model, image)
    candidate = best(outliner, 100.0, 100.0)
    assert outliner.reaches_px == (200.0,)
    assert not candidate.cut
    found = outliner.full(candidate)
    assert found.mask.shape == (120, 120)
    assert found.mask.sum() == 120 * 120 - 4  # what lies between cells is blended: the corners are rounded


def test_what_goes_on_beyond_the_fine_chip_is_told_apart_from_what_the_picture_ends():
    image = scene()
    image[:, 152:] = 200
    close, wide = begun(FloodParts(), image), frame(FloodParts(), image)
    assert best(close, 190.0, 100.0).cut
    assert not best(wide, 190.0, 100.0).cut
    assert best(wide, 190.0, 100.0).area_px == pytest.approx(48 * 200)


def test_a_model_of_frames_has_no_close_look_and_one_picture_may_need_no_wide_one():
    assert begun(Flood(), scene()).reaches_px == ()
    assert frame(FloodParts(), scene(60, 50)).reaches_px == ()


def test_a_tile_is_looked_at_in_the_same_way_whatever_else_the_picture_shows():
    rng = np.random.default_rng(1)
    image = rng.integers(0, 255, (900, 900, 3), dtype=np.uint8)
    starter = ModelStore().load("starter")
    tile, reach = (256, 320, 128, 64), context_px(starter)
    assert reach == 384
    answers = []
    for around in (0, 37):
        left, top = (max(0, start - reach - around) for start in tile[:2])
        outliner = PointOutliner(starter)
        seen = picture(image[top:, left:], left, top)
        outliner.begin(seen, Window(tile[0] - left, tile[1] - top, *tile[2:]), QUIET)
        point = np.array([300.0 - left, 350.0 - top])
        logits = [outliner.candidates(point, ground, QUIET)[0].asked.prediction.low_res_logits for ground in (0, 1)]
        answers.append([*logits, *(outliner.objectness(point[None], ground, QUIET) for ground in (0, 1))])
    for one, other in zip(*answers):
        assert (one == other).all()


def test_the_same_ground_gives_the_same_mask_whichever_window_it_is_seen_in():
    rng = np.random.default_rng(1)
    image = np.clip(scene(400, 400) + rng.integers(0, 6, (400, 400, 1)), 0, 255).astype(np.uint8)
    rows, cols = np.indices((400, 400))
    image[np.hypot(cols - 250, rows - 210) < 25] = 180
    answers = []
    for col, row in ((0, 0), (37, 51), (101, 98)):
        outliner = begun(FloodParts(), image[row:, col:], col, row)
        found = outliner.full(best(outliner, 250.5 - col, 210.5 - row))
        answers.append(on_raster(found, image, col, row))
    assert answers[0].sum() > 1_500
    assert (answers[0] == answers[1]).all()
    assert (answers[0] == answers[2]).all()


def test_masks_leave_out_unusable_pixels():
    image = scene()
    image[50:70, 90:120] = 200
    valid = np.ones((200, 200), bool)
    valid[:, 110:] = False
    outliner = frame(Flood(), image, valid=valid)
    assert outliner.full(best(outliner, 100.0, 60.0)).window.width == 20


def test_only_the_part_under_the_point_is_the_object():
    image = scene()
    image[50:70, 90:120] = image[100:110, 90:100] = 200
    outliner = begun(ModelStore().load("starter"), image)
    window = outliner.full(best(outliner, 105.0, 60.0)).window
    assert abs(window.col - 90) <= 2
    assert abs(window.height - 20) <= 3


class Sharpens(FloodParts):
    """Is unsure, until it is given its own answer; remembers what it was given."""

    takes_previous = True

    def __init__(self):
        super().__init__()
        self.given = []

    def decode(self, embedding, prompts, *, previous, progress):
        answer = super().decode(embedding, prompts, previous=previous, progress=progress)
        self.given.append((prompts.include[0].tolist(), previous))
        scores = np.float32([0.6 if previous is None else 0.9])
        return MaskPrediction(answer.low_res_logits, scores, answer.upsampler)


def test_asked_again_the_model_gets_its_own_answer_and_the_middle_of_it():
    image = scene()
    image[50:70, 90:120] = 200
    model = Sharpens()
    outliner = begun(model, image)
    first = best(outliner, 92.0, 52.0)
    (again,) = outliner.again(first, QUIET)
    assert (first.score, again.score) == pytest.approx((0.6, 0.9))
    (point, _), (middle, previous) = model.given
    assert (np.array(middle) - point).tolist() == [13.0, 8.0]  # from 92, 52 to 105, 60
    assert (previous == first.asked.prediction.low_res_logits[0]).all()
    assert outliner.full(again).prompt == "+92,52 then +105,60"
    assert again.no_surer_than(first).score == pytest.approx(0.6)


def test_the_middle_of_a_bent_thing_is_not_asked_for_if_it_lies_beside_it():
    image = scene()
    image[50:90, 90:100] = image[80:90, 90:130] = 200  # an angle
    model = Sharpens()
    outliner = begun(model, image)
    outliner.again(best(outliner, 95.0, 55.0), QUIET)
    assert model.given[0][0] == model.given[1][0]


def test_asking_before_a_picture_was_begun_is_a_mistake_of_the_caller():
    outliner = begun(Flood(), scene(), close=False)
    candidate = best(outliner, 5.0, 5.0)
    with pytest.raises(ValueError, match="begin"):
        PointOutliner(Flood()).full(candidate)


def test_a_cancelled_progress_stops_before_the_next_decode():
    outliner = begun(FloodParts(), scene())
    progress = Counting(stop_at=0)
    with pytest.raises(Cancelled):
        outliner.candidates((20.0, 20.0), 0, progress)
    assert outliner.decodes == 0


@pytest.mark.parametrize("size", [(300, 220), (733, 1171)])
def test_low_resolution_says_of_a_sam_mask_what_full_size_says(tmp_path, size):
    paths = onnx_graphs.save_pair(tmp_path, "D", "A", 4)
    spec = ModelSpec("toy", "Toy SAM", "sam", frozenset({"point"}), (), 1024, "CC0-1.0", "https://example.org")
    model = ENTRY.load(replace(spec), paths, RuntimeSettings(threads=1))
    outliner = frame(model, scene(*size))
    candidates = outliner.candidates((100.0, 120.0), 0, QUIET)
    assert len(candidates) == 3  # the whole, a part and a part of a part
    cell = 4 * max(size) / 1024
    for candidate in candidates:
        assert candidate.obeys
        found = outliner.full(candidate)
        window = found.window
        edges = (window.col, window.row, window.col + window.width, window.row + window.height)
        assert np.abs(np.subtract(edges, candidate.box)).max() <= 1.5 * cell
        assert candidate.area_px == pytest.approx(found.mask.sum(), rel=0.1, abs=4 * cell**2)
    assert min(candidates, key=Candidate.demerits).score == pytest.approx(0.9, abs=1e-3)


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (3, 2), (20, 500), (193, 205), (205, 193), (224, 200), (330, 201)]
)
def test_the_starter_answers_in_pictures_of_any_size(height, width):
    # parts begin at multiples of 4 pixels; pictures hardly larger than a chip once asked for others
    image = np.random.default_rng(1).integers(0, 255, (height, width, 3), dtype=np.uint8)
    outliner = begun(ModelStore().load("starter"), image, col=13, row=7)
    corners = np.array([(0.5, 0.5), (width - 0.5, height - 0.5), (width / 2, height / 2)], np.float32)

    for x, y in corners:
        found = outliner.full(best(outliner, x, y))
        assert found is None or found.mask.any()


@pytest.mark.parametrize("side", range(196, 200))
def test_the_last_pixels_of_a_picture_of_any_side_are_looked_at_closely(side):
    image = scene(side, side)
    image[side - 30 :, side - 40 :] = 90
    found = best(begun(FloodParts(), image), side - 0.5, side - 0.5)
    assert not found.cut
    assert found.area_px == 30 * 40


@pytest.mark.parametrize(("model", "home", "cut"), [
    (FloodParts, None, False),
    (FloodParts, Window(0, 0, 100, 200), True),  # the picture was cut out of more, on its right
    (FloodParts, Window(100, 0, 100, 200), False),  # home ends where the picture does
    (Flood, Window(0, 0, 100, 200), False),  # to a model of frames its window is all there is
])  # fmt: skip
def test_what_meets_a_side_that_home_does_not_reach_goes_on_beyond_it(model, home, cut):
    image = scene()
    image[40:160, 152:] = 200
    outliner = PointOutliner(model())
    outliner.begin(replace(picture(image), home=home), None, QUIET)
    assert best(outliner, 180.0, 100.0).cut == cut
    # and the same on the left
    mirrored = None if home is None else Window(200 - home.col - home.width, 0, home.width, 200)
    outliner.begin(replace(picture(image[:, ::-1]), home=mirrored), None, QUIET)
    assert best(outliner, 20.0, 100.0).cut == cut


def test_what_pixels_without_data_hold_says_nothing():
    image = np.random.default_rng(1).integers(0, 255, (220, 220, 3), dtype=np.uint8)
    valid = np.ones((220, 220), bool)
    valid[:, 150:] = False
    other = np.where(valid[:, :, None], image, 7).astype(np.uint8)
    model, answers = ModelStore().load("starter"), []
    for shown in (image, other):
        asked = begun(model, shown, valid=valid).candidates((100.0, 100.0), 0, QUIET)[0].asked
        answers.append(asked.prediction.low_res_logits)
    assert (answers[0] == answers[1]).all()
