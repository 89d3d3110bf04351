"""How a look was come by, in one line of text: enough to look again and see the same."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import SettingsError
from .raster.grid import Window
from .window import View

_VIEW = r"(\d+),(\d+),(\d+),(\d+)@(\d+)x(\d+)"
_TEXT = re.compile(rf"{_VIEW}(?: in {_VIEW})?(?: first (\d+))?(?: candidate (\d+))?")


@dataclass(frozen=True)
class Trace:
    """Which pixels were looked at, and in which steps.

    Examples
    --------
    >>> text = "10,20,192,192@192x192 in 0,0,1024,768@1024x768 first 1"
    >>> Trace.parse(text).text() == text
    True
    """

    view: View
    """What the mask covers."""
    within: View | None = None
    """The larger view that was encoded, of which ``view`` is a part; None if ``view`` was encoded by itself."""
    at_once: int | None = None
    """How many prompts were given together first; the others followed one by one. None if all were given together."""
    candidate: int | None = None
    """Which of the model's candidates for those first prompts was taken; None for the one that obeys them best."""

    def text(self) -> str:
        """Return it for provenance."""
        parts = [self.view.text()]
        if self.within is not None:
            parts.append(f"in {self.within.text()}")
        if self.at_once is not None:
            parts.append(f"first {self.at_once}")
        if self.candidate is not None:
            parts.append(f"candidate {self.candidate}")
        return " ".join(parts)

    @classmethod
    def parse(cls, text: str) -> Trace:
        """Return what :meth:`text` wrote.

        Raises
        ------
        SettingsError
            If the text can't be understood.
        """
        match = _TEXT.fullmatch(text.strip())
        if match is None:
            raise SettingsError(
                f"The window '{text[:80]}' can't be understood.", hint="Use the text of a result's field 'window'."
            )
        numbers = [None if group is None else int(group) for group in match.groups()]
        view, within = _view(numbers[:6]), _view(numbers[6:12])
        if view is None or 0 in (*view.size, *(within.size if within else ())):
            raise SettingsError(f"The window '{text[:80]}' holds no pixel.", hint="Use a result's field 'window'.")
        return cls(view, within, numbers[12], numbers[13])


def _view(numbers: list[int | None]) -> View | None:
    whole = [number for number in numbers if number is not None]
    if len(whole) != len(numbers):
        return None
    col, row, width, height, across, down = whole
    return View(Window(col, row, width, height), (across, down))
