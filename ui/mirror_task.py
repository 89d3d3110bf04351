"""A QgsTask that shows how far a piece of work in another thread is, and whose Cancel stops it."""

from __future__ import annotations

import threading
from typing import Protocol

from qgis.core import QgsTask

_POLL_S = 0.05


class Mirrored(Protocol):
    """What a task can show."""

    finished: threading.Event
    fraction: float

    def cancel(self) -> None:
        """Ask it to stop."""

    def is_cancelled(self) -> bool:
        """Return True once it was asked to stop."""


class MirrorTask(QgsTask):
    """An entry in the task manager for work that the worker does.

    Parameters
    ----------
    title : str
        What the task manager calls it.
    job : Mirrored
        What it shows.
    """

    def __init__(self, title: str, job: Mirrored) -> None:
        super().__init__(title, QgsTask.Flag.CanCancel)
        self._job = job

    def run(self) -> bool:
        """Follow the job until it is over; in a thread of the task manager, where nothing may be raised."""
        while not self._job.finished.wait(_POLL_S):
            if self._job.is_cancelled():
                # it will stop soon, or QGIS is closing and must not wait for it
                return False
            self.setProgress(100.0 * self._job.fraction)
        return not self._job.is_cancelled()

    def cancel(self) -> None:
        """Stop the job too; from the task manager's button, or because QGIS closes."""
        self._job.cancel()
        super().cancel()
