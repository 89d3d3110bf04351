"""From a DEM to its volcanic edifices: candidates, screening, outlines, evidence, and one edifice for each place."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ..progress import Progress, SubProgress, check
from .basal_outline import trace_base
from .candidates import Candidate, find_candidates, scales
from .dem_levels import DemLevels
from .edifice import REACH, Edifice, look_around, trace_edifice
from .evidence import Evidence, above_base, weigh
from .polar import PolarDem
from .screening import promising

COARSE_RAYS, COARSE_SAMPLES = 48, 24
HOPE = 0.8
"""A coarse look may be off by so much of the confidence: it sees less of what breaks a cone's symmetry, not more."""
FINE_RAYS, FINE_SAMPLES = 192, 96
FINE_CELLS = 32.0
"""Evidence is weighed on the level where the radius has at least this many cells, where the DEM is that fine."""
SAME_OUTLINE = 0.5
"""Two outlines are one landform where this part of the smaller lies in the larger..."""
PARASITIC = 0.35
"""...and its radius is more than this part of the larger one's; what is smaller is a cone of its own on its flank."""
LARGER = 0.25
"""Of two outlines of one landform the larger wins at this power of the radius: a summit cone must be much more certain
than the mountain that it crowns."""


@dataclass(frozen=True)
class FoundEdifice:
    """An edifice and how sure it is one."""

    edifice: Edifice
    """Where it is and where it ends."""
    evidence: Evidence
    """Why."""
    height_m: float
    """Of its highest ground above the base."""


def find_edifices(
    levels: DemLevels,
    widths_m: tuple[float, float],
    *,
    least_height_m: float,
    least_confidence: float,
    progress: Progress,
) -> list[FoundEdifice]:
    """Return the volcanic edifices of a DEM, the most certain first.

    Parameters
    ----------
    levels : DemLevels
        The DEM.
    widths_m : tuple of float
        Smallest and largest base width.
    least_height_m : float
        Height above the base below which nothing is taken.
    least_confidence : float
        0 to 1.
    progress : Progress
        Told about the stages; asked for cancellation.

    Raises
    ------
    Cancelled
        If the user asked to stop.
    """
    candidates = find_candidates(levels, scales(*widths_m), SubProgress(progress, 0.0, 0.4))
    hopeful = promising(levels, candidates, least_height_m, SubProgress(progress, 0.4, 0.6))
    found: list[FoundEdifice] = []
    tracing = SubProgress(progress, 0.6, 0.95)
    for index, candidate in enumerate(hopeful):
        check(progress)
        tracing.report(index / len(hopeful), "Tracing outlines")
        if _is_known(levels, candidate, found):
            continue
        judged = judge(levels, candidate, least_confidence, progress)
        if judged is None or judged.height_m < least_height_m:
            continue
        width = 2.0 * judged.edifice.outline.mean_radius_m
        if widths_m[0] <= width <= widths_m[1]:
            found.append(judged)
    certain = [each for each in found if each.evidence.confidence >= least_confidence]
    return one_for_each_place(levels, certain)


def judge(levels: DemLevels, candidate: Candidate, least_confidence: float, progress: Progress) -> FoundEdifice | None:
    """Return a candidate's edifice with its evidence; None where there is none, or none of this confidence.

    It is traced coarsely first, and finely only where that leaves hope.
    """
    coarse = trace_edifice(levels, candidate, progress, rays=COARSE_RAYS, samples=COARSE_SAMPLES)
    if coarse is None or _weighed(levels, coarse, coarse.polar, progress).confidence < HOPE * least_confidence:
        return None
    edifice = trace_edifice(levels, candidate, progress)
    if edifice is None:
        return None
    outline = edifice.outline
    evidence = _weighed(levels, edifice, look_finely(levels, edifice, progress), progress)
    heights = above_base(edifice.polar, outline.base)
    inside = heights[(edifice.polar.radius_m <= outline.radius_m[:, None]) & np.isfinite(heights)]
    return FoundEdifice(edifice, evidence, float(inside.max()) if inside.size else 0.0)


def _weighed(levels: DemLevels, edifice: Edifice, fine: PolarDem, progress: Progress) -> Evidence:
    outline = edifice.outline
    rays, samples = edifice.polar.elevation.shape
    reach = REACH * float(outline.radius_m.max())
    cell = outline.mean_radius_m / 16.0
    around = look_around(levels, edifice.centre, reach, cell, progress, rays=rays, samples=samples)
    return weigh(edifice.polar, fine, around, outline, levels.cell_m(0))


def look_finely(levels: DemLevels, edifice: Edifice, progress: Progress, cells: float = FINE_CELLS) -> PolarDem:
    """Return the DEM inside an edifice's outline, and a little beyond, as finely as evidence and measures need it."""
    outline = edifice.outline
    reach = 1.05 * float(outline.radius_m.max())
    cell = outline.mean_radius_m / cells
    return look_around(levels, edifice.centre, reach, cell, progress, rays=FINE_RAYS, samples=FINE_SAMPLES)


def refined(levels: DemLevels, edifice: Edifice, progress: Progress) -> Edifice:
    """Return an edifice with its outline traced once more on twice as many rays and samples."""
    radius = edifice.outline.mean_radius_m
    polar = look_around(
        levels, edifice.centre, REACH * radius, radius / FINE_CELLS, progress, rays=FINE_RAYS, samples=FINE_SAMPLES
    )
    outline = trace_base(polar)
    if outline is None or not 0.8 < outline.mean_radius_m / radius < 1.25:
        return edifice
    return replace(edifice, outline=outline, polar=polar)


def one_for_each_place(levels: DemLevels, found: list[FoundEdifice]) -> list[FoundEdifice]:
    """Return the best edifice for each place, by falling confidence; cones on a larger one's flank are kept."""
    kept: list[FoundEdifice] = []
    for each in sorted(found, key=_standing_first):
        if not any(_is_same(levels, each, other) for other in kept):
            kept.append(each)
    return sorted(kept, key=lambda each: -each.evidence.confidence)


def _standing_first(found: FoundEdifice) -> float:
    return float(-found.evidence.confidence * found.edifice.outline.mean_radius_m**LARGER)


def _is_same(levels: DemLevels, one: FoundEdifice, other: FoundEdifice) -> bool:
    first, second = one.edifice, other.edifice
    small, large = sorted((first.outline.mean_radius_m, second.outline.mean_radius_m))
    away = _distance(levels, first.centre, second.centre)
    if away >= small + large or small < PARASITIC * large:
        return False
    return _shared(small, large, away) > SAME_OUTLINE


def _shared(small: float, large: float, away: float) -> float:
    """Return the part of the smaller of two circles that lies in the larger one."""
    if away <= large - small:
        return 1.0
    a = (away**2 + small**2 - large**2) / (2.0 * away * small)
    b = (away**2 + large**2 - small**2) / (2.0 * away * large)
    lens = small**2 * (math.acos(a) - a * math.sqrt(1.0 - a * a)) + large**2 * (
        math.acos(b) - b * math.sqrt(1.0 - b * b)
    )
    return lens / (math.pi * small**2)


def _is_known(levels: DemLevels, candidate: Candidate, found: list[FoundEdifice]) -> bool:
    """Return True for a candidate that an edifice was traced from already, at the same place and scale."""
    for each in found:
        radius = each.edifice.outline.mean_radius_m
        alike = 0.5 * radius < candidate.radius_m < 2.0 * radius
        if alike and _distance(levels, candidate.pixel, each.edifice.centre) < 0.25 * radius:
            return True
    return False


def _distance(levels: DemLevels, one: tuple[float, float], other: tuple[float, float]) -> float:
    (a, b), (d, e) = levels.metric(one).tolist()
    col, row = other[0] - one[0], other[1] - one[1]
    return math.hypot(a * col + b * row, d * col + e * row)
