"""Where the map tool's pixels and models come from: copies are made on the window's thread, the rest elsewhere."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass

from qgis.core import QgsCoordinateReferenceSystem, QgsMapLayer, QgsMapSettings, QgsRasterLayer

from ..algorithms import server_settings
from ..algorithms.dem_prompts import DemChoice, painted
from ..algorithms.layer_sources import for_worker, resolution_on_screen, source_for_canvas, source_for_layer
from ..algorithms.map_source import lattice_step
from ..algorithms.provider_source import is_picture
from ..core import native
from ..core.interactive import InteractiveSession
from ..core.models.embedding import EmbeddingCache
from ..core.models.model import RuntimeSettings, SegmentationModel
from ..core.models.onnx_session import PROVIDERS
from ..core.models.store import ModelStore
from ..core.progress import Progress
from ..core.raster.source import RasterSource
from ..core.session import SegmentationSession
from ..core.terrain.composite_source import CompositeSource
from . import embedding_store, own_layers
from .live_session import LiveSession


@dataclass(frozen=True)
class Chosen:
    """What the user wants to be looked at, and by what."""

    layer: QgsRasterLayer | None
    """None for what the canvas shows."""
    styled: bool
    """The layer's style in place of its values."""
    model: str
    """Name in the catalogue."""
    leave_out: QgsMapLayer | None = None
    """The layer that objects are kept in: not part of what the canvas shows."""
    dem: DemChoice | None = None
    """How the layer's heights are painted; None to look at its values or its style."""


class Sessions:
    """Makes live sessions. One loaded model is kept, for as long as it is the one that is asked for.

    Parameters
    ----------
    store : ModelStore, optional
        Where weights are.
    cache : EmbeddingCache, optional
        Where encoded views are kept; as the user's settings want it if left out.
    """

    def __init__(self, store: ModelStore | None = None, cache: EmbeddingCache | None = None) -> None:
        self._store = store
        self._cache = cache
        self._loaded: tuple[tuple[str, RuntimeSettings], SegmentationModel] | None = None
        self.device = ""
        """Where the model runs, in a word; empty until one is loaded."""

    def crs(self, choice: Chosen, settings: QgsMapSettings) -> QgsCoordinateReferenceSystem:
        """Return the CRS of the pixels."""
        return settings.destinationCrs() if choice.layer is None else choice.layer.crs()

    def key(self, choice: Chosen, settings: QgsMapSettings) -> Hashable:
        """Return what a live session is good for: as long as it stays the same, so does the session."""
        on = server_settings.url_of(server_settings.server_of(choice.model))
        if choice.layer is None:
            hidden = not_looked_at(choice, settings)
            layers = tuple(layer.id() for layer in settings.layers() if layer not in hidden)
            return choice.model, on, layers, settings.destinationCrs().toWkt(), self._step(settings.mapUnitsPerPixel())
        picture = is_picture(choice.layer) or (choice.styled and choice.dem is None)
        step = self._step(resolution_on_screen(settings, choice.layer.crs())) if picture else None
        return choice.model, on, choice.layer.id(), choice.layer.crs().toWkt(), choice.styled, choice.dem, step

    def open(self, choice: Chosen, settings: QgsMapSettings) -> LiveSession:
        """Return a live session. Copies layers; reads nothing.

        Raises
        ------
        SegmentError
            If there is nothing that could be looked at.
        """
        runtime = server_settings.runtime(choice.model)
        pixels = pixels_of(choice, settings)
        return LiveSession(
            lambda progress: self._session(choice.model, runtime, pixels, progress),
            pixels.close,
            source=pixels.source,
            doubts=pixels.doubts,
        )

    def forget_cache(self) -> None:
        """Make the cache anew for the next session, because its settings have changed."""
        self._cache = None

    def _session(self, model: str, runtime: RuntimeSettings, pixels: Pixels, progress: Progress) -> InteractiveSession:
        """Load the model where it isn't yet; in the worker's thread."""
        if self._loaded is None or self._loaded[0] != (model, runtime):
            # the one before goes first: two large ones may not fit
            self._loaded = None
            progress.report(0.0, "Loading the model")
            loaded = (self._store or ModelStore()).load(model, settings=runtime, progress=progress)
            self._loaded = ((model, runtime), loaded)
            # the rule of provider="auto"
            self.device = "CUDA" if PROVIDERS["cuda"] in native.onnxruntime().get_available_providers() else "CPU"
        if self._cache is None:
            self._cache = embedding_store.embedding_cache()
        session = SegmentationSession(pixels.opened(), self._loaded[1], cache=self._cache)
        return InteractiveSession(session)

    def _step(self, resolution: float) -> float:
        return lattice_step(resolution) if math.isfinite(resolution) and resolution > 0 else 0.0


class Pixels:
    """A source that was made on the window's thread, and what the worker reads from.

    Parameters
    ----------
    source : RasterSource
        Made of clones.
    dem : DemChoice, optional
        How its heights are painted.
    """

    def __init__(self, source: RasterSource, dem: DemChoice | None = None) -> None:
        self.source = source
        self._dem = dem
        self._read_from: RasterSource | None = None

    def opened(self) -> RasterSource:
        """Return what to read from; in the thread that reads."""
        if self._read_from is None:
            dem = self._dem
            self._read_from = for_worker(self.source) if dem is None else painted(self.source, dem)
        return self._read_from

    def doubts(self) -> tuple[str, ...]:
        """Return what the heights that were read leave in doubt."""
        return self._read_from.doubts() if isinstance(self._read_from, CompositeSource) else ()

    def close(self) -> None:
        """Let go of the layers; in any thread."""
        if self._read_from is not None and self._read_from is not self.source:
            self._read_from.close()
        self.source.close()


def pixels_of(choice: Chosen, settings: QgsMapSettings) -> Pixels:
    """Return the pixels that the user wants to be looked at. Copies layers; reads nothing.

    Raises
    ------
    SegmentError
        If there is nothing that could be looked at.
    """
    if choice.layer is None:
        return Pixels(source_for_canvas(settings, leave_out=not_looked_at(choice, settings)))
    resolution = resolution_on_screen(settings, choice.layer.crs())
    styled = choice.styled and choice.dem is None
    return Pixels(source_for_layer(choice.layer, styled=styled, screen_resolution=resolution), choice.dem)


def not_looked_at(choice: Chosen, settings: QgsMapSettings) -> list[QgsMapLayer]:
    """Return the layers that are no part of the image that the canvas shows: what was found and kept."""
    found = own_layers.among(settings.layers())
    return found if choice.leave_out is None else [*found, choice.leave_out]
