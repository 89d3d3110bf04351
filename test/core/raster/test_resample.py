from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_segmenter.core import native
from prompt_segmenter.core.raster.resample import average, average_over, nearest
from prompt_segmenter.test.helpers.rasters import write_raster

ALL = np.ones((4, 4), dtype=bool)


def test_a_checkerboard_becomes_grey():
    board = (np.indices((4, 4)).sum(axis=0) % 2 * 200).astype(np.uint8)[None]
    means, usable = average(board, ALL, (2, 2))
    assert means.tolist() == [[[100, 100], [100, 100]]]
    assert means.dtype == np.uint8 and usable.all()


def test_pixels_count_by_the_area_that_is_covered():
    row = np.array([[[0.0, 30.0, 60.0]]])
    means, _ = average(row, np.ones((1, 3), dtype=bool), (2, 1))
    assert means == pytest.approx(np.array([[[10.0, 50.0]]]))


def test_unusable_pixels_count_for_nothing_even_when_they_are_nan():
    row = np.array([[[np.nan, 8.0, np.inf, np.nan]]], dtype=np.float32)
    means, usable = average(row, np.array([[False, True, False, False]]), (2, 1))
    assert usable.tolist() == [[True, False]]
    assert means[0, 0, 0] == 8.0


def test_the_same_size_is_left_alone():
    data = np.arange(16).reshape(1, 4, 4)
    assert average(data, ALL, (4, 4))[0] is data


def test_nearest_takes_the_pixel_under_the_middle():
    data = np.arange(16, dtype=np.uint8).reshape(1, 4, 4)
    picked, usable = nearest(data, data[0] != 10, (2, 2))
    assert picked.tolist() == [[[5, 7], [13, 15]]]
    assert usable.all()
    assert nearest(data, data[0] != 13, (2, 2))[1].tolist() == [[True, True], [False, True]]


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_the_mean_of_the_whole_stays(height, width, rows, cols, seed):
    data = np.random.default_rng(seed).normal(size=(2, height, width))
    size = min(cols, width), min(rows, height)
    means, usable = average(data, np.ones((height, width), dtype=bool), size)
    assert means.shape == (2, size[1], size[0])
    assert usable.all()
    assert means.mean(axis=(1, 2)) == pytest.approx(data.mean(axis=(1, 2)), abs=1e-9)


def test_it_agrees_with_gdals_average(tmp_path):
    rasterio = native.rasterio()
    data = np.random.default_rng(3).integers(1, 255, (1, 96, 120), dtype=np.uint8)
    data[0, 30:60, 10:50] = 0
    with rasterio.open(write_raster(tmp_path / "a.tif", data, nodata=0)) as dataset:
        theirs = dataset.read(out_shape=(1, 24, 30), resampling=rasterio.enums.Resampling.average)
        mask = dataset.read_masks(1, out_shape=(24, 30), resampling=rasterio.enums.Resampling.average)
    ours, usable = average(data, data[0] != 0, (30, 24))
    assert np.array_equal(usable, mask > 0)
    assert np.abs(ours.astype(int) - theirs)[0][usable].max() <= 1


@pytest.mark.parametrize("size", [(2, 2), (3, 1), (1, 4)])
def test_running_sums_give_the_same_means(size):
    rng = np.random.default_rng(4)
    data, valid = rng.normal(size=(2, 9, 12)), rng.random((9, 12)) < 0.7
    means, usable = average(data, valid, size)
    sums, also = average_over(data, valid, (0.0, 0.0, 12.0, 9.0), size)
    assert np.array_equal(usable, also) and sums[:, usable] == pytest.approx(means[:, usable])


def test_a_part_between_pixels_counts_by_area():
    row = np.array([[[0.0, 30.0, 60.0]]])
    means, _ = average_over(row, np.ones((1, 3), dtype=bool), (0.5, 0.0, 2.5, 1.0), (1, 1))
    assert means.tolist() == [[[30.0]]]
