"""The layer that objects are kept in: every change is one edit command of the layer, which its undo takes back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsGeometry,
    QgsMemoryProviderUtils,
    QgsPointXY,
    QgsProject,
    QgsVectorDataProvider,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QCoreApplication

from ..algorithms.bridge import move_geometry, to_qgis_crs, to_qgis_fields, to_qgis_geometry
from ..core.errors import OutputError
from ..core.outlines.results import FIELDS, Provenance, SegmentedPolygon
from .layer_edits import LayerEdits, edit_command, edit_session
from .neighbours import Around, Neighbours, near
from .new_features import measures_of, new_feature, parts_for, require_constraints
from .placement import OverlapRule, Placement, place
from .target_fields import attributes_of, label_in, marked

STYLE_PATH = Path(__file__).resolve().parents[1] / "resources" / "styles" / "outlines.qml"
NOT_WRITTEN = -(2**63)
"""The number of no feature, as QGIS has it."""
AskForm = Callable[[QgsVectorLayer, QgsFeature], Optional[QgsFeature]]
"""Shows the layer's form for a new feature and returns it as the user left it; None if they cancelled."""
_Capability = QgsVectorDataProvider.Capability


@dataclass(frozen=True)
class KeepSettings:
    """How an object is kept."""

    overlap: OverlapRule = OverlapRule.ALLOW
    """What happens where a polygon already is."""
    merge_touching: bool = False
    """Become one with the objects of the same class that it touches."""
    label: str = ""
    """Class or name; the outline's own where empty."""


@dataclass(frozen=True)
class KeptObject:
    """What became of an object."""

    layer_id: str
    """Where it was to go."""
    feature_id: int
    """The feature that holds it (the largest part where it became several); ``NOT_WRITTEN`` if none does."""
    message: str = ""
    """What happened beside the plain writing, in words; may be empty."""

    @property
    def written(self) -> bool:
        """True if the layer holds it."""
        return self.feature_id != NOT_WRITTEN


class TargetLayer:
    """Writes outlines into a polygon layer through its edit buffer. For the main thread.

    Parameters
    ----------
    layer : QgsVectorLayer
        A polygon layer.
    project : QgsProject, optional
        Whose datum transformations, topological editing and overlap rules count; the open one if left out.
    ask_form : callable, optional
        Shows the attribute form where the layer wants it (:func:`ui.attribute_form.ask`); no form if left out.
    """

    def __init__(
        self, layer: QgsVectorLayer, *, project: QgsProject | None = None, ask_form: AskForm | None = None
    ) -> None:
        self._layer = layer
        self._project = project or QgsProject.instance()
        self._ask_form = ask_form

    @staticmethod
    def new_memory_layer(project: QgsProject, name: str, crs: QgsCoordinateReferenceSystem) -> QgsVectorLayer:
        """Return a new temporary layer for outlines, added to the project; in the project's CRS if ``crs`` is none."""
        crs = crs if crs.isValid() else project.crs()
        kind = QgsWkbTypes.Type.MultiPolygon
        layer = QgsMemoryProviderUtils.createMemoryLayer(name, to_qgis_fields(FIELDS), kind, crs)
        layer.loadNamedStyle(str(STYLE_PATH))
        if project.addMapLayer(layer) is None:
            raise OutputError(tr("The new layer can't be added to the project."), hint=tr("Choose an existing layer."))
        return layer

    def keep(
        self, outline: SegmentedPolygon, crs: str | None, provenance: Provenance, settings: KeepSettings | None = None
    ) -> KeptObject:
        """Write an outline as one edit command, which starts an edit session if there is none.

        Parameters
        ----------
        outline : SegmentedPolygon
            What to write.
        crs : str or None
            CRS of its geometry; None for the layer's own.
        provenance : Provenance
            Goes into the attributes that the layer has for it.
        settings : KeepSettings, optional
            Label, overlaps, merging.

        Raises
        ------
        OutputError
            If the layer can't be edited or refuses the object; it is then as it was before.
        CrsError
            If the outline has no place in the layer's CRS.
        """
        settings = settings or KeepSettings()
        self._require(_Capability.AddFeatures)
        geometry, placement = self._placed(outline, crs, settings)
        if placement.geometry is None:
            return KeptObject(self._layer.id(), NOT_WRITTEN, _why_not(placement))
        parts, attributes = self._parts(outline, provenance, settings, placement)
        if placement.merged:
            with edit_session(self._layer) as started, edit_command(self._layer, tr("Segment: keep object")) as edits:
                stays, _ = self._merge(edits, parts, attributes, placement)
            return KeptObject(self._layer.id(), stays, _what(placement, len(parts), started=started))
        features = [new_feature(self._layer, part, attributes, whole=part.equals(geometry)) for part in parts]
        # the form of a layer that is not being edited is read-only
        with edit_session(self._layer) as started:
            if not self._fill_in(features):
                return KeptObject(self._layer.id(), NOT_WRITTEN, tr("Not kept: its form was cancelled."))
            require_constraints(self._layer, features)
            with edit_command(self._layer, tr("Segment: keep object")) as edits:
                edits.add(features)
                edits.add_topological_points(parts, self._project)
        return KeptObject(self._layer.id(), features[0].id(), _what(placement, len(features), started=started))

    def keep_all(
        self, outlines: Iterable[SegmentedPolygon], crs: str | None, provenance: Provenance, settings: KeepSettings
    ) -> list[KeptObject]:
        """Write outlines as one edit command, without a form; raises like :meth:`keep`, and then none is written."""
        self._require(_Capability.AddFeatures)
        kept = []
        context = self._layer.createExpressionContext()
        neighbours = Neighbours(self._layer)
        with edit_session(self._layer), edit_command(self._layer, tr("Segment: keep objects")) as edits:
            for outline in outlines:
                geometry, placement = self._placed(outline, crs, settings, neighbours.near)
                if placement.geometry is None:
                    kept.append(KeptObject(self._layer.id(), NOT_WRITTEN, _why_not(placement)))
                    continue
                parts, attributes = self._parts(outline, provenance, settings, placement)
                if placement.merged:
                    stays, others = self._merge(edits, parts, attributes, placement)
                    neighbours.remove(placement.merged)
                    neighbours.change(placement.merged[0], parts[0])
                    neighbours.add(others)
                    kept.append(KeptObject(self._layer.id(), stays))
                    continue
                features = [
                    new_feature(self._layer, part, attributes, whole=part.equals(geometry), context=context)
                    for part in parts
                ]
                require_constraints(self._layer, features)
                edits.add(features)
                edits.add_topological_points(parts, self._project)
                neighbours.add(features)
                kept.append(KeptObject(self._layer.id(), features[0].id()))
        return kept

    def replace(
        self, feature_id: int, outline: SegmentedPolygon, crs: str | None, provenance: Provenance
    ) -> KeptObject:
        """Put a corrected outline in the place of a feature's geometry, as one edit command; raises like :meth:`keep`.

        The attributes that say how the outline was made are written anew; the label stays unless the outline has one.
        """
        self._require(_Capability.ChangeGeometries)
        before = self._feature(feature_id)
        geometry = self._here(outline, crs)
        placement = place(geometry, self._layer, self._project, ignore=[feature_id])
        if placement.geometry is None:
            return KeptObject(self._layer.id(), NOT_WRITTEN, _why_not(placement))
        parts = parts_for(self._layer, placement.geometry)
        attributes = attributes_of(self._layer.fields(), outline, provenance)
        # the number is the object's name in its call, not the call's that corrected it
        attributes.pop(self._layer.fields().lookupField("object"), None)
        if placement.clipped:
            attributes.update(marked(self._layer.fields(), attributes, "clipped"))
        if not parts[0].equals(geometry):
            attributes.update(measures_of(self._layer, parts[0]))
        kept = dict(enumerate(before.attributes()))
        others = [new_feature(self._layer, part, {**kept, **attributes}, whole=False) for part in parts[1:]]
        with edit_session(self._layer) as started, edit_command(self._layer, tr("Segment: correct object")) as edits:
            edits.change(feature_id, parts[0], attributes)
            edits.add(others)
            edits.add_topological_points(parts, self._project)
        return KeptObject(self._layer.id(), feature_id, _what(placement, len(parts), started=started))

    def remove(self, feature_id: int) -> None:
        """Delete a feature as one edit command; raises :class:`OutputError` like :meth:`keep`."""
        self._require(_Capability.DeleteFeatures)
        self._feature(feature_id)
        with edit_session(self._layer), edit_command(self._layer, tr("Segment: remove object")) as edits:
            edits.delete([feature_id])

    def at(self, point: QgsPointXY, crs: QgsCoordinateReferenceSystem) -> QgsFeature | None:
        """Return the polygon under a map point (in ``crs``), or None. Raises :class:`CrsError`.

        Where several lie over each other it is the smallest: a tree in a park is meant when the tree is clicked, and
        which of them is drawn last depends on what has been saved already.
        """
        if sip.isdeleted(self._layer):
            return None
        spot = move_geometry(QgsGeometry.fromPointXY(point), crs, self._layer.crs(), self._project)
        under = [feature for feature in near(self._layer, spot.boundingBox()) if feature.geometry().intersects(spot)]
        return min(under, key=lambda feature: feature.geometry().area(), default=None)

    def _require(self, capability: Any) -> None:
        """Raise if the layer is gone or can't be changed in this way."""
        layer = self._layer
        if sip.isdeleted(layer):
            raise OutputError(
                tr("The target layer is no longer in the project."), hint=tr("Choose another target layer.")
            )
        if not layer.isValid() or layer.geometryType() != QgsWkbTypes.GeometryType.PolygonGeometry:
            raise OutputError(
                tr("'{}' is not a polygon layer that can be read.").format(layer.name()),
                hint=tr("Choose another target layer."),
            )
        if layer.readOnly() or not (layer.dataProvider().capabilities() & capability):
            raise OutputError(
                tr("The layer '{}' can't be edited: it is read-only or its format does not allow it.").format(
                    layer.name()
                ),
                hint=tr("Choose another target layer, or export this one and use the copy."),
            )

    def _here(self, outline: SegmentedPolygon, crs: str | None) -> QgsGeometry:
        """Return the outline as a valid geometry in the layer's CRS."""
        there = to_qgis_crs(crs)
        target = self._layer.crs()
        # a layer without a CRS is taken to be where the outline is, as QGIS does when it draws it
        shape = to_qgis_geometry(outline.geometry)
        moved = move_geometry(shape, there, target if target.isValid() else there, self._project)
        return moved if moved.isGeosValid() else moved.makeValid()

    def _fill_in(self, features: list[QgsFeature]) -> bool:
        """Show the form for the largest part; the other parts get what is written there. False if it is cancelled."""
        if self._ask_form is None:
            return True
        answer = self._ask_form(self._layer, features[0])
        if answer is None:
            return False
        before = features[0].attributes()
        written = {i: value for i, value in enumerate(answer.attributes()) if value != before[i]}
        for feature in features:
            for index, value in written.items():
                feature.setAttribute(index, value)
        return True

    def _placed(
        self, outline: SegmentedPolygon, crs: str | None, settings: KeepSettings, around: Around | None = None
    ) -> tuple[QgsGeometry, Placement]:
        """Return an outline in the layer's CRS, and what of it can be written among the polygons that are there."""
        geometry = self._here(outline, crs)
        label = label_in(self._layer.fields(), settings.label or outline.label)
        placement = place(
            geometry,
            self._layer,
            self._project,
            overlap=settings.overlap,
            merge=settings.merge_touching,
            label=label,
            around=around,
        )
        return geometry, placement

    def _parts(
        self, outline: SegmentedPolygon, provenance: Provenance, settings: KeepSettings, placement: Placement
    ) -> tuple[list[QgsGeometry], dict[int, Any]]:
        """Return what is written of an outline, in the layer's own type, and with which attributes."""
        fields = self._layer.fields()
        attributes = attributes_of(fields, outline, provenance, label=settings.label)
        if placement.clipped and not placement.merged:
            attributes.update(marked(fields, attributes, "clipped"))
        return parts_for(self._layer, placement.geometry), attributes

    def _merge(
        self, edits: LayerEdits, parts: list[QgsGeometry], attributes: dict[int, Any], placement: Placement
    ) -> tuple[int, list[QgsFeature]]:
        """Give the first merged feature the common geometry and delete the others; return its number, and new ones."""
        self._require(_Capability.ChangeGeometries)
        stays, *goes = placement.merged
        if goes:
            self._require(_Capability.DeleteFeatures)
        changes = {
            **marked(self._layer.fields(), dict(enumerate(stays.attributes())), "merged"),
            **measures_of(self._layer, parts[0]),
        }
        others = [new_feature(self._layer, part, attributes, whole=False) for part in parts[1:]]
        edits.change(stays.id(), parts[0], changes)
        edits.delete([feature.id() for feature in goes])
        edits.add(others)
        edits.add_topological_points(parts, self._project)
        return int(stays.id()), others

    def _feature(self, feature_id: int) -> QgsFeature:
        feature = self._layer.getFeature(feature_id)
        if not feature.isValid():
            raise OutputError(
                tr("The object {} is no longer in the layer '{}'.").format(feature_id, self._layer.name()),
                hint=tr("Choose it again."),
            )
        return feature


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("TargetLayer", text)


def _why_not(placement: Placement) -> str:
    if placement.clipped:
        return tr("Skipped: nothing is left of it beside the polygons that are there.")
    number = placement.obstacle.id() if placement.obstacle is not None else ""
    return tr("Skipped: the polygon {} is already there.").format(number)


def _what(placement: Placement, parts: int, *, started: bool) -> str:
    """Return in words what was done beside the plain writing."""
    words = []
    if placement.merged:
        words.append(tr("merged with {}").format(len(placement.merged)))
    if placement.clipped:
        words.append(tr("clipped"))
    if parts > 1:
        words.append(tr("written as {} features, because the layer takes no multipolygons").format(parts))
    if started:
        words.append(tr("the layer's editing was switched on"))
    return "; ".join(words)
