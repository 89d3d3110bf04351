"""Results as QGIS layers hold them: their fields by name, and the rasters that they were made from."""

from __future__ import annotations

from contextlib import closing
from functools import lru_cache
from typing import Any

from qgis.core import QgsFeature, QgsFields, QgsMapSettings, QgsPointXY, QgsRasterLayer, QgsRectangle
from qgis.PyQt.QtCore import QSize

from ..core.errors import RasterReadError
from ..core.outlines.results import FIELDS
from ..core.prompts.parse import parse_prompts
from ..core.raster.source import RasterSource
from ..core.replay import Record
from .bridge import crs_text, from_qgis_geometry, to_qgis_crs
from .map_source import FINER, MapSource
from .provider_source import ProviderSource, is_picture, unturned
from .recorded_dem import OTHER, open_dem, opened_layer
from .rendered_source import RenderedSource
from .values import is_null

_SHORT_NAME = 10
"""Shapefiles keep so many characters of a field's name."""
_CANVAS = "map:"
_SCREEN_PX = 512


def index_of(fields: QgsFields, name: str) -> int:
    """Return the index of the field for one of the core's columns, or -1; its case does not count."""
    return _place_of(name, tuple(fields.names()))


@lru_cache(maxsize=512)
def _place_of(name: str, field_names: tuple[str, ...]) -> int:
    # asked for each column of each of thousands of objects that go into one layer
    names = [field_name.casefold() for field_name in field_names]
    for wanted in (name, name[:_SHORT_NAME]):
        if wanted.casefold() in names:
            return names.index(wanted.casefold())
    return -1


def attributes_of(feature: QgsFeature) -> dict[str, Any]:
    """Return the values of a feature by the names of the core's columns; None for those that it has not."""
    found = {column.name: index_of(feature.fields(), column.name) for column in FIELDS}
    values = {name: feature.attribute(index) if index >= 0 else None for name, index in found.items()}
    return {name: None if is_null(value) else value for name, value in values.items()}


def record_of(feature: QgsFeature, crs: str | None) -> Record:
    """Return what a feature in this CRS says about how it was made."""
    return Record.of(from_qgis_geometry(feature.geometry()), crs, attributes_of(feature))


def open_recorded(record: Record, layer: QgsRasterLayer | None = None) -> RasterSource:
    """Return the source of a record's pixels, or the given layer in its place, read as it was then.

    What was made from a canvas is made again from the one raster layer that it showed. Of a DEM that was looked at as a
    composite it is the elevations.

    Raises
    ------
    RasterReadError
        If it can't be opened.
    SettingsError
        If the record does not say what was read.
    """
    if record.composite is not None:
        return open_dem(record.source, layer)
    if record.source.startswith(_CANVAS) and layer is not None:
        return _as_map(layer, record)
    layer = _layer_of(record) if layer is None else layer
    if is_picture(layer) or record.is_drawn:
        return RenderedSource(layer, resolution=record.native_resolution)
    source = ProviderSource(layer)
    own = unturned(source)
    if own is not source:
        with closing(source):
            return own
    return source


def _as_map(layer: QgsRasterLayer, record: Record) -> MapSource:
    """Return a layer as a canvas shows it that shows nothing else, on the lattice that the record was made on."""
    crs = to_qgis_crs(parse_prompts(record.prompts, crs=crs_text(layer.crs())).crs)
    # a little more, lest rounding gives the next finer lattice
    units = record.native_resolution * FINER * (1.0 + 1e-9)
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(crs)
    settings.setOutputSize(QSize(_SCREEN_PX, _SCREEN_PX))
    left, bottom, right, top = record.geometry.bounds if record.geometry is not None else (0.0, 0.0, 0.0, 0.0)
    middle = QgsPointXY((left + right) / 2.0, (bottom + top) / 2.0)
    settings.setExtent(QgsRectangle.fromCenterAndSize(middle, _SCREEN_PX * units, _SCREEN_PX * units))
    return MapSource(settings)


def _layer_of(record: Record) -> QgsRasterLayer:
    name = record.source
    if name.startswith(_CANVAS):
        raise RasterReadError("It was made from what the map showed, which is not kept.", hint=OTHER)
    return opened_layer(name)
