"""One look at one object in one view: read, encode, decode, choose. Where to look is decided in :mod:`.look`."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .errors import SettingsError
from .models.embedding import EmbeddingCache
from .models.model import FloatArray, ImageEmbedding, MaskPrediction, SegmentationModel
from .outlines.masks import PartRule, choose_candidate, select_parts
from .outlines.snap import snapped
from .picture import PictureReader
from .progress import Progress, check
from .prompts.prompt import PixelPrompts, PromptSet
from .prompts.shape import ShapePrompt
from .raster.grid import PixelGrid
from .raster.rgb import RgbRecipe
from .raster.source import RasterSource
from .trace import Trace
from .window import View, touches_edge

MAX_ROUNDS = 3
"""Decodings of one view: the first, and refinements while prompts are not satisfied."""


@dataclass(frozen=True)
class Look:
    """What one look at one object gave."""

    trace: Trace
    """What was looked at, and in which steps."""
    grid: PixelGrid
    """Grid of the chip; the mask's size is (grid.height, grid.width)."""
    mask: NDArray[np.bool_]
    """(H, W) the parts of the object that are kept, without unusable pixels; all False when nothing was found."""
    score: float
    """Predicted IoU of the chosen candidate."""
    low_res_logits: FloatArray | None
    """(h, w) logits of the chosen candidate: the mask prompt of the next round in the same view; None if ``blank``."""
    unsatisfied: int
    """How many prompts the mask does not obey."""
    cut: bool
    """True if the object goes on beyond the chip."""
    blank: bool = False
    """True if the prompts lie on pixels without data, where there is nothing to look for."""

    @property
    def view(self) -> View:
        """What the mask covers."""
        return self.trace.view

    def demerits(self) -> tuple[int, bool, float]:
        """Order looks: fewest prompts unsatisfied, then whole objects, then the highest score."""
        return self.unsatisfied, self.cut, -self.score


@dataclass(frozen=True)
class _Choice:
    """A candidate of a prediction."""

    prediction: MaskPrediction
    """Where it is from."""
    index: int
    """Which it is."""
    unsatisfied: int
    """How many prompts it does not obey."""

    def demerits(self) -> tuple[int, float]:
        """Order choices: fewest prompts unsatisfied, then the highest score."""
        return self.unsatisfied, -float(self.prediction.scores[self.index])


@dataclass(frozen=True)
class _Seen:
    """What the model was shown and asked."""

    trace: Trace
    grid: PixelGrid
    image: NDArray[np.uint8]
    """(H, W, 3)"""
    valid: NDArray[np.bool_]
    """(H, W)"""
    pixels: PixelPrompts


class ViewLooker:
    """Looks at objects of one source with one model and one RGB recipe, in views that are given.

    Parameters
    ----------
    source : RasterSource
        Where pixels come from.
    model : SegmentationModel
        What finds the object.
    recipe : RgbRecipe
        How bands become an image; the same for every view.
    cache : EmbeddingCache
        Where embeddings are kept.
    parts : PartRule
        Which connected parts of a mask are the object; only these decide whether it fits.
    """

    def __init__(
        self,
        source: RasterSource,
        model: SegmentationModel,
        recipe: RgbRecipe,
        cache: EmbeddingCache,
        *,
        parts: PartRule = PartRule.WITH_INCLUDE,
    ) -> None:
        self._source = source
        self._model = model
        self._parts = parts
        self.recipe = recipe
        """How bands become an image."""
        self.pictures = PictureReader(source, model, recipe, cache)
        """Where pictures and embeddings come from."""

    def at(
        self,
        view: View,
        prompts: PromptSet,
        progress: Progress,
        *,
        previous: FloatArray | None = None,
        within: View | None = None,
    ) -> Look:
        """Return what the model finds in one view.

        Parameters
        ----------
        view : View
            What to read.
        prompts : PromptSet
            One object's, in the source's CRS. A shape alone is its own answer.
        progress : Progress
            Asked for cancellation.
        previous : ndarray, optional
            (h, w) logits of an earlier look at the same view, to be refined; those of a shape among the prompts if not
            given.
        within : View, optional
            Larger view that is encoded in its place; see :class:`Trace`.
        """
        return self.candidates(view, prompts, progress, previous=previous, within=within)[0]

    def candidates(
        self,
        view: View,
        prompts: PromptSet,
        progress: Progress,
        *,
        previous: FloatArray | None = None,
        within: View | None = None,
    ) -> list[Look]:
        """Return every candidate that the model has for what :meth:`at` asks: the best first, then by their scores."""
        check(progress)
        trace = Trace(view, within)
        grid = view.grid(self._source.grid)
        image, valid = self.pictures.pixels(view, within, progress)
        pixels = _visible(prompts.to_pixels(grid), grid)
        if not _on_data(pixels, valid, grid):
            nothing = np.zeros_like(valid)
            return [Look(trace, grid, nothing, 0.0, None, len(pixels.labels), cut=False, blank=True)]
        drawn = _drawn(prompts, grid)
        if drawn is not None and len(prompts.prompts) == 1:
            return [self._as_drawn(drawn & valid, trace, grid)]
        if previous is None and drawn is not None:
            previous = self._model.mask_logits(drawn)
        embedding = self.pictures.embedding(view, within, progress)
        best = self._decode(embedding, pixels, previous, progress)
        seen = _Seen(trace, grid, image, valid, pixels)
        return [self._look(best, seen), *(self._look(other, seen, other.index) for other in _others(best, pixels))]

    def again(self, trace: Trace, prompts: PromptSet, progress: Progress) -> Look:
        """Return the look that was come by in this way, step by step as then.

        Raises
        ------
        SettingsError
            If the model has no such candidate, or the trace is not one of this source and model.
        """
        count = len(prompts.prompts) if trace.at_once is None else trace.at_once
        looks = self.candidates(trace.view, prompts.first(count), progress, within=trace.within)
        chosen = [look for look in looks if look.trace.candidate == trace.candidate]
        if not chosen:
            raise SettingsError(
                f"The model has no candidate {trace.candidate} there.",
                hint="Use the model that the result was made with.",
            )
        look = chosen[0]
        for number in range(count + 1, len(prompts.prompts) + 1):
            look = self.then(look, prompts.first(number), progress, before=number - 1)
        return look

    def then(self, look: Look, prompts: PromptSet, progress: Progress, *, before: int) -> Look:
        """Return the look in the same view after one more prompt, from the logits of the look before.

        Parameters
        ----------
        look : Look
            The answer to all but the last prompts.
        prompts : PromptSet
            All prompts.
        progress : Progress
            Asked for cancellation.
        before : int
            How many of the prompts the look before knew.
        """
        trace = look.trace
        nxt = self.at(trace.view, prompts, progress, previous=look.low_res_logits, within=trace.within)
        steps = replace(trace, at_once=before if trace.at_once is None else trace.at_once)
        return replace(nxt, trace=steps)

    def _decode(
        self, embedding: ImageEmbedding, pixels: PixelPrompts, previous: FloatArray | None, progress: Progress
    ) -> _Choice:
        """Return the best choice of up to ``MAX_ROUNDS``; a round starts from the one before it."""
        choices: list[_Choice] = []
        for _ in range(MAX_ROUNDS if self._model.takes_previous else 1):
            prediction = self._model.decode(embedding, pixels, previous=previous, progress=progress)
            choices.append(_choose(prediction, pixels))
            if choices[-1].unsatisfied == 0:
                break
            previous = prediction.low_res_logits[choices[-1].index]
        return min(choices, key=_Choice.demerits)

    def _look(self, choice: _Choice, seen: _Seen, candidate: int | None = None) -> Look:
        """Return one of the model's candidates as a look; the best one has no number."""
        prediction = choice.prediction
        logits, snap_px = prediction.logits(choice.index) - prediction.mask_threshold, self._model.spec.look.snap_px
        if snap_px:
            logits = snapped(logits, seen.image, snap_px)
        mask = select_parts((logits > 0) & seen.valid, self._parts, seen.pixels.include)
        return Look(
            trace=replace(seen.trace, candidate=candidate),
            grid=seen.grid,
            mask=mask,
            score=float(prediction.scores[choice.index]),
            low_res_logits=prediction.low_res_logits[choice.index],
            unsatisfied=choice.unsatisfied,
            cut=touches_edge(mask, seen.trace.view, self._source.grid),
        )

    def _as_drawn(self, mask: NDArray[np.bool_], trace: Trace, grid: PixelGrid) -> Look:
        """Return a given shape as a look: nothing was asked of the model."""
        cut = touches_edge(mask, trace.view, self._source.grid)
        return Look(trace, grid, mask, math.nan, self._model.mask_logits(mask), 0, cut=cut)


def _visible(pixels: PixelPrompts, grid: PixelGrid) -> PixelPrompts:
    """Return the prompts without the exclude points that lie off the chip: the model has no pixels there."""
    kept = grid.contains(pixels.points) | (pixels.labels == 1)
    return PixelPrompts(pixels.points[kept], pixels.labels[kept], pixels.boxes)


def _on_data(pixels: PixelPrompts, valid: NDArray[np.bool_], grid: PixelGrid) -> bool:
    """Return True if an include point, or any part of a box, lies on a usable pixel of the chip (H, W)."""
    last = np.array([grid.width - 1, grid.height - 1])
    for col, row in np.minimum(pixels.include[grid.contains(pixels.include)], last).astype(int):
        if valid[row, col]:
            return True
    for box in pixels.boxes:
        left, top = np.floor(np.maximum(box[:2], 0.0)).astype(int)
        right, bottom = np.ceil(np.maximum(box[2:], 0.0)).astype(int)
        if valid[top:bottom, left:right].any():
            return True
    return False


def _drawn(prompts: PromptSet, grid: PixelGrid) -> NDArray[np.bool_] | None:
    """Return the pixels (H, W) of the shapes among the prompts; None if there is none."""
    masks = [prompt.mask(grid) for prompt in prompts.prompts if isinstance(prompt, ShapePrompt)]
    return np.logical_or.reduce(masks) if masks else None


def _choose(prediction: MaskPrediction, pixels: PixelPrompts) -> _Choice:
    """Return the candidate that is used, by the prompts that it satisfies and its score."""
    include, exclude = prediction.inside(pixels.include), prediction.inside(pixels.exclude)
    return _choice(prediction, choose_candidate(prediction.scores, include, exclude), include, exclude)


def _others(chosen: _Choice, pixels: PixelPrompts) -> list[_Choice]:
    """Return the other candidates of the same prediction, those that obey more prompts and score higher first."""
    prediction = chosen.prediction
    include, exclude = prediction.inside(pixels.include), prediction.inside(pixels.exclude)
    indices = [index for index in range(len(prediction.scores)) if index != chosen.index]
    return sorted((_choice(prediction, index, include, exclude) for index in indices), key=_Choice.demerits)


def _choice(prediction: MaskPrediction, index: int, include: NDArray[np.bool_], exclude: NDArray[np.bool_]) -> _Choice:
    return _Choice(prediction, index, int((~include[index]).sum() + exclude[index].sum()))
