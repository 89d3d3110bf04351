"""The finder of objects by words: what a word model gives, as outlines with scores."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..errors import EmptyPromptError, UnsupportedPromptError
from ..image_finder import ImageFinder, WindowPolicy
from ..models.finding import ClosedVocabulary, Finding, FoundBox, FoundMask, HeatMap, WordModel
from ..models.model import LoadedModel, SegmentationModel
from ..models.overlap import best_boxes, best_masks, clip
from ..models.text_graphs import trimmed
from ..picture import Picture
from ..progress import Progress, SubProgress, check
from ..raster.grid import Window
from .heat import FLOOR, Hill, hills
from .outliner import BoxOutliner, Placed, Wanted
from .phrases import by_meaning, without_repeats

__all__ = ["FLOOR", "WordsFinder", "words_finder"]
_FINDING = 0.5
"""Share of the work that is the word model's, where another one outlines what it finds."""
_BEYOND = 0.1
"""How far an outline may reach beyond its box, as a share of the box's longer side."""
_LEAST_BOX = 0.2
"""An outline that covers less of its box than this is not what the detector saw."""
_AGREEMENT = 0.5
"""An outline is a finer version of a hill of heat if their IoU is at least this ..."""
_INSIDE, _LEAST_HILL = 0.75, 0.25
"""... or if this much of it lies on the hill, and it covers this much of the hill, which is often too wide."""


def words_finder(model: WordModel, phrases: Sequence[str], outliner: SegmentationModel | None = None) -> ImageFinder:
    """Return what finds the objects of phrases in pictures.

    Parameters
    ----------
    model : WordModel
        Finds masks, boxes, or how much each place is of a phrase.
    phrases : sequence of str
        What to look for; each object has its phrase as label. Phrases that mean the same to the model are asked for
        once, as the first of them; a warning of the finder says so.
    outliner : SegmentationModel, optional
        Outlines boxes and refines heat. Without one a box is its own outline, and heat that of its half height. It is
        not asked where the model gives masks.

    Raises
    ------
    EmptyPromptError
        If there is no phrase.
    UnsupportedPromptError
        If the model can't take a phrase, or the outliner takes no boxes.
    """
    if not phrases:
        raise EmptyPromptError("There is no word to look for.", hint="Write one or several.")
    model.require_known(phrases)
    if outliner is not None and "box" not in outliner.spec.accepts:
        raise UnsupportedPromptError(
            f"The model '{outliner.spec.name}' takes no boxes, so it can't outline what is found.",
            hint="Choose another model for the outlines.",
        )
    phrases = without_repeats(phrases)
    if not isinstance(model, ClosedVocabulary):
        return WordsFinder(model, phrases, outliner)
    alike = by_meaning(phrases, model.meaning)
    warnings = [_said_once(names, model.spec.name) for names in alike if len(names) > 1]
    return WordsFinder(model, tuple(names[0] for names in alike), outliner, warnings)


class WordsFinder:
    """Finds the objects of some phrases; made by :func:`words_finder`."""

    def __init__(
        self,
        model: WordModel,
        phrases: tuple[str, ...],
        outliner: SegmentationModel | None,
        warnings: Sequence[str] = (),
    ) -> None:
        self._model, self._phrases, self._outliner = model, phrases, outliner
        self._warnings = tuple(warnings)

    @property
    def models(self) -> tuple[LoadedModel, ...]:
        """The word model, and the one that outlines."""
        return (self._model,) if self._outliner is None else (self._model, self._outliner)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Which phrases are the same to the model, one sentence for each such group."""
        return self._warnings

    @property
    def windows(self) -> WindowPolicy:
        """Windows of the word model's own size, of which neighbours share a quarter."""
        side = self._model.spec.input_size_px
        return WindowPolicy(side, side // 4)

    def describe(self) -> str:
        """Return the phrases, e.g. 'words "tree" "road"'."""
        return " ".join(["words", *(json.dumps(phrase, ensure_ascii=False) for phrase in self._phrases)])

    def find(self, picture: Picture, progress: Progress) -> list[FoundMask]:
        """Return the objects of a picture with at least :data:`FLOOR`, the best of each phrase first."""
        check(progress)
        if not picture.valid.any():
            return []
        share = 1.0 if self._outliner is None else _FINDING
        findings = self._model.find(picture.image, self._phrases, SubProgress(progress, 0.0, share))
        found = list(self._outlined(findings, picture, SubProgress(progress, share, 1.0)))
        return best_masks(found)

    def _outlined(self, findings: Sequence[Finding], picture: Picture, progress: Progress) -> Iterator[FoundMask]:
        """Yield every finding as a mask on usable pixels."""
        size = (picture.image.shape[0], picture.image.shape[1])
        masks = [finding for finding in findings if isinstance(finding, FoundMask)]
        boxes = [finding for finding in findings if isinstance(finding, FoundBox) and finding.score >= FLOOR]
        tops = [hill for finding in findings if isinstance(finding, HeatMap) for hill in hills(finding, size)]
        for mask in masks:
            if not mask.score < FLOOR:
                yield from _usable(mask, mask.window, mask.mask, picture.valid)
        asked: list[tuple[FoundBox | Hill, Wanted]] = [
            *((box, Wanted(box.box)) for box in best_boxes(boxes)),
            *((hill, Wanted(_box_of(hill.found.window), hill.peak)) for hill in tops),
        ]
        for found, placed in self._asked(asked, picture, progress):
            if isinstance(found, FoundBox):
                blank = FoundMask(Window(0, 0, 1, 1), np.ones((1, 1), np.bool_), found.score, found.label)
                yield from _usable(blank, *_in_box(found, placed, size), picture.valid)
            else:
                own = (found.found.window, found.found.mask)
                yield from _usable(found.found, *_on_hill(own, placed), picture.valid)

    def _asked(
        self, asked: list[tuple[FoundBox | Hill, Wanted]], picture: Picture, progress: Progress
    ) -> Iterator[tuple[FoundBox | Hill, Placed | None]]:
        """Yield each finding with what the click model outlines there, if there is one and it finds something."""
        if self._outliner is None:
            yield from ((found, None) for found, _ in asked)
            return
        outliner = BoxOutliner(self._outliner, picture.image)
        chips = [outliner.chip_of(wanted.box) for _, wanted in asked]
        # Those that share a chip come together, so that it is encoded once.
        order = sorted(range(len(asked)), key=lambda index: (chips[index].row, chips[index].col, chips[index].width))
        for count, index in enumerate(order):
            check(progress)
            progress.report(count / len(asked), "Outlining")
            found, wanted = asked[index]
            yield found, outliner.outline(wanted, progress)


def _said_once(names: Sequence[str], model: str) -> str:
    """Return that names are one thing to a model, e.g. "'a' and 'b' mean the same to ...". The first is the label."""
    quoted = [f"'{name}'" for name in names]
    said = f"{', '.join(quoted[:-1])} and {quoted[-1]}"
    return f"{said} mean the same to the model '{model}': what is found has the label {quoted[0]}."


def _in_box(found: FoundBox, placed: Placed | None, image_size: tuple[int, int]) -> Placed:
    """Return the outline as far as it is near its box; the box's pixels if that is too little of it."""
    left, top, right, bottom = found.box
    own = _pixels_of((left, top, right, bottom), image_size)
    if placed is not None:
        beyond = _BEYOND * max(right - left, bottom - top)
        near = _pixels_of((left - beyond, top - beyond, right + beyond, bottom + beyond), image_size)
        cut = trimmed(clip(*placed, near), near)
        if cut is not None and np.count_nonzero(cut[1]) >= _LEAST_BOX * own.width * own.height:
            return cut
    return own, np.ones((own.height, own.width), np.bool_)


def _on_hill(own: Placed, placed: Placed | None) -> Placed:
    """Return the outline if it agrees with the hill's own, else that."""
    if placed is None:
        return own
    common = int(np.count_nonzero(clip(*placed, own[0]) & own[1]))
    finer, wider = int(np.count_nonzero(placed[1])), int(np.count_nonzero(own[1]))
    same = common >= _AGREEMENT * (finer + wider - common)
    within = common >= _INSIDE * finer and common >= _LEAST_HILL * wider
    return placed if same or within else own


def _usable(found: FoundMask, window: Window, mask: NDArray[np.bool_], valid: NDArray[np.bool_]) -> Iterator[FoundMask]:
    """Yield the finding with this mask on usable pixels (H, W); nothing if there are none."""
    here = valid[window.row : window.row + window.height, window.col : window.col + window.width]
    kept = trimmed(mask & here, window)
    if kept is not None:
        yield replace(found, window=kept[0], mask=kept[1])


def _box_of(window: Window) -> tuple[float, float, float, float]:
    left, top = float(window.col), float(window.row)
    return left, top, left + window.width, top + window.height


def _pixels_of(box: tuple[float, float, float, float], image_size: tuple[int, int]) -> Window:
    """Return the pixels of an image (H, W) whose middles lie in a box, at least one along each axis."""
    spans = []
    for low, high, side in ((box[0], box[2], image_size[1]), (box[1], box[3], image_size[0])):
        first = min(max(round(low), 0), side - 1)
        spans.append((first, max(min(round(high), side), first + 1)))
    (left, right), (top, bottom) = spans
    return Window(left, top, right - left, bottom - top)
