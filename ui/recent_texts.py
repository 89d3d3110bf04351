"""The texts that were used lately, newest first: class labels, and words to look for."""

from __future__ import annotations

from .preferences import Preferences

MOST = 12
LABELS = "recent_labels"


class RecentTexts:
    """Recent texts in the user's settings.

    Parameters
    ----------
    key : str
        Under which they are kept.
    most : int
        How many are kept; the ones that were not used for longest go first.
    """

    def __init__(self, key: str = LABELS, most: int = MOST) -> None:
        self._key = key
        self._most = most
        self._preferences = Preferences()

    def recent(self) -> list[str]:
        """Return the texts, the newest first."""
        return self._preferences.texts(self._key)[: self._most]

    def use(self, text: str) -> bool:
        """Put a text first and return True; return False if nothing changed."""
        text, before = text.strip(), self.recent()
        if not text or before[:1] == [text]:
            return False
        self._preferences.set(self._key, [text, *(old for old in before if old != text)][: self._most])
        return True
