"""Progress on a terminal, and stopping on Ctrl+C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TextIO


def say(stream: TextIO, line: str) -> None:
    """Write one line."""
    stream.write(f"{line}\n")
    stream.flush()


class ConsoleProgress:
    """Shows progress on one line of a terminal, or each new message as a line where there is no terminal.

    Parameters
    ----------
    stream : TextIO
        Usually stderr.
    quiet : bool
        Show nothing; stopping works all the same.
    """

    def __init__(self, stream: TextIO, *, quiet: bool = False) -> None:
        self._stream = stream
        self._quiet = quiet
        self._live = stream.isatty()
        self._message = ""
        self._shown = ""
        self._stop = threading.Event()

    def report(self, fraction: float, message: str = "") -> None:
        """Show how much is done; the last message stays where none is given."""
        if self._quiet:
            return
        is_new = bool(message) and message != self._message
        self._message = message or self._message
        if self._live:
            line = f"{min(max(fraction, 0.0), 1.0):4.0%} {self._message}"
            if line != self._shown:
                self._stream.write(f"\r{line.ljust(len(self._shown))}")
                self._stream.flush()
                self._shown = line
        elif is_new:
            say(self._stream, self._message)

    def is_cancelled(self) -> bool:
        """Return True once stopping was asked for."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask to stop."""
        self._stop.set()

    def done(self) -> None:
        """Clear the line, so that what follows begins on its own."""
        if self._live and self._shown:
            self._stream.write(f"\r{' ' * len(self._shown)}\r")
            self._stream.flush()
            self._shown = ""


@contextmanager
def stopping(progress: ConsoleProgress) -> Iterator[None]:
    """Let Ctrl+C stop the work inside in good order; a second one ends the program at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_signal: int, _frame: FrameType | None) -> None:
        progress.stop()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
