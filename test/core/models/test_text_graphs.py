from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core.errors import ModelRunError
from prompt_segmenter.core.models import text_graphs
from prompt_segmenter.core.models.model import ModelSpec
from prompt_segmenter.core.raster.grid import Window

SPEC = ModelSpec("toy", "Toy", "toy", frozenset({"words"}), (), 8, "CC0-1.0", "")


def test_pixels_are_planes_with_the_mean_taken_away():
    image = np.zeros((2, 4, 3), np.uint8)
    image[:, :, 1] = 255
    planes = text_graphs.pixel_values(image, (2, 4), (0.5, 0.5, 0.5), (0.5, 0.25, 0.5))
    assert planes.shape == (1, 3, 2, 4)
    assert planes.dtype == np.float32
    assert [planes[0, band, 0, 0] for band in range(3)] == [-1.0, 2.0, -1.0]
    assert text_graphs.pixel_values(image, (4, 2), (0.0,) * 3, (1.0,) * 3, "float16").dtype == np.float16


def test_boxes_become_corners_within_the_image():
    boxes = np.array([[0.5, 0.5, 0.5, 0.25], [0.0, 1.0, 0.5, 0.5]])
    assert text_graphs.corners(boxes, (200.0, 100.0), (100, 200)).tolist() == [[50, 37.5, 150, 62.5], [0, 75, 50, 100]]


@pytest.mark.parametrize(("size", "window"), [((8, 8), Window(2, 1, 4, 3)), ((16, 24), Window(6, 2, 12, 6))])
def test_cells_are_enclosed_with_one_more_on_each_side(size, window):
    cells = np.zeros((8, 8), bool)
    cells[2, 3:5] = True
    assert text_graphs.enclosing(cells, size) == window
    assert text_graphs.enclosing(np.zeros((8, 8), bool), size) is None


def test_a_cell_at_the_edge_is_enclosed_within_the_image():
    cells = np.zeros((8, 8), bool)
    cells[0, 7] = True
    assert text_graphs.enclosing(cells, (12, 12)) == Window(9, 0, 3, 3)


def test_values_of_cells_are_a_plane_where_they_are_one():
    rows, cols = np.indices((10, 20))
    values = (2.0 * (cols + 0.5) + 3.0 * (rows + 0.5)).astype(np.float32)  # at the cells' middles
    window, size = Window(15, 10, 40, 20), (50, 80)
    spread = text_graphs.spread(values, window, size)
    y, x = np.indices((20, 40)) + 0.5
    expected = 2.0 * (x + 15) * 20 / 80 + 3.0 * (y + 10) * 10 / 50
    assert np.allclose(spread, expected, atol=1e-4)


def test_values_are_held_beyond_the_outer_cells_middles():
    values = np.array([[1.0, 3.0]], np.float32)
    assert text_graphs.spread(values, Window(0, 0, 8, 1), (1, 8))[0].tolist() == [1, 1, 1.25, 1.75, 2.25, 2.75, 3, 3]


def test_a_mask_is_trimmed_to_its_pixels():
    mask = np.zeros((5, 6), bool)
    mask[1:3, 2:5] = True
    window, cut = text_graphs.trimmed(mask, Window(100, 50, 6, 5))
    assert (window, cut.all(), cut.shape) == (Window(102, 51, 3, 2), True, (2, 3))
    assert text_graphs.trimmed(np.zeros((5, 6), bool), Window(0, 0, 6, 5)) is None


def test_sigmoid_is_certain_far_out():
    assert text_graphs.sigmoid(np.array([-1e9, 0.0, 1e9, -np.inf])).tolist() == pytest.approx([0, 0.5, 1, 0], abs=1e-6)


def test_what_is_no_number_is_an_error_of_the_run():
    text_graphs.require_numbers(SPEC, np.zeros(3))
    with pytest.raises(ModelRunError, match="'toy' gave values that are no numbers"):
        text_graphs.require_numbers(SPEC, np.zeros(3), np.array([np.nan]))
