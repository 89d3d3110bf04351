"""How a server is, asked in a thread of its own: the window never waits for a server."""

from __future__ import annotations

from collections.abc import Callable

from qgis.PyQt.QtCore import QObject, pyqtSignal

from ..core.progress import Progress
from ..core.remote.address import ServerAddress, warnings_of
from ..core.remote.samgeo_status import SamgeoStatus, samgeo_status
from ..core.remote.samgis import SamgisClient
from .worker import Job, Urgency, Worker

Ask = Callable[[ServerAddress, Progress], object]


class ServerInquiry(QObject):
    """One question at a time; a new one takes the place of the one before.

    ``answered`` comes with what ``ask`` returned, ``failed`` with the exception.

    Parameters
    ----------
    ask : callable
        Asks a server; called in the thread.
    """

    answered = pyqtSignal(object)
    failed = pyqtSignal(object)

    def __init__(self, ask: Ask, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ask = ask
        self._job: Job | None = None
        self._worker = Worker(self)
        self._worker.answered.connect(self._take)
        self._worker.failed.connect(self._fail)

    @property
    def is_asking(self) -> bool:
        """True while an answer is waited for."""
        return self._job is not None

    def start(self, address: ServerAddress) -> None:
        """Ask a server; returns at once."""
        self.cancel()
        # a question every few seconds is nothing for the task manager
        self._job = Job(lambda progress: self._ask(address, progress), Urgency.CLICK, is_shown=False)
        self._worker.submit(self._job)

    def cancel(self) -> None:
        """Ask no longer."""
        self._job = None
        self._worker.cancel_all()

    def close(self) -> bool:
        """Stop for good; return True if the thread has ended."""
        self._job = None
        return self._worker.close()

    def _take(self, job: Job, answer: object) -> None:
        if job is self._job:
            self._job = None
            self.answered.emit(answer)

    def _fail(self, job: Job, error: Exception) -> None:
        if job is self._job:
            self._job = None
            self.failed.emit(error)


def ask_samgeo(address: ServerAddress, progress: Progress) -> SamgeoStatus:
    """Return how a samgeo server is."""
    return samgeo_status(address, progress)


def ask_samgis(address: ServerAddress, progress: Progress) -> list[str]:
    """Return how a SamGIS server is, in sentences.

    Raises
    ------
    SegmentError
        Says what is the matter with it.
    """
    SamgisClient(address).require_alive(progress)
    return [f"{address.shown} is there and has its models.", *warnings_of(address)]
