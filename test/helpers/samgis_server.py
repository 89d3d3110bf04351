"""A web server on the loopback that answers as SamGIS does: envelopes in envelopes, and errors without a reason."""

from __future__ import annotations

import json
import math
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def lonlat(col, row, zoom):
    """Return the degrees of a continuous pixel of the world, by the textbook's formula."""
    side = 256 * 2**zoom
    return 360.0 * (col / side - 0.5), math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / side))))


def ring(left, top, right, bottom, zoom):
    """Return a rectangle of pixels as a closed ring of degrees."""
    corners = ((left, top), (left, bottom), (right, bottom), (right, top), (left, top))
    return [list(lonlat(col, row, zoom)) for col, row in corners]


def feature(rings, value=255.0):
    """Return a shape as SamGIS writes it."""
    geometry = {"type": "Polygon", "coordinates": rings}
    return {"id": "0", "type": "Feature", "properties": {"raster_val": value}, "geometry": geometry}


def envelope(features, n_predictions=1, **more):
    """Return the JSON in JSON in JSON of an answer."""
    output = {
        "n_predictions": n_predictions,
        "geojson": json.dumps({"type": "FeatureCollection", "features": features}),
        "n_shapes_geojson": len(features),
        **more,
    }
    return {"body": json.dumps({"duration_run": 0.2, "output": output})}


class Samgis:
    """What the server does; each request is kept in ``asked`` as (route, body) and its headers in ``headers``."""

    def __init__(self):
        self.asked = []
        self.headers = []
        self.url = ""
        self.answers = None
        """Called with (route, body); returns (status, object or bytes). Rectangles of 10 pixels where left out."""
        self.health = (200, {"msg": "still alive..."})
        self.hang = threading.Event()
        """While it is set, answers don't come."""
        self.let_go = threading.Event()


def squares(offset=0.5, *, side=10):
    """Return a behaviour: around each request's first place a square of pixels, from whole ones ``offset`` away."""

    def answer(route, body):
        zoom = int(body["zoom"])
        first = (body.get("prompt") or [{}])[0].get("data")
        place = first.get("sw", first) if first else body["bbox"]["sw"]
        world = 256 * 2**zoom
        sine = math.sin(math.radians(place["lat"]))
        col = math.floor(world * (0.5 + place["lng"] / 360.0))
        row = math.floor(world * (0.5 - math.atanh(sine) / (2 * math.pi)))
        left, top = col - side // 2 - offset, row - side // 2 - offset
        found = feature([ring(left, top, left + side, top + side, zoom)])
        return 200, envelope([found, feature([ring(left - 90, top - 90, left + 90, top + 90, zoom)], 0.0)])

    return answer


@contextmanager
def serve():
    """Yield a running :class:`Samgis`."""
    site = Samgis()
    site.answers = squares()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._note("")
            self._send(*(site.health if self.path == "/health" else (404, {"detail": "Not Found"})))

        def do_POST(self):
            text = self.rfile.read(int(self.headers["Content-Length"]))
            body = json.loads(text)
            self._note(body)
            if site.hang.is_set():
                site.let_go.wait(60)
            self._send(*site.answers(self.path, body))

        def _note(self, body):
            site.asked.append((self.path, body))
            site.headers.append(dict(self.headers))

        def _send(self, status, said):
            content = said if isinstance(said, bytes) else json.dumps(said).encode()
            with suppress(ConnectionError):  # who stopped waiting has gone
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        site.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield site
        finally:
            site.let_go.set()
            server.shutdown()
            thread.join()
