"""What is made of a samgeo server's answers: the three ways to name a CRS, objects, nothing, refusals and garbage."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from prompt_segmenter.core.errors import (
    ChipTooLargeError,
    ModelRunError,
    PromptError,
    ServerBusyError,
    ServerUnavailableError,
    UnknownNameError,
)
from prompt_segmenter.core.raster.grid import PixelGrid, Window
from prompt_segmenter.core.remote.exchange import HttpReply
from prompt_segmenter.core.remote.samgeo_answer import objects_of
from prompt_segmenter.core.remote.samgeo_refusal import may_pass

PIXELS = PixelGrid.pixel_space(64, 48)
UTM = PixelGrid((10.0, 0.0, 500000.0, 0.0, -10.0, 5100000.0), "EPSG:32632", 64, 48)
DEGREES = PixelGrid((0.0001, 0.0, 9.0, 0.0, -0.0001, 46.0), "EPSG:4326", 64, 48)
TURNED = PixelGrid((8.0, 6.0, 500000.0, 6.0, -8.0, 5100000.0), "EPSG:32632", 64, 48)
BOX = np.array([(4, 6), (4, 20), (14, 20), (14, 6), (4, 6)], float)
"""A ring of columns 4 to 13 and rows 6 to 19."""
HOLE = np.array([(6, 8), (9, 8), (9, 12), (6, 12), (6, 8)], float)
SERVER = "http://127.0.0.1:8000"


def moved(cols, rows):
    return BOX + np.array([cols, rows])


def feature(*rings, value=1.0, score=0.9, kind="Polygon"):
    properties = {name: said for name, said in (("value", value), ("score", score)) if said is not None}
    coordinates = [ring.tolist() for ring in rings]
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": kind, "coordinates": coordinates if kind == "Polygon" else [coordinates]},
    }


def reply(features, crs=None, status=200):
    member = {} if crs is None else {"crs": crs}
    return HttpReply(status, json.dumps({"type": "FeatureCollection", **member, "features": features}).encode(), {})


def urn(name):
    return {"type": "name", "properties": {"name": name}}


@pytest.mark.parametrize(
    ("grid", "crs"),
    [
        (PIXELS, None),
        (UTM, urn("urn:ogc:def:crs:EPSG::32632")),
        (UTM, "EPSG:32632"),
        (TURNED, urn("urn:ogc:def:crs:EPSG::32632")),
        (DEGREES, urn("urn:ogc:def:crs:OGC:1.3:CRS84")),
        (DEGREES, urn("urn:ogc:def:crs:EPSG::4326")),
    ],
    ids=["absent", "object", "text", "rotated", "CRS84", "4326"],
)
def test_each_way_to_name_the_crs_gives_the_same_pixels(grid, crs):
    (found,) = objects_of(reply([feature(grid.to_map(BOX), grid.to_map(HOLE))], crs), grid, SERVER)
    expected = np.ones((14, 10), bool)
    expected[2:6, 2:5] = False
    assert found.window == Window(4, 6, 10, 14)
    assert np.array_equal(found.mask, expected)
    assert found.score == 0.9


def test_an_answer_in_another_crs_than_the_image_is_brought_to_its_pixels():
    from prompt_segmenter.core.raster import crs as crs_maths

    there = crs_maths.transform_points(UTM.to_map(BOX), "EPSG:32632", "EPSG:4326")
    (found,) = objects_of(reply([feature(there)], "EPSG:4326"), UTM, SERVER)
    assert found.window == Window(4, 6, 10, 14) or found.mask.sum() == 140


def test_regions_of_one_value_are_one_object_with_its_highest_score():
    features = [
        feature(BOX, value=1.0, score=0.4),
        feature(moved(0, 20), value=2.0, score=0.8),
        feature(moved(20, 0), value=1.0, score=0.7),
    ]
    first, second = objects_of(reply(features), PIXELS, SERVER)
    assert (first.score, second.score) == (0.7, 0.8)
    assert first.window == Window(4, 6, 30, 14)
    assert first.mask.sum() == 2 * 140
    assert not first.mask[:, 10:20].any()


def test_scores_that_are_not_there_are_nan_and_odd_ones_are_brought_into_range():
    features = [feature(BOX, value=n, score=score) for n, score in enumerate([None, "high", 1.02, -3])]
    scores = [found.score for found in objects_of(reply(features), PIXELS, SERVER)]
    assert [math.isnan(score) for score in scores] == [True, True, False, False]
    assert scores[2:] == [1.0, 0.0]


def test_boxes_of_the_detections_format_and_multipolygons_are_taken_too():
    box = feature(BOX, value=None)
    box["properties"]["id"] = 7
    many = feature(BOX, value=2, kind="MultiPolygon")
    assert [found.mask.sum() for found in objects_of(reply([box, many]), PIXELS, SERVER)] == [140, 140]


def test_what_lies_beyond_the_image_is_cut_off_or_left_out():
    features = [feature(moved(58, 0), value=1), feature(moved(100, 0), value=2), feature(moved(-9, 0), value=3)]
    found = objects_of(reply(features), PIXELS, SERVER)
    assert [one.window for one in found] == [Window(62, 6, 2, 14), Window(0, 6, 5, 14)]


@pytest.mark.parametrize(
    "nothing",
    [
        reply([]),
        HttpReply(404, b'{"detail":"No objects found for the given prompt. Please try a different prompt."}', {}),
        HttpReply(404, b'{"detail":"No objects found for automatic segmentation."}', {}),
        HttpReply(500, b'{"detail":"Segmentation produced no output."}', {}),
    ],
)
def test_every_way_to_say_nothing_is_no_error(nothing):
    assert objects_of(nothing, PIXELS, SERVER) == []


REFUSALS = [
    (400, "Invalid output_format 'shp'. Must be one of: geojson", ServerUnavailableError, "does not understand"),
    (400, "Invalid model_version 'x'", UnknownNameError, "one of those"),
    (400, "Invalid model_id 'x' for sam3. Must be one of: ['facebook/sam3']", UnknownNameError, "facebook/sam3"),
    (400, "Invalid backend 'zzz'. Choose 'meta' or 'transformers'.", UnknownNameError, "Choose"),
    (400, "facebook/sam3.1 is a checkpoint repository and is only supported with 'meta'.", UnknownNameError, ""),
    (400, "At least one of point_coords or boxes must be provided.", ServerUnavailableError, "1.4"),
    (400, "Invalid JSON in prompt fields: Expecting ','", ServerUnavailableError, "1.4"),
    (400, "Part exceeded maximum size of 1024KB.", PromptError, "fewer points"),
    (401, "Unauthorized", ServerUnavailableError, "token"),
    (403, "Forbidden", ServerUnavailableError, "token"),
    (404, "Not Found", ServerUnavailableError, "/health"),
    (405, "Method Not Allowed", ServerUnavailableError, "no samgeo-api"),
    (413, "Request body too large", ChipTooLargeError, "smaller area"),
    (422, [{"loc": ["body", "prompt"], "msg": "Field required"}], ServerUnavailableError, "prompt: Field required"),
    (429, "Too many requests", ServerBusyError, "try again"),
    (500, "boom", ModelRunError, "boom"),
    (500, "'/tmp/tmpab12/input.tif' not recognized as being in a supported file format.", ModelRunError, "'input.tif'"),
    (500, "Unable to read input image C:\\Temp\\x\\input.png.", ModelRunError, "image input.png"),
    (500, "CUDA out of memory. Tried to allocate 2 GiB", ModelRunError, "smaller area"),
    (500, "point_labels must be supplied if point_coords is supplied.", ModelRunError, "include points"),
    (500, "Could not download facebook/sam3 from https://example.org/a/b", ModelRunError, "https://example.org/a/b"),
    (502, "samgeo-api error: ReadError", ServerUnavailableError, "behind it"),
    (503, "Dependencies for sam3 are not installed. Install with: pip install segment-geospatial[samgeo3]",
     ServerUnavailableError, "pip install"),
    (503, "no samgeo-api server answered there.", ServerBusyError, "try again"),
    (504, "", ServerUnavailableError, "HTTP 504"),
    (418, "short and stout", ServerUnavailableError, "HTTP 418"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "detail", "error", "says"), REFUSALS, ids=lambda value: str(value)[:40])
def test_every_refusal_has_its_error_and_says_what_to_do(status, detail, error, says):
    refused = HttpReply(status, json.dumps({"detail": detail}).encode(), {})
    with pytest.raises(error) as caught:
        objects_of(refused, PIXELS, SERVER)
    assert type(caught.value) is error
    assert says in str(caught.value)
    assert SERVER in caught.value.message
    assert caught.value.hint
    assert "/tmp" not in str(caught.value)


def test_a_refusal_without_the_usual_form_and_one_with_secrets():
    with pytest.raises(ServerUnavailableError, match="HTTP 502"):
        objects_of(HttpReply(502, b"<html>Bad gateway</html>", {}), PIXELS, SERVER)
    said = json.dumps({"detail": "can't open https://me:hunter2@host/a?token=hunter2" + "x" * 5000}).encode()
    with pytest.raises(ModelRunError) as caught:
        objects_of(HttpReply(500, said, {}), PIXELS, SERVER)
    assert "hunter2" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_what_is_not_installed_is_not_waited_for():
    assert may_pass(HttpReply(429, b"", {}))
    assert may_pass(HttpReply(503, b'{"detail":"starting"}', {}))
    assert not may_pass(HttpReply(503, b'{"detail":"Dependencies are not installed."}', {}))
    assert not may_pass(HttpReply(500, b"", {}))


def collection(**members):
    return json.dumps({"type": "FeatureCollection", "features": [], **members}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x89PNG\xff",
        b"<html>",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"features": 3}',
        b'{"type":"FeatureCollection"}',
        collection(features=[3]),
        collection(features=[{"geometry": None}]),
        collection(features=[{"geometry": {"type": "Point", "coordinates": [1, 2]}}]),
        collection(features=[{"geometry": {"type": "Polygon", "coordinates": 3}}]),
        collection(features=[{"geometry": {"type": "Polygon", "coordinates": [[[1, 2], [3]]]}}]),
        collection(features=[{"geometry": {"type": "Polygon", "coordinates": [[["a", "b"]] * 4]}}]),
        collection(features=[{"geometry": {"type": "Polygon", "coordinates": [[[1e300, 2]] * 4]}}]),
        collection(features=[{"geometry": {"type": "Polygon", "coordinates": [[[math.nan, 2]] * 4]}}]),
        collection(features=[feature(BOX)], crs=urn("urn:ogc:def:crs:EPSG::32632")),
        collection(features=[feature(BOX)], crs={"type": "name"}),
        collection(features=[feature(BOX)], crs=7),
    ],
)
def test_garbage_is_refused_as_such(body):
    with pytest.raises(ServerUnavailableError, match="not samgeo-api's GeoJSON"):
        objects_of(HttpReply(200, body, {}), PIXELS, SERVER)


def test_a_crs_that_nobody_knows_is_refused():
    with pytest.raises(ServerUnavailableError, match="not samgeo-api's GeoJSON"):
        objects_of(reply([feature(UTM.to_map(BOX))], "EPSG:999999"), UTM, SERVER)
