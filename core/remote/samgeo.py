"""The client of samgeo-api (segment-geospatial's server) and of GeoLibre's sidecar in front of it.

What it keeps to was learnt from the server itself: only pixel prompts (its way through CRSs floors them), never a box
together with points (it drops the points), one fixed threshold (each other one loads the model again), GeoJSON only
(other formats leave files behind on the server).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from ..errors import ChipTooLargeError, ServerUnavailableError, SettingsError
from ..progress import Progress
from ..raster.geotiff import geotiff_bytes
from ..raster.grid import PixelGrid
from .address import ServerAddress
from .exchange import HttpReply, Limits, NoAnswerError, Problem
from .http import OK, HttpClient, Patience, multipart
from .samgeo_answer import NOTHING, NOTHING_AT_ALL, RemoteObject, objects_of
from .samgeo_refusal import is_no_route, may_pass, parsed, refusal

CONFIDENCE = 0.2
"""What text requests ask for, always. Low, because callers filter by score; not lower, because the server paints all
objects into one raster, where the doubtful ones would cut pieces out of the sure ones."""
LARGEST_UPLOAD_BYTES = 100 * 1024 * 1024
"""What GeoLibre's sidecar lets pass."""
PROBE = Limits(silence_s=5.0, whole_s=20.0, answer_bytes=1024 * 1024)
"""For questions that a server answers at once unless it is busy."""
NOT_RESPONDING = "not responding"
"""In a sidecar's status: what it says of a samgeo-api that is absent, and of one that works."""


class BaseKind(Enum):
    """What a base URL belongs to; the value is what its routes begin with."""

    DIRECT = ""
    """samgeo-api itself."""
    SIDECAR = "/ml"
    """GeoLibre's sidecar, which passes requests on."""


@dataclass(frozen=True)
class SamgeoModel:
    """A model as the server names it."""

    version: str
    """sam, sam2 or sam3."""
    id: str = ""
    """E.g. "facebook/sam3"; empty for the server's default of this version."""

    @classmethod
    def parse(cls, text: str) -> SamgeoModel:
        """Return the model that a text names, as VERSION or VERSION:ID.

        Raises
        ------
        SettingsError
            If it names none.

        Examples
        --------
        >>> SamgeoModel.parse("sam3:facebook/sam3.1")
        SamgeoModel(version='sam3', id='facebook/sam3.1')
        """
        version, _, identifier = (part.strip() for part in text.partition(":"))
        if version not in ("sam", "sam2", "sam3"):
            raise SettingsError(
                f"'{text[:60]}' is no model of a samgeo-api server.",
                hint="Give sam, sam2 or sam3, or one with its name, for example sam3:facebook/sam3.1.",
            )
        return cls(version, identifier)


@dataclass(frozen=True)
class Upload:
    """An image as it is sent."""

    content: bytes
    """A GeoTIFF with three bands of bytes."""
    grid: PixelGrid
    """What answers are in: pixel space if the file has no georeference."""


def upload_of(image: NDArray[np.uint8], grid: PixelGrid | None = None) -> Upload:
    """Return an RGB image (H, W, 3) uint8 as it is sent.

    Parameters
    ----------
    image : ndarray (H, W, 3) uint8
        RGB.
    grid : PixelGrid, optional
        Where it lies. Nothing here needs that: without a place the server answers in pixels, and knows no CRS that it
        could get wrong.

    Raises
    ------
    ChipTooLargeError
        If the file is larger than servers take.
    """
    height, width = image.shape[:2]
    grid = grid or PixelGrid.pixel_space(width, height)
    content = geotiff_bytes(image.transpose(2, 0, 1), grid)
    if len(content) > LARGEST_UPLOAD_BYTES:
        raise ChipTooLargeError(
            f"The image of {width} x {height} pixels makes a file of {len(content) / 1e6:.0f} MB; a samgeo "
            f"server takes {LARGEST_UPLOAD_BYTES / 1e6:.0f} MB.",
            hint="Look at a smaller area, or more coarsely.",
        )
    return Upload(content, grid)


class SamgeoClient:
    """Asks one server for objects, with one model.

    Parameters
    ----------
    address : ServerAddress
        Base URL of either kind, headers, proxy.
    model : SamgeoModel
        What the server is to run.
    limits : Limits, optional
        How long and how large an answer may be.
    patience : Patience, optional
        How often a busy server is asked.

    Raises
    ------
    SettingsError
        If the address is none of a web server.
    """

    def __init__(
        self,
        address: ServerAddress,
        model: SamgeoModel,
        *,
        limits: Limits | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._http = HttpClient(address, limits=limits, patience=patience)
        self._model = model
        self._kind: BaseKind | None = None

    @property
    def shown(self) -> str:
        """What messages call the server."""
        return self._http.shown

    def text(self, upload: Upload, phrase: str, progress: Progress) -> list[RemoteObject]:
        """Return what the server finds of a phrase, scores of :data:`CONFIDENCE` and more; only sam3 takes words.

        Raises
        ------
        ServerUnavailableError, ServerBusyError, ModelRunError
            If there is no usable answer.
        StoppedWaiting, Cancelled
            If the user asked to stop.
        """
        fields = (("prompt", phrase), ("confidence_threshold", str(CONFIDENCE)), *self._id(), *_ALWAYS)
        return self._ask("text", upload, fields, progress)

    def automatic(self, upload: Upload, progress: Progress) -> list[RemoteObject]:
        """Return all objects that the server finds; raises like :meth:`text`."""
        return self._ask("automatic", upload, (*self._versioned(), ("unique", "true"), *_ALWAYS), progress)

    def points(
        self, upload: Upload, points: NDArray[np.float32], labels: NDArray[np.int8], progress: Progress
    ) -> list[RemoteObject]:
        """Return the object at points (N, 2) of continuous pixels, labels (N,) 1 include, 0 exclude.

        Raises like :meth:`text`.
        """
        fields = (
            *self._versioned(),
            ("point_coords", _rounded(points)),
            ("point_labels", json.dumps([int(label) for label in labels])),
            ("multimask_output", "false"),
            *_ALWAYS,
        )
        return self._ask("predict", upload, fields, progress)

    def boxes(self, upload: Upload, boxes: NDArray[np.float32], progress: Progress) -> list[RemoteObject]:
        """Return the objects that are like those in boxes (N, 4) left, top, right, bottom; only sam3 takes boxes.

        Raises like :meth:`text`.
        """
        return self._ask("predict", upload, (*self._versioned(), ("boxes", _rounded(boxes)), *_ALWAYS), progress)

    def kind(self, progress: Progress) -> BaseKind:
        """Return what the base URL belongs to, asked of the server once.

        Raises
        ------
        ServerUnavailableError
            If it is neither, or there is no server.
        """
        if self._kind is None:
            self._kind = discover(self._http, progress)
        return self._kind

    def _ask(
        self, what: str, upload: Upload, fields: tuple[tuple[str, str], ...], progress: Progress
    ) -> list[RemoteObject]:
        kind = self.kind(progress)
        reply = self._post(kind, what, upload, fields, progress)
        if is_no_route(reply) and kind is BaseKind.DIRECT and sidecar_status(self._http, progress):
            # a sidecar whose /health looks like samgeo-api's
            self._kind = BaseKind.SIDECAR
            reply = self._post(self._kind, what, upload, fields, progress)
        nothing = NOTHING_AT_ALL if what == "automatic" else NOTHING
        return objects_of(reply, upload.grid, self.shown, nothing=nothing)

    def _post(
        self, kind: BaseKind, what: str, upload: Upload, fields: tuple[tuple[str, str], ...], progress: Progress
    ) -> HttpReply:
        form = multipart(f"{kind.value}/segment/{what}", fields, "image.tif", upload.content, "image/tiff")
        return self._http.ask(form, progress, may_pass=may_pass)

    def _versioned(self) -> tuple[tuple[str, str], ...]:
        return (("model_version", self._model.version), *self._id())

    def _id(self) -> tuple[tuple[str, str], ...]:
        return (("model_id", self._model.id),) if self._model.id else ()


_ALWAYS = (("output_format", "geojson"), ("min_size", "0"))


def discover(http: HttpClient, progress: Progress) -> BaseKind:
    """Return what kind of server answers at a base URL. One that is silent is busy: samgeo-api is while it works.

    Raises
    ------
    ServerUnavailableError
        If there is none, it wants permission, or it is of neither kind.
    Cancelled
        If the user asked to stop.
    """
    try:
        reply = http.get("/health", progress, limits=PROBE)
    except NoAnswerError as error:
        if error.problem is Problem.SILENT:
            return BaseKind.DIRECT
        raise
    if reply.status in (401, 403, 407):
        raise refusal(reply, http.shown)
    health = parsed(reply) if reply.status == OK else {}
    if health.get("status") == "ok" and "version" in health:
        return BaseKind.DIRECT
    status = sidecar_status(http, progress)
    if status:
        require_usable(status, http.shown)
        return BaseKind.SIDECAR
    if health.get("status") == "ok":
        return BaseKind.DIRECT
    raise ServerUnavailableError(
        f"The server {http.shown} is neither a samgeo-api nor GeoLibre's sidecar: it answers neither at /health nor at "
        "/ml/status.",
        hint="Check the address: give the base, without /segment or /docs.",
    )


def require_usable(status: dict[str, object], shown: str) -> None:
    """Raise if a sidecar says that there is no samgeo-api behind it; "not responding" may also be a busy one.

    Raises
    ------
    ServerUnavailableError
        With the sidecar's own words.
    """
    message = str(status.get("message", ""))
    if not status["available"] and NOT_RESPONDING not in message:
        raise ServerUnavailableError(
            f"GeoLibre's sidecar {shown} has no samgeo-api: {message[:200].rstrip('.')}.",
            hint="Install or start samgeo-api there.",
        )


def sidecar_status(http: HttpClient, progress: Progress) -> dict[str, object]:
    """Return what GeoLibre's sidecar says of itself; empty if it is none."""
    reply = http.get(f"{BaseKind.SIDECAR.value}/status", progress, limits=PROBE)
    status = parsed(reply) if reply.status == OK else {}
    return status if isinstance(status.get("available"), bool) else {}


def _rounded(values: NDArray[np.float32]) -> str:
    """Return pixel coordinates as JSON, to thousandths."""
    return json.dumps(np.round(values.astype(np.float64), 3).tolist())
