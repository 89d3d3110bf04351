"""A samgeo-api server that QGIS starts, watches and ends: all in the background, and never longer than QGIS runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from qgis.PyQt.QtCore import QCoreApplication, QObject, QTimer, pyqtSignal

from ..algorithms import server_settings
from ..core.progress import Progress
from ..core.remote.samgeo_process import COMMAND, SamgeoProcess
from .worker import Job, Urgency, Worker

_LOOK_MS = 500
_UNLOAD_S = 1.5
_QUIT_S = 8.0


class Process(Protocol):
    """What can be run; :class:`SamgeoProcess` in earnest."""

    @property
    def is_running(self) -> bool:
        """True if it was started and has not ended."""

    def start(self, progress: Progress) -> str:
        """Start it and return its base URL once it answers."""

    def log(self) -> str:
        """Return what it has printed lately."""

    def stop(self) -> None:
        """End it; may take seconds."""


class SamgeoRunner(QObject):
    """Runs one server.

    ``started`` comes with its address, ``failed`` with the exception that kept it from starting, ``stopped`` when it
    has ended for whatever reason, ``said`` with its log, ``starting`` with how far the start is.

    Parameters
    ----------
    make : callable
        Makes the process of a command.
    """

    started = pyqtSignal(str)
    failed = pyqtSignal(object)
    stopped = pyqtSignal()
    said = pyqtSignal(str)
    starting = pyqtSignal(str, float)

    def __init__(self, make: Callable[[str], Process] = SamgeoProcess, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._make = make
        self._process: Process | None = None
        self._job: Job | None = None
        self._is_closed = False
        self._worker = Worker(self)
        self._worker.answered.connect(self._begin)
        self._worker.failed.connect(self._fail)
        self._worker.cancelled.connect(self._give_up)
        self._worker.progressed.connect(lambda job: self.starting.emit(job.message, job.fraction))
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._look)

    @property
    def is_running(self) -> bool:
        """True while the server runs or is being started."""
        return self._process is not None

    def start(self, command: str) -> None:
        """Start a server; returns at once. While one runs, nothing happens."""
        if self._process is not None or self._is_closed:
            return
        process = self._process = self._make(command or COMMAND)
        title = QCoreApplication.translate("SamgeoRunner", "Start samgeo-api")
        self._job = Job(process.start, Urgency.CLICK, title)
        self._timer.start()
        self._worker.submit(self._job)

    def stop(self) -> None:
        """End the server, or its start; returns at once."""
        if self._job is not None:
            self._worker.cancel_all()
        elif self._process is not None:
            self._end_in_the_background()
            self._forget()

    def close(self, wait_s: float = _UNLOAD_S) -> bool:
        """End the server for good; return True if it has ended within the time, else it does so a moment later."""
        self._is_closed = True
        self._timer.stop()
        process = self._process
        self._worker.close(0.0)
        self._forget(tell=False)
        if process is None:
            return True
        thread = _ending(process)
        thread.join(wait_s)
        return not thread.is_alive()

    def close_with_qgis(self) -> None:
        """End the server and wait for it: nothing of it may stay when QGIS has gone."""
        self.close(_QUIT_S)

    def _begin(self, job: Job, url: str) -> None:
        self._job = None
        server_settings.announce(url)
        self.started.emit(url)

    def _fail(self, job: Job, error: Exception) -> None:
        self._look()
        self._forget()
        self.failed.emit(error)

    def _give_up(self, job: Job) -> None:
        # a start that is cancelled ends what it has started; one that came to its end at that moment does not
        self._end_in_the_background()
        self._forget()

    def _look(self) -> None:
        if self._process is None:
            return
        self.said.emit(self._process.log())
        if self._job is None and not self._process.is_running:
            self._forget()

    def _end_in_the_background(self) -> None:
        if self._process is not None:
            _ending(self._process)

    def _forget(self, *, tell: bool = True) -> None:
        self._job, self._process = None, None
        self._timer.stop()
        server_settings.announce("")
        if tell:
            self.stopped.emit()


def _ending(process: Process) -> threading.Thread:
    """Return a thread that ends a process. It is no daemon: Python waits for it before it ends itself."""
    thread = threading.Thread(target=process.stop, name="prompt_segmenter_stop")
    thread.start()
    return thread
