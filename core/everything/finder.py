"""From a model to what finds everything with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import UnsupportedPromptError
from ..image_finder import ImageFinder, WindowPolicy
from ..models.finding import AutomaticModel, FoundMask
from ..models.model import LoadedModel, SegmentationModel
from ..picture import Picture
from ..points.looks import context_px
from ..points.outliner import PointOutliner, trimmed
from ..progress import Progress, check
from .masks import distinct
from .search import COVERED, SAME_IOU, PointSearch
from .settings import EverythingSettings

_WINDOW_PX, _OVERLAP_PX = 1024, 256
_CLOSE_WINDOW_PX = 512
"""Of a model whose answers don't depend on windows they are small, so that objects appear early."""


def everything_finder(model: LoadedModel, settings: EverythingSettings | None = None) -> ImageFinder:
    """Return what finds all objects of a picture.

    Parameters
    ----------
    model : LoadedModel
        One that finds everything by itself, which is asked by its own call; or a click model, which is asked at points.
    settings : EverythingSettings, optional
        How closely to look. A model that finds everything by itself has its own ways: of these, only the limits on
        score and size are applied to what it gives.

    Raises
    ------
    UnsupportedPromptError
        If the model is neither.
    """
    chosen = settings or EverythingSettings()
    if isinstance(model, AutomaticModel):
        return _Automatic(model, model, chosen)
    if isinstance(model, SegmentationModel):
        return _ByPoints(model, chosen)
    raise UnsupportedPromptError(
        f"The model '{model.spec.name}' takes no clicks, so it can't look for everything.",
        hint="Choose a model that takes points, for example the starter model.",
    )


class _ByPoints:
    """Finds everything with a click model."""

    def __init__(self, model: SegmentationModel, settings: EverythingSettings) -> None:
        self.models: tuple[LoadedModel, ...] = (model,)
        context = context_px(model)
        self.windows = WindowPolicy(_CLOSE_WINDOW_PX if context else _WINDOW_PX, _OVERLAP_PX, context)
        self._outliner = PointOutliner(model)
        self._search = PointSearch(self._outliner, settings)
        self._settings = settings

    def describe(self) -> str:
        """Return that everything is looked for, how closely, and what counts if the user says so."""
        chosen = self._settings
        points = f"points every {chosen.step_px} px" if chosen.grid is None else f"grid {chosen.grid}"
        least = "" if chosen.min_score is None else f", least score {chosen.min_score:g}"
        return f"everything, {points}{least}"

    def find(self, picture: Picture, progress: Progress) -> list[FoundMask]:
        """Return the objects of a picture's home, the surest first."""
        return self._search.find(picture, progress)


class _Automatic:
    """Finds everything with a model that does so by itself."""

    def __init__(self, model: LoadedModel, automatic: AutomaticModel, settings: EverythingSettings) -> None:
        self.models: tuple[LoadedModel, ...] = (model,)
        self.windows = WindowPolicy(_WINDOW_PX, _OVERLAP_PX)
        self._automatic, self._settings = automatic, settings

    def describe(self) -> str:
        """Return that everything is looked for, in the model's own way."""
        return "everything, by the model itself"

    def find(self, picture: Picture, progress: Progress) -> list[FoundMask]:
        """Return the objects of a picture, the surest first."""
        check(progress)
        progress.report(0.0, "Asking the model for everything")
        found = self._automatic.find_all(picture.image, progress)
        usable = [mask for mask in (self._usable(one, picture) for one in found) if mask is not None]
        progress.report(1.0)
        scores = [mask.score for mask in usable]
        kept = distinct(usable, scores, picture.valid.shape, same=SAME_IOU, covered=COVERED)
        return [usable[index] for index in kept]

    def _usable(self, found: FoundMask, picture: Picture) -> FoundMask | None:
        """Return a mask without unusable pixels; None if too little is left of it, or it is the background."""
        settings = self._settings
        kept = trimmed(found.mask & picture.valid[found.window.slices], found.window.col, found.window.row)
        if kept is None:
            return None
        area = np.count_nonzero(kept.mask)
        if not settings.min_size_px <= area <= settings.max_share * picture.valid.size:
            return None
        if settings.min_score is not None and found.score < settings.min_score:
            return None
        if settings.min_stability is not None and found.stability < settings.min_stability:
            return None
        return replace(found, window=kept.window, mask=kept.mask)
