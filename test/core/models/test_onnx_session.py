from __future__ import annotations

import logging
import threading
import time

import numpy as np
import pytest
from prompt_segmenter.core import native
from prompt_segmenter.core.errors import (
    Cancelled,
    DependencyError,
    ModelFileError,
    ModelRunError,
    SettingsError,
    UnknownNameError,
)
from prompt_segmenter.core.models import onnx_session
from prompt_segmenter.core.models.model import RuntimeSettings
from prompt_segmenter.core.models.onnx_session import CPU, OnnxSession, TensorInfo
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.test.helpers import onnx_graphs


class StopAfter:
    """Cancelled some time after it was first asked."""

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds

    def report(self, fraction, message=""):
        pass

    def is_cancelled(self):
        return time.monotonic() > self.end


@pytest.fixture(scope="module")
def endless(tmp_path_factory):
    return str(onnx_graphs.save(onnx_graphs.endless(), tmp_path_factory.mktemp("graphs") / "endless.onnx"))


def feeds(rounds):
    return {"x": np.zeros(2, np.float32), "rounds": np.array(rounds, np.int64)}


def test_a_graph_tells_its_inputs_and_outputs(tmp_path):
    session = OnnxSession(str(onnx_graphs.save(onnx_graphs.encoder("B"), tmp_path / "b.onnx")))
    assert session.inputs == (TensorInfo("input_image", (None, None, 3), "float32"),)
    assert session.outputs == (TensorInfo("image_embeddings", (1, 256, 64, 64), "float32"),)
    assert session.inputs[0].rank == 3
    assert str(session.inputs[0]) == "input_image float32[?, ?, 3]"


def test_a_run_returns_the_named_outputs(endless):
    (total,) = OnnxSession(endless).run(feeds(5), ["y"], NullProgress())
    assert total.tolist() == [5.0, 5.0]


def test_a_cancelled_run_stops_and_the_session_goes_on(endless):
    session = OnnxSession(endless)
    with pytest.raises(Cancelled):
        session.run(feeds(10**15), ["y"], StopAfter(0.1))
    (total,) = session.run(feeds(3), ["y"], NullProgress())
    assert total.tolist() == [3.0, 3.0]


def test_a_progress_cancelled_before_runs_nothing(endless):
    session = OnnxSession(endless)
    with pytest.raises(Cancelled):
        session.run({}, ["y"], StopAfter(-1.0))


@pytest.mark.parametrize("rounds", [1, 10**15])
def test_no_thread_is_left_behind(endless, rounds):
    session = OnnxSession(endless)
    before = threading.active_count()
    try:
        session.run(feeds(rounds), ["y"], StopAfter(0.1))
    except Cancelled:
        assert rounds > 1
    assert threading.active_count() == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"x": np.zeros(3, np.float32), "rounds": np.array(1, np.int64)},
        {"x": np.zeros(2, np.float32)},
        {"z": np.zeros(1)},
    ],
    ids=["wrong shape", "missing input", "unknown input"],
)
def test_what_the_graph_does_not_take_is_a_run_error(endless, wrong):
    with pytest.raises(ModelRunError, match=r"endless\.onnx failed while it ran"):
        OnnxSession(endless).run(wrong, ["y"], NullProgress())


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"\x08\x08" + bytes(50)])
def test_a_file_that_is_no_graph_is_a_file_error(tmp_path, content):
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"broken\.onnx can't be loaded"):
        OnnxSession(str(path))


def test_a_missing_file_is_a_file_error(tmp_path):
    with pytest.raises(ModelFileError, match=r"nowhere\.onnx"):
        OnnxSession(str(tmp_path / "nowhere.onnx"))


def test_auto_is_the_cpu_where_there_is_no_cuda(endless, monkeypatch):
    monkeypatch.setattr(native.onnxruntime(), "get_available_providers", lambda: ["CoreMLExecutionProvider", CPU])
    assert OnnxSession(endless).provider == CPU


def test_a_provider_that_is_not_there_gives_the_cpu_with_a_warning(endless, caplog, monkeypatch):
    monkeypatch.setattr(native.onnxruntime(), "get_available_providers", lambda: [CPU])
    with caplog.at_level(logging.WARNING):
        session = OnnxSession(endless, provider="openvino")
    assert session.provider == CPU
    assert "OpenVINOExecutionProvider: the CPU is taken" in caplog.text


def test_a_provider_that_fails_gives_the_cpu_with_a_warning(endless, caplog, monkeypatch):
    ort = native.onnxruntime()
    real = ort.InferenceSession

    def fails_on_cuda(path, options, providers):
        if providers != [CPU]:
            raise RuntimeError("no driver\nlong trace")
        return real(path, options, providers=providers)

    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CUDAExecutionProvider", CPU])
    monkeypatch.setattr(ort, "InferenceSession", fails_on_cuda)
    with caplog.at_level(logging.WARNING):
        session = OnnxSession(endless)
    assert session.provider == CPU
    assert "CUDAExecutionProvider is not usable here (no driver)" in caplog.text


def test_a_graph_that_breaks_in_optimisation_runs_as_it_is_with_a_warning(endless, caplog, monkeypatch):
    ort = native.onnxruntime()
    plain, real = ort.GraphOptimizationLevel.ORT_DISABLE_ALL, ort.InferenceSession

    def fails_when_optimised(path, options, **others):
        if options.graph_optimization_level != plain:
            raise RuntimeError("a fusion lost a cast")
        return real(path, options, **others)

    monkeypatch.setattr(ort, "InferenceSession", fails_when_optimised)
    with caplog.at_level(logging.WARNING):
        (total,) = OnnxSession(endless).run(feeds(5), ["y"], NullProgress())
    assert total.tolist() == [5.0, 5.0]
    assert "a fusion lost a cast" in caplog.text


def test_an_unknown_provider_is_refused_with_those_that_exist(endless):
    with pytest.raises(UnknownNameError, match="auto, coreml, cpu, cuda, directml, openvino"):
        OnnxSession(endless, provider="tpu")


def test_settings_reach_the_session(endless, monkeypatch):
    asked = []
    real = native.onnxruntime().InferenceSession

    def spy(path, options, providers):
        asked.append(
            (options.intra_op_num_threads, options.get_session_config_entry("session.intra_op.allow_spinning"))
        )
        return real(path, options, providers=providers)

    monkeypatch.setattr(native.onnxruntime(), "InferenceSession", spy)
    OnnxSession.with_settings(endless, RuntimeSettings(threads=2, provider="cpu"))
    monkeypatch.setattr(onnx_session, "physical_cores", lambda: 8)
    OnnxSession(endless)
    monkeypatch.setattr(onnx_session, "physical_cores", lambda: 1)
    OnnxSession(endless)
    assert asked == [(2, "0"), (7, "0"), (1, "0")]


def test_no_thread_at_all_is_refused(endless):
    with pytest.raises(SettingsError, match="on 0 threads"):
        OnnxSession(endless, threads=0)


def test_there_is_at_least_one_core():
    assert onnx_session.physical_cores() >= 1


def test_cores_are_guessed_where_the_system_does_not_tell(monkeypatch):
    monkeypatch.delattr(onnx_session.os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(onnx_session.os, "cpu_count", lambda: 8)
    assert onnx_session.physical_cores() == 4
    monkeypatch.setattr(onnx_session.os, "cpu_count", lambda: None)
    assert onnx_session.physical_cores() == 1


def test_a_missing_onnxruntime_is_a_dependency_error(endless, monkeypatch):
    def absent():
        raise DependencyError("The Python package onnxruntime is not installed.", hint="Install it.")

    monkeypatch.setattr(onnx_session.native, "onnxruntime", absent)
    with pytest.raises(DependencyError):
        OnnxSession(endless)
