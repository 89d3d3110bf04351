"""Find volcanoes: a DEM goes in, its volcanoes come out, with their outlines and measures."""

from __future__ import annotations

from qgis.core import (
    QgsGeometry,
    QgsPointXY,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSink,
    QgsWkbTypes,
)

from ..core.models import catalogue
from ..core.models.store import ModelStore
from ..core.outlines.results import Field, FieldKind
from ..core.raster.source import RasterSource
from ..core.session import SegmentationSession
from ..core.terrain.composite_source import CompositeSource
from ..core.terrain.finders.volcano import VolcanoResult
from ..core.terrain.landform import LandformResult
from ..core.terrain.outliner import OutlineMethod, Outliner, SessionOutliner
from .base import Parameters
from .bridge import to_qgis_fields, to_qgis_geometry
from .landform_algorithm import LandformAlgorithm
from .output_layer import OutputLayer
from .outputs import require_writable
from .server_settings import runtime

NAME = "findvolcanoes"
METHOD = "METHOD"
MODEL = "MODEL"
SUMMITS = "SUMMITS"
CRATERS = "CRATERS"


class FindVolcanoesAlgorithm(LandformAlgorithm):
    """One polygon for each volcano."""

    finder = "volcano"

    def name(self) -> str:
        """Return the constant name."""
        return NAME

    def displayName(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return what people read."""
        return self.tr("Find volcanoes")

    def tags(self) -> list[str]:
        """Return what the algorithm is found by."""
        words = (
            "dem,terrain,elevation,volcano,stratovolcano,cinder cone,shield,dome,crater,edifice,morphometry,landform"
        )
        return words.split(",")

    def shortDescription(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return one line about it."""
        return self.tr("Outlines the volcanoes of a DEM by themselves, and measures and classes them.")

    def shortHelpString(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return the help that the dialog and qgis_process show."""
        return self.tr(_HELP)

    def declare(self) -> None:
        """Add who draws the outlines."""
        methods = [method.value for method in OutlineMethod]
        method = QgsProcessingParameterEnum(
            METHOD, self.tr("Outlines by"), methods, False, OutlineMethod.AGREED.value, False, usesStaticStrings=True
        )
        self.add(
            method,
            help_text=self.tr(
                "morphometric: along the break of slope at the foot. model: what the model sees in a picture of the "
                "DEM. agreed: the break of slope, and how well the model agrees with it."
            ),
        )
        model = QgsProcessingParameterEnum(
            MODEL,
            self.tr("Model"),
            ModelStore().names("point"),
            False,
            catalogue.DEFAULT,
            False,
            usesStaticStrings=True,
        )
        self.add(model, help_text=self.tr("Not used by morphometric outlines."), advanced=True)

    def declare_outputs(self) -> None:
        """Add summits and craters."""
        kinds = QgsProcessing.SourceType
        for name, title, kind in (
            (SUMMITS, self.tr("Summits"), kinds.TypeVectorPoint),
            (CRATERS, self.tr("Craters"), kinds.TypeVectorPolygon),
        ):
            sink = QgsProcessingParameterFeatureSink(name, title, kind, None, True, False)
            self.add(sink, help_text=self.tr("In the order of the outlines, whose row they name."))

    def method(self, parameters: Parameters, context: QgsProcessingContext) -> OutlineMethod:
        """Return who draws the outlines."""
        return OutlineMethod(self.parameterAsEnumString(parameters, METHOD, context))

    def check(self, parameters: Parameters, context: QgsProcessingContext) -> None:
        """Raise for values that can't work; reads no pixels."""
        super().check(parameters, context)
        for name in (SUMMITS, CRATERS):
            require_writable(parameters.get(name))
        if self.method(parameters, context) is OutlineMethod.MODEL:
            store = ModelStore()
            store.locate(store.get(self.parameterAsEnumString(parameters, MODEL, context), "point"))

    def outliner(self, parameters: Parameters, context: QgsProcessingContext, source: RasterSource) -> Outliner | None:
        """Return the model on a picture of the DEM; None where none is wanted, or it is not installed."""
        store = ModelStore()
        spec = store.get(self.parameterAsEnumString(parameters, MODEL, context), "point")
        if self._settings.method is OutlineMethod.MORPHOMETRIC or store.missing(spec):
            return None
        picture = CompositeSource(source, elevation=self._settings.dem)
        return SessionOutliner(SegmentationSession(picture, store.load(spec.name, settings=runtime(spec.name))).segment)

    def write(self, result: LandformResult, parameters: Parameters, context: QgsProcessingContext) -> Parameters:
        """Write summits and craters where they are asked for."""
        if not isinstance(result, VolcanoResult):
            raise TypeError(f"FindVolcanoesAlgorithm.write: expected VolcanoResult, got {type(result).__name__}")
        written: Parameters = {}
        numbered = list(enumerate(result.polygons, start=1))
        if self._wanted(SUMMITS, parameters):
            fields = to_qgis_fields(_SUMMIT_FIELDS)
            points = (
                (QgsGeometry.fromPointXY(QgsPointXY(*each.summit)), [row, each.label, each.measures.summit_m])
                for row, each in numbered
            )
            kind = QgsWkbTypes.Type.Point
            written[SUMMITS] = self.fill(OutputLayer(SUMMITS, fields, kind, points), parameters, context)
        if self._wanted(CRATERS, parameters):
            fields = to_qgis_fields(_CRATER_FIELDS)
            craters = (
                (
                    to_qgis_geometry(each.crater),
                    [row, each.crater_width_m, each.crater_depth_m, int(each.crater_breached)],
                )
                for row, each in numbered
                if each.crater is not None
            )
            kind = QgsWkbTypes.Type.MultiPolygon
            written[CRATERS] = self.fill(OutputLayer(CRATERS, fields, kind, craters), parameters, context)
        return written

    def _wanted(self, name: str, parameters: Parameters) -> bool:
        return parameters.get(name) not in (None, "")


def _column(name: str, kind: FieldKind) -> Field:
    return Field(name, kind, lambda *_: None)


_SUMMIT_FIELDS = (
    _column("volcano", FieldKind.INTEGER),
    _column("class", FieldKind.TEXT),
    _column("summit_m", FieldKind.REAL),
)
_CRATER_FIELDS = (
    _column("volcano", FieldKind.INTEGER),
    _column("width_m", FieldKind.REAL),
    _column("depth_m", FieldKind.REAL),
    _column("breached", FieldKind.INTEGER),
)
_HELP = """<p>Finds the volcanoes of a DEM: places from which the ground falls away on all sides, at all scales from the
smallest that the DEM shows to the largest that it holds. No clicks are needed.</p>
<p>Each is outlined along the break of slope at its foot, measured (height, widths, slopes, volume over the inclined
base, crater), and classed as stratovolcano, cinder cone, shield or dome by published ranges of these measures. The
confidence says how sure it is that it is a volcano at all, and the reasons say why.</p>
<p>Volcanoes that the DEM's edge or nodata cuts are kept and marked as partial. Say if heights are in feet.</p>
<p>Nothing found is not an error: the output is then empty and a warning says so.</p>"""
ENTRY = FindVolcanoesAlgorithm
