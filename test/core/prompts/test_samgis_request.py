"""SamGIS's requests: what they mean, what is refused, and the coordinates of its own validated examples."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pytest
from prompt_segmenter.core.errors import EmptyPromptError, OutsideExtentError, PromptError
from prompt_segmenter.core.prompts.samgis_request import parse
from prompt_segmenter.core.raster.crs import transform_points
from prompt_segmenter.core.raster.grid import PixelGrid

DATA = Path(os.environ.get("PROMPT_SEGMENTER_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))
SAMPLES = DATA / "samgis"
NEEDS_SAMPLES = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"SamGIS's own examples are not in {SAMPLES}")
BBOX = {"ne": {"lat": 46.3, "lng": 9.5}, "sw": {"lat": 46.1, "lng": 9.2}}


def point(lng=9.4, lat=46.2, label=1):
    return {"id": 7, "type": "point", "data": {"lat": lat, "lng": lng}, "label": label}


def rectangle(west, south, east, north):
    return {"type": "rectangle", "data": {"ne": {"lat": north, "lng": east}, "sw": {"lat": south, "lng": west}}}


def request(**changes):
    return json.dumps({"bbox": BBOX, "prompt": [point()], "zoom": 12, **changes})


def test_a_request_says_view_zoom_and_prompts():
    found = parse(request(prompt=[point(), point(9.3, 46.25, 0), rectangle(9.35, 46.15, 9.45, 46.25)], zoom=10.7))
    assert found.bounds == (9.2, 46.1, 9.5, 46.3) and found.zoom == 10
    assert [one.describe() for one in found.objects] == ["+9.4,46.2 -9.3,46.25 [9.35,46.15,9.45,46.25] EPSG:4326"]
    assert found.source_type == "OpenStreetMap.Mapnik"
    assert found.pixel_m == pytest.approx(156543.03392804097 / 1024)


def test_several_rectangles_are_several_objects_with_the_points_in_them():
    found = parse(
        request(
            prompt=[
                point(9.22, 46.12),
                rectangle(9.35, 46.15, 9.45, 46.25),
                rectangle(9.21, 46.11, 9.25, 46.13),
                point(9.4, 46.2),
                point(9.3, 46.2, 0),
                point(9.49, 46.29),
            ]
        )
    )
    assert [one.describe().split(" EPSG")[0] for one in found.objects] == [
        "[9.35,46.15,9.45,46.25] +9.4,46.2 -9.3,46.2",
        "[9.21,46.11,9.25,46.13] +9.22,46.12 -9.3,46.2",
        "+9.49,46.29 -9.3,46.2",
    ]


def test_prompts_out_of_view_are_refused_by_name():
    with pytest.raises(OutsideExtentError, match=r"prompt 2 \(\+9\.6,46\.2\); prompt 3 \(\[9,46,9\.1,46\.05\]\)"):
        parse(request(prompt=[point(), point(9.6), rectangle(9.0, 46.0, 9.1, 46.05)]))


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        ({"prompt": []}, EmptyPromptError, "no include point"),
        ({"prompt": [point(label=0)]}, EmptyPromptError, "no include point"),
        ({"prompt": [point(lat=123)]}, PromptError, "'lat' of prompt 1 is 123"),
        ({"prompt": [point(lat=math.nan)]}, PromptError, "is nan"),
        ({"prompt": [point(lat="46.2")]}, PromptError, "'46.2'"),
        ({"prompt": [point(label=2)]}, PromptError, "label of prompt 1 is 2"),
        ({"prompt": [point(label=True)]}, PromptError, "label"),
        ({"prompt": [{"type": "polygon", "data": []}]}, PromptError, "'polygon'"),
        ({"prompt": [rectangle(9.4, 46.2, 9.3, 46.1)]}, PromptError, "inverted"),
        ({"prompt": "here"}, PromptError, "no list"),
        ({"bbox": {"ne": BBOX["sw"], "sw": BBOX["ne"]}}, PromptError, "inverted"),
        ({"bbox": {"ne": BBOX["ne"]}}, PromptError, "no 'sw' in bbox"),
        ({"zoom": "auto"}, PromptError, "zoom is 'auto'"),
        ({"zoom": -3}, PromptError, "zoom is -3"),
        ({"zoom": 99}, PromptError, "zoom is 99"),
    ],
)
def test_what_samgis_lets_through_or_fails_at_is_refused_with_a_reason(changes, error, sentence):
    with pytest.raises(error) as caught:
        parse(request(**changes))
    assert sentence in caught.value.message


def test_what_is_no_json_is_refused():
    with pytest.raises(PromptError, match="no JSON"):
        parse("{bbox: 1}")
    with pytest.raises(PromptError, match="no 'bbox'"):
        parse("[]")


@NEEDS_SAMPLES
def test_prompts_lie_where_the_validated_examples_put_them():
    """To the pixel that SamGIS cuts down to; ours stay between pixels, and begin at a pixel's corner."""
    example = json.loads((SAMPLES / "json" / "get_parsed_bbox_prompts_multi_prompt.json").read_text())
    found = parse(json.dumps(example["input"]))
    step, half = found.pixel_m, math.pi * 6378137.0
    prompts = [prompt.transformed("EPSG:4326", "EPSG:3857") for prompt in found.objects[0].prompts]
    (west, _), (_, north) = transform_points(
        [(found.bounds[0], found.bounds[1]), (found.bounds[2], found.bounds[3])], "EPSG:4326", "EPSG:3857"
    )
    left, top = math.floor((west + half) / step), math.floor((half - north) / step)
    view = PixelGrid((step, 0, left * step - half, 0, -step, half - top * step), "EPSG:3857", 1024, 1024)
    ours = sorted(view.to_pixel([prompt.envelope()[:2]])[0].tolist() for prompt in prompts if prompt.kind == "point")
    theirs = sorted(one["data"] for one in example["output"]["prompt"] if one["type"] == "point")
    assert len(ours) == len(theirs) > 1
    for (col, row), (x, y) in zip(ours, theirs):
        assert math.floor(col) == x and math.floor(row) == y


@NEEDS_SAMPLES
def test_the_sample_requests_can_be_read():
    # two rectangles, and an include point in each; one point; one point
    for name, objects in (("colico-request", 2), ("payload_point_colico", 1), ("payload_point_eolie", 1)):
        assert len(parse((SAMPLES / "http_samples" / f"{name}.json").read_text()).objects) == objects


@NEEDS_SAMPLES
def test_the_example_whose_point_lies_outside_is_refused():
    examples = json.loads((SAMPLES / "json" / "get_parsed_bbox_prompts_single_point.json").read_text())
    outside = examples["europe"]["input"]["event"]
    outside["prompt"][0]["label"] = 1
    with pytest.raises(OutsideExtentError, match="prompt 1"):
        parse(json.dumps(outside))
