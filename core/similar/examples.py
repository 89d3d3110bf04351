"""The examples: outlined where they are clicks or boxes, and looked at in the working resolution that suits them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import EmptyPromptError, PromptError
from ..progress import Progress, SubProgress
from ..prompts.prompt import PromptSet
from ..prompts.shape import ShapePrompt
from ..raster.grid import PixelGrid, Window
from ..session import SegmentationSession
from ..window import View
from .cells import Tile, TileEncoder, TilePlace, WorkingGrid, cell_means
from .likeness import Likeness, Sample, Shape, fit

_FINEST = 0.5
"""Least native pixels for a working pixel: small objects are enlarged up to twice."""
_LEAST_SHARE = 0.6
"""How much of a cell an example has to cover for the cell to be its own; the best one is, however little that is."""
_MOST_SCENE = 20_000


@dataclass(frozen=True)
class Example:
    """An example or counter-example with an outline."""

    shape: ShapePrompt
    """In the source's CRS."""
    box: NDArray[np.float64]
    """(left, top, right, bottom) in native pixels."""
    wanted: bool
    """False for a counter-example."""

    @property
    def side(self) -> float:
        """Longer side of its box, in native pixels."""
        return max(1.0, float((self.box[2:] - self.box[:2]).max()))


@dataclass(frozen=True)
class Level:
    """A working resolution, and what examples of about its size look like there."""

    native_per_pixel: float
    """Native pixels for each working pixel."""
    likeness: Likeness


def outline_examples(
    session: SegmentationSession,
    examples: Sequence[PromptSet],
    counter_examples: Sequence[PromptSet],
    progress: Progress,
) -> list[Example]:
    """Return examples and counter-examples with their outlines.

    Raises
    ------
    EmptyPromptError
        If there is no example.
    PromptError
        If nothing is found at a click or box.
    OutsideExtentError, UnsupportedPromptError, CrsError
        As :meth:`SegmentationSession.segment`.
    """
    if not examples:
        raise EmptyPromptError("There is no example.", hint="Give a polygon, a box or a click on one of the objects.")
    given = [(prompts, True) for prompts in examples] + [(prompts, False) for prompts in counter_examples]
    here = session.at_home([prompts for prompts, _ in given])
    found = []
    for index, (moved, (original, wanted)) in enumerate(zip(here, given)):
        part = SubProgress(progress, index / len(given), (index + 1) / len(given))
        part.report(0.0, f"Outlining example {index + 1} of {len(given)}")
        geometry = _geometry(session, moved, original, part)
        shape = ShapePrompt.of(geometry)
        found.append(Example(shape, session.source.grid.box_to_pixel(shape.envelope()), wanted))
    return found


def _geometry(session: SegmentationSession, prompts: PromptSet, original: PromptSet, progress: Progress) -> Any:
    """Return the outline of one example in the source's CRS."""
    only = prompts.prompts[0] if len(prompts.prompts) == 1 else None
    if isinstance(only, ShapePrompt):
        return only.geometry
    look = session.looker(progress).find(replace(prompts, given=original), progress)
    outline = session.outline(look, prompts)
    if outline is None:
        raise PromptError(
            f"Nothing is found at the example {original.describe()[:80]}.",
            hint="Draw it as a polygon, or click elsewhere on it.",
        )
    return outline.geometry


def levels(
    session: SegmentationSession, examples: Sequence[Example], encoder: TileEncoder, progress: Progress
) -> list[Level]:
    """Return the working resolutions that objects as large as the examples are looked for at, finest first.

    Neighbouring ones differ by a factor of two; each knows the examples that are about as large as it wants them, and
    all counter-examples.
    """
    wanted = [example for example in examples if example.wanted]
    middle = float(np.exp(np.mean([math.log(example.side) for example in wanted])))
    base = max(_FINEST, middle / encoder.plan.object_px)
    steps = [max(0 if base == _FINEST else -9, round(math.log2(example.side / middle))) for example in wanted]
    found = []
    numbers = sorted(set(steps))
    for index, step in enumerate(numbers):
        part = SubProgress(progress, index / len(numbers), (index + 1) / len(numbers))
        part.report(0.0, "Learning what the examples look like")
        native = max(_FINEST, base * 2.0**step)
        of_it = [example for example, own in zip(wanted, steps) if own == step]
        against = [example for example in examples if not example.wanted]
        samples = [sample(session, example, native, encoder, part) for example in (*of_it, *against)]
        found.append(Level(native, fit(samples)))
    return found


def sample(
    session: SegmentationSession, example: Example, native: float, encoder: TileEncoder, progress: Progress
) -> Sample:
    """Return an example as it is seen with ``native`` pixels of the raster for a working pixel."""
    tile, mask = _looked_at(session, example, native, encoder, progress)
    step, count = tile.step_px, tile.cells.shape[1:]
    cover = cell_means(cell_means(mask[None].astype(np.float32), step[1], count[0], 1), step[0], count[1], 2)[0]
    own = cover >= min(_LEAST_SHARE, float(cover.max()))
    flat = tile.cells.reshape(len(tile.cells), -1)
    height, width = tile.box[3] - tile.box[1], tile.box[2] - tile.box[0]
    image = tile.image[:height, :width]
    scene = image.reshape(-1, 3)
    return Sample(
        inside=flat[:, own.ravel()].T,
        outside=flat[:, (cover == 0).ravel()].T,
        pixels=image[mask[:height, :width]],
        scene=scene[:: max(1, len(scene) // _MOST_SCENE)],
        shape=Shape.of(mask, native),
        wanted=example.wanted,
    )


def _looked_at(
    session: SegmentationSession, example: Example, native: float, encoder: TileEncoder, progress: Progress
) -> tuple[Tile, NDArray[np.bool_]]:
    """Return the tile around an example, and the example (H, W) on it."""
    raster, side = session.source.grid, encoder.plan.side
    middle = (example.box[:2] + example.box[2:]) / 2.0 / native
    limits = math.ceil(raster.width / native - 1e-6), math.ceil(raster.height / native - 1e-6)
    left, top = (
        int(max(0, min(round((at - side / 2.0) / 32.0) * 32, limit - side))) for at, limit in zip(middle, limits)
    )
    shown = (left, top, min(left + side, limits[0]), min(top + side, limits[1]))
    picture = session.looker(progress).pictures.picture(_view(raster, shown, native), progress)
    grid = WorkingGrid.of(picture, native)
    tile = encoder.encoded(picture, grid, TilePlace(shown, shown), progress)
    corners = np.array([[shown[0], shown[1]], [shown[2], shown[3]]], np.float64) * native
    a, b, c, d, e, f = raster.transform
    x, y = a * corners[0, 0] + b * corners[0, 1] + c, d * corners[0, 0] + e * corners[0, 1] + f
    working = PixelGrid(
        (a * native, b * native, x, d * native, e * native, y), raster.crs, tile.image.shape[1], tile.image.shape[0]
    )
    mask = example.shape.mask(working)
    if not mask.any():
        col, row = np.clip((middle - (left, top)).astype(int), 0, np.array(mask.shape[::-1]) - 1)
        mask[row, col] = True
    return tile, mask


def _view(raster: PixelGrid, shown: tuple[int, int, int, int], native: float) -> View:
    """Return the view that holds working pixels, as coarse as they are or finer by less than a factor of two."""
    coarse = max(1, math.floor(native + 1e-6))
    left, top = (math.floor(at * native / coarse) * coarse for at in shown[:2])
    right, bottom = (
        min(limit, math.ceil(at * native / coarse) * coarse)
        for at, limit in zip(shown[2:], (raster.width, raster.height))
    )
    window = Window(left, top, right - left, bottom - top)
    return View(window, (max(1, round(window.width / coarse)), max(1, round(window.height / coarse))))
