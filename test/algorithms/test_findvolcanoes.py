from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.test.algorithms.conftest import write_tif
from prompt_segmenter.test.helpers.dems import cone, cratered_cone, distances, square, utm_grid
from prompt_segmenter.test.helpers.processing_run import Recorder
from qgis.core import QgsApplication, QgsProcessingContext, QgsProcessingUtils

SIZE, CELL = 200, 10.0
TRANSFORM = (CELL, 0, 500_000.0, 0, -CELL, 4_600_000.0)
VOLCANOES, DEPRESSIONS = "promptsegmenter:findvolcanoes", "promptsegmenter:finddepressions"


@pytest.fixture
def dem(tmp_path):
    away, _ = distances(utm_grid(SIZE, CELL), (100.0, 100.0), square(CELL))
    elevation = 300.0 + cratered_cone(away, 120.0, 420.0, 160.0, 50.0)
    return write_tif(tmp_path / "dem.tif", elevation.astype(np.float32)[None], transform=TRANSFORM)


def run(algorithm_id, feedback=None, **parameters):
    context, feedback = QgsProcessingContext(), feedback or Recorder()
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(algorithm_id)
    accepted, text = algorithm.checkParameterValues(parameters, context)
    if not accepted:
        return {"refused": text}, feedback, {}
    results, ok = algorithm.run(parameters, context, feedback)
    layers = {
        name: QgsProcessingUtils.mapLayerFromString(results[name], context)
        for name in ("OUTPUT", "SUMMITS", "CRATERS")
        if name in results
    }
    kept = {name: context.takeResultLayer(layer.id()) or layer for name, layer in layers.items()}
    return {**results, "ok": ok}, feedback, kept


def test_a_volcano_comes_with_summit_crater_and_measures(plugin, dem):
    results, feedback, layers = run(
        VOLCANOES, INPUT=dem, METHOD="morphometric", OUTPUT="memory:", SUMMITS="memory:", CRATERS="memory:"
    )

    assert results["ok"], feedback.errors
    assert results["COUNT"] == 1
    (volcano,) = layers["OUTPUT"].getFeatures()
    assert volcano["class"] == "cinder cone"
    assert volcano["height_m"] == pytest.approx(120.0, rel=0.1)
    assert volcano["crater_w_m"] == pytest.approx(320.0, rel=0.15)
    assert volcano["confidence"] > 0.5
    assert layers["OUTPUT"].crs().authid() == "EPSG:32633"
    (summit,) = layers["SUMMITS"].getFeatures()
    assert volcano.geometry().contains(summit.geometry())
    assert summit["summit_m"] == pytest.approx(420.0, abs=10.0)
    (crater,) = layers["CRATERS"].getFeatures()
    assert volcano.geometry().contains(crater.geometry())


def test_summits_and_craters_are_only_made_where_they_are_asked_for(plugin, dem):
    results, _, _ = run(VOLCANOES, INPUT=dem, METHOD="morphometric", OUTPUT="memory:")

    assert "SUMMITS" not in results
    assert "CRATERS" not in results


def test_nothing_found_is_an_empty_layer_and_a_sentence(plugin, tmp_path):
    flat = write_tif(tmp_path / "flat.tif", np.zeros((1, 80, 80), np.float32), transform=TRANSFORM)

    results, feedback, layers = run(VOLCANOES, INPUT=flat, OUTPUT="memory:")

    assert results["COUNT"] == 0
    assert layers["OUTPUT"].featureCount() == 0
    assert any("Nothing found" in warning for warning in feedback.warnings)


def test_heights_in_feet_are_said_to_be(plugin, tmp_path):
    away, _ = distances(utm_grid(SIZE, CELL), (100.0, 100.0), square(CELL))
    feet = (cone(away, 200.0, 600.0) / 0.3048).astype(np.float32)
    path = write_tif(tmp_path / "feet.tif", feet[None], transform=TRANSFORM)

    _, _, layers = run(VOLCANOES, INPUT=path, UNIT="feet", METHOD="morphometric", OUTPUT="memory:")

    (volcano,) = layers["OUTPUT"].getFeatures()
    assert volcano["height_m"] == pytest.approx(200.0, rel=0.1)


def test_cancelling_writes_nothing(plugin, dem, tmp_path):
    output = tmp_path / "out.gpkg"

    results, _, _ = run(VOLCANOES, Recorder(cancel_at="Tracing"), INPUT=dem, OUTPUT=str(output))

    assert "OUTPUT" not in results
    assert not output.exists()


def test_values_that_make_no_sense_are_refused_with_a_sentence(plugin, dem):
    results, _, _ = run(VOLCANOES, INPUT=dem, MIN_WIDTH=5.0, MAX_WIDTH=1.0, OUTPUT="memory:")

    assert "Exchange the two" in results["refused"]


def test_a_crater_is_a_closed_depression(plugin, dem):
    results, feedback, layers = run(DEPRESSIONS, INPUT=dem, OUTPUT="memory:")

    assert results["ok"], feedback.errors
    (hollow,) = layers["OUTPUT"].getFeatures()
    assert hollow["depth_m"] == pytest.approx(50.0, abs=5.0)
    assert hollow["width_m"] == pytest.approx(320.0, rel=0.1)
