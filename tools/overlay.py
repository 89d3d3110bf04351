"""A picture of outlines and clicks over an image, drawn by QGIS."""

from __future__ import annotations

from pathlib import Path

from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFillSymbol,
    QgsGeometry,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsMarkerSymbol,
    QgsPointXY,
    QgsRasterLayer,
    QgsRectangle,
    QgsSingleSymbolRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor

OUTLINE = {
    "color": "255,214,10,36",
    "outline_color": "255,214,10,255",
    "outline_width": "0.9",
    "outline_style": "solid",
}
AROUND = 0.9
"""Width of the surroundings that are shown, as a share of the outline's size, on each side."""


class Overlay:
    """Collects the layers of the picture.

    Parameters
    ----------
    image, outlines : Path
        A raster, and the polygons made from it.
    """

    def __init__(self, image: Path, outlines: Path) -> None:
        self._application = QgsApplication([], False)
        self._application.initQgis()
        self._image = QgsRasterLayer(str(image), "image")
        self._outlines = QgsVectorLayer(str(outlines), "outlines", "ogr")
        symbol = QgsFillSymbol.createSimple(OUTLINE)
        self._outlines.setRenderer(QgsSingleSymbolRenderer(symbol))
        self._clicks: list[QgsVectorLayer] = []

    def add_clicks(self, places: list[tuple[float, float]], colour: str, sign: str, crs: str) -> None:
        """Draw points, given in a CRS or (without one) in the image's coordinates, as round marks with a sign."""
        if not places:
            return
        layer = QgsVectorLayer("Point", "clicks", "memory")
        named = crs and crs != "pixel"
        layer.setCrs(QgsCoordinateReferenceSystem(crs) if named else self._image.crs())
        for x, y in places:
            feature = QgsFeature()
            feature.setGeometry(QgsGeometry.fromPointXY(QgsPointXY(x, y)))
            layer.dataProvider().addFeature(feature)
        symbol = QgsMarkerSymbol.createSimple(
            {"name": "circle", "color": colour, "outline_color": "white", "size": "5"}
        )
        shape = "cross" if sign == "+" else "line"
        look = {"name": shape, "color": "white", "outline_color": "white", "outline_width": "0.6", "size": "2.6"}
        mark = QgsMarkerSymbol.createSimple({**look, "angle": "0" if sign == "+" else "90"})
        symbol.appendSymbolLayer(mark.takeSymbolLayer(0))
        layer.setRenderer(QgsSingleSymbolRenderer(symbol))
        self._clicks.append(layer)

    def save(self, path: Path, side: int) -> None:
        """Write the picture, ``side`` pixels wide and high."""
        settings = QgsMapSettings()
        settings.setLayers([*self._clicks, self._outlines, self._image])
        settings.setDestinationCrs(self._image.crs())
        settings.setOutputSize(QSize(side, side))
        settings.setOutputDpi(144)
        settings.setBackgroundColor(QColor("#202020"))
        settings.setExtent(self._extent())
        job = QgsMapRendererParallelJob(settings)
        job.start()
        job.waitForFinished()
        if not job.renderedImage().save(str(path)):
            raise OSError(f"{path} can't be written")

    def describe(self) -> list[str]:
        """Return a line about each outline."""
        return [
            f"  object {feature['object']}: score {feature['score']:.2f}, {feature['area_m2']:.1f} m2, "
            f"{feature['perimeter_m']:.1f} m around, {feature.geometry().constGet().nCoordinates()} corners"
            for feature in self._outlines.getFeatures()
        ]

    def _extent(self) -> QgsRectangle:
        """Return a square around outlines and clicks, with surroundings, no wider than the image's longer side."""
        box = QgsRectangle()
        for layer in (self._outlines, *self._clicks):
            layer.updateExtents()
            if layer.crs() == self._image.crs() and layer.featureCount():
                box.combineExtentWith(layer.extent())
        whole = self._image.extent()
        if box.isNull() or not self._outlines.featureCount():
            return whole
        side = min(max(box.width(), box.height()) * (1 + 2 * AROUND), max(whole.width(), whole.height()))
        middle = box.center()
        x = min(max(middle.x(), whole.xMinimum() + side / 2), max(whole.xMaximum() - side / 2, whole.center().x()))
        y = min(max(middle.y(), whole.yMinimum() + side / 2), max(whole.yMaximum() - side / 2, whole.center().y()))
        return QgsRectangle(x - side / 2, y - side / 2, x + side / 2, y + side / 2)
