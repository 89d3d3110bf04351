from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_segmenter.core.errors import PromptError, SegmentError
from prompt_segmenter.core.prompts.box import BoxPrompt
from prompt_segmenter.core.prompts.parse import joined_negatives, parse_box, parse_point, parse_prompts
from prompt_segmenter.core.prompts.point import PointPrompt
from prompt_segmenter.core.prompts.prompt import PromptSet
from prompt_segmenter.core.raster import crs as crs_maths

numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(numbers, numbers, st.booleans())
def test_any_point_that_is_written_out_is_read_back(x, y, include):
    assert parse_point(f"{x!r},{y!r}", include=include) == PointPrompt(x, y, include)


@given(st.lists(numbers, min_size=2, max_size=2, unique=True), st.lists(numbers, min_size=2, max_size=2, unique=True))
def test_any_box_that_is_written_out_is_read_back(xs, ys):
    (left, right), (bottom, top) = sorted(xs), sorted(ys)
    assert parse_box(f"{left!r}, {bottom!r}, {right!r}, {top!r}") == BoxPrompt(left, bottom, right, top)


@given(st.text(max_size=30))
def test_any_text_is_a_point_or_a_prompt_error_and_nothing_else(text):
    try:
        point = parse_point(text)
    except PromptError as error:
        assert error.hint
    else:
        assert [float(part) for part in text.split(",")] == [point.x, point.y]


@pytest.mark.parametrize(
    "text", ["", "1", "1,2,3", "1;2", "12,5,46,1", "a,b", "1_0,2", "0x1,2", "1,", ",", "١,٢", "1,,2"]
)
def test_what_is_no_point_is_refused_with_the_form_to_use(text):
    with pytest.raises(PromptError, match="can't be understood") as caught:
        parse_point(text)
    assert "x,y" in caught.value.hint


@pytest.mark.parametrize("text", ["nan,1", "1,-inf", "Infinity,2"])
def test_a_point_that_is_no_place_is_told_as_such(text):
    with pytest.raises(PromptError, match="is not a place"):
        parse_point(text)


def test_a_long_text_is_shown_short():
    with pytest.raises(PromptError) as caught:
        parse_box("9" * 1000)
    assert len(caught.value.message) < 120


def test_an_inverted_box_is_refused():
    with pytest.raises(PromptError, match="empty or inverted"):
        parse_box("3,0,1,2")


@pytest.mark.parametrize(
    ("given", "joined"),
    [
        (["--include", "-71.2,46.8"], ["--include=-71.2,46.8"]),
        (["--box", "-.5,-1,2,3", "-o", "x"], ["--box=-.5,-1,2,3", "-o", "x"]),
        (["--fill-holes", "-1"], ["--fill-holes=-1"]),
        (["--include", "1,-2"], ["--include", "1,-2"]),
        (["--include=-1,2", "-3"], ["--include=-1,2", "-3"]),
        (["-o", "-3"], ["-o", "-3"]),
        (["-1,2"], ["-1,2"]),
        ([], []),
    ],
)
def test_negative_numbers_are_joined_to_the_option_they_follow(given, joined):
    assert joined_negatives(given) == joined


@pytest.mark.parametrize(
    "text",
    [
        "+12.5,46.1 EPSG:4326",
        "-12.6,46.1 +12.5,46.1 [12,46,13,47] EPSG:4326",
        "+-71.2,-46.8 --3.5e-07,1e+22 EPSG:4326",
        "{POLYGON ((0 0, 1 0, 1 1, 0 0))} -0.5,0.25 EPSG:32633",
        "+0.30000000000000004,7 pixels",
    ],
)
def test_what_a_result_says_of_its_prompts_is_read_back_in_their_order(text):
    assert parse_prompts(text).describe() == text


def test_a_crs_without_a_code_is_the_rasters_own_or_refused():
    wkt = crs_maths.parse("EPSG:32633").to_wkt().replace("WGS 84 / UTM zone 33N", "My own grid")
    wkt = wkt.replace('ID["EPSG",32633]', 'ID["MINE",1]')
    text = PromptSet((PointPrompt(1.0, 2.0),), wkt).describe()
    assert parse_prompts(text, crs=wkt).crs == wkt
    with pytest.raises(PromptError, match="not the raster's"):
        parse_prompts(text)


@pytest.mark.parametrize("text", ["", "EPSG:4326", "+1,2", "+1 EPSG:4326", "[1,2,3] EPSG:4326", "+1,2 EPSG:999999"])
def test_text_that_is_no_prompt_set_is_refused(text):
    with pytest.raises(SegmentError):
        parse_prompts(text)
