"""The plugin's own folder for the one package that QGIS doesn't bring: in the user's profile, looked at last of all."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from qgis.core import QgsApplication

_FOLDER = "prompt_segmenter_packages"


def folder() -> Path:
    """Return the folder for this version of Python; it is there only if the user had something installed."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Path(QgsApplication.qgisSettingsDirPath()) / "python" / _FOLDER / version


def make_importable() -> None:
    """Put the folder at the end of Python's path, if it is there: whatever QGIS brings itself comes first."""
    own = str(folder())
    if Path(own).is_dir() and own not in sys.path:
        sys.path.append(own)
    importlib.invalidate_caches()
