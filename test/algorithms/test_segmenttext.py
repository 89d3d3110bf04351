"""Segment from words, as a user of the Toolbox would, with a word model whose answers are known on paper."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prompt_segmenter.algorithms import search_algorithm
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.test.algorithms.conftest import RECTANGLES, bounds, outline_of
from prompt_segmenter.test.helpers import map_service as service
from prompt_segmenter.test.helpers.fake_model import SameBrightness
from prompt_segmenter.test.helpers.fake_word_model import BrightnessWords
from prompt_segmenter.test.helpers.processing_run import Recorder, run
from qgis.core import (
    QgsApplication,
    QgsProcessingContext,
    QgsProcessingOutputLayerDefinition,
    QgsProject,
    QgsRasterLayer,
)

NAME = "promptsegmenter:segmenttext"


class WordStore(ModelStore):
    def missing(self, spec):
        return ()

    def load_words(self, name, *, settings=None, progress=None):
        return BrightnessWords()

    def load(self, name, *, settings=None, progress=None):
        return SameBrightness()


@pytest.fixture(autouse=True)
def words(plugin, monkeypatch):
    monkeypatch.setattr(search_algorithm, "ModelStore", WordStore)


def test_each_word_is_a_class_and_each_object_a_polygon(scene):
    outcome = run(algorithm=NAME, INPUT=scene, PROMPT="bright; medium", CONFIDENCE=0.0, SIMPLIFY=0.0)

    assert outcome.error == outcome.refused == ""
    by_label = {feature["label"]: feature for feature in outcome.features}
    assert set(by_label) == {"bright", "medium"}
    for label, name in (("bright", "a"), ("medium", "b")):
        box, area = outline_of(by_label[label])
        left, top, right, bottom = RECTANGLES[name]
        assert box == pytest.approx(bounds(name))
        assert area == pytest.approx(4.0 * (right - left) * (bottom - top))
    assert by_label["bright"]["score"] == pytest.approx(200 / 255, abs=0.01)
    assert outcome.results["COUNT"] == 2


def test_words_that_mean_the_same_give_each_object_once_and_a_warning(scene, monkeypatch):
    names = {"bright": "bright", "shiny": "bright", "medium": "medium"}

    class KnowsTwo(BrightnessWords):
        def require_known(self, phrases):
            super().require_known([names[phrase] for phrase in phrases])

        def meaning(self, phrase):
            return names[phrase]

        def find(self, image, phrases, progress):
            found = [super(KnowsTwo, self).find(image, [names[phrase]], progress) for phrase in phrases]
            return [replace(one, label=phrase) for phrase, some in zip(phrases, found) for one in some]

    monkeypatch.setattr(WordStore, "load_words", lambda self, name, **_: KnowsTwo())
    outcome = run(algorithm=NAME, INPUT=scene, PROMPT="shiny; medium; bright", CONFIDENCE=0.0)

    assert [feature["label"] for feature in outcome.features] == ["shiny", "medium"]
    assert outcome.warnings == [
        "'shiny' and 'bright' mean the same to the model 'brightness_words': what is found has the label 'shiny'."
    ]


def test_an_object_says_how_it_was_found(scene):
    (feature,) = run(algorithm=NAME, INPUT=scene, PROMPT="bright", OUTLINES_BY="as_found").features

    assert feature["prompts"].startswith("words")
    assert "bright" in feature["prompts"]
    assert (feature["model"], feature["model_sha256"]) == ("brightness_words", "1" * 64)
    assert feature["area_m2"] == pytest.approx(800.0, rel=0.01)
    assert "overlaps=best" in feature["settings"]


def test_objects_below_the_confidence_are_left_out(scene):
    outcome = run(algorithm=NAME, INPUT=scene, PROMPT="bright; medium", CONFIDENCE=0.6)

    assert [feature["label"] for feature in outcome.features] == ["bright"]


def test_only_the_extent_is_searched(scene):
    xmin, xmax, ymin, ymax = bounds("b")
    extent = f"{xmin - 8},{xmax + 8},{ymin - 8},{ymax + 8} [EPSG:32633]"

    outcome = run(algorithm=NAME, INPUT=scene, PROMPT="bright; medium", CONFIDENCE=0.0, EXTENT=extent)

    assert [feature["label"] for feature in outcome.features] == ["medium"]


def test_sizes_leave_objects_out(scene):
    large = run(algorithm=NAME, INPUT=scene, PROMPT="bright; medium", CONFIDENCE=0.0, MIN_SIZE=750)
    small = run(algorithm=NAME, INPUT=scene, PROMPT="bright; medium", CONFIDENCE=0.0, MAX_SIZE=750)

    assert [feature["label"] for feature in large.features] == ["bright"]
    assert [feature["label"] for feature in small.features] == ["medium"]


def test_a_click_model_can_draw_the_outlines(scene):
    outcome = run(algorithm=NAME, INPUT=scene, PROMPT="bright", CONFIDENCE=0.0, OUTLINES_BY="starter")

    assert outcome.error == ""
    assert len(outcome.features) == 1


def test_a_server_that_is_reached_without_encryption_is_warned_of(scene, monkeypatch):
    monkeypatch.setenv("PROMPT_SEGMENTER_SAMGEO_URL", "http://10.1.2.3:8000")

    outcome = run(algorithm=NAME, INPUT=scene, PROMPT="bright", CONFIDENCE=0.0, MODEL="samgeo_sam3")

    assert any("without encryption" in warning for warning in outcome.warnings)
    assert not any(
        "without encryption" in warning
        for warning in run(algorithm=NAME, INPUT=scene, PROMPT="bright", CONFIDENCE=0.0).warnings
    )


def test_words_on_a_samgis_server_need_a_server(scene):
    outcome = run(algorithm=NAME, INPUT=scene, PROMPT="bright", MODEL="samgis")

    assert "SamGIS" in outcome.refused


def test_nothing_found_is_an_empty_layer_and_a_suggestion(scene):
    outcome = run(algorithm=NAME, INPUT=scene, PROMPT="nothing")

    assert outcome.error == outcome.refused == ""
    assert outcome.features == []
    assert any("Nothing" in warning or "nothing" in warning for warning in outcome.warnings)


def test_an_unknown_word_is_refused_with_those_that_are_known(scene):
    outcome = run(algorithm=NAME, INPUT=scene, PROMPT="volcano")

    assert "volcano" in outcome.error
    assert "bright" in outcome.error


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"PROMPT": " ; "}, "word"),
        ({"MIN_SIZE": 10, "MAX_SIZE": 5}, "MAX_SIZE"),
        ({"RESOLUTION": 0}, "RESOLUTION"),
        ({"OUTPUT": "/nowhere/at/all/out.gpkg"}, "/nowhere"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_read(scene, wrong, said):
    outcome = run(algorithm=NAME, **{"INPUT": scene, "PROMPT": "bright", **wrong})

    assert said in outcome.refused


def test_the_loaded_layer_is_called_after_the_words(scene):
    project, context = QgsProject(), QgsProcessingContext()
    context.setProject(project)
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(NAME)
    output = QgsProcessingOutputLayerDefinition("TEMPORARY_OUTPUT", project)

    _, ok = algorithm.run({"INPUT": scene, "PROMPT": "bright; medium", "OUTPUT": output}, context, Recorder())

    assert ok
    (details,) = context.layersToLoadOnCompletion().values()
    assert details.name == "bright; medium"


def test_a_map_service_is_searched_at_the_resolution_that_is_asked_for(plugin):
    extent = f"{service.LEFT - 60},{service.RIGHT + 60},{service.BOTTOM - 60},{service.TOP + 60} [EPSG:3857]"
    with service.map_service() as url:
        layer = QgsRasterLayer(f"crs=EPSG:3857&format=image/png&layers=rectangle&styles&url={url}", "wms", "wms")

        outcome = run(
            algorithm=NAME, INPUT=layer, PROMPT="bright", EXTENT=extent, RESOLUTION=1.0, OUTLINES_BY="as_found"
        )

    assert outcome.error == outcome.refused == ""
    (feature,) = outcome.features
    expected = (service.LEFT, service.RIGHT, service.BOTTOM, service.TOP)
    assert outline_of(feature)[0] == pytest.approx(expected, abs=2.0)
