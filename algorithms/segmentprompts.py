"""Segment from prompts: clicks and boxes on a raster layer become polygons."""

from __future__ import annotations

from contextlib import closing
from math import isfinite
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSink,
)

from ..core.map_server import MapServer
from ..core.models import catalogue
from ..core.models.model import ModelSpec, RuntimeSettings
from ..core.models.store import ModelStore
from ..core.outlines.results import SegmentationResult
from ..core.progress import SubProgress
from ..core.raster.rgb import RgbSettings
from ..core.raster.source import RasterSource
from ..core.session import SegmentationSession, SessionSettings
from ..core.terrain.composite_source import CompositeSource
from . import (
    dem_prompts,
    image_parameters,
    map_server_parameters,
    outline_parameters,
    prompt_parameters,
    server_settings,
)
from .base import Parameters, SegmenterAlgorithm
from .bridge import FeedbackProgress
from .dem_prompts import DemChoice
from .image_parameters import INPUT
from .map_server_parameters import Asked
from .output_layer import OutputLayer, write_layer
from .outputs import require_writable
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
    _map_server: MapServer | None = None
    _dem: DemChoice | None
    _runtime: RuntimeSettings
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
        names = map_server_parameters.model_names("point")
        model = QgsProcessingParameterEnum(
            MODEL, self.tr("Model"), names, False, catalogue.DEFAULT, False, usesStaticStrings=True
        )
        definitions = [
            *image_parameters.definitions(self.tr),
            *prompt_parameters.definitions(self.tr),
            (model, self.tr(_MODEL_HELP), False),
            *dem_prompts.definitions(self.tr),
            *image_parameters.advanced_definitions(self.tr),
            *map_server_parameters.definitions(self.tr),
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
        spec, store = _spec(parameters), ModelStore()
        if store.missing(spec):
            store.locate(spec)  # raises, with the way to get them
        if dem_prompts.request_of(parameters, self, context) is None:
            PromptReader(parameters, self, context).check()
        map_server_parameters.check(parameters, self, context, fetches_map=spec.fetches_map)
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
        spec = _spec(parameters)
        if spec.fetches_map:
            asked = Asked(layer, look, self._objects, request)
            self._map_server = map_server_parameters.map_server(parameters, self, context, asked)
            return
        self._runtime = server_settings.runtime(spec.name)
        for warning in server_settings.warnings_for(self._runtime, spec.name):
            feedback.pushWarning(warning)
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
        progress = FeedbackProgress(feedback)
        doubts: tuple[str, ...] = ()
        if self._map_server is not None:
            result = self._map_server.segment(self._objects, progress)
        else:
            result, doubts = self._by_model(parameters, context, progress)
        for warning in (*result.warnings, *doubts):
            feedback.pushWarning(warning)
        layer = OutputLayer.of_result(OUTPUT, result)
        destination = write_layer(layer, parameters, self, context, self._crs)
        feedback.pushInfo(f"{len(result)} of {len(self._objects)} objects found in {result.elapsed_s:.2f} s.")
        scores = [polygon.score for polygon in result.polygons if isfinite(polygon.score)]
        return {OUTPUT: destination, COUNT: len(result), SCORE: sum(scores) / len(scores) if scores else None}

    def _by_model(
        self, parameters: Parameters, context: QgsProcessingContext, progress: FeedbackProgress
    ) -> tuple[SegmentationResult, tuple[str, ...]]:
        """Return what a model finds that looks at the raster's pixels, and what is in doubt about those."""
        layer_source = self._source
        del self._source  # a file that is held open can't be moved or deleted on Windows
        source = self._opened(layer_source)
        name = self.parameterAsEnumString(parameters, MODEL, context)
        with closing(layer_source), closing(source):
            model = ModelStore().load(name, settings=self._runtime, progress=SubProgress(progress, 0.0, 0.1))
            session = SegmentationSession(source, model, self._settings)
            result = session.segment(self._objects, SubProgress(progress, 0.1, 0.95))
        return result, tuple(source.doubts()) if isinstance(source, (RenderedSource, CompositeSource)) else ()

    def _opened(self, source: RasterSource) -> RasterSource:
        """Return what is looked at: the picture of a DEM, the file itself where QGIS would turn it, or the layer."""
        if self._dem is not None:
            return dem_prompts.painted(source, self._dem)
        return unturned(source) if isinstance(source, ProviderSource) else source


def _spec(parameters: Parameters) -> ModelSpec:
    name = parameters.get(MODEL)
    return ModelStore().get(str(name) if is_given(name) else catalogue.DEFAULT, "point")


_MODEL_HELP = """Give its name: starter comes with the plugin, others are fetched once, and some run on a server that
is set up in the panel's Servers page. samgis fetches web tiles itself: give it a layer of them as INPUT."""
_HELP = """<p>Outlines objects of a raster. Say where each object is, with points on it (INCLUDE, or a layer of
POINTS) or a box around it (BOX, or a layer of BOXES), and what does not belong to it, with exclude points.</p>
<p>Each polygon comes with the model's own estimate of its quality (score, 0 to 1), its true area and perimeter in
metres, and what is needed to make it again: model, prompts, source, resolution and stretch.</p>
<p>On an elevation raster, COMPOSITE=metric makes clicks on a mountain, a crater or a terrace work.</p>
<p>Nothing found is not an error: the output is then empty and a warning says so.</p>"""
ENTRY = SegmentPromptsAlgorithm
