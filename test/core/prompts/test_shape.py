"""A polygon as a prompt: what it covers, what it says to models, and how it is written down."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_segmenter.core import native
from prompt_segmenter.core.errors import PromptError
from prompt_segmenter.core.outlines.polygonize import polygonize
from prompt_segmenter.core.outlines.shape import combine
from prompt_segmenter.core.prompts.shape import ShapePrompt
from prompt_segmenter.core.raster.grid import PixelGrid

RING = "POLYGON ((500010 4599990, 500050 4599990, 500050 4599950, 500010 4599950, 500010 4599990), \
(500020 4599980, 500020 4599970, 500030 4599970, 500030 4599980, 500020 4599980))"
UTM = PixelGrid((10.0, 0.0, 500000.0, 0.0, -10.0, 4600000.0), "EPSG:32633", 8, 6)
TURNED = PixelGrid((6.0, 8.0, 500000.0, 8.0, -6.0, 4600000.0), "EPSG:32633", 9, 7)


def test_a_ring_covers_the_pixels_whose_middles_it_holds_and_not_its_hole():
    expected = np.zeros((6, 8), bool)
    expected[1:5, 1:5] = True
    expected[2, 2] = False
    assert np.array_equal(ShapePrompt(RING).mask(UTM), expected)


@pytest.mark.parametrize("grid", [UTM, TURNED], ids=["north-up", "turned"])
@given(seed=st.integers(0, 10_000))
def test_any_mask_that_becomes_polygons_is_drawn_back_pixel_for_pixel(grid, seed):
    mask = np.random.default_rng(seed).random((grid.height, grid.width)) < 0.5
    mask[0, 0] = True
    shape = ShapePrompt.of(combine(polygonize(mask, grid)))
    assert np.array_equal(shape.mask(grid), mask)


def test_a_shape_beyond_the_grid_covers_what_lies_on_it():
    around = ShapePrompt("POLYGON ((0 0, 0 9000000, 9000000 9000000, 9000000 0, 0 0))")
    assert around.mask(UTM).all()
    assert not ShapePrompt("POLYGON ((0 0, 0 1, 1 1, 0 0))").mask(UTM).any()


def test_models_get_an_include_point_that_lies_inside_even_of_a_ring():
    from prompt_segmenter.core.prompts.prompt import PromptSet

    pixels = PromptSet((ShapePrompt(RING),), "EPSG:32633").to_pixels(UTM)
    col, row = pixels.include[0].astype(int)
    assert ShapePrompt(RING).mask(UTM)[row, col]


def test_its_text_loses_no_digit():
    geometry = native.shapely().geometry.Polygon([(1 / 3, 2 / 7), (1 / 9, 5), (7.1, 0.1 + 0.2)])
    again = ShapePrompt(ShapePrompt.of(geometry).wkt)
    assert list(again.geometry.exterior.coords) == list(geometry.exterior.coords)


def test_it_moves_to_another_crs_and_back():
    there = ShapePrompt(RING).transformed("EPSG:32633", "EPSG:4326")
    assert 14.9 < there.envelope()[0] < 15.1
    back = there.transformed("EPSG:4326", "EPSG:32633")
    assert np.allclose(back.envelope(), ShapePrompt(RING).envelope(), atol=1e-6)


@pytest.mark.parametrize("wkt", ["", "POLYGON ((0 0", "POINT (1 2)", "POLYGON EMPTY"])
def test_what_is_no_polygon_is_refused_with_what_to_do(wkt):
    with pytest.raises(PromptError, match=r"polygon or multipolygon"):
        ShapePrompt(wkt)
