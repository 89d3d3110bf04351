"""Prompts and words go to a SamGIS server in degrees, and its shapes come back as outlines in the CRS asked for."""

from __future__ import annotations

import math
import time
from contextlib import closing

import numpy as np
import pytest
from prompt_segmenter.core.errors import (
    Cancelled,
    EmptyPromptError,
    OutsideExtentError,
    ServerUnavailableError,
    SettingsError,
    UnsupportedPromptError,
)
from prompt_segmenter.core.map_server import MapServer, MapServerSettings
from prompt_segmenter.core.map_view import VIEW_PX, around, over, zoom_for
from prompt_segmenter.core.models import catalogue
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.core.outlines.masks import PartRule
from prompt_segmenter.core.outlines.shape import OutlineSettings
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.prompts.box import BoxPrompt
from prompt_segmenter.core.prompts.point import PointPrompt
from prompt_segmenter.core.prompts.prompt import PromptSet
from prompt_segmenter.core.prompts.shape import ShapePrompt
from prompt_segmenter.core.raster import crs as crs_maths
from prompt_segmenter.core.remote import mercator
from prompt_segmenter.core.remote.address import ServerAddress, Servers
from prompt_segmenter.core.replay import Record, Replayer, Verdict
from prompt_segmenter.test.helpers.samgis_server import envelope, feature, ring, serve

ZOOM = 15
STEP = 2 * 20037508.342789244 / (256 * 2**ZOOM)
PLACE = (9.39, 46.16)
PIXELS = OutlineSettings(parts=PartRule.WITH_INCLUDE, simplify_px=0.0)


@pytest.fixture
def server():
    with serve() as site:
        yield site


def map_server(site, **settings):
    settings = {"zoom": ZOOM, "outline": PIXELS, **settings}
    return MapServer(Servers(samgis=ServerAddress(site.url)), MapServerSettings(**settings))


def click(place=PLACE, *, include=True, crs="EPSG:4326", **more):
    return PromptSet((PointPrompt(*place, include=include),), crs, **more)


def pixel_of(place=PLACE, zoom=ZOOM):
    (pixel,) = np.floor(mercator.to_pixels([place], zoom)).tolist()
    return pixel


def test_a_click_becomes_the_square_of_pixels_around_it(server):
    result = map_server(server).segment([click(label="roof")])

    (found,) = result.polygons
    col, row = pixel_of()
    west, north = (col - 5) * STEP - 20037508.342789244, 20037508.342789244 - (row - 5) * STEP
    assert result.crs == "EPSG:3857"
    assert found.geometry.bounds == pytest.approx((west, north - 10 * STEP, west + 10 * STEP, north), abs=1e-6)
    assert found.label == "roof"
    assert math.isnan(found.score)
    assert found.resolution == pytest.approx(STEP)
    # true metres: a mercator metre at 46.16 degrees is cos(latitude) long
    true_side = 10 * STEP * math.cos(math.radians(46.16))
    assert found.area_m2 == pytest.approx(true_side**2, rel=0.01)
    assert found.perimeter_m == pytest.approx(4 * true_side, rel=0.01)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857", "EPSG:32632", "EPSG:2056"])
def test_in_every_crs_it_is_within_a_hundredth_of_a_pixel_of_the_same_pixels(server, crs):
    (there,) = crs_maths.transform_points([PLACE], "EPSG:4326", crs).tolist()

    result = map_server(server, crs=crs).segment([click(there, crs=crs)])

    (found,) = result.polygons
    assert result.crs == crs
    assert found.prompts.endswith(crs)
    back = crs_maths.transform_points(np.asarray(found.geometry.exterior.coords), crs, "EPSG:4326")
    col, row = pixel_of()
    corners = mercator.to_pixels(back, ZOOM)
    assert np.abs(corners.min(axis=0) - (col - 5, row - 5)).max() < 0.01
    assert np.abs(corners.max(axis=0) - (col + 5, row + 5)).max() < 0.01


def test_the_half_pixel_is_left_where_the_user_wants_samgis_s_own(server):
    servers = Servers(samgis=ServerAddress(server.url), samgis_correct_shift=False)
    settings = MapServerSettings(zoom=ZOOM, outline=PIXELS)

    kept = MapServer(servers, settings).segment([click()]).polygons[0].geometry.bounds
    mended = map_server(server).segment([click()]).polygons[0].geometry.bounds

    assert mended[0] - kept[0] == pytest.approx(STEP / 2, abs=1e-4)
    assert mended[1] - kept[1] == pytest.approx(-STEP / 2, abs=1e-4)


def test_each_object_is_a_request_with_one_rectangle_at_most(server):
    box = BoxPrompt(9.38, 46.15, 9.39, 46.16)
    objects = [
        PromptSet((box, PointPrompt(9.385, 46.155), PointPrompt(9.381, 46.151, include=False)), "EPSG:4326"),
        PromptSet((BoxPrompt(9.40, 46.15, 9.41, 46.16),), "EPSG:4326", object="b"),
    ]

    result = map_server(server).segment(objects)

    assert [polygon.object for polygon in result.polygons] == [1, "b"]
    kinds = [[(one["type"], one.get("label")) for one in body["prompt"]] for _, body in server.asked]
    assert kinds == [[("point", 1), ("point", 0), ("rectangle", None)], [("rectangle", None)]]


def test_the_view_is_a_thousand_pixels_around_the_prompts_and_holds_them_all(server):
    far = PromptSet((PointPrompt(*PLACE), PointPrompt(9.43, 46.16, include=False)), "EPSG:4326")

    map_server(server).segment([far])

    bbox = server.asked[0][1]["bbox"]
    corners = mercator.to_pixels([(bbox["sw"]["lng"], bbox["sw"]["lat"]), (bbox["ne"]["lng"], bbox["ne"]["lat"])], ZOOM)
    assert np.abs(corners - np.round(corners)).max() < 1e-6
    across = 0.04 / 360 * 256 * 2**ZOOM
    assert corners[1][0] - corners[0][0] == pytest.approx(2 * across, abs=2)
    assert bbox["sw"]["lng"] < 9.39
    assert bbox["ne"]["lng"] > 9.43


def test_nothing_found_is_a_warning(server):
    server.answers = lambda *_: (200, envelope([feature([ring(0, 0, 9, 9, 4)], 0.0)], n_predictions=3))

    result = map_server(server).segment([click()])

    assert result.polygons == ()
    assert "nothing found at +9.39,46.16 EPSG:4326" in result.warnings[0]


def test_parts_are_chosen_as_for_any_model(server):
    col, row = pixel_of()
    near = feature([ring(col - 2.5, row - 2.5, col + 3.5, row + 3.5, ZOOM)])
    large = feature([ring(col + 50.5, row - 2.5, col + 90.5, row + 40.5, ZOOM)])
    server.answers = lambda *_: (200, envelope([near, large]))

    def area_of(rule):
        outline = OutlineSettings(parts=rule, simplify_px=0.0)
        (found,) = map_server(server, outline=outline).segment([click()]).polygons
        return found.geometry.area / STEP**2

    assert area_of(PartRule.WITH_INCLUDE) == pytest.approx(36)
    assert area_of(PartRule.LARGEST) == pytest.approx(40 * 43)
    assert area_of(PartRule.ALL) == pytest.approx(36 + 40 * 43)


def test_stairs_are_taken_out_as_of_our_own_outlines(server):
    col, row = pixel_of()
    stairs = [(col - 8.5 + i, row + 8.5 - i) for i in range(16) for _ in (0, 1)]
    steps = [(x, y) for (x, y), (_, below) in zip(stairs[1:], stairs) for y in (y,)]
    degrees = mercator.to_degrees([*steps, (col + 7.5, row + 8.5), steps[0]], ZOOM).tolist()
    server.answers = lambda *_: (200, envelope([feature([degrees])]))

    (found,) = map_server(server, outline=OutlineSettings(parts=PartRule.ALL)).segment([click()]).polygons

    assert len(found.geometry.exterior.coords) <= 6


def test_where_it_comes_from_is_written_down_without_secrets(server):
    servers = Servers(samgis=ServerAddress(server.url.replace("//", "//me:s3cret@"), (("Authorization", "hush"),)))
    settings = MapServerSettings(zoom=ZOOM, source_type="Esri.WorldImagery")

    result = MapServer(servers, settings).segment([click()])

    said = result.provenance
    assert said.model == "samgis"
    assert said.source == f"Esri.WorldImagery {server.url}"
    assert said.settings.endswith("zoom=15")
    assert said.version
    assert "bbox=9." in result.polygons[0].window
    assert OutlineSettings.parse(said.settings) == OutlineSettings()
    assert "s3cret" not in str(result)
    assert "hush" not in str(result)


class TestWords:
    EXTENT = (9.38, 46.15, 9.40, 46.17)

    def test_each_phrase_is_a_class_and_each_shape_an_object(self, server):
        def answer(route, body):
            base = 10 if body["string_prompt"] == "houses" else 100
            rings = [ring(base + i + 0.5, 5.5, base + i + 3.5, 9.5, ZOOM) for i in (0, 20)]
            return 200, envelope([feature([one]) for one in rings])

        server.answers = answer
        result = map_server(server, extent=self.EXTENT, crs="EPSG:4326").find_words(["houses", "green trees"])

        assert [polygon.label for polygon in result.polygons] == ["houses"] * 2 + ["green trees"] * 2
        assert [polygon.object for polygon in result.polygons] == [1, 2, 3, 4]
        assert [body["string_prompt"] for _, body in server.asked] == ["houses", "green trees"]
        bbox = server.asked[0][1]["bbox"]
        assert (bbox["sw"]["lng"], bbox["ne"]["lat"]) == (9.38, 46.17)

    def test_a_phrase_that_is_repeated_is_asked_once(self, server):
        server.answers = lambda *_: (200, envelope([]))

        map_server(server, extent=self.EXTENT, crs="EPSG:4326").find_words(["houses", "Houses ", "trees"])

        assert [body["string_prompt"] for _, body in server.asked] == ["houses", "trees"]

    def test_a_phrase_that_is_refused_stops_all_before_anything_is_sent(self, server):
        with pytest.raises(UnsupportedPromptError, match="'9'"):
            map_server(server, extent=self.EXTENT, crs="EPSG:4326").find_words(["houses", "99 trees"])

        assert server.asked == []

    def test_words_need_an_extent(self, server):
        with pytest.raises(EmptyPromptError, match="where to look"):
            map_server(server).find_words(["houses"])

    def test_what_the_server_says_is_told_where_nothing_is_found(self, server):
        server.answers = lambda *_: (200, envelope([], output_string="There are no houses."))

        result = map_server(server, extent=self.EXTENT, crs="EPSG:4326").find_words(["houses"])

        assert "There are no houses." in result.warnings[0]


class TestRefused:
    def test_without_a_server(self):
        with pytest.raises(ServerUnavailableError, match="PROMPT_SEGMENTER_SAMGIS_URL"):
            MapServer(Servers())

    def test_shapes_and_second_boxes(self, server):
        shape = PromptSet((ShapePrompt("POLYGON ((9 46, 10 46, 10 47, 9 46))"),), "EPSG:4326")
        boxes = PromptSet((BoxPrompt(9, 46, 10, 47), BoxPrompt(9, 46, 10, 47)), "EPSG:4326")
        with pytest.raises(UnsupportedPromptError, match="no shape prompts"):
            map_server(server).segment([shape])
        with pytest.raises(UnsupportedPromptError, match="one box"):
            map_server(server).segment([boxes])
        assert server.asked == []

    def test_all_objects_are_checked_before_the_first_is_sent(self, server):
        with pytest.raises(EmptyPromptError):
            map_server(server).segment([click(), click(include=False)])
        assert server.asked == []

    def test_a_box_that_juts_out_of_the_extent_is_cut_and_a_far_one_refused(self, server):
        asking = map_server(server, extent=(9.38, 46.15, 9.40, 46.17), crs="EPSG:4326")

        asking.segment([PromptSet((BoxPrompt(9.37, 46.14, 9.39, 46.16),), "EPSG:4326")])

        data = server.asked[0][1]["prompt"][0]["data"]
        assert data == {"ne": {"lat": 46.16, "lng": 9.39}, "sw": {"lat": 46.15, "lng": 9.38}}
        with pytest.raises(OutsideExtentError, match="Outside the part"):
            asking.segment([PromptSet((BoxPrompt(9.5, 46.2, 9.6, 46.3),), "EPSG:4326")])

    def test_no_session_can_run_it(self, tmp_path):
        with pytest.raises(UnsupportedPromptError, match="fetches the map itself"):
            ModelStore(tmp_path).load("samgis")
        with pytest.raises(UnsupportedPromptError, match="fetches the map itself"):
            ModelStore(tmp_path).load_words("samgis")

    def test_it_is_listed_apart_from_models_that_take_pixels(self):
        for kind in ("point", "box", "words"):
            assert "samgis" not in catalogue.names(kind)
            assert [spec.name for spec in catalogue.map_servers(kind)] == ["samgis"]
        assert catalogue.map_servers("example") == []
        assert catalogue.get("samgis").server == "samgis"


def test_cancel_ends_the_wait(server):
    server.hang.set()

    class Impatient(NullProgress):
        def is_cancelled(self):
            return bool(server.asked)

    began = time.monotonic()
    with pytest.raises(Cancelled):
        map_server(server).segment([click(), click()], Impatient())
    assert time.monotonic() - began < 3.0
    assert len(server.asked) == 1


class TestZoom:
    PLACES = ((9.39, 46.16, 9.39, 46.16),)

    @pytest.mark.parametrize(
        ("resolution", "zoom"),
        # at the latitude 46.16 a pixel is 108439 m / 2^zoom wide
        [(108439.1, 0), (108000.0, 1), (13.3, 13), (13.2, 14), (0.83, 17), (0.0001, 19)],
    )
    def test_a_resolution_on_the_ground_gives_the_coarsest_level_that_has_it(self, resolution, zoom):
        assert zoom_for("OpenStreetMap.Mapnik", self.PLACES, None, resolution_m=resolution) == zoom

    def test_never_deeper_than_the_source(self):
        assert zoom_for("OpenTopoMap", self.PLACES, None, resolution_m=0.1) == 17

    def test_a_box_is_shown_half_a_view_wide(self):
        box = (9.39, 46.16, 9.40, 46.16001)
        zoom = zoom_for("Esri.WorldImagery", [box], box, shown_px=VIEW_PX // 2)
        assert 0.01 / 360 * 256 * 2**zoom <= 512 < 0.01 / 360 * 256 * 2 ** (zoom + 1)

    @pytest.mark.parametrize(
        ("given", "words"),
        [({}, "box around"), ({"zoom": 3, "resolution_m": 2.0}, "Leave one"), ({"resolution_m": 0.0}, "above 0")],
    )
    def test_what_makes_no_sense_is_refused(self, given, words):
        with pytest.raises(SettingsError, match=words):
            zoom_for("OpenTopoMap", self.PLACES, None, **given)

    def test_at_the_edge_of_the_world_the_view_ends_there(self):
        view = around([(179.9, 84.9, 179.9, 84.9)], 5, "OpenTopoMap")
        assert view.bounds[2] == 180.0
        assert view.bounds[3] == pytest.approx(mercator.NORTHERNMOST, abs=1e-9)
        view.require_possible()

    def test_an_extent_in_another_crs_is_enclosed(self):
        west, south, east, north = over((500000.0, 5100000.0, 510000.0, 5110000.0), "EPSG:32632")
        assert 8.99 < west <= 9.0
        assert 9.12 < east < 9.14
        assert 46.04 < south < 46.06
        assert 46.13 < north < 46.16


def test_a_replay_says_that_a_server_s_outline_has_to_be_asked_for_again(server):
    result = map_server(server).segment([click()])
    ((geometry, values),) = result.rows()
    attributes = dict(zip([field.name for field in result.fields()], values))

    def never(*_):
        raise AssertionError("nothing is opened")

    with closing(Replayer(never, never)) as replayer:
        again = replayer.replay(Record.of(geometry, result.crs, attributes), NullProgress())

    assert again.verdict is Verdict.FAILED
    assert "fetched the map itself: OpenStreetMap.Mapnik http://127.0.0.1" in again.status
