"""Segment from words: each object that a word names becomes a polygon."""

from __future__ import annotations

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingParameterEnum,
    QgsProcessingParameterString,
)

from ..core.map_server import MapServer
from ..core.models import catalogue
from ..core.models.model import ModelSpec
from ..core.models.store import ModelStore
from ..core.outlines.results import SegmentationResult
from ..core.progress import Progress
from ..core.search import AS_FOUND, POINT, WORDS, WantedWords, sized
from ..core.words import parse_phrases
from . import image_parameters, map_server_parameters, search_parameters
from .base import Parameters
from .map_server_parameters import Asked
from .search_algorithm import MODEL, SearchAlgorithm
from .search_parameters import Definition
from .values import is_given

NAME = "segmenttext"
PROMPT = "PROMPT"
OUTLINES_BY = "OUTLINES_BY"
_LONGEST_NAME = 60


class SegmentTextAlgorithm(SearchAlgorithm):
    """One polygon for each object that one of the words names."""

    _wanted: WantedWords
    _map_server: MapServer | None

    def name(self) -> str:
        """Return the constant name."""
        return NAME

    def displayName(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return what people read."""
        return self.tr("Segment from words")

    def tags(self) -> list[str]:
        """Return what the algorithm is found by."""
        words = "text,words,prompt,class,building,tree,water,road,field,detect,extract,land cover,sam,clip,lisa,ai,onnx"
        return words.split(",")

    def shortDescription(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return one line about it."""
        return self.tr("Outlines all objects of a raster that words name, such as building; tree; pool.")

    def shortHelpString(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return the help that the dialog and qgis_process show."""
        return self.tr(_HELP)

    def own_definitions(self) -> list[Definition]:
        """Return words, model, and who draws the outlines."""
        models = [AS_FOUND, *ModelStore().names(POINT)]
        return [
            (
                QgsProcessingParameterString(PROMPT, self.tr("Words")),
                self.tr(
                    "One or several, with semicolons between them: building; tree; swimming pool. Each is a class."
                ),
                False,
            ),
            self.model_definition(
                map_server_parameters.model_names(WORDS),
                self.tr("Give its name: starter_words comes with the plugin and knows a few words, in six languages."),
            ),
            (
                QgsProcessingParameterEnum(
                    OUTLINES_BY, self.tr("Outlines by"), models, False, catalogue.DEFAULT, False, usesStaticStrings=True
                ),
                self.tr(
                    "The click model that outlines each object again, sharper; as_found takes outlines as the model of "
                    "the words draws them."
                ),
                True,
            ),
            *map_server_parameters.definitions(self.tr),
        ]

    def check(self, parameters: Parameters, context: QgsProcessingContext) -> None:
        """Raise for values that can't work; reads no pixels and asks no server."""
        super().check(parameters, context)
        spec = self._spec(parameters, context)
        map_server_parameters.check(parameters, self, context, fetches_map=spec.fetches_map)

    def prepare(self, parameters: Parameters, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> None:
        """Take what is needed from the layer; of one that a server fetches itself, no pixels."""
        self._map_server = None
        if not self._spec(parameters, context).fetches_map:
            super().prepare(parameters, context, feedback)
            return
        layer = image_parameters.layer_of(parameters, self, context)
        self._wanted = self.wanted(parameters, context, layer.crs())
        self._crs = layer.crs()
        look = image_parameters.look_of(parameters, self, context, layer)
        self._settings = search_parameters.read(parameters, self, context, look)
        self._map_server = map_server_parameters.map_server(parameters, self, context, Asked(layer, look))

    def found(self, progress: Progress) -> SegmentationResult:
        """Return what is found of the words."""
        if self._map_server is not None:
            return sized(self._map_server.find_words(self._wanted.phrases, progress), self._settings)
        return super().found(progress)

    def _spec(self, parameters: Parameters, context: QgsProcessingContext) -> ModelSpec:
        return ModelStore().get(self.parameterAsEnumString(parameters, MODEL, context), WORDS)

    def wanted(
        self, parameters: Parameters, context: QgsProcessingContext, crs: QgsCoordinateReferenceSystem | None
    ) -> WantedWords:
        """Return the words and the models."""
        phrases = parse_phrases(self.parameterAsString(parameters, PROMPT, context))
        outliner = self.parameterAsEnumString(parameters, OUTLINES_BY, context)
        return WantedWords(
            phrases,
            self.parameterAsEnumString(parameters, MODEL, context),
            outliner if is_given(outliner) and outliner != AS_FOUND else "",
        )

    def named(self) -> str:
        """Return the words, as many as make a name."""
        words = "; ".join(self._wanted.phrases)
        return words if len(words) <= _LONGEST_NAME else f"{words[: _LONGEST_NAME - 1]}…"


_HELP = """<p>Outlines all objects of a raster that words name. Several words are several classes, with semicolons
between them: <i>building; tree; swimming pool</i>. The word is in the field <i>label</i>, how sure the model is in
<i>score</i> (0 to 1).</p>
<p>The model that comes with the plugin, starter_words, is small: it knows a few words of land cover, in six languages,
and says which when it is asked for another. Larger models that take any words can be fetched, or run on a server; see
the page Servers of the panel.</p>
<p>Objects too many or too few? Change CONFIDENCE. Nothing found is not an error: the output is then empty and a warning
says what to try.</p>"""
ENTRY = SegmentTextAlgorithm
