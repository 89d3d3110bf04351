"""Squares in UTM 33N whose overlaps are known on paper, layers to put them in, and settings that are empty again."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from prompt_segmenter.core.outlines.results import Provenance, SegmentedPolygon
from prompt_segmenter.test.algorithms.conftest import write_tif
from prompt_segmenter.ui.preferences import PREFIX
from qgis.core import QgsProject, QgsRasterLayer, QgsSettings, QgsVectorFileWriter, QgsVectorLayer
from shapely.geometry import MultiPolygon, box

UTM = "EPSG:32633"
LEFT, BOTTOM = 500_000.0, 4_600_000.0
PROVENANCE = Provenance("starter", "ab" * 32, "scene.tif", "bands=1 stretch=none", "parts=all", "2026-01-01T00:00:00Z")


def square(col, row, size=10.0):
    """Return a square with its lower left corner so many metres from the origin."""
    return box(LEFT + col, BOTTOM + row, LEFT + col + size, BOTTOM + row + size)


def outline(*shapes, label="", score=0.9):
    """Return an outline of one or several squares; its measures are said, not computed."""
    shape = shapes[0] if len(shapes) == 1 else MultiPolygon(shapes)
    return SegmentedPolygon(shape, 1, label, score, 100.0, 40.0, "+1,2 EPSG:32633", 2.0, "0,0,64,64@64x64")


@pytest.fixture
def project(qgis_new_project):
    return QgsProject.instance()


def memory(kind="MultiPolygon", fields="label:string,score:double,area_m2:double,settings:string", crs=UTM):
    columns = "".join(f"&field={field}" for field in fields.split(","))
    layer = QgsVectorLayer(f"{kind}?crs={crs}{columns}", "m", "memory")
    assert layer.isValid()
    return layer


def as_file(layer, path, driver="GPKG"):
    """Return a layer as a file of its own, opened."""
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName = driver
    options.layerName = path.stem
    options.layerOptions = ["SPATIAL_INDEX=NO"] if driver == "GPKG" else []
    context = QgsProject.instance().transformContext()
    QgsVectorFileWriter.writeAsVectorFormatV3(layer, str(path), context, options)
    opened = QgsVectorLayer(str(path), path.stem, "ogr")
    assert opened.isValid()
    return opened


def state(layer):
    """Return everything in a layer that an undo has to bring back."""
    return sorted((f.id(), f.geometry().asWkt(6), str(f.attributes())) for f in layer.getFeatures())


@pytest.fixture(autouse=True)
def no_settings(qgis_app):
    """Begin and end with nothing remembered."""
    QgsSettings().remove(PREFIX)
    yield
    QgsSettings().remove(PREFIX)


@pytest.fixture(autouse=True)
def no_exception_in_a_slot(monkeypatch):
    """An exception in a slot never reaches the test by itself; here it does."""
    seen = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: seen.append(error))
    yield
    assert seen == []


@pytest.fixture
def raster(tmp_path, project):
    path = write_tif(tmp_path / "a.tif", np.full((3, 20, 20), 90, np.uint8), photometric="RGB")
    layer = QgsRasterLayer(path, "photo")
    assert layer.isValid()
    project.addMapLayer(layer)
    return layer


class Heard:
    """Keeps what a signal says."""

    def __init__(self, signal):
        self.values = []
        signal.connect(self._hear)

    def _hear(self, *values):
        self.values.append(values[0] if len(values) == 1 else values)


@pytest.fixture
def heard():
    return Heard
