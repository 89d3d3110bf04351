"""A program that behaves like the command samgeo-api, as far as being started, asked how it is and ended goes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

SCRIPT = """
import json, os, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

MOOD = {mood!r}
if MOOD == "broken":
    sys.exit("ImportError: no module named torch")
print("started with token=very-secret", flush=True)
print("pid", os.getpid(), flush=True)
if MOOD == "slow":
    time.sleep(60)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if MOOD == "silent" and self.path == "/models":
            time.sleep(60)
        said = {{"status": "ok", "version": "1.4.2"}}
        if self.path == "/models":
            said = {{"models": {{"sam3": ["facebook/sam3"], "sam2": ["sam2-hiera-large"]}}, "loaded": []}}
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


arguments = sys.argv[1:]
host = arguments[arguments.index("--host") + 1]
port = int(arguments[arguments.index("--port") + 1])
HTTPServer((host, port), Handler).serve_forever()
"""


def samgeo_command(folder, mood="well"):
    """Return a command that starts it; ``mood`` is "well", "broken", "slow" (starts for ever) or "silent"."""
    path = folder / f"samgeo_{mood}.py"
    path.write_text(SCRIPT.format(mood=mood))
    return f'"{sys.executable}" "{path}"'


def runs(pid):
    """Return True while a process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        said = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        # it went away between the two questions
        return False
    return said.rpartition(")")[2].split()[0] != "Z"
