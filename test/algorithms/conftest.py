"""A raster whose objects are known on paper, and the provider with a model whose answer is known on paper."""

from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.algorithms import segmentprompts
from prompt_segmenter.core import native
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.plugin import PromptSegmenterPlugin
from prompt_segmenter.test.helpers.fake_model import SameBrightness
from qgis.core import QgsRasterLayer

LEFT, TOP, PIXEL = 500_000.0, 4_600_000.0, 2.0
RECTANGLES = {"a": (20, 30, 40, 40), "b": (90, 80, 102, 95)}
"""(left, top, right, bottom) in pixels of the scene; a is 20 x 10 pixels, b 12 x 15."""


class FakeStore(ModelStore):
    """A weights folder in which the fake model is every model of the catalogue."""

    def missing(self, spec):
        return ()

    def load(self, name, *, settings=None, progress=None):
        return SameBrightness()


@pytest.fixture
def plugin(qgis_app):
    """The plugin as qgis_process starts it: without a window."""
    plugin = PromptSegmenterPlugin(None)
    plugin.initProcessing()
    yield plugin
    plugin.unload()


@pytest.fixture
def fake_model(plugin, monkeypatch):
    monkeypatch.setattr(segmentprompts, "ModelStore", FakeStore)


def write_tif(path, data, *, crs="EPSG:32633", transform=(PIXEL, 0, LEFT, 0, -PIXEL, TOP), nodata=None, **profile):
    rasterio = native.rasterio()
    count, height, width = data.shape
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=width,
        height=height,
        count=count,
        dtype=data.dtype,
        crs=crs,
        transform=rasterio.Affine(*transform),
        nodata=nodata,
        **profile,
    ) as file:
        file.write(data)
    return str(path)


@pytest.fixture(scope="session")
def scene_path(tmp_path_factory):
    """120 x 100 pixels of 2 m in UTM 33N: dark ground, rectangle a at grey 200 and b at grey 120."""
    data = np.full((3, 100, 120), 40, np.uint8)
    for value, (left, top, right, bottom) in zip((200, 120), RECTANGLES.values()):
        data[:, top:bottom, left:right] = value
    return write_tif(tmp_path_factory.mktemp("scene") / "scene.tif", data, photometric="RGB")


@pytest.fixture
def scene(scene_path, qgis_app):
    layer = QgsRasterLayer(scene_path, "scene")
    assert layer.isValid()
    return layer


def centre(name):
    """Return the middle of a rectangle in map coordinates."""
    left, top, right, bottom = RECTANGLES[name]
    return LEFT + PIXEL * (left + right) / 2, TOP - PIXEL * (top + bottom) / 2


def bounds(name):
    """Return a rectangle's (xmin, xmax, ymin, ymax) in map coordinates, as Processing writes extents."""
    left, top, right, bottom = RECTANGLES[name]
    return LEFT + PIXEL * left, LEFT + PIXEL * right, TOP - PIXEL * bottom, TOP - PIXEL * top


def outline_of(feature):
    """Return (xmin, xmax, ymin, ymax) and the planar area of a feature."""
    box = feature.geometry().boundingBox()
    return (box.xMinimum(), box.xMaximum(), box.yMinimum(), box.yMaximum()), feature.geometry().area()
