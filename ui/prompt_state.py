"""What the user has pointed at so far, with undo and redo. Pure Python: immutable states and a history of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Union

from ..core.prompts.prompt import Prompt, PromptSet

MOST_STEPS = 500
"""Gestures that can be undone; older ones are forgotten."""


class Choice(Enum):
    """What is done to an answer without a prompt."""

    NEXT = "next"
    """Another of the model's candidates is taken."""


Step = Union[Prompt, Choice]
Steps = tuple[Step, ...]


@dataclass(frozen=True)
class EditedFeature:
    """A polygon of the target layer that is being corrected."""

    layer_id: str
    """Its layer."""
    feature_id: int
    """Its id there."""


@dataclass(frozen=True)
class OpenObject:
    """An object that is being outlined, until it is kept or dropped."""

    number: int
    """What tells it from the others that are open."""
    crs: str | None
    """CRS of all its prompts: that of the map when it was begun."""
    steps: Steps = ()
    """Prompts and choices, in the order that they were given."""
    edited: EditedFeature | None = None
    """The polygon that it replaces when it is kept."""

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """The prompts alone, in order."""
        return prompts_of(self.steps)

    @property
    def is_untouched(self) -> bool:
        """True for a polygon that was opened and not yet corrected."""
        return self.edited is not None and len(self.steps) == 1

    def prompt_set(self, label: str = "") -> PromptSet:
        """Return the prompts as the core takes them."""
        return PromptSet(self.prompts, self.crs, label)


@dataclass(frozen=True)
class PromptState:
    """All open objects; the last one is the current one."""

    objects: tuple[OpenObject, ...] = ()
    """In the order that they were begun, the current one last."""

    @property
    def current(self) -> OpenObject | None:
        """The object that gestures go to, or None."""
        return self.objects[-1] if self.objects else None

    @property
    def beside(self) -> tuple[OpenObject, ...]:
        """The open objects that are not the current one."""
        return self.objects[:-1]

    def find(self, number: int) -> OpenObject | None:
        """Return the open object of that number, or None."""
        return next((item for item in self.objects if item.number == number), None)

    def with_current(self, changed: OpenObject) -> PromptState:
        """Return the state with another current object in place of the present one."""
        return PromptState((*self.objects[:-1], changed))

    def without(self, number: int) -> PromptState:
        """Return the state without an object; the one begun before it becomes the current one."""
        return PromptState(tuple(item for item in self.objects if item.number != number))


class PromptHistory:
    """The present state, those before it, and those that were undone.

    Examples
    --------
    >>> from prompt_segmenter.core.prompts.point import PointPrompt
    >>> history = PromptHistory()
    >>> number = history.begin(PointPrompt(1.0, 2.0), "EPSG:3857")
    >>> history.undo(), history.state.current, history.redo()
    (True, None, True)
    """

    def __init__(self) -> None:
        self._past: list[PromptState] = []
        self._future: list[PromptState] = []
        self._last_number = 0
        self.state = PromptState()

    @property
    def can_undo(self) -> bool:
        """True if a gesture can be taken back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """True if a gesture that was taken back can be done again."""
        return bool(self._future)

    def begin(self, prompt: Prompt, crs: str | None, *, edited: EditedFeature | None = None) -> int:
        """Begin another object, which becomes the current one; return its number."""
        self._last_number += 1
        begun = OpenObject(self._last_number, crs, (prompt,), edited)
        self._go(PromptState((*self.state.objects, begun)))
        return begun.number

    def add(self, step: Step) -> None:
        """Give the current object another prompt or choice.

        Raises
        ------
        ValueError
            If no object is open.
        """
        current = self.state.current
        if current is None:
            raise ValueError("PromptHistory.add: expected an open object, got none")
        self._go(self.state.with_current(replace(current, steps=(*current.steps, step))))

    def remove_last(self) -> bool:
        """Take the last prompt of the current object away, with the choices after it; return False if there is none.

        An object without prompts is not open any more.
        """
        current = self.state.current
        if current is None:
            return False
        last = max(index for index, step in enumerate(current.steps) if not isinstance(step, Choice))
        steps = current.steps[:last]
        if prompts_of(steps):
            self._go(self.state.with_current(replace(current, steps=steps)))
        else:
            self._go(self.state.without(current.number))
        return True

    def drop(self) -> bool:
        """Drop the current object; return False if none is open."""
        current = self.state.current
        if current is None:
            return False
        self._go(self.state.without(current.number))
        return True

    def close(self, number: int) -> None:
        """Take an object that was kept out of the present and the past: undoing it is the target layer's business."""
        self._rewrite(lambda state: state.without(number))
        self._future.clear()

    def forget_edited(self, layer_id: str) -> None:
        """Make new objects of those that correct polygons of a layer which is no more."""

        def freed(state: PromptState) -> PromptState:
            return PromptState(
                tuple(
                    replace(item, edited=None) if item.edited and item.edited.layer_id == layer_id else item
                    for item in state.objects
                )
            )

        self._rewrite(freed)

    def take_back(self) -> bool:
        """Undo the last gesture for good, as if it had not been made; return False if there is none."""
        undone = self.undo()
        if undone:
            self._future.pop()
        return undone

    def undo(self) -> bool:
        """Go back by one gesture; return False if there is none."""
        if not self._past:
            return False
        self._future.append(self.state)
        self.state = self._past.pop()
        return True

    def redo(self) -> bool:
        """Go forward by one gesture that was undone; return False if there is none."""
        if not self._future:
            return False
        self._past.append(self.state)
        self.state = self._future.pop()
        return True

    def forget_undone(self) -> None:
        """Make what was undone past recall, because the user has gone on elsewhere."""
        self._future.clear()

    def clear(self) -> None:
        """Forget all objects and all history."""
        self._past.clear()
        self._future.clear()
        self.state = PromptState()

    def _go(self, state: PromptState) -> None:
        self._past.append(self.state)
        del self._past[:-MOST_STEPS]
        self._future.clear()
        self.state = state

    def _rewrite(self, change: Callable[[PromptState], PromptState]) -> None:
        """Change all states alike; what becomes the same as its neighbour is one step less."""
        past = [change(state) for state in self._past]
        future = [change(state) for state in self._future]
        self.state = change(self.state)
        self._past = [
            state
            for index, state in enumerate(past)
            if state != (past[index + 1] if index + 1 < len(past) else self.state)
        ]
        self._future = [
            state
            for index, state in enumerate(future)
            if state != (future[index + 1] if index + 1 < len(future) else self.state)
        ]


def prompts_of(steps: Steps) -> tuple[Prompt, ...]:
    """Return the prompts among steps, in order."""
    return tuple(step for step in steps if not isinstance(step, Choice))
