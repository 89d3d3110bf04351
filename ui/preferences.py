"""What the panel remembers from one day to the next: QGIS's own settings, under one prefix."""

from __future__ import annotations

import math

from qgis.core import QgsSettings

PREFIX = "prompt_segmenter"


class Preferences:
    """The settings of this plugin in the user's profile. A value that can't be understood counts as not there."""

    def text(self, key: str, default: str = "") -> str:
        """Return a text."""
        value = QgsSettings().value(f"{PREFIX}/{key}", default)
        return value if isinstance(value, str) else default

    def flag(self, key: str, default: bool) -> bool:
        """Return a yes or no."""
        return {"true": True, "false": False}.get(str(QgsSettings().value(f"{PREFIX}/{key}", default)).lower(), default)

    def number(self, key: str, default: float) -> float:
        """Return a finite number."""
        try:
            value = float(QgsSettings().value(f"{PREFIX}/{key}", default))
        except (TypeError, ValueError):
            return default
        return value if math.isfinite(value) else default

    def texts(self, key: str) -> list[str]:
        """Return a list of texts."""
        value = QgsSettings().value(f"{PREFIX}/{key}", [])
        # a list of one comes back as its only member
        values = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        return [text for text in values if isinstance(text, str) and text]

    def set(self, key: str, value: str | float | bool | list[str]) -> None:
        """Remember a value."""
        QgsSettings().setValue(f"{PREFIX}/{key}", value)
