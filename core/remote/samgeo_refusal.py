"""Every way in which a samgeo-api server, or what stands in front of it, refuses: as errors that say what to do."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from ..errors import (
    ChipTooLargeError,
    ModelRunError,
    PromptError,
    SegmentError,
    ServerBusyError,
    ServerUnavailableError,
    UnknownNameError,
)
from ..redact import without_credentials
from .exchange import HttpReply
from .http import is_busy

_LONGEST = 300
_FOLDERS = re.compile(r"(?<![\w:/])(?:[A-Za-z]:)?(?:[\\/][^\s\\/'\"]+)*[\\/](?=[^\s\\/'\"])")
_OLD = "The plugin knows samgeo-api 1.4: check the server's version."


@dataclass(frozen=True)
class _Row:
    """What one kind of refusal is."""

    statuses: tuple[int, ...]
    pattern: str
    """Searched in the server's words."""
    error: type[SegmentError]
    what: str
    """Goes on after "The server http://... "."""
    hint: str


_ROWS = (
    _Row((401, 403, 407), "", ServerUnavailableError, "refuses to answer without permission",
         "Give the header with the token that it needs, and check that it is still valid."),
    _Row((404,), "", ServerUnavailableError, "has no such service",
         "Check the address: give the base of samgeo-api (with /health) or of GeoLibre's sidecar (/ml/status)."),
    _Row((405,), "", ServerUnavailableError, "is no samgeo-api",
         "Check the address."),
    _Row((413,), "", ChipTooLargeError, "finds the image too large",
         "Look at a smaller area, or more coarsely."),
    _Row((429,), "", ServerBusyError, "has no time: too many requests at once",
         "Wait until its other work is done, then try again."),
    _Row((503,), "(?i)install", ServerUnavailableError, "lacks what this model needs",
         "Install it where the server runs, as it says, or choose another model."),
    _Row((503,), "", ServerBusyError, "has no time, or is starting",
         "Wait until its other work is done, then try again."),
    _Row((400,), "(?i)exceeded maximum size", PromptError, "finds the prompts too many",
         "Give fewer points or boxes."),
    _Row((400,), "(?i)invalid (model|backend)|checkpoint repository", UnknownNameError, "does not know the model",
         "Choose one of those that it names."),
    _Row((400, 422), "", ServerUnavailableError, "does not understand the request", _OLD),
    _Row((500,), "(?i)out of memory", ModelRunError, "has not enough memory",
         "Look at a smaller area, or restart the server: each model that it has loaded stays there."),
    _Row((500,), "(?i)supported file format|read input image", ModelRunError, "can't read the image", _OLD),
    _Row((500,), "(?i)neither points nor box|point_labels", ModelRunError, "can't use these prompts",
         "Use include points alone, or another model."),
    _Row((500,), "(?i)download|hugging|gated|checkpoint|weights|connection", ModelRunError, "can't get the weights",
         "Look at the server's log: the weights may need a licence to be accepted, or the network."),
    _Row((500,), "", ModelRunError, "failed", "Look at the server's log."),
    _Row((502, 504), "", ServerUnavailableError, "gets no answer from the model server behind it",
         "Wait a moment and try again; if it stays so, look at that server's log."),
)  # fmt: skip
_OTHER = _Row((), "", ServerUnavailableError, "answers in an unknown way", "Check the address and the server's log.")


def refusal(reply: HttpReply, shown: str) -> SegmentError:
    """Return the error that an answer other than 200 means."""
    detail = detail_of(reply)
    matching = (row for row in _ROWS if reply.status in row.statuses and re.search(row.pattern, detail))
    row = next(matching, _OTHER)
    said = f": {_tidy(detail)}" if detail else ""
    return row.error(f"The server {shown} {row.what} (HTTP {reply.status}){said.rstrip('.')}.", hint=row.hint)


def may_pass(reply: HttpReply) -> bool:
    """Return True for an answer that says "not now"; what is not installed will not be there in a moment."""
    return is_busy(reply) and "install" not in detail_of(reply).lower()


def is_no_route(reply: HttpReply) -> bool:
    """Return True if the server has nothing at this address, which is not the 404 that says "no objects"."""
    return reply.status == 404 and not detail_of(reply).startswith("No objects")


def detail_of(reply: HttpReply) -> str:
    """Return what the server says of a refusal; empty where it says nothing in its usual form."""
    said = parsed(reply).get("detail")
    if isinstance(said, list):
        return "; ".join(_complaint(one) for one in said)
    return said if isinstance(said, str) else ""


def parsed(reply: HttpReply) -> dict[str, Any]:
    """Return the JSON object of an answer; empty if it is none."""
    try:
        value = json.loads(reply.body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _complaint(one: Any) -> str:
    """Return e.g. "prompt: Field required" of an entry of a 422."""
    if not isinstance(one, dict):
        return str(one)
    place = one.get("loc")
    field = str(place[-1]) if isinstance(place, list) and place else "?"
    return f"{field}: {one.get('msg', '?')}"


def _tidy(text: str) -> str:
    """Return the server's words on one line, not too long, without credentials and without its own folders."""
    text = without_credentials(" ".join(_FOLDERS.sub("", text).split()))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
