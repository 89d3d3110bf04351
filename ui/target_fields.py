"""What is written into the attributes of a target layer: the core's columns, where the layer has a place for them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from qgis.core import QgsField, QgsFields
from qgis.PyQt.QtCore import QDateTime, QMetaType, Qt

from ..algorithms.recorded import index_of
from ..core.outlines.measure import Measures
from ..core.outlines.results import AttributeValue, Provenance, SegmentedPolygon, fields_for

CLASS_NAMES = ("label", "class")
"""Names of the field that takes the label; the first that the layer has is used."""
_NO_LENGTH = 0
_OWN = (1, 3)
"""Numbers of QgsFields' origins of fields that are the layer's own: of its provider, or added in the edit buffer."""


def _number_of(kind: Any) -> int:
    """Return a member of one of Qt's enums as a number: in Qt5 it is one, in Qt6 it may only have one."""
    return int(getattr(kind, "value", kind))


_INTEGERS = {_number_of(QMetaType.Type.Int): 31, _number_of(QMetaType.Type.LongLong): 63}
_REAL, _TEXT = _number_of(QMetaType.Type.Double), _number_of(QMetaType.Type.QString)
_DATE, _TIME = _number_of(QMetaType.Type.QDate), _number_of(QMetaType.Type.QDateTime)


def attributes_of(
    fields: QgsFields, outline: SegmentedPolygon, provenance: Provenance, *, label: str = ""
) -> dict[int, Any]:
    """Return what the layer can take of an outline's attributes, by field index, in the fields' own types.

    Fields are found by name, whatever its case; in shapefiles by the first ten characters. Text is cut to the field's
    length; a value that the field can't hold is left out, so that the layer's own default counts.
    """
    label = label or outline.label
    values: dict[str, AttributeValue] = {
        column.name: column.value(outline, provenance) for column in fields_for([outline.object])
    }
    values["label"] = label
    found = {}
    for name, value in values.items():
        index = class_field(fields) if name == "label" else index_of(fields, name)
        if is_own(fields, index) and value not in (None, ""):
            fitting = converted(value, fields.at(index))
            if fitting is not None:
                found[index] = fitting
    return found


def measures(fields: QgsFields, measured: Measures) -> dict[int, Any]:
    """Return the attributes that say how large a geometry is that is not the whole outline, by field index."""
    values = {"area_m2": measured.area_m2, "perimeter_m": measured.perimeter_m}
    found = {index_of(fields, name): value for name, value in values.items()}
    return {index: converted(value, fields.at(index)) for index, value in found.items() if is_own(fields, index)}


def marked(fields: QgsFields, attributes: Mapping[int, Any], mark: str) -> dict[int, Any]:
    """Return the settings attribute with a word that says how the geometry was changed after it was made.

    A replay compares with what the model gave, so it has to know that this is not it.
    """
    index = index_of(fields, "settings")
    text = attributes.get(index)
    if not is_own(fields, index) or not isinstance(text, str) or not text or mark in text.split():
        return {}
    return {index: converted(f"{text} {mark}", fields.at(index))}


def is_own(fields: QgsFields, index: int) -> bool:
    """Return True for a field that can be written: neither missing (-1) nor joined nor computed."""
    if index < 0:
        return False
    return _number_of(fields.fieldOrigin(index)) in _OWN


def label_in(fields: QgsFields, label: str) -> str:
    """Return a label as the layer's class field would hold it, as text."""
    index = class_field(fields)
    value = converted(label, fields.at(index)) if index >= 0 and label else None
    return "" if value is None else str(value)


def class_field(fields: QgsFields) -> int:
    """Return the index of the field that takes the label, or -1."""
    return next((index for index in (index_of(fields, name) for name in CLASS_NAMES) if index >= 0), -1)


def converted(value: AttributeValue, field: QgsField) -> Any:
    """Return a value in a field's own type, or None if the field can't hold it.

    Examples
    --------
    >>> from qgis.PyQt.QtCore import QVariant
    >>> converted("a long label", QgsField("class", QVariant.String, len=6))
    'a long'
    """
    kind = _number_of(field.type())
    if kind == _TEXT:
        text = str(value)
        return text[: field.length()] if field.length() > _NO_LENGTH else text
    if kind in _INTEGERS or kind == _REAL:
        return _fitting(value, field, kind)
    if kind in (_DATE, _TIME):
        moment = QDateTime.fromString(str(value), Qt.DateFormat.ISODate)
        return (moment if kind == _TIME else moment.date()) if moment.isValid() else None
    try:
        return value if field.convertCompatible(value) else None
    except ValueError:
        return None


def _fitting(value: AttributeValue, field: QgsField, kind: int) -> float | int | None:
    """Return a number that a field of numbers can hold, or None."""
    number = _number(value)
    if number is None or (kind != _REAL and abs(number) >= 2 ** _INTEGERS[kind]):
        return None
    # a decimal or integer field of a given length refuses more digits than it has
    if field.length() > _NO_LENGTH and len(f"{abs(number):.0f}") + bool(number < 0) > field.length():
        return None
    return number if kind == _REAL else round(number)


def _number(value: AttributeValue) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]  # None and words are what is asked about
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
