"""A request as the web service SamGIS takes it: a view in degrees, points and rectangles in it, and a zoom level."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from ..errors import EmptyPromptError, OutsideExtentError, PromptError
from ..raster.grid import Bounds
from .box import BoxPrompt
from .point import PointPrompt
from .prompt import Prompt, PromptSet

WGS84 = "EPSG:4326"
DEFAULT_SOURCE = "OpenStreetMap.Mapnik"
_WORLD_M = 2.0 * math.pi * 6378137.0
_TILE_PX = 256
_DEEPEST = 30
_HINT = (
    'It reads like {"bbox": {"ne": {"lat": 46.3, "lng": 9.5}, "sw": {"lat": 46.1, "lng": 9.2}}, "prompt": [{"type": '
    '"point", "data": {"lat": 46.2, "lng": 9.4}, "label": 1}], "zoom": 12}.'
)


@dataclass(frozen=True)
class SamgisRequest:
    """What a request says. Coordinates are longitude and latitude, and stay as precise as they were given."""

    bounds: Bounds
    """(west, south, east, north) of the view, in degrees."""
    objects: tuple[PromptSet, ...]
    """The prompts of each object, in EPSG:4326, all inside the view. One object; with several rectangles, one for each
    rectangle and the include points in it, and one of the other include points. Exclude points count for all."""
    zoom: int
    """Zoom level of web maps; fractions are cut off, as SamGIS does."""
    source_type: str
    """Name of the tiles that SamGIS would have taken."""

    @property
    def pixel_m(self) -> float:
        """Side in web-mercator metres of a pixel at the zoom level."""
        return _WORLD_M / (_TILE_PX << self.zoom)


def parse(text: str) -> SamgisRequest:
    """Return what a request says.

    Parameters
    ----------
    text : str
        JSON, as the body of ``POST /infer_samgis``. Keys that are not known are ignored.

    Raises
    ------
    PromptError
        If it is not of that form, or a coordinate is no place.
    EmptyPromptError
        If nothing in it says where an object is.
    OutsideExtentError
        If prompts lie outside the view; names them all. (SamGIS mirrors them into it.)

    Examples
    --------
    >>> request = parse('{"bbox": {"ne": {"lat": 46.3, "lng": 9.5}, "sw": {"lat": 46.1, "lng": 9.2}}, "zoom": 12.7, '
    ...                 '"prompt": [{"type": "point", "data": {"lat": 46.2, "lng": 9.4}, "label": 1}]}')
    >>> request.bounds, request.zoom, request.objects[0].describe()
    ((9.2, 46.1, 9.5, 46.3), 12, '+9.4,46.2 EPSG:4326')
    """
    try:
        said = json.loads(text)
    except json.JSONDecodeError as error:
        raise PromptError(f"The request is no JSON: {error}.", hint=_HINT) from error
    bounds = _rectangle(_of(said, "bbox", "the request"), "bbox")
    prompts = [_prompt(number, one) for number, one in enumerate(_list(said), start=1)]
    if not any(prompt.locates for prompt in prompts):
        raise EmptyPromptError(
            "The request has no include point and no rectangle.", hint='Add a point with "label": 1 or a rectangle.'
        )
    _require_inside(prompts, bounds)
    zoom = _of(said, "zoom", "the request")
    if isinstance(zoom, bool) or not isinstance(zoom, (int, float)) or not 0 <= zoom <= _DEEPEST:
        raise PromptError(f"The request's zoom is {zoom!r}.", hint=f"Give a number from 0 to {_DEEPEST}.")
    objects = tuple(PromptSet(tuple(one), WGS84) for one in _objects(prompts))
    return SamgisRequest(bounds, objects, int(zoom), str(said.get("source_type", DEFAULT_SOURCE)))


def _of(said: Any, name: str, where: str) -> Any:
    if not isinstance(said, dict) or name not in said:
        raise PromptError(f"There is no '{name}' in {where}.", hint=_HINT)
    return said[name]


def _list(said: Any) -> list[Any]:
    listed = _of(said, "prompt", "the request")
    if not isinstance(listed, list):
        raise PromptError("The request's 'prompt' is no list.", hint=_HINT)
    return listed


def _place(said: Any, where: str) -> tuple[float, float]:
    """Return (longitude, latitude)."""
    found = []
    for name, most in (("lng", 180.0), ("lat", 90.0)):
        value = _of(said, name, where)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= most:
            raise PromptError(f"'{name}' of {where} is {value!r}.", hint=f"Give degrees from {-most:g} to {most:g}.")
        found.append(float(value))
    return found[0], found[1]


def _rectangle(said: Any, where: str) -> Bounds:
    east, north = _place(_of(said, "ne", where), f"{where}.ne")
    west, south = _place(_of(said, "sw", where), f"{where}.sw")
    if not (west < east and south < north):
        raise PromptError(
            f"{where} from ({west:.9g}, {south:.9g}) to ({east:.9g}, {north:.9g}) is empty or inverted.",
            hint="Its sw corner lies south and west of its ne corner.",
        )
    return west, south, east, north


def _prompt(number: int, said: Any) -> Prompt:
    where = f"prompt {number}"
    kind, data = _of(said, "type", where), _of(said, "data", where)
    if kind == "rectangle":
        return BoxPrompt(*_rectangle(data, where))
    if kind != "point":
        raise PromptError(f"{where} is of the type {kind!r}.", hint="Give point or rectangle.")
    label = _of(said, "label", where)
    if isinstance(label, bool) or label not in (0, 1):
        raise PromptError(f"The label of {where} is {label!r}.", hint="Give 1 to include and 0 to exclude.")
    x, y = _place(data, where)
    return PointPrompt(x, y, include=label == 1)


def _require_inside(prompts: list[Prompt], bounds: Bounds) -> None:
    west, south, east, north = bounds
    outside = [
        f"prompt {number} ({prompt.describe()})"
        for number, prompt in enumerate(prompts, start=1)
        for left, bottom, right, top in [prompt.envelope()]
        if right < west or left > east or top < south or bottom > north
    ]
    if outside:
        raise OutsideExtentError(
            f"Outside the bbox of the request: {'; '.join(outside)}.",
            hint=f"It covers longitudes {west:.9g} to {east:.9g} and latitudes {south:.9g} to {north:.9g}.",
        )


def _objects(prompts: list[Prompt]) -> list[list[Prompt]]:
    boxes = [prompt for prompt in prompts if isinstance(prompt, BoxPrompt)]
    exclude = [prompt for prompt in prompts if not prompt.locates]
    if len(boxes) < 2:
        return [prompts]
    include = [prompt for prompt in prompts if prompt.locates and not isinstance(prompt, BoxPrompt)]
    found: list[list[Prompt]] = []
    for box in boxes:
        inside = [point for point in include if _holds(box, point)]
        include = [point for point in include if point not in inside]
        found.append([box, *inside, *exclude])
    return [*found, [*include, *exclude]] if include else found


def _holds(box: BoxPrompt, point: Prompt) -> bool:
    x, y, _, _ = point.envelope()
    return box.left <= x <= box.right and box.bottom <= y <= box.top
