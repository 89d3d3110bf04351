"""Pixels as a map canvas shows them: several layers with their styles, in the map's CRS, drawn by QGIS."""

from __future__ import annotations

import math
from collections.abc import Sequence
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsMapLayer,
    QgsMapRendererCustomPainterJob,
    QgsMapSettings,
    QgsRectangle,
)
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QEventLoop, QSize, Qt, QTimer
from qgis.PyQt.QtGui import QImage, QPainter

from ..core.errors import Cancelled, RasterReadError
from ..core.progress import NullProgress, Progress, check
from ..core.raster.chip import RasterChip
from ..core.raster.grid import Bounds, PixelGrid, Window
from ..core.raster.source import check_request
from ..core.redact import without_credentials
from .bridge import crs_text
from .map_layers import cloned, flattened
from .rendered_source import OSM_HOST, RGB_BANDS, refuse_bulk, straight_rgba

FINER = 4
"""The grid is at least this much finer than the screen: the closest look that is worth drawing."""
_LATTICE_PX = 256
_PIECE_PX = 1024
_DPI = 96.0
_POLL_MS = 20
_WIDEST = 1e9
"""More map units than any CRS has ground: what a world-wide extent becomes in a CRS that can't hold the world."""
_ON = ("Antialiasing", "UseAdvancedEffects", "RenderMapTile")
_OFF = ("DrawEditingInfo", "DrawLabeling", "DrawSelection", "UseRenderingOptimization", "RenderPreviewJob")


class MapSource:
    """What a canvas shows, north-up, without labels and selections. Made on the GUI thread; then read from any other.

    Pixels lie on a lattice through the CRS's origin, in steps of powers of 2, wherever the canvas looks: the same
    ground gives the same pixels when the user comes back to it. Its rotation and the screen's dots change nothing.

    Parameters
    ----------
    settings : QgsMapSettings
        The canvas's own: layers from top to bottom, styles, CRS, scale.
    leave_out : sequence of QgsMapLayer
        Layers that are not looked at, such as the one that outlines are kept in.

    Raises
    ------
    RasterReadError
        If no layer is left to be shown.
    """

    already_rgb = True
    bands = RGB_BANDS

    def __init__(self, settings: QgsMapSettings, *, leave_out: Sequence[QgsMapLayer] = ()) -> None:
        hidden = {layer.id() for layer in leave_out if layer is not None}
        shown = [
            layer
            for layer in settings.layers()
            if layer.id() not in hidden and layer.isValid() and layer.isInScaleRange(settings.scale())
        ]
        if not shown:
            raise RasterReadError(
                "The canvas shows no layer that could be looked at.", hint="Switch on an image layer, or choose one."
            )
        names = ", ".join(layer.name() for layer in shown)
        self.uri = without_credentials(f"map: {names}")
        self.grid = _grid(settings, shown)
        self._is_osm = any(OSM_HOST in unquote(layer.source()) for layer in flattened(shown))
        self._layers, styles = cloned(shown, settings.layerStyleOverrides())
        self._settings = _settings(settings, self._layers, styles)

    def read(
        self, window: Window, size: tuple[int, int], bands: tuple[int, ...], progress: Progress | None = None
    ) -> RasterChip:
        """Return the window as it is drawn at ``size``; see :class:`RasterSource`."""
        check_request(self, window, size, bands)
        if self._is_osm:
            refuse_bulk(size)
        progress = progress or NullProgress()
        grid = self.grid.window(window).resampled(*size)
        picture = np.zeros((4, size[1], size[0]), dtype=np.uint8)
        for row in range(0, size[1], _PIECE_PX):
            for col in range(0, size[0], _PIECE_PX):
                check(progress)
                width, height = min(_PIECE_PX, size[0] - col), min(_PIECE_PX, size[1] - row)
                piece = grid.window(Window(col, row, width, height))
                picture[:, row : row + height, col : col + width] = self._draw(piece, progress)
        names = tuple(RGB_BANDS[band - 1].name for band in bands)
        return RasterChip(picture[[band - 1 for band in bands]], picture[3] > 0, grid, names, self.uri)

    def close(self) -> None:
        """Let go of the layers, and with them of their files and connections."""
        layers, self._layers = self._layers, []
        self._settings = QgsMapSettings()
        for layer in layers:
            # made by the GUI thread, so it ends there
            sip.transferto(layer, None)
            layer.deleteLater()

    def _draw(self, grid: PixelGrid, progress: Progress) -> NDArray[np.uint8]:
        """Return what QGIS draws on a grid: RGBA (4, H, W) uint8, colours not premultiplied."""
        left, _, right, top = grid.bounds
        resolution = min(grid.resolution)
        settings = QgsMapSettings(self._settings)
        # QGIS draws square pixels only, so the longer side of an oblong pixel is drawn finer
        width, height = (
            math.ceil((right - left) / resolution - 1e-6),
            math.ceil((top - grid.bounds[1]) / resolution - 1e-6),
        )
        settings.setOutputSize(QSize(width, height))
        settings.setExtent(QgsRectangle(left, top - height * resolution, left + width * resolution, top))
        image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        try:
            job = QgsMapRendererCustomPainterJob(settings, painter)
            _finish(job, progress)
        finally:
            painter.end()
        check(progress)
        self._require_drawn(job)
        pixels = np.frombuffer(image.constBits().asstring(image.sizeInBytes()), dtype=np.uint8)
        drawn = np.moveaxis(straight_rgba(pixels.reshape(height, width, 4)), 2, 0)
        return _taken(drawn, grid, settings.visibleExtent(), settings.mapUnitsPerPixel())

    def _require_drawn(self, job: QgsMapRendererCustomPainterJob) -> None:
        problems = [f"{without_credentials(str(error.message))}" for error in job.errors()]
        if problems:
            raise RasterReadError(
                f"The map can't be drawn ({'; '.join(problems[:3])}).",
                hint="Check the connection to its servers and its files, or switch that layer off.",
            )


def lattice_step(resolution: float) -> float:
    """Return the largest power of 2 that is at least :data:`FINER` times finer than a resolution."""
    return 2.0 ** math.floor(math.log2(resolution / FINER))


def _finish(job: QgsMapRendererCustomPainterJob, progress: Progress) -> None:
    """Run a job to its end; the thread waits in an event loop, which keeps Python free for the others.

    Raises
    ------
    Cancelled
        If the user asked to stop; the job has ended then, too.
    """
    loop = QEventLoop()
    timer = QTimer()
    stopped = False

    def look() -> None:
        nonlocal stopped
        if not stopped and progress.is_cancelled():
            stopped = True
            job.cancelWithoutBlocking()

    timer.timeout.connect(look)
    job.finished.connect(loop.quit)
    timer.start(_POLL_MS)
    job.start()
    if job.isActive():
        loop.exec()
    timer.stop()
    if stopped:
        raise Cancelled("Stopped on request.")


def _taken(drawn: NDArray[np.uint8], grid: PixelGrid, shown: QgsRectangle, step: float) -> NDArray[np.uint8]:
    """Return the drawn pixel under the middle of each of the grid's, by where QGIS says that it has drawn."""
    (size_x, size_y), (left, _, _, top) = grid.resolution, grid.bounds
    cols = np.floor((left + (np.arange(grid.width) + 0.5) * size_x - shown.xMinimum()) / step).astype(np.int64)
    rows = np.floor((shown.yMaximum() - top + (np.arange(grid.height) + 0.5) * size_y) / step).astype(np.int64)
    height, width = drawn.shape[1:]
    taken: NDArray[np.uint8] = drawn[:, rows.clip(0, height - 1)[:, np.newaxis], cols.clip(0, width - 1)]
    return taken


def _settings(settings: QgsMapSettings, layers: list[QgsMapLayer], styles: dict[str, str]) -> QgsMapSettings:
    """Return the canvas's settings for its cloned layers, without what belongs to the screen."""
    own = QgsMapSettings(settings)
    own.setLayers(layers)
    own.setLayerStyleOverrides(styles)
    own.setRotation(0.0)
    own.setDevicePixelRatio(1.0)
    own.setOutputDpi(_DPI)
    own.setOutputImageFormat(QImage.Format.Format_ARGB32_Premultiplied)
    own.setBackgroundColor(Qt.GlobalColor.transparent)
    for is_on, names in ((True, _ON), (False, _OFF)):
        for name in names:
            own.setFlag(getattr(QgsMapSettings.Flag, name), is_on)
    return own


def _grid(settings: QgsMapSettings, layers: list[QgsMapLayer]) -> PixelGrid:
    """Return the lattice over all layers, at least :data:`FINER` times finer than the screen."""
    step = lattice_step(settings.mapUnitsPerPixel())
    left, bottom, right, top = _covered(settings, layers)
    side = step * _LATTICE_PX
    first_col, first_row = math.floor(left / side), math.ceil(top / side)
    width, height = math.ceil(right / side) - first_col, first_row - math.floor(bottom / side)
    transform = (step, 0.0, first_col * side, 0.0, -step, first_row * side)
    size = max(width, 1) * _LATTICE_PX, max(height, 1) * _LATTICE_PX
    return PixelGrid(transform, crs_text(settings.destinationCrs()), *size)


def _covered(settings: QgsMapSettings, layers: list[QgsMapLayer]) -> Bounds:
    """Return the map bounds of all layers.

    A world-wide layer has no sensible bounds in the CRS of one country: there, the CRS's own area and as much again on
    each side are taken. Where nothing is known, it is what is on the screen.
    """
    only = QgsMapSettings(settings)
    only.setLayers(layers)
    extent, own = only.fullExtent(), _own_area(settings)
    if own is not None:
        own.grow(min(own.width(), own.height()))
        extent = extent.intersect(own)
    if not _is_sensible(extent):
        extent = settings.visibleExtent()
    return extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum()


def _is_sensible(extent: QgsRectangle) -> bool:
    sides = (extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum())
    return not extent.isEmpty() and all(math.isfinite(side) and abs(side) < _WIDEST for side in sides)


def _own_area(settings: QgsMapSettings) -> QgsRectangle | None:
    """Return the area of use of the map's CRS, in the map's units; None where that is not known."""
    crs = settings.destinationCrs()
    degrees = crs.bounds() if crs.isValid() else QgsRectangle()
    if degrees.isEmpty():
        return None
    to_map = QgsCoordinateTransform(QgsCoordinateReferenceSystem("EPSG:4326"), crs, settings.transformContext())
    try:
        area = to_map.transformBoundingBox(degrees)
    except QgsCsException:
        return None
    return area if area.isFinite() else None
