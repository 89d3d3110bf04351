"""A real web server on the loopback with the faults that downloads meet."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler

from prompt_segmenter.test.helpers.loopback import serving


class Site:
    """What the server serves and how it behaves; each request is noted in ``asked`` as its Range header or ""."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.ranges = True
        """Honour Range; else always send the whole file."""
        self.drop_after: list[int] = []
        """For each of the next requests, the number of body bytes after which the connection breaks."""
        self.statuses: list[int] = []
        """For each of the next requests, a status to answer instead of the file."""
        self.content_type = "application/octet-stream"
        self.send_length = True
        self.asked: list[str] = []
        self.url = ""


@contextmanager
def serve(content: bytes):
    """Yield a running :class:`Site`."""
    site = Site(content)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked = self.headers.get("Range", "")
            site.asked.append(asked)
            if site.statuses:
                self.send_response(site.statuses.pop(0))
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            start = int(asked[len("bytes=") : -1]) if asked and site.ranges else 0
            if start >= len(site.content) > 0 and start:
                self.send_response(416)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = site.content[start:]
            self.send_response(206 if asked and site.ranges else 200)
            if asked and site.ranges:
                self.send_header("Content-Range", f"bytes {start}-{len(site.content) - 1}/{len(site.content)}")
            self.send_header("Content-Type", site.content_type)
            if site.send_length:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if site.drop_after:
                body = body[: site.drop_after.pop(0)]
            with suppress(ConnectionError):  # who cancels goes away in the middle
                self.wfile.write(body)

        def log_message(self, *args):
            pass

    with serving(Handler) as url:
        site.url = f"{url}/weights.onnx"
        yield site
