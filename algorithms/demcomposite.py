"""DEM composite: an elevation raster becomes the picture that models see, and slope, aspect and curvatures."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingParameterBand,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)

from ..core.errors import OutputError, SettingsError
from ..core.progress import SubProgress
from ..core.raster.grid import Bounds, Window
from ..core.raster.source import RasterSource
from ..core.raster.tile_template import WEB_MERCATOR, TileTemplate
from ..core.terrain.composite import DEFAULT, RECIPES
from ..core.terrain.products import PRODUCTS, Order, produce
from ..core.terrain.reader import ElevationReader, ElevationSettings
from ..core.window import over
from . import terrain_parameters
from .base import Parameters, SegmenterAlgorithm
from .bridge import FeedbackProgress, move_bounds
from .extents import extent_of
from .image_parameters import EXTENT, INPUT, layer_of
from .outputs import require_writable
from .raster_writer import RasterWriter, save_rgb_style
from .terrain_parameters import BAND, ENCODING, UNIT
from .terrain_source import NONE, encoding_of, layer_elevation, tile_elevation
from .values import is_given

NAME = "demcomposite"
TILES = "TILES"
ZOOM = "ZOOM"
RECIPE = "RECIPE"
RADIUS = "RADIUS"
OUTPUT = "OUTPUT"
_UNLIMITED = 1 << 62


class DemCompositeAlgorithm(SegmenterAlgorithm):
    """An RGB raster of a DEM, and what can be derived from it."""

    _source: RasterSource
    _crs: QgsCoordinateReferenceSystem
    _region: Window
    _heights: ElevationSettings

    def name(self) -> str:
        """Return the constant name."""
        return NAME

    def displayName(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return what people read."""
        return self.tr("DEM composite")

    def group(self) -> str:
        """Return the group that people read."""
        return self.tr("Terrain")

    def groupId(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return the constant group name."""
        return "terrain"

    def tags(self) -> list[str]:
        """Return what the algorithm is found by."""
        words = "dem,elevation,terrain,relief,slope,aspect,curvature,composite,rgb,terrarium,mapbox,samgis"
        return words.split(",")

    def shortDescription(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return one line about it."""
        return self.tr("Turns elevations into the colour picture that segmentation models work on.")

    def shortHelpString(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return the help that the dialog and qgis_process show."""
        return self.tr(_HELP)

    def initAlgorithm(self, configuration: Parameters | None = None) -> None:  # noqa: N802 (QGIS asks for this name)
        """Declare parameters and outputs."""
        for parameter, help_text, advanced in self._inputs():
            self.add(parameter, help_text=help_text, advanced=advanced)
        rgb = QgsProcessingParameterRasterDestination(OUTPUT, self.tr("Composite"))
        self.add(rgb, help_text=self.tr("GeoTIFF of three bands (red, green, blue), with a style beside it."))
        for name, product in PRODUCTS.items():
            destination = QgsProcessingParameterRasterDestination(
                name.upper(), self.tr(product.title), None, optional=True, createByDefault=False
            )
            self.add(destination, help_text=self.tr(product.help))

    def _inputs(self) -> list[terrain_parameters.Definition]:
        tr = self.tr
        kinds = QgsProcessingParameterNumber.Type
        layer = QgsProcessingParameterRasterLayer(INPUT, tr("Elevation raster"), None, optional=True)
        recipe = QgsProcessingParameterEnum(
            RECIPE, tr("Recipe"), RECIPES.names(), False, DEFAULT, False, usesStaticStrings=True
        )
        return [
            (layer, tr("A band of heights, or an XYZ layer of terrarium or mapbox terrain-RGB tiles."), False),
            (
                QgsProcessingParameterString(TILES, tr("or address of elevation tiles"), "", optional=True),
                tr("https://.../{z}/{x}/{y}.png, with your own token in it; needs EXTENT and ENCODING."),
                False,
            ),
            terrain_parameters.encoding(tr, advanced=False),
            (
                QgsProcessingParameterExtent(EXTENT, tr("Part of it"), None, True),
                tr("xmin,xmax,ymin,ymax and optionally [EPSG:n]; needed for tiles."),
                False,
            ),
            (
                QgsProcessingParameterNumber(ZOOM, tr("Zoom level of tiles"), kinds.Integer, None, True, 0, 24),
                tr("Without it the deepest that covers the part with about 8 x 8 tiles."),
                False,
            ),
            (QgsProcessingParameterBand(BAND, tr("Band"), 1, INPUT, True), tr("The band that holds heights."), False),
            terrain_parameters.unit(UNIT, tr, advanced=False),
            (
                recipe,
                tr(
                    "metric: elevation, slope and curvature in true ground units, the same for every window and zoom. "
                    "samgis: the very picture of the web service SamGIS."
                ),
                False,
            ),
            terrain_parameters.smoothing(tr),
            (
                QgsProcessingParameterNumber(
                    RADIUS, tr("Radius of the radial convergence (metres)"), kinds.Double, None, True, 0.0
                ),
                tr("Without it twenty cells."),
                True,
            ),
            *terrain_parameters.numbers(tr),
        ]

    def check(self, parameters: Parameters, context: QgsProcessingContext) -> None:
        """Raise for values that can't work; reads no pixels."""
        if is_given(parameters.get(INPUT)) == is_given(parameters.get(TILES)):
            raise SettingsError("There must be one elevation raster.", hint="Give INPUT or TILES, not both.")
        if is_given(parameters.get(TILES)):
            TileTemplate(self.parameterAsString(parameters, TILES, context).strip())
            if not is_given(parameters.get(EXTENT)):
                raise SettingsError("The tiles of the whole world are too many.", hint="Give EXTENT.")
        extent_of(EXTENT, parameters, self, context)
        terrain_parameters.heights_of(parameters, self, context, UNIT, 1)
        terrain_parameters.smoothing_of(parameters, self, context)
        for name in (OUTPUT, *(name.upper() for name in PRODUCTS)):
            require_writable(parameters.get(name))

    def prepare(self, parameters: Parameters, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> None:
        """Take the layer's provider, the place and the settings."""
        choice = self.parameterAsEnumString(parameters, ENCODING, context)
        zoom = self.parameterAsInt(parameters, ZOOM, context) if is_given(parameters.get(ZOOM)) else None
        band = self.parameterAsInt(parameters, BAND, context) if is_given(parameters.get(BAND)) else 1
        bounds: Bounds | None
        if is_given(parameters.get(TILES)):
            self._crs = QgsCoordinateReferenceSystem(WEB_MERCATOR)
            bounds = self._bounds(parameters, context)
            template = TileTemplate(self.parameterAsString(parameters, TILES, context).strip())
            encoding = encoding_of(choice, None, ()) if choice != NONE else None
            self._source = tile_elevation(template, encoding, bounds, zoom)
        else:
            # without a CRS, its units count as metres
            layer = layer_of(parameters, self, context, needs_crs=False)
            self._crs = layer.crs()
            bounds = self._bounds(parameters, context)
            self._source = layer_elevation(layer, choice, bounds=bounds, zoom=zoom)
        grid = self._source.grid
        whole = Window(0, 0, grid.width, grid.height)
        self._region = whole if bounds is None else over(grid, bounds, _UNLIMITED, _UNLIMITED).window
        self._heights = terrain_parameters.heights_of(parameters, self, context, UNIT, band)

    def _bounds(self, parameters: Parameters, context: QgsProcessingContext) -> Bounds | None:
        found = extent_of(EXTENT, parameters, self, context)
        return None if found is None else move_bounds(found[0], found[1], self._crs, context)

    def process(
        self, parameters: Parameters, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> Parameters:
        """Paint piece by piece, and write each piece."""
        source = self._source
        del self._source  # a file that is held open can't be moved or deleted on Windows
        progress = FeedbackProgress(feedback)
        paths = self._paths(parameters, context)
        recipe = self.parameterAsEnumString(parameters, RECIPE, context)
        composite = terrain_parameters.composite_of(parameters, self, context, recipe)
        radius = self.parameterAsDouble(parameters, RADIUS, context) if is_given(parameters.get(RADIUS)) else None
        order = Order(self._region, composite, tuple(name for name in PRODUCTS if name.upper() in paths), radius)
        with ExitStack() as files, closing(source):
            reader = ElevationReader(source, self._heights)
            run = produce(reader, order, SubProgress(progress, 0.0, 1.0))
            grid = source.grid.window(self._region)
            feedback.pushInfo(f"{grid.width} x {grid.height} cells: {run.text}")
            writers = {
                OUTPUT: files.enter_context(
                    RasterWriter(paths[OUTPUT], grid, self._crs, "uint8", bands=3, nodata=run.rgb_nodata)
                )
            }
            for name in order.products:
                path = paths[name.upper()]
                writers[name.upper()] = files.enter_context(
                    RasterWriter(path, grid, self._crs, "float32", nodata=run.nodata)
                )
            for window, results in run:
                for name, values in results.items():
                    writers[name.upper()].write(values, window)
            for doubt in run.doubts:
                feedback.pushWarning(doubt)
        if not save_rgb_style(paths[OUTPUT]):
            feedback.pushWarning(self.tr("The style beside the composite could not be written."))
        return dict(paths)

    def _paths(self, parameters: Parameters, context: QgsProcessingContext) -> dict[str, str]:
        """Return where each output that is wanted goes."""
        paths = {OUTPUT: self.parameterAsOutputLayer(parameters, OUTPUT, context)}
        for name in PRODUCTS:
            if is_given(parameters.get(name.upper())):
                paths[name.upper()] = self.parameterAsOutputLayer(parameters, name.upper(), context)
        for name, path in paths.items():
            if Path(path).suffix.lower() not in (".tif", ".tiff"):
                raise OutputError(f"{name} '{path}' is no GeoTIFF.", hint="Give a name that ends in .tif.")
        return paths


_HELP = """<p>Turns elevations into a colour picture in which landforms stand out, for segmentation models and for the
eye: red is elevation, green is slope, blue is curvature (bright crests, dark hollows and foot lines).</p>
<p>The recipe <i>metric</i> works in true ground metres in any CRS, so the same mountain has the same colours whatever
the window, zoom or latitude. The recipe <i>samgis</i> is that of the web service SamGIS, bit for bit.</p>
<p>Slope, aspect, plan and profile curvature and radial convergence can be written as well. Cells without data stay
without data and never enter the values of their neighbours.</p>"""
ENTRY = DemCompositeAlgorithm
