"""The worker's side: one image and one model, opened when they are first needed, and the answers given lately."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Union

from ..core.interactive import Answer, InteractiveSession
from ..core.outlines.results import Provenance
from ..core.outlines.shape import OutlineSettings
from ..core.progress import Progress
from ..core.prompts.prompt import PromptSet
from ..core.raster.source import RasterSource
from ..core.screen import ScreenView
from .prompt_state import Choice, Steps, prompts_of

MOST_ANSWERS = 24
"""Answers that are remembered for undo and redo; each holds the masks of its candidates."""
_Key = tuple[Union[str, None], Steps]


@dataclass(frozen=True)
class Question:
    """What is asked for one object."""

    steps: Steps
    """Its prompts as they were given, and choices, in order."""
    prompts: PromptSet
    """The prompts in the source's CRS, with those that were given beside them."""
    screen: ScreenView
    """What is seen, in the source's CRS."""
    outline: OutlineSettings
    """How the mask becomes a polygon."""


@dataclass(frozen=True)
class Found:
    """An answer, and what is needed to draw and to keep it."""

    answer: Answer
    """The core's."""
    crs: str | None
    """CRS of its outline: the source's."""
    provenance: Provenance
    """What it was made with."""
    outline: OutlineSettings
    """How its mask became a polygon."""
    source: RasterSource | None = None
    """What was looked at; may be closed by now."""
    doubts: tuple[str, ...] = ()
    """What is doubtful about the pixels, such as voids that a DEM does not declare."""


@dataclass(frozen=True)
class Encoded:
    """What encoding ahead did."""

    count: int
    """Images that were encoded; 0 if all were there already."""
    elapsed_s: float
    """Seconds that it took."""


class LiveSession:
    """An :class:`InteractiveSession` that is opened in the thread where it is used, and remembers its last answers.

    Everything but the constructor is called from the worker's thread.

    Parameters
    ----------
    open_session : callable
        Loads the model and makes the session.
    close_source : callable
        Lets go of the pixels.
    source : RasterSource, optional
        What is looked at, for answers to refer to.
    doubts : callable, optional
        Returns what is doubtful about the pixels that were read so far.
    """

    def __init__(
        self,
        open_session: Callable[[Progress], InteractiveSession],
        close_source: Callable[[], None] = lambda: None,
        *,
        source: RasterSource | None = None,
        doubts: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        self._source = source
        self._doubts = doubts
        self._open_session = open_session
        self._close_source = close_source
        self._session: InteractiveSession | None = None
        self.encodes = 0
        """How many images were encoded so far; to be read from any thread."""
        self._answers: OrderedDict[_Key, tuple[Answer, OutlineSettings]] = OrderedDict()
        self._glimpsed: dict[_Key, tuple[Answer, OutlineSettings]] = {}

    def find(self, question: Question, progress: Progress) -> Found:
        """Return the answer to a question; what is remembered of its beginning is not computed again."""
        found, made = self._find(question, progress)
        for key, answer in made:
            self._answers[key] = (answer, question.outline)
            self._answers.move_to_end(key)
        while len(self._answers) > MOST_ANSWERS:
            self._answers.popitem(last=False)
        return found

    def glimpse(self, question: Question, progress: Progress) -> Found | None:
        """Return what :meth:`find` would if all is encoded that it needs, else None: to be asked without a click."""
        if self._session is None or not self._session.is_ready(question.screen):
            return None
        found, made = self._find(question, progress)
        # for the click that may follow; to remember all places that were pointed at would push out those clicked at
        self._glimpsed = {key: (answer, question.outline) for key, answer in made}
        return found

    def encode_ahead(self, screen: ScreenView, near: tuple[float, float] | None, progress: Progress) -> Encoded:
        """Encode what a click will need; ``near`` is the pointer, in the source's CRS."""
        begun = time.monotonic()
        session = self._opened(progress)
        count = session.encode_ahead(screen, progress, near=near)
        self.encodes = session.encodes
        return Encoded(count, time.monotonic() - begun)

    def close(self) -> None:
        """Let go of everything."""
        self._session = None
        self._answers.clear()
        self._glimpsed.clear()
        self._close_source()

    def _opened(self, progress: Progress) -> InteractiveSession:
        if self._session is None:
            self._session = self._open_session(progress)
        return self._session

    def _find(self, question: Question, progress: Progress) -> tuple[Found, list[tuple[_Key, Answer]]]:
        """Return the answer, and all that it was made of, with their keys."""
        session = self._opened(progress)
        given, steps = question.prompts.given or question.prompts, question.steps
        answer, made = None, []
        known = next((n for n in range(len(steps), 0, -1) if self._is_known((given.crs, steps[:n]))), 0)
        if known:
            answer = self._recalled(session, (given.crs, steps[:known]), question.outline, progress)
            made.append(((given.crs, steps[:known]), answer))
        session.use_outline(question.outline)
        for number in range(known + 1, len(steps) + 1):
            if isinstance(steps[number - 1], Choice):
                if answer is not None:
                    answer = session.candidate(answer, answer.chosen + 1)
            elif number == len(steps) or isinstance(steps[number], Choice):
                prompts = question.prompts.first(len(prompts_of(steps[:number])))
                answer = session.answer(prompts, question.screen, progress, previous=answer)
            else:
                continue
            if answer is not None:
                made.append(((given.crs, steps[:number]), answer))
        if answer is None:
            raise ValueError("LiveSession: expected at least one prompt")
        self.encodes = session.encodes
        found = Found(
            answer, answer.look.grid.crs, session.provenance(), question.outline, self._source, self._doubts()
        )
        return found, made

    def _is_known(self, key: _Key) -> bool:
        return key in self._answers or key in self._glimpsed

    def _recalled(self, session: InteractiveSession, key: _Key, outline: OutlineSettings, progress: Progress) -> Answer:
        answer, made_with = self._answers[key] if key in self._answers else self._glimpsed[key]
        if made_with == outline:
            return answer
        # told what it was made with, the session knows what has to be done again
        session.use_outline(made_with)
        return session.reshaped(answer, outline, progress)
