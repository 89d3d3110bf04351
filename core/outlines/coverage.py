"""From a label raster to polygons without gaps and overlaps, whose shared borders are simplified together."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import native
from ..progress import Progress, check
from ..raster.grid import PixelGrid
from .arcs import ArcRing, Mesh, Region, mesh_of
from .label_raster import Labels
from .measure import local_frame
from .rings import from_farthest, line_without_stairs, rounded, rounded_line, without_stairs
from .shape import AREA_LOSS, LONGEST_CUT_PX, OutlineSettings, pixel_m

FloatArray = NDArray[np.float64]
_EXACT = 4
"""The last level of reshaping an arc: not at all."""


def cover(labels: Labels, grid: PixelGrid, settings: OutlineSettings, progress: Progress) -> dict[int, list[Any]]:
    """Return the shapely Polygons of each label, the largest first.

    Parameters
    ----------
    labels : ndarray of int32 (grid.height + 2, grid.width + 2)
        A label for each pixel, and a rim of one value around them.
    grid : PixelGrid
        Where the pixels inside the rim lie.
    settings : OutlineSettings
        How far borders are simplified and smoothed. The rest of it makes no sense for polygons that share borders.
    progress : Progress
        Asked for cancellation.

    Notes
    -----
    Borders are cut into arcs at the nodes where three or more meet. Each arc is reshaped once, its ends stay, and both
    its sides take the result, so no gap can open. An arc that makes a region beside it invalid, or takes more than a
    twentieth of its area from it, is reshaped less, down to the pixels' own sides: those are always valid. That every
    region is valid is enough for all of them not to overlap: each arc is run through once in each direction, so the
    winding numbers of all regions add up to that of the frame, which is one everywhere, and those of valid polygons are
    one inside and zero outside.
    """
    mesh = mesh_of(labels)
    shapes = _Shapes(mesh, grid, settings)
    users: defaultdict[int, set[int]] = defaultdict(set)
    for number, region in enumerate(mesh.regions):
        for arc in _arcs_of(region):
            users[arc].add(number)
    polygons: dict[int, Any] = {}
    suspect = list(range(len(mesh.regions)))
    while suspect:
        check(progress)
        less: set[int] = set()
        for number in suspect:
            region = mesh.regions[number]
            polygons[number] = shapes.polygon(region)
            if not shapes.is_sound(polygons[number], region):
                less.update(arc for arc in _arcs_of(region) if shapes.levels[arc] < _EXACT)
        for arc in less:
            shapes.relax(arc)
        suspect = sorted({number for arc in less for number in users[arc]})
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for number in sorted(polygons, key=lambda number: -mesh.regions[number].area_px):
        found[mesh.regions[number].label].append(polygons[number])
    return dict(found)


class _Shapes:
    """Arcs as they are drawn, each at its own level of reshaping."""

    def __init__(self, mesh: Mesh, grid: PixelGrid, settings: OutlineSettings) -> None:
        self._mesh = mesh
        self._settings = settings
        # The raster has a rim that the grid doesn't have.
        a, b, c, d, e, f = grid.transform
        self._grid = PixelGrid((a, b, c - a - b, d, e, f - d - e), grid.crs, grid.width + 2, grid.height + 2)
        self._frame = local_frame(grid.to_map([(grid.width / 2.0, grid.height / 2.0)])[0], grid.crs)
        pixel = pixel_m(grid, self._frame)
        self._tolerance = settings.simplify_px * pixel if settings.simplify_m is None else settings.simplify_m
        self._turns = 1.0 if a * e - b * d > 0.0 else -1.0
        self._pixel_area = abs(a * e - b * d)
        self.levels = [_EXACT if self._tolerance <= 0.0 else 0] * len(mesh.arcs)
        self._drawn: list[FloatArray | None] = [None] * len(mesh.arcs)

    def relax(self, arc: int) -> None:
        """Reshape an arc less."""
        self.levels[arc] += 1
        self._drawn[arc] = None

    def polygon(self, region: Region) -> Any:
        """Return a region as a shapely Polygon; it may be invalid. The shell runs counter-clockwise in map space."""
        rings = [self._ring(ring)[:: int(self._turns)] for ring in region.rings]
        return native.shapely().geometry.Polygon(rings[0], rings[1:])

    def is_sound(self, polygon: Any, region: Region) -> bool:
        """Return True if a region's polygon is valid, the right way round, and about as large as the region."""
        area = self._signed_area(polygon)
        expected = region.area_px * self._pixel_area
        if abs(area - expected) > AREA_LOSS * expected and any(self.levels[arc] < _EXACT for arc in _arcs_of(region)):
            return False
        return bool(polygon.is_valid)

    def _signed_area(self, polygon: Any) -> float:
        """Return the area by the rings' directions: shell counter-clockwise, holes clockwise."""
        total = 0.0
        for ring in (polygon.exterior, *polygon.interiors):
            points = np.asarray(ring.coords)
            x, y = (points - points[0]).T
            total += float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2.0
        return total

    def _ring(self, ring: ArcRing) -> FloatArray:
        pieces = []
        for arc, backwards in ring:
            drawn = self._arc(arc)
            pieces.append((drawn[::-1] if backwards else drawn)[:-1])
        points = np.concatenate(pieces)
        return np.concatenate([points, points[:1]])

    def _arc(self, arc: int) -> FloatArray:
        drawn = self._drawn[arc]
        if drawn is None:
            pixels = self._reshaped(arc)
            drawn = self._drawn[arc] = self._grid.to_map(pixels)
        return drawn

    def _reshaped(self, arc: int) -> FloatArray:
        """Return an arc (N, 2) in pixels without its stairs, simplified and smoothed, as far as its level allows."""
        corners, level = self._mesh.arcs[arc], self.levels[arc]
        # A rectangle of pixels has no stairs, and without one of its corners it would be a triangle.
        free = arc in self._mesh.free
        if level >= _EXACT or (free and len(corners) == 5):
            return corners
        line = from_farthest(without_stairs(corners)) if free else line_without_stairs(corners)
        kept = self._simplified(line, self._tolerance / 2.0**level)
        if len(kept) < 4 and (kept[0] == kept[-1]).all():
            return corners
        work = rounded if free else rounded_line
        return work(kept, self._settings.smooth if level == 0 else 0, longest_cut=LONGEST_CUT_PX)

    def _simplified(self, pixels: FloatArray, tolerance_m: float) -> FloatArray:
        """Return those points of a line (N, 2) in pixels that simplifying leaves."""
        metres = self._frame.to_metres(self._grid.to_map(pixels))
        # The number of each point goes along as its height, so that pixels come back as exactly as they went.
        line = native.shapely().geometry.LineString(np.column_stack([metres, np.arange(len(metres))]))
        kept = line.simplify(tolerance_m, preserve_topology=False)
        return pixels[np.asarray(kept.coords)[:, 2].astype(np.int64)]


def _arcs_of(region: Region) -> list[int]:
    return [arc for ring in region.rings for arc, _ in ring]
