from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from prompt_segmenter.core.errors import (
    Cancelled,
    ChipTooLargeError,
    EmptyPromptError,
    MissingCrsError,
    OutsideExtentError,
    SettingsError,
    UnsupportedPromptError,
)
from prompt_segmenter.core.models.embedding import EmbeddingCache
from prompt_segmenter.core.models.model import LookPolicy
from prompt_segmenter.core.outlines.shape import OutlineSettings
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.prompts.build import prompts
from prompt_segmenter.core.prompts.point import PointPrompt
from prompt_segmenter.core.raster.grid import PixelGrid
from prompt_segmenter.core.raster.rgb import RgbRecipe, RgbSettings
from prompt_segmenter.core.raster.sources.array import ArraySource
from prompt_segmenter.core.raster.stretch import Stretch
from prompt_segmenter.core.session import SegmentationSession, SessionSettings
from prompt_segmenter.core.trace import Trace
from prompt_segmenter.core.window import View
from prompt_segmenter.test.helpers.fake_model import SameBrightness

EXACT = OutlineSettings(simplify_px=0.0)
PLAIN = RgbSettings(stretch=Stretch(((0.0, 255.0),)))


class Cancelling(NullProgress):
    """Asks to stop after some questions."""

    def __init__(self, questions):
        self.left = questions

    def is_cancelled(self):
        self.left -= 1
        return self.left < 0


class CountingSource(ArraySource):
    """Remembers what was read."""

    reads: list

    def read(self, window, size, bands, progress=None):
        self.__dict__.setdefault("reads", []).append((window, size))
        return super().read(window, size, bands, progress)


def utm_grid(size=400):
    return PixelGrid((2.0, 0.0, 500000.0, 0.0, -2.0, 4600000.0), "EPSG:32633", size, size)


def squares(*boxes, size=400, grid=None, valid=None):
    """Return a dark raster with bright squares at (col, row, side), each of its own brightness."""
    data = np.full((3, size, size), 20, np.uint8)
    for index, (col, row, side) in enumerate(boxes):
        data[:, row : row + side, col : col + side] = 120 + 40 * index
    return CountingSource(data, grid or utm_grid(size), valid)


def at(source, col, row):
    return tuple(source.grid.to_map([(col, row)])[0])


def session(source, model=None, **settings):
    settings = SessionSettings(rgb=PLAIN, outline=settings.pop("outline", EXACT), **settings)
    return SegmentationSession(source, model or SameBrightness(), settings)


def pixel_bounds(source, polygon):
    left, bottom, right, top = polygon.geometry.bounds
    return source.grid.box_to_pixel((left, bottom, right, top)).round(6).tolist()


def test_a_click_gives_the_square_under_it_to_the_pixel_with_its_measures_and_provenance():
    source = squares((100, 60, 10))

    result = session(source).segment([prompts(include=[at(source, 105, 65)], crs="EPSG:32633", label="roof")])

    (polygon,) = result.polygons
    assert pixel_bounds(source, polygon) == [100, 60, 110, 70]
    assert polygon.area_m2 == pytest.approx(400.0, rel=2e-3)
    assert polygon.perimeter_m == pytest.approx(80.0, rel=2e-3)
    assert (polygon.object, polygon.label, polygon.resolution) == (1, "roof", 2.0)
    assert polygon.score == pytest.approx(0.8)
    assert polygon.prompts == "+500210,4599870 EPSG:32633"
    assert polygon.window == "73,33,64,64@64x64"
    assert (result.crs, result.warnings) == ("EPSG:32633", ())
    facts = result.provenance
    assert (facts.model, facts.source, facts.stretch) == ("same_brightness", "memory", "bands=1,2,3 stretch=0:255")


def test_prompts_in_longitude_and_latitude_find_the_same_object():
    source = squares((100, 60, 10))
    here = PointPrompt(*at(source, 105, 65)).transformed("EPSG:32633", "EPSG:4326")

    result = session(source).segment([prompts(include=[(here.x, here.y)], crs="EPSG:4326")])

    assert pixel_bounds(source, result.polygons[0]) == [100, 60, 110, 70]
    assert result.polygons[0].prompts.endswith("EPSG:4326")


@pytest.mark.parametrize(
    "transform",
    [
        (1.5, 2.0, 500000.0, 2.0, -1.5, 4600000.0),
        (2.0, 0.0, 500000.0, 0.0, 2.0, 4600000.0),
        (4.0, 0.5, 500000.0, 0.0, -1.0, 4600000.0),
    ],
    ids=["rotated", "south-up", "oblong and sheared"],
)
def test_any_affine_grid_gives_the_corners_of_the_square(transform):
    source = squares((100, 60, 10), grid=PixelGrid(transform, "EPSG:32633", 400, 400))

    result = session(source).segment([prompts(include=[at(source, 105, 65)], crs="EPSG:32633")])

    corners = source.grid.to_pixel(np.array(result.polygons[0].geometry.exterior.coords)[:, :2]).round(6)
    assert {tuple(corner) for corner in corners.tolist()} >= {(100, 60), (110, 60), (110, 70), (100, 70)}


def test_an_object_larger_than_the_chip_makes_the_chip_grow_until_it_fits():
    source = squares((40, 40, 200))

    result = session(source).segment([prompts(include=[at(source, 140, 140)], crs="EPSG:32633")])

    left, top, right, bottom = pixel_bounds(source, result.polygons[0])
    assert max(abs(left - 40), abs(top - 40), abs(right - 240), abs(bottom - 240)) <= 4
    assert [size for _, size in source.reads] == [(64, 64)] * 3
    assert [window.width for window, _ in source.reads] == [64, 128, 256]
    assert result.polygons[0].resolution == 8.0
    assert result.warnings == ()


def test_an_object_that_covers_the_raster_ends_at_its_edge_without_a_warning():
    source = squares((0, 0, 400))

    result = session(source).segment([prompts(include=[at(source, 10, 10)], crs="EPSG:32633")])

    assert pixel_bounds(source, result.polygons[0]) == [0, 0, 400, 400]
    assert result.warnings == ()


def test_a_fixed_extent_is_not_left_and_says_that_the_object_is_cut():
    source = squares((40, 40, 200))
    extent = (*at(source, 100, 160), *at(source, 160, 100))

    result = session(source, extent=extent).segment([prompts(include=[at(source, 140, 140)], crs="EPSG:32633")])

    assert pixel_bounds(source, result.polygons[0]) == [100, 100, 160, 160]
    assert "goes on beyond" in result.warnings[0]


def test_several_objects_keep_their_names_and_share_the_embedding_of_the_same_pixels():
    source = squares((10, 10, 8), (40, 10, 8))
    model = SameBrightness()
    extent = (*at(source, 0, 64), *at(source, 64, 0))
    one, two = (prompts(include=[at(source, col, 14)], crs="EPSG:32633") for col in (14, 44))
    two = type(two)(two.prompts, two.crs, object="barn")

    result = session(source, model, extent=extent).segment([one, two])

    assert [polygon.object for polygon in result.polygons] == [1, "barn"]
    assert pixel_bounds(source, result.polygons[1]) == [40, 10, 48, 18]
    assert len(model.encoded) == len(source.reads) == 1


def test_a_box_sets_how_much_ground_is_looked_at():
    source = squares((100, 100, 120))
    box = (*at(source, 90, 230), *at(source, 230, 90))

    result = session(source).segment([prompts(box=box, crs="EPSG:32633")])

    assert pixel_bounds(source, result.polygons[0]) == pytest.approx([100, 100, 220, 220], abs=3)
    assert source.reads[0][0].width == 168


def test_the_candidate_that_holds_the_click_beats_a_better_score():
    source = squares((100, 60, 10))

    result = session(source, SameBrightness(candidates=2)).segment(
        [prompts(include=[at(source, 105, 65)], exclude=[at(source, 120, 65)], crs="EPSG:32633")]
    )

    assert pixel_bounds(source, result.polygons[0]) == [100, 60, 110, 70]
    assert result.polygons[0].score == pytest.approx(0.8)


def test_a_prompt_that_is_not_satisfied_is_tried_again_with_the_logits_and_then_reported():
    source = squares((100, 60, 10))
    model = SameBrightness()

    result = session(source, model).segment(
        [prompts(include=[at(source, 105, 65), at(source, 120, 65)], crs="EPSG:32633")]
    )

    assert [previous is None for previous in model.previous] == [True, False, False]
    assert "1 of its points could not be satisfied" in result.warnings[0]


def test_the_best_of_several_ground_widths_is_used():
    source = squares((100, 60, 30))
    model = SameBrightness(look=LookPolicy(chip_px=16, scales=(1.0, 4.0)))

    result = session(source, model).segment([prompts(include=[at(source, 115, 75)], crs="EPSG:32633")])

    assert [window.width for window, _ in source.reads] == [16, 64]
    assert pixel_bounds(source, result.polygons[0]) == pytest.approx([100, 60, 130, 90], abs=4)


def test_a_second_look_at_the_objects_own_window_is_finer():
    source = squares((40, 40, 20))
    far = LookPolicy(chip_px=40, scales=(8.0,), zoom_in=True)

    result = session(source, SameBrightness(look=far)).segment(
        [prompts(include=[at(source, 50, 50)], crs="EPSG:32633")]
    )

    assert [window.width for window, _ in source.reads] == [320, 40]
    assert pixel_bounds(source, result.polygons[0]) == [40, 40, 60, 60]
    assert result.polygons[0].resolution == 2.0


def test_pixels_without_data_are_never_part_of_an_object():
    valid = np.ones((400, 400), np.bool_)
    valid[60:65] = False
    source = squares((100, 60, 10), valid=valid)

    result = session(source).segment([prompts(include=[at(source, 105, 68)], crs="EPSG:32633")])

    assert pixel_bounds(source, result.polygons[0]) == [100, 65, 110, 70]


def test_a_click_where_there_is_no_data_finds_nothing_and_says_so():
    valid = np.ones((400, 400), np.bool_)
    valid[100:140, 100:140] = False
    source = squares((100, 100, 40), valid=valid)

    result = session(source).segment([prompts(include=[at(source, 120, 120)], crs="EPSG:32633")])

    assert result.polygons == ()
    assert "no data at +500240,4599760 EPSG:32633" in result.warnings[0]


def test_an_object_below_the_minimum_area_is_nothing_found():
    source = squares((100, 60, 10))
    large = OutlineSettings(simplify_px=0.0, min_area_m2=500.0)

    result = session(source, outline=large).segment([prompts(include=[at(source, 105, 65)], crs="EPSG:32633")])

    assert result.polygons == ()
    assert "nothing found at +500210,4599870 EPSG:32633" in result.warnings[0]


def test_pixel_space_takes_pixel_prompts_and_gives_pixel_polygons():
    source = squares((100, 60, 10), grid=PixelGrid.pixel_space(400, 400))

    result = session(source).segment([prompts(include=[(105, 65)])])

    assert result.crs is None
    assert result.polygons[0].geometry.bounds == (100, 60, 110, 70)
    assert result.polygons[0].area_m2 == pytest.approx(100.0)
    with pytest.raises(MissingCrsError):
        session(source).segment([prompts(include=[(10, 10)], crs="EPSG:4326")])


def test_prompts_outside_are_all_named_and_nothing_is_read():
    source = squares((100, 60, 10))
    far = [
        prompts(include=[at(source, 105, 65), (0, 1)], crs="EPSG:32633"),
        prompts(include=[(2, 3)], crs="EPSG:32633"),
    ]

    with pytest.raises(OutsideExtentError, match=r"\+0,1 \(EPSG:32633\); \+2,3 .*500000 to 500800") as caught:
        session(source).segment(far)

    assert "EPSG:32633" in str(caught.value)
    assert "reads" not in source.__dict__


def test_messages_and_attributes_repeat_prompts_as_they_were_given():
    source = squares((100, 60, 10))
    wrote = prompts(include=[(1, 2)], crs="EPSG:4326")
    moved = dataclasses.replace(prompts(include=[at(source, 105, 65)], crs="EPSG:32633"), given=wrote)
    outside = dataclasses.replace(prompts(include=[(0, 1)], crs="EPSG:32633"), given=wrote)

    assert session(source).segment([moved]).polygons[0].prompts == "+1,2 EPSG:4326"
    with pytest.raises(OutsideExtentError, match=r"outside the raster: \+1,2 \(EPSG:4326\)"):
        session(source).segment([outside])


def test_prompts_outside_the_extent_are_refused_even_on_the_raster():
    source = squares((100, 60, 10))
    extent = (*at(source, 0, 50), *at(source, 50, 0))

    with pytest.raises(OutsideExtentError, match="outside the extent"):
        session(source, extent=extent).segment([prompts(include=[at(source, 105, 65)], crs="EPSG:32633")])


def test_no_object_and_exclude_only_objects_are_refused():
    source = squares((100, 60, 10))
    with pytest.raises(EmptyPromptError, match="no prompt"):
        session(source).segment([])
    with pytest.raises(EmptyPromptError, match="only exclude"):
        session(source).segment([prompts(exclude=[at(source, 5, 5)], crs="EPSG:32633")])


def test_an_object_with_exclude_points_alone_is_named():
    source = squares((100, 60, 10))
    unnamed = prompts(exclude=[at(source, 5, 5)], crs="EPSG:32633")

    with pytest.raises(EmptyPromptError, match="For the object 'tree 7' there are only exclude"):
        session(source).segment([dataclasses.replace(unnamed, object="tree 7")])


def test_an_exclude_point_that_objects_share_is_named_once():
    source = squares((100, 60, 10))
    click = prompts(include=[at(source, 105, 65)], exclude=[(0, 0)], crs="EPSG:32633")

    with pytest.raises(OutsideExtentError, match=r"raster: -0,0 \(EPSG:32633\)\. It"):
        session(source).segment([click, click])


def test_a_prompt_kind_that_the_model_does_not_take_is_refused_with_those_it_takes():
    source = squares((100, 60, 10))
    model = SameBrightness()
    model.spec = type(model.spec)(**{**model.spec.__dict__, "accepts": frozenset({"point"})})

    with pytest.raises(UnsupportedPromptError, match=r"takes no box prompts. It takes: point\."):
        session(source, model).segment([prompts(box=(*at(source, 1, 9), *at(source, 9, 1)), crs="EPSG:32633")])


def test_too_many_pixels_are_refused_before_reading_with_a_resolution_that_fits():
    source = squares((100, 60, 10))
    asked = {"extent": source.grid.bounds, "resolution": 2.0}
    click = [prompts(include=[at(source, 105, 65)], crs="EPSG:32633")]

    with pytest.raises(ChipTooLargeError, match="resolution of 8") as caught:
        session(source, max_pixels=10_000, **asked).segment(click)

    assert "400 x 400" in str(caught.value)
    assert "reads" not in source.__dict__
    asked["resolution"] = 8.0
    assert len(session(source, max_pixels=10_000, **asked).segment(click)) == 1


def test_cancelling_ends_the_work_wherever_it_is():
    source = squares((100, 60, 10))
    click = [prompts(include=[at(source, 105, 65)], crs="EPSG:32633")]
    for questions in range(3):
        with pytest.raises(Cancelled):
            session(source).segment(click, Cancelling(questions))


def test_the_input_is_left_as_it_was():
    source = squares((100, 60, 10))
    before = source.data.copy()

    session(source).segment([prompts(include=[at(source, 105, 65)], crs="EPSG:32633")])

    np.testing.assert_array_equal(source.data, before)


def test_a_later_round_in_the_same_view_starts_from_the_earlier_logits_without_encoding_again():
    source = squares((100, 60, 10))
    model = SameBrightness()
    cache = EmbeddingCache(10**8)
    looker = SegmentationSession(source, model, SessionSettings(rgb=PLAIN), cache=cache).looker()
    click = prompts(include=[at(source, 105, 65)], crs="EPSG:32633")
    first = looker.find(click, NullProgress())

    again = looker.at(View(first.view.window, first.view.size), click, NullProgress(), previous=first.low_res_logits)

    assert len(model.encoded) == len(cache) == 1
    np.testing.assert_array_equal(model.previous[-1], first.low_res_logits)
    np.testing.assert_array_equal(again.mask, first.mask)


def test_a_recipe_and_a_trace_make_the_same_again_without_looking_for_either():
    source = squares((100, 60, 10), (150, 60, 10))
    asked = [prompts(include=[at(source, 105, 65)], crs="EPSG:32633")]
    before = SegmentationSession(source, SameBrightness()).segment(asked)
    source.reads.clear()
    recipe = RgbRecipe.parse(before.provenance.stretch, source)
    trace = Trace.parse(before.polygons[0].window)

    after = SegmentationSession(source, SameBrightness(), SessionSettings(recipe=recipe, trace=trace)).segment(asked)

    assert after.polygons == before.polygons
    assert source.reads == [(trace.view.window, trace.view.size)]


@pytest.mark.parametrize("text", ["390,0,64,64@64x64", "0,0,64,64@65x64", "0,0,64,64@64x64 in 300,0,192,192@192x192"])
def test_a_trace_of_another_raster_is_refused_before_anything_is_read(text):
    source = squares((100, 60, 10))
    settings = SessionSettings(trace=Trace.parse(text))

    with pytest.raises(SettingsError, match="not one of this raster, which has 400 x 400 pixels"):
        SegmentationSession(source, SameBrightness(), settings).segment(
            [prompts(include=[at(source, 20, 20)], crs="EPSG:32633")]
        )

    assert not hasattr(source, "reads")
