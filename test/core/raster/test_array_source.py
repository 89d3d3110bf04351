from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core.raster.chip import RasterChip
from prompt_segmenter.core.raster.grid import PixelGrid, Window
from prompt_segmenter.core.raster.source import BandInfo, BandRole
from prompt_segmenter.core.raster.sources.array import ArraySource

GRID = PixelGrid((2.0, 0.0, 100.0, 0.0, -2.0, 200.0), "EPSG:32633", 4, 2)
DATA = np.arange(16, dtype=np.uint16).reshape(2, 2, 4)


def test_a_window_is_read_at_its_place():
    chip = ArraySource(DATA, GRID).read(Window(1, 0, 2, 2), (2, 2), (2,))
    assert chip.data.tolist() == [[[9, 10], [13, 14]]]
    assert chip.grid.bounds == (102.0, 196.0, 106.0, 200.0)
    assert (chip.band_names, chip.source_uri) == (("Band 2",), "memory")


def test_fewer_pixels_are_averaged_and_palettes_are_not():
    data = np.array([[[1, 3, 3, 3], [1, 1, 3, 3]]], dtype=np.uint8)
    palette = BandInfo("class", "uint8", BandRole.PALETTE, ((0, 0, 0, 255),) * 4)
    whole = Window(0, 0, 4, 2)
    assert ArraySource(data, GRID).read(whole, (2, 1), (1,)).data.tolist() == [[[2, 3]]]
    assert ArraySource(data, GRID, bands=(palette,)).read(whole, (2, 1), (1,)).data.tolist() == [[[1, 3]]]


def test_nan_and_what_is_said_to_be_unusable_is_unusable():
    data = np.array([[[1.0, np.nan, 3.0, np.inf], [1.0, 1.0, 1.0, 1.0]]])
    valid = np.array([[True, True, False, True], [True, True, True, True]])
    chip = ArraySource(data, GRID, valid).read(Window(0, 0, 4, 2), (4, 2), (1,))
    assert chip.valid.tolist() == [[True, False, False, False], [True, True, True, True]]


def test_a_chip_never_locks_the_callers_arrays():
    data, valid = DATA.copy(), np.ones((2, 4), dtype=bool)
    source = ArraySource(data, GRID, valid)
    source.read(Window(0, 0, 4, 2), (4, 2), (1, 2))
    source.close()
    data[0, 0, 0] = 99
    valid[0, 0] = False
    chip = source.read(Window(0, 0, 4, 2), (4, 2), (1, 2))
    assert chip.data[0, 0, 0] == 99 and not chip.valid[0, 0]


@pytest.mark.parametrize(
    "arguments",
    [
        {"data": DATA[0]},
        {"data": DATA[:, :, :3]},
        {"data": DATA.astype(np.complex64)},
        {"data": DATA, "valid": np.ones((2, 3), dtype=bool)},
        {"data": DATA, "valid": np.ones((2, 4), dtype=np.uint8)},
        {"data": DATA, "bands": (BandInfo("one", "uint16", BandRole.GRAY),)},
    ],
)
def test_what_does_not_fit_the_grid_is_refused(arguments):
    with pytest.raises(ValueError, match="ArraySource"):
        ArraySource(grid=GRID, **arguments)


def test_a_chip_checks_its_parts_and_cannot_be_written():
    valid = np.ones((2, 4), dtype=bool)
    chip = RasterChip(DATA.copy(), valid.copy(), GRID, ("a", "b"), "x")
    with pytest.raises(ValueError, match="read-only"):
        chip.data[0, 0, 0] = 1
    for data, mask, names in [(DATA[0], valid, ("a",)), (DATA, valid[:1], ("a", "b")), (DATA, valid, ("a",))]:
        with pytest.raises(ValueError, match="RasterChip"):
            RasterChip(data.copy(), mask.copy(), GRID, names, "x")
