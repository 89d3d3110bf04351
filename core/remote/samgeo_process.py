"""Running samgeo-api on this machine: started on the loopback, its words kept, stopped with all its children."""

from __future__ import annotations

import atexit
import os
import shlex
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ..errors import ServerUnavailableError
from ..progress import Progress, check
from ..redact import without_credentials
from .address import ServerAddress
from .exchange import Limits, NoAnswerError
from .http import OK, HttpClient, Patience
from .samgeo_refusal import parsed

COMMAND = "samgeo-api"
_PROBE = Limits(connect_s=1.0, silence_s=2.0, whole_s=3.0, answer_bytes=65536)
_LINES, _LINE_LENGTH = 2000, 500
_TOLD_LINES = 8
_POLL_S = 0.3
_TERM_S = 5.0
# QGIS sets these for its own Python, GDAL and PROJ; those of the server are others.
_NOT_HANDED_DOWN = ("PYTHONHOME", "PYTHONPATH", "GDAL_DATA", "GDAL_DRIVER_PATH", "PROJ_LIB", "PROJ_DATA")


class SamgeoProcess:
    """A samgeo-api server that this program runs. One at a time; may be started again after it was stopped.

    Parameters
    ----------
    command : str
        What starts it, as one would type it; ``--host 127.0.0.1 --port <free>`` is added. It is never given to a shell.
    environment : mapping, optional
        More environment variables for it.
    wait_s : float
        How long it may take until it answers.
    """

    def __init__(
        self, command: str = COMMAND, *, environment: Mapping[str, str] | None = None, wait_s: float = 60.0
    ) -> None:
        self._command = command
        self._environment = dict(environment or {})
        self._wait_s = wait_s
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._url = ""

    @property
    def is_running(self) -> bool:
        """True if it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def url(self) -> str:
        """Its base URL; empty while it does not run."""
        return self._url if self.is_running else ""

    def log(self) -> str:
        """Return what it has printed lately, errors too, without credentials."""
        return without_credentials("\n".join(list(self._lines)))

    def start(self, progress: Progress) -> str:
        """Start it, wait until it answers, and return its base URL; where it runs already that is all.

        Raises
        ------
        ServerUnavailableError
            If it is not installed, ends at once, or does not answer in time; the message has its last words. Nothing
            of it goes on running then.
        Cancelled
            If the user asked to stop; likewise.
        """
        if self.is_running:
            return self._url
        arguments = self._arguments()
        port = _free_port()
        url = f"http://127.0.0.1:{port}"
        self._lines.clear()
        try:
            self._process = _run([*arguments, "--host", "127.0.0.1", "--port", str(port)], self._surroundings())
        except OSError as error:
            raise ServerUnavailableError(
                f"'{arguments[0]}' can't be started: {error.strerror or error}.", hint="Check the command."
            ) from error
        atexit.register(self.stop)
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()
        try:
            self._wait_until_healthy(url, progress)
            self._url = url
        finally:
            if not self._url:
                self.stop()
        return url

    def stop(self) -> None:
        """End it and its children: politely, and after five seconds without ceremony."""
        process, self._process, self._url = self._process, None, ""
        atexit.unregister(self.stop)
        if process is None:
            return
        _signal_group(process, gentle=True)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_TERM_S)
        _signal_group(process, gentle=False)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_TERM_S)
        if self._reader is not None:
            self._reader.join(1.0)

    def _arguments(self) -> list[str]:
        try:
            words = shlex.split(self._command, posix=os.name != "nt")
        except ValueError as error:
            raise ServerUnavailableError(
                f"The command '{self._command}' can't be read: {error}.", hint="Check its quotes."
            ) from error
        words = [word.strip('"') for word in words]
        program = shutil.which(words[0]) if words else None
        if program is None:
            raise ServerUnavailableError(
                f"'{words[0] if words else ''}' is not on this machine.",
                hint='Install it in a Python of its own: pip install "segment-geospatial[api,samgeo3]", and give the '
                "whole path of its samgeo-api as the command.",
            )
        return [program, *words[1:]]

    def _surroundings(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name.upper() not in _NOT_HANDED_DOWN}
        return {**inherited, "PYTHONUNBUFFERED": "1", **self._environment}

    def _read(self, stream: Any) -> None:
        with stream:
            for line in stream:
                self._lines.append(line.rstrip()[:_LINE_LENGTH])

    def _wait_until_healthy(self, url: str, progress: Progress) -> None:
        http = HttpClient(ServerAddress(url), limits=_PROBE, patience=Patience(tries=1))
        begun = time.monotonic()
        while (passed := time.monotonic() - begun) < self._wait_s:
            check(progress)
            progress.report(min(passed / self._wait_s, 1.0), f"Starting samgeo-api, {passed:.0f} s")
            if not self.is_running:
                code = self._process.returncode if self._process is not None else None
                raise ServerUnavailableError(
                    f"samgeo-api ended at once (exit code {code}): {self._last_words()}",
                    hint="Look at its log; it may lack segment-geospatial[api].",
                )
            with suppress(NoAnswerError):
                reply = http.get("/health", _Quietly(progress))
                if reply.status == OK and parsed(reply).get("status") == "ok":
                    return
            time.sleep(_POLL_S)
        raise ServerUnavailableError(
            f"samgeo-api did not answer within {self._wait_s:.0f} s: {self._last_words()}", hint="Look at its log."
        )

    def _last_words(self) -> str:
        if self._reader is not None and not self.is_running:
            self._reader.join(1.0)
        return without_credentials(" / ".join(list(self._lines)[-_TOLD_LINES:])) or "it said nothing."


class _Quietly:
    """Passes cancellation on, and keeps what single questions report to itself."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def report(self, fraction: float, message: str = "") -> None:
        """Ignore the report."""

    def is_cancelled(self) -> bool:
        """Return what the other says."""
        return self._progress.is_cancelled()


def _run(arguments: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    """Start a program as the head of a group of its own, without a shell and without a window."""
    flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0)
    # The user's own command, in words and not by way of a shell.
    return subprocess.Popen(  # noqa: S603  # nosec B603
        arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=environment,
        start_new_session=os.name != "nt",
        creationflags=flags,
    )


def _signal_group(process: subprocess.Popen[str], *, gentle: bool) -> None:
    """Tell the program and all that it has started to end."""
    # it may be gone already; and on Windows Ctrl+Break reaches none that has no console in common with QGIS
    with suppress(OSError):
        if os.name == "nt":
            if gentle:
                process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM))
            else:
                process.kill()
        else:
            os.killpg(process.pid, signal.SIGTERM if gentle else signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
