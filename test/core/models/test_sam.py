from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from prompt_segmenter.core.errors import (
    Cancelled,
    EmptyPromptError,
    ModelFileError,
    ModelRunError,
    PromptError,
    UnsupportedPromptError,
)
from prompt_segmenter.core.models.families.sam import ENTRY, SamModel, encode_prompts, prepare_image
from prompt_segmenter.core.models.model import ImageEmbedding, ModelSpec, RuntimeSettings
from prompt_segmenter.core.models.onnx_session import OnnxSession, TensorInfo
from prompt_segmenter.core.models.sam_flavour import detect_encoder
from prompt_segmenter.core.models.sam_frame import SamFrame
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.prompts.prompt import PixelPrompts
from prompt_segmenter.test.helpers import onnx_graphs

SPEC = ModelSpec("toy", "Toy SAM", "sam", frozenset({"point", "box"}), (), 1024, "CC0-1.0", "https://example.org")
QUIET = NullProgress()
PAIRS = [("B", "A"), ("C", "A"), ("D", "A"), ("E", "A"), ("G", "G"), ("G uint8", "G"), ("H", "H"), ("I", "I")]
SIZES = [(733, 1171), (1024, 1024), (300, 220), (1800, 2400)]


def prompts(include=(), exclude=(), box=None):
    points = [*include, *exclude]
    return PixelPrompts(
        np.asarray(points, np.float32).reshape(-1, 2),
        np.array([1] * len(include) + [0] * len(exclude), np.int8),
        np.asarray([] if box is None else [box], np.float32).reshape(-1, 4),
    )


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    """Load (once) the toy model of a pair of flavours."""
    loaded = {}

    def get(encoder="D", decoder="A", tokens=4, traits=frozenset()):
        key = (encoder, decoder, tokens, traits)
        if key not in loaded:
            paths = onnx_graphs.save_pair(tmp_path_factory.mktemp("sam"), encoder, decoder, tokens)
            loaded[key] = ENTRY.load(replace(SPEC, traits=traits), paths, RuntimeSettings(threads=1))
        return loaded[key]

    return get


def blank(size):
    return np.full((*size, 3), 128, np.uint8)


def embedding(size):
    return ImageEmbedding((np.zeros((1, 256, 64, 64), np.float32),), size)


class Recorder:
    """Stands before a session and keeps what it was fed."""

    def __init__(self, session):
        self.session = session
        self.inputs, self.outputs = session.inputs, session.outputs
        self.feeds = []

    def run(self, feeds, outputs, progress):
        self.feeds.append(feeds)
        return self.session.run(feeds, outputs, progress)


@pytest.fixture
def recorded(tmp_path):
    """A model and the list of what its decoder is fed."""
    encoder, decoder = (OnnxSession(path, threads=1) for path in onnx_graphs.save_pair(tmp_path))
    recorder = Recorder(decoder)
    return SamModel(SPEC, encoder, recorder), recorder.feeds


def centre(mask):
    rows, cols = np.nonzero(mask)
    return cols.mean() + 0.5, rows.mean() + 0.5


@pytest.mark.parametrize(("encoder", "decoder"), PAIRS)
def test_a_click_gives_the_disc_around_it_in_every_flavour(load, encoder, decoder):
    model = load(encoder, decoder)
    image = blank((300, 600))
    prediction = model.decode(model.encode(image, QUIET), prompts([(100.0, 50.0)]), previous=None, progress=QUIET)
    mask = prediction.mask(0)
    radius = onnx_graphs.RADII[1] * 600 / 1024
    assert centre(mask) == pytest.approx((100.0, 50.0), abs=1e-9)
    assert mask.sum() == pytest.approx(np.pi * radius**2, rel=0.01)


@pytest.mark.parametrize("size", SIZES)
def test_the_disc_is_where_the_click_is_at_every_image_size(load, size):
    click = (0.3 * size[1], 0.6 * size[0])
    prediction = load().decode(embedding(size), prompts([click]), previous=None, progress=QUIET)
    mask = prediction.mask(0)
    assert mask.shape == size
    assert centre(mask) == pytest.approx(click, abs=0.1 * max(size) / 1024)


@pytest.mark.parametrize("size", SIZES)
def test_a_box_gives_itself(load, size):
    box = (0.2 * size[1], 0.25 * size[0], 0.7 * size[1], 0.5 * size[0])
    mask = load().decode(embedding(size), prompts(box=box), previous=None, progress=QUIET).mask(0)
    rows, cols = np.nonzero(mask)
    found = cols.min(), rows.min(), cols.max() + 1, rows.max() + 1
    assert found == pytest.approx(box, abs=0.5 + 2.1 * max(size) / 1024)


class TestImage:
    """What an encoder is given."""

    def test_padding_is_zero_after_normalisation(self):
        spec = detect_encoder(
            (TensorInfo("images", (1, 3, 1024, 1024), "float32"),),
            (TensorInfo("embeddings", (1, 256, 64, 64), "float32"),),
            size_px=1024,
        )
        feed = prepare_image(blank((500, 1000)), spec)
        assert feed.shape == (1, 3, 1024, 1024)
        assert feed.dtype == np.float32
        assert not feed[:, :, 512:].any()
        expected = (128 - onnx_graphs.MEAN) / onnx_graphs.STD
        assert np.array_equal(feed[0, :, :512], np.broadcast_to(expected[:, None, None], (3, 512, 1024)))

    @pytest.mark.parametrize("flavour", ["B", "C", "D", "E", "G", "G uint8"])
    def test_who_normalises_does_not_change_the_embedding(self, load, flavour):
        image = np.random.default_rng(8).integers(0, 256, (90, 160, 3), dtype=np.uint8)
        decoder = "G" if flavour.startswith("G") else "A"
        reference = load("D").encode(image, QUIET).arrays[0]
        found = load(flavour, decoder).encode(image, QUIET).arrays[0]
        assert np.allclose(found, reference, atol=1e-5)
        assert not found[0, :3, 36:].any()
        assert np.abs(found[0, :3, :36]).max() > 0.1

    def test_a_raw_encoder_gets_0_to_255_and_zero_padding(self, load):
        model = load("I", "I", traits=frozenset({"nonorm"}))
        found = model.encode(blank((256, 512)), QUIET).arrays[0]
        assert np.allclose(found[0, :3, :32], 128.0)
        assert not found[0, :3, 32:].any()

    def test_an_encoder_of_512_sees_half_the_size_but_prompts_stay_in_1024(self, load):
        model = load("H", "H")
        assert model.encoder_spec.size_px == 512
        prediction = model.decode(embedding((1024, 1024)), prompts([(800.0, 900.0)]), previous=None, progress=QUIET)
        assert centre(prediction.mask(0)) == pytest.approx((800.0, 900.0), abs=0.01)

    @pytest.mark.parametrize("image", [np.zeros((5, 5), np.uint8), np.zeros((5, 5, 4), np.uint8), np.zeros((5, 5, 3))])
    def test_another_image_is_refused(self, load, image):
        with pytest.raises(ValueError, match="expected an"):
            load().encode(image, QUIET)

    def test_the_image_is_left_as_it_was(self, load):
        image = np.random.default_rng(8).integers(0, 256, (90, 160, 3), dtype=np.uint8)
        before = image.copy()
        load().encode(image, QUIET)
        assert np.array_equal(image, before)


class TestPrompts:
    """What a decoder is given."""

    FRAME = SamFrame((512, 1024))

    def test_clicks_get_one_padding_point(self):
        points, labels = encode_prompts(prompts([(10.5, 20.5)], [(30.5, 40.5)]), self.FRAME)
        assert points.tolist() == [[10, 20], [30, 40], [0, 0]]
        assert labels.tolist() == [1, 0, -1]

    def test_a_box_takes_the_padding_points_place(self):
        points, labels = encode_prompts(prompts([(10.5, 20.5)], box=(1.5, 2.5, 3.5, 4.5)), self.FRAME)
        assert points.tolist() == [[10, 20], [1, 2], [3, 4]]
        assert labels.tolist() == [1, 2, 3]

    def test_a_box_alone_is_two_points(self):
        points, labels = encode_prompts(prompts(box=(1.5, 2.5, 3.5, 4.5)), self.FRAME)
        assert points.tolist() == [[1, 2], [3, 4]]
        assert labels.tolist() == [2, 3]

    def test_points_and_labels_are_as_many(self):
        for given in (prompts([(1, 1)]), prompts(box=(1, 1, 2, 2)), prompts([(1, 1)] * 9, [(2, 2)] * 9, (1, 1, 2, 2))):
            points, labels = encode_prompts(given, self.FRAME)
            assert len(points) == len(labels)
            assert points.dtype == labels.dtype == np.float32

    def test_has_mask_input_is_exactly_zero_or_one(self, recorded):
        model, feeds = recorded
        first = model.decode(embedding((64, 64)), prompts([(9, 9)]), previous=None, progress=QUIET)
        model.decode(embedding((64, 64)), prompts([(9, 9)]), previous=first.low_res_logits[0], progress=QUIET)
        assert [feed["has_mask_input"].tolist() for feed in feeds] == [[0.0], [1.0]]
        assert not feeds[0]["mask_input"].any()
        assert np.array_equal(feeds[1]["mask_input"][0, 0], first.low_res_logits[0])

    def test_every_feed_has_the_type_and_shape_of_the_contract(self, recorded):
        model, feeds = recorded
        model.decode(embedding((64, 32)), prompts([(9, 9)], box=(1, 2, 3, 4)), previous=None, progress=QUIET)
        assert {name: (feed.shape, feed.dtype.name) for name, feed in feeds[0].items()} == {
            "image_embeddings": ((1, 256, 64, 64), "float32"),
            "point_coords": ((1, 3, 2), "float32"),
            "point_labels": ((1, 3), "float32"),
            "mask_input": ((1, 1, 256, 256), "float32"),
            "has_mask_input": ((1,), "float32"),
            "orig_im_size": ((2,), "float32"),
        }

    def test_the_logits_of_one_round_change_the_next(self, load):
        clicks = prompts([(30.0, 30.0)])
        previous = np.full((256, 256), 8.0, np.float32)
        plain = load().decode(embedding((64, 64)), clicks, previous=None, progress=QUIET).low_res_logits
        refined = load().decode(embedding((64, 64)), clicks, previous=previous, progress=QUIET).low_res_logits
        # one click alone offers tokens 1 to 3; a refinement that obeys it is token 0, which is drawn as token 2 is
        assert np.allclose(refined[0], plain[1] + 8.0 * onnx_graphs.MASK_WEIGHT, atol=1e-5)

    def test_previous_logits_of_another_size_are_refused(self, load):
        with pytest.raises(ValueError, match=r"expected \(256, 256\) previous"):
            load().decode(embedding((64, 64)), prompts([(1, 1)]), previous=np.zeros((64, 64)), progress=QUIET)

    def test_a_decoder_without_mask_prompt_takes_no_notice_of_it(self, load):
        previous = np.full((256, 256), 8.0, np.float32)
        clicks = prompts([(30.0, 30.0), (31.0, 30.0)])
        with_it = load("H", "H").decode(embedding((64, 64)), clicks, previous=previous, progress=QUIET)
        without = load("H", "H").decode(embedding((64, 64)), clicks, previous=None, progress=QUIET)
        assert np.array_equal(with_it.low_res_logits, without.low_res_logits)

    @pytest.mark.parametrize("flavour", ["G", "H"])
    def test_a_decoder_without_mask_prompt_offers_the_same_masks_in_every_round(self, load, flavour):
        model, previous = load(flavour, flavour), np.full((256, 256), 8.0, np.float32)
        first = model.decode(embedding((64, 64)), prompts([(30.0, 30.0)]), previous=None, progress=QUIET)
        second = model.decode(embedding((64, 64)), prompts([(30.0, 30.0)]), previous=previous, progress=QUIET)
        assert np.array_equal(first.low_res_logits, second.low_res_logits)
        assert np.array_equal(first.scores, second.scores)

    @pytest.mark.parametrize(("flavour", "taken"), [("A", True), ("G", False), ("H", False), ("I", True)])
    def test_it_says_whether_another_round_can_tell_it_more(self, load, flavour, taken):
        assert load("D" if flavour == "A" else flavour, flavour).takes_previous is taken

    @pytest.mark.parametrize("given", [prompts(), prompts(exclude=[(5, 5)])], ids=["nothing", "exclude only"])
    def test_prompts_that_locate_nothing_are_refused(self, load, given):
        with pytest.raises(EmptyPromptError, match="include point or a box"):
            load().decode(embedding((64, 64)), given, previous=None, progress=QUIET)

    def test_two_boxes_are_refused(self, load):
        two = PixelPrompts(np.zeros((0, 2), np.float32), np.zeros(0, np.int8), np.ones((2, 4), np.float32))
        with pytest.raises(UnsupportedPromptError, match="Toy SAM takes one box for an object, and got 2"):
            load().decode(embedding((64, 64)), two, previous=None, progress=QUIET)

    @pytest.mark.parametrize("given", [prompts([(np.nan, 1)]), prompts([(1, 1)], box=(0, 0, np.inf, 1))])
    def test_coordinates_that_are_no_numbers_are_refused(self, load, given):
        with pytest.raises(PromptError, match="no numbers"):
            load().decode(embedding((64, 64)), given, previous=None, progress=QUIET)


class TestCandidates:
    """Which masks are offered."""

    def decode(self, load, given, tokens=4, previous=None):
        return load(tokens=tokens).decode(embedding((256, 256)), given, previous=previous, progress=QUIET)

    def test_one_click_offers_tokens_1_to_3(self, load):
        prediction = self.decode(load, prompts([(128, 128)]))
        assert prediction.scores.tolist() == pytest.approx([0.8, 0.9, 0.6])
        areas = [prediction.mask(index).sum() for index in range(3)]
        assert areas[0] < areas[1] < areas[2]

    @pytest.mark.parametrize(
        "given",
        [prompts([(128, 128), (130, 128)]), prompts([(128, 128)], [(200, 200)]), prompts(box=(20, 20, 90, 90))],
        ids=["two clicks", "click and exclude", "box"],
    )
    def test_prompts_that_say_enough_offer_token_0(self, load, given):
        assert self.decode(load, given).scores.tolist() == pytest.approx([0.7])

    def test_a_token_0_that_breaks_a_click_offers_all_four(self, load):
        # The exclude click lies 7 image pixels (28 in the frame) away: within the disc of token 3 alone, once cut out.
        prediction = self.decode(load, prompts([(128, 128)], [(131, 128)]))
        assert len(prediction.scores) == 4
        assert prediction.inside(np.array([[128, 128]], np.float32)).shape == (4, 1)

    def test_a_refined_click_offers_token_0(self, load):
        assert len(self.decode(load, prompts([(128, 128)]), previous=np.zeros((256, 256), np.float32)).scores) == 1

    def test_a_decoder_of_one_mask_offers_it(self, load):
        assert self.decode(load, prompts([(128, 128)]), tokens=1).low_res_logits.shape == (1, 256, 256)

    def test_candidates_answer_for_points_as_their_masks_do(self, load):
        prediction = self.decode(load, prompts([(128, 128)]))
        points = np.random.default_rng(1).uniform(90, 166, (200, 2)).astype(np.float32)
        inside = prediction.inside(points)
        for index in range(3):
            mask = prediction.mask(index)
            assert np.array_equal(inside[index], mask[points[:, 1].astype(int), points[:, 0].astype(int)])

    def test_edge_sam_is_scored_by_stability(self, load):
        prediction = load("G", "G").decode(
            embedding((1024, 1024)), prompts([(512.0, 512.0)]), previous=None, progress=QUIET
        )
        # 20 * (bell - bell at the radius) is over 1, or over -1, within these distances: count the cells.
        cells = (np.arange(256) + 0.5) * 4 - 512
        distance2 = cells**2 + cells[:, None] ** 2
        expected = []
        for radius in onnx_graphs.RADII[1:]:
            limits = [-2 * radius**2 * np.log(np.exp(-0.5) + step / 20) for step in (1, -1)]
            expected.append((distance2 < limits[0]).sum() / (distance2 < limits[1]).sum())
        assert prediction.scores.tolist() == pytest.approx(expected, abs=1e-6)

    def test_stability_leaves_the_padding_out(self, load):
        # The lower half of this click's disc lies in the padding; what is counted is the upper half alone.
        model = load("G", "G")
        half = model.decode(embedding((512, 1024)), prompts([(512.0, 512.0)]), previous=None, progress=QUIET)
        whole = model.decode(embedding((1024, 1024)), prompts([(512.0, 512.0)]), previous=None, progress=QUIET)
        assert half.scores.tolist() == pytest.approx(whole.scores.tolist(), abs=1e-6)


class TestFaults:
    def test_numbers_that_are_none_are_a_run_error(self, load):
        broken = ImageEmbedding((np.full((1, 256, 64, 64), np.nan, np.float32),), (64, 64))
        with pytest.raises(ModelRunError, match="'toy' gave masks that are no numbers"):
            load().decode(broken, prompts([(1, 1)]), previous=None, progress=QUIET)

    def test_an_embedding_of_another_model_is_a_run_error(self, load):
        other = ImageEmbedding((np.zeros((1, 8, 4, 4), np.float32),), (64, 64))
        with pytest.raises(ModelRunError, match=r"decoder\.onnx failed"):
            load().decode(other, prompts([(1, 1)]), previous=None, progress=QUIET)

    def test_swapped_files_are_told(self, tmp_path):
        encoder, decoder = onnx_graphs.save_pair(tmp_path)
        with pytest.raises(ModelFileError, match="no SAM encoder that is known: it takes image_embeddings"):
            ENTRY.load(SPEC, (decoder, encoder), RuntimeSettings())

    def test_one_file_alone_is_told(self, tmp_path):
        with pytest.raises(ModelFileError, match="has 1 files, expected 2"):
            ENTRY.load(SPEC, onnx_graphs.save_pair(tmp_path)[:1], RuntimeSettings())

    def test_both_calls_can_be_cancelled(self, load):
        class Stopped(NullProgress):
            def is_cancelled(self):
                return True

        with pytest.raises(Cancelled):
            load().encode(blank((8, 8)), Stopped())
        with pytest.raises(Cancelled):
            load().decode(embedding((8, 8)), prompts([(1, 1)]), previous=None, progress=Stopped())
