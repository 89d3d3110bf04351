"""What a segmentation gives: polygons with their measures, and the facts needed to make them again.

``FIELDS`` is the one table of attributes; the GeoJSON and GeoPackage writers and the QGIS sinks all follow it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from typing import Any, Protocol, Union

ObjectId = Union[int, str]
"""What names an object: its number in the call, or its value of the user's group field."""
AttributeValue = Union[int, float, str, None]


def now_utc() -> str:
    """Return the present time as ISO 8601 in UTC, to the second, e.g. "2026-11-20T12:09:00Z"."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class FieldKind(Enum):
    """Type of an attribute, whatever the output format calls it."""

    INTEGER = "integer"
    REAL = "real"
    TEXT = "text"


@dataclass(frozen=True)
class SegmentedPolygon:
    """One object's outline."""

    geometry: Any
    """shapely Polygon, or MultiPolygon where several parts were kept; valid, in the result's CRS, rings oriented."""
    object: ObjectId
    """Which object of the call it is."""
    label: str
    """Class or name that the user gave; may be empty."""
    score: float
    """The model's predicted IoU for the mask; NaN where the model gives none."""
    area_m2: float
    """Geodesic area in square metres; square pixels in pixel space."""
    perimeter_m: float
    """Geodesic length of all its rings in metres; pixels in pixel space."""
    prompts: str = ""
    """The prompts as text, e.g. "+12.5,46.1 EPSG:4326"."""
    resolution: float = float("nan")
    """CRS units per pixel of the chip that it was found in; more than the source's where the chip was coarsened."""
    window: str = ""
    """The chip that it was found in, as text."""
    stability: float = float("nan")
    """IoU of its masks at a higher and a lower threshold, 0 to 1; NaN where it was not taken."""
    similarity: float = float("nan")
    """How like the examples it is, 0 to 1; NaN where there were none."""

    def __post_init__(self) -> None:
        if self.geometry.geom_type not in ("Polygon", "MultiPolygon"):
            raise ValueError(f"SegmentedPolygon.geometry: expected (Multi)Polygon, got {self.geometry.geom_type}")


@dataclass(frozen=True)
class Provenance:
    """What all polygons of a result share: with the prompts, enough to make them again."""

    model: str
    """Name of the model in the catalogue."""
    model_sha256: str
    """Digest over the model's weights."""
    source: str
    """What was opened to get the pixels, without credentials."""
    stretch: str = ""
    """Bands and stretch, as text."""
    settings: str = ""
    """Outline settings, as text."""
    created: str = field(default_factory=now_utc)
    """When, as ISO 8601 in UTC to the second."""
    version: str = ""
    """Version of Prompt Segmenter."""


@dataclass(frozen=True)
class SegmentationResult:
    """What one call of the session gives. No polygons is a normal outcome: nothing was found."""

    polygons: tuple[SegmentedPolygon, ...]
    """In the order of the objects asked for; an object without an outline is left out."""
    crs: str | None
    """CRS of the geometries (the raster's own); None in pixel space, where y grows downwards."""
    elapsed_s: float
    """Wall-clock seconds that it took."""
    provenance: Provenance
    """What the polygons were made with."""
    warnings: tuple[str, ...] = ()
    """Sentences that the user should read."""

    def __len__(self) -> int:
        return len(self.polygons)

    def fields(self) -> tuple[Field, ...]:
        """Return the attribute table's columns: ``FIELDS``, with ``object`` as text if any object's name is text."""
        return fields_for([polygon.object for polygon in self.polygons])

    def rows(self) -> Iterator[tuple[Any, tuple[AttributeValue, ...]]]:
        """Yield each polygon's geometry and its attribute values, in the order of :meth:`fields`."""
        columns = self.fields()
        for polygon in self.polygons:
            yield polygon.geometry, tuple(column.value(polygon, self.provenance) for column in columns)


class Outlined(Protocol):
    """Anything with an outline."""

    @property
    def geometry(self) -> Any:
        """Shapely Polygon or MultiPolygon."""


class OutlineTable(Protocol):
    """What the file writers take: outlines with a row of attributes each."""

    @property
    def polygons(self) -> Sequence[Outlined]:
        """What has the outlines."""

    @property
    def crs(self) -> str | None:
        """CRS of the outlines; None in pixel space."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences that the user should read."""

    def fields(self) -> tuple[Field, ...]:
        """Return the attribute table's columns."""

    def rows(self) -> Iterator[tuple[Any, tuple[AttributeValue, ...]]]:
        """Yield each outline and its attribute values, in the order of :meth:`fields`."""


@dataclass(frozen=True)
class Field:
    """One column of the attribute table."""

    name: str
    """Its name, the same in every format."""
    kind: FieldKind
    """Its type."""
    get: Callable[[SegmentedPolygon, Provenance], Any]
    """Where its value comes from."""

    def value(self, polygon: SegmentedPolygon, provenance: Provenance) -> AttributeValue:
        """Return the value in the column's own Python type; None for NaN, which no format can hold portably."""
        raw = self.get(polygon, provenance)
        if self.kind is FieldKind.TEXT:
            return str(raw)
        if self.kind is FieldKind.INTEGER:
            return int(raw)
        number = float(raw)
        return number if number - number == 0.0 else None


FIELDS: tuple[Field, ...] = (
    Field("object", FieldKind.INTEGER, lambda polygon, _: polygon.object),
    Field("label", FieldKind.TEXT, lambda polygon, _: polygon.label),
    Field("score", FieldKind.REAL, lambda polygon, _: polygon.score),
    Field("area_m2", FieldKind.REAL, lambda polygon, _: polygon.area_m2),
    Field("perimeter_m", FieldKind.REAL, lambda polygon, _: polygon.perimeter_m),
    Field("model", FieldKind.TEXT, lambda _, provenance: provenance.model),
    Field("model_sha256", FieldKind.TEXT, lambda _, provenance: provenance.model_sha256),
    Field("prompts", FieldKind.TEXT, lambda polygon, _: polygon.prompts),
    Field("source", FieldKind.TEXT, lambda _, provenance: provenance.source),
    Field("resolution", FieldKind.REAL, lambda polygon, _: polygon.resolution),
    Field("stretch", FieldKind.TEXT, lambda _, provenance: provenance.stretch),
    Field("created", FieldKind.TEXT, lambda _, provenance: provenance.created),
    Field("version", FieldKind.TEXT, lambda _, provenance: provenance.version),
    Field("settings", FieldKind.TEXT, lambda _, provenance: provenance.settings),
    Field("window", FieldKind.TEXT, lambda polygon, _: polygon.window),
    Field("stability", FieldKind.REAL, lambda polygon, _: polygon.stability),
    Field("similarity", FieldKind.REAL, lambda polygon, _: polygon.similarity),
)
"""The columns of every output, for objects that are numbered."""


def fields_for(objects: Sequence[ObjectId]) -> tuple[Field, ...]:
    """Return ``FIELDS``, with ``object`` as text if any of the objects' names is text (values of a group field)."""
    if not any(isinstance(name, str) for name in objects):
        return FIELDS
    first = FIELDS[0]
    return (Field(first.name, FieldKind.TEXT, first.get), *FIELDS[1:])
