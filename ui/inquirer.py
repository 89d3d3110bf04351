"""Questions to the worker, about objects, places and views; answers come back as signals, stale ones not at all."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from qgis.core import QgsMapLayer, QgsPointXY, QgsProject
from qgis.gui import QgsMapCanvas
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QCoreApplication, QObject, pyqtSignal

from ..algorithms.bridge import crs_text
from ..core.errors import CrsError, DependencyError, ModelFileError, ModelNotInstalledError, PromptError, SegmentError
from ..core.outlines.shape import OutlineSettings
from ..core.prompts.point import PointPrompt
from ..core.prompts.prompt import PromptSet
from ..core.screen import ScreenView
from .canvas_view import moved_prompts, screen_view
from .live_session import LiveSession, Question
from .prompt_state import OpenObject, Steps, prompts_of
from .session_source import Chosen, Sessions
from .worker import Job, Urgency, Worker

_TO_BE_GOT = (DependencyError, ModelNotInstalledError, ModelFileError)


class Inquirer(QObject):
    """Asks one worker about one choice of image and model.

    ``found`` comes with the object as it was asked about and what was found; ``missed`` with an object whose question
    was stopped or failed, ``refused`` too if its prompts were the reason; ``glimpsed`` with what a click would give (or
    None if that is not known without much work); ``encoded`` with what encoding ahead did; ``failed`` with the
    exception, ``stumbled`` with one that nobody has to know of yet; ``working`` with a message and a fraction;
    ``outdated`` when the image has changed.

    Parameters
    ----------
    canvas : QgsMapCanvas
        What the user sees.
    sessions : Sessions
        Makes live sessions.
    """

    found = pyqtSignal(object, object)
    missed = pyqtSignal(object)
    refused = pyqtSignal(object)
    glimpsed = pyqtSignal(object)
    encoded = pyqtSignal(object)
    failed = pyqtSignal(object)
    stumbled = pyqtSignal(object)
    working = pyqtSignal(str, float)
    idle = pyqtSignal()
    outdated = pyqtSignal()

    def __init__(self, canvas: QgsMapCanvas, sessions: Sessions, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._sessions = sessions
        self._choice: Chosen | None = None
        self._live: LiveSession | None = None
        self._key: Hashable = None
        self._asked: dict[Job, OpenObject] = {}
        self._watched: list[QgsMapLayer] = []
        self.worker = Worker(self)
        self.worker.answered.connect(self._take)
        self.worker.failed.connect(self._miss)
        self.worker.cancelled.connect(self._miss)
        self.worker.progressed.connect(self._tell)
        self.worker.idle.connect(self.idle)

    def choose(self, choice: Chosen | None) -> None:
        """Look at another image, or with another model; None for nothing, because the image is no more."""
        self._choice = choice
        self.forget()

    def adjust(self, choice: Chosen) -> None:
        """Look at the same in another way from the next question on; what is being asked goes on."""
        self._choice = choice

    def forget(self) -> None:
        """Stop what is being asked, and make the session anew for the next question: its image has changed."""
        self.worker.cancel_all()
        self._retire()

    def ask(self, item: OpenObject, outline: OutlineSettings, label: str = "") -> bool:
        """Ask for an object's outline; return False if nothing in it says where it is, or there is no image."""
        prompts = item.prompt_set(label)
        if not any(prompt.locates for prompt in prompts.prompts):
            return False
        job = self._question(
            item.steps, prompts, outline, Urgency.CLICK, lambda live, question: lambda job: live.find(question, job)
        )
        if job is None:
            return False
        job.about, job.title = item.number, tr("Outline an object")
        self._asked[job] = item
        self.worker.submit(job)
        return True

    def glimpse(self, steps: Steps, crs: str | None, outline: OutlineSettings) -> None:
        """Ask what these prompts would give, if that is quickly said."""
        job = self._question(
            steps,
            PromptSet(prompts_of(steps), crs),
            outline,
            Urgency.HOVER,
            lambda live, question: lambda job: live.glimpse(question, job),
            quietly=True,
        )
        if job is not None:
            job.title = tr("Outline under the pointer")
            self.worker.submit(job)

    def encode_ahead(self, pointer: QgsPointXY | None) -> None:
        """Encode what clicks into the present view will need, nearest to the pointer first."""
        seen = self._seen(quietly=True)
        if seen is None:
            return
        live, screen = seen
        near = None if pointer is None else self._at_source(pointer)
        job = Job(lambda job: live.encode_ahead(screen, near, job), Urgency.AHEAD, tr("Encode the view"))
        self.worker.submit(job)

    @property
    def encodes(self) -> int:
        """How many images the present session has encoded."""
        return 0 if self._live is None else self._live.encodes

    def close(self) -> bool:
        """Stop for good; return True if the worker has ended."""
        self._watch([])
        self._choice, self._live = None, None
        return self.worker.close()

    def _question(
        self,
        steps: Steps,
        prompts: PromptSet,
        outline: OutlineSettings,
        urgency: Urgency,
        work: Callable[[LiveSession, Question], Callable[[Job], Any]],
        *,
        quietly: bool = False,
    ) -> Job | None:
        seen = self._seen(quietly=quietly)
        if seen is None or self._choice is None:
            return None
        live, screen = seen
        crs = self._sessions.crs(self._choice, self._canvas.mapSettings())
        try:
            moved = moved_prompts(prompts, crs_text(crs), QgsProject.instance())
        except CrsError as error:
            self._complain(error, quietly)
            return None
        return Job(work(live, Question(steps, moved, screen, outline)), urgency)

    def _seen(self, *, quietly: bool) -> tuple[LiveSession, ScreenView] | None:
        """Return the session, made anew if what it is good for has changed, and what is seen in its CRS."""
        if self._choice is None:
            if not quietly:
                self.failed.emit(
                    SegmentError(tr("There is no image to look at."), hint=tr("Choose a raster layer in the panel."))
                )
            return None
        settings = self._canvas.mapSettings()
        crs = self._sessions.crs(self._choice, settings)
        screen = screen_view(settings, crs, QgsProject.instance().transformContext())
        if screen is None:
            name = crs.authid() or crs.description()
            self._complain(
                CrsError(
                    tr("What the map shows has no place in {}.").format(name), hint=tr("Move the map to the layer.")
                ),
                quietly,
            )
            return None
        try:
            key = self._sessions.key(self._choice, settings)
            if self._live is None or key != self._key:
                self._retire()
                self._live, self._key = self._sessions.open(self._choice, settings), key
                self._watch(settings.layers() if self._choice.layer is None else [self._choice.layer])
        except SegmentError as error:
            self._complain(error, quietly)
            return None
        return self._live, screen

    def _retire(self) -> None:
        """Let go of the session after the questions that it was asked."""
        self._watch([])
        live, self._live, self._key = self._live, None, None
        self.worker.give_way()
        if live is not None:
            self.worker.submit(Job(lambda _: live.close(), Urgency.CLICK))

    def _watch(self, layers: list[QgsMapLayer]) -> None:
        """Make the session anew once one of these layers looks different, for it has copies of them."""
        for layer in self._watched:
            if not sip.isdeleted(layer):
                layer.repaintRequested.disconnect(self._look_anew)
        left_out = self._choice.leave_out if self._choice is not None else None
        self._watched = [layer for layer in layers if layer is not left_out]
        for layer in self._watched:
            layer.repaintRequested.connect(self._look_anew)

    def _look_anew(self) -> None:
        self._retire()
        self.outdated.emit()

    def _complain(self, error: SegmentError, quietly: bool) -> None:
        if not quietly:
            self.failed.emit(error)

    def _at_source(self, point: QgsPointXY) -> tuple[float, float] | None:
        if self._choice is None:
            return None
        settings = self._canvas.mapSettings()
        there = PromptSet((PointPrompt(point.x(), point.y()),), crs_text(settings.destinationCrs()))
        here = crs_text(self._sessions.crs(self._choice, settings))
        try:
            left, bottom, _, _ = moved_prompts(there, here, QgsProject.instance()).envelope()
        except CrsError:
            return None
        return left, bottom

    def _take(self, job: Job, result: Any) -> None:
        if job.urgency is Urgency.HOVER:
            self.glimpsed.emit(result)
        elif job.urgency is Urgency.AHEAD:
            self.encoded.emit(result)
        elif job in self._asked:
            self.found.emit(self._asked.pop(job), result)

    def _miss(self, job: Job, error: Exception | None = None) -> None:
        item = self._asked.pop(job, None)
        if item is not None:
            self.missed.emit(item)
            if isinstance(error, PromptError):
                self.refused.emit(item)
        if error is None:
            return
        # nobody has asked for speculative work, and a click will meet the same error; what has to be got first is news
        if job.urgency is Urgency.CLICK or isinstance(error, _TO_BE_GOT):
            self.failed.emit(error)
        else:
            self.stumbled.emit(error)

    def _tell(self, job: Job) -> None:
        if job.urgency is not Urgency.HOVER:
            self.working.emit(job.message or job.title, job.fraction)


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("Inquirer", text)
