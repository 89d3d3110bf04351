"""The algorithm where other code runs it: as a background task, and as a step of a model."""

from __future__ import annotations

import threading

import pytest
from prompt_segmenter.core.look import Looker
from prompt_segmenter.core.raster import crs
from prompt_segmenter.test.algorithms.conftest import bounds, centre, outline_of
from pytest_qgis.utils import wait_until
from qgis.core import (
    QgsApplication,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelOutput,
    QgsProcessingModelParameter,
    QgsProcessingParameterRasterLayer,
    QgsProcessingUtils,
    QgsProject,
    QgsTask,
)
from qgis.PyQt import sip

ALGORITHM = "promptsegmenter:segmentprompts"
pytestmark = pytest.mark.usefixtures("fake_model")


def test_it_runs_as_a_background_task_on_another_thread(scene, monkeypatch):
    threads, outcomes = [], []
    find = Looker.find
    monkeypatch.setattr(Looker, "find", lambda *a, **k: threads.append(threading.get_ident()) or find(*a, **k))
    context, feedback = QgsProcessingContext(), QgsProcessingFeedback()
    parameters = {
        "INPUT": scene,
        "INCLUDE": "Point ({} {})".format(*centre("a")),
        "SIMPLIFY": 0.0,
        "OUTPUT": "memory:",
    }
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(ALGORITHM)

    task = QgsProcessingAlgRunnerTask(algorithm, parameters, context, feedback)
    task.executed.connect(lambda ok, results: outcomes.append((ok, results)))
    QgsApplication.taskManager().addTask(task)
    wait_until(lambda: outcomes, timeout_milliseconds=20_000)

    ok, results = outcomes[0]
    assert ok
    assert threads
    assert threads[0] != threading.get_ident()
    layer = context.takeResultLayer(results["OUTPUT"])
    (feature,) = layer.getFeatures()
    assert outline_of(feature)[0] == pytest.approx(bounds("a"), abs=1e-6)


def test_removing_the_layer_in_the_middle_loses_nothing(scene, monkeypatch):
    begun, removed, outcomes = threading.Event(), threading.Event(), []
    find = Looker.find

    def waiting(*arguments, **options):
        begun.set()
        assert removed.wait(20)
        return find(*arguments, **options)

    monkeypatch.setattr(Looker, "find", waiting)
    QgsProject.instance().addMapLayer(scene)
    name = scene.id()
    context, feedback = QgsProcessingContext(), QgsProcessingFeedback()
    context.setProject(QgsProject.instance())
    click = "Point ({} {})".format(*centre("a"))
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(ALGORITHM)

    parameters = {"INPUT": name, "INCLUDE": click, "SIMPLIFY": 0.0, "OUTPUT": "memory:"}
    task = QgsProcessingAlgRunnerTask(algorithm, parameters, context, feedback)
    task.executed.connect(lambda ok, results: outcomes.append((ok, results)))
    QgsApplication.taskManager().addTask(task)
    wait_until(begun.is_set, timeout_milliseconds=20_000)
    QgsProject.instance().removeMapLayer(name)
    removed.set()
    wait_until(lambda: outcomes, timeout_milliseconds=20_000)

    ok, results = outcomes[0]
    assert ok
    assert sip.isdeleted(scene)
    (feature,) = context.takeResultLayer(results["OUTPUT"]).getFeatures()
    assert outline_of(feature)[0] == pytest.approx(bounds("a"), abs=1e-6)


def test_it_is_a_step_of_a_model(scene):
    static = QgsProcessingModelChildParameterSource.fromStaticValue
    child = QgsProcessingModelChildAlgorithm(ALGORITHM)
    child.setChildId("segment")
    child.addParameterSources("INPUT", [QgsProcessingModelChildParameterSource.fromModelParameter("image")])
    child.addParameterSources("INCLUDE", [static("Point ({} {})".format(*centre("b")))])
    child.addParameterSources("SIMPLIFY", [static(0.0)])
    output = QgsProcessingModelOutput("outlines")
    output.setChildId("segment")
    output.setChildOutputName("OUTPUT")
    child.setModelOutputs({"outlines": output})
    model = QgsProcessingModelAlgorithm("model", "group")
    model.addModelParameter(QgsProcessingParameterRasterLayer("image"), QgsProcessingModelParameter("image"))
    model.addChildAlgorithm(child)
    model.initAlgorithm()
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())

    results, ok = model.run({"image": scene, "segment:outlines": "memory:"}, context, QgsProcessingFeedback(), {})

    assert ok
    layer = QgsProcessingUtils.mapLayerFromString(results["segment:outlines"], context)
    (feature,) = layer.getFeatures()
    assert outline_of(feature)[0] == pytest.approx(bounds("b"), abs=1e-6)


class Measuring(QgsTask):
    """Uses PROJ in a thread of QGIS, whose Python state ends when ``run`` returns."""

    def __init__(self, seen):
        super().__init__("measuring")
        self.seen = seen

    def run(self):
        points = crs.transform_points([(15.0, 0.0)], "EPSG:4326", "EPSG:32633")
        self.seen.append((*points[0].round(3).tolist(), len(crs.ground_lengths(points, points, "EPSG:32633"))))
        return True


def test_proj_can_be_used_again_and_again_in_the_threads_of_qgis():
    seen = []
    for number in range(1, 7):
        task = Measuring(seen)
        QgsApplication.taskManager().addTask(task)
        assert wait_until(lambda number=number: len(seen) == number)
        assert wait_until(lambda: QgsApplication.taskManager().countActiveTasks() == 0)

    assert seen == [(500_000.0, 0.0, 1)] * 6
