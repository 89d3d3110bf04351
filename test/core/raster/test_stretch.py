from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_segmenter.core.errors import Cancelled, RasterReadError, SettingsError
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.raster import stretch as stretch_module
from prompt_segmenter.core.raster.grid import PixelGrid
from prompt_segmenter.core.raster.sources.array import ArraySource
from prompt_segmenter.core.raster.stretch import Stretch, percentile_stretch, sample

finite = st.floats(-1e30, 1e30)


class Stopped(NullProgress):
    def is_cancelled(self) -> bool:
        return True


def source_of(data, valid=None):
    return ArraySource(data, PixelGrid.pixel_space(data.shape[2], data.shape[1]), valid)


def test_low_is_black_high_is_white_and_the_rest_is_clipped():
    values = np.array([[[-5, 100, 149.9, 200, 900]]])
    assert Stretch(((100.0, 200.0),)).apply(values).tolist() == [[[0, 0, 127, 255, 255]]]


def test_each_channel_has_its_own_range_or_all_share_one():
    values = np.array([[[10]], [[10]]])
    assert Stretch(((0.0, 10.0), (10.0, 20.0))).apply(values).ravel().tolist() == [255, 0]
    assert Stretch(((0.0, 20.0),)).apply(values).ravel().tolist() == [128, 128]


def test_nan_infinity_and_the_largest_numbers_do_no_harm():
    values = np.array([[[math.nan, math.inf, -math.inf, 1e308, -1e308]]])
    assert Stretch(((-1e307, 1e307),)).apply(values).tolist() == [[[0, 255, 0, 255, 0]]]
    assert Stretch(((0.0, 1.0),)).apply(values).tolist() == [[[0, 255, 0, 255, 0]]]


@given(st.lists(st.tuples(finite, finite).filter(lambda pair: pair[0] < pair[1]), min_size=1, max_size=3))
def test_text_and_back_is_exact(ranges):
    stretch = Stretch(tuple(ranges))
    assert Stretch.parse(stretch.text()) == stretch


def test_text_is_short():
    assert Stretch(((0.0, 3000.0), (0.05, 1e-7 + 1))).text() == "0:3000,0.05:1.0000001"


@pytest.mark.parametrize("text", ["", "5", "a:b", "1:2:3", "1:2,,3:4"])
def test_text_that_is_no_stretch_is_refused(text):
    with pytest.raises(SettingsError, match="can't be understood"):
        Stretch.parse(text)


@pytest.mark.parametrize("text", ["5:5", "9:1", "nan:1", "0:inf", "-1e308:1e308"])
def test_an_empty_or_inverted_range_is_refused(text):
    with pytest.raises(SettingsError, match="empty or inverted"):
        Stretch.parse(text)


def test_percentiles_of_a_ramp_are_known():
    ramp = np.arange(0, 1001, dtype=np.uint16)[None]
    assert percentile_stretch(ramp, (2.0, 98.0)).ranges == ((20.0, 980.0),)
    assert percentile_stretch(ramp[:, 1:], (0.0, 100.0)).ranges == ((1.0, 1000.0),)


def test_channels_get_their_own_ranges_unless_they_are_taken_together():
    values = np.array([[0, 1, 2, 3, 4], [10, 20, 30, 40, 50]])
    assert percentile_stretch(values, (0.0, 100.0)).ranges == ((0.0, 4.0), (10.0, 50.0))
    assert percentile_stretch(values, (0.0, 100.0), joint=True).ranges == ((0.0, 50.0),)


def test_an_undeclared_collar_takes_no_contrast():
    values = np.concatenate([np.zeros(400), np.linspace(8000.0, 9000.0, 600)])[None]
    low, high = percentile_stretch(values, (2.0, 98.0)).ranges[0]
    assert low == pytest.approx(8020.0, abs=1.0) and high == pytest.approx(8980.0, abs=1.0)


def test_a_lowest_value_in_one_channel_only_is_no_collar():
    values = np.array([[0.0] * 50 + [5.0] * 50, list(range(100))])
    assert percentile_stretch(values, (0.0, 100.0)).ranges == ((0.0, 5.0), (0.0, 99.0))


def test_a_picture_of_two_values_keeps_both():
    values = np.array([[0] * 70 + [1] * 30])
    assert percentile_stretch(values, (2.0, 98.0)).ranges == ((0.0, 1.0),)


def test_what_is_rare_shows_where_all_else_is_one_value():
    values = np.array([[7.0] * 9990 + [9.0] * 5 + [5.0] * 5])
    assert percentile_stretch(values, (2.0, 98.0)).ranges == ((5.0, 9.0),)


@pytest.mark.parametrize("value", [0.0, 42.0, -3e9, 1e-12])
def test_a_constant_becomes_middle_grey(value):
    stretch = percentile_stretch(np.full((1, 10), value), (2.0, 98.0))
    assert stretch.apply(np.full((1, 1, 1), value)).item() in (127, 128)


def test_the_sample_is_all_usable_values_of_a_small_raster():
    data = np.arange(12, dtype=np.int16).reshape(1, 3, 4)
    valid = data[0] % 2 == 0
    assert sample(source_of(data, valid), (1,), NullProgress()).tolist() == [[0, 2, 4, 6, 8, 10]]


def test_a_large_raster_is_sampled_decimated():
    data = np.tile(np.arange(1500, dtype=np.float32), (1, 1500, 1))
    values = sample(source_of(data), (1,), NullProgress())
    assert 900_000 < values.shape[1] <= 1 << 20
    assert np.percentile(values, (2, 98)) == pytest.approx((30.0, 1470.0), abs=2.0)


def test_a_huge_raster_is_sampled_in_patches(monkeypatch):
    monkeypatch.setattr(stretch_module, "_WHOLE_READ_PX", 1000)
    monkeypatch.setattr(stretch_module, "_PATCH_PX", 16)
    data = np.tile(np.arange(400, dtype=np.float32), (1, 300, 1))
    values = sample(source_of(data), (1,), NullProgress())
    assert values.shape == (1, 8 * 8 * 16 * 16)
    assert (values.min(), values.max()) == (0.0, 399.0)
    with pytest.raises(Cancelled):
        sample(source_of(data), (1,), Stopped())


def test_patches_that_meet_only_nodata_fall_back_to_the_whole(monkeypatch):
    monkeypatch.setattr(stretch_module, "_WHOLE_READ_PX", 1000)
    monkeypatch.setattr(stretch_module, "_PATCH_PX", 2)
    data = np.full((1, 50, 50), 5.0)
    valid = np.zeros((50, 50), dtype=bool)
    valid[3:5, 3:5] = True
    assert sample(source_of(data, valid), (1,), NullProgress()).tolist() == [[5.0] * 4]


def test_nothing_but_nodata_is_said():
    nothing = source_of(np.ones((2, 3, 3)), np.zeros((3, 3), dtype=bool))
    with pytest.raises(RasterReadError, match="holds nothing but nodata in band 1, 2"):
        sample(nothing, (1, 2), NullProgress())


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16"])
def test_large_chips_of_short_numbers_come_out_as_small_ones(dtype):
    limits = np.iinfo(dtype)
    large = np.random.default_rng(5).integers(limits.min, limits.max + 1, (2, 300, 300)).astype(dtype)
    stretch = Stretch(((limits.min / 2, limits.max / 3), (5.0, 90.0)))
    small = [stretch.apply(large[:, row : row + 1]) for row in range(300)]
    assert np.array_equal(stretch.apply(large), np.concatenate(small, axis=1))


def test_a_stretch_leaves_the_data_alone():
    data = np.linspace(0.0, 9.0, 10).reshape(1, 2, 5)
    Stretch(((2.0, 3.0),)).apply(data)
    assert data.tolist() == np.linspace(0.0, 9.0, 10).reshape(1, 2, 5).tolist()


def test_a_stretch_of_no_channel_is_refused():
    with pytest.raises(SettingsError, match="at least one"):
        Stretch(())
