from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from prompt_segmenter.core.errors import Cancelled, SettingsError, UnsupportedPromptError
from prompt_segmenter.core.everything import EverythingSettings, everything_finder, stage
from prompt_segmenter.core.everything.judging import SURE
from prompt_segmenter.core.everything.stage import rank
from prompt_segmenter.core.models import catalogue
from prompt_segmenter.core.models.families import FAMILIES
from prompt_segmenter.core.models.families.sam import ENTRY
from prompt_segmenter.core.models.finding import FeatureMap, FoundMask
from prompt_segmenter.core.models.model import CertaintyPolicy, ModelSpec, RuntimeSettings
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.core.points.outliner import Candidate, PointOutliner
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.raster.grid import Window
from prompt_segmenter.test.helpers import onnx_graphs
from prompt_segmenter.test.helpers.flood_model import Counting, Flood, FloodParts, picture

QUIET = NullProgress()
GROUND = 40


def rectangles(size=320):
    """An image with known objects, whose sides are whole cells of the wide look too, and the mask of each."""
    image = np.full((size, size, 3), GROUND, np.uint8)
    rows, cols = np.indices((size, size)) + 0.5
    masks = [
        (cols > 20) & (cols < 60) & (rows > 32) & (rows < 92),
        (cols > 200) & (cols < 288) & (rows > 40) & (rows < 72),
        (cols > 44) & (cols < 136) & (rows > 184) & (rows < 276),
        np.hypot(cols - 250, rows - 250) < 12,
        (cols > 148) & (cols < 168) & (rows > 132) & (rows < 152),
    ]
    for number, mask in enumerate(masks):
        image[mask] = 90 + 30 * number
    return image, masks


def painted(found, shape, col=0, row=0):
    whole = np.zeros(shape, bool)
    top, left = found.window.row + row, found.window.col + col
    whole[top : top + found.window.height, left : left + found.window.width] = found.mask
    return whole


def iou(one, other):
    return (one & other).sum() / (one | other).sum()


def matched(found, masks, least, col=0, row=0):
    """How many of the known masks are found, and how many answers are none of them."""
    answers = [painted(one, masks[0].shape, col, row) for one in found]
    hits = sum(any(iou(answer, mask) >= least for answer in answers) for mask in masks)
    strange = sum(not any(iou(answer, mask) >= least for mask in masks) for answer in answers)
    return hits, strange


@pytest.fixture(scope="module")
def starter():
    spec = catalogue.get("starter")
    return FAMILIES.get("starter").load(spec, ModelStore().locate(spec), RuntimeSettings(threads=1, provider="cpu"))


@pytest.mark.parametrize("model", [Flood, FloodParts])
def test_every_known_object_is_found_once_and_the_ground_is_none(model):
    image, masks = rectangles()
    found = everything_finder(model()).find(picture(image), QUIET)
    assert matched(found, masks, 0.95) == (len(masks), 0)
    assert len(found) == len(masks)
    assert all(one.stability == 1.0 and one.score == pytest.approx(0.9) for one in found)


def test_a_point_in_what_was_found_or_given_up_is_not_asked_again():
    image, masks = rectangles()
    sparing, stubborn = Flood(), Flood()
    everything_finder(sparing).find(picture(image), QUIET)
    found = everything_finder(stubborn, EverythingSettings(grid=16)).find(picture(image), QUIET)
    assert stubborn.asked == 256
    assert sparing.asked < 40
    assert matched(found, masks, 0.95) == (len(masks), 0)


class FromTheMiddle(Flood):
    """Is sure of what it outlines only near the middle of the one object."""

    def __init__(self, middle):
        super().__init__()
        self.middle, self.points = np.array(middle), []

    def decode(self, embedding, prompts, *, previous, progress):
        self.points.append(prompts.include[0].tolist())
        self.score = 0.9 if np.abs(prompts.include[0] - self.middle).max() < 12 else 0.5
        return super().decode(embedding, prompts, previous=previous, progress=progress)


def test_a_whole_answer_is_asked_at_its_middle_next():
    image = np.full((192, 192, 3), GROUND, np.uint8)
    image[32:128, 32:128] = 120
    model = FromTheMiddle((80, 80))
    found = everything_finder(model).find(picture(image), QUIET)
    # the first coarse point lies at 40; of the four points round the middle the first one is taken
    assert model.points[:2] == [[40, 40], [72, 72]]
    assert len(found) == 1
    assert np.count_nonzero(found[0].mask) == 96 * 96


class Vague(FloodParts):
    """Draws a vague outline, until it is given its own answer: of so many rows only the first one is firm."""

    takes_previous = True

    def __init__(self, *, rows=2, score=0.85, rows_again=1, score_again=0.99):
        super().__init__()
        self.at_first, self.later, self.again = (rows, score), (rows_again, score_again), 0

    def decode(self, embedding, prompts, *, previous, progress):
        rows, self.score = self.at_first if previous is None else self.later
        self.again += previous is not None
        answer = super().decode(embedding, prompts, previous=previous, progress=progress)
        soft = (np.arange(answer.low_res_logits.shape[1]) % rows > 0)[None, :, None] & (answer.low_res_logits > 0)
        return replace(answer, low_res_logits=np.where(soft, np.float32(0.5), answer.low_res_logits))


def test_a_sure_answer_with_a_vague_outline_is_an_object_if_it_is_firm_when_asked_again():
    image, masks = rectangles()
    model = Vague()
    found = everything_finder(model).find(picture(image), QUIET)
    assert matched(found, masks, 0.95) == (len(masks), 0)
    # no surer than it was by itself; and the prompt is both questions
    assert all(one.score == pytest.approx(0.85) and one.prompt.count(" then ") == 1 for one in found)
    assert all(one.stability == 1.0 for one in found)
    # once for each, not once for each point
    assert len(masks) <= model.again <= 2 * len(masks)


@pytest.mark.parametrize("wrong", [{"rows_again": 2}, {"score_again": 0.5}, {"score": 0.7}, {"rows": 4}])
def test_what_stays_vague_or_was_unsure_or_too_vague_at_first_is_no_object(wrong):
    image, _ = rectangles()
    model = Vague(**wrong)
    assert everything_finder(model).find(picture(image), QUIET) == []
    assert (model.again > 0) == wrong.keys().isdisjoint({"score", "rows"})


@pytest.mark.parametrize("wrong", [{"score": 0.7, "rows": 1}, {"score": 0.95, "rows_again": 2}])
def test_what_is_no_object_to_the_model_is_given_if_less_is_enough_and_scores_less_than_any_object(wrong):
    image, masks = rectangles()
    patient = EverythingSettings(min_score=0.3, patience=50.0)
    found = everything_finder(Vague(**wrong), patient).find(picture(image), QUIET)
    # but for what is too large for a close look, which has to be sure
    assert matched(found, masks[3:], 0.95) == (2, 0)
    least = Vague().spec.certainty.min_score
    assert all(0.3 <= one.score < least and one.is_vague for one in found)
    # a sure answer with an outline that is firm in half of its rows
    expected = 0.7 if "rows" in wrong else least * 0.5 / Vague().spec.certainty.min_stability
    assert np.median([one.score for one in found]) == pytest.approx(expected, rel=0.1)
    stricter = everything_finder(Vague(**wrong), replace(patient, min_score=expected + 0.05))
    assert stricter.find(picture(image), QUIET) == []


def test_what_is_vague_spares_no_point_however_high_its_score():
    image = np.full((320, 320, 3), GROUND, np.uint8)
    image[96:144, 96:144] = 120
    usual, lenient = FloodParts(score=0.9), FloodParts(score=0.9)
    for model, settings in ((usual, EverythingSettings()), (lenient, EverythingSettings(min_score=0.3))):
        model.spec = replace(model.spec, certainty=CertaintyPolicy(min_score=0.95))
        found = everything_finder(model, settings).find(picture(image), QUIET)
    assert found
    assert all(one.is_vague and one.score > SURE for one in found)
    assert lenient.asked == usual.asked


def candidate(left, score, earlier=()):
    """What a model may say of a box of 100 x 100 pixels that begins at a column; only what is judged is there."""
    return Candidate(
        point=(left + 50.0, 50.0), ground=0, score=score, stability=1.0, obeys=True, cut=False,
        box=(left, 0.0, left + 100.0, 100.0), area_px=1e4, mask=None, placement=None, asked=None, index=0,
        earlier=earlier,
    )  # fmt: skip


def test_what_is_vague_decides_nothing_among_objects():
    def kept(*vague):
        answers = [
            candidate(0.0, 0.85), candidate(12.0, 0.82), candidate(300.0, 0.81, earlier=((1.0, 1.0),)), *vague,
            # shares much with the first alone, and comes after all others
            candidate(-12.0, 0.9),
        ]  # fmt: skip
        outliner = SimpleNamespace(model=Flood(), candidates=lambda point, *_: [answers[int(point[0])]])
        # a grid: each point is asked, the most hopeful first, and nothing is learned
        points = np.array([(number + 0.5, 0.5) for number in range(len(answers))])
        asked = stage.Stage(0, points, -points[:, 0], 1.0, "")
        scene = picture(np.zeros((400, 4000, 3), np.uint8))
        asking = stage.Asking(outliner, EverythingSettings(min_score=0.3, grid=1), scene, asked)
        found = asking.candidates(np.zeros((400, 4000), bool), [], QUIET)
        return [(one.box[0], one.score) for one in found if not one.is_vague]

    many = [candidate(150.0 + 25 * number, 0.79) for number in range(140)]
    assert kept(*many) == kept() == [(-12.0, 0.9), (12.0, 0.82), (300.0, 0.81)]


def test_a_least_stability_holds_for_what_is_vague_too():
    image, _ = rectangles()
    firm = EverythingSettings(min_score=0.3, min_stability=0.95, patience=50.0)
    assert everything_finder(Vague(score=0.95, rows_again=2), firm).find(picture(image), QUIET) == []


def noisy_rectangles():
    image, _ = rectangles()
    return np.clip(image + np.random.default_rng(3).normal(0, 30, image.shape), 0, 255).astype(np.uint8)


def test_asking_for_less_or_more_takes_nothing_from_the_objects_and_adds_none(starter, monkeypatch):
    monkeypatch.setattr(stage, "_POOL", 5)
    image = noisy_rectangles()
    usual = everything_finder(starter).find(picture(image), QUIET)
    less, more = (
        everything_finder(starter, EverythingSettings(min_score=least)).find(picture(image), QUIET)
        for least in (0.2, 0.9)
    )
    assert len(less) > len(usual) > len(more) > 0
    for found, wanted in ((less, usual), (more, [one for one in usual if one.score >= 0.9])):
        objects = [one for one in found if not one.is_vague]
        assert [one.prompt for one in objects] == [one.prompt for one in wanted]
        assert all(np.array_equal(one.mask, other.mask) for one, other in zip(objects, wanted))


class Tells(FloodParts):
    """Knows where objects are: bright ground."""

    def objectness(self, embedding, progress):
        (gray,) = embedding.arrays
        return FeatureMap(np.where(gray > GROUND, 5.0, -5.0)[None].astype(np.float32), (1.0, 1.0))


def test_only_points_that_the_model_expects_an_object_at_are_asked():
    image, masks = rectangles()
    model = Tells()
    found = everything_finder(model).find(picture(image), QUIET)
    assert matched(found, masks, 0.95) == (len(masks), 0)
    blind = FloodParts()
    everything_finder(blind).find(picture(image), QUIET)
    assert model.asked < 0.7 * blind.asked
    # with endless patience the ground is asked about too
    patient = Tells()
    everything_finder(patient, EverythingSettings(patience=50.0)).find(picture(image), QUIET)
    assert patient.asked > 2 * model.asked


@pytest.mark.parametrize("home", [Window(0, 0, 112, 320), Window(112, 0, 208, 320)])
def test_of_a_picture_with_a_home_only_that_is_searched(home):
    image, masks = rectangles()
    found = everything_finder(FloodParts()).find(replace(picture(image), home=home), QUIET)
    mine = [mask for mask in masks if mask[home.slices].any()]
    others = [mask for mask in masks if not mask[home.slices].any()]
    assert matched(found, mine, 0.95)[0] == len(mine)
    assert others
    assert matched(found, others, 0.5)[0] == 0
    # as far as it goes, not as far as home
    assert any(one.window.col + one.window.width > 112 > one.window.col for one in found)


@pytest.mark.parametrize(("col", "row"), [(0, 0), (13, 29), (16, 7)])
def test_a_window_that_begins_elsewhere_gives_the_same_objects(col, row):
    image, masks = rectangles()
    found = everything_finder(FloodParts()).find(picture(image[row:, col:], col, row), QUIET)
    assert matched(found, masks, 0.95, col, row) == (len(masks), 0)


def test_the_prompt_says_where_each_object_was_asked_for():
    image, _ = rectangles()
    for one in everything_finder(Flood()).find(picture(image), QUIET):
        col, row = (int(float(value)) for value in one.prompt.lstrip("+").split(","))
        assert one.mask[row - one.window.row, col - one.window.col]


def test_an_object_at_the_edge_of_the_picture_is_given_as_far_as_it_goes():
    image, masks = rectangles()
    found = everything_finder(FloodParts()).find(picture(image[:, 40:], 40), QUIET)
    cut = np.where(np.arange(320) < 40, False, masks[0])
    assert any(iou(painted(one, cut.shape, 40), cut) > 0.95 for one in found)


def test_pixels_without_data_are_neither_asked_nor_part_of_an_object():
    image, _ = rectangles()
    valid = np.ones(image.shape[:2], bool)
    valid[:, :80] = False
    model = Flood()
    found = everything_finder(model).find(picture(image, valid=valid), QUIET)
    assert all(one.window.col >= 80 for one in found)
    nothing = Flood()
    assert everything_finder(nothing).find(picture(image, valid=np.zeros_like(valid)), QUIET) == []
    assert nothing.asked == 0


def test_what_is_smaller_than_asked_for_or_not_sure_enough_is_left_out():
    image, masks = rectangles()
    large = everything_finder(Flood(), EverythingSettings(min_size_px=1000)).find(picture(image), QUIET)
    assert matched(large, masks, 0.95)[0] == sum(mask.sum() >= 1000 for mask in masks)
    assert everything_finder(Flood(score=0.9), EverythingSettings(min_score=0.95)).find(picture(image), QUIET) == []
    assert everything_finder(Flood(score=0.3)).find(picture(image), QUIET) == []


def test_cancel_stops_within_one_decode():
    image, _ = rectangles()
    for stop_at in (1, 3, 8):
        model, progress = Flood(), Counting(stop_at)
        with pytest.raises(Cancelled):
            everything_finder(model).find(picture(image), progress)
        assert progress.questions <= stop_at + 1


def test_progress_names_its_stages_and_never_goes_back():
    image, _ = rectangles()
    progress = Counting()
    everything_finder(FloodParts()).find(picture(image), progress)
    assert progress.messages[0] == "Encoding the picture"
    assert progress.messages[1] == "Looking closely"
    assert progress.messages[-1] == "Looking at what is larger"
    assert progress.fractions == sorted(progress.fractions)
    assert progress.fractions[-1] == 1.0


def test_the_starter_model_finds_what_stands_out(starter):
    rng = np.random.default_rng(3)
    image, masks = rectangles()
    image = np.clip(image.astype(float) + rng.normal(0, 4, image.shape), 0, 255).astype(np.uint8)
    found = everything_finder(starter).find(picture(image), QUIET)
    assert matched(found, masks[1:4], 0.8)[0] == 3
    assert all(np.count_nonzero(one.mask) < 0.5 * masks[0].size for one in found)


def test_the_starter_model_finds_the_same_in_a_window_that_begins_elsewhere(starter):
    rng = np.random.default_rng(3)
    image, masks = rectangles()
    image = np.clip(image.astype(float) + rng.normal(0, 4, image.shape), 0, 255).astype(np.uint8)
    here = everything_finder(starter).find(picture(image), QUIET)
    there = everything_finder(starter).find(picture(image[9:, 21:], 21, 9), QUIET)
    for mask in masks[1:4]:
        best = [max((painted(one, mask.shape, *at) for one in found), key=lambda m: iou(m, mask))
                for found, at in ((here, (0, 0)), (there, (21, 9)))]  # fmt: skip
        assert iou(*best) > 0.95


def test_a_frame_model_of_the_sam_contract_is_asked_on_its_one_frame(tmp_path):
    paths = onnx_graphs.save_pair(tmp_path, "D", "A", 4)
    # of the three candidates only that of score 0.9 passes
    lenient = CertaintyPolicy(min_score=0.85, stability_offset=0.1, min_stability=0.5)
    spec = ModelSpec(
        "toy", "Toy", "sam", frozenset({"point"}), (), 1024, "CC0-1.0", "https://example.org", certainty=lenient
    )
    model = ENTRY.load(spec, paths, RuntimeSettings(threads=1))
    # the toy draws a disc of radius 40 in the frame of 1024 around each click, so a picture of 160 gets 6.25
    finder = everything_finder(model, EverythingSettings(step_px=32))
    found = finder.find(picture(np.full((160, 160, 3), 90, np.uint8)), QUIET)
    assert len(found) == 25
    inner = [one for one in found if 10 < one.window.col < 130 and 10 < one.window.row < 130]
    assert inner
    for one in inner:
        assert one.mask.sum() == pytest.approx(math.pi * 6.25**2, rel=0.1)


class Automatic:
    """Finds one block, one without data, one that is the background, and the first one again."""

    def __init__(self):
        self.spec = Flood().spec
        self.weights_sha256 = "2" * 64
        self.preprocess_version = 1

    def find_all(self, image, progress):
        height, width = image.shape[:2]
        return [
            FoundMask(Window(0, 0, width, height), np.ones((height, width), bool), 0.99),
            FoundMask(Window(40, 40, 20, 20), np.ones((20, 20), bool), 0.9, stability=0.97),
            FoundMask(Window(41, 40, 20, 20), np.ones((20, 20), bool), 0.8, stability=0.95),
            FoundMask(Window(0, 60, 20, 20), np.ones((20, 20), bool), 0.9),
            FoundMask(Window(70, 5, 2, 2), np.ones((2, 2), bool), math.nan),
        ]


def test_a_model_that_finds_everything_is_asked_once_and_its_answer_cleaned():
    valid = np.ones((100, 100), bool)
    valid[:, :20] = False
    finder = everything_finder(Automatic())
    found = finder.find(picture(np.zeros((100, 100, 3), np.uint8), valid=valid), QUIET)
    assert [one.window for one in found] == [Window(40, 40, 20, 20)]
    assert (found[0].score, found[0].stability) == (0.9, 0.97)
    assert finder.describe() == "everything, by the model itself"


def test_limits_of_score_hold_for_a_model_that_finds_everything():
    finder = everything_finder(Automatic(), EverythingSettings(min_score=0.95))
    assert finder.find(picture(np.zeros((100, 100, 3), np.uint8)), QUIET) == []


def test_a_model_that_takes_no_clicks_is_refused():
    class Words:
        spec = Flood().spec
        weights_sha256 = ""
        preprocess_version = 1

    with pytest.raises(UnsupportedPromptError, match="no clicks"):
        everything_finder(Words())


def test_the_finder_names_its_model_and_windows():
    model = Flood()
    finder = everything_finder(model)
    assert finder.models == (model,)
    assert finder.windows.overlap_px < finder.windows.window_px
    assert finder.describe() == "everything, points every 16 px"
    told = everything_finder(model, EverythingSettings(min_score=0.3)).describe()
    assert told == "everything, points every 16 px, least score 0.3"


@pytest.mark.parametrize(
    "wrong", [{"step_px": 0}, {"patience": 0.0}, {"min_score": 1.5}, {"max_share": math.nan}, {"grid": 0}]
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(SettingsError):
        EverythingSettings(**wrong)


@pytest.mark.parametrize("model", [Flood, FloodParts])
def test_a_home_without_data_is_not_encoded_whatever_lies_around_it(model):
    class Encoding(model):
        encoded = 0

        def encode(self, image, progress):
            self.encoded += 1
            return super().encode(image, progress)

    image, _ = rectangles()
    valid = np.ones(image.shape[:2], bool)
    valid[:160, :160] = False
    asked = Encoding()
    shown = replace(picture(image, valid=valid), home=Window(0, 0, 160, 160))
    assert everything_finder(asked).find(shown, QUIET) == []
    assert asked.encoded == 0


@pytest.mark.parametrize(("score", "found"), [(0.82, 1), (0.9, 2)])
def test_what_only_the_look_at_the_whole_picture_shows_has_to_be_sure(score, found):
    image = np.full((320, 320, 3), GROUND, np.uint8)
    image[20:60, 20:50] = 120  # fits a chip of 64
    image[100:280, 60:260] = 200
    assert len(everything_finder(FloodParts(score=score)).find(picture(image), QUIET)) == found


def test_an_answer_of_the_second_asking_gives_way_to_one_of_the_first():
    image, _ = rectangles()
    outliner = PointOutliner(Vague())
    outliner.begin(picture(image), Window(0, 0, 320, 320), QUIET)
    (first,) = outliner.candidates((100.0, 230.0), 0, QUIET)
    (again,) = outliner.again(first, QUIET)
    assert rank(again.no_surer_than(first)) < rank(first)


class Watched(FloodParts):
    """Notes where it is asked in the whole picture, whose sides it is told."""

    def __init__(self):
        super().__init__()
        self.points = []

    def decode(self, embedding, prompts, *, previous, progress):
        if embedding.image_size == (80, 80):
            self.points.append((4 * prompts.include[0]).tolist())
        return super().decode(embedding, prompts, previous=previous, progress=progress)


def test_what_fills_much_of_a_look_is_asked_for_in_the_next_wider_one_too():
    image = np.full((320, 320, 3), GROUND, np.uint8)
    image[100:140, 100:140] = 120
    model = Watched()
    everything_finder(model).find(picture(image), QUIET)
    assert any(max(abs(x - 120), abs(y - 120)) <= 16 for x, y in model.points)
