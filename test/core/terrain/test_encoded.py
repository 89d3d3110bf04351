"""Pictures whose colours are elevations."""

from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core.errors import SettingsError
from prompt_segmenter.core.raster.grid import PixelGrid, Window
from prompt_segmenter.core.raster.sources.array import ArraySource
from prompt_segmenter.core.raster.terrain_rgb import TerrainEncoding
from prompt_segmenter.core.terrain.encoded import EncodedSource

GRID = PixelGrid((10.0, 0.0, 0.0, 0.0, -10.0, 0.0), "EPSG:32633", 40, 30)


def colours(metres):
    steps = (metres + 32768).astype(int) * 256
    return np.stack([steps >> 16 & 255, steps >> 8 & 255, steps & 255]).astype(np.uint8)


def test_elevations_are_averaged_and_never_colours():
    # 255 and 256 m differ by one metre and by a whole byte
    metres = np.where(np.indices((30, 40)).sum(axis=0) % 2, 255.0, 256.0)
    source = EncodedSource(ArraySource(colours(metres), GRID), TerrainEncoding.TERRARIUM)
    assert np.array_equal(source.read(Window(0, 0, 40, 30), (40, 30), (1,)).data[0], metres)
    for size in ((20, 15), (7, 11), (1, 1)):
        chip = source.read(Window(0, 0, 40, 30), size, (1,))
        assert chip.data.shape == (1, size[1], size[0])
        assert chip.data[0] == pytest.approx(255.5, abs=0.2)


def test_strips_agree_with_the_whole(monkeypatch):
    metres = np.random.default_rng(1).integers(0, 3000, (30, 40)).astype(float)
    source = EncodedSource(ArraySource(colours(metres), GRID), TerrainEncoding.TERRARIUM)
    whole = source.read(Window(3, 2, 31, 27), (13, 11), (1,)).data
    monkeypatch.setattr("prompt_segmenter.core.terrain.encoded._STRIP_PX", 100)
    assert source.read(Window(3, 2, 31, 27), (13, 11), (1,)).data == pytest.approx(whole, abs=0.01)


def test_masked_and_black_pixels_are_void():
    valid = np.ones((30, 40), bool)
    valid[5, 6] = False
    data = colours(np.full((30, 40), 100.0))
    data[:, 7, 8] = 0
    source = EncodedSource(ArraySource(data, GRID, valid), TerrainEncoding.TERRARIUM)
    chip = source.read(Window(0, 0, 40, 30), (40, 30), (1,))
    assert np.argwhere(~chip.valid).tolist() == [[5, 6], [7, 8]]


def test_a_plain_dem_is_no_picture():
    with pytest.raises(SettingsError, match="say none for a plain DEM"):
        EncodedSource(ArraySource(np.zeros((1, 30, 40), np.int16), GRID), TerrainEncoding.MAPBOX)
