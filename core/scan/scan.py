"""Scan: all objects that a finder sees in an extent of any size, window by window, as whole objects."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ..errors import Cancelled, ServerUnavailableError, SettingsError, StoppedWaiting
from ..image_finder import HasWarnings, ImageFinder
from ..models.finding import FoundMask
from ..outlines.masks import PartRule
from ..outlines.results import Provenance, SegmentationResult, SegmentedPolygon
from ..outlines.runs import RunMask
from ..outlines.shape import OutlineSettings
from ..picture import Picture, picture_text
from ..progress import NullProgress, Progress, SubProgress, check
from ..prompts.prompt import exact
from ..raster.grid import Bounds
from ..raster.rgb import RgbRecipe, RgbSettings, resolve_recipe
from ..raster.source import RasterSource
from ..version import VERSION
from .coverage import ScanCoverage, unused
from .outlines import PixelAreas, ScanOutliner
from .overlaps import BestOfEach, OverlapRule
from .reading import WindowReader
from .stitch import Step, Stitcher, WholeObject
from .windows import ScanLattice, ScanWindow, lattice_over

_NOTHING_FOUND = (
    "Nothing was found. Try a lower confidence, a finer or coarser resolution, another size range, or other words, "
    "examples or models."
)
_CLOSE = 0.95
_log = logging.getLogger(__name__)
Found = Callable[[Sequence[SegmentedPolygon]], None]


@dataclass(frozen=True)
class ScanSettings:
    """What the user may choose, apart from the raster and the finder."""

    rgb: RgbSettings = field(default_factory=RgbSettings)
    """Bands and stretch."""
    recipe: RgbRecipe | None = None
    """The picture as it was made once for this source; takes the place of ``rgb``."""
    outline: OutlineSettings = field(default_factory=lambda: OutlineSettings(parts=PartRule.ALL))
    """How masks become polygons."""
    extent: Bounds | None = None
    """Map bounds to look at, in the source's CRS; None for the whole raster."""
    resolution: float | None = None
    """CRS units per pixel to look at; None for native."""
    window_px: int | None = None
    """Side of a window, in pixels that are read; None for the finder's."""
    confidence: float = 0.0
    """Objects with a lower score are left out; those without a score stay."""
    min_area_m2: float = 0.0
    """Smaller objects are left out; in a coverage they go to their neighbours."""
    max_area_m2: float | None = None
    """Larger objects are left out; in a coverage their ground becomes a polygon like that of a gap."""
    overlaps: OverlapRule = OverlapRule.BEST
    """What becomes of objects that overlap."""
    keep_on_cancel: bool = False
    """True to give what was found until then when the user stops, with a warning, in place of :class:`Cancelled`."""

    def __post_init__(self) -> None:
        largest = math.inf if self.max_area_m2 is None else self.max_area_m2
        # Written so that NaN fails too.
        if not 0.0 <= self.min_area_m2 <= largest:
            raise SettingsError(
                f"Objects from {self.min_area_m2:g} to {largest:g} m2 make no sense.",
                hint="Give two areas that are not negative, the smaller first.",
            )
        if not 0.0 <= self.confidence <= 1.0:
            raise SettingsError(f"The confidence is {self.confidence:g}.", hint="Give a number from 0 to 1.")

    def describe(self, lattice: ScanLattice) -> str:
        """Return it as text for provenance, after the outline's own."""
        largest = "" if self.max_area_m2 is None else exact(self.max_area_m2)
        return (
            f"{self.outline.describe()} scan_window={lattice.window_px}px scan_overlap={lattice.overlap_px}px "
            f"overlaps={self.overlaps.value} confidence={exact(self.confidence)} "
            f"area={exact(self.min_area_m2)}:{largest}m2"
        )


class Scan:
    """Finds all objects of an extent, whatever its size, as if it had been seen at once.

    Parameters
    ----------
    source : RasterSource
        Where pixels come from; the caller closes it.
    finder : ImageFinder
        What finds the objects of one window.
    settings : ScanSettings, optional
        Extent, resolution, sizes, overlaps.
    """

    def __init__(self, source: RasterSource, finder: ImageFinder, settings: ScanSettings | None = None) -> None:
        self._source = source
        self._finder = finder
        self._settings = settings or ScanSettings()

    def run(self, progress: Progress, on_found: Found | None = None) -> SegmentationResult:
        """Return the objects of the extent.

        Parameters
        ----------
        progress : Progress
            Told about each window and what the finder says of it; asked for cancellation.
        on_found : callable, optional
            Called in this thread with objects that no later window can change any more, as soon as there are some: in
            the end it has had the objects of the result, in their order. Those of a coverage all come at the end.

        Returns
        -------
        SegmentationResult
            Polygons in the source's CRS, numbered as they were found. None is a normal outcome; a warning then says
            what to try.

        Raises
        ------
        OutsideExtentError
            If the extent doesn't meet the raster.
        SettingsError
            If the extent, the window or the resolution makes no sense.
        ChipTooLargeError
            If a coverage of too many pixels is asked for; nothing is read.
        RasterReadError, ModelRunError, ServerUnavailableError, ServerBusyError
            If pixels can't be read, or the finder fails.
        Cancelled
            If the user asked to stop, and not to keep what was found.
        """
        started = time.monotonic()
        asked, policy = self._settings, self._finder.windows
        lattice = lattice_over(
            self._source.grid,
            asked.extent,
            policy.window_px if asked.window_px is None else asked.window_px,
            policy.overlap_px,
            context_px=policy.context_px,
            resolution=asked.resolution,
        )
        walk = _Walk(lattice, asked, self._finder.describe(), on_found)
        warnings = [*self._finder.warnings] if isinstance(self._finder, HasWarnings) else []
        warnings += unused(asked.outline) if asked.overlaps is OverlapRule.COVERAGE else []
        recipe: RgbRecipe | None = None
        try:
            recipe = asked.recipe or resolve_recipe(self._source, asked.rgb, SubProgress(progress, 0.0, 0.05))
            self._walk(walk, recipe, progress)
            walk.finish(SubProgress(progress, 0.9, 1.0))
            if not walk.polygons:
                warnings.append("There are no pixels with data in the extent." if walk.blank else _NOTHING_FOUND)
        except Cancelled as stopped:
            if not asked.keep_on_cancel:
                raise
            warnings.append(walk.stop())
            if isinstance(stopped, StoppedWaiting):
                warnings.append(str(stopped))
        except ServerUnavailableError as lost:
            # a server that goes away in the middle takes nothing with it that was found
            if not (asked.keep_on_cancel and walk.has_found):
                raise
            warnings += [str(lost), walk.stop()]
        return SegmentationResult(
            polygons=tuple(walk.polygons),
            crs=self._source.grid.crs,
            elapsed_s=time.monotonic() - started,
            warnings=tuple(warnings),
            # asked late: a DEM's picture is fitted when it is first read
            provenance=self._provenance(
                asked.describe(lattice), picture_text(self._source, recipe) if recipe is not None else ""
            ),
        )

    def _walk(self, walk: _Walk, recipe: RgbRecipe, progress: Progress) -> None:
        windows = walk.lattice.windows
        reader = WindowReader(self._source, recipe, walk.lattice)
        for window in windows:
            check(progress)
            start = 0.05 + 0.85 * window.index / len(windows)
            stop = 0.05 + 0.85 * (window.index + 1) / len(windows)
            part = _Titled(SubProgress(progress, start, stop), f"Window {window.index + 1} of {len(windows)}")
            part.report(0.0, "reading")
            picture = reader.read(window, SubProgress(part, 0.0, 0.1))
            usable = bool(picture.valid.any())
            found = self._finder.find(picture, SubProgress(part, 0.1, 0.95)) if usable else []
            walk.step(window, picture, found)

    def _provenance(self, settings: str, stretch: str) -> Provenance:
        models = self._finder.models
        return Provenance(
            model=" + ".join(dict.fromkeys(model.spec.name for model in models)),
            model_sha256=" + ".join(dict.fromkeys(model.weights_sha256 for model in models)),
            source=self._source.uri,
            stretch=stretch,
            settings=settings,
            version=VERSION,
        )


class _Walk:
    """What a scan holds on its way through the windows."""

    def __init__(self, lattice: ScanLattice, settings: ScanSettings, described: str, on_found: Found | None) -> None:
        self.lattice = lattice
        self.polygons: list[SegmentedPolygon] = []
        self.blank = True
        """True as long as no window had usable pixels."""
        self._settings = settings
        self._on_found = on_found
        self._stitcher = Stitcher(lattice)
        self._outliner = ScanOutliner(lattice, settings.outline, described)
        covers = settings.overlaps is OverlapRule.COVERAGE
        self._coverage = ScanCoverage(lattice, settings.outline, settings.min_area_m2) if covers else None
        self._best = None if settings.overlaps is OverlapRule.KEEP else BestOfEach(apart=not covers)
        sized = settings.min_area_m2 > 0.0 or settings.max_area_m2 is not None
        self._areas = PixelAreas(lattice.grid) if sized else None
        self._seen = 0

    @property
    def held(self) -> int:
        """How many pieces and objects wait for later windows."""
        return self._stitcher.held + (self._best.held if self._best is not None else 0)

    @property
    def has_found(self) -> bool:
        """True once there is something that could be lost."""
        return bool(self.polygons) or self.held > 0

    def step(self, window: ScanWindow, picture: Picture, found: Sequence[FoundMask]) -> None:
        """Take in what was found in a window, and give out what is done with."""
        self.blank = self.blank and not picture.valid.any()
        if self._coverage is not None:
            self._coverage.see(window, picture)
        step = self._stitcher.add(window, found, picture.valid)
        self._seen += 1
        self._give(step)
        _log.debug("window %d: %d found, %d held", window.index + 1, len(found), self.held)

    def finish(self, progress: Progress) -> None:
        """Give out the rest, after the last window."""
        self._give(self._stitcher.finish())
        if self._coverage is not None:
            self._emit(list(self._coverage.polygons(self._outliner, progress)))

    def stop(self) -> str:
        """Give out what there is, after the user has stopped; return the sentence that says so."""
        self._give(self._stitcher.finish(stopped=True))
        if self._coverage is not None and not self.polygons:
            self._emit(list(self._coverage.polygons(self._outliner, NullProgress())))
        return (
            f"Stopped after {self._seen} of {len(self.lattice.windows)} windows: only what was found until then is "
            "given, and objects at its edge may be cut."
        )

    def _give(self, step: Step) -> None:
        objects = [whole for whole in step.objects if self._is_wanted(whole)]
        if self._best is None:
            decided = [(whole, whole.pixels) for whole in objects]
        else:
            self._best.opened([piece for piece in step.opened if not piece.known])
            self._best.settled(step.settled, objects)
            decided = self._best.decide()
        if self._coverage is not None:
            for whole, share in decided:
                self._coverage.take(whole, share)
        else:
            self._emit(self._outlined(decided))

    def _outlined(self, decided: list[tuple[WholeObject, RunMask]]) -> Iterator[SegmentedPolygon]:
        number = len(self.polygons)
        for whole, share in decided:
            polygon = self._outliner.outline(whole, share, number + 1)
            if polygon is not None and self._fits(polygon.area_m2):
                number += 1
                yield polygon

    def _emit(self, polygons: Sequence[SegmentedPolygon] | Iterator[SegmentedPolygon]) -> None:
        fresh = list(polygons)
        self.polygons.extend(fresh)
        if fresh and self._on_found is not None:
            self._on_found(fresh)

    def _is_wanted(self, whole: WholeObject) -> bool:
        """Return False for what may not take pixels from others: too unsure, or of a size that is not asked for."""
        if whole.traits.score < self._settings.confidence:
            return False
        if self._areas is None:
            return True
        area, most = self._areas.of(whole.pixels), self._settings.max_area_m2
        # Outlines are a little larger or smaller than their pixels; they are measured when they are made.
        return area >= _CLOSE * self._settings.min_area_m2 and (most is None or area * _CLOSE <= most)

    def _fits(self, area_m2: float) -> bool:
        most = self._settings.max_area_m2
        return area_m2 >= self._settings.min_area_m2 and (most is None or area_m2 <= most)


class _Titled:
    """A progress whose messages begin with what they are about."""

    def __init__(self, parent: Progress, title: str) -> None:
        self._parent = parent
        self._title = title

    def report(self, fraction: float, message: str = "") -> None:
        self._parent.report(fraction, f"{self._title}: {message}" if message else self._title)

    def is_cancelled(self) -> bool:
        return self._parent.is_cancelled()
