"""What speaks for a volcano: how much a landform is a cone that stands by itself.

Each piece of evidence is a share, 0 to 1, that means the same at every scale, unit and relief.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .basal_outline import BasalOutline
from .polar import PolarDem

FloatArray = NDArray[np.float64]
SURROUNDINGS = (1.1, 2.0)
"""The surroundings, in radii of the base."""
NEIGHBOURS = 0.15
"""Share of the surroundings above half of the height that takes the evidence down to 1/e. One twin at its side has
0.09 there (the disc above half height, over the ring of the surroundings); among mountains of its own height a hill has
a third and more."""
RESOLVED_CELLS = 64.0
"""Cells across the base that show a flank's gullies and ridges (four cells for a relief form of a sixteenth of the
width). Across 16 cells every hill is smooth and round, so that being a cone says less."""
RIDGE = (0.45, 2.0 / math.pi)
"""A flank whose flow is no more radial than a straight ridge's (2/pi) is no cone's; what speaks for it fades out below,
and is gone where flow is about as often along the contours of a circle as across (1/2, less the noise of gullies)."""
REPOSE_DEG = (38.0, 45.0)
"""Loose tephra comes to rest at 30 to 35 degrees (Kervyn et al. 2012, doi:10.1016/j.geomorph.2011.04.009), and the
steepest cones' flanks reach 37 (Grosse et al. 2014); a whole flank above is rock that was cut, not piled up."""
EXPONENT = 0.6
"""Between the product of four shares (too strict: they are not independent) and their geometric mean (1/4: one that
fails outright would be outvoted). Chosen on made landforms and the development DEMs so that 0.5 parts cones from hills
in mountains."""
_FLAT = math.tan(math.radians(1.0))
_INNER = 0.3
_SYMMETRY_FROM = 0.2


@dataclass(frozen=True)
class Evidence:
    """What the DEM says about a landform being a volcano."""

    radial: float
    """Share of radial flow on the flank: 1 on a cone, 0.64 on a ridge."""
    symmetric: float
    """Share of the relief's variance that the distance to the summit explains, in shares of the base's radius."""
    standing: float
    """1 where nothing in the surroundings reaches half of its height."""
    resolved: float
    """1 where the DEM's cells are fine enough to show that it is no cone."""
    possible: float
    """0 where the flank is steeper than anything that was piled up."""
    seen: float
    """Share of its azimuths that the DEM holds to the foot."""
    closed: float
    """Share of those in which the flank really falls: a breach takes some away."""

    @property
    def confidence(self) -> float:
        """From 0 to 1."""
        low, high = RIDGE
        product = (
            self.radial
            * min(1.0, max(0.0, (self.radial - low) / (high - low)))
            * self.symmetric
            * self.standing
            * self.resolved
            * self.possible
        )
        # what is not seen is no evidence against: it counts half as much as what fails
        return float(max(product * math.sqrt(self.seen) * self.closed, 0.0) ** EXPONENT)


def weigh(polar: PolarDem, fine: PolarDem, around: PolarDem, outline: BasalOutline, cell_m: float) -> Evidence:
    """Return the evidence for a landform.

    Parameters
    ----------
    polar : PolarDem
        What the outline was traced on.
    fine : PolarDem
        The flank as finely as it is known, a whole multiple of ``polar``'s rays.
    around : PolarDem
        The surroundings; the same rays as ``polar``.
    outline : BasalOutline
        On the rays of ``polar``.
    cell_m : float
        Side of the DEM's cell.
    """
    seen = ~outline.cut
    profiles, height = _profiles(polar, outline)
    falls = profiles[:, 1] - profiles[:, -1]
    usable = seen & np.isfinite(falls)
    closed = float(np.mean(falls[usable] > 0.5 * np.median(falls[usable]))) if usable.any() else 0.0
    steep = math.degrees(math.atan(outline.flank_slope))
    low, high = REPOSE_DEG
    return Evidence(
        radial=_radial(fine, outline),
        symmetric=_symmetric(polar, outline, usable),
        standing=math.exp(-neighbours(around, outline.radius_m, outline.base, height) / NEIGHBOURS),
        resolved=min(1.0, 2.0 * outline.mean_radius_m / cell_m / RESOLVED_CELLS),
        possible=min(1.0, max(0.0, (high - steep) / (high - low))),
        seen=float(np.mean(seen)),
        closed=closed,
    )


def neighbours(around: PolarDem, radius_m: FloatArray, base: tuple[float, float, float], height: float) -> float:
    """Return the share of the surroundings that reaches half of a height above the base.

    The mean of two: above the inclined base, and above a level one through its middle. Among mountains the plane
    through a hill's foot may be inclined as its neighbours are; on the flank of a large volcano the level is unfair.
    """
    if height <= 0.0:
        return 1.0
    a, b, c = base
    east, north = around.points()
    within = around.radius_m / radius_m[:, None]
    known = (within > SURROUNDINGS[0]) & (within < SURROUNDINGS[1]) & np.isfinite(around.elevation)
    if not known.any():
        return 0.0
    area = np.broadcast_to(around.radius_m, known.shape)[known]
    level = around.elevation[known] - c
    inclined = level - (a * east + b * north)[known]
    half = 0.5 * height
    return float(sum(area[above > half].sum() for above in (level, inclined)) / (2.0 * area.sum()))


def above_base(polar: PolarDem, base: tuple[float, float, float]) -> FloatArray:
    """Return the elevations (A, R) above the inclined base."""
    a, b, c = base
    east, north = polar.points()
    return polar.elevation - (a * east + b * north + c)


def _profiles(polar: PolarDem, outline: BasalOutline) -> tuple[FloatArray, float]:
    """Return the heights (A, 3) above the base at the shoulder's inside, the shoulder and the foot; and the height."""
    heights = above_base(polar, outline.base)
    at = np.array([0.1, _INNER, 1.0])
    profiles = np.array([np.interp(at * radius, polar.radius_m, ray) for radius, ray in zip(outline.radius_m, heights)])
    inside = polar.radius_m <= 0.5 * outline.radius_m[:, None]
    top = heights[inside & np.isfinite(heights)]
    return profiles, float(np.percentile(top, 98.0)) if top.size else 0.0


def _radial(fine: PolarDem, outline: BasalOutline) -> float:
    heights = above_base(fine, outline.base)
    times = len(fine.azimuth) // len(outline.radius_m)
    rays = np.arange(len(fine.azimuth)) / times
    closed_radius = np.append(outline.radius_m, outline.radius_m[0])
    radius = np.interp(rays, np.arange(len(closed_radius)), closed_radius)
    outward = np.gradient(heights, fine.step_m, axis=1)
    around = (np.roll(heights, -1, axis=0) - np.roll(heights, 1, axis=0)) / (2.0 * fine.azimuth[1] * fine.radius_m)
    steepness = np.hypot(outward, around)
    flow = -outward * steepness / (steepness**2 + _FLAT**2)
    within = fine.radius_m / radius[:, None]
    flank = (within >= _INNER) & (within <= 1.0) & np.isfinite(flow)
    area = np.broadcast_to(fine.radius_m, flow.shape)[flank]
    return float((flow[flank] * area).sum() / area.sum()) if area.size else 0.0


def _symmetric(polar: PolarDem, outline: BasalOutline, usable: NDArray[np.bool_]) -> float:
    """Return 1 - residual / total sum of squares of the height about its mean profile, weighted by area."""
    heights = above_base(polar, outline.base)
    at = np.linspace(_SYMMETRY_FROM, 1.0, 17)
    rays = [np.interp(at * outline.radius_m[ray], polar.radius_m, heights[ray]) for ray in np.flatnonzero(usable)]
    table = np.array(rays).reshape(-1, len(at))
    table = table[np.isfinite(table).all(axis=1)]
    if len(table) < 4:
        return 0.0
    weight = np.broadcast_to(at, table.shape)
    total = float((weight * (table - np.average(table, weights=weight)) ** 2).sum())
    rest = float((weight * (table - table.mean(axis=0)) ** 2).sum())
    return max(0.0, 1.0 - rest / total) if total > 0.0 else 0.0
