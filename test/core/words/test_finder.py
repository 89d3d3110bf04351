from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from prompt_segmenter.core.errors import Cancelled, EmptyPromptError, UnsupportedPromptError
from prompt_segmenter.core.image_finder import ImageFinder, WindowPolicy
from prompt_segmenter.core.models.embedding import image_digest
from prompt_segmenter.core.models.families import FAMILIES
from prompt_segmenter.core.models.finding import FoundBox, FoundMask, HeatMap
from prompt_segmenter.core.models.model import LookPolicy, ModelSpec, RuntimeSettings
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.core.picture import Picture
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.raster.grid import Window
from prompt_segmenter.core.window import View
from prompt_segmenter.core.words import FLOOR, words_finder
from prompt_segmenter.test.helpers import onnx_graphs, word_graphs
from prompt_segmenter.test.helpers.fake_model import SPEC, SameBrightness

QUIET = NullProgress()
SIZE = (200, 300)


class Stopped(NullProgress):
    def is_cancelled(self):
        return True


class Finds:
    """A word model that finds what it is told."""

    weights_sha256, preprocess_version = "1" * 64, 1

    def __init__(self, *findings):
        self.spec = replace(SPEC, name="finds", accepts=frozenset({"words"}), input_size_px=352)
        self.findings, self.asked = list(findings), []

    def require_known(self, phrases):
        if "unicorn" in phrases:
            raise UnsupportedPromptError("No unicorns.")

    def find(self, image, phrases, progress):
        self.asked.append(list(phrases))
        return self.findings


class Knows(Finds):
    """One that knows two words, by several names each."""

    def meaning(self, phrase):
        return {"house": "building", "roof": "building", "hut": "building", "oak": "tree"}[phrase.lower()]


def looked_at(image, valid=None):
    height, width = image.shape[:2]
    view = View(Window(0, 0, width, height), (width, height))
    usable = np.ones((height, width), bool) if valid is None else valid
    return Picture(view, image, image_digest(image), usable)


def field(*rectangles, size=SIZE, value=200):
    """Return a grey picture (60) with brighter rectangles (left, top, right, bottom)."""
    image = np.full((*size, 3), 60, np.uint8)
    for left, top, right, bottom in rectangles:
        image[top:bottom, left:right] = value
    return image


def full(found, size=SIZE):
    mask = np.zeros(size, bool)
    window = found.window
    mask[window.row : window.row + window.height, window.col : window.col + window.width] = found.mask
    return mask


def rectangle(left, top, right, bottom, size=SIZE):
    mask = np.zeros(size, bool)
    mask[top:bottom, left:right] = True
    return mask


def window_of(box):
    left, top, right, bottom = box
    return Window(left, top, right - left, bottom - top)


def iou(one, two):
    return (one & two).sum() / (one | two).sum()


def test_it_is_a_finder_that_says_what_it_looks_for():
    finder = words_finder(Finds(), ["tree", "swimming pool"], SameBrightness())
    assert finder.describe() == 'words "tree" "swimming pool"'
    assert finder.windows == WindowPolicy(352, 88)
    assert [model.spec.name for model in finder.models] == ["finds", "same_brightness"]
    assert [model.spec.name for model in words_finder(Finds(), ["tree"]).models] == ["finds"]
    given: ImageFinder = finder
    assert given.find(looked_at(field()), QUIET) == []


def test_phrases_with_quotes_and_other_scripts_can_be_told_apart_in_the_description():
    assert words_finder(Finds(), ['a "b" c', "木"]).describe() == r'words "a \"b\" c" "木"'


def test_phrases_are_asked_for_before_anything_runs():
    with pytest.raises(UnsupportedPromptError, match="unicorns"):
        words_finder(Finds(), ["unicorn"])
    with pytest.raises(EmptyPromptError):
        words_finder(Finds(), [])


def test_phrases_that_mean_the_same_to_the_model_are_asked_once_as_the_first_of_them_and_that_is_said():
    model = Knows()
    finder = words_finder(model, ["oak", "House", "roof", "hut"])
    finder.find(looked_at(field()), QUIET)

    assert model.asked == [["oak", "House"]]
    assert finder.describe() == 'words "oak" "House"'
    assert finder.warnings == (
        "'House', 'roof' and 'hut' mean the same to the model 'finds': what is found has the label 'House'.",
    )


def test_nothing_is_said_of_phrases_that_differ():
    assert words_finder(Knows(), ["house", "oak"]).warnings == ()


def test_a_model_of_any_words_is_asked_for_all_but_exact_repeats():
    model = Finds()
    finder = words_finder(model, ["house", "roof", "House", " roof "])
    finder.find(looked_at(field()), QUIET)

    assert model.asked == [["house", "roof"]]
    assert finder.warnings == ()


def test_an_outliner_without_boxes_is_refused():
    clicks_only = SameBrightness()
    clicks_only.spec = replace(clicks_only.spec, accepts=frozenset({"point"}))
    with pytest.raises(UnsupportedPromptError, match="takes no boxes"):
        words_finder(Finds(), ["tree"], clicks_only)


class TestMasks:
    def test_they_come_as_they_are_but_for_what_is_no_data(self):
        mask = FoundMask(Window(10, 20, 4, 3), np.ones((3, 4), bool), 0.7, "tree", prompt="+1,2")
        valid = np.ones(SIZE, bool)
        valid[:21] = False
        (found,) = words_finder(Finds(mask), ["tree"]).find(looked_at(field(), valid), QUIET)
        assert (found.window, found.score, found.label, found.prompt) == (Window(10, 21, 4, 2), 0.7, "tree", "+1,2")
        valid[:] = False
        assert words_finder(Finds(mask), ["tree"]).find(looked_at(field(), valid), QUIET) == []

    def test_twins_and_noise_are_dropped_and_unknown_scores_stay(self):
        mask = FoundMask(Window(10, 20, 4, 3), np.ones((3, 4), bool), 0.7, "tree")
        noise = FoundMask(Window(90, 20, 4, 3), np.ones((3, 4), bool), FLOOR - 0.01, "tree")
        unknown = FoundMask(Window(50, 20, 4, 3), np.ones((3, 4), bool), float("nan"), "tree")
        twin = replace(mask, score=0.6)
        found = words_finder(Finds(noise, twin, unknown, mask), ["tree"]).find(looked_at(field()), QUIET)
        assert [one.window for one in found] == [mask.window, unknown.window]

    def test_no_outliner_is_asked(self):
        mask = FoundMask(Window(10, 20, 4, 3), np.ones((3, 4), bool), 0.7, "tree")
        outliner = SameBrightness()
        words_finder(Finds(mask), ["tree"], outliner).find(looked_at(field()), QUIET)
        assert outliner.encoded == []


class TestBoxes:
    HOUSE = (100, 60, 140, 90)

    def test_a_box_is_outlined_and_keeps_the_detectors_score_and_label(self):
        picture = looked_at(field(self.HOUSE))
        loose = FoundBox((97.0, 58.0, 143.0, 92.0), 0.63, "house")
        (found,) = words_finder(Finds(loose), ["house"], SameBrightness()).find(picture, QUIET)
        assert np.array_equal(full(found), rectangle(*self.HOUSE))
        assert (found.score, found.label) == (0.63, "house")

    def test_without_an_outliner_a_box_is_itself(self):
        (found,) = words_finder(Finds(FoundBox((97.2, 58.4, 143.0, 92.6), 0.63, "house")), ["house"]).find(
            looked_at(field()), QUIET
        )
        assert np.array_equal(full(found), rectangle(97, 58, 143, 93))

    def test_an_outline_that_leaks_is_cut_near_the_box(self):
        # the same brightness goes on over the whole picture: the outline stays within a tenth of the box's longer side
        picture = looked_at(field())
        (found,) = words_finder(
            Finds(FoundBox((100.0, 60.0, 140.0, 90.0), 0.6, "house")), ["house"], SameBrightness()
        ).find(picture, QUIET)
        assert np.array_equal(full(found), rectangle(96, 56, 144, 94))

    def test_an_outline_of_next_to_nothing_gives_way_to_the_box(self):
        speck = (118, 74, 122, 76)
        picture = looked_at(field(speck))
        (found,) = words_finder(
            Finds(FoundBox((100.0, 60.0, 140.0, 90.0), 0.6, "house")), ["house"], SameBrightness()
        ).find(picture, QUIET)
        assert np.array_equal(full(found), rectangle(100, 60, 140, 90))

    def test_of_boxes_of_one_object_only_the_best_is_outlined(self):
        outliner = SameBrightness()
        boxes = [FoundBox((100.0 + step, 60.0, 140.0, 90.0), 0.5 + step / 100, "house") for step in range(5)]
        found = words_finder(Finds(*boxes), ["house"], outliner).find(looked_at(field(self.HOUSE)), QUIET)
        assert [one.score for one in found] == [0.54]
        assert len(outliner.previous) == 1

    def test_boxes_below_the_floor_are_not_asked_about(self):
        outliner = SameBrightness()
        weak = FoundBox((100.0, 60.0, 140.0, 90.0), FLOOR - 0.01, "house")
        assert words_finder(Finds(weak), ["house"], outliner).find(looked_at(field(self.HOUSE)), QUIET) == []
        assert outliner.encoded == []

    def test_a_model_of_frames_encodes_a_picture_of_its_size_once(self):
        outliner = SameBrightness(LookPolicy(chip_px=256))
        houses = [(20, 20, 60, 60), (100, 60, 140, 90), (200, 100, 280, 180)]
        boxes = [FoundBox(tuple(float(v) for v in house), 0.5, "house") for house in houses]
        found = words_finder(Finds(*boxes), ["house"], outliner).find(looked_at(field(*houses)), QUIET)
        assert outliner.encoded == [(200, 300, 3)]
        assert {one.window for one in found} == {window_of(house) for house in houses}

    def test_in_a_larger_picture_neighbours_share_a_chip(self):
        size = (600, 900)
        houses = [(8, 8, 24, 24), (30, 22, 44, 44), (800, 500, 830, 530)]
        outliner = SameBrightness(LookPolicy(chip_px=64))
        boxes = [FoundBox(tuple(float(v) for v in house), 0.5, "house") for house in houses]
        picture = looked_at(field(*houses, size=size))
        found = words_finder(Finds(*boxes), ["house"], outliner).find(picture, QUIET)
        assert {one.window for one in found} == {window_of(house) for house in houses}
        assert len(outliner.encoded) == 2
        assert all(max(shape) <= 128 for shape in outliner.encoded)

    def test_a_model_that_looks_from_near_sees_a_large_box_reduced(self):
        size, barn = (400, 600), (100, 100, 420, 300)
        outliner = SameBrightness(LookPolicy(chip_px=64, box_margin=0.5))
        box = FoundBox(tuple(float(v) for v in barn), 0.5, "barn")
        (found,) = words_finder(Finds(box), ["barn"], outliner).find(looked_at(field(barn, size=size)), QUIET)
        assert outliner.encoded == [(43, 64, 3)]
        # within the one pixel of the reduced picture in which both sides of the edge are mixed
        assert iou(full(found, size), rectangle(*barn, size=size)) > 0.85

    def test_boxes_at_the_pictures_edge_stay_in_it(self):
        corner = (280, 180, 300, 200)
        outliner = SameBrightness(LookPolicy(chip_px=64, box_margin=1.0))
        box = FoundBox((280.0, 180.0, 300.0, 200.0), 0.5, "house")
        (found,) = words_finder(Finds(box), ["house"], outliner).find(looked_at(field(corner)), QUIET)
        assert np.array_equal(full(found), rectangle(*corner))

    def test_cancelling_stops_between_two_boxes(self):
        box = FoundBox((100.0, 60.0, 140.0, 90.0), 0.6, "house")
        with pytest.raises(Cancelled):
            words_finder(Finds(box), ["house"], SameBrightness()).find(looked_at(field()), Stopped())

    def test_a_model_of_the_sam_frame_outlines_boxes_from_one_encoding(self, tmp_path, monkeypatch):
        spec = ModelSpec("toy", "Toy", "sam", frozenset({"box"}), (), 1024, "CC0-1.0", "", LookPolicy(1024))
        sam = FAMILIES.get("sam").load(spec, onnx_graphs.save_pair(tmp_path), RuntimeSettings(threads=1))
        encoded, encode = [], sam.encode
        monkeypatch.setattr(sam, "encode", lambda image, progress: encoded.append(1) or encode(image, progress))
        houses = [(30, 40, 80, 75), (150, 90, 230, 150)]
        boxes = [FoundBox(tuple(float(edge) for edge in house), 0.5, "house") for house in houses]
        found = words_finder(Finds(*boxes), ["house"], sam).find(looked_at(field()), QUIET)
        # the graph's mask of a box is the box
        for house in houses:
            assert max(iou(full(one), rectangle(*house)) for one in found) > 0.95
        assert len(encoded) == 1

    def test_the_starter_model_outlines_boxes(self):
        store = ModelStore()
        starter = store.load("starter")
        houses = [(30, 40, 80, 75), (150, 90, 230, 150), (255, 20, 267, 34)]
        boxes = [
            FoundBox((left - 2.0, top - 2.0, right + 2.0, bottom + 2.0), 0.5, "house")
            for left, top, right, bottom in houses
        ]
        picture = looked_at(field(*houses))
        found = words_finder(Finds(*boxes), ["house"], starter).find(picture, QUIET)
        for house in houses:
            assert max(iou(full(one), rectangle(*house)) for one in found) > 0.85


class TestHeat:
    def heat(self, box, value=0.9, size=(100, 150)):
        values = np.zeros(size, np.float32)
        left, top, right, bottom = (round(edge * size[0] / SIZE[0]) for edge in box)
        values[top:bottom, left:right] = value
        return HeatMap("pond", values)

    def test_an_outline_that_agrees_with_the_heat_is_taken(self):
        pond = (100, 60, 160, 110)
        wide = self.heat((92, 52, 168, 118))
        (found,) = words_finder(Finds(wide), ["pond"], SameBrightness()).find(looked_at(field(pond)), QUIET)
        assert np.array_equal(full(found), rectangle(*pond))
        assert found.score == pytest.approx(0.9, abs=0.05)
        assert found.label == "pond"

    def test_an_outline_that_says_something_else_is_not(self):
        # what is under the heat's middle is the background, which goes on everywhere
        heat = self.heat((100, 60, 160, 110))
        (found,) = words_finder(Finds(heat), ["pond"], SameBrightness()).find(looked_at(field()), QUIET)
        assert iou(full(found), rectangle(100, 60, 160, 110)) > 0.9

    def test_without_an_outliner_the_heat_is_the_outline(self):
        heats = [self.heat((20, 20, 60, 60)), self.heat((200, 100, 280, 180), 0.5)]
        found = words_finder(Finds(*heats), ["pond"]).find(looked_at(field()), QUIET)
        assert [round(one.score, 1) for one in found] == [0.9, 0.5]
        assert iou(full(found[0]), rectangle(20, 20, 60, 60)) > 0.9


class TestWithRealFamilies:
    """From the pixels to outlines, through graphs whose answer is known."""

    @pytest.fixture(scope="module")
    @staticmethod
    def folder(tmp_path_factory):
        pytest.importorskip("tokenizers", reason="optional, and in requirements-dev.txt: make test installs it")
        return tmp_path_factory.mktemp("families")

    @pytest.mark.parametrize("family", ["clipseg", "owlv2", "grounding_dino", "sam3"])
    @pytest.mark.parametrize("outlined", [False, True], ids=["alone", "outlined"])
    def test_words_become_outlines_where_the_things_are(self, folder, family, outlined):
        (folder / family).mkdir(exist_ok=True)
        model = word_graphs.load(family, word_graphs.save_family(folder / family, family))
        image = word_graphs.picture(*SIZE, red=(40, 30, 90, 110), blue=(120, 180, 170, 280), green=(10, 220, 50, 260))
        image[120:170, 180:280, 1] = 50  # the outliner sees nothing but green
        outliner = SameBrightness() if outlined else None
        finder = words_finder(model, ["blue", "green"], outliner)
        found = {one.label: one for one in finder.find(looked_at(image), QUIET)}
        assert set(found) == {"blue", "green"}
        assert iou(full(found["blue"]), rectangle(180, 120, 280, 170)) > 0.93
        assert iou(full(found["green"]), rectangle(220, 10, 260, 50)) > 0.93
        assert all(one.score > 0.8 for one in found.values())
