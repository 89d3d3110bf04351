"""One thread for all that takes time: clicks first, then the outline under the pointer, then views encoded ahead.

The window's thread only puts work into a mailbox and gets answers by queued signals. It never waits for a running
piece of work, except for a moment when QGIS or the plugin is closed.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QObject, Qt, QTimer, pyqtSignal

from ..core.errors import Cancelled
from .mirror_task import MirrorTask

SHOWN_AFTER_MS = 400
"""Work that lasts longer is shown in QGIS's task manager, with a Cancel."""
_TOLD_AFTER_MS = 150
"""What is over sooner would only flicker in the status line."""
_REPORT_EVERY_S = 0.1
_STOP_S = 2.0
_log = logging.getLogger(__name__)


class Urgency(IntEnum):
    """Whose turn it is; the smallest first."""

    CLICK = 0
    """Somebody waits for it. All of them are answered, but for those that a later one of the same kind replaces."""
    HOVER = 1
    """What a click would give; only the last one asked for counts."""
    AHEAD = 2
    """Work that may never be needed; only the last one asked for counts, and any click stops it."""


@dataclass(eq=False)
class Job:
    """A piece of work, and at the same time the core's progress of it."""

    work: Callable[[Job], Any]
    """Called in the worker's thread with the job itself as the progress."""
    urgency: Urgency
    """When it is its turn."""
    title: str = ""
    """What the task manager calls it."""
    about: Hashable = None
    """What it is about: a waiting click about the same is replaced."""
    finished: threading.Event = field(default_factory=threading.Event)
    """Set when it is over, however it ended."""
    fraction: float = 0.0
    """How much is done, 0 to 1."""
    message: str = ""
    """What is being done."""
    elapsed_s: float = 0.0
    """Seconds that it ran, once it is over."""
    reported_at: float = 0.0
    """When the window was last told how far it is."""
    told: Callable[[Job], None] | None = None
    """Tells the window how far it is."""
    is_shown: bool = True
    """Whether the task manager shows it, if it lasts."""
    _stop: threading.Event = field(default_factory=threading.Event)

    def cancel(self) -> None:
        """Ask it to stop; a running inference stops too. From any thread."""
        self._stop.set()

    def is_cancelled(self) -> bool:
        """Return True once it was asked to stop."""
        return self._stop.is_set()

    def report(self, fraction: float, message: str = "") -> None:
        """Say how much is done, and optionally what is being done now."""
        self.fraction = fraction
        self.message = message or self.message
        now = time.monotonic()
        if self.told is not None and now - self.reported_at >= _REPORT_EVERY_S:
            self.reported_at = now
            self.told(self)


class Worker(QObject):
    """Does one job at a time in a thread of its own, which is started with the first job.

    ``answered`` comes with the job and its result, ``failed`` with the job and the exception, ``cancelled`` with the
    job; ``progressed`` with the job, now and then. All arrive in the thread that this object lives in, in order.
    """

    answered = pyqtSignal(object, object)
    failed = pyqtSignal(object, object)
    cancelled = pyqtSignal(object)
    progressed = pyqtSignal(object)
    idle = pyqtSignal()
    _over = pyqtSignal(object, object, object)
    _started = pyqtSignal(object)
    _reported = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._clicks: deque[Job] = deque()
        self._speculative: dict[Urgency, Job] = {}
        self._running: Job | None = None
        self._wake = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None
        self._tasks: dict[Job, MirrorTask] = {}
        queued = Qt.ConnectionType.QueuedConnection
        self._over.connect(self._deliver, queued)
        self._started.connect(self._watch, queued)
        self._reported.connect(self._tell, queued)

    def submit(self, job: Job) -> Job:
        """Put a job into the mailbox and return it. A click stops all speculative work at once.

        A job that comes after :meth:`close` is cancelled and never run.
        """
        replaced: list[Job] = []
        with self._wake:
            if self._closed:
                job.cancel()
                job.finished.set()
                return job
            if job.urgency is Urgency.CLICK:
                replaced += self._take_speculative()
                same = [waiting for waiting in self._clicks if job.about is not None and waiting.about == job.about]
                for waiting in same:
                    self._clicks.remove(waiting)
                replaced += same
                self._clicks.append(job)
            else:
                if job.urgency in self._speculative:
                    replaced.append(self._speculative[job.urgency])
                self._speculative[job.urgency] = job
                self._stop_running(job.urgency)
            self._start()
            self._wake.notify()
        for old in replaced:
            self._end_unrun(old)
        return job

    def give_way(self) -> None:
        """Stop all speculative work, running or waiting, because a gesture has begun."""
        with self._wake:
            waiting = self._take_speculative()
        for job in waiting:
            self._end_unrun(job)

    def cancel_all(self) -> None:
        """Stop everything, running or waiting."""
        with self._wake:
            waiting = [*self._take_speculative(), *self._clicks]
            self._clicks.clear()
            self._stop_running(*Urgency)
        for job in waiting:
            self._end_unrun(job)

    @property
    def is_busy(self) -> bool:
        """True while anything runs or waits."""
        return self._running is not None or bool(self._clicks) or bool(self._speculative)

    def close(self, wait_s: float = _STOP_S) -> bool:
        """Stop everything for good, wait for the thread no longer than told, and return True if it has ended."""
        self.cancel_all()
        with self._wake:
            self._closed = True
            self._wake.notify()
            thread = self._thread
        if thread is not None:
            thread.join(wait_s)
        return thread is None or not thread.is_alive()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="prompt_segmenter", daemon=True)
            self._thread.start()

    def _take_speculative(self) -> list[Job]:
        """Empty the mailbox of speculative work, stop such work that runs, and return what was waiting."""
        waiting = list(self._speculative.values())
        self._speculative.clear()
        self._stop_running(Urgency.HOVER, Urgency.AHEAD)
        return waiting

    def _stop_running(self, *urgencies: Urgency) -> None:
        if self._running is not None and self._running.urgency in urgencies:
            self._running.cancel()

    def _end_unrun(self, job: Job) -> None:
        job.cancel()
        job.finished.set()
        self.cancelled.emit(job)

    def _work(self) -> None:
        """Do jobs until closed; in the worker's thread."""
        while (job := self._next()) is not None:
            begun = time.monotonic()
            result: Any = None
            error: BaseException | None = None
            self._started.emit(job)
            try:
                result = job.work(job)
            except Cancelled as stopped:
                error = stopped
            except Exception as failure:  # noqa: BLE001 (the thread's boundary: whatever it is, the window is told)
                error = failure
            job.elapsed_s = time.monotonic() - begun
            with self._wake:
                self._running = None
                closed = self._closed
            job.finished.set()
            if not closed:
                self._over.emit(job, result, error)

    def _next(self) -> Job | None:
        with self._wake:
            while not self._closed:
                job = self._first_waiting()
                if job is not None:
                    self._running = job
                    job.told, job.reported_at = self._report, time.monotonic()
                    return job
                self._wake.wait()
        return None

    def _first_waiting(self) -> Job | None:
        if self._clicks:
            return self._clicks.popleft()
        if self._speculative:
            return self._speculative.pop(min(self._speculative))
        return None

    def _report(self, job: Job) -> None:
        if not self._closed:
            self._reported.emit(job)

    def _deliver(self, job: Job, result: Any, error: BaseException | None) -> None:
        if self._closed:
            return
        # what was cancelled may still have come to its end: nobody asks for it any more
        if isinstance(error, Cancelled) or job.is_cancelled():
            self.cancelled.emit(job)
        elif error is not None:
            _log.warning("%s failed", job.title or job.urgency.name, exc_info=error)
            self.failed.emit(job, error)
        else:
            self.answered.emit(job, result)
        if not self.is_busy:
            self.idle.emit()

    def _tell(self, job: Job) -> None:
        if not self._closed and not job.finished.is_set() and not job.is_cancelled():
            self.progressed.emit(job)

    def _watch(self, job: Job) -> None:
        """Tell of a job that is not over in a moment, and show it in the task manager if it lasts."""
        if not job.finished.is_set() and not self._closed:
            QTimer.singleShot(_TOLD_AFTER_MS, lambda: self._tell(job))
            QTimer.singleShot(SHOWN_AFTER_MS, lambda: self._mirror(job))

    def _mirror(self, job: Job) -> None:
        if job.finished.is_set() or job.is_cancelled() or self._closed or not job.is_shown:
            return
        task = MirrorTask(job.title or QCoreApplication.translate("Worker", "Segmenting"), job)
        # Without a reference of our own, Python forgets the task and QGIS never hears of its end. The connections keep
        # this object, and with it the task, also when the plugin is unloaded in the middle.
        self._tasks[job] = task
        task.taskCompleted.connect(lambda: self._tasks.pop(job, None))
        task.taskTerminated.connect(lambda: self._tasks.pop(job, None))
        QgsApplication.taskManager().addTask(task)
