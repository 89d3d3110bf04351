"""What a landform finder gives: polygons with measures, a confidence, and the reasons in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..outlines.results import AttributeValue, Field, FieldKind


@dataclass(frozen=True)
class LandformField:
    """One column of a finder's attribute table."""

    name: str
    """Its name, the same in every format."""
    kind: FieldKind
    """Its type."""
    get: Callable[[Any], Any]
    """Where its value comes from: a function of the finder's own landform."""

    def value(self, landform: Any) -> AttributeValue:
        """Return the value in the column's own type; None for NaN and None."""
        raw = self.get(landform)
        if raw is None:
            return None
        if self.kind is FieldKind.TEXT:
            return str(raw)
        if self.kind is FieldKind.INTEGER:
            return int(raw)
        number = float(raw)
        return number if number - number == 0.0 else None


@dataclass(frozen=True)
class Landform:
    """A landform that was found. Finders add their own measures in subclasses."""

    geometry: Any
    """shapely Polygon or MultiPolygon, valid, in the DEM's CRS."""
    label: str
    """Its class, e.g. "stratovolcano"."""
    confidence: float
    """That it is what the finder looks for, 0 to 1."""
    reasons: str
    """Why, in words with the values."""
    partial: bool
    """True if the DEM's edge or nodata cuts it."""


@dataclass(frozen=True)
class LandformResult:
    """What a finder found, in a form that the file writers take. Nothing found is a normal outcome."""

    polygons: tuple[Landform, ...]
    """The most certain first."""
    columns: tuple[LandformField, ...]
    """The attribute table."""
    crs: str | None
    """CRS of the geometries: the DEM's own."""
    warnings: tuple[str, ...] = ()
    """Sentences that the user should read."""
    notes: tuple[str, ...] = ()
    """Sentences on how the result came about."""

    def __len__(self) -> int:
        return len(self.polygons)

    def fields(self) -> tuple[Field, ...]:
        """Return the columns as the writers know them."""
        return tuple(Field(column.name, column.kind, lambda *_: None) for column in self.columns)

    def rows(self) -> Iterator[tuple[Any, tuple[AttributeValue, ...]]]:
        """Yield each landform's geometry and its attribute values, in the order of the columns."""
        for landform in self.polygons:
            yield landform.geometry, tuple(column.value(landform) for column in self.columns)
