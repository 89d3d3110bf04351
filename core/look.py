"""One look at one object: place a chip, read, encode, decode, choose; look again wider if the object does not fit."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .models.embedding import EmbeddingCache, EmbeddingKey, image_digest
from .models.model import FloatArray, ImageEmbedding, MaskPrediction, SegmentationModel
from .outlines.masks import PartRule, choose_candidate, select_parts
from .progress import Progress, SubProgress, check
from .prompts.prompt import PixelPrompts, PromptSet
from .raster.grid import PixelGrid
from .raster.rgb import RgbRecipe, to_rgb8, usable_pixels
from .raster.source import RasterSource
from .window import View, grow, indices_under, place, require_readable, touches_edge

MAX_GROWTH = 8
"""Doublings of the ground width before an object that does not fit is given up as cut."""
MAX_ROUNDS = 3
"""Decodings of one view: the first, and refinements while prompts are not satisfied."""
FINER = 0.75
"""A closer look has at most this part of the pixel size of the first."""
AGREEMENT = 0.5
"""Least IoU of a closer look with the first, of which it is to be a finer version and not another object."""
DEFAULT_MAX_PIXELS = 4096 * 4096
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Look:
    """What one look at one object gave."""

    view: View
    """What was read."""
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


@dataclass(frozen=True)
class _Picture:
    """What a view looks like."""

    view: View
    """Where it is."""
    image: NDArray[np.uint8]
    """(H, W, 3) RGB."""
    digest: str
    """Of the image, for the cache."""
    valid: NDArray[np.bool_]
    """(H, W) usable pixels."""


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


class Looker:
    """Looks at objects of one source with one model and one RGB recipe.

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
    max_pixels : int
        Largest chip.
    """

    def __init__(
        self,
        source: RasterSource,
        model: SegmentationModel,
        recipe: RgbRecipe,
        cache: EmbeddingCache,
        *,
        parts: PartRule = PartRule.WITH_INCLUDE,
        max_pixels: int = DEFAULT_MAX_PIXELS,
    ) -> None:
        self._source = source
        self._model = model
        self._recipe = recipe
        self._cache = cache
        self._parts = parts
        self._max_pixels = max_pixels
        self._last: _Picture | None = None

    def find(self, prompts: PromptSet, progress: Progress, *, resolution: float | None = None) -> Look:
        """Return the look in which the object fits, starting near the prompts and growing as needed.

        Parameters
        ----------
        prompts : PromptSet
            One object's, in the source's CRS.
        progress : Progress
            Told about each look; asked for cancellation.
        resolution : float, optional
            CRS units per pixel to look at, kept while the chip grows. Where it is not given: native, or as coarse as
            the object needs.

        Raises
        ------
        ChipTooLargeError
            If the prompts need more than ``max_pixels`` at this resolution.
        """
        looks = []
        views = self._first_views(prompts, resolution)
        for index, view in enumerate(views):
            part = SubProgress(progress, 0.5 * index / len(views), 0.5 * (index + 1) / len(views))
            looks.append(self.at(view, prompts, part))
        look = min(looks, key=_demerits)
        look = self._grow(look, prompts, SubProgress(progress, 0.5, 0.9), keep_resolution=resolution is not None)
        if self._model.spec.look.zoom_in and resolution is None:
            look = self._zoom_in(look, prompts, SubProgress(progress, 0.9, 1.0))
        progress.report(1.0)
        return look

    def at(self, view: View, prompts: PromptSet, progress: Progress, *, previous: FloatArray | None = None) -> Look:
        """Return what the model finds in one view.

        Parameters
        ----------
        view : View
            What to read.
        prompts : PromptSet
            One object's, in the source's CRS.
        progress : Progress
            Asked for cancellation.
        previous : ndarray, optional
            (h, w) logits of an earlier look at the same view, to be refined.
        """
        check(progress)
        grid = view.grid(self._source.grid)
        picture = self._read(view, progress)
        pixels = _visible(prompts.to_pixels(grid), grid)
        if not _on_data(pixels, picture.valid, grid):
            return Look(view, grid, np.zeros_like(picture.valid), 0.0, None, len(pixels.labels), cut=False, blank=True)
        found = self._decode(self._embed(picture, progress), pixels, previous, progress)
        mask = select_parts(found.prediction.mask(found.index) & picture.valid, self._parts, pixels.include)
        return Look(
            view=view,
            grid=grid,
            mask=mask,
            score=float(found.prediction.scores[found.index]),
            low_res_logits=found.prediction.low_res_logits[found.index],
            unsatisfied=found.unsatisfied,
            cut=touches_edge(mask, view, self._source.grid),
        )

    def _first_views(self, prompts: PromptSet, resolution: float | None) -> list[View]:
        """Return the views to begin with: several ground widths for one click, else one.

        Raises
        ------
        ChipTooLargeError
            If one is too large.
        """
        grid, policy = self._source.grid, self._model.spec.look
        box = grid.box_to_pixel(prompts.envelope())
        chip_px, scales = policy.chip_px, policy.scales
        size = float((box[2:] - box[:2]).max())
        if size > 0.0:
            # several clicks, too, say something about the size; trying widths was measured to be worse then
            scales = (1.0,)
        if prompts.has_extent and policy.box_margin is not None and resolution is None:
            span = size * (1.0 + 2.0 * policy.box_margin)
            chip_px, scales = min(chip_px, math.ceil(span)), (max(1.0, span / chip_px),)
        views = [place(grid, box, chip_px, resolution=resolution, scale=scale) for scale in scales]
        for view in views:
            require_readable(view, grid, self._max_pixels)
        return list(dict.fromkeys(views))

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

    def _grow(self, look: Look, prompts: PromptSet, progress: Progress, *, keep_resolution: bool) -> Look:
        """Return a wider look while the object is cut; the last good one if a wider look loses the object."""
        for step in range(MAX_GROWTH):
            if not look.cut:
                break
            wider_view = grow(self._source.grid, look.view, keep_resolution=keep_resolution)
            if wider_view == look.view or wider_view.pixels > self._max_pixels:
                break
            progress.report(step / MAX_GROWTH, "The object does not fit: looking wider")
            wider = self.at(wider_view, prompts, progress)
            if wider.unsatisfied > look.unsatisfied or not wider.mask.any():
                _log.debug("the wider look %s loses the object", wider_view)
                break
            look = wider
        return look

    def _zoom_in(self, look: Look, prompts: PromptSet, progress: Progress) -> Look:
        """Return a second look at the found object's own window, if that is finer and agrees with the first."""
        if look.cut or not look.mask.any():
            return look
        rows, cols = np.nonzero(look.mask)
        corners = look.grid.to_map([(cols.min(), rows.min()), (cols.max() + 1, rows.max() + 1)])
        native = self._source.grid.to_pixel(corners)
        view = place(self._source.grid, native.ravel(), self._model.spec.look.chip_px)
        pixels = prompts.to_pixels(view.grid(self._source.grid))
        if view.coarseness > FINER * look.view.coarseness or not _all_in_view(pixels, view):
            return look
        closer = self.at(view, prompts, progress)
        agrees = _overlap(closer, look) >= AGREEMENT
        return closer if agrees and not closer.cut and _demerits(closer) <= _demerits(look) else look

    def _read(self, view: View, progress: Progress) -> _Picture:
        """Return the view's picture; that of the view before is kept, because clicks come in rows on the same view."""
        if self._last is None or self._last.view != view:
            chip = self._source.read(view.window, view.size, self._recipe.bands, progress)
            image = to_rgb8(chip, self._recipe)
            self._last = _Picture(view, image, image_digest(image), usable_pixels(chip, self._recipe))
        return self._last

    def _embed(self, picture: _Picture, progress: Progress) -> ImageEmbedding:
        key = EmbeddingKey(
            model=self._model.spec.name,
            weights_sha256=self._model.weights_sha256,
            image_digest=picture.digest,
            preprocess_version=self._model.preprocess_version,
        )
        found = self._cache.get(key)
        if found is None:
            found = self._model.encode(picture.image, progress)
            self._cache.put(key, found)
        return found


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


def _all_in_view(pixels: PixelPrompts, view: View) -> bool:
    """Return True if every include point and the whole of every box lies in the view."""
    points = np.concatenate([pixels.include, pixels.boxes.reshape(-1, 2)])
    return bool(((points >= 0.0) & (points <= np.array(view.size))).all())


def _overlap(closer: Look, first: Look) -> float:
    """Return the IoU of two looks at the pixels of the closer one, whose view holds all of the first mask."""
    rows, cols = (indices_under(closer.view, first.view, axis) for axis in (1, 0))
    inside = ((rows >= 0) & (rows < first.mask.shape[0]))[:, None] & ((cols >= 0) & (cols < first.mask.shape[1]))
    before = first.mask[rows.clip(0, first.mask.shape[0] - 1)][:, cols.clip(0, first.mask.shape[1] - 1)] & inside
    union = np.count_nonzero(before | closer.mask)
    return np.count_nonzero(before & closer.mask) / union if union else 0.0


def _choose(prediction: MaskPrediction, pixels: PixelPrompts) -> _Choice:
    """Return the candidate that is used, by the prompts that it satisfies and its score."""
    include = prediction.inside(pixels.include)
    exclude = prediction.inside(pixels.exclude)
    index = choose_candidate(prediction.scores, include, exclude)
    return _Choice(prediction, index, int((~include[index]).sum() + exclude[index].sum()))


def _demerits(look: Look) -> tuple[int, bool, float]:
    """Order looks: fewest prompts unsatisfied, then whole objects, then the highest score."""
    return look.unsatisfied, look.cut, -look.score
