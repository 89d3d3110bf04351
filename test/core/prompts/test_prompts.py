from __future__ import annotations

import math

import numpy as np
import pytest
from prompt_segmenter.core.errors import EmptyPromptError, MissingCrsError, PromptError
from prompt_segmenter.core.prompts.box import BoxPrompt
from prompt_segmenter.core.prompts.point import PointPrompt
from prompt_segmenter.core.prompts.prompt import PixelPrompts, PromptSet
from prompt_segmenter.core.raster.grid import PixelGrid

UTM = PixelGrid((10.0, 0.0, 500000.0, 0.0, -10.0, 4600000.0), "EPSG:32633", 100, 50)


def test_a_click_lands_on_its_continuous_pixel():
    prompts = PromptSet((PointPrompt(500005.0, 4599995.0), PointPrompt(500020.0, 4599980.0, include=False)), UTM.crs)

    pixels = prompts.to_pixels(UTM)

    np.testing.assert_array_equal(pixels.points, np.float32([[0.5, 0.5], [2.0, 2.0]]))
    np.testing.assert_array_equal(pixels.labels, [1, 0])
    np.testing.assert_array_equal(pixels.include, np.float32([[0.5, 0.5]]))
    np.testing.assert_array_equal(pixels.exclude, np.float32([[2.0, 2.0]]))
    assert pixels.boxes.shape == (0, 4)


def test_a_box_becomes_left_top_right_bottom_in_pixels():
    prompts = PromptSet((BoxPrompt(500010.0, 4599900.0, 500050.0, 4599980.0),), UTM.crs)

    np.testing.assert_array_equal(prompts.to_pixels(UTM).boxes, np.float32([[1, 2, 5, 10]]))


def test_a_box_on_a_south_up_grid_still_has_top_before_bottom():
    south_up = PixelGrid((1.0, 0.0, 0.0, 0.0, 1.0, 0.0), "EPSG:3857", 20, 20)
    prompts = PromptSet((BoxPrompt(2.0, 3.0, 5.0, 9.0),), south_up.crs)

    np.testing.assert_array_equal(prompts.to_pixels(south_up).boxes, np.float32([[2, 3, 5, 9]]))


def test_a_box_on_a_rotated_grid_is_the_enclosing_pixel_box():
    half = math.sqrt(0.5)
    turned = PixelGrid((half, -half, 0.0, half, half, 0.0), "EPSG:3857", 20, 20)
    side = 4 * half
    prompts = PromptSet((BoxPrompt(-side, side - side / 2, side, side + side / 2),), turned.crs)

    left, top, right, bottom = prompts.to_pixels(turned).boxes[0]

    corners = turned.to_pixel([(-side, side / 2), (side, side / 2), (side, 1.5 * side), (-side, 1.5 * side)])
    np.testing.assert_allclose([left, top], corners.min(axis=0), atol=1e-5)
    np.testing.assert_allclose([right, bottom], corners.max(axis=0), atol=1e-5)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_coordinate_that_is_not_finite_is_refused_with_its_value(bad):
    with pytest.raises(PromptError, match="is not a place"):
        PointPrompt(bad, 1.0)
    with pytest.raises(PromptError, match="is not a place"):
        BoxPrompt(0.0, 0.0, bad, 1.0)


@pytest.mark.parametrize("sides", [(5, 0, 1, 1), (0, 5, 1, 1), (0, 0, 0, 1), (0, 0, 1, 0)])
def test_an_inverted_or_empty_box_is_refused_and_says_the_order(sides):
    with pytest.raises(PromptError, match="left < right and bottom < top"):
        BoxPrompt(*map(float, sides))


def test_exclude_points_alone_locate_nothing():
    only_exclude = PromptSet((PointPrompt(1.0, 1.0, include=False),), None)

    with pytest.raises(EmptyPromptError, match="only exclude points"):
        only_exclude.require_located()
    with pytest.raises(EmptyPromptError, match="no prompt"):
        PromptSet((), None).require_located()
    PromptSet((BoxPrompt(0, 0, 1, 1), PointPrompt(0.5, 0.5, include=False)), None).require_located()


def test_the_envelope_leaves_exclude_points_out():
    prompts = PromptSet((PointPrompt(1, 2), BoxPrompt(0, 3, 4, 6), PointPrompt(99, 99, include=False)), None)

    assert prompts.envelope() == (0, 2, 4, 6)


def test_prompts_move_to_another_crs_and_keep_their_sense():
    prompts = PromptSet((PointPrompt(15.0, 0.0, include=False), BoxPrompt(14.9, -0.1, 15.1, 0.1)), "EPSG:4326", "roof")

    moved = prompts.transformed("EPSG:32633")

    point, box = moved.prompts
    assert (moved.crs, moved.label, point.include) == ("EPSG:32633", "roof", False)
    assert point.x == pytest.approx(500000.0, abs=1e-6)
    assert point.y == pytest.approx(0.0, abs=1e-6)
    assert box.left < 500000.0 - 11000 < 500000.0 + 11000 < box.right


def test_a_box_in_another_crs_encloses_its_bulging_sides():
    wide = BoxPrompt(-30.0, 60.0, 60.0, 70.0)

    moved = wide.transformed("EPSG:4326", "EPSG:3035")

    corners = [PointPrompt(x, y).transformed("EPSG:4326", "EPSG:3035") for x in (-30.0, 60.0) for y in (60.0, 70.0)]
    assert moved.bottom < min(corner.y for corner in corners) - 1000.0


def test_map_prompts_need_a_grid_with_a_crs():
    with pytest.raises(MissingCrsError):
        PromptSet((PointPrompt(1.0, 1.0),), "EPSG:4326").transformed(None)


def test_the_text_of_a_prompt_set_names_everything_and_its_crs():
    prompts = PromptSet(
        (PointPrompt(12.5, 46.1), PointPrompt(12.6, 46.1, False), BoxPrompt(12, 46, 13, 47)), "EPSG:4326"
    )

    assert prompts.describe() == "+12.5,46.1 -12.6,46.1 [12,46,13,47] EPSG:4326"
    assert PromptSet((PointPrompt(3, 4),), None).describe() == "+3,4 pixels"


def test_pixel_prompts_check_their_shapes():
    with pytest.raises(ValueError, match=r"expected \(1, 2\) points"):
        PixelPrompts(np.zeros((2, 2), np.float32), np.ones(1, np.int8), np.zeros((0, 4), np.float32))
    with pytest.raises(ValueError, match="boxes"):
        PixelPrompts(np.zeros((1, 2), np.float32), np.ones(1, np.int8), np.zeros((1, 3), np.float32))
