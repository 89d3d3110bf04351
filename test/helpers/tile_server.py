"""A tile server on the loopback, whose tiles and faults are known."""

from __future__ import annotations

import threading
import warnings
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import numpy as np
from prompt_segmenter.core import native
from prompt_segmenter.test.helpers.loopback import serving


def height(zoom: int, cols: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the elevation, a whole number of metres, of the pixels of a zoom level: a plane that rises to the east."""
    return (cols // 2 - rows // 4) % 5000


def tile_png(zoom: int, col: int, row: int, side: int = 256, encoding: str = "terrarium") -> bytes:
    """Return one tile as a PNG file."""
    rows, cols = np.indices((side, side))
    metres = height(zoom, cols + col * side, rows + row * side)
    steps = (metres + 32768) * 256 if encoding == "terrarium" else (metres + 10000) * 10
    return png(np.stack([steps >> 16 & 255, steps >> 8 & 255, steps & 255]).astype(np.uint8))


def png(pixels: np.ndarray) -> bytes:
    rasterio = native.rasterio()
    with warnings.catch_warnings(), native.rasterio_env(), rasterio.io.MemoryFile() as memory:
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with memory.open(
            driver="PNG", width=pixels.shape[2], height=pixels.shape[1], count=len(pixels), dtype="uint8"
        ) as file:
            file.write(pixels)
        return bytes(memory.read())


class TileSite:
    """What the server does, and what it was asked."""

    def __init__(self):
        self.encoding = "terrarium"
        self.side = 256
        self.statuses: dict[str, list[int]] = {}
        """For a tile "z/x/y", the statuses to answer first."""
        self.bodies: dict[str, bytes] = {}
        """For a tile, what to send in its place."""
        self.headers: dict[str, str] = {}
        self.asked: list[str] = []
        self.agents: set[str] = set()
        self.at_once = 0
        self.most_at_once = 0
        self.url = ""
        self.lock = threading.Lock()


@contextmanager
def serve_tiles():
    """Yield a running :class:`TileSite`; its ``url`` is a template."""
    site = TileSite()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            name = self.path.split("?")[0].strip("/").rsplit(".", 1)[0]
            with site.lock:
                site.asked.append(name)
                site.agents.add(self.headers.get("User-Agent", ""))
                site.at_once += 1
                site.most_at_once = max(site.most_at_once, site.at_once)
                queue = site.statuses.get(name, [])
                status = queue.pop(0) if queue else 200
            body = b""
            if status == 200 and self.headers.get("If-None-Match") == site.headers.get("ETag", "-"):
                status = 304
            elif status == 200:
                body = site.bodies.get(name) or tile_png(*map(int, name.split("/")), site.side, site.encoding)
            self.send_response(status)
            for header, value in site.headers.items():
                self.send_header(header, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with site.lock:
                site.at_once -= 1
            try:
                self.wfile.write(body)
            except ConnectionError:
                site.asked.append("broken off")

        def log_message(self, *args):
            pass

    with serving(Handler) as url:
        site.url = f"{url}/{{z}}/{{x}}/{{y}}.png"
        yield site
