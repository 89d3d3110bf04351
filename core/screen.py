"""What a map window shows, and the views of a raster that a click in it will need."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .models.model import LookPolicy
from .raster.grid import Bounds, PixelGrid, Window
from .window import View

MAX_WHOLE_PX = 2_500_000
"""Largest view that is encoded for its parts; a larger window is looked at coarser."""
_PART_PX = 4
"""Parts begin at, and wholes end at, multiples of this, which is a cell of every encoder's finest features."""
_LATTICE_PX = 64
"""Where wholes begin and end: the same place gives the same pixels when somebody pans back."""
_RESERVE = 2.0
"""The width in reserve, relative to the widest: what fills the window is found without encoding anything then."""
_FRAMES_PER_CHIP = 8
_STEPS = 4
"""Coarseness is a multiple of 1 / _STEPS, so that _PART_PX and _LATTICE_PX chip pixels are whole native pixels."""


@dataclass(frozen=True)
class ScreenView:
    """What the user sees."""

    bounds: Bounds
    """(left, bottom, right, top) that enclose it, in the source's CRS."""
    resolution: float
    """Source CRS units per screen pixel."""


@dataclass(frozen=True)
class Ahead:
    """A view that is encoded before anybody clicks."""

    view: View
    """What is read."""
    whole: bool
    """True if a click is answered from the part around it, False from the view as it is."""
    reserve: bool = False
    """True if it is asked only for what does not fit into the others."""

    def around(self, native: NDArray[np.float64], chip_px: int) -> View | None:
        """Return what answers prompts in a native pixel box (left, top, right, bottom); None if it does not hold it."""
        if self.whole:
            return part_around(self.view, native, chip_px)
        window = self.view.window
        ends = (window.col, window.row), (window.col + window.width, window.row + window.height)
        held = (native.reshape(2, 2) >= ends[0]).all() and (native.reshape(2, 2) <= ends[1]).all()
        return self.view if held else None


def ahead(raster: PixelGrid, screen: ScreenView, policy: LookPolicy, *, parts: bool) -> list[Ahead]:
    """Return the views to encode for a window of a map; none if it shows nothing of the raster.

    Parameters
    ----------
    raster : PixelGrid
        The whole raster.
    screen : ScreenView
        What the user sees, in the raster's CRS.
    policy : LookPolicy
        The model's chip and ground widths.
    parts : bool
        True for a model that decodes parts: one view for each of its ground widths, the finest first, which covers what
        is seen, or more where the width is larger than the window, and a wider one in reserve. False for a model that
        looks at a whole frame.
    """
    box = _seen(raster, screen.bounds)
    if box is None:
        return []
    fitting = _fitting(raster, screen, box)
    if not parts:
        return [Ahead(_frame(raster, box, fitting, policy.chip_px), whole=False)]
    found: dict[View, Ahead] = {}
    for scale in (*policy.scales, _RESERVE * policy.scales[-1]):
        coarseness, reserve = _ladder(scale * fitting), scale > policy.scales[-1]
        whole = max(raster.width, raster.height) > policy.chip_px * coarseness
        view = _all_of(raster, coarseness)
        if whole:
            window = _covering(raster, box, policy.chip_px, coarseness)
            view = View(window, (round(window.width / coarseness), round(window.height / coarseness)))
        found.setdefault(view, Ahead(view, whole, reserve))
    return list(found.values())


def part_around(whole: View, native: NDArray[np.float64], chip_px: int) -> View | None:
    """Return the part of a whole around a native pixel box (left, top, right, bottom); None if it does not hold it."""
    box = native.reshape(2, 2)
    step = np.array([whole.window.width / whole.size[0], whole.window.height / whole.size[1]])
    corners = (box - (whole.window.col, whole.window.row)) / step
    size = np.minimum(chip_px, whole.size)
    if (corners[0] < 0).any() or (corners[1] > whole.size).any() or (corners[1] - corners[0] > size).any():
        return None
    start = np.round((corners.mean(axis=0) - size / 2) / _PART_PX) * _PART_PX
    start = np.clip(start, 0, whole.size - size).astype(int)
    col, row = (round(float(value)) for value in start * step)
    width, height = (round(float(value)) for value in size * step)
    window = Window(whole.window.col + col, whole.window.row + row, width, height)
    return View(window, (int(size[0]), int(size[1])))


def _frame(raster: PixelGrid, box: NDArray[np.float64], coarseness: float, chip_px: int) -> View:
    """Return the one view for a model that looks at a whole frame: what is seen, and a little around it.

    It is as fine as the screen or the frame allows, and lies on a lattice, so that panning a little changes nothing.
    """
    lattice = chip_px // _FRAMES_PER_CHIP
    size = float((box[2:] - box[:2]).max())
    coarseness = _ladder(max(coarseness, size / (chip_px - lattice)), up=True)
    limits = np.array([raster.width, raster.height])
    ground = np.minimum(math.floor(chip_px * coarseness), limits)
    cell = lattice * coarseness
    start = np.floor(((box[:2] + box[2:]) / 2 - ground / 2) / cell + 0.5) * cell
    col, row = np.clip(np.round(start), 0, limits - ground).astype(int)
    window = Window(int(col), int(row), int(ground[0]), int(ground[1]))
    return View(window, _size(window, coarseness))


def _all_of(raster: PixelGrid, coarseness: float) -> View:
    window = Window(0, 0, raster.width, raster.height)
    return View(window, _size(window, coarseness))


def _size(window: Window, coarseness: float) -> tuple[int, int]:
    return max(1, round(window.width / coarseness)), max(1, round(window.height / coarseness))


def _fitting(raster: PixelGrid, screen: ScreenView, box: NDArray[np.float64]) -> float:
    """Return the finest coarseness that is worth it: that of the screen, native where it is finer, within the limit."""
    width, height = box[2:] - box[:2]
    return max(1.0, screen.resolution / max(raster.resolution), math.sqrt(width * height / MAX_WHOLE_PX))


def _ladder(coarseness: float, *, up: bool = False) -> float:
    """Return the nearest (or the next) of 1, 1.5, 2, 2.75, 4, 5.75, 8, ...

    Zooming in steps of two meets the same pixels again.

    Examples
    --------
    >>> [_ladder(value) for value in (1.0, 1.3, 2.1, 24.0)]
    [1.0, 1.5, 2.0, 22.75]
    """
    exponent = 2.0 * math.log2(max(1.0, coarseness))
    rung = math.ceil(exponent - 1e-9) if up else round(exponent)
    return math.ceil(math.pow(2.0, rung / 2.0) * _STEPS - 0.5) / _STEPS


def _seen(raster: PixelGrid, bounds: Bounds) -> NDArray[np.float64] | None:
    """Return the native pixel box (left, top, right, bottom) of what is seen of the raster, or None."""
    limits = np.array([raster.width, raster.height, raster.width, raster.height], dtype=np.float64)
    box: NDArray[np.float64] = np.clip(raster.box_to_pixel(bounds), 0.0, limits)
    return box if bool((box[2:] > box[:2]).all()) else None


def _covering(raster: PixelGrid, box: NDArray[np.float64], chip_px: int, coarseness: float) -> Window:
    """Return whole cells of the lattice over what is seen, at least a chip; the raster is larger than a chip."""
    limits = np.array([raster.width, raster.height])
    cell, part = _LATTICE_PX * coarseness, _PART_PX * coarseness
    middle, least = (box[:2] + box[2:]) / 2, np.minimum(chip_px * coarseness, limits) / 2
    low = np.floor(np.minimum(box[:2], middle - least) / cell) * cell
    high = np.ceil(np.maximum(box[2:], middle + least) / cell) * cell
    # a window that reaches beyond the raster's end is shifted inside, by whole parts
    low = np.maximum(0, low - np.ceil(np.maximum(0, high - limits) / part) * part)
    high = np.minimum(high, low + np.maximum(part, (limits - low) // part * part))
    high = np.minimum(high, limits)
    col, row = (round(float(value)) for value in low)
    width, height = (round(float(value)) for value in high - low)
    return Window(col, row, width, height)
