"""Installs the one onnxruntime wheel into the profile, with QGIS's own Python as a child process.

Nothing else is fetched (``--no-deps``): numpy and everything that QGIS brings stay as they are.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from qgis.PyQt.QtCore import QCoreApplication, QObject, QProcess, QProcessEnvironment, pyqtSignal

from ..algorithms import own_packages

PACKAGE = "onnxruntime"
_LAST_FOR = {(3, 9): "1.20", (3, 10): "1.24"}
"""The first version without wheels for a Python; from 1.19 on, wheels run with numpy 1 and 2 alike."""
_KILL_AFTER_MS = 3000


def requirement(python: tuple[int, int] | None = None) -> str:
    """Return the versions of onnxruntime that run on a version of Python, this one's by default, as pip reads them."""
    python = python or (sys.version_info.major, sys.version_info.minor)
    return f"{PACKAGE}>=1.19,<{_LAST_FOR.get(python, '2')}"


def python_program(executable: str = sys.executable, prefix: str = sys.exec_prefix) -> str:
    """Return QGIS's own Python as a program, or nothing if there is none.

    On Windows and macOS ``sys.executable`` is QGIS itself: started with pip's arguments it would open a second window.
    """
    for path in _candidates(Path(executable), Path(prefix)):
        if path.name.lower().startswith("python") and os.access(path, os.X_OK) and path.is_file():
            return str(path)
    return ""


def has_pip(find: Callable[[str], Any] = importlib.util.find_spec) -> bool:
    """Return True if QGIS's Python has pip; on Debian it is a package of its own."""
    return find("pip") is not None


def arguments(target: Path) -> list[str]:
    """Return what pip is told."""
    return [
        *("-m", "pip", "install", "--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check"),
        *("--no-warn-script-location", "--timeout=20", "--retries=2", "--target", str(target), requirement()),
    ]


class PackageInstall(QObject):
    """Runs pip beside QGIS. ``said`` is emitted with each piece of its output, ``ended`` with whether it worked.

    Parameters
    ----------
    program : str
        QGIS's Python, from :func:`python_program`.
    parent : QObject, optional
        Owner.
    """

    said = pyqtSignal(str)
    ended = pyqtSignal(bool, str)

    def __init__(self, program: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._program = program
        self._cancelled = False
        self._target = own_packages.folder()
        self._process = QProcess(self)
        self._process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.finished.connect(self._finish)
        self._process.errorOccurred.connect(self._fail)

    def is_running(self) -> bool:
        """Return True from :meth:`start` until ``ended``."""
        return bool(self._process.state() != QProcess.ProcessState.NotRunning)

    def start(self) -> None:
        """Begin; returns at once."""
        self._cancelled = False
        self._part().parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self._part(), ignore_errors=True)
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("PYTHONUNBUFFERED", "1")
        self._process.setProcessEnvironment(environment)
        self._process.start(self._program, arguments(self._part()))

    def cancel(self) -> None:
        """Stop it; what had come is thrown away."""
        if self.is_running():
            self._cancelled = True
            self._process.terminate()
            if not self._process.waitForFinished(_KILL_AFTER_MS // 30):
                self._process.kill()

    def _part(self) -> Path:
        """Return where pip writes to: only what came whole is given the folder's own name."""
        return self._target.with_name(f"{self._target.name}.part")

    def _read(self) -> None:
        self.said.emit(bytes(self._process.readAllStandardOutput()).decode("utf-8", "replace"))

    def _fail(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self.ended.emit(False, tr("{program} can't be started.").format(program=self._program))

    def _finish(self, status: int, how: QProcess.ExitStatus) -> None:
        self._read()
        if self._cancelled or status != 0 or how != QProcess.ExitStatus.NormalExit:
            shutil.rmtree(self._part(), ignore_errors=True)
            reason = tr("Cancelled.") if self._cancelled else tr("pip ended with status {n}.").format(n=status)
            self.ended.emit(False, reason)
            return
        try:
            shutil.rmtree(self._target, ignore_errors=True)
            self._part().replace(self._target)
        except OSError as error:
            self.ended.emit(False, str(error))
            return
        own_packages.make_importable()
        self.ended.emit(True, "")


def _candidates(executable: Path, prefix: Path) -> Iterator[Path]:
    numbered = f"python{sys.version_info.major}.{sys.version_info.minor}"
    yield executable
    for folder in (prefix, prefix / "bin", executable.parent, executable.parent / "bin"):
        for name in ("python.exe", "python3.exe", "python3", numbered):
            yield folder / name


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("PackageInstall", text)
