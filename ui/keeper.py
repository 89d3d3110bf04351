"""What happens to the target layer: objects are kept in it, opened from it, and removed from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from qgis.core import QgsCoordinateReferenceSystem, QgsFeature, QgsGeometry, QgsPointXY, QgsProject, QgsVectorLayer
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QCoreApplication, QObject, pyqtSignal

from ..algorithms.bridge import crs_text
from ..core.errors import OutputError
from ..core.outlines.results import Provenance, SegmentedPolygon
from ..core.prompts.shape import ShapePrompt
from .live_session import Found
from .neighbours import near
from .prompt_state import EditedFeature, OpenObject
from .target_layer import AskForm, KeepSettings, KeptObject, TargetLayer

_DIGITS = 17


class Keeper(QObject):
    """Knows the target layer. ``made`` comes with the memory layer that is made when there is none.

    Parameters
    ----------
    ask_form : callable, optional
        Shows a new object's attribute form.
    """

    made = pyqtSignal(object)

    def __init__(self, ask_form: AskForm | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ask_form = ask_form
        self._layer: QgsVectorLayer | None = None
        self.settings = KeepSettings()

    @property
    def layer(self) -> QgsVectorLayer | None:
        """The target layer; None if one is to be made."""
        if self._layer is not None and sip.isdeleted(self._layer):
            self._layer = None
        return self._layer

    @layer.setter
    def layer(self, layer: QgsVectorLayer | None) -> None:
        self._layer = layer

    def keep(self, item: OpenObject, found: Found, fallback: QgsCoordinateReferenceSystem) -> KeptObject:
        """Write an outline: as a new object, or in the place of the polygon that it corrects.

        Raises
        ------
        SegmentError
            If the layer does not take it; it is then as it was before.
        """
        if found.answer.outline is None:
            raise ValueError("Keeper.keep: expected an outline, got none")
        edited = self._edited(item)
        if edited is not None:
            layer, feature_id = edited
            # the class of the next objects is not that of one which is there already
            outline = replace(found.answer.outline, label="")
            return self._target(layer).replace(feature_id, outline, found.crs, found.provenance)
        outline = replace(found.answer.outline, label=self.settings.label)
        return self._target(self._or_new(fallback)).keep(outline, found.crs, found.provenance, self.settings)

    def keep_all(
        self, outlines: Iterable[SegmentedPolygon], source: QgsVectorLayer, provenance: Provenance
    ) -> tuple[QgsVectorLayer, int, int]:
        """Write outlines of another layer, in its CRS, as one step to undo; no form is shown.

        They are taken one by one as they are written: whatever ends that leaves the layer as it was. An outline's own
        label counts, and where it has none the one that the user has set.

        Returns
        -------
        tuple
            The layer they were written to, how many were written, and how many there were.

        Raises
        ------
        SegmentError
            If the layer does not take one of them; it is then as it was before.
        """
        if self.layer is not None and self.layer is source:
            raise OutputError(
                tr("'{}' is the target layer itself.").format(source.name()),
                hint=tr("Choose another layer to save to, or a new one."),
            )
        label = self.settings.label
        labelled = (each if each.label or not label else replace(each, label=label) for each in outlines)
        settings = replace(self.settings, label="")
        is_new = self.layer is None
        target = self._or_new(source.crs())
        written = False
        try:
            kept = TargetLayer(target).keep_all(labelled, crs_text(source.crs()), provenance, settings)
            written = True
        finally:
            if is_new and not written:
                # it was made for these
                self._layer = None
                QgsProject.instance().removeMapLayer(target.id())
        return target, sum(each.written for each in kept), len(kept)

    def at(self, point: QgsPointXY, crs: QgsCoordinateReferenceSystem) -> QgsFeature | None:
        """Return the polygon of the target layer under a map point, or None; one that isn't shown can't be meant."""
        if self.layer is None or not self.layer.isValid() or not _is_shown(self.layer):
            return None
        return self._target(self.layer).at(point, crs)

    def remove_at(self, point: QgsPointXY, crs: QgsCoordinateReferenceSystem) -> EditedFeature | None:
        """Delete the polygon of the target layer under a map point and return which it was; None if there is none."""
        feature = self.at(point, crs)
        if feature is None or self.layer is None:
            return None
        self._target(self.layer).remove(feature.id())
        return EditedFeature(self.layer.id(), feature.id())

    def opened(
        self, feature: QgsFeature, layer: QgsVectorLayer | None = None
    ) -> tuple[ShapePrompt, EditedFeature, str | None]:
        """Return a polygon of a layer (the target layer if left out) as a prompt, what it is, and the CRS of both."""
        layer = self.layer if layer is None else layer
        if layer is None:
            raise ValueError("Keeper.opened: expected a target layer, got none")
        shape = ShapePrompt(_flat(feature))
        return shape, EditedFeature(layer.id(), feature.id()), crs_text(layer.crs())

    def _edited(self, item: OpenObject) -> tuple[QgsVectorLayer, int] | None:
        """Return the layer and the number of the polygon that an object corrects, if both are still there."""
        if item.edited is None:
            return None
        layer = QgsProject.instance().mapLayer(item.edited.layer_id)
        if not isinstance(layer, QgsVectorLayer):
            return None
        if layer.getFeature(item.edited.feature_id).isValid():
            return layer, item.edited.feature_id
        # saving the layer gives a feature that was new another number, and leaves it where it was
        before = QgsGeometry.fromWkt(next(given.wkt for given in item.prompts if isinstance(given, ShapePrompt)))
        same = (one.id() for one in near(layer, before.boundingBox()) if one.geometry().isGeosEqual(before))
        saved = next(same, None)
        return None if saved is None else (layer, saved)

    def _or_new(self, fallback: QgsCoordinateReferenceSystem) -> QgsVectorLayer:
        if self.layer is None:
            self._layer = TargetLayer.new_memory_layer(QgsProject.instance(), tr("Segmented objects"), fallback)
            self.made.emit(self._layer)
        return self._layer

    def _target(self, layer: QgsVectorLayer) -> TargetLayer:
        return TargetLayer(layer, ask_form=self._ask_form)


def _is_shown(layer: QgsVectorLayer) -> bool:
    """Return False for a layer that is switched off in the project's layer tree."""
    node = QgsProject.instance().layerTreeRoot().findLayer(layer.id())
    return node is None or bool(node.isVisible())


def _flat(feature: QgsFeature) -> str:
    """Return a polygon's WKT in two dimensions and straight lines, without losing a digit."""
    geometry = feature.geometry()
    part = geometry.constGet().segmentize()
    part.dropZValue()
    part.dropMValue()
    return str(part.asWkt(_DIGITS))


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("Keeper", text)
