"""Answers while somebody points: the view is encoded ahead, and each prompt corrects the answer to those before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from .look import Looker
from .models.model import DecodesParts
from .outlines.results import Provenance, SegmentedPolygon
from .outlines.shape import OutlineSettings
from .progress import NullProgress, Progress, SubProgress, check
from .prompts.prompt import PromptSet
from .prompts.shape import ShapePrompt
from .screen import Ahead, ScreenView, ahead
from .session import SegmentationSession
from .trace import Trace
from .view_look import Look
from .window import grow, place

_GROWTH = 6
"""Doublings of the view around a shape that its corrections don't fit into."""


@dataclass(frozen=True)
class Answer:
    """What is found for the prompts of one object."""

    prompts: PromptSet
    """In the source's CRS, in the order they were given; ``prompts.given`` as they were given."""
    look: Look
    """Where it was found, and how."""
    outline: SegmentedPolygon | None
    """In the source's CRS; None if nothing was found."""
    candidates: tuple[Look, ...]
    """What else it could be: the answer itself at ``chosen``, and others, the best first."""
    chosen: int = 0
    """Which of the candidates this is."""
    warnings: tuple[str, ...] = ()
    """Sentences that the user should read."""


class InteractiveSession:
    """Answers prompts as they come, for one source and one model. Use it from one thread at a time.

    The first prompts are answered from views that were encoded ahead where that is possible; each further one in the
    view of the answer before it, from its logits. An answer says in its outline's ``window`` how it was come by, so
    :meth:`Looker.again` gives the same from prompts and window alone.

    Parameters
    ----------
    session : SegmentationSession
        Source, model and settings. Its extent and resolution are not used: what is seen decides.
    """

    def __init__(self, session: SegmentationSession) -> None:
        self._session = session
        self._policy = session.model.spec.look
        self._grid = session.source.grid
        self._decodes_parts = isinstance(session.model, DecodesParts)

    @property
    def encodes(self) -> int:
        """How many images the model has encoded so far."""
        return self._session.looker().pictures.encodes

    def provenance(self) -> Provenance:
        """Return what the outlines of all answers share."""
        return self._session.provenance()

    def encode_ahead(self, screen: ScreenView, progress: Progress, *, near: tuple[float, float] | None = None) -> int:
        """Encode what a click into this view will need; return how many images that were.

        Parameters
        ----------
        screen : ScreenView
            What the user sees.
        progress : Progress
            Asked for cancellation; what was encoded until then is kept.
        near : tuple of float, optional
            Where the pointer is, in the source's CRS: where the raster is all one chip, that is read around it.

        Raises
        ------
        RasterReadError, ModelRunError
            If pixels can't be read or the graph fails.
        Cancelled
            If the user asked to stop.
        """
        looker = self._session.looker(progress)
        before = looker.pictures.encodes
        views = self._ahead(screen)
        for number, view in enumerate(views):
            check(progress)
            part = SubProgress(progress, number / len(views), (number + 1) / len(views))
            part.report(0.0, "Encoding the view")
            looker.pictures.encode(view.view, part, whole=view.whole)
        return looker.pictures.encodes - before

    def is_ready(self, screen: ScreenView) -> bool:
        """Return True if a click into this view needs only decoding here; never where a server answers each click."""
        if self._session.model.spec.server:
            return False
        pictures = self._session.looker().pictures
        return all(pictures.is_encoded(view.view, whole=view.whole) for view in self._ahead(screen))

    def answer(
        self, prompts: PromptSet, screen: ScreenView, progress: Progress, *, previous: Answer | None = None
    ) -> Answer:
        """Return what is found for the prompts of one object.

        Parameters
        ----------
        prompts : PromptSet
            In any CRS, in the order they were given.
        screen : ScreenView
            What the user sees: how large things may be that are pointed at.
        progress : Progress
            Asked for cancellation.
        previous : Answer, optional
            To the same prompts without the last ones: the answer goes on from there.

        Raises
        ------
        EmptyPromptError, OutsideExtentError, UnsupportedPromptError, RasterReadError, ModelRunError
            As :meth:`SegmentationSession.segment`.
        Cancelled
            If the user asked to stop.
        """
        (here,) = self._session.at_home([prompts])
        here = replace(here, given=prompts.given or prompts)
        looker = self._session.looker(progress)
        if isinstance(here.prompts[0], ShapePrompt):
            return self._answer(here, [self._corrected(looker, here, progress)])
        known = _known(previous, here)
        if previous is None or known == 0:
            known = _first_located(here)
            looks = self._first(looker, here.first(known), screen, progress)
        else:
            looks = [previous.look]
        for number in range(known + 1, len(here.prompts) + 1):
            looks = self._next(looker, looks[0], here.first(number), screen, progress)
        return self._answer(here, looks)

    def candidate(self, answer: Answer, index: int) -> Answer:
        """Return the answer that takes another of its candidates; the index wraps around."""
        chosen = index % len(answer.candidates)
        return self._answer(answer.prompts, list(answer.candidates), chosen)

    def reshaped(self, answer: Answer, outline: OutlineSettings, progress: Progress | None = None) -> Answer:
        """Return the same answer with its outline made in another way, which holds for those that follow too."""
        parts_change = outline.parts != self._session.settings.outline.parts
        self._session.use_outline(outline)
        looks = list(answer.candidates)
        if parts_change:
            looker, progress = self._session.looker(), progress or NullProgress()
            looks = [looker.again(look.trace, answer.prompts, progress) for look in looks]
        return self._answer(answer.prompts, looks, answer.chosen)

    def use_outline(self, outline: OutlineSettings) -> None:
        """Make the outlines of the answers that follow in another way."""
        self._session.use_outline(outline)

    def _ahead(self, screen: ScreenView) -> list[Ahead]:
        return ahead(self._grid, screen, self._policy, parts=self._decodes_parts)

    def _first(self, looker: Looker, prompts: PromptSet, screen: ScreenView, progress: Progress) -> list[Look]:
        """Return the looks of prompts that nothing is known of yet, the best first."""
        looks: list[Look] = []
        box = self._grid.box_to_pixel(prompts.envelope())
        if not (prompts.has_extent and self._decodes_parts):
            for view in self._ahead(screen):
                where = view.around(box, self._policy.chip_px)
                if where is not None and not (view.reserve and any(map(_fits, looks))):
                    within = view.view if view.whole else None
                    looks += looker.candidates(where, prompts, progress, within=within)
        if not looks:
            # a box says how large its object is
            looks.append(looker.find(prompts, progress))
        elif not any(map(_fits, looks)):
            # what is larger than the window needs a wider look than those at hand
            looks.append(looker.widened(looks[-1], prompts, progress))
        return sorted(looks, key=Look.demerits)

    def _next(
        self, looker: Looker, last: Look, prompts: PromptSet, screen: ScreenView, progress: Progress
    ) -> list[Look]:
        """Return the looks after one more prompt: in the view of the last look if that obeys it, else afresh too."""
        looks: list[Look] = []
        if _in_view(prompts, last):
            looks = [looker.then(last, prompts, progress, before=len(prompts.prompts) - 1)]
        if not looks or looks[0].unsatisfied or looks[0].cut:
            looks += self._first(looker, prompts, screen, progress)
        return sorted(looks, key=Look.demerits)

    def _corrected(self, looker: Looker, prompts: PromptSet, progress: Progress) -> Look:
        """Return a shape after its corrections, in a view that holds them all."""
        view = place(self._grid, self._grid.box_to_pixel(prompts.envelope()), self._policy.chip_px)
        look = looker.again(Trace(view, at_once=1), prompts, progress)
        for _ in range(_GROWTH):
            wider = grow(self._grid, look.view)
            if not look.cut or wider == look.view:
                break
            look = looker.again(Trace(wider, at_once=1), prompts, progress)
        return look

    def _answer(self, prompts: PromptSet, looks: list[Look], chosen: int = 0) -> Answer:
        look, given = looks[chosen], prompts.given or prompts
        outline = self._session.outline(look, prompts, described=given.describe())
        warnings = (*self._session.doubts(look), *self._losses(prompts)) if outline is not None else ()
        return Answer(prompts, look, outline, tuple(looks), chosen, warnings)

    def _losses(self, prompts: PromptSet) -> Iterator[str]:
        """Yield what a correction takes from a shape without being asked to."""
        shape = prompts.prompts[0]
        if isinstance(shape, ShapePrompt) and len(prompts.prompts) > 1:
            corners = self._grid.to_pixel(np.array(shape.geometry.convex_hull.exterior.coords))
            if (corners < -1.0).any() or (corners > (self._grid.width + 1.0, self._grid.height + 1.0)).any():
                yield "The polygon goes on beyond the image: what lies there is cut off."


def _known(previous: Answer | None, prompts: PromptSet) -> int:
    """Return how many of the prompts the previous answer already knows: all of its own, or none."""
    if previous is None or previous.look.low_res_logits is None:
        return 0
    count = len(previous.prompts.prompts)
    same = prompts.crs == previous.prompts.crs and prompts.prompts[:count] == previous.prompts.prompts
    return count if same else 0


def _fits(look: Look) -> bool:
    """Return True if something was found, and all of it."""
    return not look.cut and bool(look.mask.any())


def _first_located(prompts: PromptSet) -> int:
    """Return how many prompts there are up to the first that says where the object is."""
    return next(number for number, prompt in enumerate(prompts.prompts, 1) if prompt.locates)


def _in_view(prompts: PromptSet, look: Look) -> bool:
    """Return True if all that locates the object lies in the look's view."""
    if look.low_res_logits is None:
        return False
    left, bottom, right, top = prompts.envelope()
    corners = look.grid.to_pixel(np.array([(left, bottom), (left, top), (right, bottom), (right, top)]))
    return bool(look.grid.contains(corners).all())
