from __future__ import annotations

import functools
import http.server
import threading

import numpy as np
import pytest
from prompt_segmenter.algorithms.map_layers import is_group
from prompt_segmenter.algorithms.map_source import MapSource, lattice_step
from prompt_segmenter.core.errors import Cancelled, ChipTooLargeError, RasterReadError
from prompt_segmenter.core.raster import crs as crs_maths
from prompt_segmenter.core.raster.grid import Window
from prompt_segmenter.test.algorithms.conftest import write_tif
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsFeature,
    QgsFillSymbol,
    QgsGeometry,
    QgsMapLayerStyle,
    QgsMapSettings,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor, QImage, QPainter

LEFT, TOP = 499_968.0, 4_599_808.0
"""On the lattice of 256 pixels of 0.25 m."""
SIDE = 128
UTM = "EPSG:32633"
EDGE = 20037508.342789244


def map_settings(layers, crs=UTM, *, extent=None, size=SIDE):
    """Return what a canvas of ``size`` pixels says that shows ``extent``, in the layers' UTM where it is not given."""
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setDestinationCrs(QgsCoordinateReferenceSystem(crs))
    settings.setOutputSize(QSize(size, size))
    settings.setExtent(extent or QgsRectangle(LEFT, TOP - SIDE, LEFT + SIDE, TOP))
    return settings


@pytest.fixture
def numbers():
    """Random grey, so that a shift by one pixel shows."""
    return np.random.default_rng(4).integers(1, 255, (SIDE, SIDE)).astype(np.uint8)


@pytest.fixture
def photo(tmp_path, qgis_app, numbers):
    """128 x 128 pixels of 1 m, whose values are known."""
    path = write_tif(
        tmp_path / "photo.tif", np.stack([numbers] * 3), transform=(1, 0, LEFT, 0, -1, TOP), photometric="RGB"
    )
    layer = QgsRasterLayer(path, "photo")
    assert layer.isValid()
    return layer


def square(colour, box, *, crs=UTM, blend=None, opacity=1.0):
    """Return a polygon layer with one rectangle (left, bottom, right, top) filled with a colour, without an edge."""
    layer = QgsVectorLayer(f"Polygon?crs={crs}", "square", "memory")
    feature = QgsFeature()
    feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(*box)))
    assert layer.dataProvider().addFeatures([feature])[0]
    symbol = QgsFillSymbol.createSimple({"color": colour, "outline_style": "no"})
    layer.renderer().setSymbol(symbol)
    layer.setOpacity(opacity)
    if blend is not None:
        layer.setBlendMode(blend)
    return layer


def window_of(source, box):
    """Return the native window of map bounds that lie on the grid."""
    left, top, right, bottom = np.rint(source.grid.box_to_pixel(box)).astype(int)
    return Window(int(left), int(top), int(right - left), int(bottom - top))


def whole(source, pixels=SIDE):
    """Return the chip over the photo."""
    return source.read(window_of(source, (LEFT, TOP - SIDE, LEFT + SIDE, TOP)), (pixels, pixels), (1, 2, 3))


def test_the_pixels_of_a_file_come_out_where_they_are(photo, numbers):
    source = MapSource(map_settings([photo]))

    assert source.grid.resolution == (0.25, 0.25)
    chip = whole(source)

    assert chip.grid.transform == (1.0, 0.0, LEFT, 0.0, -1.0, TOP)
    assert chip.grid.crs == UTM
    assert np.array_equal(chip.data, np.stack([numbers] * 3))
    assert chip.valid.all()
    assert source.uri == "map: photo"


def test_a_closer_look_repeats_the_files_pixels(photo, numbers):
    source = MapSource(map_settings([photo]))

    chip = source.read(window_of(source, (LEFT + 8, TOP - 24, LEFT + 24, TOP - 8)), (64, 64), (1, 2, 3))

    assert np.array_equal(chip.data[0], numbers[8:24, 8:24].repeat(4, 0).repeat(4, 1))


def test_pixels_lie_on_the_same_lattice_wherever_the_canvas_looks(photo):
    here = MapSource(map_settings([photo]))
    there = MapSource(
        map_settings([photo], extent=QgsRectangle(LEFT + 3.3, TOP - 97.1, LEFT + 73.3, TOP - 27.1), size=70)
    )

    assert here.grid == there.grid
    assert MapSource(map_settings([photo], size=100)).grid.resolution == (0.25, 0.25)
    assert MapSource(map_settings([photo], size=SIDE * 2)).grid.resolution == (0.125, 0.125)


def test_the_lattice_is_a_power_of_two_and_at_least_four_times_finer():
    assert [lattice_step(value) for value in (1.0, 1.9, 4.0, 0.3)] == [0.25, 0.25, 1.0, 0.0625]


def test_a_window_of_an_odd_size_is_still_where_it_says(photo, numbers):
    source = MapSource(map_settings([photo]))
    window = window_of(source, (LEFT + 10, TOP - 61, LEFT + 110, TOP - 10))

    chip = source.read(window, (100, 17), (1,))

    # every third row: the middle one
    assert chip.grid.resolution == (1.0, 3.0)
    assert np.array_equal(chip.data[0], numbers[10:61][1::3, 10:110])


def test_what_lies_outside_all_layers_is_not_valid(photo):
    far = square("0,0,0", (LEFT - 64, TOP - 4, LEFT - 60, TOP))
    source = MapSource(map_settings([photo, far]))
    beside = window_of(source, (LEFT - 32, TOP - 32, LEFT + 32, TOP))

    chip = source.read(beside, (64, 32), (1, 2, 3))

    assert not chip.valid[:, :32].any()
    assert chip.valid[:, 32:].all()


def test_a_styled_polygon_over_the_raster_is_part_of_the_picture(photo, numbers):
    over = square("255,0,0", (LEFT + 10, TOP - 40, LEFT + 30, TOP - 20))
    source = MapSource(map_settings([over, photo]))

    chip = whole(source)

    inside = np.zeros((SIDE, SIDE), bool)
    inside[20:40, 10:30] = True
    assert np.array_equal(np.all(chip.data == np.array([255, 0, 0])[:, None, None], axis=0), inside)
    assert np.array_equal(chip.data[0][~inside], numbers[~inside])
    assert source.uri == "map: square, photo"


def test_layers_blend_as_they_do_on_the_canvas(photo, numbers):
    over = square(
        "0,255,0", (LEFT, TOP - SIDE, LEFT + SIDE, TOP), blend=QPainter.CompositionMode.CompositionMode_Multiply
    )

    chip = whole(MapSource(map_settings([over, photo])))

    assert not chip.data[0].any()
    assert np.array_equal(chip.data[1], numbers)


def test_a_layer_that_is_left_out_is_not_looked_at(photo, numbers):
    kept = square("255,0,0", (LEFT + 10, TOP - 40, LEFT + 30, TOP - 20))

    chip = whole(MapSource(map_settings([kept, photo]), leave_out=[kept, None]))

    assert np.array_equal(chip.data[0], numbers)


def test_an_empty_canvas_is_said_so(photo):
    with pytest.raises(RasterReadError, match="The canvas shows no layer that could be looked at"):
        MapSource(map_settings([photo]), leave_out=[photo])


def test_a_group_of_the_layer_tree_is_drawn_in_its_order(photo, numbers, qgis_app):
    project = QgsProject.instance()
    project.clear()
    over = square("0,0,255", (LEFT, TOP - 64, LEFT + 64, TOP))
    group = project.layerTreeRoot().addGroup("all")
    for layer in (over, photo):
        project.addMapLayer(layer, False)
        group.addLayer(layer)

    chip = whole(MapSource(map_settings(project.layerTreeRoot().checkedLayers())))

    assert (chip.data[:, :64, :64] == np.array([0, 0, 255])[:, None, None]).all()
    assert np.array_equal(chip.data[0][64:], numbers[64:])
    project.clear()


def test_a_group_that_is_one_layer_is_drawn_from_copies_of_its_members(photo, numbers):
    core = pytest.importorskip("qgis.core")
    if not hasattr(core, "QgsGroupLayer"):
        pytest.skip("QGIS before 3.24 has no group layers")
    group = core.QgsGroupLayer("group", core.QgsGroupLayer.LayerOptions(QgsCoordinateTransformContext()))
    over = square("0,0,255", (LEFT, TOP - 64, LEFT + 64, TOP))
    group.setChildLayers([photo, over])
    assert is_group(group)
    source = MapSource(map_settings([group]))
    del over, photo
    group.setChildLayers([])

    chip = whole(source)

    assert (chip.data[:, :64, :64] == np.array([0, 0, 255])[:, None, None]).all()
    assert np.array_equal(chip.data[0][64:], numbers[64:])


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857", "EPSG:25832"])
def test_in_any_project_crs_objects_are_where_they_are_to_a_pixel(tmp_path, qgis_app, crs):
    data = np.full((3, SIDE, SIDE), 30, np.uint8)
    data[:, 40:60, 70:100] = 220
    path = write_tif(tmp_path / "a.tif", data, transform=(1, 0, LEFT, 0, -1, TOP), photometric="RGB")
    layer = QgsRasterLayer(path, "a")
    there = QgsCoordinateTransform(layer.crs(), QgsCoordinateReferenceSystem(crs), QgsCoordinateTransformContext())
    source = MapSource(map_settings([layer], crs, extent=there.transformBoundingBox(layer.extent())))
    corners = [(LEFT + 70, TOP - 40), (LEFT + 100, TOP - 40), (LEFT + 100, TOP - 60), (LEFT + 70, TOP - 60)]
    expected = crs_maths.transform_points(np.array(corners), UTM, crs)
    col, row = source.grid.to_pixel([expected.mean(axis=0)])[0]
    window = Window(int(col) - 300, int(row) - 300, 600, 600)

    chip = source.read(window, (600, 600), (1, 2, 3))

    assert source.grid.crs == crs
    rows, cols = np.nonzero(chip.data[0] > 125)
    box = chip.grid.to_map([(cols.min(), rows.min()), (cols.max() + 1, rows.max() + 1)])
    # a raster's pixel, which QGIS shows as a whole one, is 4 to 8 of the grid's
    off = np.array([*(box.min(0) - expected.min(0)), *(box.max(0) - expected.max(0))]) / source.grid.resolution[0]
    assert np.abs(off).max() < 8
    middle = chip.grid.to_map([(cols.mean() + 0.5, rows.mean() + 0.5)])[0]
    assert np.abs((middle - expected.mean(axis=0)) / source.grid.resolution[0]).max() < 2


def test_rotation_and_dots_per_inch_of_the_screen_change_nothing(photo, numbers):
    settings = map_settings([photo])
    settings.setRotation(30.0)
    settings.setDevicePixelRatio(2.0)
    settings.setOutputDpi(192)

    chip = whole(MapSource(settings))

    assert np.array_equal(chip.data[0], numbers)


def test_it_is_drawn_on_another_thread_while_the_user_removes_the_layers(photo, numbers):
    over = square("255,0,0", (LEFT + 10, TOP - 40, LEFT + 30, TOP - 20))
    project = QgsProject.instance()
    project.addMapLayers([photo, over])
    source = MapSource(map_settings([over, photo]))
    project.clear()
    chips = []

    thread = threading.Thread(target=lambda: chips.append(whole(source)))
    thread.start()
    thread.join()
    source.close()

    assert chips[0].data[:, 30, 20].tolist() == [255, 0, 0]
    assert chips[0].data[0, 5, 5] == numbers[5, 5]


def test_a_layer_that_only_shows_at_this_scale_is_looked_at_closely_too(photo, numbers):
    settings = map_settings([photo])
    photo.setScaleBasedVisibility(True)
    photo.setMinimumScale(settings.scale() * 1.5)
    photo.setMaximumScale(settings.scale() / 1.5)
    source = MapSource(settings)
    assert source.read(Window(0, 0, 16, 16), (16, 16), (1,)).valid.any()

    photo.setMinimumScale(settings.scale() / 2)
    photo.setMaximumScale(settings.scale() / 4)

    with pytest.raises(RasterReadError, match="shows no layer"):
        MapSource(settings)


def test_a_style_that_only_the_canvas_has_is_used(photo):
    style = QgsMapLayerStyle()
    style.readFromLayer(photo)
    settings = map_settings([photo])
    twin = photo.clone()
    twin.setOpacity(0.0)
    style.readFromLayer(twin)
    settings.setLayerStyleOverrides({photo.id(): style.xmlData()})

    assert not whole(MapSource(settings)).valid.any()


class Stops:
    """Cancels when it has been asked so many times."""

    def __init__(self, after):
        self.left = after

    def report(self, fraction, message=""):
        pass

    def is_cancelled(self):
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize("after", [0, 1])
def test_a_cancelled_drawing_stops_and_the_next_one_works(photo, numbers, after):
    source = MapSource(map_settings([photo]))
    window = window_of(source, (LEFT, TOP - SIDE, LEFT + SIDE, TOP))

    with pytest.raises(Cancelled):
        source.read(window, (512, 512), (1, 2, 3), Stops(after))

    assert np.array_equal(whole(source).data[0], numbers)


def test_secrets_in_names_are_not_told(photo):
    photo.setName("tiles https://me:word@example.com/?token=abc")

    assert MapSource(map_settings([photo])).uri == "map: tiles https://example.com/?token=***"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture
def tiles(tmp_path, qgis_app):
    """Tiles of zoom 6 around column 34, row 23: each is red by its column and green by its row."""
    for col in range(32, 37):
        for row in range(21, 26):
            picture = QImage(256, 256, QImage.Format.Format_RGB32)
            picture.fill(QColor(col * 5, row * 5, 0))
            (tmp_path / "tiles" / "6" / str(col)).mkdir(parents=True, exist_ok=True)
            assert picture.save(str(tmp_path / "tiles" / "6" / str(col) / f"{row}.png"))
    handler = functools.partial(Quiet, directory=str(tmp_path / "tiles"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/%7Bz%7D/%7Bx%7D/%7By%7D.png"
    layer = QgsRasterLayer(f"type=xyz&url={url}&zmin=6&zmax=6", "tiles", "wms")
    assert layer.isValid()
    yield layer
    server.shutdown()
    server.server_close()


def test_web_tiles_lie_where_they_belong_to_a_pixel(tiles):
    tile = 2 * EDGE / 64
    corner = -EDGE + 34 * tile, EDGE - 23 * tile
    settings = map_settings(
        [tiles], "EPSG:3857", extent=QgsRectangle(*corner, corner[0] + tile, corner[1] + tile), size=256
    )
    source = MapSource(settings)
    col, row = source.grid.to_pixel([corner])[0]
    around = Window(round(col) - 400, round(row) - 400, 800, 800)

    chip = source.read(around, (800, 800), (1, 2, 3))

    assert chip.valid.all()
    left, top = chip.grid.to_pixel([corner])[0]
    reds, greens = chip.data[0, 5], chip.data[1, :, 5]
    assert set(reds.tolist()) == {165, 170}
    assert abs(int((reds == 165).sum()) - left) <= 1
    assert abs(int((greens == 110).sum()) - top) <= 1


def test_a_worldwide_layer_in_the_crs_of_a_country_covers_what_the_crs_is_for(tiles, photo):
    settings = map_settings([tiles, photo])
    source = MapSource(settings)

    left, _, right, top = source.grid.bounds

    assert left < LEFT < LEFT + SIDE < right
    assert right - left < 4e6
    assert top < 1.1e7
    assert MapSource(map_settings([tiles, photo], "EPSG:4326", extent=QgsRectangle(11, 41, 12, 42))).grid.bounds == (
        pytest.approx((-180, -85.1, 180, 85.1), abs=8)
    )


def test_the_volunteers_tile_server_is_not_emptied(photo):
    osm = QgsRasterLayer(
        "type=xyz&url=https://tile.openstreetmap.org/%7Bz%7D/%7Bx%7D/%7By%7D.png&zmax=19", "osm", "wms"
    )
    source = MapSource(map_settings([osm, photo]))

    with pytest.raises(ChipTooLargeError, match="forbids bulk download"):
        source.read(Window(0, 0, 4096, 4096), (4096, 4096), (1, 2, 3))
