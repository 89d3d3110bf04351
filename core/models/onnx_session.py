"""An onnxruntime session with one policy for providers, threads, errors and cancellation."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import native
from ..errors import ModelFileError, ModelRunError, SettingsError, UnknownNameError
from ..progress import Progress, check
from .model import RuntimeSettings

logger = logging.getLogger(__name__)

CPU = "CPUExecutionProvider"
PROVIDERS = {
    "cpu": CPU,
    "cuda": "CUDAExecutionProvider",
    "directml": "DmlExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
}
_PROVIDER_OPTIONS = {
    # Grow by what is asked for and not by powers of two: a desktop shares its GPU with the map canvas.
    "CUDAExecutionProvider": {"arena_extend_strategy": "kSameAsRequested", "cudnn_conv_algo_search": "HEURISTIC"},
}
_POLL_S = 0.02
_LOG_ERRORS_ONLY = 3
_FAILURES = (
    "Fail",
    "InvalidArgument",
    "NoSuchFile",
    "NoModel",
    "EngineError",
    "RuntimeException",
    "InvalidProtobuf",
    "ModelLoaded",
    "NotImplemented",
    "InvalidGraph",
    "EPFail",
    "NotFound",
)
_DTYPES = {
    "float": "float32",
    "double": "float64",
    "float16": "float16",
    "uint8": "uint8",
    "int8": "int8",
    "uint16": "uint16",
    "int16": "int16",
    "int32": "int32",
    "int64": "int64",
    "bool": "bool",
}


@dataclass(frozen=True)
class TensorInfo:
    """One input or output of a graph, as the graph declares it."""

    name: str
    """Its name."""
    shape: tuple[int | None, ...]
    """Its size along each axis; None where it is free."""
    dtype: str
    """numpy name of its element type, else onnxruntime's own."""

    @property
    def rank(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __str__(self) -> str:
        return f"{self.name} {self.dtype}[{', '.join('?' if size is None else str(size) for size in self.shape)}]"


class OnnxSession:
    """A loaded graph. Opened from a path, so that weights beside it are found and nothing is held twice in memory.

    Parameters
    ----------
    path : str
        The graph's file.
    threads : int, optional
        Threads of one run; None for one less than the machine's physical cores.
    provider : str
        "auto" takes CUDA where this onnxruntime offers it and the CPU otherwise. "cpu", "cuda", "directml", "openvino"
        and "coreml" ask for one; where it can't be had the CPU is taken, with a warning in the log.

    Raises
    ------
    DependencyError
        If onnxruntime is missing.
    ModelFileError
        If the file isn't a graph that this onnxruntime can run.
    UnknownNameError, SettingsError
        If the provider or the number of threads makes no sense.
    """

    def __init__(self, path: str, *, threads: int | None = None, provider: str = "auto") -> None:
        self._ort = native.onnxruntime()
        self._failures = _failures(self._ort)
        self._name = Path(path).name
        self._session = self._open(path, threads, _provider_name(self._ort, provider))
        self.inputs = tuple(_describe(node) for node in self._session.get_inputs())
        self.outputs = tuple(_describe(node) for node in self._session.get_outputs())

    @classmethod
    def with_settings(cls, path: str, settings: RuntimeSettings) -> OnnxSession:
        """Return a session as the user's settings want it."""
        return cls(path, threads=settings.threads, provider=settings.provider)

    @property
    def provider(self) -> str:
        """The execution provider that was got, by onnxruntime's name."""
        return str(self._session.get_providers()[0])

    def run(
        self, feeds: Mapping[str, NDArray[Any]], outputs: Sequence[str], progress: Progress
    ) -> tuple[NDArray[Any], ...]:
        """Return the named outputs of one run.

        A cancelled progress ends the run between two nodes of the graph; the session can be used again.

        Raises
        ------
        ModelRunError
            If the graph fails, or is fed what it doesn't take.
        Cancelled
            If the user asked to stop, before or during the run.
        """
        check(progress)
        options = self._ort.RunOptions()
        finished = threading.Event()
        watcher = threading.Thread(target=_watch, args=(progress, options, finished), daemon=True)
        watcher.start()
        try:
            found = self._session.run(list(outputs), dict(feeds), options)
        except self._failures as error:
            check(progress)
            raise ModelRunError(
                f"The model file {self._name} failed while it ran: {_first_line(error)}.",
                hint="Free some memory, or use a smaller model, and try again.",
            ) from error
        finally:
            finished.set()
            watcher.join()
        check(progress)
        return tuple(np.asarray(array) for array in found)

    def _open(self, path: str, threads: int | None, provider: str) -> Any:
        options = self._options(threads, provider)
        if provider != CPU:
            try:
                session = self._ort.InferenceSession(
                    path, options, providers=[(provider, _PROVIDER_OPTIONS.get(provider, {})), CPU]
                )
            except self._failures as error:
                logger.warning("%s is not usable here (%s): the CPU is taken.", provider, _first_line(error))
            else:
                if session.get_providers()[0] != provider:
                    logger.warning("%s could not be loaded: the CPU is taken.", provider)
                return session
        try:
            return self._ort.InferenceSession(path, self._options(threads, CPU), providers=[CPU])
        except self._failures as error:
            plain = self._unoptimised(path, threads)
            if plain is not None:
                logger.warning("%s could not be optimised (%s): it runs as it is.", self._name, _first_line(error))
                return plain
            raise ModelFileError(
                f"The model file {path} can't be loaded: {_first_line(error)}.",
                hint="Fetch it again, or update onnxruntime if the file is newer than it.",
            ) from error

    def _unoptimised(self, path: str, threads: int | None) -> Any:
        """Return a session of the graph as it is, or None: some that are halved in precision break in optimisation."""
        options = self._options(threads, CPU)
        options.graph_optimization_level = self._ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        try:
            return self._ort.InferenceSession(path, options, providers=[CPU])
        except self._failures:
            return None

    def _options(self, threads: int | None, provider: str) -> Any:
        if threads is not None and threads < 1:
            raise SettingsError(f"A model can't run on {threads} threads.", hint="Use at least 1.")
        options = self._ort.SessionOptions()
        options.intra_op_num_threads = threads or max(1, physical_cores() - 1)
        options.inter_op_num_threads = 1
        options.log_severity_level = _LOG_ERRORS_ONLY
        # Threads that wait by spinning would keep cores busy after each click, for no gain in latency.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if provider == PROVIDERS["directml"]:
            options.enable_mem_pattern = False
        return options


def physical_cores() -> int:
    """Return how many physical cores this process may use (at least 1)."""
    if hasattr(os, "sched_getaffinity"):
        allowed = os.sched_getaffinity(0)
        siblings = set()
        for cpu in allowed:
            listed = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
            siblings.add(listed.read_text(encoding="ascii") if listed.exists() else str(cpu))
        return max(1, len(siblings))
    # No portable way to ask: half the logical ones are the cores under hyper-threading, and the fast ones of Apple's.
    return max(1, (os.cpu_count() or 2) // 2)


def _watch(progress: Progress, options: Any, finished: threading.Event) -> None:
    while not finished.wait(_POLL_S):
        if progress.is_cancelled():
            options.terminate = True
            return


def _provider_name(ort: ModuleType, provider: str) -> str:
    available = ort.get_available_providers()
    if provider == "auto":
        return PROVIDERS["cuda"] if PROVIDERS["cuda"] in available else CPU
    if provider not in PROVIDERS:
        raise UnknownNameError(
            f"There is no provider called '{provider}'.", hint=f"Use one of: auto, {', '.join(sorted(PROVIDERS))}."
        )
    if PROVIDERS[provider] not in available:
        logger.warning("This onnxruntime has no %s: the CPU is taken.", PROVIDERS[provider])
        return CPU
    return PROVIDERS[provider]


def _failures(ort: ModuleType) -> tuple[type[Exception], ...]:
    """Return what onnxruntime raises: its exceptions have no base of their own, and vary with the version."""
    state = ort.capi.onnxruntime_pybind11_state
    own = [getattr(state, name) for name in _FAILURES if hasattr(state, name)]
    return (*own, RuntimeError, ValueError, TypeError, MemoryError)


def _describe(node: Any) -> TensorInfo:
    shape = tuple(size if isinstance(size, int) and size >= 0 else None for size in node.shape)
    element = node.type[len("tensor(") : -1] if node.type.startswith("tensor(") else node.type
    return TensorInfo(node.name, shape, _DTYPES.get(element, element))


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
