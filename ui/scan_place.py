"""Turns the panel's choices into a scan's settings: map bounds and a resolution in the image's own CRS."""

from __future__ import annotations

from dataclasses import replace

from qgis.core import QgsMapSettings, QgsProject, QgsRectangle
from qgis.PyQt.QtCore import QCoreApplication

from ..algorithms.bridge import move_bounds, to_qgis_crs
from ..algorithms.layer_sources import resolution_on_screen
from ..algorithms.provider_source import is_picture
from ..core.errors import OutsideExtentError, SettingsError
from ..core.outlines.masks import PartRule
from ..core.outlines.shape import OutlineSettings
from ..core.raster.grid import Bounds, PixelGrid
from ..core.scan import ScanSettings
from .examples import polygon_layers
from .scan_controls import Area, Closeness, ScanChoices
from .session_source import Chosen


def scan_settings(
    choices: ScanChoices, image: Chosen, grid: PixelGrid, canvas: QgsMapSettings, outline: OutlineSettings
) -> ScanSettings:
    """Return a scan's settings.

    Raises
    ------
    SettingsError
        If polygons should be selected and are not.
    OutsideExtentError
        If the image is not there.
    CrsError
        If the place has none in the image's CRS.
    """
    # nobody has clicked a part of anything
    if outline.parts is PartRule.WITH_INCLUDE:
        outline = replace(outline, parts=PartRule.ALL)
    return ScanSettings(
        outline=outline,
        extent=_extent(choices.area, image, grid, canvas),
        resolution=_resolution(choices.closeness, image, grid, canvas),
        min_area_m2=choices.min_area_m2,
        max_area_m2=choices.max_area_m2,
        overlaps=choices.overlaps,
        keep_on_cancel=choices.keep_on_cancel,
    )


def _extent(area: Area, image: Chosen, grid: PixelGrid, canvas: QgsMapSettings) -> Bounds | None:
    # what the canvas shows has no other whole than what is seen of it
    if area is Area.WHOLE and image.layer is not None:
        return None
    target, project = to_qgis_crs(grid.crs), QgsProject.instance()
    if area is Area.SELECTED:
        boxes = [
            move_bounds(layer.boundingBoxOfSelected(), layer.crs(), target, project)
            for layer in polygon_layers()
            if layer.selectedFeatureCount()
        ]
        if not boxes:
            raise SettingsError(
                tr("No polygon is selected."), hint=tr("Select one in any layer, or look at what the canvas shows.")
            )
    else:
        boxes = [move_bounds(canvas.visibleExtent(), canvas.destinationCrs(), target, project)]
    whole = QgsRectangle()
    for left, bottom, right, top in boxes:
        whole.combineExtentWith(QgsRectangle(left, bottom, right, top))
    seen = whole.intersect(QgsRectangle(*grid.bounds))
    if seen.isEmpty():
        raise OutsideExtentError(
            tr("The image lies elsewhere: it covers {}.").format(QgsRectangle(*grid.bounds).toString(6)),
            hint=tr("Move the map to it, or look at the whole layer."),
        )
    return seen.xMinimum(), seen.yMinimum(), seen.xMaximum(), seen.yMaximum()


def _resolution(closeness: Closeness, image: Chosen, grid: PixelGrid, canvas: QgsMapSettings) -> float | None:
    """Return the CRS units per pixel; None for the image's own, which what is drawn for the screen does not have."""
    layer = image.layer
    is_drawn = layer is None or is_picture(layer) or (image.styled and image.dem is None)
    if closeness is Closeness.NATIVE and not is_drawn:
        return None
    # a layer with a style is drawn from pixels of its own: no closer than these
    own = layer.rasterUnitsPerPixelX() if layer is not None and not is_picture(layer) else 0.0
    if closeness is Closeness.NATIVE and own > 0.0:
        return max(own, *grid.resolution)
    on_screen = resolution_on_screen(canvas, to_qgis_crs(grid.crs))
    return max(on_screen, own, *grid.resolution)


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("ScanPlace", text)
