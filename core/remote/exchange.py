"""One request and its answer, in a thread of its own: who waits for it can stop waiting at any time."""

from __future__ import annotations

import importlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any

from .. import native
from ..errors import Cancelled, ServerUnavailableError, StoppedWaiting
from ..progress import Progress, check
from ..version import VERSION
from .address import ServerAddress
from .sockets import watched_adapter

USER_AGENT = f"PromptSegmenter/{VERSION} (+https://github.com/prompt-segmenter/prompt-segmenter)"
_PIECE_BYTES = 64 * 1024
_GLANCE_S = 0.05
"""How often who waits looks whether the user has had enough."""


class Problem(Enum):
    """Why there is no answer."""

    REFUSED = "refuses connections: no server runs there"
    UNKNOWN_HOST = "is not known by its name"
    UNREACHABLE = "can't be reached"
    NOT_TRUSTED = "has a certificate that is not trusted, or no encryption"
    SILENT = "is silent for longer than allowed"
    BROKEN = "closed the connection before its answer was whole"
    TOO_LARGE = "sends a larger answer than allowed"
    ELSEWHERE = "sends requests on to another address"
    PROXY = "can't be reached through the proxy"


HINTS = {
    Problem.REFUSED: "Start the server, or check the address and the port.",
    Problem.UNKNOWN_HOST: "Check the address.",
    Problem.UNREACHABLE: "Check the address, the network and the firewall.",
    Problem.NOT_TRUSTED: "Check that the address begins with http or https as the server does, and its certificate.",
    Problem.SILENT: "It may be busy with large images: try again later, or give it smaller ones.",
    Problem.BROKEN: "It may have run out of memory or been restarted: look at its log and try again.",
    Problem.TOO_LARGE: "Give it a smaller area, and check that the address is the right server's.",
    Problem.ELSEWHERE: "Give the address that it names, if you trust it.",
    Problem.PROXY: "Check the proxy's address, or let it leave this server alone.",
}


class NoAnswerError(ServerUnavailableError):
    """There was no answer; ``problem`` says why."""

    def __init__(self, shown: str, problem: Problem, more: str = "") -> None:
        super().__init__(f"The server {shown} {problem.value}{more}.", hint=HINTS[problem])
        self.problem = problem


@dataclass(frozen=True)
class Limits:
    """How long and how large an exchange may be."""

    connect_s: float = 10.0
    """Until there is a connection."""
    silence_s: float = 1800.0
    """Between two signs of life: a server may work this long on an answer."""
    whole_s: float = 7200.0
    """Until the answer is whole."""
    answer_bytes: int = 256 * 1024 * 1024
    """Largest answer; of a larger one no more than this is ever held."""


@dataclass(frozen=True)
class HttpRequest:
    """What a server is asked."""

    method: str
    """GET or POST."""
    route: str
    """Below the base URL, e.g. "/health"."""
    body: bytes = b""
    """What is sent with a POST."""
    content_type: str = ""
    """What the body is."""


@dataclass(frozen=True)
class HttpReply:
    """What it answered."""

    status: int
    """HTTP status."""
    body: bytes
    """All of it."""
    headers: dict[str, str]
    """Names in lower case."""


class Exchange:
    """One request and its answer.

    Parameters
    ----------
    address : ServerAddress
        Headers and proxy.
    url : str
        Where the request goes.
    request : HttpRequest
        What is asked.
    limits : Limits
        How long and how large it may be.
    """

    def __init__(self, address: ServerAddress, url: str, request: HttpRequest, limits: Limits) -> None:
        self._address = address
        self._url = url
        self._request = request
        self._limits = limits
        self._shown = address.shown
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._socket: Any = None
        self._stopped = False
        self._outcome: HttpReply | Problem = Problem.BROKEN
        self._begun = time.monotonic()
        self._sent = 0
        self._received = 0
        self._waits_since = 0.0

    @property
    def connected(self) -> bool:
        """True if there was a connection: the server may have begun to work."""
        return self._socket is not None

    def run(self, progress: Progress) -> HttpReply:
        """Return the answer, whatever its status.

        Raises
        ------
        NoAnswerError
            If there is none.
        StoppedWaiting
            If the user asked to stop while the server had the request: it goes on with it.
        Cancelled
            If the user asked to stop before that.
        """
        check(progress)
        native.requests()
        self._begun = time.monotonic()
        threading.Thread(target=self._work, name="prompt-segmenter-http", daemon=True).start()
        told = ""
        while not self._done.wait(_GLANCE_S):
            if progress.is_cancelled():
                self._stop()
                if self.connected and self._request.method == "POST":
                    raise StoppedWaiting(f"Stopped waiting. The server {self._shown} goes on with what it was given.")
                raise Cancelled("Stopped on request.")
            if time.monotonic() - self._begun > self._limits.whole_s:
                self._stop()
                raise NoAnswerError(self._shown, Problem.SILENT)
            if (now := self._state()) != told:
                told = now
                progress.report(0.0, now)
        if isinstance(self._outcome, Problem):
            raise NoAnswerError(self._shown, self._outcome)
        return self._outcome

    def _state(self) -> str:
        """Return what is being done, in words; what share of the work that is nobody knows."""
        if self._socket is None:
            return f"Connecting to {self._shown}"
        if self._sent < len(self._request.body):
            return f"Sending {self._sent / 1e6:.0f} of {len(self._request.body) / 1e6:.0f} MB"
        if self._received:
            return f"Receiving {self._received / 1e6:.0f} MB"
        return f"Waiting for the server, {_in_steps(time.monotonic() - max(self._waits_since, self._begun))} s"

    def _stop(self) -> None:
        """End the exchange: what blocks on the socket returns at once."""
        with self._lock:
            self._stopped = True
            if self._socket is not None:
                with suppress(OSError):  # the other side may have gone first
                    # of the plain socket: an encrypted one would forget its state, which the thread still reads
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _on_socket(self, made: Any) -> None:
        with self._lock:
            self._socket = made
            if self._stopped:
                raise ConnectionAbortedError("stopped")
        # A server that is busy doesn't read what is sent either, and is to be given as long for that.
        made.settimeout(self._limits.silence_s)

    def _work(self) -> None:
        requests, urllib3 = native.requests(), importlib.import_module("urllib3.exceptions")
        try:
            self._outcome = self._exchange(requests)
        except (requests.exceptions.RequestException, urllib3.HTTPError, OSError, ValueError) as error:
            self._outcome = self._problem(error, requests)
        finally:
            self._done.set()

    def _exchange(self, requests: Any) -> HttpReply | Problem:
        limits, address = self._limits, self._address
        proxies = {"http": address.proxy, "https": address.proxy} if address.proxy else {}
        if address.is_here:
            proxies = {"no_proxy": str(address.parts.hostname)}
        with requests.Session() as session:
            adapter = watched_adapter(requests, self._on_socket)
            headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers_of(address)}
            if self._request.content_type:
                headers["Content-Type"] = self._request.content_type
            asked = requests.Request(self._request.method, self._url, headers, data=self._request.body or None)
            # requests would put what ~/.netrc says in the place of the header that the user set
            asked.auth = (lambda prepared: prepared) if _sends_authorization(address) else None
            prepared = session.prepare_request(asked)
            if self._request.body:
                prepared.body = _Body(self)
            settings = session.merge_environment_settings(prepared.url, proxies, True, None, None)
            timeout = (limits.connect_s, limits.silence_s)
            # Not by way of the session: it reads the whole body of a redirect, however large.
            with closing(adapter.send(prepared, timeout=timeout, **settings)) as response, closing(adapter):
                return self._receive(response)

    def _receive(self, response: Any) -> HttpReply | Problem:
        """Return the whole answer, or why it can't be had."""
        said = response.headers.get("Content-Length", "")
        expected = int(said) if said.isdigit() else None
        if expected is not None and expected > self._limits.answer_bytes:
            return Problem.TOO_LARGE
        body = bytearray()
        for piece in response.iter_content(_PIECE_BYTES):
            body += piece
            self._received = len(body)
            if len(body) > self._limits.answer_bytes:
                return Problem.TOO_LARGE
        if expected is not None and response.raw.tell() < expected:
            return Problem.BROKEN
        headers = {name.lower(): value for name, value in response.headers.items()}
        return HttpReply(response.status_code, bytes(body), headers)

    def read(self, size: int = -1) -> bytes:
        """Return the next piece of the request's body, as a file would; asked by the thread that sends."""
        piece = self._request.body[self._sent : None if size < 0 else self._sent + size]
        self._sent += len(piece)
        if self._sent == len(self._request.body):
            self._waits_since = time.monotonic()
        return piece

    def _problem(self, error: BaseException, requests: Any) -> Problem:
        causes = list(_causes(error))
        known = requests.exceptions
        if isinstance(error, known.ProxyError):
            return Problem.PROXY
        if isinstance(error, known.SSLError):
            return Problem.NOT_TRUSTED
        if self._socket is None:
            if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
                return Problem.REFUSED
            if any(isinstance(cause, (socket.gaierror, UnicodeError)) for cause in causes):
                return Problem.UNKNOWN_HOST
            return Problem.UNREACHABLE
        timed_out = any(isinstance(cause, (known.Timeout, socket.timeout)) for cause in causes)
        return Problem.SILENT if timed_out else Problem.BROKEN


def headers_of(address: ServerAddress) -> dict[str, str]:
    """Return the headers as they are sent: what was pasted may end in a line break."""
    return {name.strip(): value.strip() for name, value in address.headers}


def _sends_authorization(address: ServerAddress) -> bool:
    return "authorization" in {name.strip().lower() for name, _ in address.headers}


class _Body:
    """What requests sends: it reads pieces, so that one can see how far it is."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def read(self, size: int = -1) -> bytes:
        return self._exchange.read(size)

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read(_PIECE_BYTES):
            yield piece


def _in_steps(seconds: float) -> int:
    """Return whole seconds, in larger steps the longer it takes: some who are told write each message to a log.

    Examples
    --------
    >>> _in_steps(7.2), _in_steps(34.0), _in_steps(599.0)
    (7, 30, 570)
    """
    step = 1 if seconds < 10 else 5 if seconds < 30 else 30
    return int(seconds // step) * step


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
