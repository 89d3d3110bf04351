"""Map tiles through QGIS's own network access (its proxy, its logins, its cache), decoded by Qt."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qgis.core import QgsApplication, QgsNetworkAccessManager
from qgis.PyQt.QtCore import QEventLoop, QTimer, QUrl
from qgis.PyQt.QtGui import QImage
from qgis.PyQt.QtNetwork import QNetworkReply, QNetworkRequest

from ..core.progress import Progress, check
from ..core.raster import tile_fetch
from ..core.raster.tile_fetch import USER_AGENT, TileReply, TileRequest

_LOOK_MS = 100
_Attribute = QNetworkRequest.Attribute


class QgisFetcher:
    """Asks for tiles with QGIS's network access manager, on the thread that it is used from.

    Parameters
    ----------
    authcfg : str
        Id of a login that QGIS keeps; empty for none.
    referer : str
        What a layer wants to be sent as the page that it is on.
    """

    def __init__(self, authcfg: str = "", referer: str = "") -> None:
        self._authcfg = authcfg
        self._referer = referer

    def fetch(self, requests: Sequence[TileRequest], connections: int, progress: Progress) -> Iterator[TileReply]:
        """Yield a reply for each request; see :class:`TileFetcher`."""
        waiting = deque(requests)
        flying: dict[Any, tuple[TileRequest, float]] = {}
        loop = QEventLoop()
        timer = QTimer()
        timer.setInterval(_LOOK_MS)
        timer.timeout.connect(loop.quit)
        timer.start()
        try:
            while waiting or flying:
                while waiting and len(flying) < connections:
                    request = waiting.popleft()
                    reply = self._start(request)
                    reply.finished.connect(loop.quit)
                    flying[reply] = (request, time.monotonic() + sum(tile_fetch.TIMEOUT_S))
                if not any(reply.isFinished() for reply in flying):
                    loop.exec()
                check(progress)
                for reply, (request, deadline) in list(flying.items()):
                    found = _outcome(reply, request, deadline)
                    if found is not None:
                        del flying[reply]
                        _drop(reply)
                        yield found
        finally:
            timer.stop()
            for reply in flying:
                _drop(reply)

    def _start(self, request: TileRequest) -> Any:
        asked = QNetworkRequest(QUrl(request.url))
        # QGIS replaces this by its own name, which says as much.
        asked.setRawHeader(b"User-Agent", USER_AGENT.encode())
        if self._referer:
            asked.setRawHeader(b"Referer", self._referer.encode())
        for name, value in request.headers.items():
            asked.setRawHeader(name.encode(), value.encode())
        redirects = QNetworkRequest.RedirectPolicy.NoLessSafeRedirectPolicy
        # Qt6's Python hands enums on as objects, which Qt does not take for numbers.
        asked.setAttribute(_Attribute.RedirectPolicyAttribute, int(getattr(redirects, "value", redirects)))
        if self._authcfg:
            QgsApplication.authManager().updateNetworkRequest(asked, self._authcfg)
        return QgsNetworkAccessManager.instance().get(asked)


class QtDecoder:
    """Decodes PNG, WebP and whatever else Qt reads, to the very bytes of the file."""

    def decode(self, file: bytes) -> NDArray[np.uint8] | None:
        """Return RGBA (4, H, W), or None if it is no picture."""
        image = QImage.fromData(file)
        if image.isNull():
            return None
        image = image.convertToFormat(QImage.Format.Format_RGBA8888)
        width, height = image.width(), image.height()
        bits = image.constBits()
        bits.setsize(image.bytesPerLine() * height)
        rows = np.frombuffer(bytes(bits), dtype=np.uint8).reshape(height, image.bytesPerLine())
        pixels: NDArray[np.uint8] = np.moveaxis(rows[:, : 4 * width].reshape(height, width, 4), 2, 0)
        return np.ascontiguousarray(pixels)


def _outcome(reply: Any, request: TileRequest, deadline: float) -> TileReply | None:
    """Return what came of a request, or None while it is under way."""
    if reply.bytesAvailable() > tile_fetch.LARGEST_TILE_BYTES:
        megabytes = tile_fetch.LARGEST_TILE_BYTES >> 20
        return TileReply(request.tile, -1, problem=f"larger than {megabytes} MB")
    if not reply.isFinished():
        return TileReply(request.tile, 0, problem="took too long") if time.monotonic() > deadline else None
    status = reply.attribute(_Attribute.HttpStatusCodeAttribute)
    if status is None:
        return TileReply(request.tile, 0, problem=_failure(reply))
    headers = {
        bytes(name).decode("latin-1").lower(): bytes(reply.rawHeader(name)).decode("latin-1")
        for name in reply.rawHeaderList()
    }
    return TileReply(request.tile, int(status), bytes(reply.readAll()), headers)


def _failure(reply: Any) -> str:
    problem = reply.errorString()
    return str(problem) if reply.error() != QNetworkReply.NetworkError.NoError and problem else "no answer"


def _drop(reply: Any) -> None:
    if not reply.isFinished():
        reply.abort()
    reply.deleteLater()
