"""Find similar: from one or more examples to all objects like them."""

from __future__ import annotations

from qgis.core import QgsCoordinateReferenceSystem, QgsProcessingContext, QgsProcessingParameterNumber

from ..core.models.store import ModelStore
from ..core.outlines.results import SegmentationResult
from ..core.search import WantedSimilar, at_least, for_examples, require_whole
from ..core.similar import DEFAULT_SIMILARITY
from . import example_parameters, search_parameters
from .base import Parameters
from .example_parameters import ExampleReader
from .image_parameters import Look
from .search_algorithm import MODEL, SearchAlgorithm
from .search_parameters import Definition

NAME = "findsimilar"
SIMILARITY = "SIMILARITY"


class FindSimilarAlgorithm(SearchAlgorithm):
    """One polygon for each object that is like the examples."""

    def name(self) -> str:
        """Return the constant name."""
        return NAME

    def displayName(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return what people read."""
        return self.tr("Find similar")

    def tags(self) -> list[str]:
        """Return what the algorithm is found by."""
        words = "example,exemplar,similar,more like this,count,detect,few shot,template,segment anything,sam,ai,onnx"
        return words.split(",")

    def shortDescription(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return one line about it."""
        return self.tr("Outlines all objects of a raster that look like one or more examples.")

    def shortHelpString(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return the help that the dialog and qgis_process show."""
        return self.tr(_HELP)

    def own_definitions(self) -> list[Definition]:
        """Return examples, threshold and model."""
        real = QgsProcessingParameterNumber.Type.Double
        return [
            *example_parameters.definitions(self.tr),
            (
                QgsProcessingParameterNumber(
                    SIMILARITY, self.tr("Least similarity (0 to 1)"), real, DEFAULT_SIMILARITY, False, 0.0, 1.0
                ),
                self.tr("Lower finds more, and more that is none. The field 'similarity' has each object's own."),
                False,
            ),
            self.model_definition(
                [spec.name for spec in for_examples(ModelStore())],
                self.tr("Give its name: starter comes with the plugin, the others are fetched once."),
            ),
        ]

    def wanted(
        self, parameters: Parameters, context: QgsProcessingContext, crs: QgsCoordinateReferenceSystem | None
    ) -> WantedSimilar:
        """Return the examples and the model."""
        reader = ExampleReader(parameters, self, context)
        reader.check()
        name = self.parameterAsEnumString(parameters, MODEL, context)
        if crs is None:
            return WantedSimilar(name, ())
        return WantedSimilar(name, reader.examples(crs), reader.counter_examples(crs))

    def check(self, parameters: Parameters, context: QgsProcessingContext) -> None:
        """Raise for values that can't work; reads no pixels."""
        super().check(parameters, context)
        settings = search_parameters.read(parameters, self, context, Look(None, None))
        require_whole(settings, float(self.parameterAsDouble(parameters, SIMILARITY, context)))

    def kept(
        self, result: SegmentationResult, parameters: Parameters, context: QgsProcessingContext
    ) -> SegmentationResult:
        """Return the objects that are similar enough."""
        return at_least(result, float(self.parameterAsDouble(parameters, SIMILARITY, context)))


_HELP = """<p>Outlines all objects that look like one or more examples. Give polygons around examples, or points on
them, and where other things look similar, counter-examples.</p>
<p>The features of the click model propose places, the click model outlines them, and each object says how like the
examples it is (<i>similarity</i>, 0 to 1). With SIMILARITY=0 everything that was considered comes out, to be filtered
afterwards.</p>
<p>Examples must lie on the raster, but need not lie in the searched part.</p>"""
ENTRY = FindSimilarAlgorithm
