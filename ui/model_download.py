"""Fetches models in the background, with QGIS's own progress and Cancel."""

from __future__ import annotations

from qgis.core import QgsApplication, QgsTask
from qgis.PyQt.QtCore import QCoreApplication, QObject, pyqtSignal

from ..core.errors import Cancelled
from ..core.models.model import ModelSpec
from ..core.models.store import ModelStore


class ModelDownloads(QObject):
    """Starts downloads and keeps hold of them.

    ``arrived`` is emitted with a model's name once its files are here and verified, ``failed`` with the name and the
    error. A download that was cancelled is neither: what had come of it is kept to be resumed.
    """

    arrived = pyqtSignal(str)
    failed = pyqtSignal(str, object)
    progressed = pyqtSignal(str, float)

    def __init__(self, parent: QObject | None = None, *, store: ModelStore | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._tasks: dict[str, _Fetch] = {}

    def start(self, name: str) -> None:
        """Fetch a model, unless that is going on already; returns at once."""
        if name in self._tasks:
            return
        # each task has a store of its own, because a store is for one thread
        store = self._store or ModelStore()
        task = _Fetch(store.get(name), store, self)
        self._tasks[name] = task
        task.progressChanged.connect(lambda percent: self.progressed.emit(name, percent / 100.0))
        QgsApplication.taskManager().addTask(task)

    def is_running(self, name: str) -> bool:
        """Return True while a model is being fetched."""
        return name in self._tasks

    def cancel(self) -> None:
        """Stop all, for example when the plugin is unloaded."""
        for task in list(self._tasks.values()):
            task.cancel()

    def end(self, name: str, error: Exception | None, *, cancelled: bool) -> None:
        """Say how a task ended; called by it on the GUI thread."""
        self._tasks.pop(name, None)
        if error is not None:
            self.failed.emit(name, error)
        elif not cancelled:
            self.arrived.emit(name)


class _Fetch(QgsTask):
    """One download."""

    def __init__(self, spec: ModelSpec, store: ModelStore, owner: ModelDownloads) -> None:
        super().__init__(tr("Download the model {title}").format(title=spec.title), QgsTask.Flag.CanCancel)
        self._spec, self._store, self._owner = spec, store, owner
        self._error: Exception | None = None

    def run(self) -> bool:
        """Fetch; on a thread of the task manager."""
        try:
            self._store.fetch(self._spec, self)
        except Cancelled:
            return False
        except Exception as error:  # noqa: BLE001 (one that leaves here ends QGIS)
            self._error = error
            return False
        return True

    def finished(self, result: bool) -> None:
        """Tell the owner; on the GUI thread."""
        self._owner.end(self._spec.name, self._error, cancelled=not result)

    def report(self, fraction: float, message: str = "") -> None:
        """Take the core's progress."""
        self.setProgress(100.0 * fraction)

    def is_cancelled(self) -> bool:
        """Return True once the user has pressed Cancel."""
        return bool(self.isCanceled())


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("ModelDownloads", text)
