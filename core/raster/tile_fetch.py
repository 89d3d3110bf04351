"""Fetching map tiles: in parallel, with patience, limits and a cache, or an error that says which did not come."""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, Protocol

from .. import native
from ..errors import TileDownloadError
from ..progress import Progress, check
from ..redact import without_credentials
from ..version import VERSION
from .tile_template import TileIndex, TileTemplate

USER_AGENT = f"PromptSegmenter/{VERSION} (+https://github.com/prompt-segmenter/prompt-segmenter)"
LARGEST_TILE_BYTES = 4 * 1024 * 1024
TIMEOUT_S = (10.0, 30.0)
OK = 200
NOT_MODIFIED = 304
_PASSING = frozenset({0, 408, 425, 429, 500, 502, 503, 504})
_CACHE_BYTES = 64 * 1024 * 1024
_LONGEST_WAIT_S = 30.0
_NAMED = 5


@dataclass(frozen=True)
class TileRequest:
    """What is asked of a server."""

    tile: TileIndex
    """Which tile."""
    url: str
    """Its address, token included."""
    headers: dict[str, str] = field(default_factory=dict)
    """More to say, for example which version is here already."""


@dataclass(frozen=True)
class TileReply:
    """What came of a request."""

    tile: TileIndex
    """Which tile."""
    status: int
    """HTTP status; 0 if there was no answer."""
    body: bytes = b""
    """The picture, if the status is 200."""
    headers: dict[str, str] = field(default_factory=dict)
    """Of the answer, names in lower case."""
    problem: str = ""
    """Why there was no answer."""


class TileFetcher(Protocol):
    """Asks for tiles once; patience and cache are not its business."""

    def fetch(self, requests: Sequence[TileRequest], connections: int, progress: Progress) -> Iterator[TileReply]:
        """Yield a reply for each request as it comes, ``connections`` at a time.

        A failure is a reply with its status, never an exception.

        Raises
        ------
        Cancelled
            If the user asked to stop.
        """


class RequestsFetcher:
    """Asks with the package requests, in threads of its own."""

    def fetch(self, requests: Sequence[TileRequest], connections: int, progress: Progress) -> Iterator[TileReply]:
        """Yield the replies; see :class:`TileFetcher`."""
        module = native.requests()
        stopped = threading.Event()
        with module.Session() as session, ThreadPoolExecutor(max_workers=connections) as pool:
            session.headers["User-Agent"] = USER_AGENT
            waiting = {pool.submit(_ask, module, session, request, stopped) for request in requests}
            try:
                while waiting:
                    done, waiting = wait(waiting, timeout=0.1, return_when=FIRST_COMPLETED)
                    check(progress)
                    for future in done:
                        yield future.result()
            finally:
                stopped.set()
                for future in waiting:
                    future.cancel()


@dataclass(frozen=True)
class Patience:
    """How often tiles that may yet come are asked for, and how long the pauses are."""

    tries: int = 4
    """Rounds before giving up."""
    wait_s: float = 0.5
    """Pause before the second round; it doubles each time, and is longer if the server says so."""


@dataclass
class _Kept:
    body: bytes
    etag: str
    modified: str
    fresh_until: float


class TileCache:
    """Tiles in memory, as long as their server lets them be kept; the least used go first.

    Parameters
    ----------
    limit_bytes : int
        Most that is kept.
    clock : callable
        Seconds; for tests.
    """

    def __init__(self, limit_bytes: int = _CACHE_BYTES, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit_bytes
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, url: str) -> bytes | None:
        """Return a tile that is still fresh."""
        with self._lock:
            kept = self._kept.get(url)
            if kept is None or kept.fresh_until < self._clock():
                return None
            self._kept.move_to_end(url)
            return kept.body

    def questions(self, url: str) -> dict[str, str]:
        """Return the headers that ask whether a tile that is no longer fresh has changed."""
        with self._lock:
            kept = self._kept.get(url)
        if kept is None:
            return {}
        asked = {"If-None-Match": kept.etag, "If-Modified-Since": kept.modified}
        return {name: value for name, value in asked.items() if value}

    def put(self, url: str, reply: TileReply) -> bytes:
        """Keep an answer if that is allowed, and return the tile: the kept one if the server says that it still is."""
        with self._lock:
            old = self._kept.pop(url, None)
            if old is not None:
                self._bytes -= len(old.body)
            body = old.body if reply.status == NOT_MODIFIED and old is not None else reply.body
            age = _fresh_s(reply.headers)
            if age is not None and len(body) <= self._limit:
                headers = reply.headers
                etag = headers.get("etag", old.etag if old else "")
                modified = headers.get("last-modified", old.modified if old else "")
                self._kept[url] = _Kept(body, etag, modified, self._clock() + age)
                self._bytes += len(body)
            while self._bytes > self._limit:
                _, dropped = self._kept.popitem(last=False)
                self._bytes -= len(dropped.body)
            return body


def fetch_tiles(
    template: TileTemplate,
    tiles: Sequence[TileIndex],
    fetcher: TileFetcher,
    cache: TileCache,
    progress: Progress,
    *,
    patience: Patience | None = None,
) -> dict[TileIndex, bytes]:
    """Return the file of each tile.

    Raises
    ------
    TileDownloadError
        If some did not come: names the first of them, their status, and how many of how many.
    Cancelled
        If the user asked to stop.
    """
    patience = patience or Patience()
    urls = {tile: template.url(tile) for tile in tiles}
    found = {tile: body for tile, body in ((tile, cache.get(url)) for tile, url in urls.items()) if body is not None}
    failed: dict[TileIndex, TileReply] = {}
    asked = [tile for tile in tiles if tile not in found]
    for attempt in range(patience.tries):
        requests = [TileRequest(tile, urls[tile], cache.questions(urls[tile])) for tile in asked]
        for reply in fetcher.fetch(requests, template.connections, progress):
            failed.pop(reply.tile, None)
            if reply.status == OK or (reply.status == NOT_MODIFIED and cache.questions(urls[reply.tile])):
                found[reply.tile] = cache.put(urls[reply.tile], reply)
            else:
                failed[reply.tile] = reply
            progress.report(len(found) / len(urls), f"Fetching tiles from {template.host}")
        asked = [tile for tile, reply in failed.items() if reply.status in _PASSING]
        if not asked or len(asked) < len(failed) or attempt == patience.tries - 1:
            break
        _pause(patience.wait_s * 2**attempt, failed.values(), progress)
    if failed:
        raise _download_error(template, failed, len(urls))
    return found


def _ask(module: Any, session: Any, request: TileRequest, stopped: threading.Event) -> TileReply:
    """Return the answer to one request, at most so many bytes and seconds long."""
    if stopped.is_set():
        return TileReply(request.tile, 0, problem="stopped")
    deadline = time.monotonic() + 2 * TIMEOUT_S[1]
    try:
        with session.get(request.url, headers=request.headers, timeout=TIMEOUT_S, stream=True) as response:
            body = bytearray()
            for piece in response.iter_content(64 * 1024):
                body += piece
                if len(body) > LARGEST_TILE_BYTES:
                    return TileReply(request.tile, -1, problem=f"larger than {LARGEST_TILE_BYTES >> 20} MB")
                if stopped.is_set() or time.monotonic() > deadline:
                    return TileReply(request.tile, 0, problem="took too long")
            headers = {name.lower(): value for name, value in response.headers.items()}
            return TileReply(request.tile, response.status_code, bytes(body), headers)
    except module.exceptions.RequestException as error:
        return TileReply(request.tile, 0, problem=type(error).__name__)


def _fresh_s(headers: dict[str, str]) -> float | None:
    """Return for how many seconds an answer may be used unasked; None if it must not be kept."""
    control = headers.get("cache-control", "").lower()
    if "no-store" in control:
        return None
    if "no-cache" in control:
        return 0.0
    said = re.search(r"max-age\s*=\s*(\d+)", control)
    # Without a word from the server: for one session's work, as browsers would.
    return float(said[1]) if said else 3600.0


def _pause(seconds: float, failed: Any, progress: Progress) -> None:
    wished = [reply.headers.get("retry-after", "") for reply in failed]
    longest = max([seconds, *(float(text) for text in wished if text.isdigit())])
    until = time.monotonic() + min(longest, _LONGEST_WAIT_S)
    while time.monotonic() < until:
        check(progress)
        time.sleep(min(0.05, max(0.0, until - time.monotonic())))


def _download_error(template: TileTemplate, failed: dict[TileIndex, TileReply], total: int) -> TileDownloadError:
    worst = sorted(failed.items())
    named = ", ".join(f"{tile} ({_why(reply)})" for tile, reply in worst[:_NAMED])
    more = f" and {len(worst) - _NAMED} more" if len(worst) > _NAMED else ""
    statuses = {reply.status for reply in failed.values()}
    hint = "Check the connection and try again."
    if statuses & {401, 403}:
        hint = "The server refuses: check the token in the address, and whether its terms allow this use."
    elif 404 in statuses:
        hint = "There are no such tiles: give a lower zoom, or a place that the server covers."
    elif 429 in statuses:
        hint = "The server asks for fewer requests: wait, or ask for a smaller area."
    return TileDownloadError(
        f"{len(failed)} of {total} tiles of {template.shown} did not come: {named}{more}.", hint=hint
    )


def _why(reply: TileReply) -> str:
    return without_credentials(reply.problem) or f"HTTP {reply.status}"
