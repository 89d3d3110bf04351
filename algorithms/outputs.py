"""Whether an output can be written, asked before the work begins, and whether it was."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from qgis.core import QgsFeature, QgsFeatureSink, QgsProcessingOutputLayerDefinition

from ..core.errors import OutputError
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


def failure_of(sink: QgsFeatureSink, features: Iterable[QgsFeature]) -> str:
    """Write features and return why that failed; nothing if all of them are written."""
    for feature in features:
        if not sink.addFeature(feature, QgsFeatureSink.Flag.FastInsert):
            return sink.lastError() or _NO_REASON
    return "" if sink.flushBuffer() else sink.lastError() or _NO_REASON


def not_made(place: Any) -> OutputError:
    """Return the error for an output that can't be made at all."""
    return OutputError(f"The output can't be made at {place}.", hint=_ELSEWHERE)


def not_written(destination: str, failure: str) -> OutputError:
    """Take a half-written output away, whose sink must be gone by now, and return the error that says so."""
    Path(destination).unlink(missing_ok=True)
    return OutputError(f"The output can't be written to {destination}: {failure}.", hint=_ELSEWHERE)


_NO_REASON = "no reason given"
_ELSEWHERE = "Check that there is room and that the folder can be written to, or choose another place."
