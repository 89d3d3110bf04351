"""Landforms are looked for in a thread of their own; the task manager shows it, and a Cancel is obeyed at once."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from qgis.core import QgsRasterLayer
from qgis.PyQt.QtCore import QCoreApplication, QObject, pyqtSignal

from ..algorithms import server_settings
from ..algorithms.terrain_source import AUTO, layer_elevation, untwisted
from ..core.models.model import RuntimeSettings
from ..core.models.store import ModelStore
from ..core.progress import Progress
from ..core.raster.source import RasterSource
from ..core.session import SegmentationSession
from ..core.terrain.composite_source import CompositeSource
from ..core.terrain.finders import FINDERS, FinderSettings
from ..core.terrain.landform import LandformResult
from ..core.terrain.outliner import OutlineMethod, Outliner, SessionOutliner
from .worker import Job, Urgency, Worker


@dataclass(frozen=True)
class Wanted:
    """What is looked for."""

    finder: str
    """Name in the registry of finders."""
    settings: FinderSettings
    """How."""
    model: str
    """The model that is asked for outlines, where the settings want one."""


@dataclass(frozen=True)
class Findings:
    """What was found, and where."""

    result: LandformResult
    """The landforms."""
    wanted: Wanted
    """What was looked for."""
    layer_id: str
    """The DEM's layer."""
    source: str
    """What the DEM is read from."""


class LandformSearch(QObject):
    """One search at a time.

    ``found`` comes with :class:`Findings`, ``failed`` with the exception, ``working`` with a sentence and how much is
    done (0 to 1); of a search that was stopped nothing comes.

    Parameters
    ----------
    store : ModelStore, optional
        Where weights are.
    """

    found = pyqtSignal(object)
    failed = pyqtSignal(object)
    stopped = pyqtSignal()
    working = pyqtSignal(str, float)

    def __init__(self, store: ModelStore | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._job: Job | None = None
        self.layer_id = ""
        """The layer that is being searched; empty while none is."""
        self._worker = Worker(self)
        self._worker.answered.connect(self._take)
        self._worker.failed.connect(self._fail)
        self._worker.cancelled.connect(self._end)
        self._worker.progressed.connect(self._tell)

    @property
    def is_running(self) -> bool:
        """True while somebody waits for a search."""
        return self._job is not None

    def start(self, layer: QgsRasterLayer, wanted: Wanted) -> None:
        """Search a DEM, in place of what is being searched. Copies the layer; reads nothing.

        Raises
        ------
        SegmentError
            If the layer holds no elevations.
        """
        self.cancel()
        source, layer_id = layer_elevation(layer, AUTO), layer.id()
        store = self._store or ModelStore()
        runtime = server_settings.runtime(wanted.model)
        job = Job(
            lambda progress: Findings(_search(source, wanted, store, runtime, progress), wanted, layer_id, source.uri),
            Urgency.CLICK,
            tr("Find landforms"),
        )
        self._job, self.layer_id = job, layer_id
        self._worker.submit(job)

    def cancel(self) -> None:
        """Stop the search. Its thread ends a moment later, and nobody waits for that."""
        if self._job is not None:
            self._job, self.layer_id = None, ""
            self._worker.cancel_all()
            self.stopped.emit()

    def close(self) -> bool:
        """Stop for good; return True if the thread has ended."""
        self._job, self.layer_id = None, ""
        return self._worker.close()

    def _take(self, job: Job, findings: Findings) -> None:
        if job is self._job:
            self._job, self.layer_id = None, ""
            self.found.emit(findings)

    def _fail(self, job: Job, error: Exception) -> None:
        if job is self._job:
            self._job, self.layer_id = None, ""
            self.failed.emit(error)

    def _end(self, job: Job) -> None:
        # from the task manager's button
        if job is self._job:
            self._job, self.layer_id = None, ""
            self.stopped.emit()

    def _tell(self, job: Job) -> None:
        if job is self._job:
            self.working.emit(job.message, job.fraction)


def _search(
    source: RasterSource, wanted: Wanted, store: ModelStore, runtime: RuntimeSettings, progress: Progress
) -> LandformResult:
    """Return what a finder finds; in the worker's thread."""
    with closing(source), closing(untwisted(source)) as dem:
        outliner = _outliner(dem, wanted, store, runtime)
        return FINDERS.get(wanted.finder).find(dem, wanted.settings, progress, outliner)


def _outliner(dem: RasterSource, wanted: Wanted, store: ModelStore, runtime: RuntimeSettings) -> Outliner | None:
    """Return the model on a picture of the DEM; None where none is wanted, or it is not on this machine."""
    if wanted.settings.method is OutlineMethod.MORPHOMETRIC or not wanted.model:
        return None
    spec = store.get(wanted.model)
    if store.missing(spec):
        return None
    picture = CompositeSource(dem, elevation=wanted.settings.dem)
    return SessionOutliner(SegmentationSession(picture, store.load(spec.name, settings=runtime)).segment)


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("LandformSearch", text)
