"""What the algorithms that run a landform finder share: parameters, the run, and writing what was found."""

from __future__ import annotations

from contextlib import closing

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterBand,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterLayer,
)

from ..core.progress import Progress
from ..core.raster.source import RasterSource
from ..core.terrain.finders import FINDERS, FinderSettings
from ..core.terrain.landform import LandformResult
from ..core.terrain.outliner import OutlineMethod, Outliner
from . import terrain_parameters
from .base import Parameters, SegmenterAlgorithm
from .bridge import FeedbackProgress
from .image_parameters import INPUT, layer_of
from .output_layer import OutputLayer, write_layer
from .outputs import require_writable
from .terrain_parameters import BAND, ENCODING, UNIT
from .terrain_source import layer_elevation, untwisted
from .values import is_given

MIN_WIDTH = "MIN_WIDTH"
MAX_WIDTH = "MAX_WIDTH"
MIN_RELIEF = "MIN_RELIEF"
CONFIDENCE = "CONFIDENCE"
OUTPUT = "OUTPUT"
COUNT = "COUNT"


class LandformAlgorithm(SegmenterAlgorithm):
    """Base of the algorithms that run a finder; a subclass names it and says its words."""

    finder = ""
    """Name in the registry of finders."""
    _source: RasterSource
    _settings: FinderSettings
    _crs: QgsCoordinateReferenceSystem

    def group(self) -> str:
        """Return the group that people read."""
        return self.tr("Terrain")

    def groupId(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return the constant group name."""
        return "terrain"

    def initAlgorithm(self, configuration: Parameters | None = None) -> None:  # noqa: N802 (QGIS asks for this name)
        """Declare parameters and outputs."""
        for parameter, help_text, advanced in [*self._elevation(), *self._limits()]:
            self.add(parameter, help_text=help_text, advanced=advanced)
        self.declare()
        sink = QgsProcessingParameterFeatureSink(
            OUTPUT, self.tr("Outlines"), QgsProcessing.SourceType.TypeVectorPolygon
        )
        self.add(sink, help_text=self.tr("A polygon for each that is found, in the DEM's CRS, with its measures."))
        self.declare_outputs()
        self.addOutput(QgsProcessingOutputNumber(COUNT, self.tr("Number found")))

    def declare(self) -> None:
        """Add the parameters that only this finder has."""

    def declare_outputs(self) -> None:
        """Add the outputs that only this finder has."""

    def method(self, parameters: Parameters, context: QgsProcessingContext) -> OutlineMethod:
        """Return who draws the outlines."""
        return OutlineMethod.MORPHOMETRIC

    def outliner(self, parameters: Parameters, context: QgsProcessingContext, source: RasterSource) -> Outliner | None:
        """Return the model that outlines are asked from; None for none."""
        return None

    def write(self, result: LandformResult, parameters: Parameters, context: QgsProcessingContext) -> Parameters:
        """Write the outputs that only this finder has, and return where they are."""
        return {}

    def check(self, parameters: Parameters, context: QgsProcessingContext) -> None:
        """Raise for values that can't work; reads no pixels."""
        self._read_settings(parameters, context)
        if INPUT in parameters:
            layer_of(parameters, self, context, needs_crs=False)
        require_writable(parameters.get(OUTPUT))

    def prepare(self, parameters: Parameters, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> None:
        """Take the layer's provider and the settings."""
        # without a CRS, its units count as metres
        layer = layer_of(parameters, self, context, needs_crs=False)
        self._crs = layer.crs()
        self._source = layer_elevation(layer, self.parameterAsEnumString(parameters, ENCODING, context))
        self._settings = self._read_settings(parameters, context)

    def process(
        self, parameters: Parameters, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Parameters:
        """Find, then write."""
        layer_source = self._source
        del self._source  # a file that is held open can't be moved or deleted on Windows
        source = untwisted(layer_source)
        progress: Progress = FeedbackProgress(feedback)
        with closing(layer_source), closing(source):
            outliner = self.outliner(parameters, context, source)
            result = FINDERS.get(self.finder).find(source, self._settings, progress, outliner)
        for warning in result.warnings:
            feedback.pushWarning(warning)
        for note in result.notes:
            feedback.pushInfo(note)
        for landform in result.polygons:
            feedback.pushInfo(f"{landform.confidence:.2f} {landform.reasons}")
        if not result.polygons:
            feedback.pushWarning(self.tr(_NOTHING).format(self._settings.confidence))
        destination = self.fill(OutputLayer.of_result(OUTPUT, result), parameters, context)
        return {OUTPUT: destination, COUNT: len(result), **self.write(result, parameters, context)}

    def fill(self, layer: OutputLayer, parameters: Parameters, context: QgsProcessingContext) -> str:
        """Write features to a sink in the DEM's CRS, and return where they are."""
        return write_layer(layer, parameters, self, context, self._crs)

    def _read_settings(self, parameters: Parameters, context: QgsProcessingContext) -> FinderSettings:
        def number(name: str) -> float | None:
            return float(self.parameterAsDouble(parameters, name, context)) if is_given(parameters.get(name)) else None

        confidence = number(CONFIDENCE)
        band = self.parameterAsInt(parameters, BAND, context) if is_given(parameters.get(BAND)) else 1
        return FinderSettings(
            dem=terrain_parameters.heights_of(parameters, self, context, UNIT, band),
            smallest_km=number(MIN_WIDTH),
            largest_km=number(MAX_WIDTH),
            least_relief_m=number(MIN_RELIEF),
            confidence=FinderSettings.confidence if confidence is None else confidence,
            method=self.method(parameters, context),
        )

    def _elevation(self) -> list[terrain_parameters.Definition]:
        tr = self.tr
        return [
            (
                QgsProcessingParameterRasterLayer(INPUT, tr("DEM")),
                tr("A band of heights, in any CRS and at any resolution, or an XYZ layer of terrain-RGB tiles."),
                False,
            ),
            terrain_parameters.encoding(tr, advanced=True),
            (QgsProcessingParameterBand(BAND, tr("Band"), 1, INPUT, True), tr("The band that holds heights."), True),
            terrain_parameters.unit(UNIT, tr, advanced=False),
            *terrain_parameters.numbers(tr),
        ]

    def _limits(self) -> list[tuple[QgsProcessingParameterDefinition, str, bool]]:
        real = QgsProcessingParameterNumber.Type.Double
        default = FinderSettings.confidence
        return [
            (
                QgsProcessingParameterNumber(MIN_WIDTH, self.tr("Smallest width (km)"), real, None, True, 0.0),
                self.tr("Without it, what the DEM's resolution can show."),
                False,
            ),
            (
                QgsProcessingParameterNumber(MAX_WIDTH, self.tr("Largest width (km)"), real, None, True, 0.0),
                self.tr("Without it, what fits on the DEM."),
                False,
            ),
            (
                QgsProcessingParameterNumber(MIN_RELIEF, self.tr("Least height or depth (m)"), real, None, True, 0.0),
                self.tr("Without it, what is surely more than the DEM's errors."),
                False,
            ),
            (
                QgsProcessingParameterNumber(
                    CONFIDENCE, self.tr("Least confidence (0 to 1)"), real, default, False, 0.0, 1.0
                ),
                self.tr("Lower finds more, and more that is none."),
                False,
            ),
        ]


_NOTHING = "Nothing found with a confidence of {:g} or more. Lower CONFIDENCE, or change the widths."
