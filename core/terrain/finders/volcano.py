"""Volcanoes: edifices from which the ground falls away on all sides, with their outline, measures and class."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...outlines.measure import measure
from ...outlines.results import FieldKind
from ...progress import Progress, SubProgress, check
from ...raster.source import RasterSource
from ..dem_levels import DemLevels, cell_sizes, ground_matrix
from ..edifice_map import crater_of, polygon, prompt_points, summit_of
from ..landform import Landform, LandformField, LandformResult
from ..landform_class import Classification, classify
from ..morphometry import Morphometry, measure_edifice
from ..outline_choice import AGREE, ChosenOutline, choose
from ..outliner import OutlineMethod, Outliner, landform_prompts
from ..volcano_search import FoundEdifice, find_edifices, look_finely, refined
from . import FinderSettings

NAME = "volcano"
SMALLEST_M = 200.0
"""The smallest cinder cones are about so wide (Wood 1980: 0.25 km; Fornaciai et al. 2012: 0.2 km)."""
SMALLEST_CELLS = 20.0
"""Narrower bases can't reach a confidence of one half (evidence.RESOLVED_CELLS)."""
LARGEST_M = 60_000.0
"""The widest composite edifices on land are about so wide (Grosse et al. 2014); wider shields have to be asked for."""
LEAST_HEIGHT_M = 20.0
"""Twice the 90 % error of SRTM and Copernicus heights (10 m; Rodriguez et al. 2006, doi:10.14358/PERS.72.3.249)."""
_PARTIAL = 0.05


@dataclass(frozen=True)
class Volcano(Landform):
    """A volcanic edifice."""

    summit: tuple[float, float]
    """Map (x, y) of its highest cell."""
    measures: Morphometry
    """Its measures."""
    classification: Classification
    """Its class, how sure, and why."""
    area_m2: float
    """Of its outline."""
    crater: Any
    """shapely Polygon of the crater's rim, or None."""
    crater_width_m: float
    """NaN where there is none."""
    crater_depth_m: float
    """NaN where there is none."""
    crater_breached: bool
    """True if a part of the rim is gone."""
    method: str
    """Who drew the outline: "morphometric", "model" or "agreed"."""
    agreement: float
    """Area that the two outlines share, over their union; NaN where only one was drawn."""


@dataclass(frozen=True)
class VolcanoResult(LandformResult):
    """What the volcano finder found."""

    polygons: tuple[Volcano, ...]
    """The most certain first."""


COLUMNS: tuple[LandformField, ...] = (
    LandformField("class", FieldKind.TEXT, lambda v: v.label),
    LandformField("confidence", FieldKind.REAL, lambda v: v.confidence),
    LandformField("class_conf", FieldKind.REAL, lambda v: v.classification.confidence),
    LandformField("reasons", FieldKind.TEXT, lambda v: v.reasons),
    LandformField("partial", FieldKind.INTEGER, lambda v: v.partial),
    LandformField("method", FieldKind.TEXT, lambda v: v.method),
    LandformField("agreement", FieldKind.REAL, lambda v: v.agreement),
    LandformField("summit_x", FieldKind.REAL, lambda v: v.summit[0]),
    LandformField("summit_y", FieldKind.REAL, lambda v: v.summit[1]),
    LandformField("summit_m", FieldKind.REAL, lambda v: v.measures.summit_m),
    LandformField("height_m", FieldKind.REAL, lambda v: v.measures.height_m),
    LandformField("base_w_m", FieldKind.REAL, lambda v: v.measures.base_width_m),
    LandformField("summit_w_m", FieldKind.REAL, lambda v: v.measures.summit_width_m),
    LandformField("h_over_w", FieldKind.REAL, lambda v: v.measures.height_over_width),
    LandformField("slope_mean", FieldKind.REAL, lambda v: v.measures.mean_slope_deg),
    LandformField("slope_max", FieldKind.REAL, lambda v: v.measures.max_slope_deg),
    LandformField("concavity", FieldKind.REAL, lambda v: v.measures.concavity),
    LandformField("ellipt", FieldKind.REAL, lambda v: v.measures.ellipticity),
    LandformField("irregul", FieldKind.REAL, lambda v: v.measures.irregularity),
    LandformField("area_m2", FieldKind.REAL, lambda v: v.area_m2),
    LandformField("volume_m3", FieldKind.REAL, lambda v: v.measures.volume_m3),
    LandformField("crater_w_m", FieldKind.REAL, lambda v: v.crater_width_m),
    LandformField("crater_d_m", FieldKind.REAL, lambda v: v.crater_depth_m),
    LandformField("breached", FieldKind.INTEGER, lambda v: v.crater_breached),
)
"""Names of at most ten letters, as shapefiles have them."""


class VolcanoFinder:
    """Finds volcanic edifices."""

    title = "Volcanoes"
    columns = COLUMNS

    def find(
        self, source: RasterSource, settings: FinderSettings, progress: Progress, outliner: Outliner | None = None
    ) -> LandformResult:
        """Return the volcanoes of a DEM; see :class:`LandformFinder`."""
        smallest, largest = widths(source, settings)
        levels = DemLevels(source, smallest / SMALLEST_CELLS, settings.dem)
        edifices = find_edifices(
            levels,
            (smallest, largest),
            least_height_m=settings.least_relief_m or LEAST_HEIGHT_M,
            least_confidence=settings.confidence,
            progress=SubProgress(progress, 0.0, 0.8),
        )
        volcanoes = []
        for index, found in enumerate(edifices):
            check(progress)
            share = SubProgress(progress, 0.8 + 0.2 * index / len(edifices), 0.8 + 0.2 * (index + 1) / len(edifices))
            share.report(0.0, "Measuring volcanoes")
            volcanoes.append(self._volcano(levels, found, settings, share, outliner))
        progress.report(1.0)
        return VolcanoResult(
            polygons=tuple(volcanoes),
            columns=COLUMNS,
            crs=source.grid.crs,
            warnings=(*levels.doubts, *_fallbacks(volcanoes, settings, outliner)),
            notes=(
                f"Looked for bases {smallest / 1000.0:.3g} to {largest / 1000.0:.3g} km wide "
                f"on cells of {levels.cell_m(0):.3g} m.",
            ),
        )

    def _volcano(
        self,
        levels: DemLevels,
        found: FoundEdifice,
        settings: FinderSettings,
        progress: Progress,
        outliner: Outliner | None,
    ) -> Volcano:
        edifice = refined(levels, found.edifice, progress)
        drawn = None
        if outliner is not None and settings.method is not OutlineMethod.MORPHOMETRIC:
            include, exclude = prompt_points(levels, edifice)
            drawn = outliner.draw(landform_prompts(include, exclude, levels.grid(0).crs), progress)
        chosen = choose(levels, edifice, drawn, settings.method)
        edifice, outline = chosen.edifice, chosen.edifice.outline
        fine = look_finely(levels, edifice, progress, cells=100.0)
        radius = np.interp(fine.azimuth, edifice.polar.azimuth, outline.radius_m, period=2.0 * math.pi)
        crater = crater_of(levels, edifice, found.height_m, progress)
        x, y, summit_m = summit_of(levels, edifice, progress)
        measures = replace(measure_edifice(fine, outline, radius, crater), summit_m=summit_m)
        partial = float(np.mean(outline.cut)) > _PARTIAL
        classified = classify(measures, crater, partial=partial)
        return Volcano(
            geometry=chosen.geometry,
            label=classified.kind.value,
            confidence=found.evidence.confidence,
            reasons=_reasons(found, classified, chosen, partial=partial),
            partial=partial,
            summit=(x, y),
            measures=measures,
            classification=classified,
            area_m2=measure(chosen.geometry, levels.grid(0).crs).area_m2,
            crater=None if crater is None else polygon(levels, crater.centre, crater.azimuth, crater.radius_m),
            crater_width_m=math.nan if crater is None else crater.width_m,
            crater_depth_m=math.nan if crater is None else crater.depth_m,
            crater_breached=crater is not None and crater.breached,
            method=chosen.method.value,
            agreement=chosen.agreement,
        )


def widths(source: RasterSource, settings: FinderSettings) -> tuple[float, float]:
    """Return the smallest and largest base width in metres: as asked, else what the DEM resolves and holds."""
    grid = source.grid
    across, down = cell_sizes(ground_matrix(grid, (grid.width / 2.0, grid.height / 2.0)))
    holds = max(across * grid.width, down * grid.height)
    smallest = max(SMALLEST_M, SMALLEST_CELLS * math.sqrt(across * down))
    largest = min(LARGEST_M, holds)
    if settings.smallest_km is not None:
        smallest = 1000.0 * settings.smallest_km
    if settings.largest_km is not None:
        largest = 1000.0 * settings.largest_km
    return (smallest, max(smallest, largest)) if settings.largest_km is None else (min(smallest, largest), largest)


def _reasons(found: FoundEdifice, classified: Classification, chosen: ChosenOutline, *, partial: bool) -> str:
    evidence = found.evidence
    said = [
        f"flank {evidence.radial:.0%} radial",
        f"{evidence.symmetric:.0%} of the relief explained by the distance from the centre",
        f"surroundings {'low' if evidence.standing > 0.9 else 'partly as high'} ({evidence.standing:.2f})",
    ]
    if evidence.resolved < 1.0:
        said.append(f"few cells ({evidence.resolved:.2f})")
    if evidence.possible < 1.0:
        said.append("very steep for a volcano")
    if evidence.closed < 0.9:
        said.append(f"falls on {evidence.closed:.0%} of its sides")
    if partial:
        said.append("cut by the end of the data")
    if not math.isnan(chosen.agreement):
        answer = "agrees" if chosen.agreement >= AGREE else "differs"
        said.append(f"model's outline {answer} ({chosen.agreement:.2f})")
    return f"{classified.kind.value}: {classified.reasons}. {'; '.join(said)}."


def _fallbacks(volcanoes: list[Volcano], settings: FinderSettings, outliner: Outliner | None) -> list[str]:
    if settings.method is OutlineMethod.MORPHOMETRIC or not volcanoes:
        return []
    if outliner is None:
        return ["No model was asked: outlines are morphometric only."]
    silent = sum(math.isnan(volcano.agreement) for volcano in volcanoes)
    if silent:
        return [f"The model gave no outline for {silent} of {len(volcanoes)} volcanoes: theirs is morphometric."]
    return []


ENTRY = VolcanoFinder()
