"""Panels with settings of their own, and a project that is empty again afterwards."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from prompt_segmenter.test.algorithms.conftest import write_tif
from prompt_segmenter.ui.preferences import PREFIX
from qgis.core import QgsProject, QgsRasterLayer, QgsSettings


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
def project(qgis_app):
    project = QgsProject.instance()
    project.clear()
    yield project
    project.clear()


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
