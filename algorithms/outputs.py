"""Whether an output can be written, asked before the work begins."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from qgis.core import QgsProcessingOutputLayerDefinition

from ..core.errors import OutputError

# "ogr:dbname=...", "postgis:...", "memory:"; one letter is a drive
_DATABASE = re.compile(r"[A-Za-z]{2,}:")


def require_writable(value: Any) -> None:
    """Raise if an output names a file in a folder that is not there or can't be written to.

    Databases, memory layers and temporary files are left to QGIS.

    Raises
    ------
    OutputError
        Says which folder, and what to do.
    """
    if isinstance(value, QgsProcessingOutputLayerDefinition):
        value = value.sink.staticValue()
    if not isinstance(value, str) or not Path(value).suffix or _DATABASE.match(value):
        return
    path = Path(value)
    folder = path.parent
    if not folder.is_dir():
        raise OutputError(
            f"The folder {folder} for the output does not exist.", hint="Make it, or choose another place."
        )
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise OutputError(f"The output {path} can't be written.", hint="Choose a folder that you may write to.")
