from __future__ import annotations

import dataclasses
import re

import pytest
from prompt_segmenter.core.outlines.results import (
    FIELDS,
    FieldKind,
    Provenance,
    SegmentationResult,
    SegmentedPolygon,
    now_utc,
)
from shapely.geometry import LineString, box

HOUSE = SegmentedPolygon(
    box(0, 0, 2, 3), 1, "house", 0.9, 6.0, 10.0, prompts="+1,1 EPSG:32633", resolution=0.5, window="0,0,64,64"
)
MADE = Provenance("starter", "ab" * 32, "ortho.tif", "bands=1,2,3", "parts=all", "2026-11-20T12:00:00Z", "0.1.0")


def result_of(*polygons: SegmentedPolygon) -> SegmentationResult:
    return SegmentationResult(polygons, "EPSG:32633", 0.1, MADE)


def test_the_fields_are_those_of_the_issue_and_then_what_was_added():
    assert " ".join(column.name for column in FIELDS) == (
        "object label score area_m2 perimeter_m model model_sha256 prompts source resolution stretch created version "
        "settings window stability similarity"
    )


def test_a_row_holds_the_values_in_the_order_of_the_fields():
    ((geometry, values),) = result_of(HOUSE).rows()
    assert geometry is HOUSE.geometry
    assert dict(zip([column.name for column in FIELDS], values)) == {
        "object": 1,
        "label": "house",
        "score": 0.9,
        "area_m2": 6.0,
        "perimeter_m": 10.0,
        "model": "starter",
        "model_sha256": "ab" * 32,
        "prompts": "+1,1 EPSG:32633",
        "source": "ortho.tif",
        "resolution": 0.5,
        "stretch": "bands=1,2,3",
        "created": "2026-11-20T12:00:00Z",
        "version": "0.1.0",
        "settings": "parts=all",
        "window": "0,0,64,64",
        "stability": None,
        "similarity": None,
    }


def test_numbered_objects_are_integers_and_named_ones_make_the_column_text():
    named = dataclasses.replace(HOUSE, object="A-7")
    assert result_of(HOUSE).fields()[0].kind is FieldKind.INTEGER
    assert result_of(HOUSE, named).fields()[0].kind is FieldKind.TEXT
    assert [values[0] for _, values in result_of(HOUSE, named).rows()] == ["1", "A-7"]


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_a_score_that_is_no_number_becomes_null(score):
    ((_, values),) = result_of(dataclasses.replace(HOUSE, score=score)).rows()
    assert values[2] is None


def test_a_result_counts_its_polygons_and_may_be_empty():
    assert len(result_of(HOUSE, HOUSE)) == 2
    assert list(result_of().rows()) == []
    assert result_of().fields() == FIELDS


def test_only_polygons_are_outlines():
    with pytest.raises(ValueError, match="got LineString"):
        dataclasses.replace(HOUSE, geometry=LineString([(0, 0), (1, 1)]))


def test_the_time_is_iso_in_utc():
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", now_utc())
    assert Provenance("m", "", "s").created[:10] == now_utc()[:10]
