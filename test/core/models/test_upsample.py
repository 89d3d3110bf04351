from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prompt_segmenter.core.models.upsample import SeparableUpsampler, bilinear, cropped


def sample(values, outputs):
    """Interpolate one axis in the plainest way there is."""
    positions = np.clip((np.arange(outputs) + 0.5) * len(values) / outputs - 0.5, 0, len(values) - 1)
    return np.interp(positions, np.arange(len(values)), values)


@pytest.mark.parametrize(
    ("inputs", "outputs"), [(2, 4), (4, 16), (5, 3), (7, 7), (1, 5), (3, 1), (256, 1024), (10, 999)]
)
def test_a_band_interpolates_between_pixel_centres(inputs, outputs):
    values = np.random.default_rng(1).normal(size=inputs)
    assert np.allclose(bilinear(inputs, outputs).dense() @ values, sample(values, outputs), atol=1e-12)


def test_the_same_size_changes_nothing():
    assert np.array_equal(bilinear(6, 6).dense(), np.eye(6))


def test_a_ramp_stays_a_ramp_away_from_the_edges():
    ramp = bilinear(8, 32).dense() @ np.arange(8)
    assert np.allclose(np.diff(ramp[2:-2]), 0.25)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), st.integers(1, 60), st.integers(1, 80), st.data())
def test_two_steps_in_one_band_are_the_product_of_the_steps(inputs, middle, outputs, data):
    kept = data.draw(st.integers(1, middle))
    inner = cropped(bilinear(inputs, middle), kept)
    outer = bilinear(kept, outputs)
    together = outer.after(inner)
    assert np.allclose(together.dense(), outer.dense() @ inner.dense(), atol=1e-12)
    assert together.weights.shape[1] <= inputs
    assert (together.first >= 0).all()
    assert (together.first + together.weights.shape[1] <= inputs).all()


def test_sam_sizes_need_no_more_than_three_weights():
    band = bilinear(641, 733).after(cropped(bilinear(256, 1024), 641))
    assert band.weights.shape == (733, 3)


def test_the_padding_never_reaches_the_image():
    band = bilinear(512, 300).after(cropped(bilinear(256, 1024), 512))
    reached = band.dense().any(axis=0)
    assert reached[:129].all()
    assert not reached[129:].any()


@pytest.mark.parametrize("size", [(31, 45), (100, 70), (1, 1), (64, 200)])
def test_full_is_the_matrix_product_of_both_axes(size):
    rows = bilinear(30, size[0]).after(cropped(bilinear(16, 64), 30))
    cols = bilinear(64, size[1]).after(bilinear(16, 64))
    logits = np.random.default_rng(2).normal(size=(16, 16)).astype(np.float32)
    full = SeparableUpsampler(rows, cols).full(logits)
    assert full.shape == size
    assert full.dtype == np.float32
    assert np.allclose(full, rows.dense() @ logits @ cols.dense().T, atol=1e-5)


def test_at_gives_what_full_shows_in_the_pixel_that_holds_the_point():
    upsampler = SeparableUpsampler(bilinear(16, 50), bilinear(16, 90))
    logits = np.random.default_rng(3).normal(size=(2, 16, 16)).astype(np.float32)
    points = np.array([[0.5, 0.5], [89.999, 49.999], [12.01, 7.99], [12.99, 7.01], [45.0, 25.0]], np.float32)
    found = upsampler.at(logits, points)
    for index in range(2):
        full = upsampler.full(logits[index])
        expected = [full[0, 0], full[49, 89], full[7, 12], full[7, 12], full[25, 45]]
        assert np.allclose(found[index], expected, atol=1e-5)
    assert found.dtype == np.float32


def test_a_point_outside_is_asked_at_the_nearest_pixel():
    upsampler = SeparableUpsampler(bilinear(4, 8), bilinear(4, 8))
    logits = np.arange(16, dtype=np.float32).reshape(1, 4, 4)
    outside = np.array([[-5.0, -1.0], [8.0, 8.0], [100.0, 3.5]], np.float32)
    inside = np.array([[0.5, 0.5], [7.5, 7.5], [7.5, 3.5]], np.float32)
    assert np.array_equal(upsampler.at(logits, outside), upsampler.at(logits, inside))


def test_no_points_give_no_values():
    upsampler = SeparableUpsampler(bilinear(4, 8), bilinear(4, 8))
    assert upsampler.at(np.zeros((3, 4, 4), np.float32), np.zeros((0, 2), np.float32)).shape == (3, 0)
