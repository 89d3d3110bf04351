from __future__ import annotations

import math

import numpy as np
import pytest
from prompt_segmenter.core.outlines.masks import PartRule
from prompt_segmenter.core.outlines.measure import measure
from prompt_segmenter.core.outlines.polygonize import polygonize
from prompt_segmenter.core.outlines.runs import RunMask
from prompt_segmenter.core.outlines.shape import OutlineSettings
from prompt_segmenter.core.raster.grid import PixelGrid
from prompt_segmenter.core.scan.outlines import PixelAreas, ScanOutliner, moved_prompt
from prompt_segmenter.core.scan.stitch import Traits, WholeObject
from prompt_segmenter.core.scan.windows import lattice_over

GRID = PixelGrid((2.0, 0.0, 500000.0, 0.0, -2.0, 4600000.0), "EPSG:32633", 300, 200)
LATTICE = lattice_over(GRID, None, 64, 16)
WINDOW = next(window for window in LATTICE.windows if window.box[:2] == (48, 96))
AS_PIXELS = OutlineSettings(parts=PartRule.ALL, simplify_px=0.0, fill_holes_m2=0.0)


def object_of(mask):
    pixels = RunMask.of(mask, 0, 0, GRID.width)
    return WholeObject(1, pixels, Traits("roof", 0.7, math.nan, 0.4, ""), WINDOW)


def test_an_outline_has_the_traits_of_its_object_and_true_measures():
    mask = np.zeros((200, 300), bool)
    mask[100:110, 60:80] = True
    whole = object_of(mask)
    polygon = ScanOutliner(LATTICE, AS_PIXELS, "everything").outline(whole, whole.pixels, 7)
    expected = polygonize(mask, GRID)[0]
    assert polygon.geometry.equals(expected)
    assert polygon.area_m2 == pytest.approx(measure(expected, GRID.crs).area_m2)
    assert (polygon.object, polygon.label, polygon.score, polygon.similarity) == (7, "roof", 0.7, 0.4)
    assert math.isnan(polygon.stability)
    assert (polygon.window, polygon.prompts) == (WINDOW.view.text(), "everything")


@pytest.mark.parametrize(("rule", "count"), [(PartRule.ALL, 2), (PartRule.LARGEST, 1), (PartRule.WITH_INCLUDE, 1)])
def test_without_include_points_a_part_rule_keeps_all_or_the_largest(rule, count):
    mask = np.zeros((200, 300), bool)
    mask[100:110, 60:80] = mask[120:130, 60:66] = True
    whole = object_of(mask)
    polygon = ScanOutliner(LATTICE, OutlineSettings(parts=rule), "").outline(whole, whole.pixels, 1)
    assert len(getattr(polygon.geometry, "geoms", [polygon.geometry])) == count


def test_an_object_of_which_nothing_is_left_has_no_outline():
    mask = np.zeros((200, 300), bool)
    mask[100:102, 60:62] = True
    whole = object_of(mask)
    assert ScanOutliner(LATTICE, OutlineSettings(min_area_m2=100.0), "").outline(whole, whole.pixels, 1) is None


def test_prompts_in_pixels_of_a_window_are_moved_to_the_map():
    said = moved_prompt("+1.5,2 -0,0 [1,2,3,4] closest", WINDOW, GRID)
    assert said == "+500099,4599804 -500096,4599808 [500098,4599800,500102,4599804] closest EPSG:32633"
    assert moved_prompt("", WINDOW, GRID) == ""
    assert moved_prompt("roof", WINDOW, GRID) == "roof"


def test_prompts_without_a_crs_are_in_pixels():
    raster = PixelGrid.pixel_space(300, 200)
    assert moved_prompt("+1.5,2", WINDOW, raster) == "+49.5,98 pixels"


@pytest.mark.parametrize(
    ("transform", "crs"),
    [
        ((0.01, 0.0, 10.0, 0.0, -0.01, 60.0), "EPSG:4326"),
        ((50.0, 0.0, 1000000.0, 0.0, -50.0, 8000000.0), "EPSG:3857"),
        ((1.0, 0.0, 0.0, 0.0, 1.0, 0.0), None),
    ],
)
def test_areas_of_pixels_are_those_of_the_ground_wherever_they_lie(transform, crs):
    grid = PixelGrid(transform, crs, 1000, 800)
    areas = PixelAreas(grid)
    for row, col in ((0, 0), (380, 510), (790, 990)):
        mask = np.zeros((800, 1000), bool)
        mask[row : row + 10, col : col + 10] = True
        expected = measure(polygonize(mask, grid)[0], crs).area_m2
        assert areas.of(RunMask.of(mask, 0, 0, 1000)) == pytest.approx(expected, rel=2e-3)
