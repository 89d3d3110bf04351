"""The measures of a volcanic edifice, as the literature defines them.

References
----------
P. Grosse, B. van Wyk de Vries, P. A. Euillades, M. Kervyn, I. Petrinovic (2012), Systematic morphometric
characterization of volcanic edifices using digital elevation models, Geomorphology 136, 114-131,
doi:10.1016/j.geomorph.2011.06.001 (base width, height, ellipticity and irregularity indices, volume over the
interpolated base).
C. A. Wood (1980), Morphometric evolution of cinder cones, J. Volcanol. Geotherm. Res. 7, 387-413,
doi:10.1016/0377-0273(80)90040-2 (height over basal width, crater width).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .basal_outline import BasalOutline
from .crater import Crater
from .evidence import above_base
from .polar import PolarDem

FloatArray = NDArray[np.float64]
SUMMIT_HEIGHT = 0.8
"""The summit region is what lies above this part of the height, where there is no crater to bound it."""
_FLANK = (0.2, 0.95)


@dataclass(frozen=True)
class Morphometry:
    """What is measured on an edifice. Lengths are true metres on the ground."""

    summit_m: float
    """Elevation of the highest point inside the outline."""
    height_m: float
    """Of the highest point above the interpolated base below it."""
    base_width_m: float
    """Diameter of the circle of the outline's area."""
    summit_width_m: float
    """Diameter of the circle of the summit region's area: the crater's rim, or what lies above 80 % of the height."""
    mean_slope_deg: float
    """Mean slope of the flank, crater and summit left out."""
    max_slope_deg: float
    """Steepest of the mean slopes of twelve height bands."""
    concavity: float
    """Flank's mean fall of the upper half over that of the lower half: 1 on a cone, above 1 where it is concave."""
    ellipticity: float
    """Ratio of the axes of the ellipse of the outline's second moments, 1 or more."""
    irregularity: float
    """Perimeter over that of the ellipse of the same area and axes (Grosse et al. 2012): 1 or more."""
    volume_m3: float
    """Between the surface and the plane through the foot."""

    @property
    def height_over_width(self) -> float:
        """Height over base width."""
        return self.height_m / self.base_width_m if self.base_width_m > 0.0 else 0.0


def measure_edifice(fine: PolarDem, outline: BasalOutline, radius_m: FloatArray, crater: Crater | None) -> Morphometry:
    """Return the measures of an edifice.

    Parameters
    ----------
    fine : PolarDem
        The edifice from its centre, as finely as it is known.
    outline : BasalOutline
        For its base plane.
    radius_m : ndarray
        (A,) the outline's radius along each ray of ``fine``.
    crater : Crater, optional
        Bounds the summit region.
    """
    heights = above_base(fine, outline.base)
    inside = (fine.radius_m <= radius_m[:, None]) & np.isfinite(heights)
    area = np.broadcast_to(fine.radius_m * fine.step_m * fine.azimuth[1], heights.shape)
    top = np.unravel_index(np.argmax(np.where(inside, heights, -np.inf)), heights.shape)
    height = float(heights[top])
    within = fine.radius_m / radius_m[:, None]
    summit_area = float(area[inside & (heights > SUMMIT_HEIGHT * height)].sum())
    slopes = _slopes(fine)
    flank = inside & (within >= _FLANK[0]) & (within <= _FLANK[1]) & np.isfinite(slopes)
    axes, irregular = _shape(fine.azimuth, radius_m)
    return Morphometry(
        summit_m=float(np.nanmax(np.where(inside, fine.elevation, np.nan))),
        height_m=height,
        base_width_m=2.0 * float(np.sqrt(np.mean(radius_m**2))),
        summit_width_m=crater.width_m if crater is not None else 2.0 * math.sqrt(summit_area / math.pi),
        mean_slope_deg=math.degrees(math.atan(_mean(slopes[flank], area[flank]))),
        max_slope_deg=math.degrees(math.atan(_steepest_band(slopes[flank], heights[flank], area[flank], height))),
        concavity=_concavity(heights, within),
        ellipticity=axes,
        irregularity=irregular,
        volume_m3=float((np.maximum(heights, 0.0) * area)[inside].sum()),
    )


def _slopes(fine: PolarDem) -> FloatArray:
    outward = np.gradient(fine.elevation, fine.step_m, axis=1)
    turned = np.roll(fine.elevation, -1, axis=0) - np.roll(fine.elevation, 1, axis=0)
    slopes: FloatArray = np.hypot(outward, turned / (2.0 * fine.azimuth[1] * fine.radius_m))
    return slopes


def _mean(values: FloatArray, weights: FloatArray) -> float:
    return float((values * weights).sum() / weights.sum()) if weights.size else 0.0


def _steepest_band(slopes: FloatArray, heights: FloatArray, area: FloatArray, height: float) -> float:
    band = np.clip(heights / max(height, 1e-9) * 12, 0, 11).astype(np.int64)
    total = np.bincount(band, area, 12)
    # a band of a few cells is a cliff, not a flank
    large = total > 0.02 * max(total.sum(), 1e-9)
    means = np.bincount(band, slopes * area, 12) / np.maximum(total, 1e-9)
    return float(means[large].max()) if large.any() else 0.0


def _concavity(heights: FloatArray, within: FloatArray) -> float:
    bands = []
    for low, high in ((0.25, 0.35), (0.55, 0.65), (0.85, 0.95)):
        chosen = heights[(within >= low) & (within < high) & np.isfinite(heights)]
        bands.append(float(np.median(chosen)) if chosen.size else math.nan)
    upper, lower = bands[0] - bands[1], bands[1] - bands[2]
    return upper / lower if lower > 0.0 else math.nan


def _shape(azimuth: FloatArray, radius_m: FloatArray) -> tuple[float, float]:
    """Return the ratio of the axes, and the perimeter over that of the ellipse."""
    x, y = radius_m * np.cos(azimuth), radius_m * np.sin(azimuth)
    x2, y2 = np.roll(x, -1), np.roll(y, -1)
    cross = x * y2 - x2 * y
    area = cross.sum() / 2.0
    middle = ((x + x2) * cross).sum() / (6.0 * area), ((y + y2) * cross).sum() / (6.0 * area)
    xx = ((x * x + x * x2 + x2 * x2) * cross).sum() / (12.0 * area) - middle[0] ** 2
    yy = ((y * y + y * y2 + y2 * y2) * cross).sum() / (12.0 * area) - middle[1] ** 2
    xy = ((x * y2 + 2 * x * y + 2 * x2 * y2 + x2 * y) * cross).sum() / (24.0 * area) - middle[0] * middle[1]
    small, large = np.linalg.eigvalsh(np.array([[xx, xy], [xy, yy]]))
    ratio = math.sqrt(large / small) if small > 0.0 else math.inf
    semi = math.sqrt(area / math.pi / ratio) if math.isfinite(ratio) else 0.0
    a, b = semi * ratio, semi
    # Ramanujan (1914): perimeter of an ellipse, exact to 1e-4 for ratios to 5
    ellipse = math.pi * (3.0 * (a + b) - math.sqrt((3.0 * a + b) * (a + 3.0 * b)))
    return ratio, float(np.hypot(x2 - x, y2 - y).sum()) / ellipse if ellipse > 0.0 else math.inf
