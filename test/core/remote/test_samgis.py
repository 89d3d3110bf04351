"""The client of a SamGIS server: what it sends, what it makes of answers, and what it says when there is none."""

from __future__ import annotations

import base64
import json
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from prompt_segmenter.core.errors import (
    Cancelled,
    EmptyPromptError,
    OutsideExtentError,
    ServerBusyError,
    ServerUnavailableError,
    SettingsError,
    UnsupportedPromptError,
)
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.remote import http, mercator, samgis, samgis_answer, samgis_sources
from prompt_segmenter.core.remote.address import ServerAddress
from prompt_segmenter.core.remote.samgis import MapPoint, MapView, SamgisClient, require_words
from prompt_segmenter.test.helpers.samgis_server import envelope, feature, ring, serve, squares

QUIET = NullProgress()
ZOOM = 12
VIEW = MapView((9.2, 46.1, 9.5, 46.3), ZOOM, "OpenStreetMap.HOT")
CLICK = MapPoint(9.4, 46.2, True)
DATA = Path(os.environ.get("PROMPT_SEGMENTER_DATA") or Path(__file__).parents[4] / "shared" / "data") / "samgis"


@pytest.fixture
def server():
    with serve() as site:
        yield site


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(http.Patience, "wait_s", 0.01)
    monkeypatch.setattr(http, "_pause", lambda *_: None)


def client(server, **more):
    return SamgisClient(ServerAddress(server.url), **more)


def corners(answer):
    """Return the one polygon's corners as a set."""
    ((shell, holes),) = answer.polygons
    assert holes == ()
    return {tuple(corner) for corner in shell.tolist()}


class TestRequest:
    def test_it_is_what_samgis_reads(self, server):
        client(server).outline(VIEW, [CLICK, MapPoint(9.3, 46.15, False)], (9.25, 46.12, 9.45, 46.25), QUIET)

        ((route, body),) = server.asked
        assert route == "/infer_samgis"
        assert body == {
            "id": "",
            "bbox": {"ne": {"lat": 46.3, "lng": 9.5}, "sw": {"lat": 46.1, "lng": 9.2}},
            "prompt": [
                {"type": "point", "data": {"lat": 46.2, "lng": 9.4}, "label": 1},
                {"type": "point", "data": {"lat": 46.15, "lng": 9.3}, "label": 0},
                {
                    "type": "rectangle",
                    "data": {"ne": {"lat": 46.25, "lng": 9.45}, "sw": {"lat": 46.12, "lng": 9.25}},
                },
            ],
            "zoom": 12,
            "source_type": "OpenStreetMap.HOT",
            "debug": False,
        }
        assert server.headers[0]["Content-Type"] == "application/json"

    def test_words_go_to_their_route_as_a_string(self, server):
        client(server, words_route="say_it").find_words(VIEW, "the houses, please", QUIET)

        ((route, body),) = server.asked
        assert route == "/say_it"
        assert body["string_prompt"] == "the houses, please"
        assert "prompt" not in body

    @pytest.mark.parametrize(
        ("given", "asked"),
        [
            ("", "/infer_samgis"),
            ("/", "/infer_samgis"),
            ("/infer_samgis", "/infer_samgis"),
            ("/behind/a/gate", "/behind/a/gate/infer_samgis"),
            ("/prod/lambda-ml-fastsam-api", "/prod/lambda-ml-fastsam-api"),
        ],
    )
    def test_people_give_the_base_or_the_route(self, server, given, asked):
        SamgisClient(ServerAddress(server.url + given)).outline(VIEW, [CLICK], None, QUIET)

        assert server.asked[0][0] == asked

    def test_it_waits_long_and_not_for_ever(self):
        assert samgis._LIMITS.silence_s >= 120
        assert samgis._LIMITS.whole_s < 7200
        assert samgis._LIMITS.answer_bytes <= 64 << 20


class TestRefusedByUs:
    @pytest.mark.parametrize(
        ("points", "box", "named"),
        [
            ([CLICK, MapPoint(9.6, 46.2, False)], None, "(9.6, 46.2)"),
            ([MapPoint(9.4, 46.0, True)], None, "(9.4, 46)"),
            ([CLICK], (9.1, 46.15, 9.3, 46.2), "[9.1, 46.15, 9.3, 46.2]"),
            ([MapPoint(float("nan"), 46.2, True)], None, "nan"),
        ],
    )
    def test_prompts_outside_the_view(self, server, points, box, named):
        with pytest.raises(OutsideExtentError, match=r"9\.2 to 9\.5") as raised:
            client(server).outline(VIEW, points, box, QUIET)

        assert named in raised.value.message
        assert server.asked == []

    def test_nothing_that_locates(self, server):
        with pytest.raises(EmptyPromptError):
            client(server).outline(VIEW, [MapPoint(9.4, 46.2, False)], None, QUIET)

        assert server.asked == []

    @pytest.mark.parametrize(
        ("view", "words"),
        [
            (MapView(VIEW.bounds, 18, "OpenTopoMap"), "Zoom 18 does not exist in OpenTopoMap. Give 0 to 17"),
            (MapView(VIEW.bounds, 20, "openstreetmap"), "Give 0 to 19"),
            (MapView(VIEW.bounds, -1, "Esri.WorldImagery"), "Give 0 to 30"),
            (MapView(VIEW.bounds, 12, "https://tiles.example.com/{z}/{x}/{y}.png"), "no source"),
            (MapView(VIEW.bounds, 12, ""), "no source"),
            (MapView(VIEW.bounds, 12, "mapbox.terrain-rgb"), "nextzen.terrarium"),
            (MapView((9.5, 46.1, 9.2, 46.3), 12, "OpenTopoMap"), "not on a web map"),
            (MapView((9.2, 46.1, 9.2, 46.3), 12, "OpenTopoMap"), "not on a web map"),
            (MapView((9.2, 46.1, 9.5, 86.0), 3, "OpenTopoMap"), "latitudes from -85.0511 to 85.0511"),
            (MapView(VIEW.bounds, 16, "OpenTopoMap"), "13982 x 13467 pixels.*zoom 14"),
        ],
    )
    def test_views_that_only_give_a_500(self, server, view, words):
        with pytest.raises(SettingsError, match=words):
            client(server).outline(view, [CLICK], None, QUIET)

        assert server.asked == []

    @pytest.mark.parametrize(
        ("phrase", "named"), [("2 houses", "2"), ("caffè", "è"), ("дом", "дом"), ("swimming-pool", "-"), ("a\nb", "\n")]
    )
    def test_words_that_samgis_refuses(self, server, phrase, named):
        with pytest.raises(UnsupportedPromptError) as raised:
            client(server).find_words(VIEW, phrase, QUIET)

        assert f"'{named}'" in raised.value.message
        assert "letters from A to Z" in raised.value.hint
        assert server.asked == []

    def test_no_words(self):
        with pytest.raises(EmptyPromptError):
            require_words("  ")
        require_words("You need to identify the areas with trees, please. Can you? Yes! 'a' \"b\"")


class TestAnswer:
    def test_the_background_is_dropped_and_the_half_pixel_mended(self, server):
        # A square of 10 pixels around the pixel that holds the click; SamGIS says half a pixel to the north-west.
        ((col, row),) = np.floor(mercator.to_pixels([(9.4, 46.2)], ZOOM)).tolist()

        answer = client(server).outline(VIEW, [CLICK], None, QUIET)

        assert corners(answer) == {(col - 5, row - 5), (col - 5, row + 5), (col + 5, row + 5), (col + 5, row - 5)}
        assert answer.shift_px == 0.5

    def test_the_half_pixel_stays_where_that_is_wanted(self, server):
        ((col, row),) = np.floor(mercator.to_pixels([(9.4, 46.2)], ZOOM)).tolist()

        answer = client(server, correct_shift=False).outline(VIEW, [CLICK], None, QUIET)

        assert answer.shift_px == 0.0
        assert np.abs(np.array(sorted(corners(answer)))[0] - (col - 5.5, row - 5.5)).max() < 1e-6

    def test_a_server_without_the_fault_is_left_as_it_is(self, server):
        server.answers = squares(offset=0.0)
        ((col, row),) = np.floor(mercator.to_pixels([(9.4, 46.2)], ZOOM)).tolist()

        answer = client(server).outline(VIEW, [CLICK], None, QUIET)

        assert answer.shift_px == 0.0
        assert (col - 5, row - 5) in corners(answer)

    @pytest.mark.parametrize("zoom", [0, 10, 13, 22])
    def test_the_shift_in_metres_is_half_a_pixel_at_every_zoom(self, zoom):
        # 20037508.34 m is half the world, 256 * 2^zoom pixels wide
        said = ring(100.5, 80.5, 110.5, 90.5, zoom)
        output = {"geojson": {"features": [feature([said])]}}

        mended = samgis_answer.read(output, zoom, correct_shift=True)

        ((shell, _),) = mended.polygons
        (moved,) = mercator.to_degrees(shell[:1], zoom)
        east_m = (moved[0] - said[0][0]) / 360.0 * 2 * 20037508.342789244
        assert east_m == pytest.approx(20037508.342789244 / (256 * 2**zoom), abs=1e-6)
        assert moved[1] < said[0][1]

    def test_holes_stay_and_are_moved_too(self, server):
        outer, inner = ring(100.5, 200.5, 120.5, 220.5, ZOOM), ring(105.5, 205.5, 110.5, 210.5, ZOOM)
        server.answers = lambda *_: (200, envelope([feature([outer, inner])]))

        answer = client(server).outline(VIEW, [CLICK], None, QUIET)

        ((shell, (hole,)),) = answer.polygons
        assert shell.min(axis=0).tolist() == [101.0, 201.0]
        assert hole.max(axis=0).tolist() == [111.0, 211.0]

    @pytest.mark.parametrize("n_predictions", [1, 3])
    def test_nothing_found_is_an_answer(self, server, n_predictions):
        nothing = envelope([feature([ring(1, 1, 9, 9, ZOOM)], 0.0)], n_predictions)
        server.answers = lambda *_: (200, nothing)

        assert client(server).outline(VIEW, [CLICK], None, QUIET).polygons == ()

    def test_the_envelope_of_the_lambda_variant(self, server):
        inner = {"n_predictions": 1, "geojson": json.dumps({"features": [feature([ring(1, 2, 3, 4, ZOOM)])]})}
        for encode in (str, lambda text: base64.b64encode(text.encode()).decode()):
            reply = {
                "statusCode": 200,
                "header": {},
                "body": encode(json.dumps(inner)),
                "isBase64Encoded": encode is not str,
            }
            server.answers = lambda *_, reply=reply: (200, reply)
            answer = client(server).outline(VIEW, [CLICK], None, QUIET)
            assert corners(answer) == {(1, 2), (1, 4), (3, 4), (3, 2)}

    def test_what_the_language_model_said_is_kept(self, server):
        server.answers = lambda *_: (200, envelope([], output_string="ASSISTANT: there is none."))

        assert client(server).find_words(VIEW, "trees", QUIET).said == "ASSISTANT: there is none."

    @pytest.mark.parametrize(
        "reply",
        [
            b"<html>Your space is asleep</html>",
            b"[]",
            b'"still alive"',
            {},
            {"body": "{"},
            {"body": "{}"},
            {"body": json.dumps({"output": {"geojson": "no"}})},
            {"body": json.dumps({"output": {"geojson": '{"features": 3}'}})},
            envelope(["no feature"]),
            envelope([{"properties": None, "geometry": {"type": "Point", "coordinates": [1, 2]}}]),
            envelope([feature([])]),
            envelope([feature([[[1, 2], [3, 4]]])]),
            envelope([feature([[[1, "x"], [3, 4], [1, 1], [1, 2]]])]),
            envelope([feature([[[1000, 2], [3000, 4], [1, 1], [1000, 2]]])]),
            {"statusCode": 200, "isBase64Encoded": True, "body": "***"},
            b'{"body":' * 3000 + b"1" + b"}" * 3000,
        ],
    )
    def test_what_is_no_answer_of_samgis_is_an_error_that_says_so(self, server, reply):
        server.answers = lambda *_: (200, reply)

        with pytest.raises(ServerUnavailableError, match="not one of SamGIS"):
            client(server).outline(VIEW, [CLICK], None, QUIET)

    @pytest.mark.skipif(not DATA.is_dir(), reason=f"SamGIS's own samples are not at {DATA}")
    def test_samgis_s_own_answer(self, server):
        said = json.loads((DATA / "http_samples" / "colico-request.json").read_text())
        reply = (DATA / "http_samples" / "colico-mocked-reponse.json").read_bytes()
        server.answers = lambda *_: (200, reply)
        ne, sw = said["bbox"]["ne"], said["bbox"]["sw"]
        view = MapView((sw["lng"], sw["lat"], ne["lng"], ne["lat"]), said["zoom"], said["source_type"])

        answer = client(server).outline(view, [CLICK], None, QUIET)

        # 25 shapes, of which 14 are foreground; all corners are x.5 pixels until they are mended
        assert len(answer.polygons) == 14
        assert answer.shift_px == 0.5
        shells = np.vstack([shell for shell, _ in answer.polygons])
        assert (shells == np.round(shells)).all()
        assert shells.min(axis=0).tolist() >= [551210.0, 371980.0]


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "kind", "words"),
        [
            (400, SettingsError, "refuses the request"),
            (422, SettingsError, "OpenStreetMap.HOT, zoom 12.*does not know the source"),
            (500, ServerUnavailableError, "can't fetch the tiles"),
            (502, ServerUnavailableError, "failed"),
            (503, ServerBusyError, "no time"),
            (429, ServerBusyError, "no time"),
            (404, ServerUnavailableError, "has no /infer_samgis"),
            (405, ServerUnavailableError, "has no /infer_samgis"),
            (401, ServerUnavailableError, "login"),
            (403, ServerUnavailableError, "login"),
        ],
    )
    def test_a_status_becomes_a_sentence(self, server, status, kind, words):
        server.answers = lambda *_: (status, {"msg": "Error - Internal Server Error"})

        with pytest.raises(kind, match=words) as raised:
            client(server).outline(VIEW, [CLICK], None, QUIET)

        assert type(raised.value) is kind
        assert raised.value.hint

    @pytest.mark.parametrize(("status", "kind"), [(400, SettingsError), (422, SettingsError), (500, Exception)])
    def test_the_lambda_variant_says_its_status_inside(self, server, status, kind):
        server.answers = lambda *_: (200, {"statusCode": status, "body": '{"message": "Missing"}'})

        with pytest.raises(kind, match=str(status)):
            client(server).outline(VIEW, [CLICK], None, QUIET)

    def test_a_route_for_words_that_is_not_there_is_named(self, server):
        server.answers = lambda *_: (404, {"detail": "Not Found"})

        with pytest.raises(ServerUnavailableError, match=r"has no /infer_lisa.*route for words"):
            client(server).find_words(VIEW, "trees", QUIET)

    def test_no_server(self):
        with pytest.raises(ServerUnavailableError, match="refuses connections"):
            SamgisClient(ServerAddress("http://127.0.0.1:9")).outline(VIEW, [CLICK], None, QUIET)

    def test_no_credentials_in_any_message(self, server):
        address = ServerAddress(server.url.replace("//", "//me:s3cret@"), (("X-Key", "hush-hush"),))
        server.answers = lambda *_: (500, {})

        with pytest.raises(ServerUnavailableError) as raised:
            SamgisClient(address).outline(VIEW, [CLICK], None, QUIET)

        assert "s3cret" not in str(raised.value)
        assert "hush" not in str(raised.value)
        assert server.headers[0]["X-Key"] == "hush-hush"

    def test_cancel_ends_the_wait_at_once(self, server):
        server.hang.set()

        class Impatient(NullProgress):
            def is_cancelled(self):
                return bool(server.asked)

        began = time.monotonic()
        with pytest.raises(Cancelled, match="goes on"):
            client(server).outline(VIEW, [CLICK], None, Impatient())
        assert time.monotonic() - began < 3.0


class TestHealth:
    def test_alive(self, server):
        client(server).require_alive(QUIET)

        assert server.asked == [("/health", "")]

    @pytest.mark.parametrize(("status", "words"), [(500, "weights are missing"), (404, "Check the address")])
    def test_not_well(self, server, status, words):
        server.health = (status, {"msg": "Error - Internal Server Error"})

        with pytest.raises(ServerUnavailableError, match=words):
            client(server).require_alive(QUIET)


class TestSources:
    @pytest.mark.parametrize(
        ("template", "name"),
        [
            ("https://tile.openstreetmap.org/{z}/{x}/{y}.png", "OpenStreetMap.Mapnik"),
            ("http://a.tile.openstreetmap.org/{z}/{x}/{y}.png", "OpenStreetMap.Mapnik"),
            ("https://{s}.tile.openstreetmap.fr/hot/{z}/{x}/{y}.png", "OpenStreetMap.HOT"),
            ("https://{s}.tile.opentopomap.org/{z}/{x}/{y}.png", "OpenTopoMap"),
            (
                "https://server.arcgisonline.com/ArcGIS/rest/services/World_Imagery/MapServer/tile/{z}/{y}/{x}",
                "Esri.WorldImagery",
            ),
            (
                "https://services.arcgisonline.com/arcgis/rest/services/World_Imagery/MapServer/tile/{z}/{y}/{x}",
                "Esri.WorldImagery",
            ),
            ("https://a.basemaps.cartocdn.com/light_all/{z}/{x}/{y}{r}.png", "CartoDB.Positron"),
            ("https://s3.amazonaws.com/elevation-tiles-prod/terrarium/{z}/{x}/{y}.png", "nextzen.terrarium"),
            ("https://s3.amazonaws.com/other/{z}/{x}/{y}.png", ""),
            ("https://mt1.google.com/vt/lyrs=s&x={x}&y={y}&z={z}", ""),
            ("https://faketile.openstreetmap.org.evil.example/{z}/{x}/{y}.png", ""),
            ("nonsense", ""),
        ],
    )
    def test_a_layer_s_address_tells_the_name(self, template, name):
        assert samgis_sources.of_template(template) == name

    def test_names_are_compared_as_xyzservices_does(self):
        assert samgis_sources.deepest_of("open topo-map") == 17
        assert samgis_sources.deepest_of("OpenStreetMap") == 19
        assert samgis_sources.deepest_of("Strava.All") == 30


def test_mercator_is_the_textbook_s():
    assert mercator.to_pixels([(0.0, 0.0), (-180.0, mercator.NORTHERNMOST)], 0).round(9).tolist() == [
        [128, 128],
        [0, 0],
    ]
    there = mercator.to_degrees(mercator.to_pixels([(9.4, 46.2), (-120.5, -33.3)], 18), 18)
    assert np.abs(there - [(9.4, 46.2), (-120.5, -33.3)]).max() < 1e-10


def test_several_threads_may_ask_at_once(server):
    shared, found = client(server), []
    threads = [
        threading.Thread(target=lambda: found.append(shared.outline(VIEW, [CLICK], None, QUIET))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({tuple(sorted(corners(answer))) for answer in found}) == 1
