"""Which outline an edifice gets, of its own break of slope and of a model's, and how well the two agree."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import native
from .dem_levels import DemLevels
from .edifice import Edifice
from .edifice_map import in_metres, polygon
from .outliner import DrawnOutline, OutlineMethod, agreement

FloatArray = NDArray[np.float64]
AGREE = 0.4
"""Outlines that share less of their union are not of the same thing. A cone's steep part alone, and the cone with its
apron, share about this: the first has two thirds of the radius (Mayon: 3.4 of 5 km)."""
_FARTHEST = 2.0


@dataclass(frozen=True)
class ChosenOutline:
    """An edifice's outline, and where it is from."""

    edifice: Edifice
    """With the radius that was chosen."""
    geometry: Any
    """shapely polygon in the DEM's CRS."""
    method: OutlineMethod
    """Who drew it."""
    agreement: float
    """Area that the two share, over their union; NaN where only one was drawn."""


def choose(levels: DemLevels, edifice: Edifice, drawn: DrawnOutline | None, method: OutlineMethod) -> ChosenOutline:
    """Return the outline by a method.

    Where the two agree, the outline runs midway between them: each misses what the other sees, the break of slope the
    gradual end of an apron, the model the true metres. Where they don't, and where no model answered, it is the break
    of slope, which is measured.
    """
    azimuth = edifice.polar.azimuth
    own = polygon(levels, edifice.centre, azimuth, edifice.outline.radius_m)
    if drawn is None:
        return ChosenOutline(edifice, own, OutlineMethod.MORPHOMETRIC, math.nan)
    shared = agreement(own, drawn.geometry)
    seen = reaches(levels, edifice, drawn.geometry)
    if method is OutlineMethod.MODEL:
        return ChosenOutline(_with(edifice, seen), drawn.geometry, method, shared)
    if shared < AGREE:
        return ChosenOutline(edifice, own, OutlineMethod.MORPHOMETRIC, shared)
    midway = _with(edifice, 0.5 * (edifice.outline.radius_m + seen))
    return ChosenOutline(midway, polygon(levels, edifice.centre, azimuth, midway.outline.radius_m), method, shared)


def reaches(levels: DemLevels, edifice: Edifice, geometry: Any) -> FloatArray:
    """Return how many metres of each ray from the centre lie in a polygon of the DEM's CRS, (A,)."""
    shapely = native.shapely()
    flat = shapely.ops.transform(lambda x, y, z=None: in_metres(levels, edifice.centre, x, y), geometry).buffer(0)
    far = _FARTHEST * float(edifice.outline.radius_m.max())
    rays = (
        shapely.geometry.LineString([(0.0, 0.0), (far * math.cos(angle), far * math.sin(angle))])
        for angle in edifice.polar.azimuth
    )
    return np.array([flat.intersection(ray).length for ray in rays])


def _with(edifice: Edifice, radius_m: FloatArray) -> Edifice:
    least = edifice.polar.step_m
    return replace(edifice, outline=replace(edifice.outline, radius_m=np.maximum(radius_m, least)))
