"""Where in a tile objects like the examples may be, and what the click model outlines there."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..models.model import DecodesParts, FloatArray, ImageEmbedding, SegmentationModel
from ..outlines.masks import PartRule, select_parts
from ..outlines.snap import snapped
from ..progress import Progress, check
from ..prompts.prompt import PixelPrompts
from ..raster.grid import Window
from .cells import Tile, TileEncoder, cell_means
from .evidence import Seen

_SMOOTHING = 0.12
"""Sigma of the Gaussian that the map of likeness is smoothed with, as a share of the examples' size."""
_APART = 0.15
"""How far peaks are apart at least, as a share of the examples' size."""
_RING = 0.35
"""Width of the ring around an object, as a share of the examples' size."""
_STABLE_LOGIT = 1.0


@dataclass(frozen=True)
class Peak:
    """A place that looks like an example."""

    at: tuple[float, float]
    """(x, y) in working pixels of the raster."""
    likeness: float
    """Of the cells there."""


@dataclass(frozen=True)
class Outlined:
    """What the click model made of a place."""

    logits: FloatArray
    """(h, w) of the chip, at its pixels, greater than 0 inside."""
    corner: tuple[int, int]
    """Where the chip begins, in working pixels of the raster (x, y)."""
    seen: Seen
    """The object on the chip."""
    score: float
    """The model's own."""
    stability: float
    """IoU of the masks at a higher and a lower threshold."""
    cut: bool
    """True if it goes on beyond the chip."""


def peaks(tile: Tile, likeness: FloatArray, object_px: float, floor: float) -> list[Peak]:
    """Return the places in a tile's core where the smoothed likeness (h, w) is highest around, best first.

    What lies in the core of a neighbouring tile is left to that one; the margin keeps both from seeing other maxima.
    """
    step = tile.step_px
    sigma = (_SMOOTHING * object_px / step[1], _SMOOTHING * object_px / step[0])
    smooth = _blurred(_blurred(likeness, sigma[0], 0), sigma[1], 1)
    reach = (max(1, round(_APART * object_px / step[1])), max(1, round(_APART * object_px / step[0])))
    top = _highest(_highest(smooth, reach[0], 0), reach[1], 1)
    rows, cols = np.nonzero((smooth >= top) & (smooth > floor))
    found = []
    for row, col in zip(rows.tolist(), cols.tolist()):
        x, y = tile.box[0] + (col + 0.5) * step[0], tile.box[1] + (row + 0.5) * step[1]
        if tile.core[0] <= x < tile.core[2] and tile.core[1] <= y < tile.core[3]:
            found.append(Peak((x, y), float(smooth[row, col])))
    return sorted(found, key=lambda peak: (-peak.likeness, peak.at))


def outlined(tile: Tile, peak: Peak, encoder: TileEncoder, progress: Progress) -> Iterator[Outlined]:
    """Yield what the click model may mean at a place; nothing where it marks nothing."""
    check(progress)
    model = encoder.model
    chip, embedding = _chip(tile, peak, model)
    at = np.array([[peak.at[0] - tile.box[0] - chip.col, peak.at[1] - tile.box[1] - chip.row]], np.float32)
    prompts = PixelPrompts(at, np.ones(1, np.int8), np.zeros((0, 4), np.float32))
    prediction = model.decode(embedding, prompts, previous=None, progress=progress)
    image = tile.image[chip.row : chip.row + chip.height, chip.col : chip.col + chip.width]
    for index, score in enumerate(prediction.scores):
        logits = prediction.logits(index) - prediction.mask_threshold
        if model.spec.look.snap_px:
            logits = snapped(logits, image, model.spec.look.snap_px)
        mask = select_parts(logits > 0, PartRule.WITH_INCLUDE, at)
        if mask.any():
            yield _outlined(tile, chip, logits, mask, object_px=encoder.plan.object_px, score=float(score))


def _outlined(
    tile: Tile, chip: Window, logits: FloatArray, mask: NDArray[np.bool_], *, object_px: float, score: float
) -> Outlined:
    kept = np.where(mask, logits, np.minimum(logits, -1e-3)).astype(np.float32)
    high, low = int((mask & (logits > _STABLE_LOGIT)).sum()), int((logits > -_STABLE_LOGIT).sum())
    sides = (mask[:, 0].any(), mask[0].any(), mask[:, -1].any(), mask[-1].any())
    whole = tile.image.shape
    inner = (chip.col > 0, chip.row > 0, chip.col + chip.width < whole[1], chip.row + chip.height < whole[0])
    return Outlined(
        logits=kept,
        corner=(tile.box[0] + chip.col, tile.box[1] + chip.row),
        seen=seen(tile, chip, mask, object_px),
        score=score,
        stability=high / max(low, 1),
        cut=any(side and inside for side, inside in zip(sides, inner)),
    )


def seen(tile: Tile, chip: Window, mask: NDArray[np.bool_], object_px: float) -> Seen:
    """Return a mask (H, W) of a window of a tile's image with the cells under it."""
    step = tile.step_px
    first = round(chip.col / step[0]), round(chip.row / step[1])
    count = (
        min(math.ceil(chip.width / step[0] - 1e-6), tile.cells.shape[2] - first[0]),
        min(math.ceil(chip.height / step[1] - 1e-6), tile.cells.shape[1] - first[1]),
    )
    cells = tile.cells[:, first[1] : first[1] + count[1], first[0] : first[0] + count[0]]
    cover = cell_means(cell_means(mask[None].astype(np.float32), step[1], count[1], 1), step[0], count[0], 2)[0]
    reach = (max(1, round(_RING * object_px / step[1])), max(1, round(_RING * object_px / step[0])))
    wide = _highest(_highest(cover, reach[0], 0), reach[1], 1)
    ring = ((wide > 0.25) & (cover < 0.1)).astype(np.float32)
    image = tile.image[chip.row : chip.row + chip.height, chip.col : chip.col + chip.width]
    return Seen(mask, image, cells, cover, ring, 1.0)


def _chip(tile: Tile, peak: Peak, model: SegmentationModel) -> tuple[Window, ImageEmbedding]:
    """Return the window of the tile that is decoded around a place, and its embedding."""
    height, width = tile.image.shape[:2]
    if not isinstance(model, DecodesParts):
        return Window(0, 0, width, height), tile.embedding
    side, step = model.spec.look.chip_px, model.part_step_px
    starts, sides = [], []
    for at, low, length in ((peak.at[0], tile.box[0], width), (peak.at[1], tile.box[1], height)):
        start = math.floor((at - low - side / 2.0) / step + 0.5) * step
        start = max(0, min(start, (length - side) // step * step))
        starts.append(start)
        sides.append(side if start + side <= length else length - start)
    chip = Window(starts[0], starts[1], sides[0], sides[1])
    return chip, model.part(tile.embedding, chip)


def _blurred(values: FloatArray, sigma: float, axis: int) -> FloatArray:
    reach = max(1, math.ceil(2.5 * sigma))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(sigma, 1e-3)) ** 2)
    return _moved(values, (weights / weights.sum()).astype(np.float32), axis)


def _moved(values: FloatArray, weights: FloatArray, axis: int) -> FloatArray:
    reach = len(weights) // 2
    padded = np.pad(values, [(reach, reach) if i == axis else (0, 0) for i in range(2)], mode="edge")
    out = np.zeros_like(values)
    for index, weight in enumerate(weights):
        out += weight * padded.take(np.arange(index, index + values.shape[axis]), axis)
    return out


def _highest(values: FloatArray, reach: int, axis: int) -> FloatArray:
    """Return the highest value within ``reach`` cells along an axis, to both sides."""
    padded = np.pad(values, [(reach, reach) if i == axis else (0, 0) for i in range(2)], mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=axis)
    return np.asarray(windows.max(axis=-1))
