from __future__ import annotations

import functools
import http.server
import threading
import weakref

import numpy as np
import pytest
from prompt_segmenter.algorithms.provider_source import is_picture
from prompt_segmenter.algorithms.rendered_source import RenderedSource, _picture_grid, straight_rgba
from prompt_segmenter.core.errors import Cancelled, ChipTooLargeError, SettingsError
from prompt_segmenter.core.raster.grid import Window
from prompt_segmenter.test.algorithms.conftest import write_tif
from prompt_segmenter.test.helpers.processing_run import run
from qgis.core import QgsRasterLayer, QgsSingleBandGrayRenderer
from qgis.PyQt.QtGui import QColor, QImage

EDGE = 20037508.342789244
ZOOM = 3
TILE = 2 * EDGE / 2**ZOOM
"""Ground side of a tile in EPSG:3857."""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture
def tiles(tmp_path, qgis_app):
    """Two tiles of zoom 3, at column 4 and 5 of row 3: red 200 and red 100; the other tiles are not there."""
    for column, red in ((4, 200), (5, 100)):
        folder = tmp_path / "3" / str(column)
        folder.mkdir(parents=True)
        picture = QImage(256, 256, QImage.Format.Format_RGB32)
        picture.fill(QColor(red, red // 2, 0))
        assert picture.save(str(folder / "3.png"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/%7Bz%7D/%7Bx%7D/%7By%7D.png"
    server.shutdown()
    server.server_close()


def tile_layer(url):
    layer = QgsRasterLayer(f"type=xyz&url={url}&zmin=0&zmax={ZOOM}", "tiles", "wms")
    assert layer.isValid()
    return layer


def test_web_tiles_have_the_grid_of_their_finest_zoom(tiles):
    layer = tile_layer(tiles)

    source = RenderedSource(layer)

    assert is_picture(layer)
    assert source.already_rgb
    assert source.grid.resolution == pytest.approx((TILE / 256, TILE / 256))
    assert (source.grid.width, source.grid.height, source.grid.crs) == (2048, 2048, "EPSG:3857")


def test_web_tiles_are_drawn_on_another_thread_where_they_lie(tiles):
    source = RenderedSource(tile_layer(tiles))
    chips = []

    # the last 6 columns of one tile and the first 4 of the next
    window = Window(5 * 256 - 6, 3 * 256 + 10, 10, 5)
    thread = threading.Thread(target=lambda: chips.append(source.read(window, (10, 5), (1, 2, 3))))
    thread.start()
    thread.join()

    assert chips[0].valid.all()
    assert chips[0].data[0].tolist() == [[200] * 6 + [100] * 4] * 5
    assert chips[0].data[1, 0].tolist() == [100] * 6 + [50] * 4
    assert not chips[0].data[2].any()


def test_tiles_that_do_not_come_are_empty_and_counted(tiles):
    source = RenderedSource(tile_layer(tiles))

    chip = source.read(Window(6 * 256 - 5, 3 * 256, 10, 4), (10, 4), (1, 2, 3))

    # QGIS versions differ by a pixel where a tile is missing
    assert chip.valid[:, :4].all()
    assert not chip.valid[:, 6:].any()
    assert source.empty_share == pytest.approx(0.5, abs=0.11)


def test_nothing_but_missing_tiles_is_a_chip_without_data_and_a_hint(tiles):
    source = RenderedSource(tile_layer(tiles))

    chip = source.read(Window(0, 0, 64, 64), (64, 64), (1, 2, 3))

    assert not chip.valid.any()
    (hint,) = source.doubts()
    assert hint.startswith("'tiles' shows nothing there at 19567.9 units per pixel. Check the connection")
    source.read(Window(4 * 256, 3 * 256, 64, 64), (64, 64), (1, 2, 3))
    assert list(source.doubts()) == ["100% of the picture was empty: outside the layer, or tiles did not come."]


@pytest.mark.usefixtures("fake_model")
def test_an_object_where_no_tile_is_does_not_stop_the_others(tiles):
    there, nowhere = (-EDGE + 4.5 * TILE, EDGE - 3.5 * TILE), (-EDGE + 1.5 * TILE, EDGE - 1.5 * TILE)
    clicks = "MultiPoint (({} {}), ({} {}))".format(*nowhere, *there)

    outcome = run(INPUT=tile_layer(tiles), INCLUDE=clicks, OBJECTS="each_point")

    assert outcome.error == ""
    assert [feature["object"] for feature in outcome.features] == [2]
    assert any("Object 1: no data at" in warning for warning in outcome.warnings)


@pytest.mark.usefixtures("fake_model")
def test_a_run_where_no_tile_is_says_what_to_look_for(tiles):
    click = f"Point ({-EDGE + 1.5 * TILE} {EDGE - 1.5 * TILE})"

    outcome = run(INPUT=tile_layer(tiles), INCLUDE=click)

    assert outcome.results["COUNT"] == 0
    assert [text.split(" at ")[0] for text in outcome.warnings] == ["Object 1: no data", "'tiles' shows nothing there"]


@pytest.mark.usefixtures("fake_model")
def test_the_algorithm_outlines_a_tile_and_warns_of_empty_ones(tiles):
    x, y = -EDGE + 4.5 * TILE, EDGE - 3.5 * TILE

    three_tiles = f"{x - TILE / 2},{x + 2.5 * TILE},{y - TILE / 2},{y + TILE / 2}"

    outcome = run(
        INPUT=tile_layer(tiles), INCLUDE=f"Point ({x} {y})", EXTENT=three_tiles, RESOLUTION=TILE / 256, SIMPLIFY=0.0
    )

    box = outcome.features[0].geometry().boundingBox()
    assert (box.xMinimum(), box.xMaximum()) == pytest.approx((-EDGE + 4 * TILE, -EDGE + 5 * TILE), abs=1.0)
    assert (box.yMinimum(), box.yMaximum()) == pytest.approx((EDGE - 4 * TILE, EDGE - 3 * TILE), abs=1.0)
    assert "33% of the picture was empty: outside the layer, or tiles did not come." in outcome.warnings
    assert outcome.features[0]["source"].startswith("wms://type=xyz")


def test_bulk_download_of_openstreetmap_tiles_is_refused(qgis_app):
    url = "https://tile.openstreetmap.org/%7Bz%7D/%7Bx%7D/%7By%7D.png"
    source = RenderedSource(QgsRasterLayer(f"type=xyz&url={url}&zmax=19", "osm", "wms"))

    with pytest.raises(ChipTooLargeError, match=r"4096 x 4096 pixels are about 289 tiles of tile.openstreetmap.org"):
        source.read(Window(0, 0, 4096, 4096), (4096, 4096), (1, 2, 3))


def test_a_styled_file_is_drawn_on_its_own_grid_even_if_its_pixels_are_oblong(tmp_path, qgis_app):
    data = np.zeros((1, 6, 8), np.uint16)
    data[0, 2:4, 3:5] = 60_000
    path = write_tif(tmp_path / "a.tif", data, transform=(3, 0, 500_000, 0, -1, 4_600_000))
    layer = QgsRasterLayer(path, "styled")
    layer.setRenderer(QgsSingleBandGrayRenderer(layer.dataProvider(), 1))
    layer.setContrastEnhancement(1)

    source = RenderedSource(layer)
    chip = source.read(Window(0, 0, 8, 6), (8, 6), (1, 2, 3))

    assert source.grid.resolution == pytest.approx((3.0, 1.0))
    assert chip.data.shape == (3, 6, 8)
    assert np.argwhere(chip.data[0] > 128).tolist() == [[2, 3], [2, 4], [3, 3], [3, 4]]


@pytest.mark.parametrize("times", [2, 4, 8])
def test_coarser_pictures_of_a_file_are_averages(tmp_path, qgis_app, times):
    data = np.zeros((3, 64, 64), np.uint8)
    data[:, ::2, ::2] = data[:, 1::2, 1::2] = 255
    layer = QgsRasterLayer(write_tif(tmp_path / "a.tif", data, photometric="RGB"), "checkers")

    chip = RenderedSource(layer).read(Window(0, 0, 64, 64), (64 // times, 64 // times), (1, 2, 3))

    assert set(np.unique(chip.data)) <= {127, 128}


def test_a_coarser_picture_in_pieces_is_the_same_as_the_mean(tmp_path, qgis_app):
    data = np.random.default_rng(3).integers(0, 255, (3, 1200, 2200), np.uint8)
    layer = QgsRasterLayer(write_tif(tmp_path / "a.tif", data, photometric="RGB"), "large")

    chip = RenderedSource(layer).read(Window(0, 0, 2200, 1200), (1100, 600), (1, 2, 3))

    means = data.reshape(3, 600, 2, 1100, 2).mean(axis=(2, 4))
    assert np.abs(chip.data - means).max() <= 0.5


class Cancelling:
    """A progress that is cancelled once it has been asked a number of times."""

    def __init__(self, times):
        self.left = times

    def report(self, fraction, message=""):
        pass

    def is_cancelled(self):
        self.left -= 1
        return self.left < 0


def test_drawing_can_be_cancelled_between_pieces(tmp_path, qgis_app, monkeypatch):
    layer = QgsRasterLayer(write_tif(tmp_path / "a.tif", np.zeros((3, 10, 2100), np.uint8), photometric="RGB"), "wide")
    source = RenderedSource(layer)
    drawn = []
    draw = source._draw
    monkeypatch.setattr(source, "_draw", lambda grid: drawn.append(grid.width) or draw(grid))

    with pytest.raises(Cancelled):
        source.read(Window(0, 0, 2100, 10), (2100, 10), (1,), Cancelling(2))

    assert drawn == [1024, 1024]


def test_a_closed_source_holds_no_layer(scene):
    source = RenderedSource(scene)
    layer = weakref.ref(source._layer)

    source.close()

    assert layer() is None


def test_large_pictures_are_put_together_from_pieces(tmp_path, qgis_app):
    data = np.random.default_rng(3).integers(0, 255, (3, 1500, 1100), np.uint8)
    layer = QgsRasterLayer(write_tif(tmp_path / "a.tif", data, photometric="RGB"), "large")

    chip = RenderedSource(layer).read(Window(0, 0, 1100, 1500), (1100, 1500), (3, 2, 1))

    assert np.array_equal(chip.data, data[::-1])


def test_premultiplied_colours_are_brought_back():
    drawn = np.uint8([[[10, 20, 50, 100], [0, 0, 0, 0], [1, 2, 3, 255]]])

    assert straight_rgba(drawn).tolist() == [[[128, 51, 26, 100], [0, 0, 0, 0], [3, 2, 1, 255]]]


class MapService:
    """A layer that has no resolution of its own."""

    def __init__(self, layer):
        self._layer = layer

    def __getattr__(self, name):
        return getattr(self._layer, name)

    def dataProvider(self):
        return self

    def nativeResolutions(self):
        return []


def test_a_service_without_resolutions_takes_the_one_that_is_asked_for_or_the_extents(scene):
    service = MapService(scene)

    assert _picture_grid(service, None, 0.5).resolution == (0.5, 0.5)
    assert _picture_grid(service, (0, 0, 2048, 1000), None).resolution == (2.0, 2.0)
    with pytest.raises(SettingsError, match=r"'scene' has no resolution of its own. Give RESOLUTION"):
        _picture_grid(service, None, None)
