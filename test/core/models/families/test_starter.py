"""The starter family with the weights that come with the plugin, on scenes whose answer is obvious."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from prompt_segmenter.core.errors import Cancelled, EmptyPromptError, ModelFileError, UnsupportedPromptError
from prompt_segmenter.core.models import catalogue
from prompt_segmenter.core.models.families import FAMILIES, starter
from prompt_segmenter.core.models.finding import GivesObjectness
from prompt_segmenter.core.models.model import RuntimeSettings
from prompt_segmenter.core.models.store import BUNDLED_FOLDER
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.prompts.prompt import PixelPrompts

SPEC = catalogue.get("starter")
PATHS = tuple(str(BUNDLED_FOLDER / file.filename) for file in SPEC.files)
ONE_THREAD = RuntimeSettings(threads=1, provider="cpu")


class Stopped(NullProgress):
    def is_cancelled(self):
        return True


@pytest.fixture(scope="module")
def model():
    return FAMILIES.get("starter").load(SPEC, PATHS, ONE_THREAD)


def prompts(*, include=(), exclude=(), boxes=()):
    points = np.array([*include, *exclude], np.float32).reshape(-1, 2)
    labels = np.array([1] * len(include) + [0] * len(exclude), np.int8)
    return PixelPrompts(points, labels, np.array(boxes, np.float32).reshape(-1, 4))


def disc(shape, centre, radius):
    """Pixels (H, W) whose centre lies in a disc around (x, y)."""
    rows, cols = np.indices(shape) + 0.5
    return np.hypot(cols - centre[0], rows - centre[1]) < radius


def picture(*masks, shape=None, ground=(70, 90, 60), colour=(215, 205, 190)):
    """Bright things on dark ground, with the grain of a photograph."""
    noise = np.random.default_rng(5).normal(0, 4, (*(shape or masks[0].shape), 3))
    image = np.full_like(noise, ground)
    for mask in masks:
        image[mask] = colour
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def answer(model, image, asked, previous=None):
    embedding = model.encode(image, NullProgress())
    return model.decode(embedding, asked, previous=previous, progress=NullProgress())


def iou(one, other):
    return (one & other).sum() / (one | other).sum()


@pytest.mark.parametrize("shape", [(192, 192), (128, 224), (101, 157), (300, 211)])
def test_a_click_on_a_bright_disc_finds_the_disc_at_any_size(model, shape):
    centre = (shape[1] * 0.55, shape[0] * 0.45)
    wanted = disc(shape, centre, 30)
    found = answer(model, picture(wanted), prompts(include=[centre]))
    assert found.mask(0).shape == shape
    assert iou(found.mask(0), wanted) > 0.8


def test_a_click_on_the_other_disc_finds_the_other_disc(model):
    left, right = disc((160, 224), (60, 80), 28), disc((160, 224), (160, 80), 34)
    image = picture(left, right)
    assert iou(answer(model, image, prompts(include=[(60, 80)])).mask(0), left) > 0.8
    assert iou(answer(model, image, prompts(include=[(160, 80)])).mask(0), right) > 0.8


def test_a_box_finds_what_fills_it(model):
    wanted = np.zeros((192, 192), bool)
    wanted[60:130, 40:120] = True
    found = answer(model, picture(wanted), prompts(boxes=[(40, 60, 120, 130)]))
    assert iou(found.mask(0), wanted) > 0.8


def test_an_exclude_point_takes_its_place_out_of_the_mask(model):
    halves = np.zeros((192, 192), bool)
    halves[60:132, 30:162] = True
    image = picture(halves)
    image[60:132, 96:162] = np.clip(image[60:132, 96:162].astype(int) - (0, 70, 90), 0, 255)
    asked = prompts(include=[(62, 96)], exclude=[(130, 96)])
    found = answer(model, image, asked)
    assert found.inside(asked.include).tolist() == [[True]]
    assert found.inside(asked.exclude).tolist() == [[False]]


def test_the_logits_of_an_answer_go_back_as_a_mask_prompt(model):
    wanted = disc((160, 160), (80, 80), 40)
    image, asked = picture(wanted), prompts(include=[(80, 80)])
    first = answer(model, image, asked)
    second = answer(model, image, asked, previous=first.low_res_logits[0])
    assert second.low_res_logits.shape == first.low_res_logits.shape
    assert iou(second.mask(0), wanted) > 0.8


def test_the_same_image_gives_the_same_embedding(model):
    image = picture(disc((97, 130), (60, 50), 25))
    one, other = (model.encode(image, NullProgress()) for _ in range(2))
    assert one.image_size == (97, 130)
    assert all(np.array_equal(a, b) for a, b in zip(one.arrays, other.arrays))


def test_the_image_is_left_as_it_was(model):
    image = picture(disc((96, 96), (50, 50), 25))
    before = image.copy()
    answer(model, image, prompts(include=[(50, 50)]))
    assert np.array_equal(image, before)


def test_logits_at_pixel_centres_agree_with_the_full_mask(model):
    image = picture(disc((90, 120), (60, 45), 25))
    found = answer(model, image, prompts(include=[(60, 45)]))
    places = np.array([(60.5, 45.5), (3.5, 3.5), (84.5, 44.5), (119.5, 89.5)], np.float32)
    cols, rows = (places - 0.5).astype(int).T
    expected = found.logits(0)[rows, cols]
    assert np.allclose(found.upsampler.at(found.low_res_logits, places)[0], expected, atol=1e-3)


def test_an_image_far_larger_than_the_network_sees_still_gives_a_mask_of_its_size(model):
    wanted = disc((1100, 1400), (700, 500), 260)
    found = answer(model, picture(wanted), prompts(include=[(700, 500)]))
    assert found.mask(0).shape == wanted.shape
    assert iou(found.mask(0), wanted) > 0.6


def test_a_few_pixels_are_enough_to_run(model):
    found = answer(model, np.full((3, 5, 3), 90, np.uint8), prompts(include=[(2, 1)]))
    assert found.mask(0).shape == (3, 5)


def test_scores_are_predicted_ious(model):
    found = answer(model, picture(disc((160, 160), (80, 80), 40)), prompts(include=[(80, 80)]))
    assert found.scores.shape == (1,)
    assert 0.5 < found.scores[0] <= 1.0


def test_nothing_that_locates_the_object_is_refused(model):
    with pytest.raises(EmptyPromptError, match="where the object is"):
        answer(model, np.zeros((64, 64, 3), np.uint8), prompts(exclude=[(3, 3)]))


def test_two_boxes_for_one_object_are_refused(model):
    with pytest.raises(UnsupportedPromptError, match="one box"):
        answer(model, np.zeros((64, 64, 3), np.uint8), prompts(boxes=[(1, 1, 9, 9), (20, 20, 30, 30)]))


def test_a_stopped_progress_stops_both_calls(model):
    image = np.zeros((64, 64, 3), np.uint8)
    with pytest.raises(Cancelled):
        model.encode(image, Stopped())
    embedding = model.encode(image, NullProgress())
    with pytest.raises(Cancelled):
        model.decode(embedding, prompts(include=[(9, 9)]), previous=None, progress=Stopped())


def test_files_in_the_wrong_order_are_refused_by_name():
    with pytest.raises(ModelFileError, match="expected a graph with the inputs image, found embedding"):
        starter.ENTRY.load(SPEC, PATHS[::-1], ONE_THREAD)


def test_a_single_file_is_refused():
    with pytest.raises(ModelFileError, match="takes 2 or 3 files, got 1"):
        starter.ENTRY.load(replace(SPEC, files=SPEC.files[:1]), PATHS[:1], ONE_THREAD)


def test_the_bundled_files_are_small_and_load_in_old_runtimes():
    onnx = pytest.importorskip("onnx")
    sizes = [len((BUNDLED_FOLDER / file.filename).read_bytes()) for file in SPEC.files]
    assert sum(sizes) < 10_000_000
    for path in PATHS:
        graph = onnx.load(path)
        assert graph.ir_version <= 8
        assert [entry.version for entry in graph.opset_import if entry.domain == ""] == [17]


def test_objectness_is_high_on_what_stands_out_and_low_between(model):
    image = np.full((192, 192, 3), (90, 110, 70), np.uint8)
    image[60:100, 80:130] = (190, 180, 170)
    image = np.clip(image + np.random.default_rng(2).normal(0, 4, image.shape), 0, 255).astype(np.uint8)
    found = model.objectness(model.encode(image, NullProgress()), NullProgress())
    assert found.values.shape == (1, 48, 48)
    assert found.step_px == (4.0, 4.0)
    inside = found.values[0, 16:24, 21:31]
    outside = np.delete(found.values[0], np.s_[10:30], axis=0)
    assert inside.min() > np.quantile(outside, 0.95)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (100, 60), (161, 300), (700, 500)])
def test_objectness_covers_the_image_whatever_its_size(model, height, width):
    image = np.random.default_rng(1).integers(0, 255, (height, width, 3), dtype=np.uint8)
    found = model.objectness(model.encode(image, NullProgress()), NullProgress())
    rows, cols = (count * step for count, step in zip(found.values.shape[1:], found.step_px[::-1]))
    assert height <= rows + 1e-6 <= height + 2 * found.step_px[1]
    assert width <= cols + 1e-6 <= width + 2 * found.step_px[0]


def test_without_its_third_file_it_answers_clicks_all_the_same(model):
    bare = FAMILIES.get("starter").load(SPEC, PATHS[:2], ONE_THREAD)
    assert isinstance(model, GivesObjectness)
    assert not isinstance(bare, GivesObjectness)
