"""Progress and cancellation: one argument that goes down through every long work."""

from __future__ import annotations

from typing import Protocol

from .errors import Cancelled


class Progress(Protocol):
    """What long work reports to, and asks whether it should stop."""

    def report(self, fraction: float, message: str = "") -> None:
        """Say how much is done (0 to 1), and optionally what is being done now."""

    def is_cancelled(self) -> bool:
        """Return True once the user has asked to stop. May be called from any thread."""


class NullProgress:
    """A progress that nobody watches and nobody cancels."""

    def report(self, fraction: float, message: str = "") -> None:
        """Ignore the report."""

    def is_cancelled(self) -> bool:
        """Return False, always."""
        return False


class SubProgress:
    """A share of a parent's progress, so that a step can report 0 to 1 of its own.

    Parameters
    ----------
    parent : Progress
        Where reports go to.
    start, stop : float
        The share of the parent's range (0 to 1) that this step fills.

    Examples
    --------
    >>> half = SubProgress(NullProgress(), 0.0, 0.5)
    >>> half.report(0.5)
    """

    def __init__(self, parent: Progress, start: float, stop: float) -> None:
        self._parent = parent
        self._start = start
        self._stop = stop

    def report(self, fraction: float, message: str = "") -> None:
        """Report ``fraction`` of this step to the parent."""
        inside = min(max(fraction, 0.0), 1.0)
        self._parent.report(self._start + inside * (self._stop - self._start), message)

    def is_cancelled(self) -> bool:
        """Return what the parent says."""
        return self._parent.is_cancelled()


def check(progress: Progress) -> None:
    """Raise :class:`Cancelled` if the user has asked to stop."""
    if progress.is_cancelled():
        raise Cancelled("Stopped on request.")
