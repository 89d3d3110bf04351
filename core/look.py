"""One look at one object: place a chip, read, encode, decode, choose; look again wider if the object does not fit."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .models.embedding import EmbeddingCache, EmbeddingKey, image_digest
from .models.model import FloatArray, ImageEmbedding, MaskPrediction, SegmentationModel
from .outlines.masks import choose_candidate
from .progress import Progress, SubProgress, check
from .prompts.prompt import PixelPrompts, PromptSet
from .raster.grid import PixelGrid
from .raster.rgb import RgbRecipe, to_rgb8
from .raster.source import RasterSource
from .window import View, grow, place, touches_edge

MAX_GROWTH = 8
"""Doublings of the ground width before an object that does not fit is given up as cut."""
MAX_ROUNDS = 3
"""Decodings of one view: the first, and refinements while prompts are not satisfied."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Look:
    """What one look at one object gave."""

    view: View
    """What was read."""
    grid: PixelGrid
    """Grid of the chip; the mask's size is (grid.height, grid.width)."""
    mask: NDArray[np.bool_]
    """(H, W) the object, without unusable pixels; all False when nothing was found."""
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
    """

    def __init__(
        self, source: RasterSource, model: SegmentationModel, recipe: RgbRecipe, cache: EmbeddingCache
    ) -> None:
        self._source = source
        self._model = model
        self._recipe = recipe
        self._cache = cache
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
            CRS units per pixel to look at; native, or as coarse as the prompts need, where it is not given.
        """
        policy = self._model.spec.look
        box = self._source.grid.box_to_pixel(prompts.envelope())
        # a box says how large the object is: there is nothing to be tried
        scales = policy.scales if len(set(map(tuple, box.reshape(2, 2)))) == 1 else (1.0,)
        looks = []
        for index, scale in enumerate(scales):
            part = SubProgress(progress, 0.5 * index / len(scales), 0.5 * (index + 1) / len(scales))
            view = place(self._source.grid, box, policy.chip_px, resolution=resolution, scale=scale)
            looks.append(self.at(view, prompts, part))
        look = min(looks, key=_demerits)
        look = self._grow(look, prompts, SubProgress(progress, 0.5, 0.9))
        if policy.zoom_in and resolution is None:
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
        picture = self._read(view)
        pixels = _visible(prompts.to_pixels(grid), grid)
        if not _on_data(pixels, picture.valid):
            return Look(view, grid, np.zeros_like(picture.valid), 0.0, None, len(pixels.labels), cut=False, blank=True)
        embedding = self._embed(picture, progress)
        for _ in range(MAX_ROUNDS):
            prediction = self._model.decode(embedding, pixels, previous=previous, progress=progress)
            index, unsatisfied = _choose(prediction, pixels)
            previous = prediction.low_res_logits[index]
            if unsatisfied == 0:
                break
        mask = prediction.mask(index) & picture.valid
        return Look(
            view=view,
            grid=grid,
            mask=mask,
            score=float(prediction.scores[index]),
            low_res_logits=prediction.low_res_logits[index],
            unsatisfied=unsatisfied,
            cut=touches_edge(mask, view, self._source.grid),
        )

    def _grow(self, look: Look, prompts: PromptSet, progress: Progress) -> Look:
        """Return a wider look while the object is cut; the last good one if a wider look loses the object."""
        for step in range(MAX_GROWTH):
            if not look.cut:
                break
            wider_view = grow(self._source.grid, look.view)
            if wider_view == look.view:
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
        if view.window.width >= 0.75 * look.view.window.width:
            return look
        closer = self.at(view, prompts, progress)
        return closer if not closer.cut and _demerits(closer) <= _demerits(look) else look

    def _read(self, view: View) -> _Picture:
        """Return the view's picture; that of the view before is kept, because clicks come in rows on the same view."""
        if self._last is None or self._last.view != view:
            chip = self._source.read(view.window, view.size, self._recipe.bands)
            image = to_rgb8(chip, self._recipe)
            self._last = _Picture(view, image, image_digest(image), chip.valid)
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


def _on_data(pixels: PixelPrompts, valid: NDArray[np.bool_]) -> bool:
    """Return True if an include point, or any part of a box, lies on a usable pixel of the chip (H, W)."""
    last = np.array([valid.shape[1] - 1, valid.shape[0] - 1])
    for col, row in np.minimum(pixels.include, last).astype(int):
        if valid[row, col]:
            return True
    for box in pixels.boxes:
        left, top = np.floor(np.maximum(box[:2], 0.0)).astype(int)
        right, bottom = np.ceil(np.maximum(box[2:], 0.0)).astype(int)
        if valid[top:bottom, left:right].any():
            return True
    return False


def _choose(prediction: MaskPrediction, pixels: PixelPrompts) -> tuple[int, int]:
    """Return the candidate's index and how many prompts it leaves unsatisfied."""
    include = prediction.inside(pixels.include)
    exclude = prediction.inside(pixels.exclude)
    index = choose_candidate(prediction.scores, include, exclude)
    return index, int((~include[index]).sum() + exclude[index].sum())


def _demerits(look: Look) -> tuple[int, bool, float]:
    """Order looks: fewest prompts unsatisfied, then whole objects, then the highest score."""
    return look.unsatisfied, look.cut, -look.score
