"""Segmentation by a server that fetches the map itself: prompts or words and a zoom level in, outlines out.

What :mod:`session` is for models that look at pixels, this is for SamGIS, which is told a place and a map's name.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import native
from .errors import EmptyPromptError, ServerUnavailableError, UnsupportedPromptError
from .map_view import VIEW_PX, around, cut, over, zoom_for
from .models import catalogue
from .outlines.masks import PartRule
from .outlines.measure import measure
from .outlines.polygonize import map_polygon
from .outlines.results import ObjectId, Provenance, SegmentationResult, SegmentedPolygon
from .outlines.rings import map_rings
from .outlines.shape import OutlineSettings, clean, combine
from .progress import NullProgress, Progress, SubProgress
from .prompts.prompt import PromptSet, exact
from .raster import crs as crs_maths
from .raster.grid import Bounds, PixelGrid
from .redact import without_credentials
from .remote import mercator
from .remote.address import Servers
from .remote.samgis import MapPoint, MapView, SamgisClient, require_words
from .remote.samgis_answer import Rings, SamgisAnswer
from .remote.samgis_sources import DEFAULT_SOURCE
from .version import VERSION
from .words import without_repeats

NAME = "samgis"
"""Its name in the catalogue."""
WGS84, WEB_MERCATOR = "EPSG:4326", "EPSG:3857"
_LONGEST_SAID = 300
_NAN = float("nan")


@dataclass(frozen=True)
class MapServerSettings:
    """What the user may choose, apart from the server and the prompts."""

    crs: str = WEB_MERCATOR
    """CRS of the outlines, and of ``extent``."""
    source_type: str = DEFAULT_SOURCE
    """Name of the map in the package xyzservices."""
    zoom: int | None = None
    """Zoom level; None for what ``resolution_m`` says, or what shows the extent or the boxes well."""
    resolution_m: float | None = None
    """Metres on the ground per pixel that are fine enough: the coarsest level that has them is taken."""
    extent: Bounds | None = None
    """What the server looks at; None for what lies around each object's prompts. Words need one."""
    outline: OutlineSettings = field(default_factory=OutlineSettings)
    """How shapes become polygons."""


class MapServer:
    """Segments what a SamGIS server can fetch.

    Parameters
    ----------
    servers : Servers
        Where it is.
    settings : MapServerSettings, optional
        Map, zoom level, extent, outline.

    Raises
    ------
    ServerUnavailableError
        If no SamGIS server is set up.

    Examples
    --------
    >>> server = MapServer(Servers.from_environment(), MapServerSettings(zoom=17))  # doctest: +SKIP
    >>> result = server.segment([PromptSet((PointPrompt(9.39, 46.16),), "EPSG:4326")])  # doctest: +SKIP
    """

    def __init__(self, servers: Servers, settings: MapServerSettings | None = None) -> None:
        self._address = require_server(servers)
        self._settings = settings or MapServerSettings()
        self._client = SamgisClient(
            self._address, words_route=servers.samgis_words_route, correct_shift=servers.samgis_correct_shift
        )

    def segment(self, objects: Sequence[PromptSet], progress: Progress | None = None) -> SegmentationResult:
        """Return one outline for each object that is found, by one request for each.

        Parameters
        ----------
        objects : sequence of PromptSet
            Points and at most one box each, in any CRS.
        progress : Progress, optional
            Told about each object. Cancelling it ends the wait; the server goes on with what it has begun.

        Returns
        -------
        SegmentationResult
            In the settings' CRS. Scores are NaN: SamGIS gives none.

        Raises
        ------
        EmptyPromptError, UnsupportedPromptError, OutsideExtentError
            If the server can't take the prompts.
        SettingsError, CrsError
            If the view can't be, or the server refuses it.
        ServerUnavailableError
            If the server can't be reached, or fails.
        Cancelled
            If the user asked to stop.
        """
        started, progress = time.monotonic(), progress or NullProgress()
        if not objects:
            raise EmptyPromptError("There is no prompt.", hint="Add an include point or a box.")
        questions = [self._question(prompts) for prompts in objects]
        found: list[SegmentedPolygon] = []
        warnings: list[str] = []
        for index, (prompts, (view, points, box)) in enumerate(zip(objects, questions)):
            progress.report(index / len(objects), f"Object {index + 1} of {len(objects)}: waiting for SamGIS")
            part = SubProgress(progress, index / len(objects), (index + 1) / len(objects))
            answer = self._client.outline(view, points, box, part)
            name = prompts.object if prompts.object is not None else index + 1
            said = (prompts.given or prompts).describe()
            shapes = self._chosen(answer, points, view)
            outline = self._polygon(shapes, view, name, prompts.label, said)
            if outline is None:
                warnings.append(f"Object {name}: nothing found at {said}. Try another click, a box, or another zoom.")
            else:
                found.append(outline)
        return self._result(found, warnings, questions[0][0], started)

    def find_words(self, phrases: Sequence[str], progress: Progress | None = None) -> SegmentationResult:
        """Return an outline for each shape that is found of each phrase, by one request for each phrase.

        What differs from another phrase in case or spaces only is not asked again. The settings' extent is what is
        looked at. Each polygon's label is its phrase. Raises like :meth:`segment`, and UnsupportedPromptError for
        phrases that SamGIS refuses, before anything is sent.
        """
        started, progress = time.monotonic(), progress or NullProgress()
        if not phrases:
            raise EmptyPromptError("There are no words.", hint="Say what to look for.")
        for phrase in phrases:
            require_words(phrase)
        phrases = without_repeats(phrases)
        view = self._whole_view()
        found: list[SegmentedPolygon] = []
        warnings: list[str] = []
        for index, phrase in enumerate(phrases):
            progress.report(index / len(phrases), f"{phrase}: waiting for SamGIS")
            part = SubProgress(progress, index / len(phrases), (index + 1) / len(phrases))
            answer = self._client.find_words(view, phrase, part)
            before = len(found)
            for shape in answer.polygons:
                outline = self._polygon([shape], view, len(found) + 1, phrase, phrase)
                found += [] if outline is None else [outline]
            if len(found) == before:
                said = f' SamGIS says: "{answer.said[:_LONGEST_SAID]}"' if answer.said else ""
                warnings.append(f"Nothing found of '{phrase}'. Try other words or another zoom.{said}")
        return self._result(found, warnings, view, started)

    def _question(self, prompts: PromptSet) -> tuple[MapView, list[MapPoint], Bounds | None]:
        """Return view, points and box in degrees, after every check that needs no server."""
        prompts.require_located()
        takes = catalogue.get(NAME).accepts
        odd = next((prompt.kind for prompt in prompts.prompts if prompt.kind not in takes), "")
        boxes = [prompt for prompt in prompts.prompts if prompt.kind == "box"]
        if odd or len(boxes) > 1:
            raise UnsupportedPromptError(
                f"SamGIS takes no {odd} prompts." if odd else f"SamGIS takes one box for an object, not {len(boxes)}.",
                hint="Give points and one box, or a box for each object.",
            )
        here = prompts.transformed(WGS84)
        points = [
            MapPoint(prompt.envelope()[0], prompt.envelope()[1], prompt.locates)
            for prompt in here.prompts
            if prompt.kind == "point"
        ]
        box = next((prompt.envelope() for prompt in here.prompts if prompt.kind == "box"), None)
        asked = self._settings
        if asked.extent is not None:
            view = self._whole_view()
            return view, points, None if box is None else cut(box, view.bounds)
        everything = [prompt.envelope() for prompt in here.prompts]
        zoom = zoom_for(
            asked.source_type,
            everything,
            box,
            shown_px=VIEW_PX // 2,
            zoom=asked.zoom,
            resolution_m=asked.resolution_m,
        )
        view = around(everything, zoom, asked.source_type)
        view.require_possible()
        return view, points, box

    def _whole_view(self) -> MapView:
        asked = self._settings
        if asked.extent is None:
            raise EmptyPromptError("SamGIS has to be told where to look for words.", hint="Give an extent.")
        bounds = over(asked.extent, asked.crs)
        zoom = zoom_for(asked.source_type, [bounds], bounds, zoom=asked.zoom, resolution_m=asked.resolution_m)
        view = MapView(bounds, zoom, asked.source_type)
        view.require_possible()
        return view

    def _chosen(self, answer: SamgisAnswer, points: Sequence[MapPoint], view: MapView) -> list[Rings]:
        """Return the shapes that make up the object by the rule for parts, as of any model's mask."""
        shapes = sorted(answer.polygons, key=lambda shape: -float(_flat(shape).area))
        rule = self._settings.outline.parts
        if rule is PartRule.ALL or len(shapes) < 2:
            return shapes
        include = [(point.longitude, point.latitude) for point in points if point.include]
        if rule is PartRule.WITH_INCLUDE and include:
            point = native.shapely().geometry.Point
            at = [point(col, row) for col, row in mercator.to_pixels(include, view.zoom).tolist()]
            held = [shape for shape in shapes if any(_flat(shape).intersects(one) for one in at)]
            return held or shapes[:1]
        return shapes[:1]

    def _polygon(
        self, shapes: Sequence[Rings], view: MapView, name: ObjectId, label: str, said: str
    ) -> SegmentedPolygon | None:
        """Return shapes as one clean outline in the settings' CRS; None if nothing is left of them."""
        grid, target = _world(view.zoom), self._settings.crs
        traced = [map_polygon(shell, list(holes), grid) for shell, holes in shapes]
        cleaned = clean(list(_sound(traced)), self._settings.outline, grid)
        moved = list(_sound(map_rings(polygon, lambda ring: _moved(ring, target)) for polygon in cleaned))
        if not moved:
            return None
        geometry = combine(moved)
        size = measure(geometry, target)
        west, south, east, north = view.bounds
        return SegmentedPolygon(
            geometry=geometry,
            object=name,
            label=label,
            score=_NAN,
            area_m2=size.area_m2,
            perimeter_m=size.perimeter_m,
            prompts=said,
            resolution=mercator.pixel_m(view.zoom),
            window=f"zoom={view.zoom} bbox={','.join(map(exact, (west, south, east, north)))}",
        )

    def _result(
        self, found: list[SegmentedPolygon], warnings: list[str], view: MapView, started: float
    ) -> SegmentationResult:
        asked = self._settings
        return SegmentationResult(
            polygons=tuple(found),
            crs=asked.crs,
            elapsed_s=time.monotonic() - started,
            provenance=Provenance(
                model=NAME,
                model_sha256="",
                source=f"{asked.source_type} {without_credentials(self._address.url)}",
                settings=f"{asked.outline.describe()} zoom={view.zoom}",
                version=VERSION,
            ),
            warnings=tuple(warnings),
        )


def require_server(servers: Servers) -> Any:
    """Return the address of the SamGIS server.

    Raises
    ------
    ServerUnavailableError
        If none is set up.
    """
    if servers.samgis is None or not servers.samgis.url.strip():
        raise ServerUnavailableError(
            "No SamGIS server is set up.",
            hint="Give its address in the Servers page of the panel, or in PROMPT_SEGMENTER_SAMGIS_URL.",
        )
    return servers.samgis


def _world(zoom: int) -> PixelGrid:
    """Return the grid of all pixels of web maps at a zoom level."""
    step, side = mercator.pixel_m(zoom), mercator.side_px(zoom)
    west = -mercator.WORLD_M / 2.0
    return PixelGrid((step, 0.0, west, 0.0, -step, -west), WEB_MERCATOR, side, side)


def _flat(shape: Rings) -> Any:
    shell, holes = shape
    return native.shapely().geometry.Polygon(shell, holes)


def _moved(ring: Any, target: str) -> Any:
    return crs_maths.transform_points(np.asarray(ring), WEB_MERCATOR, target)


def _sound(polygons: Any) -> Iterator[Any]:
    """Yield valid polygons with an area that cover the same ground, shells counter-clockwise."""
    shapely = native.shapely()
    for polygon in polygons:
        valid = polygon if polygon.is_valid else shapely.validation.make_valid(polygon)
        for part in getattr(valid, "geoms", [valid]):
            if part.geom_type == "Polygon" and part.area > 0.0:
                yield shapely.geometry.polygon.orient(part, 1.0)
