"""The open objects and what was found for them: a change of the prompts is followed by a question, if one is needed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from qgis.PyQt.QtCore import QObject, pyqtSignal

from ..core.outlines.shape import OutlineSettings
from .inquirer import Inquirer
from .live_session import Found
from .prompt_state import OpenObject, PromptHistory, PromptState, Steps

MOST_FOUND = 48
"""Answers that are there at once when they are undone or redone to; older ones are asked for again."""


class Outlining(QObject):
    """What is open, and what is known of it.

    ``changed`` comes after each change of either; ``answered`` with an object whose outline is known for all of its
    present prompts.

    Parameters
    ----------
    inquirer : Inquirer
        Who is asked.
    """

    changed = pyqtSignal()
    answered = pyqtSignal(object)

    def __init__(self, inquirer: Inquirer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.history = PromptHistory()
        self.label = ""
        """What the next objects are called."""
        self._inquirer = inquirer
        self._outline = OutlineSettings()
        self._known: OrderedDict[tuple[str | None, Steps], Found] = OrderedDict()
        self._last: dict[int, Found] = {}
        self._waiting: dict[int, Steps] = {}
        inquirer.found.connect(self._take)
        inquirer.missed.connect(self._miss)
        inquirer.refused.connect(self._take_back)

    @property
    def state(self) -> PromptState:
        """What is open."""
        return self.history.state

    @property
    def current(self) -> OpenObject | None:
        """The object that gestures go to."""
        return self.history.state.current

    @property
    def outline(self) -> OutlineSettings:
        """How masks become polygons."""
        return self._outline

    def change(self, gesture: Callable[[PromptHistory], object]) -> None:
        """Let a gesture change the history, ask for what is not known then, and say so."""
        gesture(self.history)
        self.follow()

    def follow(self) -> None:
        """Ask for every open object whose present prompts have no answer, the current one first."""
        for item in reversed(self.state.objects):
            if self.found(item) is None and not self.is_waiting(item):
                self.ask(item)
        open_numbers = {item.number for item in self.state.objects}
        self._last = {number: found for number, found in self._last.items() if number in open_numbers}
        self.changed.emit()

    def ask(self, item: OpenObject) -> bool:
        """Ask for an object's outline; return False if it can't be asked for yet."""
        if not self._inquirer.ask(item, self._outline, self.label):
            return False
        self._waiting[item.number] = item.steps
        return True

    def use_outline(self, settings: OutlineSettings) -> None:
        """Make outlines in another way, those of the open objects too."""
        self._outline = settings
        self._waiting.clear()
        self.follow()

    def forget_answers(self) -> None:
        """Ask for all open objects anew, because the model is another one; the old outlines are shown so long."""
        self._known.clear()
        self._waiting.clear()
        self.follow()

    def forget_closed(self) -> None:
        """Forget what was found for objects that are not open any more, because the image is another one."""
        opened = {(item.crs, item.steps[:count]) for item in self.state.objects for count in range(len(item.steps) + 1)}
        self._known = OrderedDict((key, found) for key, found in self._known.items() if key in opened)

    def clear(self) -> None:
        """Forget all objects."""
        self.history.clear()
        self._known.clear()
        self._waiting.clear()
        self.follow()

    def found(self, item: OpenObject) -> Found | None:
        """Return what was found for all prompts of an object with the present settings, or None."""
        found = self._known.get((item.crs, item.steps))
        return found if found is not None and found.outline == self._outline else None

    def last_found(self, item: OpenObject) -> Found | None:
        """Return what was found for an object, or before its last prompts or settings; None if nothing is known."""
        return self.found(item) or self._last.get(item.number)

    def is_waiting(self, item: OpenObject) -> bool:
        """Return True if the answer for all prompts of an object is on its way."""
        return self._waiting.get(item.number) == item.steps

    def _take(self, asked: OpenObject, found: Found) -> None:
        key = (asked.crs, asked.steps)
        self._known[key] = found
        self._known.move_to_end(key)
        while len(self._known) > MOST_FOUND:
            self._known.popitem(last=False)
        if found.outline == self._outline:
            self._end_wait(asked)
        item = self.state.find(asked.number)
        # after an undo it may be about prompts that are not there any more
        if item is not None and item.steps[: len(asked.steps)] == asked.steps:
            self._last[item.number] = found
        self.changed.emit()
        if item is not None and self.found(item) is not None:
            self.answered.emit(item)

    def _miss(self, asked: OpenObject) -> None:
        self._end_wait(asked)
        self.changed.emit()

    def _take_back(self, asked: OpenObject) -> None:
        """Undo a last prompt that can't be used: it would be in the way of all that follow."""
        before = (asked.crs, asked.steps[:-1])
        was_right_before = len(asked.steps) == 1 or before in self._known
        if was_right_before and self.current is not None and self.current.steps == asked.steps:
            self.change(lambda history: history.undo())

    def _end_wait(self, asked: OpenObject) -> None:
        if self._waiting.get(asked.number) == asked.steps:
            del self._waiting[asked.number]
