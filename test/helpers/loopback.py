"""Web servers on the loopback: the one way to run a handler, and one that answers as the test says."""

from __future__ import annotations

import email
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FILLER = b"[0, 0]," * 9000


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Say nothing: clients that go away in the middle are what these tests are about."""


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], port: int = 0):
    """Yield the base URL of a running server, without a slash at its end."""
    with _Server(("127.0.0.1", port), handler) as server:
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Asked:
    """A request that came."""

    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The text fields of a multipart body, and the file's content as "file" in latin-1."""
        return {part.get_param("name", header="content-disposition"): _text(part) for part in self._parts()}

    @property
    def file(self) -> bytes:
        return self.form["file"].encode("latin-1")

    @property
    def filename(self) -> str:
        return next(part.get_filename() for part in self._parts() if part.get_filename())

    def _parts(self):
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        return email.message_from_bytes(head + self.body).get_payload()


def _text(part) -> str:
    content = part.get_payload(decode=True)
    return content.decode("latin-1") if part.get_filename() else content.decode("utf-8")


@dataclass
class Reply:
    """What to answer."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    delay_s: float = 0.0
    """Silence before the answer; it ends early when the script is over."""
    cut_after: int | None = None
    """Close the connection after so many bytes of the body; -1 for before the first word."""
    filler_bytes: int = 0
    """Send so many bytes in place of the body."""
    says_length: bool = True


class Script:
    """What a scripted server answers, by path; the last answer of a path stays."""

    def __init__(self) -> None:
        self.replies: dict[str, list[Reply | Callable[[Asked], Reply]]] = {}
        self.asked: list[Asked] = []
        self.sent = 0
        """Bytes of bodies that were sent."""
        self.url = ""
        self.over = threading.Event()

    @property
    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    def next_reply(self, asked: Asked) -> Reply:
        queue = self.replies.get(asked.path.split("?")[0], [Reply(404, b'{"detail":"Not Found"}')])
        reply = queue.pop(0) if len(queue) > 1 else queue[0]
        return reply(asked) if callable(reply) else reply


@contextmanager
def scripted(replies: dict | None = None, port: int = 0):
    """Yield a running :class:`Script`."""
    script = Script()
    script.replies = {
        path: list(queue) if isinstance(queue, list) else [queue] for path, queue in (replies or {}).items()
    }

    class Handler(BaseHTTPRequestHandler):
        def respond(self):
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, self.rfile.read(length))
            script.asked.append(asked)
            with suppress(ConnectionError):
                self.answer(script.next_reply(asked))

        do_GET = do_POST = respond  # noqa: N815

        def answer(self, reply):
            script.over.wait(reply.delay_s)
            if reply.cut_after == -1:
                self.close_connection = True
                return
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.content_type)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.says_length:
                self.send_header("Content-Length", str(reply.filler_bytes or len(reply.body)))
            else:
                self.close_connection = True
            self.end_headers()
            left = reply.filler_bytes
            while left > 0 and not script.over.is_set():
                self.wfile.write(FILLER[:left])
                script.sent += min(left, len(FILLER))
                left -= len(FILLER)
            if not reply.filler_bytes:
                self.wfile.write(reply.body[: reply.cut_after])
            self.close_connection = self.close_connection or reply.cut_after is not None

        def log_message(self, *args):
            pass

    with serving(Handler, port) as url:
        script.url = url
        try:
            yield script
        finally:
            script.over.set()


class Watched:
    """A progress that notes what it is told, and is cancelled as soon as something is so."""

    def __init__(self, cancel_when: Callable[[], object] = lambda: False) -> None:
        self.messages: list[str] = []
        self.cancelled_at = 0.0
        """When it first said so, as time.monotonic()."""
        self._when = cancel_when

    def report(self, fraction: float, message: str = "") -> None:
        self.messages.append(message)

    def is_cancelled(self) -> bool:
        if not self.cancelled_at and self._when():
            self.cancelled_at = time.monotonic()
        return bool(self.cancelled_at)
