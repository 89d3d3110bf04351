"""Models of a samgeo server, as the session and the finders see them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from prompt_segmenter.core.errors import (
    EmptyPromptError,
    ServerUnavailableError,
    SettingsError,
    StoppedWaiting,
    UnsupportedPromptError,
)
from prompt_segmenter.core.interactive import InteractiveSession
from prompt_segmenter.core.models import catalogue
from prompt_segmenter.core.models.families.samgeo_server import identity_of, model_of
from prompt_segmenter.core.models.finding import AutomaticModel, ExampleModel, WordModel
from prompt_segmenter.core.models.model import RuntimeSettings, SegmentationModel
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.core.outlines.masks import choose_candidate
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.prompts.parse import parse_prompts as from_text
from prompt_segmenter.core.prompts.prompt import PixelPrompts
from prompt_segmenter.core.raster.grid import PixelGrid, Window
from prompt_segmenter.core.raster.sources.array import ArraySource
from prompt_segmenter.core.remote.address import SAMGEO_MODEL_VARIABLES, SAMGEO_VARIABLES, ServerAddress, Servers
from prompt_segmenter.core.remote.samgeo import SamgeoModel
from prompt_segmenter.core.screen import ScreenView
from prompt_segmenter.core.session import SegmentationSession
from prompt_segmenter.test.helpers import fake_samgeo
from prompt_segmenter.test.helpers.loopback import Reply, Watched

QUIET = NullProgress()


@pytest.fixture
def server():
    with fake_samgeo.fake_samgeo() as running:
        yield running


@pytest.fixture(scope="module")
def image():
    picture = np.full((60, 90, 3), 60, np.uint8)
    picture[10:20, 30:50] = (200, 190, 180)
    picture[30:40, 5:15] = (180, 200, 190)
    return picture


def load(server, name="samgeo_sam3", model=""):
    servers = Servers(samgeo=ServerAddress(server.url), samgeo_model=model)
    return ModelStore().load(name, settings=RuntimeSettings(servers=servers))


def prompts(include=(), exclude=(), box=None):
    points = [*include, *exclude]
    return PixelPrompts(
        np.asarray(points, np.float32).reshape(-1, 2),
        np.asarray([1] * len(include) + [0] * len(exclude), np.int8),
        np.asarray([] if box is None else [box], np.float32).reshape(-1, 4),
    )


def decode(model, image, given):
    return model.decode(model.encode(image, QUIET), given, previous=None, progress=QUIET)


def requests_of(server):
    return [path for path in server.paths if path.startswith("/segment")]


def rectangle(shape, left, top, right, bottom):
    mask = np.zeros(shape[:2], bool)
    mask[top:bottom, left:right] = True
    return mask


def answer_boxes(server, *objects):
    server.replies["/segment/predict"] = [
        lambda asked: (
            fake_samgeo.answer(fake_samgeo.collection(list(objects)))
            if "boxes" in asked.form
            else fake_samgeo.predict(asked)
        )
    ]


@pytest.mark.parametrize("name", ["samgeo_sam3", "samgeo_sam2", "samgeo_sam"])
def test_no_weights_are_missing_and_its_accepts_tell_what_it_is(server, name):
    store, spec = ModelStore(), catalogue.get(name)
    assert store.missing(spec) == ()
    assert store.locate(spec) == ()
    model = load(server, name)
    assert isinstance(model, SegmentationModel)
    assert isinstance(model, AutomaticModel)
    assert isinstance(model, WordModel) == ("words" in spec.accepts) == (name == "samgeo_sam3")
    assert isinstance(model, ExampleModel) == ("example" in spec.accepts)
    assert spec.look.scales == (1.0,)
    assert not spec.look.zoom_in
    assert server.asked == []


def test_without_an_address_it_says_what_to_set(monkeypatch):
    for name in SAMGEO_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ServerUnavailableError, match="PROMPT_SEGMENTER_SAMGEO_URL"):
        ModelStore().load("samgeo_sam3")


def test_the_environment_is_enough(server, image, monkeypatch):
    monkeypatch.setenv(SAMGEO_VARIABLES[0], server.url)
    monkeypatch.delenv(SAMGEO_MODEL_VARIABLES[1], raising=False)
    monkeypatch.setenv(SAMGEO_MODEL_VARIABLES[0], "sam2:sam2-hiera-tiny")
    model = ModelStore().load("samgeo_sam2")
    assert decode(model, image, prompts([(40.0, 15.0)])).mask(0).any()
    assert server.asked[-1].form["model_id"] == "sam2-hiera-tiny"


def test_the_users_model_counts_for_its_version_alone():
    spec = catalogue.get("samgeo_sam3")
    assert model_of(spec, Servers()) == SamgeoModel("sam3", "facebook/sam3")
    assert model_of(spec, Servers(samgeo_model="sam3:facebook/sam3.1")).id == "facebook/sam3.1"
    assert model_of(spec, Servers(samgeo_model="sam2:sam2-hiera-tiny")).id == "facebook/sam3"
    assert model_of(spec, Servers(samgeo_model="sam3")).id == "facebook/sam3"
    with pytest.raises(SettingsError, match="no model of a samgeo"):
        model_of(spec, Servers(samgeo_model="nonsense"))
    with pytest.raises(SettingsError, match="model=VERSION:ID"):
        model_of(replace(spec, traits=frozenset()), Servers())


def test_models_with_other_names_have_other_identities(server):
    names = ["samgeo_sam3", "samgeo_sam2", "samgeo_sam"]
    identities = {load(server, name).weights_sha256 for name in names}
    assert len(identities) == 3
    assert identity_of(SamgeoModel("sam3", "facebook/sam3")) == load(server).weights_sha256
    assert load(server, model="sam3:facebook/sam3.1").weights_sha256 not in identities


def test_a_click_costs_one_request_and_the_same_click_again_none(server, image):
    model = load(server)
    for _ in range(2):
        prediction = decode(model, image, prompts([(40.0, 15.0)]))
    assert np.array_equal(prediction.mask(0), rectangle(image.shape, 30, 5, 51, 26))
    assert prediction.scores.tolist() == pytest.approx([0.9])
    assert requests_of(server) == ["/segment/predict"]


def test_exclude_points_are_sent_with_the_others(server, image):
    prediction = decode(load(server), image, prompts([(40.0, 15.0)], [(70.0, 15.0)]))
    assert server.asked[-1].form["point_labels"] == "[1, 0]"
    assert not prediction.inside(np.float32([[70.0, 15.0]])).any()


def test_where_nothing_is_found_the_one_candidate_is_empty(server, image):
    prediction = decode(load(server), image, prompts([(900.0, 900.0)]))
    assert prediction.scores.tolist() == [0.0]
    assert not prediction.mask(0).any()


def test_an_answer_without_a_score_has_none(server, image):
    mask = rectangle(image.shape, 30, 10, 50, 20)
    server.replies["/segment/predict"] = [fake_samgeo.answer(fake_samgeo.collection([(mask, None)]))]
    prediction = decode(load(server, "samgeo_sam"), image, prompts([(40.0, 15.0)]))
    assert math.isnan(prediction.scores[0])
    assert np.array_equal(prediction.mask(0), mask)


def test_of_all_that_is_like_the_box_what_is_in_it_is_the_answer(server, image):
    prediction = decode(load(server), image, prompts(box=(30.0, 10.0, 50.0, 20.0)))
    assert len(prediction.scores) == 1
    assert np.array_equal(prediction.mask(0), rectangle(image.shape, 30, 10, 50, 20))
    assert set(server.asked[-1].form) & {"boxes", "point_coords"} == {"boxes"}


def test_a_click_chooses_among_what_fits_the_box_without_another_request(server, image):
    small, large = rectangle(image.shape, 32, 11, 46, 19), rectangle(image.shape, 26, 8, 52, 22)
    beside = rectangle(image.shape, 60, 40, 80, 50)
    answer_boxes(server, (small, 0.6), (large, 0.7), (beside, 0.99))
    model, box = load(server), (30.0, 10.0, 50.0, 20.0)
    assert np.array_equal(decode(model, image, prompts(box=box)).mask(0), small)
    assert np.array_equal(decode(model, image, prompts([(50.5, 15.0)], box=box)).mask(0), large)
    assert np.array_equal(decode(model, image, prompts([], [(50.5, 15.0)], box=box)).mask(0), small)
    assert requests_of(server) == ["/segment/predict"]


def test_clicks_that_nothing_in_the_box_obeys_are_asked_for_alone(server, image):
    answer_boxes(server, (rectangle(image.shape, 30, 10, 50, 20), 0.9))
    given = prompts([], [(48.0, 12.0)], box=(30.0, 10.0, 50.0, 20.0))
    prediction = decode(load(server), image, given)
    form = server.asked[-1].form
    assert form["point_labels"] == "[0, 1]"
    assert "boxes" not in form
    chosen = choose_candidate(prediction.scores, prediction.inside(given.include), prediction.inside(given.exclude))
    assert not prediction.inside(given.exclude)[chosen].any()
    assert prediction.mask(chosen)[15, 35]


def test_a_box_with_nothing_in_it_is_asked_for_by_its_middle(server, image):
    answer_boxes(server, (rectangle(image.shape, 60, 40, 80, 50), 0.99))
    prediction = decode(load(server), image, prompts(box=(30.0, 10.0, 50.0, 20.0)))
    assert server.asked[-1].form["point_coords"] == "[[40.0, 15.0]]"
    assert np.array_equal(prediction.mask(0), rectangle(image.shape, 30, 5, 51, 26))


@pytest.mark.parametrize("name", ["samgeo_sam2", "samgeo_sam"])
def test_boxes_that_the_server_would_drop_are_refused(server, image, name):
    with pytest.raises(UnsupportedPromptError, match="samgeo_sam3"):
        decode(load(server, name), image, prompts([(40.0, 15.0)], box=(30.0, 10.0, 50.0, 20.0)))
    assert server.asked == []


def test_words_are_one_request_each_and_labelled(server, image):
    model = ModelStore().load_words(
        "samgeo_sam3", settings=RuntimeSettings(servers=Servers(samgeo=ServerAddress(server.url)))
    )
    found = model.find(image, ["house", "none", "Häuser 3"], QUIET)
    assert [(one.label, one.window, one.score) for one in found] == [
        (phrase, window, score)
        for phrase in ("house", "Häuser 3")
        for window, score in ((Window(30, 10, 20, 10), 0.9), (Window(5, 30, 10, 10), 0.8))
    ]
    assert [asked.form["prompt"] for asked in server.asked[1:]] == ["house", "none", "Häuser 3"]


@pytest.mark.parametrize("phrase", ["", "   ", "x" * 201])
def test_phrases_that_cant_be_asked_are_refused_before_anything_is_sent(server, image, phrase):
    with pytest.raises(UnsupportedPromptError, match="characters"):
        load(server).find(image, ["house", phrase], QUIET)
    assert server.asked == []


def test_examples_are_boxes_and_counter_examples_are_left_out_here(server, image):
    boxes = np.float32([[30, 10, 50, 20], [60, 40, 80, 50], fake_samgeo.FAR])
    found = load(server).find_like(image, boxes, np.array([True, True, False]), QUIET)
    assert [one.window for one in found] == [Window(30, 10, 20, 10), Window(60, 40, 20, 10)]
    assert all(one.similarity == one.score == 0.95 for one in found)
    assert server.asked[-1].form["boxes"] == "[[30.0, 10.0, 50.0, 20.0], [60.0, 40.0, 80.0, 50.0]]"
    with pytest.raises(EmptyPromptError):
        load(server).find_like(image, boxes, np.array([False] * 3), QUIET)


@pytest.mark.parametrize("name", ["samgeo_sam3", "samgeo_sam2"])
def test_everything_is_one_request(server, image, name):
    found = load(server, name).find_all(image, QUIET)
    assert [one.window for one in found] == [Window(30, 10, 20, 10), Window(5, 30, 10, 10)]
    assert requests_of(server) == ["/segment/automatic"]


def test_a_cancelled_click_ends_the_wait_and_says_that_the_server_goes_on(server, image):
    server.replies["/segment/predict"] = [Reply(delay_s=30.0)]
    model = load(server)
    embedding = model.encode(image, QUIET)
    progress = Watched(cancel_when=lambda: "/segment/predict" in server.paths)
    with pytest.raises(StoppedWaiting, match="goes on"):
        model.decode(embedding, prompts([(40.0, 15.0)]), previous=None, progress=progress)


def test_on_the_canvas_a_click_and_its_correction_cost_one_request_each_and_pointing_none(server, image):
    large = np.tile(image, (30, 20, 1))
    grid = PixelGrid((0.5, 0.0, 500_000.0, 0.0, -0.5, 4_600_000.0), "EPSG:32633", large.shape[1], large.shape[0])
    source = ArraySource(large.transpose(2, 0, 1), grid, already_rgb=True)
    session = InteractiveSession(SegmentationSession(source, load(server)))
    middle = grid.to_map([(900.0, 900.0)])[0]
    screen = ScreenView((middle[0] - 200.0, middle[1] - 200.0, middle[0] + 200.0, middle[1] + 200.0), 0.5)
    session.encode_ahead(screen, QUIET)
    assert not session.is_ready(screen)
    assert server.asked == []
    click = from_text(f"+{middle[0]},{middle[1]} -{middle[0] + 4.0},{middle[1]} EPSG:32633")
    first = session.answer(click.first(1), screen, QUIET)
    assert requests_of(server) == ["/segment/predict"]
    second = session.answer(click, screen, QUIET, previous=first)
    assert requests_of(server) == ["/segment/predict"] * 2
    assert 0.0 < second.outline.area_m2 < first.outline.area_m2
