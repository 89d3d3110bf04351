"""A SamGIS server: it fetches a map by itself and outlines what points and a rectangle on it say, or words."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlunsplit

from ..errors import (
    EmptyPromptError,
    OutsideExtentError,
    SegmentError,
    ServerBusyError,
    ServerUnavailableError,
    SettingsError,
    UnsupportedPromptError,
)
from ..progress import Progress
from ..raster.grid import Bounds
from . import mercator, samgis_answer
from .address import ServerAddress
from .exchange import HttpRequest, Limits
from .http import OK, HttpClient, is_busy
from .samgis_answer import SamgisAnswer
from .samgis_sources import require_fetchable

POINTS_ROUTE = "/infer_samgis"
WORDS_ROUTE = "/infer_lisa"
HEALTH_ROUTE = "/health"
LARGEST_VIEW_PX = 4096
"""Longest side of a view: a server has no limit of its own and would fetch a thousand tiles and more."""
_LAMBDA_ROUTE = "/lambda-ml-fastsam-api"
_LIMITS = Limits(silence_s=600.0, whole_s=1800.0, answer_bytes=64 * 1024 * 1024)
_HEALTH_LIMITS = Limits(connect_s=5.0, silence_s=20.0, whole_s=25.0, answer_bytes=1024 * 1024)
_TAKEN_WORDS = re.compile(r"[A-Za-z ,.!?'\"]+")


@dataclass(frozen=True)
class MapView:
    """What a server is to look at."""

    bounds: Bounds
    """(west, south, east, north) in degrees."""
    zoom: int
    """Zoom level of the map."""
    source_type: str
    """Name of the map in xyzservices."""

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height in pixels."""
        west, south, east, north = self.bounds
        (left, bottom), (right, top) = mercator.to_pixels([(west, south), (east, north)], self.zoom).tolist()
        return math.ceil(right - left), math.ceil(bottom - top)

    def require_possible(self) -> None:
        """Raise for what a server answers with an error that says nothing.

        Raises
        ------
        SettingsError
            If there is no such source or zoom level, or the view has no or too many pixels.
        """
        require_fetchable(self.source_type, self.zoom)
        west, south, east, north = self.bounds
        most = mercator.NORTHERNMOST
        if not (-180.0 <= west < east <= 180.0 and -most <= south < north <= most):
            raise SettingsError(
                f"The view from ({west:.9g}, {south:.9g}) to ({east:.9g}, {north:.9g}) is not on a web map.",
                hint=f"Longitudes go from -180 to 180 and latitudes from {-most:.4f} to {most:.4f}.",
            )
        width, height = self.size_px
        if max(width, height) > LARGEST_VIEW_PX:
            coarser = self.zoom - math.ceil(math.log2(max(width, height) / LARGEST_VIEW_PX))
            raise SettingsError(
                f"At zoom {self.zoom} the view has {width} x {height} pixels, and {LARGEST_VIEW_PX} are the most.",
                hint=f"Use zoom {coarser} or a smaller extent.",
            )


@dataclass(frozen=True)
class MapPoint:
    """A click."""

    longitude: float
    """Degrees."""
    latitude: float
    """Degrees."""
    include: bool
    """False for what is not part of the object."""


class SamgisClient:
    """Asks one server.

    Parameters
    ----------
    address : ServerAddress
        Where it is. A base URL, or that of the route for points and rectangles itself.
    words_route : str
        Where it takes words.
    correct_shift : bool
        Mend the half pixel by which its answers lie to the north-west.
    """

    def __init__(self, address: ServerAddress, *, words_route: str = WORDS_ROUTE, correct_shift: bool = True) -> None:
        base, self._points_route = _base(address)
        self._words_route = f"/{words_route.strip().lstrip('/')}"
        self._correct_shift = correct_shift
        self._client = HttpClient(base, limits=_LIMITS)

    def outline(
        self, view: MapView, points: Sequence[MapPoint], box: Bounds | None, progress: Progress
    ) -> SamgisAnswer:
        """Return one object's shapes.

        Parameters
        ----------
        view : MapView
            What to look at.
        points : sequence of MapPoint
            The object's clicks.
        box : tuple of float, optional
            The object's (west, south, east, north): the server takes one rectangle at most.
        progress : Progress
            Asked for cancellation, which ends the wait; the server goes on.

        Raises
        ------
        EmptyPromptError
            If nothing locates the object.
        OutsideExtentError
            If a prompt lies outside the view: SamGIS would mirror it into it.
        SettingsError
            If the view can't be, or the server refuses the request.
        ServerUnavailableError
            If the server can't be reached, fails, or answers something else.
        Cancelled
            If the user asked to stop.
        """
        view.require_possible()
        if box is None and not any(point.include for point in points):
            raise EmptyPromptError("There is no include point and no box.", hint="Add one on the object.")
        _require_inside(view, points, box)
        prompts: list[dict[str, Any]] = [
            {
                "type": "point",
                "data": {"lat": point.latitude, "lng": point.longitude},
                "label": 1 if point.include else 0,
            }
            for point in points
        ]
        if box is not None:
            prompts.append({"type": "rectangle", "data": _corners(box)})
        return self._ask(self._points_route, view, {"prompt": prompts}, progress)

    def find_words(self, view: MapView, phrase: str, progress: Progress) -> SamgisAnswer:
        """Return the shapes of what a phrase says. Raises like :meth:`outline`, and UnsupportedPromptError."""
        view.require_possible()
        require_words(phrase)
        return self._ask(self._words_route, view, {"string_prompt": phrase}, progress)

    def require_alive(self, progress: Progress) -> None:
        """Raise unless the server says that it is there and has its models; returns within half a minute.

        Raises
        ------
        ServerUnavailableError
            Says what is the matter.
        """
        reply = self._client.get(HEALTH_ROUTE, progress, limits=_HEALTH_LIMITS)
        if reply.status != OK:
            raise ServerUnavailableError(
                f"The SamGIS server {self._client.shown} answers {reply.status} when it is asked whether it is well.",
                hint="Its weights are missing or damaged: see its log."
                if reply.status >= 500
                else f"Check the address: it is the one that {HEALTH_ROUTE} and {POINTS_ROUTE} are added to.",
            )

    def _ask(self, route: str, view: MapView, what: dict[str, Any], progress: Progress) -> SamgisAnswer:
        body = {"id": "", "bbox": _corners(view.bounds), **what, "zoom": view.zoom, "source_type": view.source_type}
        text = json.dumps({**body, "debug": False})
        reply = self._client.ask(HttpRequest("POST", route, text.encode(), "application/json"), progress)
        if reply.status != OK:
            raise self._refused(reply.status, route, view, is_busy=is_busy(reply))
        envelope = samgis_answer.opened(reply.status, reply.body)
        if envelope.status != OK:
            raise self._refused(envelope.status, route, view)
        return samgis_answer.read(envelope.output, view.zoom, correct_shift=self._correct_shift)

    def _refused(self, status: int, route: str, view: MapView, *, is_busy: bool = False) -> SegmentError:
        """Return the error for a status: SamGIS says nothing else, so the sentence says what it may be."""
        what, shown = f"{view.source_type}, zoom {view.zoom}", self._client.shown
        if is_busy:
            return ServerBusyError(
                f"The SamGIS server {shown} has no time for this ({status}).", hint="Try again later."
            )
        if status in (400, 422):
            return SettingsError(
                f"The SamGIS server {shown} refuses the request ({status}) and does not say why ({what}).",
                hint="Mostly it does not know the source. Try OpenStreetMap.Mapnik or Esri.WorldImagery.",
            )
        if status in (404, 405):
            for_words = " and its route for words" if route == self._words_route else ""
            return ServerUnavailableError(
                f"The server {shown} has no {route or POINTS_ROUTE} ({status}).",
                hint=f"Check the address of the SamGIS server{for_words}.",
            )
        if status in (401, 403, 407):
            return ServerUnavailableError(
                f"The SamGIS server {shown} asks for a login ({status}).",
                hint="Choose one for it in the Servers page of the panel.",
            )
        return ServerUnavailableError(
            f"The SamGIS server {shown} failed ({status}) and does not say why ({what}).",
            hint="Maybe it can't fetch the tiles of this source here, or the source ends before this zoom level: try "
            "another zoom or source, and see the server's log.",
        )


def require_words(phrase: str) -> None:
    """Raise for a phrase that a SamGIS server refuses: it takes letters from A to Z and simple punctuation only.

    Raises
    ------
    EmptyPromptError
        If it is empty.
    UnsupportedPromptError
        If it has other characters; names them.
    """
    if not phrase.strip():
        raise EmptyPromptError("There are no words.", hint="Say what to look for.")
    if not _TAKEN_WORDS.fullmatch(phrase):
        others = "".join(dict.fromkeys(sign for sign in phrase if not _TAKEN_WORDS.fullmatch(sign)))
        raise UnsupportedPromptError(
            f"SamGIS takes no '{others[:20]}' in words ('{phrase[:80]}').",
            hint="It takes English words: letters from A to Z and , . ! ? ' \". Numbers are written as words.",
        )


def _base(address: ServerAddress) -> tuple[ServerAddress, str]:
    """Return the server's base, and the route for points and rectangles below it.

    People give the base, or the whole address of the route; on AWS Lambda there is only that.
    """
    parts = address.parts
    path = parts.path.rstrip("/")
    if path.endswith(_LAMBDA_ROUTE):
        return address, ""
    path = path[: -len(POINTS_ROUTE)] if path.endswith(POINTS_ROUTE) else path
    return replace(address, url=urlunsplit(parts._replace(path=path))), POINTS_ROUTE


def _corners(bounds: Bounds) -> dict[str, dict[str, float]]:
    west, south, east, north = bounds
    return {"ne": {"lat": north, "lng": east}, "sw": {"lat": south, "lng": west}}


def _require_inside(view: MapView, points: Sequence[MapPoint], box: Bounds | None) -> None:
    west, south, east, north = view.bounds
    places = [(point.longitude, point.latitude, point.longitude, point.latitude) for point in points]
    places += [] if box is None else [box]
    outside = [
        f"({left:.9g}, {bottom:.9g})" if left == right else f"[{left:.9g}, {bottom:.9g}, {right:.9g}, {top:.9g}]"
        for left, bottom, right, top in places
        if not (west <= left <= right <= east and south <= bottom <= top <= north)
    ]
    if outside:
        raise OutsideExtentError(
            f"Outside the part that the server is to look at: {'; '.join(outside)} (longitude, latitude).",
            hint=f"It covers longitudes {west:.9g} to {east:.9g} and latitudes {south:.9g} to {north:.9g}.",
        )
