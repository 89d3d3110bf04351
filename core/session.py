"""SegmentationSession: the one entry point. A raster, prompts and a model in; outlines with provenance out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .errors import EmptyPromptError, OutsideExtentError, UnsupportedPromptError
from .look import DEFAULT_MAX_PIXELS, Looker
from .models.embedding import EmbeddingCache
from .models.model import SegmentationModel
from .models.store import ModelStore
from .outlines.masks import PartRule
from .outlines.measure import measure
from .outlines.polygonize import polygonize
from .outlines.results import ObjectId, Provenance, SegmentationResult, SegmentedPolygon
from .outlines.shape import OutlineSettings, clean, combine
from .picture import picture_text
from .progress import NullProgress, Progress, SubProgress
from .prompts.prompt import PromptSet
from .prompts.shape import ShapePrompt
from .raster import crs as crs_maths
from .raster.grid import Bounds
from .raster.rgb import RgbRecipe, RgbSettings, resolve_recipe
from .raster.source import RasterSource
from .raster.sources import open_source
from .trace import Trace
from .version import VERSION
from .view_look import Look
from .window import over, require_on, require_readable

_TRY = "Try another click, a box, or a coarser resolution."
_CACHE_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class SessionSettings:
    """What the user may choose, apart from the raster, the model and the prompts."""

    rgb: RgbSettings = field(default_factory=RgbSettings)
    """Bands and stretch."""
    outline: OutlineSettings = field(default_factory=OutlineSettings)
    """How masks become polygons."""
    extent: Bounds | None = None
    """Map bounds to look at, in the source's CRS; None to place chips around the prompts."""
    resolution: float | None = None
    """CRS units per pixel to look at; None for native, or as coarse as the object needs."""
    max_pixels: int = DEFAULT_MAX_PIXELS
    """Largest chip; more is refused before anything is read."""
    recipe: RgbRecipe | None = None
    """The picture as it was made once for this source; takes the place of ``rgb``."""
    trace: Trace | None = None
    """Where to look and in which steps, as a result's field ``window`` says it; takes the place of ``extent``."""


class SegmentationSession:
    """Segments objects of one raster with one model.

    Parameters
    ----------
    source : RasterSource
        Where pixels come from; the caller closes it.
    model : SegmentationModel
        A loaded model.
    settings : SessionSettings, optional
        Bands, stretch, outline, extent, resolution.
    cache : EmbeddingCache, optional
        Shared with other sessions where that is wanted.
    """

    def __init__(
        self,
        source: RasterSource,
        model: SegmentationModel,
        settings: SessionSettings | None = None,
        *,
        cache: EmbeddingCache | None = None,
    ) -> None:
        self._source = source
        self._model = model
        self._settings = settings or SessionSettings()
        self._cache = cache if cache is not None else EmbeddingCache(_CACHE_BYTES)
        self._looker: Looker | None = None
        self._recipe: RgbRecipe | None = None

    def segment(self, objects: Sequence[PromptSet], progress: Progress | None = None) -> SegmentationResult:
        """Return one outline for each object that is found.

        Parameters
        ----------
        objects : sequence of PromptSet
            One for each object, each in any CRS.
        progress : Progress, optional
            Told about each object; asked for cancellation.

        Returns
        -------
        SegmentationResult
            Polygons in the source's CRS; objects that were not found are named in its warnings.

        Raises
        ------
        EmptyPromptError
            If an object has nothing that locates it.
        OutsideExtentError
            If prompts lie outside the raster or the extent; names them all.
        UnsupportedPromptError
            If the model can't take a kind of prompt.
        ChipTooLargeError
            If extent and resolution ask for too many pixels; nothing is read.
        SettingsError
            If a given trace is not one of this raster and model.
        RasterReadError, ModelRunError
            If pixels can't be read or the graph fails.
        Cancelled
            If the user asked to stop.
        """
        started = time.monotonic()
        progress = progress or NullProgress()
        here = self.at_home(objects)
        trace = self._fixed_trace()
        looker = self.looker(SubProgress(progress, 0.0, 0.1))
        polygons: list[SegmentedPolygon] = []
        warnings: list[str] = []
        originals = [prompts.given or prompts for prompts in objects]
        for index, (original, prompts) in enumerate(zip(originals, here)):
            part = SubProgress(progress, 0.1 + 0.9 * index / len(here), 0.1 + 0.9 * (index + 1) / len(here))
            part.report(0.0, f"Object {index + 1} of {len(here)}")
            look = looker.again(trace, prompts, part) if trace else self._find(looker, prompts, part)
            name = prompts.object if prompts.object is not None else index + 1
            outline = self.outline(look, prompts, name=name, described=original.describe())
            if outline is None:
                warnings.append(
                    f"Object {name}: {'no data' if look.blank else 'nothing found'} at {original.describe()}. {_TRY}"
                )
                continue
            polygons.append(outline)
            warnings.extend(_doubts(name, look))
        return SegmentationResult(
            polygons=tuple(polygons),
            crs=self._source.grid.crs,
            elapsed_s=time.monotonic() - started,
            warnings=tuple(warnings),
            provenance=self.provenance(),
        )

    def looker(self, progress: Progress | None = None) -> Looker:
        """Return what looks at single objects, with the stretch computed once; the map tool drives it directly."""
        if self._looker is None:
            asked = self._settings
            recipe = asked.recipe or resolve_recipe(self._source, asked.rgb, progress or NullProgress())
            self._looker = self._new_looker(recipe, self._settings.outline.parts)
            self._recipe = recipe
        return self._looker

    @property
    def source(self) -> RasterSource:
        """Where pixels come from."""
        return self._source

    @property
    def model(self) -> SegmentationModel:
        """What finds the objects."""
        return self._model

    @property
    def settings(self) -> SessionSettings:
        """What the user chose."""
        return self._settings

    def use_outline(self, outline: OutlineSettings) -> None:
        """Make outlines in another way from now on; the stretch and what is cached stay."""
        if outline.parts != self._settings.outline.parts:
            self._looker = None if self._looker is None else self._new_looker(self._looker.recipe, outline.parts)
        self._settings = replace(self._settings, outline=outline)

    def outline(
        self, look: Look, prompts: PromptSet, *, name: ObjectId = 1, described: str = ""
    ) -> SegmentedPolygon | None:
        """Return a look's mask as a clean polygon, or None if nothing is left of it.

        Parameters
        ----------
        look : Look
            From this session's looker.
        prompts : PromptSet
            The object's, in the source's CRS.
        name : int or str
            What names the object in the result.
        described : str
            The prompts as the user gave them; this set's own text where empty.
        """
        geometry = self._geometry(look, prompts)
        if geometry is None:
            return None
        size = measure(geometry, look.grid.crs)
        return SegmentedPolygon(
            geometry=geometry,
            object=name,
            label=prompts.label,
            score=look.score,
            area_m2=size.area_m2,
            perimeter_m=size.perimeter_m,
            prompts=described or prompts.describe(),
            resolution=max(look.grid.resolution),
            window=look.trace.text(),
        )

    def provenance(self) -> Provenance:
        """Return what all polygons of this session share."""
        return Provenance(
            model=self._model.spec.name,
            model_sha256=self._model.weights_sha256,
            source=self._source.uri,
            # asked late: a DEM's picture is fitted when it is first read
            stretch=picture_text(self._source, self._recipe) if self._recipe is not None else "",
            settings=self._settings.outline.describe(),
            version=VERSION,
        )

    def doubts(self, look: Look, name: ObjectId = 1) -> tuple[str, ...]:
        """Return what the user should know about a look that gave an outline, sentence by sentence."""
        return tuple(_doubts(name, look))

    def _geometry(self, look: Look, prompts: PromptSet) -> Any:
        """Return the outline of a look; a shape that nothing was added to is left exactly as it is."""
        only = prompts.prompts[0] if len(prompts.prompts) == 1 else None
        if isinstance(only, ShapePrompt):
            return only.geometry
        cleaned = clean(polygonize(look.mask, look.grid), self._settings.outline, look.grid)
        return combine(cleaned) if cleaned else None

    def _new_looker(self, recipe: RgbRecipe, parts: PartRule) -> Looker:
        most = self._settings.max_pixels
        return Looker(self._source, self._model, recipe, self._cache, parts=parts, max_pixels=most)

    def _find(self, looker: Looker, prompts: PromptSet, progress: Progress) -> Look:
        return looker.find(prompts, progress, resolution=self._settings.resolution)

    def _fixed_trace(self) -> Trace | None:
        """Return where the user asked to look, by an extent or a trace, checked before anything is read."""
        asked, grid = self._settings, self._source.grid
        if asked.trace is not None:
            for view in (asked.trace.within, asked.trace.view):
                if view is not None:
                    require_on(view, grid)
                    require_readable(view, grid, asked.max_pixels)
            return asked.trace
        if asked.extent is None:
            return None
        chip_px = self._model.spec.look.chip_px
        return Trace(over(grid, asked.extent, chip_px, asked.max_pixels, resolution=asked.resolution))

    def at_home(self, objects: Sequence[PromptSet]) -> list[PromptSet]:
        """Return the prompts in the source's CRS, after every check that needs no pixels."""
        if not objects:
            raise EmptyPromptError("There is no prompt.", hint="Add an include point or a box.")
        spec = self._model.spec
        here = []
        for prompts in objects:
            prompts.require_located()
            for prompt in prompts.prompts:
                if prompt.kind not in spec.accepts:
                    raise UnsupportedPromptError(
                        f"The model '{spec.name}' takes no {prompt.kind} prompts.",
                        hint=f"It takes: {', '.join(sorted(spec.accepts))}. Choose another model or prompt.",
                    )
            here.append(prompts.transformed(self._source.grid.crs))
        self._require_inside(objects, here)
        return here

    def _require_inside(self, objects: Sequence[PromptSet], here: Sequence[PromptSet]) -> None:
        grid, extent = self._source.grid, self._settings.extent
        outside = [
            f"{original.describe()[:80]} ({crs_maths.title(given.crs)})"
            for given, moved in ((prompts.given or prompts, moved) for prompts, moved in zip(objects, here))
            for original, prompt in zip(given.prompts, moved.prompts)
            if not _meets(grid.box_to_pixel(prompt.envelope()).tolist(), (0.0, 0.0, grid.width, grid.height))
            or (extent is not None and not _meets(prompt.envelope(), extent))
        ]
        if outside:
            # an exclude point that all objects share is one prompt
            outside = list(dict.fromkeys(outside))
            left, bottom, right, top = extent or grid.bounds
            raise OutsideExtentError(
                f"{'These prompts lie' if len(outside) > 1 else 'This prompt lies'} outside the "
                f"{'extent' if extent else 'raster'}: {'; '.join(outside)}.",
                hint=f"It covers {left:.10g} to {right:.10g} and {bottom:.10g} to {top:.10g} in "
                f"{crs_maths.title(grid.crs)}; check the coordinates and their CRS.",
            )


@contextmanager
def open_session(
    image: str | Path, model: str = "starter", settings: SessionSettings | None = None, *, pixel_space: bool = False
) -> Iterator[SegmentationSession]:
    """Open an image file and a model as one session, and close the file afterwards.

    Parameters
    ----------
    image : str or Path
        A raster file, or anything else that :func:`open_source` takes.
    model : str
        Name in the catalogue.
    settings : SessionSettings, optional
        Bands, stretch, outline, extent, resolution.
    pixel_space : bool
        Work in pixel coordinates (x = column, y = row, downwards), for an image without a CRS.
    """
    with closing(open_source(str(image), pixel_space=pixel_space)) as source:
        yield SegmentationSession(source, ModelStore().load(model), settings)


def _meets(one: Sequence[float], other: Sequence[float]) -> bool:
    """Return True if two boxes (low x, low y, high x, high y) share at least a point."""
    return one[0] <= other[2] and one[2] >= other[0] and one[1] <= other[3] and one[3] >= other[1]


def _doubts(name: ObjectId, look: Look) -> Iterator[str]:
    """Yield what the user should know about a look that gave an outline."""
    if look.cut:
        yield f"Object {name} goes on beyond the part that was looked at: its outline is cut there."
    if look.unsatisfied:
        yield f"Object {name}: {look.unsatisfied} of its points could not be satisfied. Add a click near them."
