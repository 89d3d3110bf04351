"""The class labels that were used lately, newest first."""

from __future__ import annotations

from .preferences import Preferences

MOST = 12
_KEY = "recent_labels"


class LabelHistory:
    """Recent labels in the user's settings.

    Parameters
    ----------
    most : int
        How many are kept; the ones that were not used for longest go first.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._preferences = Preferences()

    def recent(self) -> list[str]:
        """Return the labels, the newest first."""
        return self._preferences.texts(_KEY)[: self._most]

    def use(self, label: str) -> bool:
        """Put a label first and return True; return False if nothing changed."""
        label, before = label.strip(), self.recent()
        if not label or before[:1] == [label]:
            return False
        self._preferences.set(_KEY, [label, *(old for old in before if old != label)][: self._most])
        return True
