"""The coverage of a scan: its objects, and what lies between them, without gaps and overlaps."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..errors import ChipTooLargeError
from ..outlines.coverage import cover
from ..outlines.label_raster import LabelRaster
from ..outlines.masks import PartRule
from ..outlines.results import SegmentedPolygon
from ..outlines.runs import RunMask
from ..outlines.shape import SMALL_HOLE_PX, OutlineSettings, combine
from ..picture import Picture
from ..progress import Progress
from .outlines import PixelAreas, ScanOutliner
from .stitch import Traits, WholeObject
from .windows import ScanLattice, ScanWindow

MOST_COVERAGE_PX = 64_000_000
"""Largest extent of a coverage, in pixels that are read (8,000 x 8,000): labels of all of them are held, which with
what it takes to fill gaps and trace borders is about 12 bytes for each."""
REACH_PX = 8
"""Gaps wider than twice this become polygons of their own; narrower ones go to what they look like beside them, which
may be the open ground that they lead to."""
_NOTHING = Traits("", math.nan, math.nan, math.nan, "")


def unused(settings: OutlineSettings) -> list[str]:
    """Return a warning of settings that would open gaps, or make overlaps, and that a coverage does not heed."""
    given = {
        "parts": settings.parts is PartRule.LARGEST,
        "fill holes": settings.fill_holes_m2 is not None,
        "least area of parts": settings.min_area_m2 > 0.0,
        "expand": settings.expand_m != 0.0,
    }
    names = ", ".join(name for name, is_given in given.items() if is_given)
    return [f"In a coverage all ground belongs to something, so this was not heeded: {names}."] if names else []


class ScanCoverage:
    """Takes in what a scan sees and finds, and makes one coverage of it in the end.

    Parameters
    ----------
    lattice : ScanLattice
        All windows.
    settings : OutlineSettings
        How borders are reshaped; its other settings have no place here, see :func:`unused`.
    min_area_m2 : float
        Parts below this size go to their neighbours, as do those of 16 pixels and fewer.

    Raises
    ------
    ChipTooLargeError
        If the extent has more than ``MOST_COVERAGE_PX`` pixels.
    """

    def __init__(self, lattice: ScanLattice, settings: OutlineSettings, min_area_m2: float) -> None:
        width, height = lattice.size
        if width * height > MOST_COVERAGE_PX:
            coarser = max(lattice.grid.resolution) * math.sqrt(width * height / MOST_COVERAGE_PX)
            raise ChipTooLargeError(
                f"A coverage of {width} x {height} pixels was asked for; the limit is {MOST_COVERAGE_PX:,} pixels.",
                hint=f"Ask for less ground, for a resolution of {coarser:.3g} CRS units per pixel or coarser, "
                "or for objects that may leave gaps.",
            )
        self._lattice = lattice
        self._settings = settings
        self._least_px = int(SMALL_HOLE_PX) + 1
        if min_area_m2 > 0.0:
            self._least_px = max(self._least_px, math.ceil(min_area_m2 / PixelAreas(lattice.grid).middle))
        self._labels = LabelRaster(width, height)
        self._found: list[tuple[Traits, ScanWindow]] = []

    def see(self, window: ScanWindow, picture: Picture) -> None:
        """Take in which pixels of a window are usable, and where the edges of its image are."""
        self._labels.see(picture.image, picture.valid, window.box[0], window.box[1])

    def take(self, whole: WholeObject, share: RunMask) -> None:
        """Take in an object and the pixels that are its own."""
        self._found.append((whole.traits, whole.window))
        self._labels.paint(share, len(self._found))

    def polygons(self, outliner: ScanOutliner, progress: Progress) -> Iterator[SegmentedPolygon]:
        """Yield the polygons: those of objects in the order that they came in, then those of wide gaps.

        Raises
        ------
        Cancelled
            If the user asked to stop.
        """
        first = len(self._found) + 1
        progress.report(0.0, "Filling gaps")
        self._labels.fill(first, self._least_px, REACH_PX)
        progress.report(0.4, "Simplifying shared borders")
        covered = cover(self._labels.labels, self._lattice.grid, self._settings, progress)
        whole_window = self._lattice.windows[0]
        for number, label in enumerate(sorted(label for label in covered if label > 0), start=1):
            traits, window = self._found[label - 1] if label < first else (_NOTHING, whole_window)
            yield outliner.polygon(combine(covered[label]), traits, window, number)
