"""Segment everything, as a user of the Toolbox would, with a click model whose answers are known on paper."""

from __future__ import annotations

import pytest
from prompt_segmenter.algorithms import search_algorithm
from prompt_segmenter.algorithms.values import is_null
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.test.algorithms.conftest import RECTANGLES, bounds, outline_of
from prompt_segmenter.test.helpers.fake_model import SameBrightness
from prompt_segmenter.test.helpers.processing_run import Recorder, run

NAME = "promptsegmenter:segmenteverything"


class ClickStore(ModelStore):
    score = 0.95

    def missing(self, spec):
        return ()

    def load(self, name, *, settings=None, progress=None):
        return SameBrightness(score=self.score)


@pytest.fixture(autouse=True)
def clicks(plugin, monkeypatch):
    monkeypatch.setattr(search_algorithm, "ModelStore", ClickStore)


def boxes(features):
    return sorted(tuple(round(value) for value in outline_of(feature)[0]) for feature in features)


def test_all_objects_of_the_raster_are_found_and_the_ground_is_none(scene):
    outcome = run(algorithm=NAME, STEP=8, INPUT=scene, CONFIDENCE=0.0, SIMPLIFY=0.0)

    assert outcome.error == outcome.refused == ""
    assert boxes(outcome.features) == sorted(tuple(round(value) for value in bounds(name)) for name in RECTANGLES)
    for feature in outcome.features:
        assert 0.0 <= feature["score"] <= 1.0
        assert 0.0 <= feature["stability"] <= 1.0
        assert is_null(feature["similarity"])
        assert feature["model"] == "same_brightness"
        assert "everything" in feature["prompts"]


def test_small_windows_cut_nothing_and_double_nothing(scene):
    # 120 x 100 pixels: b begins at column 90 and row 80
    whole = run(algorithm=NAME, STEP=8, INPUT=scene, CONFIDENCE=0.0, SIMPLIFY=0.0)
    pieces = run(algorithm=NAME, STEP=8, INPUT=scene, CONFIDENCE=0.0, SIMPLIFY=0.0, WINDOW_SIZE=128)

    assert boxes(pieces.features) == boxes(whole.features)


def test_a_value_that_belongs_to_another_algorithm_is_not_read(scene):
    # WINDOW is the text of a result's field, and a parameter of clicks alone
    outcome = run(algorithm=NAME, STEP=8, INPUT=scene, CONFIDENCE=0.0, WINDOW=512)

    assert outcome.error == outcome.refused == ""
    assert outcome.features


def test_a_coverage_has_no_gaps_and_no_overlaps(scene):
    outcome = run(algorithm=NAME, STEP=8, INPUT=scene, CONFIDENCE=0.0, OVERLAPS="coverage")

    areas = [feature.geometry().area() for feature in outcome.features]
    assert sum(areas) == pytest.approx(240.0 * 200.0, rel=1e-6)
    for number, one in enumerate(outcome.features):
        for other in outcome.features[number + 1 :]:
            assert one.geometry().intersection(other.geometry()).area() == pytest.approx(0.0, abs=1e-6)


def test_cancel_leaves_no_layer(scene):
    outcome = run(Recorder(cancel_at="indow"), algorithm=NAME, INPUT=scene)

    assert outcome.results == {}


def test_cancel_keeps_what_was_found_where_that_is_asked_for(scene, tmp_path):
    path = tmp_path / "kept.gpkg"

    run(Recorder(cancel_at="indow"), algorithm=NAME, INPUT=scene, KEEP_ON_CANCEL=True, OUTPUT=str(path))

    assert path.exists()


def test_a_lower_confidence_finds_what_the_model_is_not_sure_of(scene, monkeypatch):
    monkeypatch.setattr(ClickStore, "score", 0.6)

    def found(**settings):
        return run(algorithm=NAME, STEP=8, INPUT=scene, SIMPLIFY=0.0, **settings).features

    assert found() == found(CONFIDENCE=0.65) == []
    assert boxes(found(CONFIDENCE=0.5)) == sorted(tuple(round(value) for value in bounds(name)) for name in RECTANGLES)
