"""What the algorithms write can be made again from its own attributes."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest
from prompt_segmenter.algorithms import replay
from prompt_segmenter.algorithms.bridge import move_bounds, move_geometry
from prompt_segmenter.algorithms.map_source import MapSource
from prompt_segmenter.core.models import catalogue
from prompt_segmenter.core.prompts.build import prompts
from prompt_segmenter.core.raster.crs import transform_points
from prompt_segmenter.core.session import SegmentationSession
from prompt_segmenter.test.algorithms.conftest import LEFT, PIXEL, TOP, FakeStore, bounds, centre, write_tif
from prompt_segmenter.test.helpers import processing_run
from prompt_segmenter.test.helpers.fake_model import SameBrightness
from prompt_segmenter.test.helpers.processing_run import Recorder, run
from prompt_segmenter.test.helpers.rasters import write_raster
from prompt_segmenter.ui.target_layer import TargetLayer
from pytest_qgis.utils import wait_until
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsMapSettings,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsSingleBandGrayRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize

pytestmark = pytest.mark.usefixtures("fake_model")
TURNED = (1.6, 1.2, LEFT, 1.2, -1.6, TOP)


@pytest.fixture(autouse=True)
def fake_store(fake_model, monkeypatch):
    class Store(FakeStore):
        def load(self, name, *, settings=None, progress=None):
            if name == "gone":
                return catalogue.get(name)
            return super().load(name)

    monkeypatch.setattr(replay, "ModelStore", Store)


def again(layer, feedback=None, **more):
    return processing_run.run(feedback, algorithm="promptsegmenter:replay", INPUT=layer, **more)


def point(name):
    x, y = centre(name)
    return f"Point ({x} {y})"


def both(scene):
    """Return the results of a click on one rectangle and, in degrees, of a box around the other."""
    xmin, xmax, ymin, ymax = bounds("b")
    corners = transform_points([(xmin - 4, ymin - 4), (xmax + 4, ymax + 4)], "EPSG:32633", "EPSG:4326")
    (left, bottom), (right, top) = corners.tolist()
    return [
        run(INPUT=scene, INCLUDE=point("a"), EXCLUDE=f"Point ({LEFT + 1} {TOP - 1})").layer,
        run(INPUT=scene, BOX=f"{left!r},{right!r},{bottom!r},{top!r} [EPSG:4326]").layer,
    ]


def statuses(outcome):
    assert not outcome.error and not outcome.refused
    return [feature["status"] for feature in outcome.features]


def wide(values=(40, 200, 120), dtype="uint8", bands=3):
    data = np.full((bands, 100, 120), values[0], dtype)
    data[:, 30:40, 20:40], data[:, 80:95, 90:102] = values[1], values[2]
    return data


RASTERS = {
    "8 bit": {"data": wide()},
    "16 bit": {"data": wide((310, 2900, 1777), "uint16") + np.arange(120, dtype=np.uint16)},
    "float": {"data": wide((0.1, 0.7, 0.33), "float32", bands=1)},
}


@pytest.mark.parametrize("name", list(RASTERS))
def test_what_the_algorithm_writes_comes_out_the_same(name, tmp_path):
    scene = QgsRasterLayer(write_tif(tmp_path / "scene.tif", **RASTERS[name]), "scene")

    for layer in both(scene):
        outcome = again(layer)

        assert statuses(outcome) == ["same"]
        assert (outcome.results["SAME"], outcome.results["DIFFERENT"], outcome.results["FAILED"]) == (1, 0, 0)
        (before,), (after,) = layer.getFeatures(), outcome.features
        assert after.geometry().equals(before.geometry())
        assert (after["verdict"], after["iou"], after["prompts"]) == ("same", 1.0, before["prompts"])


def test_several_objects_on_a_turned_raster_come_out_the_same_from_a_file(tmp_path):
    scene = QgsRasterLayer(write_tif(tmp_path / "scene.tif", wide(), transform=TURNED), "scene")
    clicks = [(1.6 * col + 1.2 * row + LEFT, 1.2 * col - 1.6 * row + TOP) for col, row in ((30, 35), (96, 88))]
    wkt = f"MultiPoint ({', '.join(f'({x} {y})' for x, y in clicks)})"
    output = str(tmp_path / "out.gpkg")

    run(INPUT=scene, INCLUDE=wkt, OBJECTS="each_point", OUTPUT=output)

    assert statuses(again(QgsVectorLayer(output, "out", "ogr"))) == ["same", "same"]


def test_a_palette_comes_out_the_same(tmp_path):
    palette = {0: (0, 90, 0, 255), 1: (200, 30, 30, 255), 2: (30, 130, 200, 255)}
    transform = (PIXEL, 0, LEFT, 0, -PIXEL, TOP)
    path = write_raster(tmp_path / "p.tif", wide((0, 1, 2), bands=1), palette=palette, transform=transform)

    outcome = again(run(INPUT=path, INCLUDE=point("a")).layer)

    assert statuses(outcome) == ["same"]
    assert outcome.features[0]["stretch"] == "bands=1 stretch=palette"


def test_a_styled_layer_comes_out_the_same_if_it_is_given(scene):
    scene.setRenderer(QgsSingleBandGrayRenderer(scene.dataProvider(), 1))
    layer = run(INPUT=scene, INCLUDE=point("a"), RENDER=True).layer

    assert statuses(again(layer, RASTER=scene)) == ["same"]


def test_a_moved_raster_fails_with_what_to_do_and_can_be_given(scene, tmp_path):
    layer = both(scene)[0]
    layer.startEditing()
    layer.changeAttributeValue(1, layer.fields().lookupField("source"), str(tmp_path / "gone.tif"))
    layer.commitChanges()

    lost, found = again(layer), again(layer, RASTER=scene)

    assert lost.results["FAILED"] == 1
    assert "gone.tif' is missing or can't be opened. Give the raster to use in its place (RASTER)." in statuses(lost)[0]
    assert not lost.features[0].hasGeometry()
    assert statuses(found) == ["same"]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("source", "map:EPSG:3857", "what the map showed"),
        ("source", "wms://url=https://***", "its secrets were not kept"),
        ("prompts", "here", "can't be understood"),
        ("model", "gone", "gone"),
        ("window", "", "window is empty"),
    ],
)
def test_what_cannot_be_made_again_does_not_stop_the_others(scene, field, value, words):
    layer = run(INPUT=scene, INCLUDE=f"MultiPoint ({point('a')[6:]}, {point('b')[6:]})", OBJECTS="each_point").layer
    assert layer.dataProvider().changeAttributeValues({1: {layer.fields().lookupField(field): value}})

    outcome = again(layer)

    assert [feature["verdict"] for feature in outcome.features] == ["failed", "same"]
    assert words in statuses(outcome)[0]


def test_an_edited_polygon_is_different(scene):
    layer = both(scene)[0]
    layer.startEditing()
    assert layer.moveVertex(LEFT + 10, TOP - 10, 1, 0)
    layer.commitChanges()

    outcome = again(layer)

    assert outcome.results["DIFFERENT"] == 1
    assert 0.0 < outcome.features[0]["iou"] < 0.99
    assert statuses(outcome)[0].startswith("different: IoU 0.")


def test_results_in_another_crs_come_out_in_that_crs(scene):
    layer = both(scene)[0]
    mercator = QgsCoordinateReferenceSystem("EPSG:3857")
    moved = QgsVectorLayer("MultiPolygon?crs=EPSG:3857", "moved", "memory")
    moved.dataProvider().addAttributes(layer.fields().toList())
    moved.updateFields()
    (feature,) = layer.getFeatures()
    feature.setGeometry(move_geometry(feature.geometry(), layer.crs(), mercator, QgsProject.instance()))
    assert moved.dataProvider().addFeature(feature)

    outcome = again(moved)

    assert statuses(outcome)[0].startswith("same")
    assert outcome.layer.crs().authid() == "EPSG:3857"
    assert outcome.features[0].geometry().boundingBox().center().distance(
        next(moved.getFeatures()).geometry().boundingBox().center()
    ) == pytest.approx(0.0, abs=0.01)


def test_a_replay_can_be_replayed(scene):
    outcome = again(again(both(scene)[0]).layer)

    assert statuses(outcome) == ["same"]
    assert [field.name() for field in outcome.layer.fields()].count("status") == 1


def test_a_cancelled_replay_has_no_outputs(scene):
    feedback = Recorder(cancel_at="Object 1")

    outcome = again(both(scene)[0], feedback)

    assert outcome.results == {}


class FullDisk:
    def addFeature(self, feature, flags):
        return False

    def lastError(self):
        return "disk full"


def test_an_output_that_cannot_be_written_is_taken_away_again(scene, tmp_path, monkeypatch):
    path = tmp_path / "out.gpkg"
    layer = both(scene)[0]
    path.write_bytes(b"half")
    monkeypatch.setattr(replay.ReplayAlgorithm, "parameterAsSink", lambda *_: (FullDisk(), str(path)))

    outcome = again(layer, OUTPUT=str(path))

    assert "disk full" in outcome.error
    assert not path.exists()


@pytest.mark.parametrize("drawn", [False, True])
def test_a_replay_runs_beside_the_window_in_another_thread(scene, drawn):
    layer = run(INPUT=scene, INCLUDE=point("a"), RENDER=drawn).layer
    context, feedback, ended = QgsProcessingContext(), Recorder(), []
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("promptsegmenter:replay")
    parameters = {"INPUT": layer, "RASTER": scene, "OUTPUT": "memory:"}
    context.setProject(QgsProject.instance())
    task = QgsProcessingAlgRunnerTask(algorithm, parameters, context, feedback)
    task.executed.connect(lambda ok, results: ended.append((ok, results["SAME"])))

    QgsApplication.taskManager().addTask(task)

    wait_until(lambda: ended, timeout_milliseconds=20_000)
    assert ended == [(True, 1)]


@pytest.mark.parametrize("transform", [(PIXEL, 0, LEFT, 0, -PIXEL, TOP), TURNED])
def test_a_raster_named_from_its_folder_is_found_from_another(tmp_path, monkeypatch, transform):
    write_tif(tmp_path / "scene.tif", wide(), transform=transform)
    (a, b, c, d, e, f), (col, row) = transform, (30, 35)
    monkeypatch.chdir(tmp_path)
    layer = run(INPUT="scene.tif", INCLUDE=f"Point ({a * col + b * row + c} {d * col + e * row + f})").layer
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    assert statuses(again(layer)) == ["same"]


@pytest.mark.parametrize("code", ["EPSG:3857", "EPSG:32633", "EPSG:4326"])
def test_what_the_canvas_showed_comes_out_the_same_from_its_one_raster(scene, code, qgis_new_project):
    crs = QgsCoordinateReferenceSystem(code)
    settings = QgsMapSettings()
    settings.setLayers([scene])
    settings.setDestinationCrs(crs)
    settings.setOutputSize(QSize(700, 500))
    settings.setExtent(QgsRectangle(*move_bounds(scene.extent(), scene.crs(), crs, QgsProject.instance())))
    ((x, y),) = transform_points([centre("a")], "EPSG:32633", code).tolist()
    with closing(MapSource(settings)) as source:
        result = SegmentationSession(source, SameBrightness()).segment([prompts(include=[(x, y)], crs=code)])
    layer = TargetLayer.new_memory_layer(QgsProject.instance(), "kept", crs)
    TargetLayer(layer).keep(result.polygons[0], code, result.provenance)
    assert layer.commitChanges()

    assert statuses(again(layer, RASTER=scene)) == ["same"]
