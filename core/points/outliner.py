"""Outlines the objects at points of one picture with a click model, at any of its ground widths.

This is the click of the interactive session made cheap enough for thousands of points: a tile is encoded once for
each ground width, candidates are judged on the decoder's own low-resolution logits, and only those that are wanted are
brought to full size.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..models.finding import FoundMask
from ..models.model import FloatArray, SegmentationModel
from ..models.upsample import SeparableUpsampler, bilinear
from ..outlines.masks import PartRule, select_parts
from ..outlines.snap import snapped
from ..picture import Picture
from ..progress import Progress, check
from ..raster.grid import Window
from .ground import Asked, Ground
from .looks import close_grounds, widest_ground
from .placement import Placement


@dataclass(frozen=True)
class Candidate:
    """What a model takes for the object at a point, judged at low resolution."""

    point: tuple[float, float]
    """Where it was asked, in continuous picture pixels."""
    ground: int
    """Index of the ground width that it was seen at; 0 is the finest."""
    score: float
    """Predicted IoU."""
    stability: float
    """IoU of the masks at a higher and a lower threshold; 0 if there is no mask."""
    obeys: bool
    """True if the point lies in it."""
    cut: bool
    """True if it goes on beyond what was looked at. The picture's own edge cuts nothing."""
    box: tuple[float, float, float, float]
    """(left, top, right, bottom) in picture pixels, to the low-resolution cell."""
    area_px: float
    """Picture pixels that it covers, to the low-resolution cell."""
    mask: NDArray[np.bool_]
    """(h, w) low-resolution cells of the connected part that it is; see ``placement``."""
    placement: Placement
    """Where the cells lie on the chip."""
    asked: Asked
    """The prediction that it is from."""
    index: int
    """Which of the prediction's candidates it is."""
    earlier: tuple[tuple[float, float], ...] = ()
    """Where it was asked before, if this is what the model made of its own answer."""
    is_vague: bool = False
    """As in :class:`FoundMask`."""

    @property
    def middle(self) -> NDArray[np.float64]:
        """Middle (2,) of its box, in picture pixels."""
        left, top, right, bottom = self.box
        return np.array([left + right, top + bottom]) / 2

    def no_surer_than(self, other: Candidate) -> Candidate:
        """Return it with a score that is not above that of another."""
        return replace(self, score=min(self.score, other.score))

    def demerits(self) -> tuple[bool, bool, float]:
        """Order candidates: those that hold their point, then whole objects, then the highest score."""
        return not self.obeys, self.cut, -self.score


class PointOutliner:
    """Outlines objects at points of one picture after the other. Use it from one thread at a time.

    Parameters
    ----------
    model : SegmentationModel
        What encodes and decodes. One that decodes parts is asked around each point at all but the widest of its ground
        widths; one that looks at frames gets the whole picture.
    """

    def __init__(self, model: SegmentationModel) -> None:
        self.model = model
        self._picture: Picture | None = None
        self._grounds: list[Ground] = []
        self.decodes = 0
        """How many points were decoded so far."""

    def begin(self, picture: Picture, tile: Window | None, progress: Progress) -> None:
        """Encode a tile of a picture, or all of it as one frame; the points that follow are in the picture's pixels.

        Parameters
        ----------
        picture : Picture
            What is looked at.
        tile : Window, optional
            Where the points that follow lie, with what lies around it: for close looks. None for the widest look.
        progress : Progress
            Asked for cancellation.

        Raises
        ------
        ModelRunError
            If the graph fails.
        Cancelled
            If the user asked to stop.
        """
        self._picture = None
        if tile is None:
            widest = widest_ground(self.model, picture, progress)
            self._grounds = [] if widest is None else [widest]
        else:
            self._grounds = close_grounds(self.model, picture, tile, progress)
        self._picture = picture

    @property
    def reaches_px(self) -> tuple[float, ...]:
        """Sides of what is looked at around a point, in picture pixels, the finest first; none if there is no look."""
        return tuple(ground.reach_px for ground in self._grounds)

    def objectness(self, points: NDArray[np.float64], ground: int, progress: Progress) -> FloatArray | None:
        """Return the log-odds (N,) that points (N, 2) give an object at one ground width; None if no one can tell."""
        return self._grounds[ground].objectness(points, progress)

    def candidates(self, point: ArrayLike, ground: int, progress: Progress) -> list[Candidate]:
        """Return what a point (x, y) may mean at one ground width, judged at low resolution.

        Raises
        ------
        ModelRunError
            If the graph fails.
        Cancelled
            If the user asked to stop.
        """
        check(progress)
        at = np.asarray(point, dtype=np.float64)
        asked = self._grounds[ground].ask(at, progress)
        self.decodes += 1
        return [self._judged(at, ground, asked, index) for index in range(len(asked.prediction.scores))]

    def again(self, candidate: Candidate, progress: Progress) -> list[Candidate]:
        """Return what the model says when it is asked again with its own answer, at the middle of that if it holds it.

        Raises
        ------
        ModelRunError
            If the graph fails.
        Cancelled
            If the user asked to stop.
        """
        check(progress)
        at = candidate.middle
        # the middle of a bent thing may be something else
        if not np.isfinite(self.belief(candidate, at[None])[0]):
            at = np.array(candidate.point)
        asked = self._grounds[candidate.ground].ask_again(candidate.asked, candidate.index, at, progress)
        self.decodes += 1
        judged = (self._judged(at, candidate.ground, asked, index) for index in range(len(asked.prediction.scores)))
        return [replace(one, earlier=(*candidate.earlier, candidate.point)) for one in judged]

    def full(self, candidate: Candidate) -> FoundMask | None:
        """Return a candidate in the pixels of the picture; None if nothing of it lies on usable ones."""
        picture = self._begun()
        ground, asked = self._grounds[candidate.ground], candidate.asked
        prediction = asked.prediction
        logits = prediction.logits(candidate.index) - np.float32(prediction.mask_threshold)
        snap_px = self.model.spec.look.snap_px
        if snap_px:
            logits = snapped(logits, ground.pixels(asked.chip), snap_px)
        mask = select_parts(logits > 0, PartRule.WITH_INCLUDE, asked.at)
        logits = np.where(mask | (logits <= 0), logits, np.float32(-1e-3))
        found = _on_picture(logits, ground.corner(asked.chip), ground.factor, picture.valid)
        if found is None:
            return None
        text = " then ".join(f"+{x:.6g},{y:.6g}" for x, y in (*candidate.earlier, candidate.point))
        return replace(
            found,
            score=candidate.score,
            stability=candidate.stability,
            prompt=text,
            is_vague=candidate.is_vague,
        )

    def belief(self, candidate: Candidate, points: NDArray[np.float64]) -> FloatArray:
        """Return the candidate's logits (N,) at points (N, 2) of the picture; -inf at those that are not in it."""
        ground, asked = self._grounds[candidate.ground], candidate.asked
        belief: FloatArray = np.full(len(points), -np.inf, np.float32)
        left, top, right, bottom = candidate.box
        near = np.flatnonzero(
            (points[:, 0] >= left) & (points[:, 0] <= right) & (points[:, 1] >= top) & (points[:, 1] <= bottom)
        )
        if not near.size:
            return belief
        at = ((points[near] - ground.corner(asked.chip)) / ground.factor).astype(np.float32)
        cells = np.floor(candidate.placement.to_cells(at)).astype(int)
        col, row = np.clip(cells, 0, np.array(candidate.mask.shape[::-1]) - 1).T
        inside = candidate.mask[row, col]
        if inside.any():
            prediction, one = asked.prediction, slice(candidate.index, candidate.index + 1)
            values = prediction.upsampler.at(prediction.low_res_logits[one], at[inside])[0]
            belief[near[inside]] = values - np.float32(prediction.mask_threshold)
        return belief

    def _begun(self) -> Picture:
        if self._picture is None:
            raise ValueError("PointOutliner: begin() has to be called with a picture first")
        return self._picture

    def _judged(self, point: NDArray[np.float64], number: int, asked: Asked, index: int) -> Candidate:
        """Return one candidate of a prediction with what low resolution tells of it."""
        ground, prediction = self._grounds[number], asked.prediction
        height, width = asked.chip.height, asked.chip.width
        placement = Placement.of(prediction, (width, height))
        logits = prediction.low_res_logits[index][placement.inside] - np.float32(prediction.mask_threshold)
        stability = _stability(logits, self.model.spec.certainty.stability_offset)
        mask = select_parts(logits > 0, PartRule.WITH_INCLUDE, placement.to_cells(asked.at))
        obeys = bool(prediction.inside(asked.at)[index, 0])
        rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        x, y = (float(value) for value in point)
        if not rows.size:
            score = float(prediction.scores[index])
            return Candidate((x, y), number, score, 0.0, False, False, (x, y, x, y), 0.0, mask, placement, asked, index)
        open_sides = ground.open_sides(asked.chip)
        touched = (mask[:, 0].any(), mask[0].any(), mask[:, -1].any(), mask[-1].any())
        ends = placement.to_pixels(np.array([(cols[0], rows[0]), (cols[-1] + 1, rows[-1] + 1)]))
        left, top, right, bottom = (ends * ground.factor + ground.corner(asked.chip)).ravel().tolist()
        scale = float(np.prod(placement.scale))
        return Candidate(
            point=(x, y),
            ground=number,
            score=float(prediction.scores[index]),
            stability=stability,
            obeys=obeys,
            cut=any(side and bool(touch) for side, touch in zip(open_sides, touched)),
            box=(left, top, right, bottom),
            area_px=np.count_nonzero(mask) / scale * ground.factor**2,
            mask=mask,
            placement=placement,
            asked=asked,
            index=index,
        )


def _stability(logits: FloatArray, offset: float) -> float:
    loose = np.count_nonzero(logits > -offset)
    return np.count_nonzero(logits > offset) / loose if loose else 0.0


def _on_picture(
    logits: FloatArray, corner: tuple[float, float], factor: int, valid: NDArray[np.bool_]
) -> FoundMask | None:
    """Return what is above zero of a chip's logits (h, w) as a mask in picture pixels, without unusable ones."""
    rows, cols = np.flatnonzero((logits > 0).any(axis=1)), np.flatnonzero((logits > 0).any(axis=0))
    if not rows.size:
        return None
    first = np.maximum((int(rows[0]) - 1, int(cols[0]) - 1), 0)
    crop = logits[first[0] : rows[-1] + 2, first[1] : cols[-1] + 2]
    if factor > 1:
        bands = (bilinear(side, side * factor) for side in crop.shape)
        crop = SeparableUpsampler(*bands).full(crop)
    left, top = round(corner[0]) + int(first[1]) * factor, round(corner[1]) + int(first[0]) * factor
    skip_x, skip_y = max(0, -left), max(0, -top)
    left, top = left + skip_x, top + skip_y
    crop = crop[
        skip_y : max(skip_y, skip_y + valid.shape[0] - top), skip_x : max(skip_x, skip_x + valid.shape[1] - left)
    ]
    mask = (crop > 0) & valid[top : top + crop.shape[0], left : left + crop.shape[1]]
    return trimmed(mask, left, top)


def trimmed(mask: NDArray[np.bool_], left: int, top: int) -> FoundMask | None:
    """Return a mask (h, w) that begins at a pixel as what encloses it; None if it is empty."""
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    kept = np.ascontiguousarray(mask[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1])
    window = Window(left + int(cols[0]), top + int(rows[0]), kept.shape[1], kept.shape[0])
    return FoundMask(window, kept, score=float("nan"))
