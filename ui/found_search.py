"""Objects of an image are looked for in a thread of their own, and appear one batch after the other while it runs."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from qgis.PyQt.QtCore import QObject, Qt, QTimer, pyqtSignal

from ..core.outlines.results import SegmentationResult, SegmentedPolygon
from ..core.progress import Progress
from ..core.scan import ScanSettings
from ..core.search import Machine, Wanted, WantedOnMap, search
from .session_source import Pixels
from .worker import Job, Urgency, Worker

_MOST = 100
"""Objects that are written at once."""


@dataclass(eq=False)
class Run:
    """One search, from its begin to its end."""

    title: str
    """What the task manager calls it."""
    pixels: Pixels
    """Where it looks; closed when it is over."""
    wanted: Wanted | WantedOnMap
    """What it looks for."""
    settings: ScanSettings
    """How."""
    machine: Machine
    """With which models; used in the search's thread only."""
    is_remote: bool = False
    """True if a server does the work, whose progress nobody knows."""
    layer_id: str = ""
    """The layer that is looked at; empty for what the canvas shows."""
    begun: bool = False
    """True once its thread has taken it up."""
    ending: threading.Event = field(default_factory=threading.Event)
    """Set when it is to come to an end with what it has."""


class FoundSearch(QObject):
    """One search at a time.

    Each signal comes with the run: ``arrived`` with a batch of objects, ``found`` with the whole result, ``failed``
    with the exception, ``working`` with a sentence and how much is done (0 to 1, None where nobody knows). Of a search
    that was stopped only ``stopped`` comes, unless it keeps what it has: then ``found``. ``busy_changed`` tells others
    when they can't start one, or can again.
    """

    arrived = pyqtSignal(object, object)
    found = pyqtSignal(object, object)
    failed = pyqtSignal(object, object)
    stopped = pyqtSignal(object)
    working = pyqtSignal(object, str, object)
    busy_changed = pyqtSignal(bool)
    _batch = pyqtSignal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._job: Job | None = None
        self.run: Run | None = None
        """The search that somebody waits for; None while there is none."""
        self._worker = Worker(self)
        self._worker.answered.connect(lambda job, result: self._later(lambda: self._take(job, result)))
        self._worker.failed.connect(lambda job, error: self._later(lambda: self._fail(job, error)))
        self._worker.cancelled.connect(lambda job: self._later(lambda: self._end(job)))
        self._worker.progressed.connect(self._tell)
        self._batch.connect(self._receive, Qt.ConnectionType.QueuedConnection)
        self._due: deque[Callable[[], None]] = deque()
        self._turn = QTimer(self)
        self._turn.setInterval(0)
        self._turn.timeout.connect(self._do_next)

    def start(self, run: Run) -> None:
        """Begin a search, in place of the one that runs; returns at once."""
        self.cancel(keep=False)
        job = Job(lambda progress: _search(run, progress, self._send), Urgency.CLICK, run.title)
        self._job, self.run = job, run
        self.busy_changed.emit(True)
        self._worker.submit(job)

    def cancel(self, *, keep: bool) -> None:
        """Stop the search at once, whose thread ends a moment later.

        With ``keep`` it ends by itself with what it has, and a second call does not wait for that.
        """
        run, job = self.run, self._job
        if run is None or job is None:
            return
        if keep and run.settings.keep_on_cancel and not run.ending.is_set():
            run.ending.set()
            return
        self._forget()
        job.cancel()
        self._worker.cancel_all()
        if not run.begun and job.finished.is_set():
            run.pixels.close()
        self.stopped.emit(run)

    def close(self) -> bool:
        """Stop for good; return True if the thread has ended."""
        self.run = self._job = None
        self._due.clear()
        return self._worker.close()

    def _send(self, run: Run, found: Sequence[SegmentedPolygon]) -> None:
        """Hand objects to the window's thread; from the search's."""
        for first in range(0, len(found), _MOST):
            self._batch.emit(run, tuple(found[first : first + _MOST]))

    def _receive(self, run: Run, found: tuple[SegmentedPolygon, ...]) -> None:
        self._later(lambda: self._pass_on(run, found))

    def _later(self, call: Callable[[], None]) -> None:
        """Do something when what came before it is done, one thing in each turn of the event loop.

        What is waiting for this thread is else done all at once; like this the window draws and answers in between.
        """
        self._due.append(call)
        if not self._turn.isActive():
            self._turn.start()

    def _do_next(self) -> None:
        if self._due:
            self._due.popleft()()
        if not self._due:
            self._turn.stop()

    def _pass_on(self, run: Run, found: tuple[SegmentedPolygon, ...]) -> None:
        if run is self.run:
            self.arrived.emit(run, found)

    def _take(self, job: Job, result: SegmentationResult) -> None:
        if job is self._job and (run := self._forget()) is not None:
            self.found.emit(run, result)

    def _fail(self, job: Job, error: Exception) -> None:
        if job is self._job and (run := self._forget()) is not None:
            self.failed.emit(run, error)

    def _end(self, job: Job) -> None:
        # from the task manager's button, or stopped before it had anything to keep
        if job is self._job and (run := self._forget()) is not None:
            self.stopped.emit(run)

    def _tell(self, job: Job) -> None:
        if job is self._job and self.run is not None and not self.run.ending.is_set():
            self.working.emit(self.run, job.message, None if self.run.is_remote else job.fraction)

    def _forget(self) -> Run | None:
        run, self.run, self._job = self.run, None, None
        self.busy_changed.emit(False)
        return run


class _Asked:
    """The job's progress, which is also over when the run is to end with what it has."""

    def __init__(self, progress: Progress, run: Run) -> None:
        self._progress = progress
        self._run = run

    def report(self, fraction: float, message: str = "") -> None:
        """Pass it on."""
        self._progress.report(fraction, message)

    def is_cancelled(self) -> bool:
        """Return True once the work is to end, whatever becomes of its result."""
        return self._run.ending.is_set() or self._progress.is_cancelled()


def _search(
    run: Run, progress: Progress, send: Callable[[Run, Sequence[SegmentedPolygon]], None]
) -> SegmentationResult:
    """Return what is found; in the search's thread."""
    run.begun = True
    with closing(run.pixels):
        asked = _Asked(progress, run)
        source = run.pixels.opened()
        result = search(source, run.wanted, run.settings, run.machine, asked, on_found=lambda found: send(run, found))
        doubts = run.pixels.doubts()
    return replace(result, warnings=(*result.warnings, *doubts)) if doubts else result
