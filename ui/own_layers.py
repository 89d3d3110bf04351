"""Layers that hold what was found: known by a mark, so that no search takes them for a part of the image."""

from __future__ import annotations

from collections.abc import Iterable

from qgis.core import QgsMapLayer

_KEY = "prompt_segmenter/found"


def mark(layer: QgsMapLayer) -> None:
    """Note that a layer holds what was found; the note is saved with the project."""
    layer.setCustomProperty(_KEY, True)


def is_own(layer: QgsMapLayer) -> bool:
    """Return True for a layer that was marked."""
    return str(layer.customProperty(_KEY, False)).lower() == "true"


def among(layers: Iterable[QgsMapLayer]) -> list[QgsMapLayer]:
    """Return those of the layers that were marked."""
    return [layer for layer in layers if is_own(layer)]
