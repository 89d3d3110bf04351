"""Asking a server by HTTP: with patience for one that is busy or restarts, and redirects only to itself."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from .. import native
from ..errors import ServerUnavailableError
from ..progress import Progress, check
from .address import ServerAddress
from .exchange import Exchange, HttpReply, HttpRequest, Limits, NoAnswerError, Problem

OK = 200
TOO_MANY = 429
UNAVAILABLE = 503
_HTTPS_PORT = 443
_REDIRECTS = frozenset({301, 302, 307, 308})
_MOST_REDIRECTS = 5
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """How often a request that may yet be answered is sent again, and how long the pauses are."""

    tries: int = 6
    """Requests before giving up."""
    wait_s: float = 1.0
    """Pause before the second one; it doubles each time, and is longer if the server says so."""
    longest_wait_s: float = 30.0
    """Longest pause."""


def is_busy(reply: HttpReply) -> bool:
    """Return True for an answer that says: not now."""
    return reply.status in (TOO_MANY, UNAVAILABLE)


class HttpClient:
    """Asks one server. Each request has a connection of its own, so that a restart in between does no harm.

    May be used from several threads. A client of a server that needs no second chances takes ``Patience(tries=1)``.

    Parameters
    ----------
    address : ServerAddress
        Which server.
    limits : Limits, optional
        How long and how large an answer may be.
    patience : Patience, optional
        How often a request is sent again.

    Raises
    ------
    SettingsError
        If the address is none of a web server.
    """

    def __init__(
        self, address: ServerAddress, *, limits: Limits | None = None, patience: Patience | None = None
    ) -> None:
        self.shown = address.shown
        """What messages call the server."""
        self._address = address
        self._limits = limits or Limits()
        self._patience = patience or Patience()
        self._met = False

    @property
    def address(self) -> ServerAddress:
        """Which server it is."""
        return self._address

    def get(self, route: str, progress: Progress, *, limits: Limits | None = None) -> HttpReply:
        """Return the answer to a GET, asked once; raises like :meth:`ask`."""
        return self._followed(HttpRequest("GET", route), limits or self._limits, progress)

    def ask(
        self, request: HttpRequest, progress: Progress, *, may_pass: Callable[[HttpReply], bool] = is_busy
    ) -> HttpReply:
        """Return the answer to a request, whatever its status.

        It is sent again where ``may_pass`` says of the answer that another may follow, and where the server went away
        after it had been there: once if it did so with this request in hand, for that may be the reason.

        Raises
        ------
        NoAnswerError
            If there is no answer after all patience.
        StoppedWaiting
            If the user asked to stop while the server had the request: it goes on with it.
        Cancelled
            If the user asked to stop before that.
        """
        patience, broken = self._patience, 0
        for attempt in range(1, patience.tries + 1):
            wished = ""
            try:
                reply = self._followed(request, self._limits, progress)
                if attempt == patience.tries or not may_pass(reply):
                    return reply
                wished = reply.headers.get("retry-after", "")
                why = f"The server {self.shown} has no time now"
            except NoAnswerError as error:
                broken += error.problem is Problem.BROKEN
                again = error.problem is Problem.BROKEN and broken == 1
                again |= error.problem in (Problem.REFUSED, Problem.UNREACHABLE) and self._met
                if attempt == patience.tries or not again:
                    raise
                why = f"The server {self.shown} went away"
            seconds = max(patience.wait_s * 2.0 ** (attempt - 1), float(wished) if wished.isdigit() else 0.0)
            _pause(min(seconds, patience.longest_wait_s), why, progress)
        raise ServerUnavailableError(f"The server {self.shown} was not asked.", hint="Allow at least one try.")

    def _followed(self, request: HttpRequest, limits: Limits, progress: Progress) -> HttpReply:
        """Return the answer, after redirects."""
        url = self._address.route(request.route)
        for _ in range(_MOST_REDIRECTS + 1):
            begun = time.monotonic()
            exchange = Exchange(self._address, url, request, limits)
            try:
                reply = exchange.run(progress)
            finally:
                self._met |= exchange.connected
            _log.debug(
                "%s %s of %s: %s, %d bytes, %.1f s",
                request.method,
                request.route,
                self.shown,
                reply.status,
                len(reply.body),
                time.monotonic() - begun,
            )
            if reply.status not in _REDIRECTS:
                return reply
            url = self._redirected(url, reply.headers.get("location", ""))
        raise NoAnswerError(self.shown, Problem.ELSEWHERE, " again and again")

    def _redirected(self, url: str, location: str) -> str:
        """Return where a redirect leads, if to the same server: another one is given neither pixels nor headers."""
        try:
            to, here = urlsplit(urljoin(url, location)), urlsplit(url)
            upgraded = (here.scheme, to.scheme) == ("http", "https") and to.port in (None, _HTTPS_PORT, here.port)
            same = to.hostname == here.hostname and (upgraded or (to.scheme == here.scheme and to.port == here.port))
            named = f"{to.scheme}://{to.netloc.rpartition('@')[2]}"
        except ValueError:
            same, named = False, "one that can't be read"
        if not location or not same:
            raise NoAnswerError(self.shown, Problem.ELSEWHERE, f" ({named})")
        if "@" in here.netloc and "@" not in to.netloc:
            to = to._replace(netloc=f"{here.netloc.rpartition('@')[0]}@{to.netloc}")
        return to.geturl()


def multipart(
    route: str, fields: tuple[tuple[str, str], ...], filename: str, content: bytes, content_type: str
) -> HttpRequest:
    """Return the POST of a form with fields and one file, whose field is called "file".

    Raises
    ------
    DependencyError
        If requests is missing.
    """
    requests = native.requests()
    files = {"file": (filename, content, content_type)}
    # The address is not the server's: only the form's body is made here.
    form = requests.Request("POST", "http://localhost/", data=list(fields), files=files).prepare()
    return HttpRequest("POST", route, form.body, form.headers["Content-Type"])


def _pause(seconds: float, why: str, progress: Progress) -> None:
    until, told = time.monotonic() + seconds, -1
    while (left := until - time.monotonic()) > 0.0:
        check(progress)
        if round(left) != told:
            told = round(left)
            progress.report(0.0, f"{why}: asking again in {told} s")
        time.sleep(min(0.05, left))
