"""What every family promises that takes words, and what each makes of an image whose answer is known on paper."""

from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core.errors import Cancelled, EmptyPromptError, ModelFileError, UnsupportedPromptError
from prompt_segmenter.core.models.finding import ExampleModel, FoundBox, FoundMask, HeatMap, WordModel
from prompt_segmenter.core.models.onnx_session import OnnxSession
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.test.helpers import onnx_graphs, word_graphs
from prompt_segmenter.test.helpers.sam3_graphs import save_sam3
from prompt_segmenter.test.helpers.word_graphs import load, picture, save_family, save_graph

pytest.importorskip("tokenizers", reason="optional, and in requirements-dev.txt: make test installs it")
FAMILIES = ("clipseg", "owlv2", "grounding_dino", "sam3")
QUIET = NullProgress()
AREAS = {"red": (20, 40, 60, 140), "blue": (80, 150, 110, 210)}
PICTURE = picture(120, 240, **AREAS)


class Stopped(NullProgress):
    def is_cancelled(self):
        return True


@pytest.fixture(scope="module", params=FAMILIES)
def model(request, tmp_path_factory):
    return load(request.param, save_family(tmp_path_factory.mktemp(request.param), request.param))


@pytest.fixture
def sam3(tmp_path):
    return load("sam3", save_sam3(tmp_path))


def edges(found):
    """Return (top, left, bottom, right) of a finding in pixels of the picture."""
    if isinstance(found, FoundMask):
        window = found.window
        return window.row, window.col, window.row + window.height, window.col + window.width
    if isinstance(found, FoundBox):
        left, top, right, bottom = found.box
        return top, left, bottom, right
    rows, cols = np.nonzero(found.values > found.threshold)
    high, wide = 120 / found.values.shape[0], 240 / found.values.shape[1]
    return rows.min() * high, cols.min() * wide, (rows.max() + 1) * high, (cols.max() + 1) * wide


def same(one, two):
    if isinstance(one, HeatMap):
        return np.array_equal(one.values, two.values)
    if isinstance(one, FoundMask):
        return one.window == two.window and np.array_equal(one.mask, two.mask) and one.score == two.score
    return one == two


class TestEveryFamily:
    def test_it_takes_words(self, model):
        assert isinstance(model, WordModel)
        assert len(bytes.fromhex(model.weights_sha256)) == 32
        assert model.preprocess_version >= 1

    @pytest.mark.parametrize("phrase", ["red", "blue"])
    def test_a_word_is_found_where_it_is(self, model, phrase):
        (found,) = model.find(PICTURE, [phrase], QUIET)
        assert found.label == phrase
        assert edges(found) == pytest.approx(AREAS[phrase], abs=1.5)

    def test_a_word_that_is_not_there_is_not_found(self, model):
        (found,) = model.find(PICTURE, ["green"], QUIET) or [None]
        if isinstance(found, HeatMap):
            assert found.values.max() < 0.01
        elif isinstance(found, FoundBox):
            # the graph answers with the narrowest box there is, at the corner where nothing lies
            assert max(found.box) < 2
        else:
            assert found is None

    def test_each_phrase_has_the_answer_that_it_has_alone(self, model):
        together = model.find(PICTURE, ["blue", "red"], QUIET)
        alone = [*model.find(PICTURE, ["blue"], QUIET), *model.find(PICTURE, ["red"], QUIET)]
        assert [found.label for found in together] == ["blue", "red"]
        assert all(same(one, two) for one, two in zip(together, alone))

    def test_case_and_space_make_no_difference(self, model):
        (found,), (other,) = model.find(PICTURE, ["  RED "], QUIET), model.find(PICTURE, ["red"], QUIET)
        assert found.label == "  RED "
        assert edges(found) == edges(other)

    def test_the_image_is_left_as_it_was(self, model):
        before = PICTURE.copy()
        model.find(PICTURE, ["red"], QUIET)
        assert np.array_equal(PICTURE, before)

    def test_a_cancelled_progress_stops_it(self, model):
        with pytest.raises(Cancelled):
            model.find(PICTURE, ["red"], Stopped())

    @pytest.mark.parametrize("phrase", ["", "   ", "red " * 300], ids=["empty", "blank", "too long"])
    def test_phrases_that_are_empty_or_too_long_are_refused(self, model, phrase):
        with pytest.raises(UnsupportedPromptError):
            model.require_known(["red", phrase])
        with pytest.raises(UnsupportedPromptError):
            model.find(PICTURE, ["red", phrase], QUIET)

    @pytest.mark.parametrize("phrase", ["étang rouge", "12 árboles", "красный", "赤い 屋根", "الأحمر", "big-2"])
    def test_phrases_of_other_scripts_digits_and_accents_run(self, model, phrase):
        if model.spec.family == "grounding_dino" and phrase in ("красный", "赤い 屋根", "الأحمر"):
            # its vocabulary, as this test made it, has none of these letters: it says so and does not guess
            with pytest.raises(UnsupportedPromptError, match="knows none of the letters"):
                model.find(PICTURE, [phrase], QUIET)
            return
        for found in model.find(PICTURE, [phrase], QUIET):
            assert found.label == phrase

    @pytest.mark.parametrize("image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32)])
    def test_what_is_no_image_is_a_programming_error(self, model, image):
        with pytest.raises(ValueError, match="uint8 image"):
            model.find(image, ["red"], QUIET)

    @pytest.mark.parametrize("family", FAMILIES)
    def test_another_familys_graph_is_refused_with_what_it_takes(self, family, tmp_path):
        wrong = save_graph(tmp_path, "wrong.onnx", onnx_graphs.encoder("D"))
        right = save_family(tmp_path, family)
        paths = [path for path in right if not path.endswith(".onnx")]
        paths += [wrong] * (3 if family == "sam3" else 1)
        with pytest.raises(ModelFileError, match=r"images float32\[1, 3, 1024, 1024\]"):
            load(family, tuple(paths))

    @pytest.mark.parametrize("family", FAMILIES)
    def test_a_missing_vocabulary_is_asked_for(self, family, tmp_path):
        graphs = tuple(path for path in save_family(tmp_path, family) if path.endswith(".onnx"))
        with pytest.raises(ModelFileError, match="one vocabulary"):
            load(family, graphs)

    @pytest.mark.parametrize("family", FAMILIES)
    def test_a_file_that_is_no_vocabulary_is_refused(self, family, tmp_path):
        graphs = [path for path in save_family(tmp_path, family) if path.endswith(".onnx")]
        for name, content in (("x.json", b"{}"), ("x.txt", b"\xff\xfe"), ("x.gz", b"no gzip"), ("y.json", b"[")):
            (tmp_path / name).write_bytes(content)
            with pytest.raises(ModelFileError, match=f"{name} is no"):
                load(family, (*graphs, str(tmp_path / name)))


class TestClipSeg:
    def test_heat_is_the_sigmoid_of_the_graphs_logits(self, tmp_path):
        image = np.zeros((352, 352, 3), np.uint8)
        image[:, 176:, 0] = 153  # 0.6 of 1: the graph's logit is 20 * (0.6 - 0.5)
        (heat,) = load("clipseg", save_family(tmp_path, "clipseg")).find(image, ["red"], QUIET)
        assert heat.values.shape == (352, 352)
        assert heat.values.dtype == np.float32
        assert heat.values[100, 300] == pytest.approx(1 / (1 + np.exp(-2)), abs=1e-4)
        assert heat.values[100, 20] == pytest.approx(1 / (1 + np.exp(10)), abs=1e-4)


class TestOwlv2:
    def test_a_tall_image_is_padded_on_the_right(self, tmp_path):
        image = picture(400, 100, green=(300, 20, 380, 60))
        (found,) = load("owlv2", save_family(tmp_path, "owlv2")).find(image, ["green"], QUIET)
        assert edges(found) == pytest.approx((300, 20, 380, 60), abs=1.0)
        assert found.score == pytest.approx(1 / (1 + np.exp(-4)), abs=1e-4)

    def test_all_phrases_are_asked_for_in_one_run(self, tmp_path, monkeypatch):
        model = load("owlv2", save_family(tmp_path, "owlv2"))
        runs = counted(monkeypatch)
        assert [found.label for found in model.find(PICTURE, ["red", "blue"], QUIET)] == ["red", "blue"]
        assert len(runs) == 1

    def test_a_graph_of_two_phrases_is_run_twice_for_three(self, tmp_path, monkeypatch):
        paths = (save_graph(tmp_path, "two.onnx", word_graphs.owlv2("2")), word_graphs.save_merges(tmp_path))
        model = load("owlv2", paths)
        runs = counted(monkeypatch)
        found = model.find(picture(120, 240, **AREAS, green=(5, 5, 15, 15)), ["red", "green", "blue"], QUIET)
        assert [box.label for box in found] == ["red", "green", "blue"]
        assert len(runs) == 2


class TestGroundingDino:
    def test_each_phrase_is_a_caption_of_its_own(self, tmp_path, monkeypatch):
        # the graph scores nothing in a caption with two full stops
        model = load("grounding_dino", save_family(tmp_path, "grounding_dino"))
        runs = counted(monkeypatch)
        found = model.find(PICTURE, ["red.", "big blue"], QUIET)
        assert [box.label for box in found] == ["red.", "big blue"]
        assert [list(feeds["input_ids"][0]) for feeds in runs] == [[2, 5, 4, 3], [2, 8, 7, 4, 3]]

    def test_a_full_stop_inside_a_phrase_begins_no_other_one(self, tmp_path):
        model = load("grounding_dino", save_family(tmp_path, "grounding_dino"))
        (found,) = model.find(PICTURE, ["big. red"], QUIET)
        assert edges(found) == pytest.approx(AREAS["red"], abs=1.5)

    def test_the_original_export_is_told_which_words_belong_together(self, tmp_path):
        # the graph scores nothing unless positions and the mask are those of one phrase
        graph = save_graph(tmp_path, "original.onnx", word_graphs.grounding_dino("original"))
        model = load("grounding_dino", (graph, word_graphs.save_pieces(tmp_path)))
        (found,) = model.find(PICTURE, ["big blue"], QUIET)
        assert edges(found) == pytest.approx(AREAS["blue"], abs=1.5)
        assert found.score == pytest.approx(1 / (1 + np.exp(-4)), abs=1e-4)


class TestSam3:
    @pytest.mark.parametrize(
        ("kind", "image", "slots"),
        [
            ("native", "uint8", 1),
            ("native", "float", None),
            ("sized", "uint8", 1),
            ("raw", "float", 8),
            ("native", "half", 1),
        ],
    )
    def test_every_export_finds_the_same(self, tmp_path, kind, image, slots):
        model = load("sam3", save_sam3(tmp_path, kind, image=image, slots=slots))
        (found,) = model.find(PICTURE, ["red"], QUIET)
        truth = PICTURE[:, :, 0] > 0
        mask = np.zeros_like(truth)
        window = found.window
        mask[window.row : window.row + window.height, window.col : window.col + window.width] = found.mask
        assert (mask & truth).sum() / (mask | truth).sum() > 0.97
        assert found.score == pytest.approx(0.9, abs=1e-3)

    def test_the_image_is_encoded_once_for_all_phrases_and_examples(self, sam3, monkeypatch):
        runs = counted(monkeypatch)
        sam3.find(PICTURE, ["red", "blue"], QUIET)
        sam3.find(PICTURE.copy(), ["red", "green"], QUIET)
        sam3.find_like(PICTURE, np.float32([[45, 25, 60, 40]]), np.array([True]), QUIET)
        assert sum("image" in feeds for feeds in runs) == 1
        assert sum("tokens" in feeds for feeds in runs) == 4  # red, blue, green, and the neutral word
        sam3.find(PICTURE[:, ::-1], ["red"], QUIET)
        assert sum("image" in feeds for feeds in runs) == 2

    def test_no_box_is_said_to_be_none(self, sam3, monkeypatch):
        runs = counted(monkeypatch)
        sam3.find(PICTURE, ["red"], QUIET)
        assert runs[-1]["box_masks"].tolist() == [[True]]
        assert runs[-1]["box_labels"].tolist() == [[1]]

    def test_what_is_like_an_example_is_found(self, sam3):
        assert isinstance(sam3, ExampleModel)
        (found,) = sam3.find_like(PICTURE, np.float32([[160, 85, 180, 100]]), np.array([True]), QUIET)
        assert edges(found) == pytest.approx(AREAS["blue"], abs=1.5)
        assert found.label == ""

    def test_an_examples_box_is_its_middle_and_size_relative_to_the_image(self, sam3, monkeypatch):
        runs = counted(monkeypatch)
        sam3.find_like(PICTURE, np.float32([[24, 12, 72, 36]]), np.array([True]), QUIET)
        assert runs[-1]["box_coords"][0].tolist() == [pytest.approx([0.2, 0.2, 0.2, 0.2])]
        assert runs[-1]["box_masks"].tolist() == [[False]]

    def test_counter_examples_go_into_free_slots(self, tmp_path):
        model = load("sam3", save_sam3(tmp_path, slots=None))
        boxes = np.float32([[45, 25, 60, 40], [160, 85, 180, 100]])
        (both,) = model.find_like(PICTURE, boxes, np.array([True, True]), QUIET)
        (one,) = model.find_like(PICTURE, boxes, np.array([True, False]), QUIET)
        assert edges(both) == pytest.approx((20, 40, 110, 210), abs=1.5)
        assert edges(one) == pytest.approx(AREAS["red"], abs=1.5)

    def test_more_examples_than_there_are_slots_are_looked_for_in_turn(self, sam3, monkeypatch):
        runs = counted(monkeypatch)
        boxes = np.float32([[45, 25, 60, 40], [160, 85, 180, 100], [50, 25, 70, 40]])
        found = sam3.find_like(PICTURE, boxes, np.array([True, True, True]), QUIET)
        assert sum("box_coords" in feeds for feeds in runs) == 3
        # the first and the third are examples of the same thing, which is found twice and given once
        assert sorted(edges(one)[1] for one in found) == pytest.approx([40, 150], abs=1.5)

    def test_counter_examples_for_which_there_is_no_slot_are_refused(self, sam3):
        boxes = np.float32([[45, 25, 60, 40], [160, 85, 180, 100]])
        with pytest.raises(UnsupportedPromptError, match="1 examples against 1 counter-examples"):
            sam3.find_like(PICTURE, boxes, np.array([True, False]), QUIET)

    def test_counter_examples_alone_are_refused(self, sam3):
        with pytest.raises(EmptyPromptError):
            sam3.find_like(PICTURE, np.float32([[45, 25, 60, 40]]), np.array([False]), QUIET)

    def test_a_decoder_of_another_kind_is_refused_with_what_it_takes(self, tmp_path):
        paths = [path for path in save_sam3(tmp_path) if not path.endswith("decoder.onnx")]
        wrong = save_graph(tmp_path, "a.onnx", onnx_graphs.decoder("A"))
        with pytest.raises(ModelFileError, match=r"needs a decoder.*point_coords float32\[1, \?, 2\]"):
            load("sam3", (*paths, wrong))


def counted(monkeypatch):
    """Return a list to which each graph's run adds what it was fed."""
    runs, run = [], OnnxSession.run

    def counting(session, feeds, outputs, progress):
        runs.append(dict(feeds))
        return run(session, feeds, outputs, progress)

    monkeypatch.setattr(OnnxSession, "run", counting)
    return runs
