"""Copies of map layers, made on their own thread, that another thread may draw while the user changes the originals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import qgis.core
from qgis.core import QgsMapLayer

_GROUP = getattr(qgis.core, "QgsGroupLayer", None)
"""A group that is drawn as one layer; QGIS 3.24 and later."""


def flattened(layers: Iterable[QgsMapLayer]) -> Iterator[QgsMapLayer]:
    """Yield layers, and those inside groups that are layers themselves."""
    for layer in layers:
        yield layer
        if is_group(layer):
            yield from flattened(layer.childLayers())


def cloned(layers: Iterable[QgsMapLayer], styles: Mapping[str, str]) -> tuple[list[QgsMapLayer], dict[str, str]]:
    """Return copies of layers in their order, and the style overrides by the copies' ids.

    A layer that is shown at one scale is shown at all: what was on the screen is what is looked at, however closely.
    """
    copies, copied_styles = [], {}
    for layer in layers:
        copy = _clone(layer)
        copies.append(copy)
        if layer.id() in styles:
            copied_styles[copy.id()] = styles[layer.id()]
    return copies, copied_styles


def is_group(layer: QgsMapLayer) -> bool:
    """Return True if a layer is a group of layers."""
    return _GROUP is not None and isinstance(layer, _GROUP)


def _clone(layer: QgsMapLayer) -> QgsMapLayer:
    copy = layer.clone()
    copy.setScaleBasedVisibility(False)
    if is_group(layer):
        # the copy of a group refers to the project's own layers
        children = [_clone(child) for child in layer.childLayers()]
        for child in children:
            child.setParent(copy)
        copy.setChildLayers(children)
    return copy
