"""Whether an output can be written, asked before the work begins."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from qgis.core import QgsProcessingOutputLayerDefinition

from ..core.outlines import files

# "ogr:dbname=...", "postgis:...", "memory:"; one letter is a drive
_DATABASE = re.compile(r"[A-Za-z]{2,}:")


def require_writable(value: Any) -> None:
    """Raise if an output names a file that can't be written, as far as that can be known without writing.

    Databases, memory layers and temporary files are left to QGIS.

    Raises
    ------
    OutputError
        Says what is in the way, and what to do.
    """
    if isinstance(value, QgsProcessingOutputLayerDefinition):
        value = value.sink.staticValue()
    if isinstance(value, str) and Path(value).suffix and not _DATABASE.match(value):
        files.require_writable(value)
