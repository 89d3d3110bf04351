"""Finds more of what examples show: likeness proposes, the click model outlines, the object as a whole is weighed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..image_finder import ImageFinder, WindowPolicy
from ..models.finding import ExampleModel, FoundMask
from ..models.model import LoadedModel
from ..picture import Picture
from ..progress import Progress, SubProgress, check
from ..prompts.prompt import PromptSet
from ..session import SegmentationSession
from .calibration import similarity
from .cells import Tile, TileEncoder, WorkingGrid
from .distinct import distinct
from .evidence import weigh
from .examples import Example, Level, levels, outline_examples
from .exemplars import ExemplarFinder, example_boxes
from .outlining import Outlined, Peak, outlined, peaks
from .placing import placed
from .settings import SimilarSettings

_SURE = 0.5
"""An outline as similar as this speaks for the ground under it: other places in it are not asked about."""
_LEAST_WINDOW, _LARGEST_WINDOW, _LEAST_OVERLAP = 1024, 4096, 64
_LOOK_SHARE = 0.5
"""Part of the progress of :func:`similar_finder` that outlining the examples is."""


def similar_finder(
    session: SegmentationSession,
    examples: Sequence[PromptSet],
    counter_examples: Sequence[PromptSet],
    settings: SimilarSettings | None,
    progress: Progress,
) -> ImageFinder:
    """Return what finds the objects like the examples in any picture of the session's raster.

    Parameters
    ----------
    session : SegmentationSession
        Its raster, its stretch and its model: a click model that gives features, or one that takes examples itself.
        An extent in its settings has to hold the examples.
    examples, counter_examples : sequence of PromptSet
        One for each object, in any CRS: shapes are taken as they are, clicks and boxes are outlined first. There is at
        least one example.
    settings : SimilarSettings or None
        How to look; None for what was found to be good.
    progress : Progress
        Told about the examples; asked for cancellation.

    Returns
    -------
    ImageFinder
        Gives everything down to a low similarity, the examples themselves among them: callers keep what is as similar
        as they want, so that another threshold needs no new run.

    Raises
    ------
    EmptyPromptError
        If there is no example.
    PromptError
        If nothing is found at an example's click or box.
    UnsupportedPromptError
        If the model neither gives features nor takes examples.
    OutsideExtentError, CrsError, RasterReadError, ModelRunError, ServerUnavailableError
        As :meth:`SegmentationSession.segment`.
    Cancelled
        If the user asked to stop.
    """
    settings = settings or SimilarSettings()
    described = _described(examples, counter_examples)
    model: object = session.model
    if isinstance(model, ExampleModel):
        boxes = example_boxes(session, examples, counter_examples, progress)
        return ExemplarFinder(session, model, boxes, described)
    encoder = TileEncoder(session.model)
    first, second = SubProgress(progress, 0.0, _LOOK_SHARE), SubProgress(progress, _LOOK_SHARE, 1.0)
    shown = outline_examples(session, examples, counter_examples, first)
    found = SimilarFinder(encoder, levels(session, shown, encoder, second), settings, described)
    found.windows = _windows(shown)
    progress.report(1.0)
    return found


class SimilarFinder:
    """Finds objects like examples with a click model and the features of its encoder.

    Parameters
    ----------
    encoder : TileEncoder
        The click model, and how it is shown the raster.
    levels : sequence of Level
        What the examples look like, at each working resolution.
    settings : SimilarSettings
        How to look.
    described : str
        The examples as text.
    """

    def __init__(
        self, encoder: TileEncoder, levels: Sequence[Level], settings: SimilarSettings, described: str
    ) -> None:
        self._encoder, self._levels, self._settings = encoder, tuple(levels), settings
        self._described = described
        self.windows = WindowPolicy(_LEAST_WINDOW, _LEAST_OVERLAP)
        """Windows that hold objects as large as the largest example."""

    @property
    def models(self) -> tuple[LoadedModel, ...]:
        """The click model."""
        return (self._encoder.model,)

    def describe(self) -> str:
        """Return the examples as text."""
        return self._described

    def find(self, picture: Picture, progress: Progress) -> list[FoundMask]:
        """Return the objects of a picture that are like the examples, down to the settings' floor.

        Everything happens in tiles of a lattice of the whole raster, each encoded by itself: what lies in a tile that
        is whole in two pictures is found alike in both.
        """
        found = distinct(self.candidates(picture, progress), self._settings.duplicate_iou)
        progress.report(1.0)
        return found

    def candidates(self, picture: Picture, progress: Progress) -> list[FoundMask]:
        """Return every outline that :meth:`find` chooses from, those that repeat each other among them."""
        grids = [WorkingGrid.of(picture, level.native_per_pixel) for level in self._levels]
        total = sum(self._encoder.count(grid) for grid in grids)
        done, found = 0, []
        for level, grid in zip(self._levels, grids):
            for tile in self._encoder.tiles(picture, grid, progress):
                part = SubProgress(progress, done / total, (done + 1) / total)
                part.report(0.0, "Looking for similar objects")
                found += self._in_tile(tile, picture, grid, level, part)
                done += 1
        return found

    def _in_tile(
        self, tile: Tile, picture: Picture, grid: WorkingGrid, level: Level, progress: Progress
    ) -> list[FoundMask]:
        places = peaks(tile, level.likeness.of_cells(tile.cells), self._encoder.plan.object_px, self._settings.reach)
        taken = np.zeros(tile.image.shape[:2], np.bool_)
        found = []
        for index, place in enumerate(places):
            check(progress)
            progress.report(index / len(places))
            col, row = int(place.at[0] - tile.box[0]), int(place.at[1] - tile.box[1])
            if taken[row, col] or not _on_data(picture, grid, place):
                continue
            best = self._best(tile, place, level, progress)
            if best is None or best.similarity < self._settings.floor:
                continue
            if best.similarity >= _SURE:
                _take(taken, tile, best.outline)
            mask = placed(best.outline.logits, best.outline.corner, grid, picture.valid)
            if mask is not None:
                x, y = grid.to_picture(np.array([place.at]))[0]
                found.append(
                    replace(
                        mask,
                        score=best.outline.score,
                        stability=best.outline.stability,
                        similarity=best.similarity,
                        prompt=f"+{x:.6g},{y:.6g}",
                    )
                )
        return found

    def _best(self, tile: Tile, place: Peak, level: Level, progress: Progress) -> _Weighed | None:
        """Return the most similar of what the click model may mean at a place."""
        weighed = []
        for outline in outlined(tile, place, self._encoder, progress):
            seen = replace(outline.seen, factor=level.native_per_pixel)
            facts = weigh(seen, level.likeness, outline.score, outline.stability, cut=outline.cut)
            weighed.append(_Weighed(outline, similarity(facts)))
        return max(weighed, key=lambda one: one.similarity, default=None)


@dataclass(frozen=True)
class _Weighed:
    outline: Outlined
    similarity: float


def _take(taken: NDArray[np.bool_], tile: Tile, outline: Outlined) -> None:
    """Mark the ground under an outline."""
    left, top = outline.corner[0] - tile.box[0], outline.corner[1] - tile.box[1]
    height, width = outline.logits.shape
    taken[top : top + height, left : left + width] |= outline.logits > 0


def _on_data(picture: Picture, grid: WorkingGrid, place: Peak) -> bool:
    """Return True if a place lies on a usable pixel of the picture."""
    x, y = grid.to_picture(np.array([place.at]))[0]
    height, width = picture.valid.shape
    return bool(picture.valid[min(max(int(y), 0), height - 1), min(max(int(x), 0), width - 1)])


def _windows(shown: Sequence[Example]) -> WindowPolicy:
    """Return windows in which objects half as large again as the largest example lie whole at least once."""
    largest = max(example.side for example in shown if example.wanted)
    overlap = min(_LARGEST_WINDOW // 2, max(_LEAST_OVERLAP, math.ceil(1.5 * largest / 32.0) * 32))
    return WindowPolicy(min(_LARGEST_WINDOW, max(_LEAST_WINDOW, 4 * overlap)), overlap)


def _described(examples: Sequence[PromptSet], counter_examples: Sequence[PromptSet]) -> str:
    """Return e.g. 'like +12.5,7.5 EPSG:4326; unlike +20,30 EPSG:4326'."""
    texts = [f"like {(prompts.given or prompts).describe()}" for prompts in examples]
    texts += [f"unlike {(prompts.given or prompts).describe()}" for prompts in counter_examples]
    return "; ".join(texts)
