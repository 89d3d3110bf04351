"""Outlines drawn by a segmentation model, prompted by a finder: include points on the landform, exclude points around.

The finder knows nothing of models: it asks an :class:`Outliner` for a polygon, and compares it with its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import EmptyPromptError, ModelRunError, OutsideExtentError, RasterReadError, UnsupportedPromptError
from ..outlines.results import SegmentationResult
from ..progress import Progress
from ..prompts.point import PointPrompt
from ..prompts.prompt import PromptSet

FloatArray = NDArray[np.float64]
INCLUDE_AT = (0.0, 0.45)
"""Include points: the centre, and around it half-way down the flank, in radii of the expected outline."""
EXCLUDE_AT = 1.35
"""Exclude points: beyond the expected foot, by more than outlines of the same volcano differ (Euillades et al. 2013:
two of three agree within a tenth of the area)."""


class OutlineMethod(Enum):
    """Who draws the outline."""

    MORPHOMETRIC = "morphometric"
    MODEL = "model"
    AGREED = "agreed"


@dataclass(frozen=True)
class DrawnOutline:
    """A model's outline."""

    geometry: Any
    """shapely Polygon or MultiPolygon in the DEM's CRS."""
    score: float
    """The model's own estimate of its quality."""


class Outliner(Protocol):
    """Draws the outline of what it is prompted for."""

    def draw(self, prompts: PromptSet, progress: Progress) -> DrawnOutline | None:
        """Return the outline, or None where the model sees nothing there."""


Segment = Callable[[list[PromptSet], Progress], SegmentationResult]
"""``SegmentationSession.segment``, over a source that shows the DEM as a picture."""


@dataclass(frozen=True)
class SessionOutliner:
    """Draws with a segmentation session on a picture of the DEM."""

    segment: Segment
    """The session's method, handed in so that terrain does not depend on the session."""

    def draw(self, prompts: PromptSet, progress: Progress) -> DrawnOutline | None:
        """Return the outline; None where nothing is found, or the model can't be asked at this place."""
        try:
            result = self.segment([prompts], progress)
        except (EmptyPromptError, OutsideExtentError, UnsupportedPromptError, RasterReadError, ModelRunError):
            return None
        if not result.polygons:
            return None
        best = result.polygons[0]
        return DrawnOutline(best.geometry, best.score)


def landform_prompts(include: FloatArray, exclude: FloatArray, crs: str | None) -> PromptSet:
    """Return the prompts of one landform from map points (N, 2)."""
    points = [PointPrompt(float(x), float(y)) for x, y in include]
    points += [PointPrompt(float(x), float(y), include=False) for x, y in exclude]
    return PromptSet(tuple(points), crs)


def agreement(first: Any, second: Any) -> float:
    """Return the intersection of two shapely areas over their union, 0 to 1.

    Examples
    --------
    >>> from shapely.geometry import box
    >>> agreement(box(0, 0, 2, 1), box(1, 0, 3, 1))
    0.3333333333333333
    """
    union = first.union(second).area
    return float(first.intersection(second).area / union) if union > 0.0 else 0.0
