"""Looking for many objects: what is wanted, with which models, on which source. One way for every front end."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, cast

from . import map_server
from .errors import MissingCrsError, SettingsError
from .everything import EverythingSettings, everything_finder
from .image_finder import ImageFinder
from .map_view import on_the_ground
from .models.model import ModelSpec, RuntimeSettings, SegmentationModel
from .models.store import ModelStore
from .outlines.results import SegmentationResult, SegmentedPolygon
from .progress import Progress, SubProgress
from .prompts.prompt import PromptSet
from .raster.rgb import resolve_recipe
from .raster.source import RasterSource
from .remote.address import Servers
from .scan import OverlapRule, Scan, ScanSettings
from .session import SegmentationSession, SessionSettings
from .similar import SimilarSettings, similar_finder
from .words import words_finder

WORDS, EVERYTHING, EXAMPLE, POINT = "words", "everything", "example", "point"
AS_FOUND = "as_found"
"""What users write for no click model: outlines are taken as the word model gives them."""
_LOADING = 0.05
"""Share of the progress bar that loading models takes."""


@dataclass(frozen=True)
class Machine:
    """Where models come from and run."""

    store: ModelStore
    """The weights on this machine."""
    runtime: RuntimeSettings = field(default_factory=RuntimeSettings)
    """Threads, provider, servers."""


class Wanted(Protocol):
    """What is looked for."""

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models that it takes, which must be on this machine or on a server that is set up."""

    def confidence(self, store: ModelStore) -> float:
        """Return the least score that suits its models, where the user says none."""

    def finder(self, source: RasterSource, settings: ScanSettings, machine: Machine, progress: Progress) -> ImageFinder:
        """Return what finds it, with the models loaded."""


@dataclass(frozen=True)
class WantedWords:
    """Objects that words name."""

    phrases: tuple[str, ...]
    """What to look for, one class each; see :func:`~.words.parse_phrases`."""
    model: str
    """A word model's name."""
    outliner: str = ""
    """Name of a click model that draws the outlines; empty to take them as the word model gives them."""

    @property
    def models(self) -> tuple[str, ...]:
        """The word model and the click model."""
        return (self.model, self.outliner) if self.outliner else (self.model,)

    def confidence(self, store: ModelStore) -> float:
        """Return where the word model itself draws the line."""
        return store.get(self.model, WORDS).confidence

    def finder(self, source: RasterSource, settings: ScanSettings, machine: Machine, progress: Progress) -> ImageFinder:
        """Return what finds the words."""
        store, runtime = machine.store, machine.runtime
        model = store.load_words(self.model, settings=runtime, progress=progress)
        model.require_known(self.phrases)
        outliner = store.load(self.outliner, settings=runtime, progress=progress) if self.outliner else None
        return words_finder(model, self.phrases, outliner)


@dataclass(frozen=True)
class WantedEverything:
    """All objects that there are."""

    model: str
    """A click model's name, or that of one that finds everything by itself."""
    settings: EverythingSettings = field(default_factory=EverythingSettings)
    """How closely to look."""

    @property
    def models(self) -> tuple[str, ...]:
        """The one model."""
        return (self.model,)

    def confidence(self, store: ModelStore) -> float:
        """Return from which score the model itself takes something for an object; 0 if it finds all by itself."""
        spec = store.get(self.model)
        return 0.0 if EVERYTHING in spec.accepts else spec.certainty.min_score

    def finder(self, source: RasterSource, settings: ScanSettings, machine: Machine, progress: Progress) -> ImageFinder:
        """Return what finds everything."""
        return everything_finder(
            machine.store.load(self.model, settings=machine.runtime, progress=progress), self.settings
        )


@dataclass(frozen=True)
class WantedSimilar:
    """Objects that are like examples."""

    model: str
    """A click model's name, or that of one that takes examples."""
    examples: tuple[PromptSet, ...]
    """Polygons, boxes or clicks, in any CRS; at least one."""
    counter_examples: tuple[PromptSet, ...] = ()
    """What looks similar but is not meant."""
    settings: SimilarSettings = field(default_factory=SimilarSettings)
    """How to compare."""

    @property
    def models(self) -> tuple[str, ...]:
        """The one model."""
        return (self.model,)

    def confidence(self, store: ModelStore) -> float:
        """Return 0: similarity decides."""
        return 0.0

    def finder(self, source: RasterSource, settings: ScanSettings, machine: Machine, progress: Progress) -> ImageFinder:
        """Return what finds the like; reads the examples."""
        loading = SubProgress(progress, 0.0, 0.5)
        model = machine.store.load_for_examples(self.model, settings=machine.runtime, progress=loading)
        # one that takes no clicks is asked for none: its examples are boxes and polygons
        asked = SessionSettings(rgb=settings.rgb, recipe=settings.recipe)
        session = SegmentationSession(source, cast(SegmentationModel, model), asked)
        rest = SubProgress(progress, 0.5, 1.0)
        return similar_finder(session, self.examples, self.counter_examples, self.settings, rest)


@dataclass(frozen=True)
class WantedOnMap:
    """Objects that words name, on a map that a SamGIS server fetches itself: no pixels of the source are read."""

    phrases: tuple[str, ...]
    """What to look for, one request each."""
    source_type: str
    """The map's name in the package xyzservices."""
    model: str = map_server.NAME
    """Name of the server in the catalogue."""

    @property
    def models(self) -> tuple[str, ...]:
        """The server."""
        return (self.model,)

    def ask(
        self, source: RasterSource, settings: ScanSettings, machine: Machine, progress: Progress
    ) -> SegmentationResult:
        """Return what the server finds in the settings' extent, or all of the source's, in the source's CRS.

        Raises
        ------
        MissingCrsError
            If the source has no CRS.
        """
        grid = source.grid
        if grid.crs is None:
            raise MissingCrsError("The layer has no CRS, so no server can be told where it is.", hint="Set its CRS.")
        extent = settings.extent or grid.bounds
        resolution_m = on_the_ground(settings.resolution, [extent], grid.crs) if settings.resolution else None
        asked = map_server.MapServerSettings(
            grid.crs, self.source_type, resolution_m=resolution_m, extent=extent, outline=settings.outline
        )
        servers = machine.runtime.servers or Servers.from_environment()
        result = map_server.MapServer(servers, asked).find_words(self.phrases, progress)
        largest = settings.max_area_m2 or math.inf
        kept = [each for each in result.polygons if settings.min_area_m2 <= each.area_m2 <= largest]
        return replace(result, polygons=tuple(kept))


def require_installed(wanted: Wanted, machine: Machine) -> None:
    """Raise what loading would raise for models that are not here; reads no weights that are.

    Raises
    ------
    UnknownNameError
        If a name is none of the catalogue's.
    ModelNotInstalledError
        If weights are missing; the hint is the way to get them.
    """
    for name in wanted.models:
        spec = machine.store.get(name)
        if machine.store.missing(spec):
            machine.store.locate(spec)


def search(
    source: RasterSource,
    wanted: Wanted | WantedOnMap,
    settings: ScanSettings,
    machine: Machine,
    progress: Progress,
    *,
    on_found: Callable[[Sequence[SegmentedPolygon]], None] | None = None,
) -> SegmentationResult:
    """Return all objects of an extent that are wanted.

    Parameters
    ----------
    source : RasterSource
        Where pixels come from.
    wanted : Wanted
        What to look for.
    settings : ScanSettings
        Where and how.
    machine : Machine
        Where models come from and run.
    progress : Progress
        Told about each stage; asked for cancellation.
    on_found : callable, optional
        Called with objects as soon as nothing can change them any more, in the thread that runs.

    Raises
    ------
    SegmentError
        What loading the models, reading the source, or running the models raises.
    Cancelled
        If the user asked to stop, and not to keep what was found.
    """
    if isinstance(wanted, WantedOnMap):
        result = wanted.ask(source, settings, machine, progress)
        if on_found is not None:
            on_found(result.polygons)
        return result
    if settings.recipe is None:
        # examples and windows are looked at in one and the same way
        reading = SubProgress(progress, 0.0, _LOADING / 2)
        settings = replace(settings, recipe=resolve_recipe(source, settings.rgb, reading))
    finder = wanted.finder(source, settings, machine, SubProgress(progress, _LOADING / 2, _LOADING))
    return Scan(source, finder, settings).run(SubProgress(progress, _LOADING, 1.0), on_found)


def for_examples(store: ModelStore) -> list[ModelSpec]:
    """Return the models that find what is like examples: by their clicks, or by themselves; the default first."""
    return [spec for spec in store.taking() if {POINT, EXAMPLE} & spec.accepts]


def require_whole(settings: ScanSettings, similarity: float) -> None:
    """Raise :class:`SettingsError` for a coverage of which objects would be taken out again afterwards."""
    if settings.overlaps is OverlapRule.COVERAGE and similarity > 0.0:
        raise SettingsError(
            f"A coverage has no gaps, so it does not go with a least similarity of {similarity:g}.",
            hint="Choose another rule for overlaps, or a similarity of 0.",
        )


def at_least(result: SegmentationResult, similarity: float) -> SegmentationResult:
    """Return a result without what is less similar to its examples; what was not compared stays.

    A warning says so if nothing is left of what was found.

    Raises
    ------
    SettingsError
        If the similarity is not from 0 to 1.
    """
    require_similarity(similarity)
    kept = tuple(polygon for polygon in result.polygons if not polygon.similarity < similarity)
    if kept or not result.polygons:
        return replace(result, polygons=kept)
    best = max(polygon.similarity for polygon in result.polygons)
    said = (
        f"Nothing is as similar as {similarity:g}: the most similar of {len(result.polygons)} objects has {best:.2g}. "
        "Ask for less similarity, or give another example."
    )
    return replace(result, polygons=kept, warnings=(*result.warnings, said))


def sized(result: SegmentationResult, settings: ScanSettings) -> SegmentationResult:
    """Return a result that no scan made, without what is smaller or larger than wanted; a warning says how many."""
    most = math.inf if settings.max_area_m2 is None else settings.max_area_m2
    kept = tuple(polygon for polygon in result.polygons if settings.min_area_m2 <= polygon.area_m2 <= most)
    left_out = len(result.polygons) - len(kept)
    if not left_out:
        return result
    said = f"{left_out} of {len(result.polygons)} objects are smaller or larger than asked for, and left out."
    return replace(result, polygons=kept, warnings=(*result.warnings, said))


def require_similarity(similarity: float) -> None:
    """Raise :class:`SettingsError` for what is no similarity."""
    # Written so that NaN fails too.
    if not 0.0 <= similarity <= 1.0:
        raise SettingsError(f"The least similarity is {similarity:g}.", hint="Give a number from 0 to 1.")
