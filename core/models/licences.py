"""Licences that the user has read and accepted, as a record beside the weights that they allow."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

from ..errors import LicenceError, OutputError
from .model import ModelSpec

FILENAME = "accepted_licences.json"
_ACCEPT = "python -m prompt_segmenter.core.cli models accept {name}"


def is_accepted(folder: Path, spec: ModelSpec) -> bool:
    """Return True if the model's licence need not be accepted, or was: this very licence, for this very model."""
    if not spec.must_accept:
        return True
    record = _records(folder).get(spec.name)
    return isinstance(record, dict) and record.get("licence") == spec.licence


def accept(folder: Path, spec: ModelSpec) -> None:
    """Record that the user has read and accepted the model's licence.

    Raises
    ------
    OutputError
        If the record can't be written.
    """
    records = _records(folder)
    now = datetime.now(timezone.utc).replace(microsecond=0)
    records[spec.name] = {"licence": spec.licence, "text": spec.licence_url, "accepted": now.isoformat()}
    write_json(folder / FILENAME, records)


def require_accepted(folder: Path, spec: ModelSpec) -> None:
    """Raise :class:`LicenceError` if the model's licence has to be accepted first; the hint says how."""
    if not is_accepted(folder, spec):
        where = f" ({spec.licence_url})" if spec.licence_url else ""
        raise LicenceError(
            f"The model '{spec.name}' comes under the {spec.licence}{where}, which you have not accepted yet.",
            hint=f"Read it, then accept it in the panel or with: {_ACCEPT.format(name=spec.name)}",
        )


def write_json(path: Path, content: object) -> None:
    """Write a small file so that it is either the old one or the new one, whatever happens.

    Raises
    ------
    OutputError
        If it can't be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path} can't be written: {error.strerror or error}.",
            hint="Make the folder writable, or choose another with PROMPT_SEGMENTER_MODELS.",
        ) from error


def _records(folder: Path) -> dict[str, object]:
    """Return what was accepted; a record that can't be read says nothing, so that nobody is taken to have agreed."""
    try:
        content = json.loads((folder / FILENAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
