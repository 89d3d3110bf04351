"""Segment from prompts: clicks and boxes on a raster layer become polygons."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFields,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSink,
    QgsWkbTypes,
)

from ..core.models import catalogue
from ..core.models.store import ModelStore
from ..core.outlines.results import SegmentationResult
from ..core.progress import SubProgress
from ..core.raster.rgb import RgbSettings
from ..core.raster.source import RasterSource
from ..core.session import SegmentationSession, SessionSettings
from ..core.terrain.composite_source import CompositeSource
from . import dem_prompts, image_parameters, outline_parameters, prompt_parameters
from .base import Parameters, SegmenterAlgorithm
from .bridge import FeedbackProgress, to_qgis_fields, to_qgis_geometry
from .dem_prompts import DemChoice
from .image_parameters import INPUT
from .outputs import failure_of, not_made, not_written, require_writable
from .prompt_parameters import PromptReader
from .provider_source import ProviderSource, unturned
from .rendered_source import RenderedSource
from .values import is_given

NAME = "segmentprompts"
MODEL = "MODEL"
OUTPUT = "OUTPUT"
COUNT = "COUNT"
SCORE = "SCORE"


class SegmentPromptsAlgorithm(SegmenterAlgorithm):
    """One polygon for each object that is clicked or boxed."""

    _source: RasterSource
    _dem: DemChoice | None
    _settings: SessionSettings
    _objects: tuple[Any, ...]
    _crs: QgsCoordinateReferenceSystem

    def name(self) -> str:
        """Return the constant name."""
        return NAME

    def displayName(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return what people read."""
        return self.tr("Segment from prompts")

    def group(self) -> str:
        """Return the group that people read."""
        return self.tr("Segmentation")

    def groupId(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return the constant group name."""
        return "segmentation"

    def tags(self) -> list[str]:
        """Return what the algorithm is found by."""
        words = "click,point,box,prompt,outline,polygon,digitize,segment anything,sam,mask,object,extract,ai,onnx"
        return words.split(",")

    def shortDescription(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return one line about it."""
        return self.tr("Outlines objects of a raster from points on them or boxes around them.")

    def shortHelpString(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return the help that the dialog and qgis_process show."""
        return self.tr(_HELP)

    def initAlgorithm(self, configuration: Parameters | None = None) -> None:  # noqa: N802 (QGIS asks for this name)
        """Declare parameters and outputs."""
        model = QgsProcessingParameterEnum(
            MODEL, self.tr("Model"), catalogue.names("point"), False, catalogue.DEFAULT, False, usesStaticStrings=True
        )
        definitions = [
            *image_parameters.definitions(self.tr),
            *prompt_parameters.definitions(self.tr),
            (model, self.tr("Give its name: starter comes with the plugin, the others are fetched once."), False),
            *dem_prompts.definitions(self.tr),
            *image_parameters.advanced_definitions(self.tr),
            *outline_parameters.definitions(self.tr),
        ]
        for parameter, help_text, advanced in definitions:
            self.add(parameter, help_text=help_text, advanced=advanced)
        sink = QgsProcessingParameterFeatureSink(
            OUTPUT, self.tr("Outlines"), QgsProcessing.SourceType.TypeVectorPolygon
        )
        self.add(sink, help_text=self.tr("A polygon for each object that is found, in the raster's CRS."))
        self.addOutput(QgsProcessingOutputNumber(COUNT, self.tr("Number of objects found")))
        self.addOutput(QgsProcessingOutputNumber(SCORE, self.tr("Mean score of the objects found")))

    def check(self, parameters: Parameters, context: QgsProcessingContext) -> None:
        """Raise for values that can't work; reads no pixels."""
        name = parameters.get(MODEL)
        spec, store = catalogue.get(str(name) if is_given(name) else catalogue.DEFAULT, "point"), ModelStore()
        if store.missing(spec):
            store.locate(spec)  # raises, with the way to get them
        if dem_prompts.request_of(parameters, self, context) is None:
            PromptReader(parameters, self, context).check()
        dem_prompts.choice_of(parameters, self, context)
        outline_parameters.read(parameters, self, context)
        image_parameters.rgb_of(parameters, self, context)
        image_parameters.look_of(parameters, self, context, None)
        if INPUT in parameters:
            image_parameters.layer_of(parameters, self, context)
        require_writable(parameters.get(OUTPUT))

    def prepare(self, parameters: Parameters, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> None:
        """Take the layer's provider, the prompts and the settings."""
        layer = image_parameters.layer_of(parameters, self, context)
        look = image_parameters.look_of(parameters, self, context, layer)
        self._crs = layer.crs()
        request = dem_prompts.request_of(parameters, self, context)
        if request is None:
            self._objects = PromptReader(parameters, self, context).read(layer.crs())
        else:
            self._objects, look = dem_prompts.asked(request, layer, context)
        self._dem = dem_prompts.choice_of(parameters, self, context)
        if self._dem is None:
            self._source = image_parameters.source_of(parameters, self, context, layer, look)
            rgb = image_parameters.rgb_of(parameters, self, context)
        else:
            self._source = dem_prompts.dem_source(layer, self._dem, look, self._objects)
            rgb = RgbSettings()
        self._settings = SessionSettings(
            rgb=rgb,
            outline=outline_parameters.read(parameters, self, context),
            extent=look.extent,
            resolution=look.resolution,
            trace=look.trace,
        )

    def process(
        self, parameters: Parameters, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Parameters:
        """Segment all objects, then write them."""
        layer_source = self._source
        del self._source  # a file that is held open can't be moved or deleted on Windows
        source = self._opened(layer_source)
        progress = FeedbackProgress(feedback)
        name = self.parameterAsEnumString(parameters, MODEL, context)
        with closing(layer_source), closing(source):
            model = ModelStore().load(name, progress=SubProgress(progress, 0.0, 0.1))
            session = SegmentationSession(source, model, self._settings)
            result = session.segment(self._objects, SubProgress(progress, 0.1, 0.95))
        doubts = source.doubts() if isinstance(source, (RenderedSource, CompositeSource)) else ()
        for warning in (*result.warnings, *doubts):
            feedback.pushWarning(warning)
        destination = self._write(result, parameters, context)
        feedback.pushInfo(f"{len(result)} of {len(self._objects)} objects found in {result.elapsed_s:.2f} s.")
        scores = [polygon.score for polygon in result.polygons]
        return {OUTPUT: destination, COUNT: len(result), SCORE: sum(scores) / len(scores) if scores else None}

    def _opened(self, source: RasterSource) -> RasterSource:
        """Return what is looked at: the picture of a DEM, the file itself where QGIS would turn it, or the layer."""
        if self._dem is not None:
            return dem_prompts.painted(source, self._dem)
        return unturned(source) if isinstance(source, ProviderSource) else source

    def _write(self, result: SegmentationResult, parameters: Parameters, context: QgsProcessingContext) -> str:
        """Write the result to the sink, which is made only now so that no failure leaves an empty file."""
        fields = to_qgis_fields(result.fields())
        kind = QgsWkbTypes.Type.MultiPolygon
        sink, destination = self.parameterAsSink(parameters, OUTPUT, context, fields, kind, self._crs)
        if sink is None:
            raise not_made(destination or parameters.get(OUTPUT))
        failure = failure_of(sink, _features(result, fields))
        del sink
        if failure:
            raise not_written(destination, failure)
        return str(destination)


def _features(result: SegmentationResult, fields: QgsFields) -> Iterator[QgsFeature]:
    for shape, values in result.rows():
        feature = QgsFeature(fields)
        feature.setGeometry(to_qgis_geometry(shape))
        feature.setAttributes(list(values))
        yield feature


_HELP = """<p>Outlines objects of a raster. Say where each object is, with points on it (INCLUDE, or a layer of
POINTS) or a box around it (BOX, or a layer of BOXES), and what does not belong to it, with exclude points.</p>
<p>Each polygon comes with the model's own estimate of its quality (score, 0 to 1), its true area and perimeter in
metres, and what is needed to make it again: model, prompts, source, resolution and stretch.</p>
<p>On an elevation raster, COMPOSITE=metric makes clicks on a mountain, a crater or a terrace work.</p>
<p>Nothing found is not an error: the output is then empty and a warning says so.</p>"""
ENTRY = SegmentPromptsAlgorithm
