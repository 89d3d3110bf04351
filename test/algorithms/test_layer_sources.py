from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.algorithms.layer_sources import (
    for_worker,
    resolution_on_screen,
    source_for_canvas,
    source_for_layer,
)
from prompt_segmenter.algorithms.map_source import MapSource
from prompt_segmenter.algorithms.provider_source import ProviderSource
from prompt_segmenter.algorithms.rendered_source import RenderedSource
from prompt_segmenter.core.errors import CrsError, MissingCrsError, RasterReadError
from prompt_segmenter.core.raster.grid import Window
from prompt_segmenter.test.algorithms.conftest import write_tif
from qgis.core import QgsCoordinateReferenceSystem, QgsMapSettings, QgsRasterLayer, QgsRectangle
from qgis.PyQt.QtCore import QSize

UTM = QgsCoordinateReferenceSystem("EPSG:32633")
DEGREES = QgsCoordinateReferenceSystem("EPSG:4326")


def layer_of(path, name="layer"):
    layer = QgsRasterLayer(path, name)
    assert layer.isValid()
    return layer


@pytest.mark.parametrize(
    ("bands", "dtype"), [(1, np.uint8), (2, np.uint16), (3, np.uint8), (7, np.float32), (4, np.int16)]
)
def test_a_file_of_any_band_count_and_type_is_read_as_it_is(tmp_path, qgis_app, bands, dtype):
    data = (np.arange(bands * 12).reshape(bands, 3, 4) + 1).astype(dtype)
    layer = layer_of(write_tif(tmp_path / "a.tif", data))

    source = source_for_layer(layer, styled=False, screen_resolution=1.0)

    assert isinstance(source, ProviderSource)
    chip = source.read(Window(0, 0, 4, 3), (4, 3), tuple(range(1, bands + 1)))
    assert np.array_equal(chip.data, data)


def test_the_style_is_looked_at_where_that_is_wanted(scene):
    source = source_for_layer(scene, styled=True, screen_resolution=1.0)

    assert isinstance(source, RenderedSource)
    assert source.grid.resolution == (2.0, 2.0)


def test_a_web_layer_is_drawn_whether_a_style_is_wanted_or_not(qgis_app):
    tiles = QgsRasterLayer("type=xyz&url=http://127.0.0.1:1/%7Bz%7D/%7Bx%7D/%7By%7D.png&zmax=3", "tiles", "wms")

    assert isinstance(source_for_layer(tiles, styled=False, screen_resolution=9.0), RenderedSource)


def test_a_layer_without_a_crs_is_refused_by_its_name_unless_pixel_space_is_allowed(tmp_path, qgis_app):
    layer = layer_of(write_tif(tmp_path / "a.tif", np.ones((1, 4, 4), np.uint8), crs=None), "scan")
    layer.setCrs(QgsCoordinateReferenceSystem())

    with pytest.raises(MissingCrsError, match="'scan' has no CRS"):
        source_for_layer(layer, styled=False, screen_resolution=1.0)
    assert source_for_layer(layer, styled=False, screen_resolution=1.0, pixel_space=True).grid.crs is None


def test_a_layer_whose_file_is_gone_is_refused_without_its_secrets(qgis_app):
    layer = QgsRasterLayer("/nowhere/a.tif?password=abc", "gone")

    with pytest.raises(RasterReadError, match=r"'gone' can't be opened \(/nowhere/a.tif\?password=\*\*\*\)"):
        source_for_layer(layer, styled=False, screen_resolution=1.0)


def test_a_rotated_file_is_read_by_the_core_along_its_own_axes(tmp_path, qgis_app):
    data = np.arange(48, dtype=np.uint8).reshape(1, 6, 8) + 1
    turned = (0.866, 0.5, 500_000.0, 0.5, -0.866, 4_600_000.0)
    layer = layer_of(write_tif(tmp_path / "a.tif", data, transform=turned))

    source = for_worker(source_for_layer(layer, styled=False, screen_resolution=1.0))

    assert source.grid.transform == pytest.approx(turned)
    assert np.array_equal(source.read(Window(0, 0, 8, 6), (8, 6), (1,)).data, data)


def test_what_needs_no_turning_is_read_as_it_is(scene):
    source = source_for_layer(scene, styled=False, screen_resolution=1.0)

    assert for_worker(source) is source


def settings_of(layers, crs, extent):
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setDestinationCrs(crs)
    settings.setOutputSize(QSize(200, 200))
    settings.setExtent(extent)
    return settings


def test_the_canvas_without_the_layer_of_kept_objects(scene):
    settings = settings_of([scene], UTM, scene.extent())

    assert isinstance(source_for_canvas(settings), MapSource)
    with pytest.raises(RasterReadError):
        source_for_canvas(settings, leave_out=[scene])


def test_the_resolution_of_the_screen_is_known_in_the_layers_crs(scene):
    utm = settings_of([scene], UTM, QgsRectangle(499_900, 4_599_900, 500_100, 4_600_100))
    degrees = settings_of([scene], DEGREES, QgsRectangle(15.0, 41.5, 15.02, 41.52))

    assert resolution_on_screen(utm, UTM) == 1.0
    # a degree of latitude is 111.1 km at 41.5 degrees north
    assert resolution_on_screen(degrees, UTM) == pytest.approx(11.1, rel=0.01)
    assert resolution_on_screen(utm, DEGREES) == pytest.approx(1 / 83_400, rel=0.01)
    assert resolution_on_screen(utm, QgsCoordinateReferenceSystem()) == 1.0


def test_a_canvas_that_looks_elsewhere_is_said_so(scene):
    pole = settings_of([scene], DEGREES, QgsRectangle(0, 95, 10, 105))

    with pytest.raises(CrsError, match="has no place in EPSG:32633"):
        resolution_on_screen(pole, UTM)
