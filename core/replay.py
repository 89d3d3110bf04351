"""Results made again from their own attributes, and compared with what they were."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from . import native
from .errors import SegmentError, SettingsError
from .image_finder import SEARCHES
from .models import catalogue
from .models.embedding import EmbeddingCache
from .models.model import SegmentationModel
from .outlines.results import Provenance, SegmentedPolygon
from .outlines.shape import OutlineSettings
from .progress import Progress, check
from .prompts.parse import parse_prompts
from .prompts.prompt import PromptSet
from .raster import crs as crs_maths
from .raster.rgb import RgbRecipe
from .raster.source import RasterSource
from .session import SegmentationSession, SessionSettings
from .terrain.composite import CompositeSettings
from .terrain.composite_source import CompositeSource
from .terrain.composite_source import parse as parse_composite
from .terrain.reader import ElevationSettings
from .trace import Trace

SAME_IOU = 0.9999
"""From this overlap on two outlines are the same: a target layer in another CRS, or text, rounds coordinates."""
_CACHE_BYTES = 256 * 1024 * 1024
_SHOWN_DIGITS = 12
_SHOWN_PROMPTS = 60


class Verdict(Enum):
    """How a replay came out."""

    SAME = "same"
    """The same outline, to the last digit or to an IoU of ``SAME_IOU``."""
    DIFFERENT = "different"
    """Another outline, or none."""
    FAILED = "failed"
    """It could not be made again: raster, model or texts are missing."""


@dataclass(frozen=True)
class Record:
    """What a result says about one polygon: where it is, and how it was made."""

    geometry: Any
    """shapely (multi)polygon as it is stored; None if there is none."""
    crs: str | None
    """CRS of the geometry; None for the source's own."""
    prompts: str
    """Text of :meth:`PromptSet.describe`."""
    window: str
    """Text of :meth:`Trace.text`."""
    stretch: str
    """Text of :meth:`RgbRecipe.text`."""
    settings: str
    """Text of :meth:`OutlineSettings.describe`, and what was done to the outline later."""
    model: str
    """Name of the model."""
    model_sha256: str
    """Digest of its weights."""
    source: str
    """Name of the raster."""
    resolution: float = math.nan
    """CRS units per pixel of the chip."""

    @classmethod
    def of(cls, geometry: Any, crs: str | None, attributes: Mapping[str, Any]) -> Record:
        """Return the record of a geometry and its attributes by name; those that are missing are empty."""

        def text(name: str) -> str:
            value = attributes.get(name)
            return "" if value is None else str(value)

        resolution = attributes.get("resolution")
        return cls(
            geometry,
            crs,
            prompts=text("prompts"),
            window=text("window"),
            stretch=text("stretch"),
            settings=text("settings"),
            model=text("model"),
            model_sha256=text("model_sha256"),
            source=text("source"),
            resolution=math.nan if resolution in (None, "") else float(resolution),
        )

    @property
    def trace(self) -> Trace:
        """Where it was looked at. Raises :class:`SettingsError` if the window can't be read."""
        return Trace.parse(self.window)

    @property
    def is_drawn(self) -> bool:
        """True if not the raster's values were looked at but a picture that was drawn from them by its style."""
        return "pixels=drawn" in self.stretch.split() and self.composite is None

    @property
    def composite(self) -> tuple[CompositeSettings, ElevationSettings] | None:
        """How a DEM was painted and its heights were read; None if no DEM was looked at as a composite.

        Raises :class:`SettingsError` if the text can't be understood.
        """
        return parse_composite(self.stretch)

    @property
    def native_resolution(self) -> float:
        """CRS units per pixel of the source itself, which a map service does not say. Raises :class:`SettingsError`."""
        return self.resolution / self.trace.view.coarseness

    @property
    def changes(self) -> tuple[str, ...]:
        """What was done to the outline after the model gave it, e.g. ("clipped",)."""
        return tuple(word for word in self.settings.split() if "=" not in word)


@dataclass(frozen=True)
class Replayed:
    """What became of one record."""

    verdict: Verdict
    """How it came out."""
    status: str
    """The same in words."""
    iou: float = math.nan
    """Overlap of the outline with the stored one, 0 to 1; NaN where there is nothing to compare."""
    polygon: SegmentedPolygon | None = None
    """What was found this time, in ``crs``."""
    crs: str | None = None
    """CRS of the polygon: the source's."""
    provenance: Provenance | None = None
    """What it was made with."""


class Replayer:
    """Makes results again; what it opened stays open for the next record that needs it, until it is closed.

    Parameters
    ----------
    open_record : callable
        Opens the source of a record.
    load_model : callable
        Loads a model by its name.
    move : callable, optional
        Brings prompts into a CRS; the core's own transformation if left out.
    """

    def __init__(
        self,
        open_record: Callable[[Record], RasterSource],
        load_model: Callable[[str], SegmentationModel],
        *,
        move: Callable[[PromptSet, str | None], PromptSet] = PromptSet.transformed,
    ) -> None:
        self._open_record = open_record
        self._load_model = load_model
        self._move = move
        self._cache = EmbeddingCache(_CACHE_BYTES)
        self._models: dict[str, SegmentationModel] = {}
        self._source: RasterSource | None = None
        self._source_key: tuple[Any, ...] = ()
        self._session: SegmentationSession | None = None
        self._session_key: tuple[Any, ...] = ()

    def replay(self, record: Record, progress: Progress) -> Replayed:
        """Return how a record comes out when it is made again. An error is a verdict, so that others can go on.

        Raises
        ------
        Cancelled
            If the user asked to stop.
        """
        check(progress)
        try:
            return self._again(record, progress)
        except SegmentError as error:
            return Replayed(Verdict.FAILED, str(error))

    def close(self) -> None:
        """Let go of the source that is open."""
        if self._source is not None:
            self._source.close()
        self._source, self._source_key = None, ()
        self._session, self._session_key = None, ()

    def _again(self, record: Record, progress: Progress) -> Replayed:
        session = self._session_for(record)
        crs = session.source.grid.crs
        asked = parse_prompts(record.prompts, crs=crs)
        here = PromptSet(self._move(asked, crs).prompts, crs, given=asked)
        result = session.segment([here], progress)
        then, now = record.model_sha256, result.provenance.model_sha256
        weights = (
            f"model differs: weights {then[:_SHOWN_DIGITS]} then, {now[:_SHOWN_DIGITS]} now" if then != now else ""
        )
        if not result.polygons:
            return Replayed(Verdict.DIFFERENT, _joined("nothing found", weights), provenance=result.provenance)
        (polygon,) = result.polygons
        iou, identical = _compared(record, polygon.geometry, crs)
        verdict = Verdict.SAME if identical or iou >= SAME_IOU else Verdict.DIFFERENT
        words = "same" if identical else f"{verdict.value}: IoU {_rounded_down(iou)}"
        status = _joined(words, weights, *(f"{change} when it was kept" for change in record.changes))
        return Replayed(verdict, status, iou, polygon, crs, result.provenance)

    def _session_for(self, record: Record) -> SegmentationSession:
        if record.model in [spec.name for spec in catalogue.map_servers()]:
            raise SettingsError(
                f"It was outlined by a server ({record.model}) that fetched the map itself: {record.source}.",
                hint="Ask it again: prompts, source and window are in its attributes.",
            )
        if not (record.prompts and record.window and record.stretch and record.settings and record.model):
            names = ("prompts", "window", "stretch", "settings", "model")
            missing = [name for name in names if not getattr(record, name)]
            raise SettingsError(
                f"It does not say how it was made: {', '.join(missing)} is empty.", hint="Use a layer of results."
            )
        if record.prompts.startswith(SEARCHES):
            raise SettingsError(
                f"It was found by a search ({record.prompts[:_SHOWN_PROMPTS]}), together with what is around it.",
                hint="Run that search again: model, source, settings and window are in its attributes.",
            )
        key = (record.source, record.model, record.stretch, record.settings, record.window)
        if self._session is None or key != self._session_key:
            source = self._source_for(record)
            settings = SessionSettings(
                outline=OutlineSettings.parse(record.settings),
                recipe=RgbRecipe.parse(record.stretch, source),
                trace=record.trace,
            )
            model = self._model_for(record.model)
            self._session, self._session_key = SegmentationSession(source, model, settings, cache=self._cache), key
        return self._session

    def _source_for(self, record: Record) -> RasterSource:
        # a map service's grid follows from the resolution that it was drawn at
        finest = record.native_resolution if record.is_drawn else None
        composite = record.composite
        key = (record.source, finest, record.prompts.endswith(" pixels"), composite)
        if self._source is None or key != self._source_key:
            self.close()
            opened = self._open_record(record)
            self._source, self._source_key = opened if composite is None else _painted(opened, *composite), key
        return self._source

    def _model_for(self, name: str) -> SegmentationModel:
        if name not in self._models:
            self._models[name] = self._load_model(name)
        return self._models[name]


def _painted(source: RasterSource, composite: CompositeSettings, heights: ElevationSettings) -> CompositeSource:
    """Return the picture of a DEM; the DEM is closed if there can't be one."""
    try:
        return CompositeSource(source, composite, heights)
    except SegmentError:
        source.close()
        raise


def _compared(record: Record, geometry: Any, crs: str | None) -> tuple[float, bool]:
    """Return the IoU of the stored geometry with another in ``crs``, and whether every digit is the same."""
    if record.geometry is None or record.geometry.is_empty:
        return 0.0, False
    stored = _moved(record.geometry, record.crs, crs)
    if _rings(stored) == _rings(geometry):
        return 1.0, True
    shapely = native.shapely()
    one, other = (shape if shape.is_valid else shapely.validation.make_valid(shape) for shape in (stored, geometry))
    union = float(one.union(other).area)
    return (float(one.intersection(other).area) / union if union > 0.0 else 0.0), False


def _moved(geometry: Any, crs: str | None, target: str | None) -> Any:
    if crs is None or target is None or crs_maths.same(crs, target):
        return geometry

    def move(xs: Any, ys: Any, *_: Any) -> tuple[Any, Any]:
        moved = crs_maths.transform_points(np.column_stack([xs, ys]), crs, target)
        return moved[:, 0], moved[:, 1]

    return native.shapely().ops.transform(move, geometry)


def _rings(geometry: Any) -> list[list[tuple[float, float]]]:
    """Return every ring's vertices from its lowest one on, turning one way, in an order of their own."""
    rings = []
    for polygon in getattr(geometry, "geoms", [geometry]):
        for ring in (polygon.exterior, *polygon.interiors):
            corners = [(float(x), float(y)) for x, y, *_ in ring.coords[:-1]]
            first = corners.index(min(corners))
            forth = corners[first:] + corners[:first]
            rings.append(min(forth, [forth[0], *forth[:0:-1]]))
    return sorted(rings)


def _rounded_down(iou: float) -> str:
    """Return an IoU so that only 1 is shown as 1.

    Examples
    --------
    >>> _rounded_down(0.999996), _rounded_down(0.51)
    ('0.99999', '0.51')
    """
    return f"{math.floor(iou * 1e5) / 1e5:g}"


def _joined(*words: str) -> str:
    return "; ".join(word for word in words if word)
