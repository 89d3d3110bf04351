"""What every raster source promises, asked of a file and of an array with the same pixels.

test/algorithms/test_source_contract_qgis.py asks it of QGIS's sources, with a ``source`` and a ``promised`` of its own.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prompt_segmenter.core.errors import Cancelled
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.raster.grid import PixelGrid, Window
from prompt_segmenter.core.raster.sources import SOURCES, open_source
from prompt_segmenter.core.raster.sources.array import ArraySource
from prompt_segmenter.test.helpers.rasters import write_raster

WIDTH, HEIGHT = 60, 45
TURNED = (8.66, 5.0, 500000.0, 5.0, -8.66, 4600000.0)
GAP = Window(20, 10, 15, 12)


@dataclass(frozen=True)
class Promised:
    """What a source of the scene says about itself."""

    transform: tuple[float, ...] = TURNED
    dtype: str = "uint16"
    already_rgb: bool = False

    @property
    def grid(self) -> PixelGrid:
        return PixelGrid(self.transform, "EPSG:32633", WIDTH, HEIGHT)


def scene() -> np.ndarray:
    """Return three smooth bands, whose values fit 8 bits too, with a rectangle of nodata (0)."""
    rows, cols = np.indices((HEIGHT, WIDTH))
    data = np.stack([100 + rows * 2 + cols, 200 - rows * 3 + cols // 2, 50 + rows * cols // 16]).astype(np.uint16)
    assert 0 < data.min() < data.max() < 256
    data[:, GAP.row : GAP.row + GAP.height, GAP.col : GAP.col + GAP.width] = 0
    return data


@pytest.fixture
def promised():
    return Promised()


@pytest.fixture(params=["file", "array"])
def source(request, tmp_path):
    data = scene()
    if request.param == "array":
        opened = ArraySource(data, Promised().grid, data.any(axis=0))
    else:
        opened = open_source(write_raster(tmp_path / "a.tif", data, transform=TURNED, nodata=0))
    yield opened
    opened.close()


def test_it_says_where_its_pixels_are_and_what_they_are(source, promised):
    assert source.grid.transform == pytest.approx(promised.transform)
    assert (source.grid.crs, source.grid.width, source.grid.height) == ("EPSG:32633", WIDTH, HEIGHT)
    assert [band.dtype for band in source.bands] == [promised.dtype] * 3
    assert source.already_rgb == promised.already_rgb


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.data())
def test_a_window_at_native_size_is_the_pixels_themselves(source, promised, data):
    col, row = data.draw(st.integers(0, WIDTH - 1)), data.draw(st.integers(0, HEIGHT - 1))
    width, height = data.draw(st.integers(1, WIDTH - col)), data.draw(st.integers(1, HEIGHT - row))
    bands = data.draw(st.sampled_from([(1,), (3, 1), (2, 2, 2), (1, 2, 3)]))
    chip = source.read(Window(col, row, width, height), (width, height), bands)
    expected = scene()[[number - 1 for number in bands], row : row + height, col : col + width]
    assert np.array_equal(chip.data, expected)
    assert np.array_equal(chip.valid, expected.any(axis=0))
    assert chip.grid.to_map([(0.0, 0.0)])[0] == pytest.approx(promised.grid.to_map([(col, row)])[0])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.integers(1, WIDTH), st.integers(1, HEIGHT))
def test_any_smaller_size_covers_the_same_ground_with_values_from_it(source, promised, width, height):
    chip = source.read(Window(0, 0, WIDTH, HEIGHT), (width, height), (1,))
    assert chip.data.shape == (1, height, width)
    assert np.allclose(chip.grid.corners, promised.grid.corners)
    used = scene()[0][scene()[0] > 0]
    shown = chip.data[0][chip.valid]
    assert shown.min() >= used.min() and shown.max() <= used.max()


def test_halving_gives_the_means_of_the_usable_pixels(source):
    chip = source.read(Window(0, 0, WIDTH, 44), (WIDTH // 2, 22), (1,))
    blocks = scene()[0, :44].reshape(22, 2, WIDTH // 2, 2).astype(float)
    counted = (blocks > 0).sum(axis=(1, 3))
    means = blocks.sum(axis=(1, 3)) / np.maximum(counted, 1)
    assert np.array_equal(chip.valid, counted > 0)
    assert np.abs(chip.data[0] - means)[chip.valid].max() <= 0.5


def test_the_chips_arrays_are_the_readers_own_and_read_only(source):
    window = Window(0, 0, 4, 4)
    first, second = source.read(window, (4, 4), (1,)), source.read(window, (4, 4), (1,))
    assert not np.shares_memory(first.data, second.data) or not first.data.flags.writeable
    for array in (first.data, first.valid):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_it_can_be_opened_on_one_thread_and_read_on_another(source):
    found = []
    thread = threading.Thread(target=lambda: found.append(source.read(Window(3, 4, 5, 6), (5, 6), (2,)).data))
    thread.start()
    thread.join()
    assert np.array_equal(found[0], scene()[1:2, 4:10, 3:8])


class Stopped(NullProgress):
    def is_cancelled(self):
        return True


def test_a_read_that_is_cancelled_gives_nothing(source):
    with pytest.raises(Cancelled):
        source.read(Window(0, 0, 2, 2), (2, 2), (1,), Stopped())


def test_a_kind_that_claims_a_uri_is_asked_before_files_are(monkeypatch):
    class Opener:
        def accepts(self, uri):
            return uri.startswith("made-up:")

        def open(self, uri, *, pixel_space):
            return uri, pixel_space

    entries = {"aaa": Opener(), "raster_file": SOURCES.get("raster_file")}
    monkeypatch.setattr(SOURCES, "_entries", entries)
    assert open_source("made-up:x", pixel_space=True) == ("made-up:x", True)
    with pytest.raises(Exception, match="There is no file 'other'"):
        open_source("other")
