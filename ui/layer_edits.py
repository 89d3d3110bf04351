"""Changes of a vector layer that are all made or none: one named edit command, with every refusal as an error."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from qgis.core import QgsFeature, QgsGeometry, QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import QCoreApplication

from ..core.errors import OutputError

_log = logging.getLogger(__name__)


class LayerEdits:
    """The changes of one edit command; :func:`edit_command` makes it.

    Parameters
    ----------
    layer : QgsVectorLayer
        In an edit session.
    """

    def __init__(self, layer: QgsVectorLayer) -> None:
        self._layer = layer

    def add(self, features: Iterable[QgsFeature]) -> None:
        """Add features; they know their numbers afterwards."""
        for feature in features:
            self._check(self._layer.addFeature(feature), tr("The object can't be added."))

    def change(self, feature_id: int, geometry: QgsGeometry, attributes: Mapping[int, Any]) -> None:
        """Give a feature another geometry and other attributes (by field index); its primary key stays."""
        keys = set(self._layer.primaryKeyAttributes())
        self._check(self._layer.changeGeometry(feature_id, geometry), tr("The outline can't be changed."))
        for index, value in attributes.items():
            if index not in keys:
                self._check(
                    self._layer.changeAttributeValue(feature_id, index, value), tr("An attribute can't be changed.")
                )

    def delete(self, feature_ids: Iterable[int]) -> None:
        """Delete features."""
        for feature_id in feature_ids:
            self._check(self._layer.deleteFeature(feature_id), tr("The object can't be deleted."))

    def add_topological_points(self, geometries: Iterable[QgsGeometry], project: QgsProject) -> None:
        """Give neighbours a vertex wherever a new vertex lies on their side, if the project wants that."""
        if not project.topologicalEditing():
            return
        for geometry in geometries:
            # 0: added; 2: none was needed
            self._check(
                self._layer.addTopologicalPoints(geometry) in (0, 2), tr("The neighbours' vertices can't be added.")
            )

    def _check(self, done: bool, message: str) -> None:
        if not done:
            provider = self._layer.dataProvider()
            reasons = "; ".join(provider.errors()) if provider.hasErrors() else ""
            raise OutputError(
                f"{self._layer.name()}: {message} {reasons}".strip(),
                hint=tr("Nothing was changed. Check the layer, or choose another one."),
            )


@contextmanager
def edit_session(layer: QgsVectorLayer) -> Iterator[bool]:
    """Switch editing on for a while, if it is off; it stays on if something was changed. Gives whether it was off.

    Raises
    ------
    OutputError
        If the layer can't be edited.
    """
    started = not layer.isEditable()
    if started and not layer.startEditing():
        raise OutputError(
            tr("The layer '{}' can't be edited now.").format(layer.name()),
            hint=tr("Check that nobody else has locked it, or choose another target layer."),
        )
    try:
        yield started
    finally:
        if started and not layer.isModified() and not layer.rollBack():
            _log.warning("editing of %s can't be switched off again", layer.name())


@contextmanager
def edit_command(layer: QgsVectorLayer, name: str) -> Iterator[LayerEdits]:
    """Make changes as one named step of the layer's undo stack; whatever goes wrong inside leaves nothing half done."""
    layer.beginEditCommand(name)
    done = False
    try:
        yield LayerEdits(layer)
        done = True
    finally:
        if done:
            layer.endEditCommand()
            # an edit buffer does not tell the canvas by itself
            layer.triggerRepaint()
        else:
            layer.destroyEditCommand()


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("LayerEdits", text)
