"""What each page looks for, from its widgets: read on the window's thread, models loaded on the search's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qgis.PyQt.QtCore import QCoreApplication

from ..algorithms.bridge import to_qgis_crs
from ..core.errors import EmptyPromptError, ModelNotInstalledError
from ..core.everything import everything_finder
from ..core.image_finder import ImageFinder
from ..core.models.model import RuntimeSettings
from ..core.models.store import ModelStore
from ..core.outlines.shape import OutlineSettings
from ..core.overlaps import OverlapRule
from ..core.progress import Progress
from ..core.raster.source import RasterSource
from ..core.session import SegmentationSession, SessionSettings
from ..core.similar import similar_finder
from ..core.words import parse_phrases, words_finder
from .everything_controls import EverythingControls
from .examples import Examples
from .found_page import Wanted
from .loaded_models import LoadedModels
from .segment_panel import SegmentPanel
from .words_controls import WordsControls

Runtime = Callable[[str], RuntimeSettings]
_MOST_NAME = 60


@dataclass(frozen=True)
class Means:
    """What searches are made with."""

    panel: SegmentPanel
    """The click model, the outline settings."""
    models: LoadedModels
    """Used in the search's thread only."""
    runtime: Runtime
    """Returns where and how a model runs; called on the window's thread."""
    store: ModelStore
    """Knows all models; for the window's thread."""

    def require_here(self, name: str) -> None:
        """Raise :class:`ModelNotInstalledError` if a model has to be fetched first, or there is none."""
        if not name:
            raise ModelNotInstalledError(tr("There is no model that takes words."), hint=tr("Set up a server."))
        spec = self.store.get(name)
        if self.store.missing(spec):
            raise ModelNotInstalledError(
                tr("The model '{}' is not on this machine.").format(spec.title), hint=tr("Download it first.")
            )

    def is_remote(self, *names: str) -> bool:
        """Return True if a server runs one of these models."""
        return any(self.store.get(name).server for name in names if name)


def words(means: Means, controls: WordsControls) -> Wanted:
    """Return a search by words.

    Raises
    ------
    EmptyPromptError
        If there are none.
    ModelNotInstalledError
        If no model that takes words is on this machine.
    """
    phrases = parse_phrases(controls.words())
    model, models = controls.model.name(), means.models
    means.require_here(model)
    outliner = means.panel.model() if controls.outlines() else ""
    here, there = means.runtime(model), means.runtime(outliner)

    def make(_: RasterSource, progress: Progress) -> ImageFinder:
        taking = models.words(model, here, progress)
        # what is not understood is said before anything is read
        taking.require_known(phrases)
        return words_finder(taking, phrases, models.clicks(outliner, there, progress) if outliner else None)

    return Wanted(
        name=_short("; ".join(phrases)),
        title=tr("Find {}").format(_short("; ".join(phrases))),
        make_finder=make,
        suggestion=tr("Try another word, a closer look (zoom in, native resolution), or another model."),
        labels=phrases,
        is_remote=means.is_remote(model, outliner),
    )


def everything(means: Means, controls: EverythingControls) -> Wanted:
    """Return a search for all objects."""
    settings = controls.settings()
    model, models = means.panel.model(), means.models
    runtime = means.runtime(model)

    def make(_: RasterSource, progress: Progress) -> ImageFinder:
        return everything_finder(models.clicks(model, runtime, progress), settings)

    return Wanted(
        name=tr("Everything"),
        title=tr("Find everything"),
        make_finder=make,
        suggestion=tr("Zoom in, or allow smaller areas."),
        overlaps=OverlapRule.COVERAGE if controls.is_coverage() else None,
        is_remote=means.is_remote(model),
    )


def similar(means: Means, examples: Examples, outline: OutlineSettings, crs: str | None) -> Wanted:
    """Return a search for what is like examples, in an image of a CRS.

    Raises
    ------
    EmptyPromptError
        If there is no example.
    CrsError
        If an example has no place in the image's CRS.
    """
    target = to_qgis_crs(crs)
    like, unlike = examples.prompts(target, wanted=True), examples.prompts(target, wanted=False)
    if not like:
        raise EmptyPromptError(tr("There is no example."), hint=tr("Add an object of the map or selected polygons."))
    model, models = means.panel.model(), means.models
    runtime = means.runtime(model)

    def make(source: RasterSource, progress: Progress) -> ImageFinder:
        session = SegmentationSession(source, models.clicks(model, runtime, progress), SessionSettings(outline=outline))
        return similar_finder(session, like, unlike, None, progress)

    return Wanted(
        name=_like(examples, len(like)),
        title=tr("Find similar objects"),
        make_finder=make,
        suggestion=tr("Add another example, or look at a larger part of the image."),
        measure="similarity",
        is_remote=means.is_remote(model),
    )


def _like(examples: Examples, count: int) -> str:
    if count > 1:
        return tr("Like {} examples").format(count)
    return tr("Like {}").format(next(each.title for each in examples.items if each.wanted))


def _short(text: str) -> str:
    return text if len(text) <= _MOST_NAME else f"{text[: _MOST_NAME - 1]}…"


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("Wanted", text)
