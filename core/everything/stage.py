"""One stage of a search: points asked at one ground width, the most hopeful first, and what is learned from each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..picture import Picture
from ..points.outliner import Candidate, PointOutliner
from ..progress import Progress
from .judging import SURE, Judge
from .lattice import OpenPoints, Points
from .masks import box_iou, suppressed_boxes
from .settings import EverythingSettings

BOX_IOU = 0.7
_CUT, _UNSURE, _HOPELESS = 2.0, 0.7, 2.0
"""Doubt about what goes on beyond the look or is background, about an object that is not sure, and about what is surely
none; in log-odds."""
_FIRM, _VAGUE = 2.0, 0.5
"""Logit from which a point surely belongs to the same thing; and to the same nothing, whose logits are low all over."""
_NEARBY, _REACH = 1.0, 1.5
"""Part of the doubt about what is none that reaches beyond it, where texture leaves no shape to belong to; and how far,
in distances of points."""
_NEAR_IOU = 0.75
"""IoU of boxes from which an answer was asked about again already."""
_AGAIN_COST = 0.1
"""What the score of an answer that came at the second asking loses in rank: others are told apart by the first."""
_VAGUE_COST = 1.0
"""And of what is no object to the model: it comes behind all that are."""
_WHOLE_SCORE, _WHOLE_PX = 0.3, 400
"""Score and size from which a whole answer is asked for at its middle: less has one point at most in it anyway."""
_WIDER_SCORE, _WIDER_SHARE = 0.6, 0.08
"""Score, and share of the look, from which a whole answer is asked in the next wider look too."""
_POOL = 128
"""Candidates that are held before those that are the same are dropped."""


@dataclass(frozen=True)
class Stage:
    """Points that are asked at one ground width."""

    ground: int
    """Index of the ground width."""
    points: Points
    """(N, 2) in picture pixels."""
    hope: NDArray[np.float64]
    """Log-odds (N,) that each gives an object."""
    distance_px: float
    """How far apart points are that say something about each other."""
    label: str
    """What is reported while it goes on."""
    least_side_px: float = 0.0
    """Objects whose longer side is below this belong to closer looks."""


class Asking:
    """Asks the points of one stage of one picture.

    Parameters
    ----------
    outliner : PointOutliner
        What answers them, begun.
    settings : EverythingSettings
        How closely to look.
    picture : Picture
        What is asked about.
    stage : Stage
        The points.
    """

    def __init__(
        self,
        outliner: PointOutliner,
        settings: EverythingSettings,
        picture: Picture,
        stage: Stage,
    ) -> None:
        self._outliner, self._settings = outliner, settings
        self._picture, self._stage = picture, stage
        self._judge = Judge(outliner, settings, picture, stage.least_side_px)
        self._pool: list[Candidate] = []
        self._vague: list[Candidate] = []
        self._boxes: list[tuple[float, float, float, float]] = []
        self.wider: list[NDArray[np.float64]] = []
        """Places (2,) to ask in the next wider look."""

    def candidates(
        self, sure: NDArray[np.bool_], preferred: list[NDArray[np.float64]], progress: Progress
    ) -> list[Candidate]:
        """Return the objects that the points give, none of them twice, those of the highest rank first.

        Parameters
        ----------
        sure : ndarray of bool (H, W)
            Pixels of objects that are found already.
        preferred : list of ndarray (2,)
            Places to ask whatever is expected of them.
        progress : Progress
            Told about the points that are done with; asked for cancellation.

        Raises
        ------
        ModelRunError
            If a graph fails.
        Cancelled
            If the user asked to stop.
        """
        open_points = self._opened(sure, preferred)
        for done, index in open_points.ask():
            progress.report(done, self._stage.label)
            answers = self._outliner.candidates(self._stage.points[index], self._stage.ground, progress)
            self._keep([answer for answer in answers if self._judge.is_object(answer)])
            self._keep_vague(answers)
            best = self._asked_again(min(answers, key=Candidate.demerits), progress)
            if self._settings.grid is None:
                self._follow(open_points, best)
                self._learn(open_points, best)
        return _distinct_boxes([*self._pool, *self._vague])

    def _opened(self, sure: NDArray[np.bool_], preferred: list[NDArray[np.float64]]) -> OpenPoints:
        """Return the points with what is known before the first is asked."""
        points = self._stage.points
        cols, rows = (np.minimum(axis.astype(int), side - 1) for axis, side in zip(points.T, sure.shape[::-1]))
        without_data = ~self._picture.valid[rows, cols]
        if self._settings.grid is not None:
            return OpenPoints(points, self._stage.hope, without_data, -np.inf)
        open_points = OpenPoints(points, self._stage.hope, without_data, -self._settings.patience)
        open_points.cover(sure[rows, cols])
        for place in preferred:
            open_points.prefer(place, covered_too=True)
        return open_points

    def _keep(self, objects: list[Candidate]) -> None:
        """Hold objects."""
        self._pool += objects
        self._boxes += [one.box for one in objects]
        if len(self._pool) > _POOL:
            # each holds its low-resolution logits
            self._pool = _distinct_boxes(self._pool)

    def _keep_vague(self, answers: list[Candidate]) -> None:
        """Hold what is vague but wanted, apart from the objects: what becomes of those must not depend on it."""
        self._vague += filter(None, map(self._judge.vague, answers))
        if len(self._vague) > _POOL:
            self._vague = _distinct_boxes(self._vague)

    def _asked_again(self, best: Candidate, progress: Progress) -> Candidate:
        """Return an answer that nearly passes as the model answers when given its own answer, if that passes."""
        known = self._boxes and box_iou(np.array(best.box), np.array(self._boxes)).max() >= _NEAR_IOU
        if known or not self._judge.is_near(best):
            return best
        self._boxes.append(best.box)
        again = min(self._outliner.again(best, progress), key=Candidate.demerits)
        if not self._judge.is_object(again):
            return best
        # the model thinks highly of what it is given: no surer than of what it said by itself
        again = again.no_surer_than(best)
        self._keep([again])
        return again

    def _follow(self, open_points: OpenPoints, best: Candidate) -> None:
        """Have the middle of a whole answer asked next, and in the next wider look if it fills much of this one."""
        if best.cut:
            return
        reach = self._outliner.reaches_px[best.ground]
        if best.score >= _WIDER_SCORE and best.area_px > _WIDER_SHARE * reach**2:
            self.wider.append(best.middle)
        worth = best.obeys and best.score >= _WHOLE_SCORE and best.area_px > _WHOLE_PX
        # the middle of a bent thing may be something else
        if worth and np.isfinite(self._outliner.belief(best, best.middle[None])[0]):
            open_points.prefer(best.middle)

    def _learn(self, open_points: OpenPoints, best: Candidate) -> None:
        """Spare the points that an answer says enough about."""
        belief = self._outliner.belief(best, open_points.points)
        if self._judge.is_object(best) and best.score >= SURE:
            open_points.cover(belief > 0)
            return
        if best.cut or self._judge.is_background(best):
            open_points.doubt(_CUT * np.clip(belief / _FIRM, 0.0, 1.0))
        elif self._judge.is_object(best):
            open_points.doubt(_UNSURE * np.clip(belief / _FIRM, 0.0, 1.0))
        else:
            distance = _REACH * self._stage.distance_px
            away = ((open_points.points - best.point) ** 2).sum(axis=1) / distance**2
            doubt = _HOPELESS * np.clip(belief / _VAGUE, 0.0, 1.0) + _NEARBY * np.exp(-0.5 * away)
            open_points.doubt(self._judge.hopelessness(best) * doubt)


def rank(candidate: Candidate) -> float:
    """Return how much is thought of a candidate beside others of its ground width."""
    return candidate.score - (_AGAIN_COST if candidate.earlier else 0.0) - (_VAGUE_COST if candidate.is_vague else 0.0)


def _distinct_boxes(pool: list[Candidate]) -> list[Candidate]:
    """Return the candidates whose box none of higher rank has too, the highest first."""
    boxes = np.array([candidate.box for candidate in pool]).reshape(-1, 4)
    return [pool[index] for index in suppressed_boxes(boxes, [rank(candidate) for candidate in pool], BOX_IOU)]
