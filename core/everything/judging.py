"""What a click model's answer at a point is worth: an object, nearly one, background, or nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..picture import Picture
from ..points.outliner import Candidate, PointOutliner
from .settings import EverythingSettings

_SCORE_MARGIN, _SCORE_RANGE, _STABILITY_MARGIN = 0.05, 0.4, 0.22
"""What fails by less than these margins (the last one as a share) may well pass a little further on, and casts no
doubt at all; beyond them doubt grows, over this range of the score, and down to no stability."""
SURE = 0.85
"""Score from which an object spares the points that lie in it."""
_NEAR_STABILITY = 0.45
"""Share of the least stability from which a whole answer of enough score is nearly an object."""


class Judge:
    """Judges the answers to points of one picture, all of them at low resolution.

    Parameters
    ----------
    outliner : PointOutliner
        What answered; its model says from when it is sure.
    settings : EverythingSettings
        Least sizes and, where the user says so, least certainty.
    picture : Picture
        What was asked about.
    least_side_px : float
        Objects whose longer side is below this belong to closer looks; where there are any, an object has to be sure:
        what is very large takes much ground from others.
    """

    def __init__(
        self, outliner: PointOutliner, settings: EverythingSettings, picture: Picture, least_side_px: float = 0.0
    ) -> None:
        policy = outliner.model.spec.certainty
        self._min_score = policy.min_score
        if least_side_px > 0.0:
            self._min_score = max(self._min_score, SURE)
        self._min_stability = policy.min_stability if settings.min_stability is None else settings.min_stability
        self._settings, self._size, self._least_side_px = settings, picture.valid.size, least_side_px
        self._asks_again = settings.ask_again and outliner.model.takes_previous

    def is_object(self, candidate: Candidate) -> bool:
        """Return True for what passes the filters, all of them at low resolution."""
        return (
            self.is_whole(candidate)
            and candidate.score >= self._min_score
            and candidate.stability >= self._min_stability
        )

    def vague(self, candidate: Candidate) -> Candidate | None:
        """Return what is no object but wanted nevertheless, marked as that; None for all else.

        It scores less than any object: by the score that these need at least, and by what its outline lacks in
        stability. What is too large for a close look has to be an object.
        """
        wanted, chosen = self._settings.min_score, self._settings.min_stability
        if wanted is None or self._least_side_px > 0.0 or self.is_object(candidate) or not self.is_whole(candidate):
            return None
        firm = min(1.0, candidate.stability / max(self._min_stability, 1e-6))
        score = min(candidate.score, self._min_score) * firm
        if score < wanted or (chosen is not None and candidate.stability < chosen):
            return None
        return replace(candidate, score=score, is_vague=True)

    def is_whole(self, candidate: Candidate) -> bool:
        """Return True for what could be an object if the model were sure of it."""
        left, top, right, bottom = candidate.box
        return (
            candidate.obeys
            and not candidate.cut
            and candidate.area_px >= self._settings.min_size_px / 2
            and max(right - left, bottom - top) >= self._least_side_px
            and not self.is_background(candidate)
        )

    def is_background(self, candidate: Candidate) -> bool:
        """Return True for what covers too much of the picture to be one of its objects."""
        return candidate.area_px > self._settings.max_share * self._size

    def is_near(self, candidate: Candidate) -> bool:
        """Return True for what is no object, but may become one if the model is asked again with its own answer.

        That firms an outline, and raises the score whatever it was: so only answers that were sure before count.
        """
        return (
            self._asks_again
            and not self.is_object(candidate)
            and self.is_whole(candidate)
            and candidate.score >= self._min_score
            and candidate.stability >= _NEAR_STABILITY * self._min_stability
        )

    def hopelessness(self, candidate: Candidate) -> float:
        """Return how far a candidate is from passing both filters, 0 to 1."""
        least = (1.0 - _STABILITY_MARGIN) * self._min_stability
        by_score = (self._min_score - _SCORE_MARGIN - candidate.score) / _SCORE_RANGE
        by_stability = (least - candidate.stability) / max(least, 1e-6)
        return float(np.clip(by_score, 0.0, 1.0) * np.clip(by_stability, 0.0, 1.0))
