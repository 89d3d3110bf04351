"""All objects of one picture by a click model, asked at points from coarse to fine, and only where it may pay.

How a point is spared:

- It lies in an object that is sure: that has been found.
- It lies, as far as the answers to other points can tell, in something that gave no object: what goes on beyond the
  look, or what the model is not sure of. One such answer is no proof, so doubt is summed up, in the measure that the
  model's own logits say that the point belongs to the same thing; a small thing inside another is where those are low.

How a point is asked before its turn: an answer that is whole has a middle, and the outline from there is the better
one, often good where the one from its edge was not. What fills much of the finest look is asked at its middle in the
next wider one too, where points are few.

References
----------
Kirillov, A. et al. (2023): Segment Anything. DOI 10.1109/ICCV51070.2023.00371 (the grid of points, the filters).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..models.finding import FoundMask
from ..models.model import CertaintyPolicy
from ..picture import Picture
from ..points.ground import origin
from ..points.outliner import Candidate, PointOutliner, on_data
from ..progress import Progress, SubProgress, check
from .lattice import OpenPoints, Points, grid_points, lattice
from .masks import distinct, inside, suppressed_boxes
from .settings import EverythingSettings

BOX_IOU, SAME_IOU, COVERED = 0.7, 0.6, 0.5
FINER = 0.03
"""What a finer look is worth against a coarser one at the same object, in score: its outline is the better one."""
SURE = 0.85
"""Score from which an object spares the points that lie in it."""
_CUT, _UNSURE, _HOPELESS = 2.0, 0.7, 2.0
"""Doubt about what goes on beyond the look or is background, about an object that is not sure, and about what is surely
none."""
_FIRM, _VAGUE = 2.0, 0.5
"""Logit from which a point surely belongs to the same thing; and to the same nothing, whose logits are low all over."""
_NEARBY, _REACH = 1.0, 1.5
"""Part of the doubt about what is none that reaches beyond it, where texture leaves no shape to belong to; and how far,
in distances of points."""
_SCORE_MARGIN, _SCORE_RANGE, _STABILITY_MARGIN = 0.05, 0.4, 0.22
"""What fails by less than these margins (the last one as a share) may well pass a little further on, and casts no
doubt at all; beyond them doubt grows, over this range of the score, and down to no stability."""
_WHOLE_SCORE, _WHOLE_PX = 0.3, 400
"""Score and size from which a whole answer is asked again at its middle: less has one point at most in it anyway."""
_WIDER_SCORE, _WIDER_SHARE = 0.6, 0.08
"""Score, and share of the look, from which a whole answer is asked in the next wider look too."""
_ACROSS = 32
"""Finest points across one look."""
_STAGES = ("coarse", "middle", "fine")
_FINEST = 2
"""Level of the lattice that wider looks are asked for only where an answer's middle is."""
_WIDER_PATIENCE = 0.5
"""Part of the patience that a wider look has: most of what it shows is found by then."""
_ENCODING = 0.1
_POOL = 128
"""Candidates that are held before those that are the same are dropped."""


@dataclass(frozen=True)
class _Stage:
    """Points that are asked at one ground width."""

    ground: int
    points: Points
    levels: NDArray[np.int64]
    spare: NDArray[np.bool_]
    """Points (N,) that are asked only where something says so."""
    distance_px: float
    """How far apart points are that say something about each other."""


class PointSearch:
    """Finds the objects of pictures. Use it from one thread at a time.

    Parameters
    ----------
    outliner : PointOutliner
        What answers points.
    settings : EverythingSettings
        How closely to look.
    """

    def __init__(self, outliner: PointOutliner, settings: EverythingSettings) -> None:
        self._outliner, self._settings = outliner, settings
        policy = outliner.model.spec.certainty
        self._policy = CertaintyPolicy(
            policy.min_score if settings.min_score is None else settings.min_score,
            policy.stability_offset,
            policy.min_stability if settings.min_stability is None else settings.min_stability,
        )

    def find(self, picture: Picture, progress: Progress) -> list[FoundMask]:
        """Return the objects of a picture, the surest first.

        Raises
        ------
        ModelRunError
            If a graph fails.
        Cancelled
            If the user asked to stop.
        """
        progress.report(0.0, "Encoding the picture")
        self._outliner.begin(picture, SubProgress(progress, 0.0, _ENCODING))
        size = picture.valid.shape[1], picture.valid.shape[0]
        sure = np.zeros(picture.valid.shape, dtype=np.bool_)
        found: list[tuple[int, FoundMask]] = []
        stages = self._stages(picture, size)
        wider: list[NDArray[np.float64]] = []
        for number, stage in enumerate(stages):
            shares = (_ENCODING + (1 - _ENCODING) * (number + done) / len(stages) for done in (0, 1))
            objects, wider = self._asked(stage, wider, picture, sure, SubProgress(progress, *shares))
            found += objects
        ranks = [mask.score - FINER * ground for ground, mask in found]
        masks = [mask for _, mask in found]
        progress.report(1.0)
        return distinct(masks, ranks, picture.valid.shape, same=SAME_IOU, covered=COVERED)

    def _stages(self, picture: Picture, size: tuple[int, int]) -> list[_Stage]:
        """Return what is asked at each ground width, the finest first: a wide look takes fewer points."""
        grounds = range(len(self._outliner.reaches_px))
        if self._settings.grid is not None:
            points = grid_points(size, self._settings.grid)
            none = np.zeros(len(points), dtype=np.bool_)
            return [_Stage(ground, points, np.full(len(points), 2), none, 1.0) for ground in grounds]
        stages = []
        for ground in grounds:
            step = self._settings.step_px * 2 ** max(0, ground - 1)
            while step * _ACROSS < self._outliner.reaches_px[ground]:
                step *= 2
            points, levels = lattice(origin(picture), size, step)
            order = np.argsort(levels, kind="stable")
            spare = (levels[order] == _FINEST) & (ground > 0)
            stages.append(_Stage(ground, points[order], levels[order], spare, step * (2.0 if ground else 1.0)))
        return stages

    def _asked(
        self,
        stage: _Stage,
        preferred: list[NDArray[np.float64]],
        picture: Picture,
        sure: NDArray[np.bool_],
        progress: Progress,
    ) -> tuple[list[tuple[int, FoundMask]], list[NDArray[np.float64]]]:
        """Return a stage's objects, and places (2,) for the next; the sure ones are painted into ``sure`` (H, W)."""
        open_points = self._open(stage, preferred, picture, sure)
        skips = self._settings.grid is None
        pool: list[Candidate] = []
        wider: list[NDArray[np.float64]] = []
        for behind, index in open_points.ask():
            label = _STAGES[stage.levels[index]] if skips else "grid"
            progress.report(behind / len(stage.points), f"{label.capitalize()} points")
            answers = self._outliner.candidates(stage.points[index], stage.ground, progress)
            pool += [answer for answer in answers if self._is_object(answer, picture)]
            if len(pool) > _POOL:
                # each holds its low-resolution logits
                pool = _distinct_boxes(pool)
            if skips:
                best = min(answers, key=Candidate.demerits)
                self._follow(open_points, best, wider)
                self._learn(open_points, best, picture, stage.distance_px)
        return self._painted(_distinct_boxes(pool), sure, progress), wider

    def _open(
        self, stage: _Stage, preferred: list[NDArray[np.float64]], picture: Picture, sure: NDArray[np.bool_]
    ) -> OpenPoints:
        """Return the points of a stage with what is known before the first is asked."""
        points = stage.points
        without_data = np.array([not on_data(picture.valid, point) for point in points])
        patience = self._settings.patience * (_WIDER_PATIENCE if stage.ground else 1.0)
        open_points = OpenPoints(points, without_data, stage.spare, patience)
        if self._settings.grid is None:
            cols, rows = (np.minimum(axis.astype(int), side - 1) for axis, side in zip(points.T, sure.shape[::-1]))
            open_points.cover(sure[rows, cols])
            for place in preferred:
                open_points.prefer(place, covered_too=True)
        return open_points

    def _painted(
        self, pool: list[Candidate], sure: NDArray[np.bool_], progress: Progress
    ) -> list[tuple[int, FoundMask]]:
        """Return candidates in picture pixels with their ground widths; paint the sure ones into ``sure`` (H, W)."""
        found: list[tuple[int, FoundMask]] = []
        for candidate in pool:
            check(progress)
            mask = self._outliner.full(candidate)
            if mask is None or np.count_nonzero(mask.mask) < self._settings.min_size_px:
                continue
            found.append((candidate.ground, mask))
            if mask.score >= SURE:
                sure[inside(mask.window)] |= mask.mask
        return found

    def _is_object(self, candidate: Candidate, picture: Picture) -> bool:
        """Return True for what passes the filters, all of them at low resolution."""
        policy, settings = self._policy, self._settings
        return (
            candidate.obeys
            and not candidate.cut
            and candidate.score >= policy.min_score
            and candidate.stability >= policy.min_stability
            and candidate.area_px >= settings.min_size_px / 2
            and not self._is_background(candidate, picture)
        )

    def _is_background(self, candidate: Candidate, picture: Picture) -> bool:
        """Return True for what covers too much of the picture to be one of its objects."""
        return candidate.area_px > self._settings.max_share * picture.valid.size

    def _follow(self, open_points: OpenPoints, best: Candidate, wider: list[NDArray[np.float64]]) -> None:
        """Have the middle of a whole answer asked next, and in the next wider look if it fills much of this one."""
        if best.cut:
            return
        middle = np.array([best.box[0] + best.box[2], best.box[1] + best.box[3]]) / 2
        reach = self._outliner.reaches_px[best.ground]
        if best.score >= _WIDER_SCORE and best.area_px > _WIDER_SHARE * reach**2:
            wider.append(middle)
        worth = best.obeys and best.score >= _WHOLE_SCORE and best.area_px > _WHOLE_PX
        # the middle of a bent thing may be something else
        if worth and np.isfinite(self._outliner.belief(best, middle[None])[0]):
            open_points.prefer(middle)

    def _learn(self, open_points: OpenPoints, best: Candidate, picture: Picture, distance_px: float) -> None:
        """Spare the points that an answer says enough about."""
        belief = self._outliner.belief(best, open_points.points)
        if self._is_object(best, picture) and best.score >= SURE:
            open_points.cover(belief > 0)
            return
        if best.cut or self._is_background(best, picture):
            open_points.doubt(_CUT * np.clip(belief / _FIRM, 0.0, 1.0))
        elif self._is_object(best, picture):
            open_points.doubt(_UNSURE * np.clip(belief / _FIRM, 0.0, 1.0))
        else:
            away = ((open_points.points - best.point) ** 2).sum(axis=1) / (_REACH * distance_px) ** 2
            doubt = _HOPELESS * np.clip(belief / _VAGUE, 0.0, 1.0) + _NEARBY * np.exp(-0.5 * away)
            open_points.doubt(self._hopelessness(best) * doubt)

    def _hopelessness(self, candidate: Candidate) -> float:
        """Return how far a candidate is from passing both filters, 0 to 1."""
        least = (1.0 - _STABILITY_MARGIN) * self._policy.min_stability
        by_score = (self._policy.min_score - _SCORE_MARGIN - candidate.score) / _SCORE_RANGE
        by_stability = (least - candidate.stability) / max(least, 1e-6)
        return float(np.clip(by_score, 0.0, 1.0) * np.clip(by_stability, 0.0, 1.0))


def _distinct_boxes(pool: list[Candidate]) -> list[Candidate]:
    """Return the candidates whose box no surer one has too, the surest first."""
    boxes = np.array([candidate.box for candidate in pool]).reshape(-1, 4)
    return [pool[index] for index in suppressed_boxes(boxes, [candidate.score for candidate in pool], BOX_IOU)]
