"""Closed depressions: craters, sinkholes, kettles, pits; wherever water would stand."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ChipTooLargeError
from ...outlines.masks import PartRule, select_parts
from ...outlines.measure import measure
from ...outlines.polygonize import polygonize
from ...outlines.results import FieldKind
from ...progress import Progress, SubProgress, check
from ...raster.grid import Window
from ...raster.source import RasterSource
from ..dem_levels import DemLevels, DemTile, cell_sizes, ground_matrix
from ..depression_fill import filled
from ..landform import Landform, LandformField, LandformResult
from ..outliner import Outliner
from . import FinderSettings

FloatArray = NDArray[np.float64]
NAME = "depressions"
LEAST_DEPTH_M = 1.0
LEAST_DEPTH_CELLS = 0.1
"""Depth over the cell's side: heights of a coarse DEM are no better than a tenth of its cells (3 m at 30 m; the
relative error of SRTM is about that, Rodriguez et al. 2006, doi:10.14358/PERS.72.3.249)."""
SMALLEST_CELLS = 4.0
"""Narrower hollows are single wrong cells, or the one cell in which a DEM closes a valley off."""
MOST_CELLS = 4_000_000
"""Filling needs the whole DEM at once; this many cells take about half a minute and 0.6 GB. Without a smallest width
that is asked for, a larger DEM is averaged down to as many."""


@dataclass(frozen=True)
class Depression(Landform):
    """A closed depression."""

    depth_m: float
    """Of its lowest cell below the level at which water would flow out."""
    spill_m: float
    """That level."""
    width_m: float
    """Diameter of the circle of its area."""
    area_m2: float
    """Of what lies below the spill level."""
    volume_m3: float
    """Of the water that it would hold."""
    circularity: float
    """4 pi area / perimeter^2: 1 for a circle."""


COLUMNS: tuple[LandformField, ...] = (
    LandformField("class", FieldKind.TEXT, lambda d: d.label),
    LandformField("confidence", FieldKind.REAL, lambda d: d.confidence),
    LandformField("reasons", FieldKind.TEXT, lambda d: d.reasons),
    LandformField("partial", FieldKind.INTEGER, lambda d: d.partial),
    LandformField("depth_m", FieldKind.REAL, lambda d: d.depth_m),
    LandformField("spill_m", FieldKind.REAL, lambda d: d.spill_m),
    LandformField("width_m", FieldKind.REAL, lambda d: d.width_m),
    LandformField("area_m2", FieldKind.REAL, lambda d: d.area_m2),
    LandformField("volume_m3", FieldKind.REAL, lambda d: d.volume_m3),
    LandformField("circul", FieldKind.REAL, lambda d: d.circularity),
)


class DepressionFinder:
    """Finds closed depressions."""

    title = "Closed depressions"
    columns = COLUMNS

    def find(
        self, source: RasterSource, settings: FinderSettings, progress: Progress, outliner: Outliner | None = None
    ) -> LandformResult:
        """Return the closed depressions of a DEM; see :class:`LandformFinder`. Outlines are those of the water."""
        grid = source.grid
        across, down = cell_sizes(ground_matrix(grid, (grid.width / 2.0, grid.height / 2.0)))
        coarser = math.sqrt(max(1.0, grid.width * grid.height / MOST_CELLS)) * math.sqrt(across * down)
        smallest = SMALLEST_CELLS * max(across, down, math.ceil(coarser / down) * down)
        if settings.smallest_km is not None:
            smallest = 1000.0 * settings.smallest_km
        levels = DemLevels(source, smallest / SMALLEST_CELLS, settings.dem)
        whole = levels.grid(0)
        if whole.width * whole.height > MOST_CELLS:
            raise ChipTooLargeError(
                f"{whole.width} x {whole.height} cells are more than {MOST_CELLS:,} to look for depressions at once.",
                hint=f"Ask for depressions wider than {2.0 * smallest / 1000.0:.3g} km, or clip the DEM.",
            )
        tile = levels.read(0, Window(0, 0, whole.width, whole.height), SubProgress(progress, 0.0, 0.1))
        progress.report(0.1, "Filling the DEM")
        surface = filled(tile.elevation, progress)
        depth = np.nan_to_num(surface - tile.elevation)
        least = settings.least_relief_m or max(LEAST_DEPTH_M, LEAST_DEPTH_CELLS * levels.cell_m(0))
        largest = math.inf if settings.largest_km is None else 1000.0 * settings.largest_km
        progress.report(0.7, "Outlining depressions")
        found = []
        kept = _hollows(depth, least)
        for shape in polygonize(kept, whole):
            check(progress)
            landform = _described(shape, tile, surface, kept, least)
            if smallest <= landform.width_m <= largest and landform.confidence >= settings.confidence:
                found.append(landform)
        found.sort(key=lambda each: -each.confidence)
        progress.report(1.0)
        note = f"Looked for hollows at least {least:.3g} m deep and {smallest / 1000.0:.3g} km wide."
        return LandformResult(tuple(found), COLUMNS, grid.crs, levels.doubts, (note,))


def _hollows(depth: FloatArray, least_m: float) -> NDArray[np.bool_]:
    """Return where water stands (H, W), in the parts that are deep enough somewhere."""
    deep = np.argwhere(depth >= least_m)[:, ::-1] + 0.5
    return select_parts(depth > 0.0, PartRule.WITH_INCLUDE, deep)


def _described(shape: Any, tile: DemTile, surface: FloatArray, kept: NDArray[np.bool_], least_m: float) -> Depression:
    grid = tile.grid
    left, top, right, bottom = grid.box_to_pixel(shape.bounds).round().astype(int).tolist()
    middle = shape.representative_point()
    inside = grid.to_pixel([(middle.x, middle.y)]) - (left, top)
    own = select_parts(kept[top:bottom, left:right], PartRule.WITH_INCLUDE, inside)
    water = np.where(own, (surface - tile.elevation)[top:bottom, left:right], 0.0)
    deepest = float(water.max())
    size = measure(shape, grid.crs)
    width = 2.0 * math.sqrt(size.area_m2 / math.pi)
    row, col = np.unravel_index(int(np.argmax(water)), water.shape)
    cell_m2 = size.area_m2 / max(1, int((water > 0.0).sum()))
    circular = min(1.0, 4.0 * math.pi * size.area_m2 / max(size.perimeter_m, 1e-9) ** 2)
    partial = left == 0 or top == 0 or right == grid.width or bottom == grid.height
    # as certain as it is deeper than what an error of the heights makes
    confidence = 1.0 - math.exp(-math.log(2.0) * deepest / least_m)
    return Depression(
        geometry=shape,
        label="depression",
        confidence=confidence,
        reasons=f"{deepest:.3g} m deep, {width:.0f} m wide, {deepest / least_m:.1f} times the least depth",
        partial=partial,
        depth_m=deepest,
        spill_m=float(surface[top + row, left + col]),
        width_m=width,
        area_m2=size.area_m2,
        volume_m3=float(water.sum()) * cell_m2,
        circularity=circular,
    )


ENTRY = DepressionFinder()
