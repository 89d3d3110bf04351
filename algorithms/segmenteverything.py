"""Segment everything: all objects of an extent become polygons, without a word or a click."""

from __future__ import annotations

from qgis.core import QgsCoordinateReferenceSystem, QgsProcessingContext, QgsProcessingParameterNumber

from ..core.everything import EverythingSettings
from ..core.models.store import ModelStore
from ..core.search import POINT, WantedEverything
from .base import Parameters
from .search_algorithm import MODEL, SearchAlgorithm
from .search_parameters import Definition, confidence_of

NAME = "segmenteverything"
STEP = "STEP"


class SegmentEverythingAlgorithm(SearchAlgorithm):
    """One polygon for each object that there is."""

    def name(self) -> str:
        """Return the constant name."""
        return NAME

    def displayName(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return what people read."""
        return self.tr("Segment everything")

    def tags(self) -> list[str]:
        """Return what the algorithm is found by."""
        words = "automatic,all,objects,parcels,superpixels,obia,coverage,grid,segment anything,sam,mask,extract,ai,onnx"
        return words.split(",")

    def shortDescription(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return one line about it."""
        return self.tr("Outlines all objects of a raster, without a click or a word.")

    def shortHelpString(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return the help that the dialog and qgis_process show."""
        return self.tr(_HELP)

    def own_definitions(self) -> list[Definition]:
        """Return the model."""
        help_text = self.tr("Give its name: starter comes with the plugin, the others are fetched once.")
        whole = QgsProcessingParameterNumber.Type.Integer
        step = QgsProcessingParameterNumber(
            STEP, self.tr("Distance of points (pixels)"), whole, EverythingSettings.step_px, False, 2, 256
        )
        return [
            self.model_definition(ModelStore().names(POINT), help_text),
            (
                step,
                self.tr("Objects smaller than this can be missed. Half of it takes up to four times as long."),
                False,
            ),
        ]

    def wanted(
        self, parameters: Parameters, context: QgsProcessingContext, crs: QgsCoordinateReferenceSystem | None
    ) -> WantedEverything:
        """Return the model."""
        step = int(self.parameterAsInt(parameters, STEP, context))
        settings = EverythingSettings(step_px=step, min_score=confidence_of(parameters, self, context))
        return WantedEverything(self.parameterAsEnumString(parameters, MODEL, context), settings)


_HELP = """<p>Outlines all objects of a raster: the model is asked at points of a grid, those first that promise
an object, and not where one was found already. Large extents are done window by window with one stretch, and objects
that go over from one window to the next become one polygon.</p>
<p>Each polygon says how sure the model is (<i>score</i>) and how firm its outline (<i>stability</i>), both 0 to 1.
Without CONFIDENCE, what the model itself takes for an object is found; with a lower one also what is vaguer, with a
score to match.</p>
<p>OVERLAPS=coverage gives a map without gaps and overlaps, whose shared borders are simplified together.</p>
<p>MIN_SIZE and MAX_SIZE leave out what is too small or too large. STEP and RESOLUTION decide what is seen at all:
search trees at 0.1 to 0.5 m, buildings at 0.3 to 1 m, fields at 2 to 10 m.</p>"""
ENTRY = SegmentEverythingAlgorithm
