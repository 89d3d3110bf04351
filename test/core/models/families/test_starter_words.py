"""The embedded words model: its contract, and that its words mean what they say on a generated scene."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from prompt_segmenter.core.errors import Cancelled, EmptyPromptError, ModelFileError, UnsupportedPromptError
from prompt_segmenter.core.models import catalogue
from prompt_segmenter.core.models.families import FAMILIES
from prompt_segmenter.core.models.finding import ClosedVocabulary, HeatMap, WordModel
from prompt_segmenter.core.models.model import RuntimeSettings
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.core.models.vocabulary import WORDS
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.words import words_finder
from prompt_segmenter.test.helpers import onnx_graphs

QUIET = NullProgress()


class Stopped(NullProgress):
    def is_cancelled(self):
        return True


class StoppedAfter(NullProgress):
    """Cancelled once it has been asked this often."""

    def __init__(self, count):
        self.left = count

    def is_cancelled(self):
        self.left -= 1
        return self.left < 0


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    # test_store.py asks whether the digests are the pinned ones; here it is the family that is looked at.
    spec = catalogue.get("starter_words")
    spec = replace(spec, files=tuple(replace(file, sha256="") for file in spec.files))
    store = ModelStore(tmp_path_factory.mktemp("weights"))
    return store.load_words(spec, settings=RuntimeSettings(threads=1, provider="cpu"))


def painted(height, width, seed=1):
    """Return a mottled picture with bright blocks."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), (84, 110, 62), np.float64) + rng.normal(0, 8, (height, width, 1))
    for _ in range(height * width // 6000 + 1):
        row, col = rng.integers(0, max(1, height - 30)), rng.integers(0, max(1, width - 40))
        picture[row : row + 30, col : col + 40] = rng.integers(120, 230, 3)
    return np.clip(picture, 0, 255).astype(np.uint8)


def test_it_is_the_first_model_for_words_and_a_word_model(model):
    assert catalogue.names("words")[0] == "starter_words"
    assert isinstance(model, WordModel)
    assert model.spec.accepts == {"words"}
    assert catalogue.names()[0] == catalogue.DEFAULT == "starter"
    assert "starter_words" not in catalogue.names("point")


def test_it_comes_with_the_plugin():
    assert all(file.bundled for file in catalogue.get("starter_words").files)


@pytest.mark.parametrize("size", [(1, 1), (3, 70), (33, 31), (128, 96), (320, 320), (333, 641)])
def test_a_heat_map_covers_any_image_with_cells_of_four_pixels(model, size):
    image = painted(*size)
    before = image.copy()
    (heat,) = model.find(image, ["Häuser"], QUIET)
    assert isinstance(heat, HeatMap)
    assert heat.label == "Häuser"
    assert heat.values.dtype == np.float32
    assert heat.values.shape == (-(-size[0] // 4), -(-size[1] // 4))
    assert np.isfinite(heat.values).all()
    assert heat.values.min() >= 0
    assert heat.values.max() <= 1
    assert np.array_equal(image, before)


def test_an_answer_is_the_same_again_and_does_not_depend_on_the_other_words(model):
    image = painted(150, 210)
    alone = model.find(image, ["tree"], QUIET)[0].values
    assert np.array_equal(alone, model.find(image, ["tree"], QUIET)[0].values)
    among = {heat.label: heat.values for heat in model.find(image, ["water", "tree", "arbres", "pool"], QUIET)}
    assert list(among) == ["water", "tree", "arbres", "pool"]
    assert np.array_equal(alone, among["tree"])
    assert np.array_equal(alone, among["arbres"])


def test_every_word_can_be_asked_for_at_once(model):
    heats = model.find(painted(64, 64), list(WORDS), QUIET)
    assert [heat.label for heat in heats] == list(WORDS)
    assert len({heat.values.tobytes() for heat in heats}) == len(WORDS)


def test_two_windows_say_nearly_the_same_in_the_middle_of_what_they_share(model):
    image = painted(500, 1280, seed=4)
    left, right = (
        model.find(image[:, cols], ["building"], QUIET)[0].values for cols in (slice(0, 768), slice(512, 1280))
    )
    shared = slice(576 // 4, 704 // 4)
    one, other = left[:, shared], right[:, shared.start - 128 : shared.stop - 128]
    assert abs(one - other).mean() < 0.04
    assert ((one > 0.5) == (other > 0.5)).mean() > 0.95


def test_what_is_far_away_changes_little(model):
    image = painted(320, 900, seed=5)
    other = image.copy()
    other[:, 640:] = painted(320, 260, seed=6)
    one, two = (model.find(picture, ["building"], QUIET)[0].values for picture in (image, other))
    assert not np.allclose(one[:, 160:], two[:, 160:], atol=0.05)
    assert abs(one[:, :64] - two[:, :64]).mean() < 0.03


def test_it_stops_at_once_when_it_is_cancelled(model):
    with pytest.raises(Cancelled):
        model.find(painted(64, 64), ["tree"], Stopped())


def test_it_stops_between_tiles(model):
    with pytest.raises(Cancelled):
        model.find(painted(700, 700), ["tree"], StoppedAfter(4))


@pytest.mark.parametrize("phrase", ["", "  "])
def test_an_empty_phrase_is_refused(model, phrase):
    with pytest.raises(EmptyPromptError):
        model.require_known([phrase])


def test_it_says_which_of_its_words_a_phrase_means(model):
    assert isinstance(model, ClosedVocabulary)
    assert [model.meaning(phrase) for phrase in ("Häuser", "the houses", "building", "trees")] == [
        "building",
        "building",
        "building",
        "tree",
    ]
    with pytest.raises(UnsupportedPromptError, match="zebra"):
        model.meaning("zebra")


def test_two_names_of_one_word_give_each_object_once(model):
    finder = words_finder(model, ["trees", "house", "Building"])
    assert finder.describe() == 'words "trees" "house"'
    assert "'house' and 'Building' mean the same" in finder.warnings[0]


def test_an_unknown_word_is_refused_with_what_it_knows_and_the_nearest(model):
    with pytest.raises(UnsupportedPromptError, match=r"'bulding'.*'building'") as refused:
        model.require_known(["tree", "bulding"])
    for word in WORDS:
        assert word in refused.value.hint
    with pytest.raises(UnsupportedPromptError, match="zebra"):
        model.find(painted(32, 32), ["zebra"], QUIET)


def test_a_refusal_repeats_only_the_beginning_of_a_very_long_phrase(model):
    with pytest.raises(UnsupportedPromptError, match=f"'{'a' * 60}...'") as refused:
        model.require_known(["a" * 5000])
    assert len(refused.value.message) < 150


def test_the_refusal_names_the_other_models_that_take_words(model, monkeypatch):
    other = replace(model.spec, name="another", title="Another")
    monkeypatch.setattr(catalogue, "SPECS", (*catalogue.SPECS, other))
    with pytest.raises(UnsupportedPromptError) as refused:
        model.require_known(["zebra"])
    assert "Another (another)" in refused.value.hint


def test_graphs_of_another_model_are_refused(tmp_path):
    paths = onnx_graphs.save_pair(tmp_path)
    with pytest.raises(ModelFileError, match="inputs image"):
        FAMILIES.get("starter_words").load(catalogue.get("starter_words"), paths, RuntimeSettings(threads=1))
    with pytest.raises(ModelFileError, match="2 files"):
        FAMILIES.get("starter_words").load(catalogue.get("starter_words"), paths[:1], RuntimeSettings(threads=1))


def town(seed):
    """Return a lawn with houses (ridge, shadow) and where they are."""
    rng = np.random.default_rng(seed)
    picture = np.full((320, 320, 3), (92, 118, 66), np.float64) + rng.normal(0, 7, (320, 320, 1))
    houses = np.zeros((320, 320), bool)
    for row in range(30, 280, 80):
        for col in range(30, 280, 90):
            colour = np.array([(170, 110, 84), (190, 188, 184), (150, 70, 58)][rng.integers(3)], np.float64)
            picture[row + 5 : row + 45, col + 5 : col + 61] *= 0.45
            picture[row : row + 20, col : col + 56] = colour * 1.1
            picture[row + 20 : row + 40, col : col + 56] = colour * 0.85
            houses[row : row + 40, col : col + 56] = True
    return np.clip(picture + rng.normal(0, 3, picture.shape), 0, 255).astype(np.uint8), houses


def in_and_out(model, image, mask, phrase):
    """Return the mean heat of cells that lie wholly inside and wholly outside a mask."""
    values = model.find(image, [phrase], QUIET)[0].values
    share = mask.reshape(mask.shape[0] // 4, 4, mask.shape[1] // 4, 4).mean(axis=(1, 3))
    return values[share == 1].mean(), values[share == 0].mean()


def test_buildings_are_hot_on_houses_and_cold_elsewhere_and_grass_the_other_way_round(model):
    image, houses = town(1)
    inside, outside = in_and_out(model, image, houses, "building")
    assert inside > outside + 0.3
    inside, outside = in_and_out(model, image, ~houses, "grass")
    assert inside > outside + 0.3
    for phrase in ("boat", "airplane", "cloud"):
        assert model.find(image, [phrase], QUIET)[0].values.mean() < 0.1
