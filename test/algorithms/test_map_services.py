"""WMS and WMTS as the map tool looks at them: objects are where they are, to a pixel."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from prompt_segmenter.algorithms.layer_sources import source_for_canvas, source_for_layer
from prompt_segmenter.core.raster import crs as crs_maths
from prompt_segmenter.core.raster.grid import Window
from prompt_segmenter.test.helpers.map_service import BOTTOM, LEFT, RIGHT, TOP, map_service
from qgis.core import QgsCoordinateReferenceSystem, QgsMapSettings, QgsRasterLayer, QgsRectangle
from qgis.PyQt.QtCore import QSize


@pytest.fixture(params=["wms", "wmts"])
def layer(request, qgis_app):
    with map_service() as url:
        sources = {
            "wms": f"crs=EPSG:3857&format=image/png&layers=rectangle&styles&url={url}",
            "wmts": "crs=EPSG:3857&format=image/png&layers=rectangle&styles=default&tileMatrixSet=web"
            f"&url={url}?SERVICE%3DWMTS%26REQUEST%3DGetCapabilities",
        }
        layer = QgsRasterLayer(sources[request.param], request.param, "wms")
        assert layer.isValid(), layer.error().summary()
        yield layer


def read_elsewhere(source, around):
    """Return the chip over map bounds, at the grid's own resolution, read on another thread."""
    left, top, right, bottom = np.rint(source.grid.box_to_pixel(around)).astype(int)
    window = Window(int(left), int(top), int(right - left), int(bottom - top))
    chips = []
    thread = threading.Thread(
        target=lambda: chips.append(source.read(window, (window.width, window.height), (1, 2, 3)))
    )
    thread.start()
    thread.join()
    return chips[0]


def rectangle_in(chip):
    rows, cols = np.nonzero(chip.data[0] > 125)
    (left, top), (right, bottom) = chip.grid.to_map([(cols.min(), rows.min()), (cols.max() + 1, rows.max() + 1)])
    return left, bottom, right, top


def test_a_service_alone_is_drawn_where_it_is(layer):
    source = source_for_layer(layer, styled=False, screen_resolution=1.0)
    chip = read_elsewhere(source, (LEFT - 100, BOTTOM - 100, RIGHT + 100, TOP + 100))

    assert chip.valid.all()
    # a tile's own pixel is 1.2 m
    assert rectangle_in(chip) == pytest.approx((LEFT, BOTTOM, RIGHT, TOP), abs=1.2)


@pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:32633"])
def test_on_the_canvas_it_is_drawn_where_it_is(layer, crs):
    corners = [(LEFT, BOTTOM), (RIGHT, BOTTOM), (RIGHT, TOP), (LEFT, TOP)]
    moved = crs_maths.transform_points(corners, "EPSG:3857", crs)
    (left, bottom), (right, top) = moved.min(axis=0), moved.max(axis=0)
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(QgsCoordinateReferenceSystem(crs))
    settings.setOutputSize(QSize(150, 150))
    settings.setExtent(QgsRectangle(left - 100, bottom - 100, right + 100, top + 100))

    chip = read_elsewhere(source_for_canvas(settings), (left - 60, bottom - 60, right + 60, top + 60))

    assert chip.valid.all()
    assert rectangle_in(chip) == pytest.approx((left, bottom, right, top), abs=2.0)
