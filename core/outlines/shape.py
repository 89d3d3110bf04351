"""From polygons of pixel sides to the outline that a mapper would draw: holes, size, simple, smooth, valid."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from .. import native
from ..errors import SettingsError
from ..prompts.prompt import exact
from ..raster.grid import PixelGrid
from .masks import PartRule
from .measure import LocalFrame, local_frame, measure, measure_ring
from .rings import from_farthest, map_rings, polygon_of, rings_of, rounded, straightened, without_stairs

SMALL_HOLE_PX = 16.0
"""Holes up to this many pixels are noise: models draw their masks at a quarter of the image's size."""
_MOST_SMOOTH = 5
AREA_LOSS = 0.05
_SURELY_BELOW = 0.5
_HALVINGS = 4
_MITRE_LIMIT = 2.0
LONGEST_CUT_PX = 4.0


@dataclass(frozen=True)
class OutlineSettings:
    """What the user wants an outline to look like. Lengths and areas are true metres on the ground in any CRS."""

    parts: PartRule = PartRule.WITH_INCLUDE
    """Which connected parts make up the object."""
    fill_holes_m2: float | None = None
    """Holes up to this area are filled; 0 keeps every hole; None fills those of up to 16 pixels, which are noise."""
    min_area_m2: float = 0.0
    """Parts below this area are dropped, even if nothing is left."""
    simplify_px: float = 1.0
    """How far the outline may move when it is simplified, in pixels of the chip that was looked at. The default takes
    the pixel stairs out and nothing else. 0 keeps the pixels' own sides."""
    simplify_m: float | None = None
    """The same in metres; takes the place of ``simplify_px`` where it is given."""
    smooth: int = 0
    """How often corners are cut, 0 to 5: 0 for buildings, 2 or 3 for trees, lakes and landforms."""
    expand_m: float = 0.0
    """How far the outline is pushed outwards; negative contracts it."""

    def __post_init__(self) -> None:
        for name in ("fill_holes_m2", "min_area_m2", "simplify_px", "simplify_m"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= 0.0):
                raise SettingsError(f"{name} is {value}.", hint="Give a number that is not negative.")
        if not math.isfinite(self.expand_m):
            raise SettingsError(f"expand_m is {self.expand_m}.", hint="Give a number of metres; negative contracts.")
        if self.smooth not in range(_MOST_SMOOTH + 1):
            raise SettingsError(f"smooth is {self.smooth}.", hint=f"Give a whole number from 0 to {_MOST_SMOOTH}.")

    def describe(self) -> str:
        """Return the settings as text for provenance, e.g. "parts=with_include simplify=1px"; defaults included."""
        holes = f"{SMALL_HOLE_PX:g}px" if self.fill_holes_m2 is None else f"{exact(self.fill_holes_m2)}m2"
        simplify = f"{exact(self.simplify_px)}px" if self.simplify_m is None else f"{exact(self.simplify_m)}m"
        return (
            f"parts={self.parts.value} fill_holes={holes} min_area={exact(self.min_area_m2)}m2 "
            f"simplify={simplify} smooth={self.smooth} expand={exact(self.expand_m)}m"
        )

    @classmethod
    def parse(cls, text: str) -> OutlineSettings:
        """Return the settings that :meth:`describe` wrote; words beside them, which say what was done later, are left.

        Raises
        ------
        SettingsError
            If the text can't be understood.

        Examples
        --------
        >>> settings = OutlineSettings(fill_holes_m2=0.1, simplify_px=0.0, expand_m=-2.5)
        >>> OutlineSettings.parse(settings.describe()) == settings
        True
        """
        try:
            said = dict(word.split("=", 1) for word in text.split() if "=" in word)
            holes, simplify = said["fill_holes"], said["simplify"]
            return cls(
                parts=PartRule(said["parts"]),
                fill_holes_m2=_number(holes, "m2") if holes != f"{SMALL_HOLE_PX:g}px" else None,
                min_area_m2=_number(said["min_area"], "m2"),
                simplify_px=_number(simplify, "px") if simplify.endswith("px") else cls.simplify_px,
                simplify_m=None if simplify.endswith("px") else _number(simplify, "m"),
                smooth=int(said["smooth"]),
                expand_m=_number(said["expand"], "m"),
            )
        except (KeyError, ValueError) as error:
            raise SettingsError(
                f"The outline settings '{text[:120]}' can't be understood.",
                hint=f"They read like: {OutlineSettings().describe()}.",
            ) from error


def clean(polygons: list[Any], settings: OutlineSettings, grid: PixelGrid) -> list[Any]:
    """Return the object's outline as valid shapely Polygons, the largest first.

    Parameters
    ----------
    polygons : list of shapely Polygon
        The parts that make up one object, as :func:`polygonize` gives them, in the grid's CRS: those of a mask that
        :func:`select_parts` has already reduced to what the prompts mean.
    settings : OutlineSettings
        What to do to them.
    grid : PixelGrid
        The grid that they were made on.

    Returns
    -------
    list of shapely Polygon
        In the grid's CRS, valid, not overlapping, shells counter-clockwise. Empty only if ``polygons`` is, or if all
        of it is below ``min_area_m2``.

    Notes
    -----
    Order: holes, simplify, expand, smooth, minimum area. A step that would destroy a polygon (contracting it to
    nothing, simplifying it beyond recognition, crossing its own sides) is done less, or not at all. Where a step parts
    a polygon, all its pieces are kept, but with ``PartRule.LARGEST`` the largest alone. Prompts have no say here: a
    click at the rim of its part may lie beside the reshaped one.
    """
    chosen = _kept(_hopeful(polygons, settings, grid), settings.parts)
    if not chosen:
        return []
    bounds = np.array([polygon.bounds for polygon in chosen])
    frame = local_frame((bounds[:, :2].min(axis=0) + bounds[:, 2:].max(axis=0)) / 2.0, grid.crs)
    chosen = [_without_small_holes(polygon, settings, grid) for polygon in chosen]
    side_m = pixel_m(grid, frame)
    tolerance = settings.simplify_px * side_m if settings.simplify_m is None else settings.simplify_m
    flat = [_simplified(polygon, tolerance, grid, frame) for polygon in chosen]
    flat = [_smoothed(polygon, settings.smooth, side_m) for polygon in _expanded(flat, settings.expand_m)]
    back = _valid_parts([map_rings(polygon, frame.to_crs) for polygon in flat])
    outline = _kept(back, settings.parts)
    if settings.min_area_m2 > 0.0:
        outline = [part for part in outline if measure(part, grid.crs).area_m2 >= settings.min_area_m2]
    return outline


def combine(polygons: list[Any]) -> Any:
    """Return the polygons of one object as one geometry: a Polygon, or a MultiPolygon if there are several.

    Raises
    ------
    ValueError
        If there is none: an object without an outline is left out of a result.
    """
    if not polygons:
        raise ValueError("combine: expected at least one polygon, got none")
    return polygons[0] if len(polygons) == 1 else native.shapely().geometry.MultiPolygon(polygons)


def _number(text: str, unit: str) -> float:
    if not text.endswith(unit):
        raise ValueError(f"expected a number of {unit}, got '{text}'")
    return float(text[: -len(unit)])


def _kept(polygons: list[Any], rule: PartRule) -> list[Any]:
    """Return the polygons that the rule keeps of those that were chosen by the prompts, the largest first."""
    ordered = sorted(polygons, key=lambda polygon: -float(polygon.area))
    return ordered[:1] if rule is PartRule.LARGEST else ordered


def _hopeful(polygons: list[Any], settings: OutlineSettings, grid: PixelGrid) -> list[Any]:
    """Return the polygons without those that are so far below the minimum area that no reshaping saves them.

    Reshaping takes a millisecond or two for each, and a noisy mask has ten thousands of specks. Specks that would only
    reach the minimum by growing together with others go as well.
    """
    if settings.min_area_m2 <= 0.0 or settings.expand_m > 0.0:
        return polygons
    least = _SURELY_BELOW * settings.min_area_m2
    shells = (np.asarray(polygon.exterior.coords, dtype=np.float64)[:, :2] for polygon in polygons)
    return [polygon for polygon, shell in zip(polygons, shells) if measure_ring(shell, grid.crs)[0] >= least]


def _without_small_holes(polygon: Any, settings: OutlineSettings, grid: PixelGrid) -> Any:
    if not len(polygon.interiors) or settings.fill_holes_m2 == 0.0:
        return polygon
    a, b, _, d, e, _ = grid.transform
    kept = []
    for ring in polygon.interiors:
        corners = np.asarray(ring.coords, dtype=np.float64)[:, :2]
        if settings.fill_holes_m2 is None:
            small = measure_ring(corners, None)[0] <= (SMALL_HOLE_PX + 1e-6) * abs(a * e - b * d)
        else:
            small = measure_ring(corners, grid.crs)[0] <= settings.fill_holes_m2
        if not small:
            kept.append(corners)
    return native.shapely().geometry.Polygon(polygon.exterior, kept)


def pixel_m(grid: PixelGrid, frame: LocalFrame) -> float:
    """Return the side in metres of a square with the area of a pixel."""
    a, b, _, d, e, _ = grid.transform
    return math.sqrt(abs(float(np.linalg.det(frame.matrix)) * (a * e - b * d)))


def _expanded(polygons: list[Any], distance_m: float) -> list[Any]:
    if distance_m == 0.0:
        return polygons
    grown = []
    for polygon in polygons:
        moved = polygon.buffer(distance_m, join_style=2, mitre_limit=_MITRE_LIMIT)
        grown.extend(_polygons_of(moved) or [polygon])
    return _polygons_of(native.shapely().ops.unary_union(grown))


def _simplified(polygon: Any, tolerance_m: float, grid: PixelGrid, frame: LocalFrame) -> Any:
    """Return a polygon of the grid in the frame's metres, without its stairs, simplified as far as it stays itself."""
    # A rectangle of pixels has no stairs, and without one of its corners it would be a triangle.
    if tolerance_m <= 0.0 or (len(polygon.exterior.coords) == 5 and not len(polygon.interiors)):
        return map_rings(polygon, frame.to_metres)
    area = polygon.area * abs(float(np.linalg.det(frame.matrix)))
    stairless = [grid.to_map(without_stairs(grid.to_pixel(ring))) for ring in rings_of(polygon)]
    slanting = [from_farthest(frame.to_metres(ring)) for ring in stairless]
    for halving in range(_HALVINGS):
        tolerance = tolerance_m / 2.0**halving
        simple = polygon_of([straightened(ring, tolerance) for ring in slanting])
        if not _is_sound(simple):
            simple = polygon_of(slanting).simplify(tolerance, preserve_topology=True)
        # Small objects lose their shape before they lose their stairs: half a square is a triangle.
        if _is_sound(simple) and abs(simple.area - area) <= AREA_LOSS * area:
            return simple
    whole = polygon_of(slanting)
    return whole if _is_sound(whole) else map_rings(polygon, frame.to_metres)


def _smoothed(polygon: Any, iterations: int, side_m: float) -> Any:
    for fewer in range(iterations, 0, -1):
        smooth = map_rings(polygon, partial(rounded, iterations=fewer, longest_cut=LONGEST_CUT_PX * side_m))
        if _is_sound(smooth):
            return smooth
    return polygon


def _is_sound(geometry: Any) -> bool:
    return bool(geometry.geom_type == "Polygon" and not geometry.is_empty and geometry.is_valid)


def _valid_parts(polygons: list[Any]) -> list[Any]:
    """Return valid polygons that don't overlap and cover the same ground, rings oriented."""
    shapely = native.shapely()
    sound: list[Any] = []
    for polygon in polygons:
        sound.extend([polygon] if polygon.is_valid else _polygons_of(shapely.validation.make_valid(polygon)))
    if len(sound) > 1:
        sound = _polygons_of(shapely.ops.unary_union(sound))
    return [shapely.geometry.polygon.orient(polygon, 1.0) for polygon in sound]


def _polygons_of(geometry: Any) -> list[Any]:
    """Return the polygons with an area that a geometry is made of; lines and points are left out."""
    if geometry.geom_type == "Polygon":
        return [] if geometry.is_empty or not geometry.area > 0.0 else [geometry]
    return [polygon for part in getattr(geometry, "geoms", []) for polygon in _polygons_of(part)]
