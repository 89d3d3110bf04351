"""Where encoded views are kept between two sessions: whether, in which folder, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from qgis.core import QgsApplication

from ..core.models.embedding import EmbeddingCache
from .preferences import Preferences

MEMORY_BYTES = 512 * 1024 * 1024
MB = 1024 * 1024
LEAST_MB, MOST_MB = 50, 100_000
_ON, _CAP = "store/on_disk", "store/cap_mb"
_FILES = "*.embedding.npz"


@dataclass(frozen=True)
class StoreSettings:
    """What the user may choose about the folder."""

    on_disk: bool = True
    """Keep encoded views for the next session."""
    cap_mb: int = 1000
    """Most that may lie in the folder, in MB of 1024 * 1024 bytes; what was not used for longest goes first."""


def store_settings() -> StoreSettings:
    """Return what the user chose, else the defaults."""
    stored, default = Preferences(), StoreSettings()
    cap = int(stored.number(_CAP, default.cap_mb))
    return StoreSettings(stored.flag(_ON, default.on_disk), min(max(cap, LEAST_MB), MOST_MB))


def remember(settings: StoreSettings) -> None:
    """Keep the user's choice."""
    stored = Preferences()
    stored.set(_ON, settings.on_disk)
    stored.set(_CAP, settings.cap_mb)


def folder() -> Path:
    """Return the folder in the user's profile; it is made when the first view is kept."""
    return Path(QgsApplication.qgisSettingsDirPath()) / "cache" / "prompt_segmenter"


def embedding_cache() -> EmbeddingCache:
    """Return a cache as the settings want it, for the sessions of the map tool."""
    settings = store_settings()
    return EmbeddingCache(
        MEMORY_BYTES, folder=folder() if settings.on_disk else None, max_folder_bytes=settings.cap_mb * MB
    )


def used_bytes() -> int:
    """Return how much lies in the folder. Looks at names and sizes only."""
    return sum(path.stat().st_size for path in folder().glob(_FILES))


def clear() -> None:
    """Remove all encoded views from the folder, and nothing else.

    Raises
    ------
    OSError
        If a file can't be removed.
    """
    for path in folder().glob(_FILES):
        path.unlink(missing_ok=True)
