"""Segment from prompts by a SamGIS server: which layers it can be asked about, and what comes back."""

from __future__ import annotations

import json

import pytest
from prompt_segmenter.core.remote import mercator
from prompt_segmenter.test.algorithms.conftest import bounds
from prompt_segmenter.test.helpers.processing_run import run
from prompt_segmenter.test.helpers.samgis_server import envelope, feature, ring, serve
from qgis.core import QgsApplication, QgsRasterLayer, QgsSettings

LAT, LON = 46.16, 9.39
OSM = "type=xyz&url=https://tile.openstreetmap.org/%7Bz%7D/%7Bx%7D/%7By%7D.png&zmax=19&zmin=0"
OTHER = "type=xyz&url=https://tiles.example.com/%7Bz%7D/%7Bx%7D/%7By%7D.png&zmax=19&zmin=0"
CLICK = f"CRS=EPSG:4326;Point ({LON} {LAT})"


@pytest.fixture
def server(monkeypatch):
    with serve() as site:
        monkeypatch.setenv("PROMPT_SEGMENTER_SAMGIS_URL", site.url)
        yield site


@pytest.fixture(autouse=True)
def no_settings(qgis_app):
    QgsSettings().remove("prompt_segmenter")
    yield
    QgsSettings().remove("prompt_segmenter")


def tiles(source=OSM):
    layer = QgsRasterLayer(source, "tiles", "wms")
    assert layer.isValid()
    return layer


def ask(plugin, **parameters):
    return run(**{"INPUT": tiles(), "INCLUDE": CLICK, "MODEL": "samgis", "ZOOM": 17, **parameters})


def test_a_click_on_openstreetmap_s_tiles_is_outlined_in_the_layer_s_crs(plugin, server):
    outcome = ask(plugin, LABEL="roof", SIMPLIFY=0.0)

    (feature,) = outcome.features
    assert outcome.error == ""
    assert outcome.layer.crs().authid() == "EPSG:3857"
    step = mercator.pixel_m(17)
    box = feature.geometry().boundingBox()
    assert box.width() == pytest.approx(10 * step)
    ((col, _),) = mercator.to_pixels([(LON, LAT)], 17).tolist()
    west = (int(col) - 5) * step - mercator.WORLD_M / 2
    assert box.xMinimum() == pytest.approx(west, abs=1e-4)
    assert (feature["model"], feature["label"], feature["score"]) == ("samgis", "roof", None)
    assert feature["source"].startswith("OpenStreetMap.Mapnik http://127.0.0.1:")
    assert outcome.results["COUNT"] == 1
    assert outcome.results["SCORE"] is None
    body = server.asked[0][1]
    assert (body["source_type"], body["zoom"]) == ("OpenStreetMap.Mapnik", 17)
    assert body["prompt"] == [
        {"type": "point", "data": {"lat": pytest.approx(LAT), "lng": pytest.approx(LON)}, "label": 1}
    ]


def test_a_resolution_in_map_units_says_the_zoom(plugin, server):
    # a pixel of zoom 16 is 2.39 mercator metres wide
    ask(plugin, ZOOM=None, RESOLUTION=2.4)

    assert server.asked[0][1]["zoom"] == 16


def test_a_box_says_the_zoom_by_its_size_and_an_extent_the_view(plugin, server):
    ask(plugin, ZOOM=None, INCLUDE=None, BOX="9.39,9.40,46.16,46.165 [EPSG:4326]")
    ask(plugin, ZOOM=14, EXTENT="9.37,9.41,46.15,46.17 [EPSG:4326]")

    by_box, by_extent = (body for _, body in server.asked)
    # 0.01 degrees are 466 pixels at zoom 16
    assert by_box["zoom"] == 16
    assert by_extent["bbox"]["sw"] == {"lat": pytest.approx(46.15), "lng": pytest.approx(9.37)}


def test_other_tiles_need_the_map_s_name(plugin, server):
    refused = ask(plugin, INPUT=tiles(OTHER))
    named = ask(plugin, INPUT=tiles(OTHER), SOURCE_TYPE="Esri.WorldImagery")

    assert "Give its name in the package xyzservices as SOURCE_TYPE" in refused.error
    assert named.error == ""
    assert server.asked[0][1]["source_type"] == "Esri.WorldImagery"


def test_a_file_is_refused_with_a_sentence(plugin, server, scene):
    for more in ({}, {"SOURCE_TYPE": "OpenTopoMap"}):
        outcome = ask(plugin, INPUT=scene, **more)
        assert "fetches maps from the web itself, so it can't look at 'scene'" in outcome.error
    assert server.asked == []


def test_samgis_s_own_request_with_its_source_and_zoom(plugin, server):
    request = {
        "bbox": {"ne": {"lat": 46.17, "lng": 9.41}, "sw": {"lat": 46.15, "lng": 9.37}},
        "prompt": [{"type": "point", "data": {"lat": LAT, "lng": LON}, "label": 1}],
        "zoom": 14,
        "source_type": "OpenStreetMap.HOT",
    }

    outcome = ask(plugin, INCLUDE=None, ZOOM=None, REQUEST=json.dumps(request))

    assert outcome.error == ""
    body = server.asked[0][1]
    assert (body["source_type"], body["zoom"]) == ("OpenStreetMap.HOT", 14)
    for corner in ("ne", "sw"):
        assert body["bbox"][corner] == pytest.approx(request["bbox"][corner], abs=1e-9)


def test_nothing_found_is_an_empty_layer_and_a_warning(plugin, server):
    server.answers = lambda *_: (200, envelope([]))

    outcome = ask(plugin)

    assert outcome.features == []
    assert "nothing found" in outcome.warnings[0]


def test_what_the_server_does_not_say_is_said(plugin, server):
    server.answers = lambda *_: (422, {"msg": "Error - Unprocessable Entity"})

    assert "does not know the source" in ask(plugin, SOURCE_TYPE="Nonsense.Map").error


def test_without_a_server_it_says_where_one_is_set_up(plugin, monkeypatch):
    monkeypatch.delenv("PROMPT_SEGMENTER_SAMGIS_URL", raising=False)

    assert "PROMPT_SEGMENTER_SAMGIS_URL" in ask(plugin).refused


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"BANDS": "1"}, "BANDS"),
        ({"STRETCH": "0:10"}, "STRETCH"),
        ({"RENDER": True}, "RENDER"),
        ({"COMPOSITE": "metric"}, "COMPOSITE"),
        ({"WINDOW": "0,0,8,8@8x8"}, "WINDOW"),
        ({"RESOLUTION": 2.0}, "ZOOM and RESOLUTION"),
        ({"MODEL": "starter"}, "ZOOM: only for MODEL=samgis"),
    ],
)
def test_what_does_not_go_together_is_refused(plugin, server, parameters, named):
    assert named in ask(plugin, **parameters).refused
    assert server.asked == []


def test_it_is_among_the_models_of_segment_from_prompts_alone(plugin):
    registry = QgsApplication.processingRegistry()
    enum = registry.algorithmById("promptsegmenter:segmentprompts").parameterDefinition("MODEL")
    assert enum.options()[0] == "starter"
    assert "samgis" in enum.options()
    volcanoes = registry.algorithmById("promptsegmenter:findvolcanoes").parameterDefinition("MODEL")
    assert "samgis" not in volcanoes.options()


def test_a_click_on_a_file_still_works_as_before(fake_model, scene):
    left, right, bottom, top = bounds("a")
    outcome = run(INPUT=scene, INCLUDE=f"Point ({(left + right) / 2} {(bottom + top) / 2})")
    assert outcome.error == outcome.refused == ""
    assert len(outcome.features) == 1


class TestWords:
    EXTENT = "9.38,9.40,46.15,46.17 [EPSG:4326]"

    def ask(self, plugin, **parameters):
        given = {"INPUT": tiles(), "PROMPT": "trees; houses", "MODEL": "samgis", "ZOOM": 14, "EXTENT": self.EXTENT}
        return run(algorithm="promptsegmenter:segmenttext", **{**given, **parameters})

    def test_each_phrase_is_a_class_of_polygons_where_the_server_saw_them(self, plugin, server):
        server.answers = lambda *_: (200, envelope([feature([ring(8.5, 8.5, 30.5, 20.5, 14)])]))

        outcome = self.ask(plugin)

        assert outcome.error == outcome.refused == ""
        assert [found["label"] for found in outcome.features] == ["trees", "houses"]
        west = 9 * mercator.pixel_m(14) - mercator.WORLD_M / 2
        assert outcome.features[0].geometry().boundingBox().xMinimum() == pytest.approx(west, abs=1e-3)
        assert [(route, body["string_prompt"]) for route, body in server.asked] == [
            ("/infer_lisa", "trees"),
            ("/infer_lisa", "houses"),
        ]

    def test_words_that_samgis_refuses_are_refused_before_anything_is_sent(self, plugin, server):
        outcome = self.ask(plugin, PROMPT="trees; 3 maisons à côté")

        assert "SamGIS takes no '3àôé'" in outcome.error + outcome.refused
        assert server.asked == []

    def test_words_need_an_extent(self, plugin, server):
        outcome = self.ask(plugin, EXTENT=None)

        assert "Give an extent" in outcome.error + outcome.refused

    def test_sizes_count_as_for_any_model(self, plugin, server):
        shapes = [feature([ring(8.5, 8.5, 30.5, 20.5, 14)]), feature([ring(40.5, 40.5, 42.5, 42.5, 14)])]
        server.answers = lambda *_: (200, envelope(shapes))
        everything = [found["area_m2"] for found in self.ask(plugin, PROMPT="trees").features]
        middle = sum(everything) / 2

        large = self.ask(plugin, PROMPT="trees", MIN_SIZE=middle)
        small = self.ask(plugin, PROMPT="trees", MAX_SIZE=middle)

        assert len(everything) == 2
        assert [found["area_m2"] for found in large.features] == [max(everything)]
        assert [found["area_m2"] for found in small.features] == [min(everything)]

    @pytest.mark.parametrize(
        ("parameters", "named"),
        [
            ({"CONFIDENCE": 0.5}, "CONFIDENCE"),
            ({"OVERLAPS": "coverage"}, "OVERLAPS"),
            ({"WINDOW_SIZE": 512}, "WINDOW_SIZE"),
            ({"KEEP_ON_CANCEL": True}, "KEEP_ON_CANCEL"),
        ],
    )
    def test_what_samgis_can_not_be_told_is_refused(self, plugin, server, parameters, named):
        assert named in self.ask(plugin, **parameters).refused
        assert server.asked == []
