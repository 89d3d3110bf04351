"""The one contract of raster sources, asked of those that QGIS reads and draws."""

from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.algorithms.provider_source import ProviderSource
from prompt_segmenter.algorithms.rendered_source import RenderedSource
from prompt_segmenter.core.raster.grid import Window
from prompt_segmenter.test.algorithms.conftest import write_tif
from prompt_segmenter.test.core.raster.test_source_contract import (  # noqa: F401 (pytest runs them here too)
    Promised,
    scene,
    test_a_read_that_is_cancelled_gives_nothing,
    test_a_window_at_native_size_is_the_pixels_themselves,
    test_any_smaller_size_covers_the_same_ground_with_values_from_it,
    test_halving_gives_the_means_of_the_usable_pixels,
    test_it_can_be_opened_on_one_thread_and_read_on_another,
    test_it_says_where_its_pixels_are_and_what_they_are,
    test_the_chips_arrays_are_the_readers_own_and_read_only,
)
from qgis.core import QgsContrastEnhancement, QgsRasterLayer

UPRIGHT = (10.0, 0.0, 500000.0, 0.0, -10.0, 4600000.0)
"""QGIS turns rotated files north-up; those are read by the core."""


@pytest.fixture(params=["provider", "provider that can't average", "rendered"])
def kind(request):
    return request.param


@pytest.fixture
def promised(kind):
    is_rendered = kind == "rendered"
    return Promised(UPRIGHT, "uint8" if is_rendered else "uint16", is_rendered)


@pytest.fixture
def source(kind, promised, tmp_path, qgis_app):
    data = scene().astype(promised.dtype)
    layer = QgsRasterLayer(write_tif(tmp_path / "a.tif", data, transform=UPRIGHT, nodata=0, photometric="RGB"), "scene")
    assert layer.isValid()
    if kind == "rendered":
        layer.setContrastEnhancement(QgsContrastEnhancement.ContrastEnhancementAlgorithm.NoEnhancement)
        opened = RenderedSource(layer)
    else:
        opened = ProviderSource(layer)
    if kind == "provider that can't average":
        assert opened._provider.enableProviderResampling(False)
        opened._averages = False
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("window", "size", "bands"),
    [(Window(-1, 0, 5, 5), (5, 5), (1,)), (Window(0, 0, 5, 5), (6, 5), (1,)), (Window(0, 0, 5, 5), (5, 5), (4,))],
)
def test_what_the_contract_rules_out_is_a_fault_of_the_caller(source, window, size, bands):
    with pytest.raises(ValueError, match="read: expected"):
        source.read(window, size, bands)


def test_a_pixel_is_unusable_only_where_all_bands_are(tmp_path, qgis_app):
    data = np.zeros((3, 4, 5), np.uint8)
    data[0] = 255
    data[0, 2, 3] = 0
    source = ProviderSource(QgsRasterLayer(write_tif(tmp_path / "a.tif", data, nodata=0, photometric="RGB"), "red"))

    chip = source.read(Window(0, 0, 5, 4), (5, 4), (1, 2, 3))

    assert np.argwhere(~chip.valid).tolist() == [[2, 3]]
