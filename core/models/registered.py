"""Models that the user registered: files of a known family that lie anywhere on this machine.

They are listed in a small file in the weights folder, with the digests that the files had when they were registered.
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import OutputError, SettingsError, UnknownNameError
from ..progress import NullProgress, Progress, SubProgress
from . import catalogue, download
from .licences import write_json
from .model import LookPolicy, ModelFile, ModelSpec

logger = logging.getLogger(__name__)

FILENAME = "registered_models.json"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_CLICKS = frozenset({"point", "box", "shape"})
_SAM_LICENCE, _SAM_LICENCE_URL = "SAM License", "https://github.com/facebookresearch/sam3/blob/main/LICENSE"


@dataclass(frozen=True)
class _Kind:
    """What all models of a family have in common."""

    accepts: frozenset[str]
    input_size_px: int
    confidence: float = 0.5


FAMILY_KINDS = {
    "sam": _Kind(_CLICKS, 1024),
    "sam3": _Kind(frozenset({"words", "example"}), 1008),
    "clipseg": _Kind(frozenset({"words"}), 352, 0.4),
    "owlv2": _Kind(frozenset({"words"}), 960, 0.15),
    "grounding_dino": _Kind(frozenset({"words"}), 800, 0.3),
}
"""Families whose files a user can register, and what is known of all their models."""


@dataclass(frozen=True)
class Registration:
    """What the user says of a model."""

    name: str
    """Constant identifier: small letters, digits and underscores; none of the catalogue's."""
    family: str
    """Which family runs it."""
    files: tuple[Path, ...]
    """Its files: graphs, vocabulary, and weights beside a graph."""
    title: str = ""
    """What people read; the name where it is empty."""
    licence: str = ""
    """What the weights may be used for, as far as the user knows."""
    input_size_px: int = 0
    """Longest side of the image that the encoder works at; 0 for what is usual in the family."""
    traits: frozenset[str] = frozenset()
    """What its family can't see in the graph, e.g. {"nonorm"}."""


def register(folder: Path, wanted: Registration, progress: Progress | None = None) -> ModelSpec:
    """Write the model into the weights folder's list and return its entry; one of the same name is replaced.

    Raises
    ------
    SettingsError
        If the name is the catalogue's or no identifier, or the family is none of :data:`FAMILY_KINDS`.
    OutputError
        If a file can't be read, or the list can't be written.
    Cancelled
        If the user asked to stop.
    """
    _require_sound(wanted)
    progress = progress or NullProgress()
    listed = []
    for index, path in enumerate(wanted.files):
        share = SubProgress(progress, index / len(wanted.files), (index + 1) / len(wanted.files))
        share.report(0.0, f"Reading {path.name}")
        try:
            # Where it lies now, whatever the working directory is next time.
            whole = path.expanduser().resolve()
            digest = download.sha256_of(whole, share)
            listed.append({"path": str(whole), "sha256": digest, "size": whole.stat().st_size})
        except OSError as error:
            raise OutputError(
                f"{path} can't be read: {error.strerror or error}.", hint="Check the file's name and permissions."
            ) from error
    entry = {
        "title": wanted.title,
        "family": wanted.family,
        "licence": wanted.licence,
        "input_size_px": wanted.input_size_px,
        "traits": sorted(wanted.traits),
        "files": listed,
    }
    spec = _spec(wanted.name, entry)
    write_json(folder / FILENAME, {**_entries(folder), wanted.name: entry})
    return spec


def unregister(folder: Path, name: str) -> None:
    """Take a model out of the list; its files stay where they are.

    Raises
    ------
    UnknownNameError
        If no model of this name was registered.
    OutputError
        If the list can't be written.
    """
    entries = _entries(folder)
    if name not in entries:
        raise UnknownNameError(
            f"No model called '{name}' was registered.", hint=f"Registered: {', '.join(entries) or 'none'}."
        )
    del entries[name]
    write_json(folder / FILENAME, entries)


def registered(folder: Path) -> list[ModelSpec]:
    """Return the registered models by their names; entries that make no sense are left out, with a warning."""
    found = []
    for name, entry in sorted(_entries(folder).items()):
        try:
            found.append(_spec(name, entry))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            logger.warning("%s: the entry '%s' is left out (%r).", folder / FILENAME, name, error)
    return found


def _require_sound(wanted: Registration) -> None:
    if not _NAME.fullmatch(wanted.name) or wanted.name in catalogue.names():
        raise SettingsError(
            f"A model can't be registered as '{wanted.name}'.",
            hint="Use small letters, digits and underscores, and no name of the catalogue.",
        )
    if wanted.family not in FAMILY_KINDS:
        raise SettingsError(
            f"Files of the family '{wanted.family}' can't be registered.",
            hint=f"Use one of: {', '.join(sorted(FAMILY_KINDS))}.",
        )
    if not wanted.files:
        raise SettingsError("No file was named.", hint="Name the graphs, and the vocabulary of a model of words.")
    if wanted.input_size_px < 0:
        raise SettingsError(f"An image can't have a side of {wanted.input_size_px} pixels.", hint="Leave it out.")


def _spec(name: str, entry: Any) -> ModelSpec:
    kind = FAMILY_KINDS[entry["family"]]
    size = int(entry.get("input_size_px") or kind.input_size_px)
    files = tuple(ModelFile(str(file["path"]), str(file["sha256"]), int(file["size"])) for file in entry["files"])
    if not files or not all(file.sha256 for file in files):
        raise ValueError("it has no files, or no digests of them")
    is_sam3 = entry["family"] == "sam3"
    return ModelSpec(
        name=name,
        title=str(entry.get("title") or name),
        family=str(entry["family"]),
        accepts=kind.accepts,
        files=files,
        input_size_px=size,
        # Whoever exported it, SAM 3 and what was distilled from it come under Meta's licence.
        licence=_SAM_LICENCE if is_sam3 else str(entry.get("licence") or "unknown, registered by you"),
        citation_url="",
        look=LookPolicy(size, zoom_in="point" in kind.accepts),
        traits=frozenset(str(trait) for trait in entry.get("traits", ())),
        must_accept=is_sam3,
        licence_url=_SAM_LICENCE_URL if is_sam3 else "",
        confidence=kind.confidence,
    )


def _entries(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / FILENAME).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        logger.warning("%s can't be read: %s", folder / FILENAME, error)
        return {}
    return content if isinstance(content, dict) else {}
