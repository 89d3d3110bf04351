"""The objects of a search and the features that stand for them: which belong together, and what was made of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from qgis.core import QgsFeature

from ..algorithms.bridge import from_qgis_geometry, to_qgis_geometry
from ..core.outlines.measure import measure
from ..core.outlines.results import SegmentedPolygon


def matched(
    there: Mapping[int, SegmentedPolygon], result: Sequence[SegmentedPolygon]
) -> tuple[dict[int, SegmentedPolygon], list[SegmentedPolygon], list[int]]:
    """Return which number each object of the result has, which have none yet, and which numbers have no object.

    A search hands on the very objects that it gives in the end; only where it does not, outlines are compared.
    """
    numbers = {id(each): number for number, each in there.items()}
    kept, unknown = {}, []
    for each in result:
        number = numbers.pop(id(each), None)
        if number is None:
            unknown.append(each)
        else:
            kept[number] = each
    alike = {_key(there[number]): number for number in numbers.values()} if unknown else {}
    missing = []
    for each in unknown:
        number = alike.pop(_key(each), None)
        if number is None:
            missing.append(each)
        else:
            kept[number] = each
    return kept, missing, [number for number in there if number not in kept]


def as_object(feature: QgsFeature, found: SegmentedPolygon | None, crs: str | None) -> SegmentedPolygon:
    """Return what a feature is now."""
    shape = feature.geometry()
    if found is not None and to_qgis_geometry(found.geometry).equals(shape):
        return labelled(found, feature)
    geometry = from_qgis_geometry(shape)
    size = measure(geometry, crs)
    if found is not None:
        same = replace(found, geometry=geometry, area_m2=size.area_m2, perimeter_m=size.perimeter_m)
        return labelled(same, feature)
    return SegmentedPolygon(geometry, 0, _label_of(feature), math.nan, size.area_m2, size.perimeter_m)


def labelled(found: SegmentedPolygon, feature: QgsFeature) -> SegmentedPolygon:
    """Return an object with the label that its feature has now."""
    label = _label_of(feature, found.label)
    return found if label == found.label else replace(found, label=label)


def _key(found: SegmentedPolygon) -> tuple[str, bytes]:
    return found.label, found.geometry.wkb


def _label_of(feature: QgsFeature, unknown: str = "") -> str:
    """Return the label of a feature; ``unknown`` where the user has deleted that field."""
    index = feature.fields().lookupField("label")
    label = unknown if index < 0 else feature[index]
    return label if isinstance(label, str) else ""
