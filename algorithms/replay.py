"""Replay results: polygons are made again from their own attributes and compared with what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from qgis.core import (
    QgsFeature,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingFeatureSource,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterRasterLayer,
    QgsRasterLayer,
    QgsWkbTypes,
)
from qgis.PyQt import sip

from ..core.errors import RasterReadError
from ..core.models.store import ModelStore
from ..core.progress import Progress, SubProgress
from ..core.replay import Replayed, Replayer, Verdict
from .base import Parameters, SegmenterAlgorithm
from .bridge import FeedbackProgress, crs_text, to_qgis_crs
from .outputs import failure_of, not_made, not_written, require_writable
from .prompt_text import move_prompts
from .recorded import open_recorded, record_of
from .replay_output import feature_of, fields_with_outcome
from .server_settings import runtime
from .values import is_given

NAME = "replay"
INPUT = "INPUT"
RASTER = "RASTER"
OUTPUT = "OUTPUT"


class ReplayAlgorithm(SegmenterAlgorithm):
    """One polygon made again for each that is stored, with how well the two agree."""

    _raster: QgsRasterLayer | None

    def name(self) -> str:
        """Return the constant name."""
        return NAME

    def displayName(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return what people read."""
        return self.tr("Replay results")

    def group(self) -> str:
        """Return the group that people read."""
        return self.tr("Segmentation")

    def groupId(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return the constant group name."""
        return "segmentation"

    def tags(self) -> list[str]:
        """Return what the algorithm is found by."""
        return ["repeat", "reproduce", "check", "verify", "provenance", "again", "prompt", "segment"]

    def shortDescription(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return one line about it."""
        return self.tr("Makes results again from their own attributes and says which come out the same.")

    def shortHelpString(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return the help that the dialog and qgis_process show."""
        return self.tr(_HELP)

    def initAlgorithm(self, configuration: Parameters | None = None) -> None:  # noqa: N802 (QGIS asks for this name)
        """Declare parameters and outputs."""
        polygons = QgsProcessing.SourceType.TypeVectorPolygon
        results = QgsProcessingParameterFeatureSource(INPUT, self.tr("Results"), [polygons])
        self.add(results, help_text=self.tr("Polygons that Prompt Segmenter made, with all their fields."))
        raster = QgsProcessingParameterRasterLayer(RASTER, self.tr("Raster in place of the recorded one"), None, True)
        self.add(raster, help_text=self.tr("For rasters that were moved, web layers with a login, and styled layers."))
        sink = QgsProcessingParameterFeatureSink(OUTPUT, self.tr("Replayed"), polygons)
        self.add(sink, help_text=self.tr("The polygons as they come out now, each with its status, in the same CRS."))
        self.addOutput(QgsProcessingOutputNumber("SAME", self.tr("Number of polygons that came out the same")))
        self.addOutput(QgsProcessingOutputNumber("DIFFERENT", self.tr("Number that came out different")))
        self.addOutput(QgsProcessingOutputNumber("FAILED", self.tr("Number that could not be made again")))

    def check(self, parameters: Parameters, context: QgsProcessingContext) -> None:
        """Raise for an output that can't be written."""
        require_writable(parameters.get(OUTPUT))

    def prepare(self, parameters: Parameters, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> None:
        """Take a copy of the raster layer, if one is given."""
        layer = self.parameterAsRasterLayer(parameters, RASTER, context)
        if is_given(parameters.get(RASTER)) and (layer is None or not layer.isValid()):
            raise RasterReadError(f"RASTER '{parameters.get(RASTER)}' can't be opened.", hint="Check that it is there.")
        self._raster = None if layer is None else layer.clone()

    def process(
        self, parameters: Parameters, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Parameters:
        """Make every polygon again, then write them."""
        layer, raster = self.parameterAsSource(parameters, INPUT, context), self._raster
        del self._raster  # a file that is held open can't be moved or deleted on Windows
        if layer is None:
            raise RasterReadError(f"INPUT '{parameters.get(INPUT)}' can't be opened.", hint="Give a polygon layer.")
        progress = FeedbackProgress(feedback)
        replayer = Replayer(
            lambda record: open_recorded(record, raster),
            lambda name: ModelStore().load(name, settings=runtime(name)),
            move=lambda prompts, target: move_prompts(prompts, to_qgis_crs(target), context),
        )
        try:
            with closing(replayer):
                done = list(_replayed(layer, replayer, progress, feedback))
        finally:
            if raster is not None:
                # made by another thread, so it ends there
                sip.transferto(raster, None)
                raster.deleteLater()
        verdicts = [again.verdict for _, again in done]
        counts = {verdict.name: verdicts.count(verdict) for verdict in Verdict}
        feedback.pushInfo(", ".join(f"{number} {name.lower()}" for name, number in counts.items()))
        return {OUTPUT: self._write(done, layer, parameters, context), **counts}

    def _write(
        self,
        done: list[tuple[QgsFeature, Replayed]],
        layer: QgsProcessingFeatureSource,
        parameters: Parameters,
        context: QgsProcessingContext,
    ) -> str:
        fields = fields_with_outcome(layer.fields())
        kind, crs = QgsWkbTypes.Type.MultiPolygon, layer.sourceCrs()
        sink, destination = self.parameterAsSink(parameters, OUTPUT, context, fields, kind, crs)
        if sink is None:
            raise not_made(destination or parameters.get(OUTPUT))
        failure = failure_of(sink, (feature_of(stored, again, fields, crs, context) for stored, again in done))
        del sink
        if failure:
            raise not_written(destination, failure)
        return str(destination)


def _replayed(
    layer: QgsProcessingFeatureSource, replayer: Replayer, progress: Progress, feedback: QgsProcessingFeedback
) -> Iterator[tuple[QgsFeature, Replayed]]:
    crs, count = crs_text(layer.sourceCrs()), max(1, layer.featureCount())
    for number, feature in enumerate(layer.getFeatures()):
        part = SubProgress(progress, min(number, count) / count, min(number + 1, count) / count)
        again = replayer.replay(record_of(feature, crs), part)
        feedback.pushInfo(f"{feature.id()}: {again.status}")
        yield feature, again


_HELP = """<p>Makes the polygons of a layer of results again, from the prompts, window, stretch, settings, model and
source in their attributes alone, and compares what comes out with what is stored.</p>
<p>verdict is same, different or failed; iou is the overlap with the stored polygon (0 to 1); status says more: polygons
are the same if every coordinate is, or from an IoU of 0.9999 on, which status then names. Another model, another
version of the raster, and polygons that were edited, merged or clipped come out different.</p>
<p>What fails does not stop the others: it has no geometry, and status says why.</p>"""
ENTRY = ReplayAlgorithm
