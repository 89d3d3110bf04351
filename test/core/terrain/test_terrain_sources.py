"""What every raster source promises, asked of the picture of a DEM and of elevations decoded from colours."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from prompt_segmenter.core.errors import RasterReadError
from prompt_segmenter.core.raster.grid import Window
from prompt_segmenter.core.raster.sources.array import ArraySource
from prompt_segmenter.core.raster.terrain_rgb import TerrainEncoding
from prompt_segmenter.core.terrain.composite_source import CompositeSource
from prompt_segmenter.core.terrain.encoded import EncodedSource
from prompt_segmenter.test.core.terrain.test_encoded import colours
from prompt_segmenter.test.core.terrain.test_metric_recipe import UTM, relief


class Closing(ArraySource):
    """Remembers that it was closed."""

    closed = False

    def close(self):
        type(self).closed = True


def composite():
    return CompositeSource(Closing(relief(UTM)[None], UTM))


def encoded():
    return EncodedSource(Closing(colours(relief(UTM)), UTM), TerrainEncoding.TERRARIUM)


@pytest.fixture(params=[composite, encoded])
def source(request):
    return request.param()


def test_it_can_be_opened_on_one_thread_and_read_on_another(source):
    window, found = Window(30, 40, 50, 60), []
    thread = threading.Thread(target=lambda: found.append(source.read(window, (50, 60), (1,)).data))
    thread.start()
    thread.join()
    assert np.array_equal(found[0], source.read(window, (50, 60), (1,)).data)


def test_arrays_are_read_only_and_the_windows_own(source):
    chip = source.read(Window(30, 40, 50, 60), (25, 30), (1,))
    assert chip.data.shape == (1, 30, 25) and chip.grid.crs == UTM.crs
    assert np.allclose(chip.grid.corners, UTM.window(Window(30, 40, 50, 60)).corners)
    for array in (chip.data, chip.valid):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


@pytest.mark.parametrize(
    ("window", "size", "bands"),
    [(Window(-1, 0, 5, 5), (5, 5), (1,)), (Window(0, 0, 5, 5), (6, 5), (1,)), (Window(0, 0, 5, 5), (5, 5), (4,))],
)
def test_what_the_contract_rules_out_is_a_fault_of_the_caller(source, window, size, bands):
    with pytest.raises(ValueError, match="expected"):
        source.read(window, size, bands)


def test_closing_it_closes_what_it_reads_from(source):
    Closing.closed = False
    source.close()
    assert Closing.closed


def test_bands_come_in_the_order_that_was_asked_for():
    one, other = (composite().read(Window(0, 0, 40, 30), (40, 30), bands) for bands in ((1, 2, 3), (3, 1)))
    assert np.array_equal(other.data, one.data[[2, 0]]) and other.band_names == ("Blue", "Red")


def test_a_picture_can_not_be_painted_again():
    with pytest.raises(RasterReadError, match="finished picture"):
        CompositeSource(composite())
