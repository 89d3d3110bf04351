"""Which source reads the pixels that the map tool looks at: a layer's values, its style, or what the canvas shows."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsMapLayer,
    QgsMapSettings,
    QgsRasterLayer,
)

from ..core.errors import CrsError, MissingCrsError, RasterReadError
from ..core.raster.source import RasterSource
from ..core.redact import without_credentials
from .map_source import MapSource, lattice_step
from .provider_source import ProviderSource, is_picture, unturned
from .rendered_source import RenderedSource


def source_for_layer(
    layer: QgsRasterLayer, *, styled: bool, screen_resolution: float, pixel_space: bool = False
) -> RasterSource:
    """Return the source of a layer's pixels. Called on the GUI thread: copies only, no reading.

    Parameters
    ----------
    layer : QgsRasterLayer
        Any raster layer.
    styled : bool
        Look at the picture that its style makes, in place of its values. Web layers have nothing else.
    screen_resolution : float
        Units of the layer's CRS per pixel of the screen, for services that have no resolution of their own; see
        :func:`resolution_on_screen`.
    pixel_space : bool
        Allow a layer without a CRS, in its own coordinates.

    Raises
    ------
    RasterReadError
        If its pixels can't be segmented.
    MissingCrsError
        If it has no CRS and that was not allowed.
    """
    if not layer.isValid() or layer.dataProvider() is None:
        raise RasterReadError(
            f"The layer '{layer.name()}' can't be opened ({without_credentials(layer.publicSource())}).",
            hint="Mend its source, or choose another layer.",
        )
    if not layer.crs().isValid() and not pixel_space:
        raise MissingCrsError(
            f"The layer '{layer.name()}' has no CRS, so areas and positions are unknown.",
            hint="Set its CRS in the layer's properties.",
        )
    if is_picture(layer) or styled:
        return RenderedSource(layer, resolution=lattice_step(screen_resolution))
    return ProviderSource(layer)


def source_for_canvas(settings: QgsMapSettings, *, leave_out: Sequence[QgsMapLayer] = ()) -> MapSource:
    """Return the source of what a canvas shows. Called on the GUI thread: copies only, no reading.

    Parameters
    ----------
    settings : QgsMapSettings
        ``canvas.mapSettings()``.
    leave_out : sequence of QgsMapLayer
        Layers that must not be looked at, such as the one that outlines are kept in.

    Raises
    ------
    RasterReadError
        If no layer is shown.
    """
    return MapSource(settings, leave_out=leave_out)


def for_worker(source: RasterSource) -> RasterSource:
    """Return the source to read from, once on the thread that reads: the core's own for a rotated file.

    The other one is returned as it is. Both are to be closed.
    """
    return unturned(source) if isinstance(source, ProviderSource) else source


def resolution_on_screen(settings: QgsMapSettings, crs: QgsCoordinateReferenceSystem) -> float:
    """Return the units of a CRS per pixel of the screen, in the middle of a canvas.

    Raises
    ------
    CrsError
        If the middle of the canvas has no place in that CRS.
    """
    across = settings.mapUnitsPerPixel()
    if not crs.isValid() or not settings.destinationCrs().isValid() or crs == settings.destinationCrs():
        return float(across)
    middle = settings.visibleExtent().center()
    beside = type(middle)(middle.x() + across, middle.y())
    below = type(middle)(middle.x(), middle.y() + across)
    moving = QgsCoordinateTransform(settings.destinationCrs(), crs, settings.transformContext())
    try:
        here, *others = (moving.transform(point) for point in (middle, beside, below))
    except QgsCsException as error:
        raise CrsError(
            f"The middle of the map ({middle.toString(6)}) has no place in {crs.authid()}.",
            hint="Move the map to the layer.",
        ) from error
    return float(max(here.distance(other) for other in others))
