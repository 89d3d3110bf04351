"""How a samgeo server is, in words: there, busy, absent; its version and models. An absent one is no error here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from ..errors import SegmentError, SettingsError
from ..progress import NullProgress, Progress
from .address import SAMGEO_VARIABLES, ServerAddress, warnings_of
from .exchange import Limits, NoAnswerError, Problem
from .http import OK, HttpClient, Patience
from .samgeo import NOT_RESPONDING, BaseKind, sidecar_status
from .samgeo_refusal import parsed, refusal

_PROBE = Limits(connect_s=3.0, silence_s=3.5, whole_s=15.0, answer_bytes=1024 * 1024)
_LONGEST = 200


class ServerState(Enum):
    """How a server is."""

    NOT_SET_UP = "not set up"
    AVAILABLE = "available"
    BUSY = "busy"
    """There, and silent: samgeo-api answers nothing while its model works."""
    ABSENT = "not there"
    REFUSES = "refuses"
    """There, and wants permission or failed."""
    OTHER = "another server"
    """There, and no samgeo-api."""


@dataclass(frozen=True)
class SamgeoStatus:
    """What is known of a samgeo server at a moment."""

    state: ServerState
    """How it is."""
    text: str
    """The same as one sentence."""
    hint: str = ""
    """What to do about it."""
    kind: BaseKind | None = None
    """What the base URL belongs to."""
    version: str = ""
    """Of samgeo-api."""
    models: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """For each version (sam3), the names of the models that it can run."""
    loaded: tuple[str, ...] = ()
    """Those that are in its memory, in words."""
    warnings: tuple[str, ...] = ()
    """What the user should know before pixels are sent there."""

    @property
    def is_usable(self) -> bool:
        """True if a request will be answered, sooner or later."""
        return self.state in (ServerState.AVAILABLE, ServerState.BUSY)

    def lines(self) -> list[str]:
        """Return all of it, line by line."""
        lines = [f"{self.text} {self.hint}".strip()]
        lines += [f"{version}: {', '.join(names)}" for version, names in self.models]
        if self.state is ServerState.AVAILABLE:
            lines.append(f"Loaded: {', '.join(self.loaded) or 'no model yet, the first request will take longer'}")
        return [*lines, *self.warnings]


def samgeo_status(
    address: ServerAddress | None, progress: Progress | None = None, *, job_runs: bool = False
) -> SamgeoStatus:
    """Return how a server is. Takes up to some seconds: not to be called where a window waits.

    Parameters
    ----------
    address : ServerAddress or None
        Which server; None where none is set up.
    progress : Progress, optional
        Asked for cancellation.
    job_runs : bool
        True if it works for us right now: then silence of any kind is no fault.

    Raises
    ------
    Cancelled
        If the user asked to stop.
    DependencyError
        If requests is missing.
    """
    if address is None:
        return SamgeoStatus(
            ServerState.NOT_SET_UP,
            "No samgeo server is set up.",
            f"Give its address in the settings or in {SAMGEO_VARIABLES[0]}, or start one.",
        )
    try:
        http = HttpClient(address, limits=_PROBE, patience=Patience(tries=1))
        warnings = warnings_of(address)
    except SettingsError as error:
        return SamgeoStatus(ServerState.NOT_SET_UP, error.message, error.hint)
    try:
        found = _asked(http, progress or NullProgress())
    except NoAnswerError as error:
        silent = error.problem is Problem.SILENT or (job_runs and error.problem is Problem.UNREACHABLE)
        found = _busy(http.shown, None) if silent else SamgeoStatus(ServerState.ABSENT, error.message, error.hint)
    return replace(found, warnings=warnings)


def _asked(http: HttpClient, progress: Progress) -> SamgeoStatus:
    reply = http.get("/health", progress)
    if reply.status in (401, 403, 407) or reply.status >= 500:
        return _refusing(refusal(reply, http.shown))
    health = parsed(reply) if reply.status == OK else {}
    if health.get("status") == "ok" and "version" in health:
        return _direct(http, health, progress)
    status = sidecar_status(http, progress)
    if status:
        return _sidecar(http, status, progress)
    if health.get("status") == "ok":
        return _direct(http, health, progress)
    return SamgeoStatus(
        ServerState.OTHER,
        f"The server {http.shown} is neither a samgeo-api nor GeoLibre's sidecar.",
        "Check the address: give the base, without /segment or /docs.",
    )


def _direct(http: HttpClient, health: dict[str, Any], progress: Progress) -> SamgeoStatus:
    return _available(http, BaseKind.DIRECT, health.get("version"), "samgeo-api", progress)


def _sidecar(http: HttpClient, status: dict[str, Any], progress: Progress) -> SamgeoStatus:
    message = str(status.get("message", ""))[:_LONGEST]
    if status["available"] and status.get("version"):
        return _available(http, BaseKind.SIDECAR, status["version"], "samgeo-api behind GeoLibre's sidecar", progress)
    if status["available"]:
        text = f"GeoLibre's sidecar {http.shown} will start samgeo-api with the first request."
        return SamgeoStatus(ServerState.AVAILABLE, text, kind=BaseKind.SIDECAR)
    if NOT_RESPONDING in message:
        # the sidecar says the same of a samgeo-api that works and of one that is gone
        return _busy(http.shown, BaseKind.SIDECAR)
    return SamgeoStatus(
        ServerState.ABSENT,
        f"GeoLibre's sidecar {http.shown} has no samgeo-api: {message.rstrip('.')}.",
        "Install or start samgeo-api there.",
        BaseKind.SIDECAR,
    )


def _available(http: HttpClient, kind: BaseKind, version: Any, what: str, progress: Progress) -> SamgeoStatus:
    said = str(version or "")[:40]
    text = f"{http.shown} is {what}{f' {said}' if said else ''}, available."
    try:
        listed = parsed(http.get(f"{kind.value}/models", progress))
    except NoAnswerError as error:
        if error.problem is not Problem.SILENT:
            raise
        # it began to work between the two questions
        return _busy(http.shown, kind)
    return SamgeoStatus(
        ServerState.AVAILABLE,
        text,
        kind=kind,
        version=said,
        models=tuple(_models(listed.get("models"))),
        loaded=tuple(_loaded(listed.get("loaded"))),
    )


def _models(listed: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    for version, names in listed.items() if isinstance(listed, dict) else ():
        if isinstance(names, list):
            yield str(version), tuple(str(name) for name in names)


def _loaded(listed: Any) -> Iterator[str]:
    """Yield e.g. "sam3 facebook/sam3 (backend meta, confidence_threshold 0.2)"."""
    for entry in listed if isinstance(listed, list) else ():
        if not isinstance(entry, list) or len(entry) < 2:
            continue
        options = entry[2] if len(entry) > 2 and isinstance(entry[2], list) else []
        said = ", ".join(" ".join(str(part) for part in option) for option in options if isinstance(option, list))
        yield f"{entry[0]} {entry[1]}" + (f" ({said})" if said else "")


def _busy(shown: str, kind: BaseKind | None) -> SamgeoStatus:
    return SamgeoStatus(
        ServerState.BUSY,
        f"{shown} is there and does not answer now: it is busy with a job, or starts.",
        "Requests wait for their turn.",
        kind,
    )


def _refusing(error: SegmentError) -> SamgeoStatus:
    return SamgeoStatus(ServerState.REFUSES, error.message, error.hint)
