"""Where one object is looked at: a chip around its prompts, a wider one if it does not fit, a closer one if it pays."""

from __future__ import annotations

import logging
import math

import numpy as np

from .models.embedding import EmbeddingCache
from .models.model import SegmentationModel
from .outlines.masks import PartRule
from .progress import Progress, SubProgress
from .prompts.prompt import PixelPrompts, PromptSet
from .raster.rgb import RgbRecipe
from .raster.source import RasterSource
from .view_look import Look, ViewLooker
from .window import View, grow, indices_under, place, require_readable

MAX_GROWTH = 8
"""Doublings of the ground width before an object that does not fit is given up as cut."""
FINER = 0.75
"""A closer look has at most this part of the pixel size of the first."""
AGREEMENT = 0.5
"""Least IoU of a closer look with the first, of which it is to be a finer version and not another object."""
DEFAULT_MAX_PIXELS = 4096 * 4096
_log = logging.getLogger(__name__)


class Looker(ViewLooker):
    """Finds the views that objects fit into, and looks at them there.

    Parameters
    ----------
    source, model, recipe, cache, parts
        See :class:`ViewLooker`.
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
        super().__init__(source, model, recipe, cache, parts=parts)
        self._max_pixels = max_pixels

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
        look = min(looks, key=Look.demerits)
        look = self._grow(look, prompts, SubProgress(progress, 0.5, 0.9), keep_resolution=resolution is not None)
        if self._model.spec.look.zoom_in and resolution is None:
            look = self._zoom_in(look, prompts, SubProgress(progress, 0.9, 1.0))
        progress.report(1.0)
        return look

    def widened(self, look: Look, prompts: PromptSet, progress: Progress) -> Look:
        """Return the look in which an object that is cut by ``look`` fits, like :meth:`find` from there."""
        return self._grow(look, prompts, progress, keep_resolution=False)

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
        return closer if agrees and not closer.cut and closer.demerits() <= look.demerits() else look


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
