"""What the algorithms that look for many objects share: parameters, the run, and writing what was found."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSink,
)

from ..core.models.store import ModelStore
from ..core.outlines.results import SegmentationResult
from ..core.progress import Progress
from ..core.raster.source import RasterSource
from ..core.scan import ScanSettings
from ..core.search import Machine, Wanted, require_installed, search
from . import image_parameters, outline_parameters, search_parameters, server_settings
from .base import Parameters, SegmenterAlgorithm
from .bridge import FeedbackProgress
from .image_parameters import INPUT
from .layer_sources import for_worker
from .output_layer import OutputLayer, write_layer
from .outputs import require_writable
from .rendered_source import RenderedSource

MODEL = "MODEL"
OUTPUT = "OUTPUT"
COUNT = "COUNT"


class SearchAlgorithm(SegmenterAlgorithm):
    """Base of the algorithms that search an extent; a subclass says what for, in its own parameters and words."""

    _source: RasterSource
    _settings: ScanSettings
    _crs: QgsCoordinateReferenceSystem
    _wanted: Wanted
    _machine: Machine

    def group(self) -> str:
        """Return the group that people read."""
        return self.tr("Segmentation")

    def groupId(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return the constant group name."""
        return "segmentation"

    def own_definitions(self) -> list[search_parameters.Definition]:
        """Return the parameters that say what is looked for, each with its help and whether it is an advanced one."""
        raise NotImplementedError

    def wanted(
        self, parameters: Parameters, context: QgsProcessingContext, crs: QgsCoordinateReferenceSystem | None
    ) -> Wanted:
        """Return what is looked for; ``crs`` is the raster's, None while only values are checked."""
        raise NotImplementedError

    def named(self) -> str:
        """Return what a new layer is called."""
        return self.displayName()

    def kept(
        self, result: SegmentationResult, parameters: Parameters, context: QgsProcessingContext
    ) -> SegmentationResult:
        """Return what of the result is written."""
        return result

    def initAlgorithm(self, configuration: Parameters | None = None) -> None:  # noqa: N802 (QGIS asks for this name)
        """Declare parameters and outputs."""
        definitions = [
            *image_parameters.definitions(self.tr),
            *self.own_definitions(),
            *search_parameters.definitions(self.tr),
            *image_parameters.advanced_definitions_of_search(self.tr),
            *outline_parameters.definitions_of_found(self.tr),
        ]
        for parameter, help_text, advanced in definitions:
            self.add(parameter, help_text=help_text, advanced=advanced)
        sink = QgsProcessingParameterFeatureSink(
            OUTPUT, self.tr("Outlines"), QgsProcessing.SourceType.TypeVectorPolygon
        )
        self.add(sink, help_text=self.tr("A polygon for each object that is found, in the raster's CRS."))
        self.addOutput(QgsProcessingOutputNumber(COUNT, self.tr("Number of objects found")))

    def model_definition(self, names: list[str], help_text: str) -> search_parameters.Definition:
        """Return the parameter that chooses among models; the first is the default."""
        return (
            QgsProcessingParameterEnum(MODEL, self.tr("Model"), names, False, names[0], False, usesStaticStrings=True),
            help_text,
            False,
        )

    def check(self, parameters: Parameters, context: QgsProcessingContext) -> None:
        """Raise for values that can't work; reads no pixels."""
        require_installed(self.wanted(parameters, context, None), Machine(ModelStore()))
        look = image_parameters.look_of(parameters, self, context, None)
        search_parameters.read(parameters, self, context, look)
        if INPUT in parameters:
            image_parameters.layer_of(parameters, self, context)
        require_writable(parameters.get(OUTPUT))

    def prepare(self, parameters: Parameters, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> None:
        """Take the layer's provider, what is wanted, and the settings."""
        layer = image_parameters.layer_of(parameters, self, context)
        look = image_parameters.look_of(parameters, self, context, layer)
        self._crs = layer.crs()
        self._wanted = self.wanted(parameters, context, layer.crs())
        self._machine = Machine(ModelStore(), server_settings.runtime(*self._wanted.models))
        for warning in server_settings.warnings_for(self._machine.runtime, *self._wanted.models):
            feedback.pushWarning(warning)
        confidence = self._wanted.confidence(self._machine.store)
        self._settings = search_parameters.read(parameters, self, context, look, confidence=confidence)
        self._source = image_parameters.source_of(parameters, self, context, layer, look)

    def process(
        self, parameters: Parameters, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Parameters:
        """Search, then write."""
        result = self.kept(self.found(FeedbackProgress(feedback)), parameters, context)
        for warning in result.warnings:
            feedback.pushWarning(warning)
        destination = write_layer(OutputLayer.of_result(OUTPUT, result), parameters, self, context, self._crs)
        self._call_layer(destination, context)
        feedback.pushInfo(self.tr("{} objects found in {:.1f} s.").format(len(result), result.elapsed_s))
        return {OUTPUT: destination, COUNT: len(result)}

    def found(self, progress: Progress) -> SegmentationResult:
        """Return what is found of what is wanted."""
        layer_source = self._source
        del self._source  # a file that is held open can't be moved or deleted on Windows
        source = for_worker(layer_source)
        with closing(layer_source), closing(source):
            result = search(source, self._wanted, self._settings, self._machine, progress)
        doubts = tuple(source.doubts()) if isinstance(source, RenderedSource) else ()
        return replace(result, warnings=(*result.warnings, *doubts))

    def _call_layer(self, destination: str, context: QgsProcessingContext) -> None:
        """Let the layer that QGIS loads be called after what was looked for."""
        if context.willLoadLayerOnCompletion(destination):
            details = context.layerToLoadOnCompletionDetails(destination)
            details.name = self.named()
            context.addLayerToLoadOnCompletion(destination, details)
