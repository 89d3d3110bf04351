"""What every family of click models promises, asked of all that the catalogue lists."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest
from prompt_segmenter.core.errors import Cancelled, EmptyPromptError, UnsupportedPromptError
from prompt_segmenter.core.models import catalogue
from prompt_segmenter.core.models.families import FAMILIES
from prompt_segmenter.core.models.model import DecodesParts, ImageEmbedding, ModelSpec, RuntimeSettings
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.prompts.prompt import PixelPrompts
from prompt_segmenter.core.raster.grid import Window
from prompt_segmenter.core.remote.address import ServerAddress, Servers
from prompt_segmenter.test.helpers import onnx_graphs
from prompt_segmenter.test.helpers.fake_samgeo import fake_samgeo

QUIET = NullProgress()
HEIGHT, WIDTH = 90, 130


class Stopped(NullProgress):
    def is_cancelled(self):
        return True


def make_sam(folder, running):
    spec = ModelSpec("toy", "Toy", "sam", frozenset({"point", "box"}), (), 1024, "CC0-1.0", "https://example.org")
    return FAMILIES.get("sam").load(spec, onnx_graphs.save_pair(folder), RuntimeSettings(threads=1))


def make_starter(folder, running):
    store = ModelStore(folder)
    spec = catalogue.get("starter")
    # test_store.py asks whether the digests are the pinned ones; here it is the family that is looked at.
    return store.load(replace(spec, files=tuple(replace(file, sha256="") for file in spec.files)))


def make_samgeo(folder, running):
    """Return a model whose server runs as long as ``running``."""
    server = running.enter_context(fake_samgeo())
    settings = RuntimeSettings(servers=Servers(samgeo=ServerAddress(server.url)))
    return ModelStore(folder).load("samgeo_sam3", settings=settings)


MAKERS = {"sam": make_sam, "starter": make_starter, "samgeo_server": make_samgeo}


@pytest.fixture(scope="module", params=sorted({spec.family for spec in catalogue.taking("point")}))
def model(request, tmp_path_factory):
    assert request.param in MAKERS, f"say in MAKERS how a small model of the family '{request.param}' is made"
    with ExitStack() as running:
        yield MAKERS[request.param](tmp_path_factory.mktemp("contract"), running)


@pytest.fixture(scope="module")
def image():
    picture = np.full((HEIGHT, WIDTH, 3), (60, 110, 50), np.uint8)
    picture[20:60, 30:80] = (200, 190, 180)
    return picture


@pytest.fixture(scope="module")
def embedding(model, image):
    return model.encode(image, QUIET)


def prompts(points=(), labels=(), boxes=()):
    return PixelPrompts(
        np.asarray(points, np.float32).reshape(-1, 2),
        np.asarray(labels, np.int8),
        np.asarray(boxes, np.float32).reshape(-1, 4),
    )


CLICK = prompts([(55.0, 40.0)], [1])
BOX = prompts(boxes=[(30.0, 20.0, 80.0, 60.0)])
MIXED = prompts([(55.0, 40.0), (10.0, 10.0)], [1, 0], [(30.0, 20.0, 80.0, 60.0)])


def test_every_model_of_the_catalogue_has_its_family():
    assert {catalogue.get(name).family for name in catalogue.names()} <= set(FAMILIES.names())


def test_the_image_is_left_as_it_was(model, image):
    before = image.copy()
    model.encode(image, QUIET)
    assert np.array_equal(image, before)


def test_the_same_image_has_the_same_embedding(model, image, embedding):
    again = model.encode(image.copy(), QUIET)
    assert again.image_size == embedding.image_size == (HEIGHT, WIDTH)
    assert len(again.arrays) == len(embedding.arrays)
    assert all(np.array_equal(one, two) for one, two in zip(again.arrays, embedding.arrays))


@pytest.mark.parametrize("given", [CLICK, BOX, MIXED], ids=["click", "box", "both"])
def test_candidates_have_matching_shapes_and_finite_values(model, embedding, given):
    prediction = model.decode(embedding, given, previous=None, progress=QUIET)
    count = len(prediction.scores)
    assert count >= 1
    assert prediction.scores.shape == (count,)
    assert prediction.scores.dtype == prediction.low_res_logits.dtype == np.float32
    assert prediction.low_res_logits.ndim == 3
    assert len(prediction.low_res_logits) == count
    assert np.isfinite(prediction.low_res_logits).all()
    for index in range(count):
        assert prediction.mask(index).shape == (HEIGHT, WIDTH)


def test_points_at_pixel_centres_are_answered_as_the_mask_shows_them(model, embedding):
    prediction = model.decode(embedding, CLICK, previous=None, progress=QUIET)
    rows, cols = np.indices((HEIGHT, WIDTH))
    centres = np.column_stack([cols.ravel() + 0.5, rows.ravel() + 0.5]).astype(np.float32)
    inside = prediction.inside(centres)
    for index in range(len(prediction.scores)):
        assert (inside[index] != prediction.mask(index).ravel()).mean() <= 1e-4


def test_the_logits_of_one_round_are_taken_by_the_next(model, embedding):
    first = model.decode(embedding, CLICK, previous=None, progress=QUIET)
    second = model.decode(embedding, MIXED, previous=first.low_res_logits[0], progress=QUIET)
    assert second.low_res_logits.shape[1:] == first.low_res_logits.shape[1:]


def test_an_embedding_from_a_cache_serves_as_the_fresh_one_does(model, embedding):
    arrays = tuple(array.copy() for array in embedding.arrays)
    for array in arrays:
        array.setflags(write=False)
    cached = model.decode(ImageEmbedding(arrays, embedding.image_size), CLICK, previous=None, progress=QUIET)
    fresh = model.decode(embedding, CLICK, previous=None, progress=QUIET)
    assert np.array_equal(cached.low_res_logits, fresh.low_res_logits)
    assert np.array_equal(cached.scores, fresh.scores)


@pytest.mark.parametrize("given", [prompts(), prompts([(5.0, 5.0)], [0])], ids=["nothing", "exclude only"])
def test_prompts_that_locate_nothing_are_refused(model, embedding, given):
    with pytest.raises(EmptyPromptError):
        model.decode(embedding, given, previous=None, progress=QUIET)


def test_two_boxes_are_refused(model, embedding):
    two = prompts(boxes=[(1.0, 1.0, 9.0, 9.0), (20.0, 20.0, 30.0, 30.0)])
    with pytest.raises(UnsupportedPromptError):
        model.decode(embedding, two, previous=None, progress=QUIET)


def test_a_cancelled_progress_stops_both_calls(model, image, embedding):
    with pytest.raises(Cancelled):
        model.encode(image, Stopped())
    with pytest.raises(Cancelled):
        model.decode(embedding, CLICK, previous=None, progress=Stopped())


def test_it_says_what_it_is(model):
    assert model.spec.family in FAMILIES.names()
    assert model.spec.accepts <= {"point", "box", "shape", "words", "example", "everything"}
    assert bool(model.spec.files) != bool(model.spec.server) or model.spec.name == "toy"
    assert len(bytes.fromhex(model.weights_sha256)) == 32
    assert model.preprocess_version >= 1
    assert isinstance(model.takes_previous, bool)


@pytest.mark.parametrize("size", [(90, 130), (300, 220), (1000, 40)])
def test_a_mask_given_as_logits_says_the_same_as_the_mask(model, size):
    mask = np.zeros(size, bool)
    mask[size[0] // 4 : size[0] // 2, size[1] // 4 : size[1] // 2] = True
    logits = model.mask_logits(mask)
    embedding = model.encode(np.full((*size, 3), 90, np.uint8), QUIET)
    col, row = size[1] * 0.375, size[0] * 0.375
    prediction = model.decode(embedding, prompts([(col, row)], [1]), previous=logits, progress=QUIET)
    assert logits.shape == prediction.low_res_logits.shape[1:]
    again = prediction.upsampler.full(logits) > 0
    edge = 2 * max(1, -(-max(size) // 200))  # pixels that one cell of the logits may blur
    rows, cols = np.nonzero(mask)
    assert again[rows.min() + edge : rows.max() + 1 - edge, cols.min() + edge : cols.max() + 1 - edge].all()
    again[rows.min() - edge : rows.max() + 1 + edge, cols.min() - edge : cols.max() + 1 + edge] = False
    assert not again.any()


def test_parts_of_a_large_image_are_decoded_like_images_of_their_own(model):
    if not isinstance(model, DecodesParts):
        assert model.spec.family in ("sam", "samgeo_server")
        return
    picture = np.random.default_rng(2).integers(60, 90, (400, 500, 3), dtype=np.uint8)
    picture[150:210, 200:290] = (200, 190, 180)
    whole = model.encode_whole(picture, QUIET)
    part = model.part(whole, Window(140, 80, 192, 192))
    assert part.image_size == (192, 192)
    click = prompts([(105.0, 100.0)], [1])
    found = model.decode(part, click, previous=None, progress=QUIET).mask(0)
    own = model.decode(model.encode(picture[80:272, 140:332], QUIET), click, previous=None, progress=QUIET).mask(0)
    assert (found & own).sum() / (found | own).sum() > 0.9
    for window in (Window(141, 80, 192, 192), Window(140, 80, 100, 100), Window(400, 300, 192, 192)):
        with pytest.raises(ValueError, match=r"StarterModel\.part"):
            model.part(whole, window)
