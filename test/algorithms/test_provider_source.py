from __future__ import annotations

import math
import threading
import weakref

import numpy as np
import pytest
from prompt_segmenter.algorithms import provider_source
from prompt_segmenter.algorithms.provider_source import ProviderSource, palette_of, unturned
from prompt_segmenter.core.errors import Cancelled, RasterReadError
from prompt_segmenter.core.raster.grid import Window
from prompt_segmenter.core.raster.source import BandRole
from prompt_segmenter.test.algorithms.conftest import write_tif
from qgis.core import QgsColorRampShader, QgsRasterLayer, QgsRasterRange
from qgis.PyQt.QtGui import QColor

WHOLE = Window(0, 0, 8, 6)


def source_of(path):
    layer = QgsRasterLayer(str(path), "layer")
    assert layer.isValid()
    return ProviderSource(layer)


def ramp(dtype, bands=1):
    return np.arange(bands * 48, dtype=dtype).reshape(bands, 6, 8)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "uint32", "int32", "float32", "float64"])
def test_values_and_their_type_come_through(tmp_path, qgis_app, dtype):
    data = ramp(dtype, 2)
    source = source_of(write_tif(tmp_path / "a.tif", data))

    chip = source.read(WHOLE, (8, 6), (2, 1))

    assert chip.data.dtype == dtype
    assert np.array_equal(chip.data, data[::-1])
    assert chip.valid.all()
    assert [band.dtype for band in source.bands] == [dtype, dtype]
    assert source.grid.transform == (2.0, 0.0, 500_000.0, 0.0, -2.0, 4_600_000.0)
    assert (source.grid.crs, source.grid.width, source.grid.height) == ("EPSG:32633", 8, 6)


def test_a_window_is_the_same_pixels_as_of_the_whole(tmp_path, qgis_app):
    data = ramp("uint16")
    source = source_of(write_tif(tmp_path / "a.tif", data))

    chip = source.read(Window(3, 2, 4, 3), (4, 3), (1,))

    assert np.array_equal(chip.data[0], data[0, 2:5, 3:7])
    assert chip.grid.transform == (2.0, 0.0, 500_006.0, 0.0, -2.0, 4_599_996.0)


def test_smaller_chips_are_averages_without_nodata(tmp_path, qgis_app):
    data = ramp("float32")
    data[0, :2, :2] = -1
    data[0, 2, 2] = -1
    source = source_of(write_tif(tmp_path / "a.tif", data, nodata=-1))

    chip = source.read(WHOLE, (4, 3), (1,))

    assert chip.data[0, 2, 3] == pytest.approx(data[0, 4:, 6:].mean())
    assert chip.data[0, 1, 1] == pytest.approx((data[0, 2, 3] + data[0, 3, 2] + data[0, 3, 3]) / 3)
    assert chip.valid.tolist() == [[False, True, True, True]] + [[True] * 4] * 2


def test_the_average_of_a_provider_that_has_none_is_the_same(tmp_path, qgis_app):
    data = ramp("float32")
    data[0, :2, :2] = -1
    data[0, 2, 2] = -1
    source = source_of(write_tif(tmp_path / "a.tif", data, nodata=-1))
    by_provider = source.read(WHOLE, (4, 3), (1,))
    assert source._provider.enableProviderResampling(False)
    source._averages = False

    chip = source.read(WHOLE, (4, 3), (1,))

    assert np.array_equal(chip.valid, by_provider.valid)
    assert np.allclose(chip.data[:, chip.valid], by_provider.data[:, chip.valid])


def test_nodata_in_some_bands_is_just_a_dark_colour(tmp_path, qgis_app):
    data = np.zeros((3, 6, 8), np.uint8)
    data[0] = 255
    data[0, 4, 1] = 0
    source = source_of(write_tif(tmp_path / "a.tif", data, photometric="RGB", nodata=0))

    chip = source.read(WHOLE, (8, 6), (1, 2, 3))

    assert np.argwhere(~chip.valid).tolist() == [[4, 1]]
    assert chip.data[:, 0, 0].tolist() == [255, 0, 0]
    assert source.read(WHOLE, (4, 3), (1, 2, 3)).valid.all()
    assert not source.read(WHOLE, (8, 6), (2,)).valid.any()


def test_nan_in_one_band_makes_a_pixel_unusable(tmp_path, qgis_app):
    data = ramp("float32", 2)
    data[1, 2, 3] = np.nan

    chip = source_of(write_tif(tmp_path / "a.tif", data, nodata=-1)).read(WHOLE, (8, 6), (1, 2))

    assert np.argwhere(~chip.valid).tolist() == [[2, 3]]


def test_nodata_of_the_user_is_not_averaged_in(tmp_path, qgis_app):
    data = np.full((1, 6, 8), 10, np.uint8)
    data[0, 0, 0] = 250
    layer = QgsRasterLayer(write_tif(tmp_path / "a.tif", data), "layer")
    layer.dataProvider().setUserNoDataValue(1, [QgsRasterRange(250, 250)])

    chip = ProviderSource(layer).read(WHOLE, (4, 3), (1,))

    assert chip.valid.all()
    assert (chip.data == 10).all()


def test_a_value_without_a_palette_entry_is_transparent():
    items = [QgsColorRampShader.ColorRampItem(value, QColor(9, 8, 7)) for value in (0, 2)]

    assert palette_of(items) == ((9, 8, 7, 255), (0, 0, 0, 0), (9, 8, 7, 255))
    assert palette_of([]) == ()


class CancelledAfter:
    """A progress that is cancelled once it has been asked a number of times."""

    def __init__(self, times):
        self.left = times

    def report(self, fraction, message=""):
        pass

    def is_cancelled(self):
        self.left -= 1
        return self.left < 0


def test_a_read_can_be_cancelled_between_bands(tmp_path, qgis_app, monkeypatch):
    source = source_of(write_tif(tmp_path / "a.tif", ramp("uint8", 3)))
    read = []
    read_block = source._read_block
    monkeypatch.setattr(source, "_read_block", lambda band, *a: read.append(band) or read_block(band, *a))

    with pytest.raises(Cancelled):
        source.read(WHOLE, (8, 6), (1, 2, 3), CancelledAfter(2))

    assert read == [1, 2]


@pytest.mark.parametrize(
    ("size", "averages"),
    [
        *(((57, 100), True), ((23, 31), True), ((19, 50), True), ((1, 2), True)),
        *(((57, 100), False), ((19, 50), False), ((14, 25), False)),
    ],
)
def test_a_read_in_strips_is_the_same_as_in_one_and_can_be_cancelled(tmp_path, qgis_app, monkeypatch, size, averages):
    data = np.random.default_rng(5).integers(1, 60_000, (1, 100, 57), np.uint16)
    source = source_of(write_tif(tmp_path / "a.tif", data))
    if not averages:
        assert source._provider.enableProviderResampling(False)
        source._averages = False
    window = Window(0, 0, 57, 100)
    whole = source.read(window, size, (1,))
    monkeypatch.setattr(provider_source, "_STRIP_PX", 57 * 20)

    strips = source.read(window, size, (1,))

    assert np.array_equal(strips.data, whole.data)
    with pytest.raises(Cancelled):
        source.read(window, size, (1,), CancelledAfter(1))


def test_a_closed_source_holds_no_provider(tmp_path, qgis_app):
    path = tmp_path / "a.tif"
    source = source_of(write_tif(path, ramp("uint8")))
    provider = weakref.ref(source._provider)

    source.close()

    assert provider() is None


@pytest.mark.parametrize("nodata", [255, None])
def test_nodata_of_the_file_is_not_usable(tmp_path, qgis_app, nodata):
    data = ramp("uint8")
    data[0, 0, 0] = 255

    chip = source_of(write_tif(tmp_path / "a.tif", data, nodata=nodata)).read(WHOLE, (8, 6), (1,))

    assert chip.valid[0, 0] == (nodata is None)
    assert chip.valid.sum() == 48 - (nodata is not None)


def test_nan_and_infinity_are_not_usable(tmp_path, qgis_app):
    data = ramp("float32")
    data[0, 1, :3] = np.nan, np.inf, -np.inf

    chip = source_of(write_tif(tmp_path / "a.tif", data)).read(WHOLE, (8, 6), (1,))

    assert np.flatnonzero(~chip.valid).tolist() == [8, 9, 10]


def test_nodata_that_the_user_adds_in_the_layer_counts(tmp_path, qgis_app):
    layer = QgsRasterLayer(write_tif(tmp_path / "a.tif", ramp("uint8")), "layer")
    layer.dataProvider().setUserNoDataValue(1, [QgsRasterRange(10, 12)])

    source = ProviderSource(layer)

    assert np.flatnonzero(~source.read(WHOLE, (8, 6), (1,)).valid).tolist() == [10, 11, 12]
    assert unturned(source) is source


def test_alpha_makes_pixels_unusable_and_is_told_as_such(tmp_path, qgis_app):
    data = ramp("uint8", 4)
    data[3] = 255
    data[3, 2:4, 5] = 0
    source = source_of(write_tif(tmp_path / "a.tif", data, photometric="RGB", alpha="YES"))

    chip = source.read(WHOLE, (8, 6), (1, 2, 3))

    assert [band.role for band in source.bands] == [BandRole.RED, BandRole.GREEN, BandRole.BLUE, BandRole.ALPHA]
    assert np.argwhere(~chip.valid).tolist() == [[2, 5], [3, 5]]


def test_a_palette_comes_with_its_colours_and_is_never_averaged(tmp_path, qgis_app):
    from prompt_segmenter.core import native

    path = write_tif(tmp_path / "a.tif", np.tile(np.uint8([[1, 1, 3, 3]]), (1, 6, 2)), photometric="palette")
    with native.rasterio().open(path, "r+") as file:
        file.write_colormap(1, {1: (255, 0, 0, 255), 3: (0, 0, 255, 255)})
    source = source_of(path)

    chip = source.read(WHOLE, (3, 3), (1,))

    assert source.bands[0].role is BandRole.PALETTE
    assert source.bands[0].palette[1] == (255, 0, 0, 255)
    assert source.bands[0].palette[3] == (0, 0, 255, 255)
    assert set(np.unique(chip.data)) <= {1, 3}


def test_complex_numbers_are_refused(tmp_path, qgis_app):
    path = write_tif(tmp_path / "a.tif", ramp("float32").astype("complex64"))

    with pytest.raises(RasterReadError, match=r"Band 1 of 'layer' holds complex numbers\. Make a raster of their"):
        source_of(path)


def test_a_rotated_file_is_read_on_its_own_grid(tmp_path, qgis_app):
    cos, sin = math.cos(0.5), math.sin(0.5)
    transform = (2 * cos, 2 * sin, 500_000.0, 2 * sin, -2 * cos, 4_600_000.0)
    data = ramp("uint8")
    turned = source_of(write_tif(tmp_path / "a.tif", data, transform=transform))

    own = unturned(turned)

    assert turned.grid.transform[1] == 0.0
    assert own.grid.transform == pytest.approx(transform)
    assert np.array_equal(own.read(WHOLE, (8, 6), (1,)).data, data)
    own.close()


def test_an_upright_file_stays_with_the_provider(tmp_path, qgis_app):
    source = source_of(write_tif(tmp_path / "a.tif", ramp("uint8")))

    assert unturned(source) is source


def test_a_truncated_file_is_refused_and_named(tmp_path, qgis_app):
    path = tmp_path / "a.tif"
    write_tif(path, np.random.default_rng(1).integers(0, 255, (1, 400, 400), np.uint8), tiled=True, compress="deflate")
    source = source_of(path)
    path.write_bytes(path.read_bytes()[:20_000])

    with pytest.raises(RasterReadError, match=r"Band 1 of 'layer' can't be read .* Check that the file is whole"):
        source_of(path).read(Window(0, 0, 400, 400), (400, 400), (1,))
    assert source.grid.width == 400


def test_a_source_can_be_read_from_another_thread_after_the_layer_is_gone(tmp_path, qgis_app):
    data = ramp("uint8")
    source = source_of(write_tif(tmp_path / "a.tif", data))
    chips = []

    thread = threading.Thread(target=lambda: chips.append(source.read(WHOLE, (8, 6), (1,))))
    thread.start()
    thread.join()

    assert np.array_equal(chips[0].data, data)
