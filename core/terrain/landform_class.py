"""Which kind of volcano an edifice is, from published ranges of its measures, with the reasons in words.

References
----------
C. A. Wood (1980), J. Volcanol. Geotherm. Res. 7, 387-413, doi:10.1016/0377-0273(80)90040-2: cinder cones are 0.25 to
2.5 km wide (mean 0.9), 0.18 as high as wide when fresh, less with age.
R. J. Pike, G. D. Clow (1981), Revised classification of terrestrial volcanoes and catalog of topographic dimensions,
USGS Open-File Report 81-1038, doi:10.3133/ofr811038: heights, widths and slopes of 655 volcanoes of all classes.
A. Fornaciai et al. (2012), Morphometry of scoria cones, and their relation to geodynamic setting, J. Volcanol.
Geotherm. Res. 217-218, 56-72, doi:10.1016/j.jvolgeores.2011.12.012: 542 cones, height over width 0.05 to 0.25, mean
slopes 10 to 33 degrees.
P. Grosse, P. A. Euillades, L. D. Euillades, B. van Wyk de Vries (2014), A global database of composite volcano
morphology, Bull. Volcanol. 76, 784, doi:10.1007/s00445-013-0784-4: height over width 0.03 to 0.25, mean slopes 6 to 30
degrees, base widths from 2 km up.
P. Grosse, M. Kervyn (2018), Morphometry of terrestrial shield volcanoes, Geomorphology 304, 1-14,
doi:10.1016/j.geomorph.2017.12.017: mean flank slopes 1 to 13 degrees, height over width 0.01 to 0.1.
J. H. Fink, S. W. Anderson (2000), Lava domes and coulees, Encyclopedia of Volcanoes, 307-319: steep convex sides below
a broad top, no crater, tens to hundreds of metres high.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from .crater import Crater
from .morphometry import Morphometry


class VolcanoClass(Enum):
    """Kinds of volcanic edifice."""

    STRATOVOLCANO = "stratovolcano"
    CINDER_CONE = "cinder cone"
    SHIELD = "shield"
    DOME = "dome"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True)
class Range:
    """Values that a class has, with soft ends: (none below, all from, all to, none above)."""

    ends: tuple[float, float, float, float]
    """Growing. Between the first and the second, and the third and the fourth, membership is linear."""

    def membership(self, value: float) -> float:
        """Return 0 to 1; 1 for NaN, of which nothing is known."""
        if math.isnan(value):
            return 1.0
        none_low, low, high, none_high = self.ends
        if value < low:
            return max(0.0, (value - none_low) / (low - none_low)) if low > none_low else 0.0
        if value > high:
            return max(0.0, (none_high - value) / (none_high - high)) if none_high > high else 0.0
        return 1.0


@dataclass(frozen=True)
class Classification:
    """A class with how sure it is."""

    kind: VolcanoClass
    """The class."""
    confidence: float
    """Membership of the class's ranges less that of the next one's, 0 to 1."""
    reasons: str
    """Why, in words with the values."""


_MEASURES = {
    "width": "base {:.2g} km wide",
    "height": "{:.0f} m high",
    "ratio": "height over width {:.2f}",
    "slope": "mean slope {:.0f} degrees",
    "top": "summit over base width {:.2f}",
    "concavity": "upper over lower flank {:.1f}",
}
RANGES: dict[VolcanoClass, dict[str, Range]] = {
    VolcanoClass.STRATOVOLCANO: {
        "width": Range((1.5, 2.5, 40.0, 60.0)),
        "height": Range((200.0, 400.0, 4500.0, 6000.0)),
        "ratio": Range((0.03, 0.06, 0.25, 0.35)),
        "slope": Range((6.0, 9.0, 32.0, 38.0)),
    },
    VolcanoClass.CINDER_CONE: {
        "width": Range((0.1, 0.25, 1.6, 2.7)),
        "height": Range((10.0, 20.0, 300.0, 450.0)),
        "ratio": Range((0.03, 0.06, 0.22, 0.35)),
        "slope": Range((6.0, 10.0, 33.0, 38.0)),
        "top": Range((-1.0, 0.0, 0.6, 0.8)),
    },
    VolcanoClass.SHIELD: {
        "width": Range((0.5, 1.5, 120.0, 250.0)),
        "height": Range((15.0, 40.0, 4500.0, 9000.0)),
        "ratio": Range((0.002, 0.01, 0.06, 0.1)),
        "slope": Range((0.5, 1.0, 8.0, 13.0)),
    },
    VolcanoClass.DOME: {
        "width": Range((0.05, 0.15, 2.5, 4.0)),
        "height": Range((10.0, 30.0, 500.0, 900.0)),
        "ratio": Range((0.08, 0.13, 0.4, 0.5)),
        "slope": Range((10.0, 16.0, 40.0, 45.0)),
        "top": Range((0.35, 0.5, 1.0, 1.1)),
        "concavity": Range((-1.0, 0.0, 0.75, 1.0)),
    },
}
LEAST_MEMBERSHIP = 0.4
"""A class whose ranges are met less than this is not named."""


def classify(measures: Morphometry, crater: Crater | None, *, partial: bool) -> Classification:
    """Return the class whose published ranges hold the measures best.

    Parameters
    ----------
    measures : Morphometry
        Of the edifice.
    crater : Crater, optional
        A crater of a third of the base speaks for a cinder cone (0.40 +- 0.11 in Wood 1980), and none for a dome.
    partial : bool
        True lowers the confidence by half: width, height and volume are least values only.
    """
    values = {
        "width": measures.base_width_m / 1000.0,
        "height": measures.height_m,
        "ratio": measures.height_over_width,
        "slope": measures.mean_slope_deg,
        "top": measures.summit_width_m / measures.base_width_m if measures.base_width_m > 0.0 else math.nan,
        "concavity": measures.concavity,
    }
    scores = {kind: _membership(kind, values, crater) for kind in RANGES}
    order = sorted(scores, key=lambda kind: -scores[kind])
    best, next_best = order[0], order[1]
    confidence = scores[best] - 0.5 * scores[next_best]
    if partial:
        confidence *= 0.5
    if scores[best] < LEAST_MEMBERSHIP:
        fit = ", ".join(_MEASURES[name].format(values[name]) for name in ("width", "height", "ratio", "slope"))
        return Classification(VolcanoClass.UNCERTAIN, 0.0, f"in no published class: {fit}")
    said = [_MEASURES[name].format(values[name]) for name in RANGES[best] if not math.isnan(values[name])]
    if crater is not None:
        said.append(f"{'breached crater' if crater.breached else 'crater'} {crater.width_m:.0f} m wide")
    if scores[next_best] > 0.5 * scores[best]:
        said.append(f"could also be a {next_best.value}")
    return Classification(best, max(0.0, confidence), "; ".join(said))


def _membership(kind: VolcanoClass, values: dict[str, float], crater: Crater | None) -> float:
    """Return the least membership over the ranges: one measure outside a class's range is enough not to be in it."""
    least = min(extent.membership(values[name]) for name, extent in RANGES[kind].items())
    if kind is VolcanoClass.DOME and crater is not None:
        least *= 0.5
    if kind is VolcanoClass.CINDER_CONE and crater is None:
        least *= 0.85
    return least
