"""The temporary layers that accepted landforms go to: one for each finder, with the finder's own measures."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsFillSymbol,
    QgsMemoryProviderUtils,
    QgsProject,
    QgsRendererCategory,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QCoreApplication

from ..algorithms.bridge import to_qgis_crs, to_qgis_fields, to_qgis_geometry
from ..core.errors import OutputError
from ..core.outlines.results import FIELDS
from ..core.terrain.finders import FINDERS
from ..core.terrain.landform import Landform, LandformResult
from ..core.terrain.landform_class import VolcanoClass
from ..core.version import VERSION
from .landform_search import Findings
from .layer_edits import edit_command, edit_session
from .new_features import new_feature

_MADE_BY = ("model", "model_sha256", "prompts", "source", "resolution", "stretch", "created", "version", "settings")
_PROVENANCE = tuple(field for field in FIELDS if field.name in (*_MADE_BY, "window"))
"""What a correction by clicks writes, so that it can be made again."""
_COLOURS = {
    VolcanoClass.STRATOVOLCANO: "178,24,43",
    VolcanoClass.CINDER_CONE: "239,138,98",
    VolcanoClass.SHIELD: "118,42,131",
    VolcanoClass.DOME: "191,129,45",
}
_OTHER_COLOUR = "53,120,180"


class LandformLayers:
    """Makes a layer when it is first needed, and anew when it was removed."""

    def __init__(self) -> None:
        self._layers: dict[str, QgsVectorLayer] = {}

    def add(self, findings: Findings, landforms: Sequence[Landform]) -> tuple[QgsVectorLayer, list[int]]:
        """Write landforms as one edit command and return the layer and their numbers in it.

        Raises
        ------
        OutputError
            If the layer refuses them.
        """
        layer = self._layer(findings)
        features = []
        for landform in landforms:
            values = dict(enumerate(column.value(landform) for column in findings.result.columns))
            values[layer.fields().lookupField("source")] = findings.source
            values[layer.fields().lookupField("version")] = VERSION
            features.append(new_feature(layer, to_qgis_geometry(landform.geometry), values, whole=True))
        with edit_session(layer), edit_command(layer, tr("Accept landforms")) as edits:
            edits.add(features)
        return layer, [feature.id() for feature in features]

    def note_correction(self, layer_id: str, feature_id: int) -> None:
        """Write beside a landform's reasons that its outline was corrected, for its measures are those before."""
        layer = next((each for each in self._alive() if each.id() == layer_id), None)
        feature = layer.getFeature(feature_id) if layer is not None else None
        if layer is None or feature is None or not feature.isValid():
            return
        reasons, note = str(feature["reasons"] or ""), tr("Outline corrected by clicks; measures are those before.")
        if note not in reasons:
            with edit_session(layer), edit_command(layer, tr("Note the correction")) as edits:
                index = layer.fields().lookupField("reasons")
                edits.change(feature_id, feature.geometry(), {index: f"{reasons} {note}".strip()})

    def _alive(self) -> list[QgsVectorLayer]:
        project = QgsProject.instance()
        layers = [layer for layer in self._layers.values() if not sip.isdeleted(layer)]
        return [layer for layer in layers if project.mapLayer(layer.id()) is not None]

    def _layer(self, findings: Findings) -> QgsVectorLayer:
        finder, crs = findings.wanted.finder, to_qgis_crs(findings.result.crs)
        layer = self._layers.get(finder)
        if layer not in self._alive() or layer is None or layer.crs() != crs:
            layer = self._layers[finder] = _new_layer(FINDERS.get(finder).title, findings.result, crs)
        return layer


def _new_layer(title: str, result: LandformResult, crs: object) -> QgsVectorLayer:
    fields = to_qgis_fields((*result.fields(), *_PROVENANCE))
    kind = QgsWkbTypes.Type.MultiPolygon
    layer = QgsMemoryProviderUtils.createMemoryLayer(tr(title), fields, kind, crs)
    layer.setRenderer(_renderer())
    layer.setDisplayExpression('"class" || \' \' || round("confidence", 2)')
    if QgsProject.instance().addMapLayer(layer) is None:
        raise OutputError(tr("The new layer can't be added to the project."), hint=tr("Try it again."))
    return layer


def _renderer() -> QgsCategorizedSymbolRenderer:
    """Return outlines coloured by class, so light that the relief shows through."""
    kinds = [QgsRendererCategory(kind.value, _symbol(colour), kind.value, True) for kind, colour in _COLOURS.items()]
    return QgsCategorizedSymbolRenderer(
        "class", [*kinds, QgsRendererCategory(None, _symbol(_OTHER_COLOUR), tr("other"))]
    )


def _symbol(colour: str) -> QgsFillSymbol:
    return QgsFillSymbol.createSimple(
        {"color": f"{colour},50", "outline_color": f"{colour},255", "outline_width": "0.6"}
    )


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("LandformLayers", text)
