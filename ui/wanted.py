"""What each page looks for, read from its widgets on the window's thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qgis.core import QgsCoordinateReferenceSystem, QgsRasterLayer
from qgis.PyQt.QtCore import QCoreApplication

from ..algorithms.map_server_parameters import source_of
from ..core.errors import EmptyPromptError, ModelNotInstalledError, SettingsError
from ..core.models.model import RuntimeSettings
from ..core.models.store import ModelStore
from ..core.scan import OverlapRule
from ..core.search import Machine, WantedEverything, WantedOnMap, WantedSimilar, WantedWords
from ..core.words import parse_phrases
from .everything_controls import EverythingControls
from .examples import Examples
from .loaded_models import LoadedModels
from .sought import Search
from .words_controls import WordsControls

_MOST_NAME = 60


@dataclass(frozen=True)
class Means:
    """What searches are made with."""

    loaded: LoadedModels
    """Used in the search's thread only."""
    runtime: Callable[[str], RuntimeSettings]
    """Returns where and how a model runs; called on the window's thread."""
    store: ModelStore
    """Knows all models; for the window's thread."""

    def machine(self, *names: str) -> Machine:
        """Return where these models come from and run.

        Raises
        ------
        ModelNotInstalledError
            If one has to be fetched first, or there is none of its kind.
        """
        for name in names:
            if not name:
                raise ModelNotInstalledError(tr("There is no such model."), hint=tr("Set up a server."))
            spec = self.store.get(name)
            if self.store.missing(spec):
                raise ModelNotInstalledError(
                    tr("The model '{}' is not on this machine.").format(spec.title), hint=tr("Download it first.")
                )
        runtimes = [self.runtime(name) for name in names]
        return Machine(self.loaded, next((each for each in runtimes if each.servers is not None), runtimes[0]))

    def is_remote(self, *names: str) -> bool:
        """Return True if a server runs one of these models."""
        return any(self.store.get(name).server for name in names)


def words(means: Means, controls: WordsControls, click_model: str, layer: QgsRasterLayer | None) -> Search:
    """Return a search by words in an image: that of a layer, or None for what the canvas shows.

    Raises
    ------
    EmptyPromptError
        If there are none.
    ModelNotInstalledError
        If no model that takes words is on this machine.
    SettingsError
        If a server that fetches the map itself does not know this one.
    """
    phrases = parse_phrases(controls.words())
    model = controls.model.name()
    sought: WantedWords | WantedOnMap
    if model and means.store.get(model).fetches_map:
        if layer is None:
            raise SettingsError(
                tr("This server fetches a map itself, so it can't look at what the canvas shows."),
                hint=tr("Choose a layer of web tiles as the image."),
            )
        sought = WantedOnMap(phrases, source_of(layer, ""), model)
    else:
        sought = WantedWords(phrases, model, click_model if controls.outlines() else "")
    name = _short("; ".join(phrases))
    return Search(
        wanted=sought,
        machine=means.machine(*sought.models),
        name=name,
        title=tr("Find {}").format(name),
        suggestion=tr("Try another word, a closer look (zoom in, native resolution), or another model."),
        labels=phrases,
        is_remote=means.is_remote(*sought.models),
    )


def everything(means: Means, controls: EverythingControls, click_model: str) -> Search:
    """Return a search for all objects; raises :class:`ModelNotInstalledError`."""
    return Search(
        wanted=WantedEverything(click_model, controls.settings()),
        machine=means.machine(click_model),
        name=tr("Everything"),
        title=tr("Find everything"),
        suggestion=tr("Zoom in, or allow smaller areas."),
        each_its_own=True,
        overlaps=OverlapRule.COVERAGE if controls.is_coverage() else None,
        is_remote=means.is_remote(click_model),
    )


def similar(means: Means, examples: Examples, crs: QgsCoordinateReferenceSystem, click_model: str) -> Search:
    """Return a search for what is like examples, in an image of a CRS.

    Raises
    ------
    EmptyPromptError
        If there is no example.
    CrsError
        If an example has no place in the image's CRS.
    ModelNotInstalledError
        If the model has to be fetched first.
    """
    like, unlike = examples.prompts(crs, wanted=True), examples.prompts(crs, wanted=False)
    if not like:
        raise EmptyPromptError(tr("There is no example."), hint=tr("Add an object of the map or selected polygons."))
    return Search(
        wanted=WantedSimilar(click_model, tuple(like), tuple(unlike)),
        machine=means.machine(click_model),
        name=_like(examples, len(like)),
        title=tr("Find similar objects"),
        suggestion=tr("Add another example, or look at a larger part of the image."),
        measure="similarity",
        is_remote=means.is_remote(click_model),
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
