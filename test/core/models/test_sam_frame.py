from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core.models.sam_frame import SamFrame


@pytest.mark.parametrize(
    ("image", "resized"),
    [
        ((733, 1171), (641, 1024)),
        ((1171, 733), (1024, 641)),
        ((1024, 1024), (1024, 1024)),
        ((300, 220), (1024, 751)),
        ((1800, 2400), (768, 1024)),
        ((4097, 2048), (1024, 512)),
        # exact halves go up: 512.5 and 1.5 (Python's round would give 512 and 2)
        ((1025, 2048), (513, 1024)),
        ((3, 2048), (2, 1024)),
        # 511.5: truncation would give 511
        ((1023, 2048), (512, 1024)),
        # a sliver keeps a pixel
        ((1, 5000), (1, 1024)),
        ((1, 1), (1024, 1024)),
    ],
)
def test_the_longest_side_fills_the_frame_and_halves_go_up(image, resized):
    assert SamFrame(image).resized == resized


def test_an_encoder_of_512_halves_the_sides():
    assert SamFrame((733, 1171), 512).resized == (320, 512)


def test_each_axis_has_its_own_factor():
    frame = SamFrame((733, 1171))
    col, row = frame.to_frame([[1171.0, 733.0]])[0]
    assert col == pytest.approx(1024 - 0.5, abs=1e-4)
    assert row == pytest.approx(641 - 0.5, abs=1e-4)


def test_the_graph_puts_half_a_pixel_back():
    assert SamFrame((1024, 1024)).to_frame([[0.5, 0.5], [0.0, 10.25]]).tolist() == [[0.0, 0.0], [-0.5, 9.75]]


def test_coordinates_are_right_to_a_ten_thousandth():
    points = np.random.default_rng(1).uniform(0, 1171, (50, 2))
    exact = points * [1024 / 1171, 641 / 733] - 0.5
    assert np.abs(SamFrame((733, 1171)).to_frame(points) - exact).max() < 1e-4


def test_no_points_are_no_points():
    assert SamFrame((10, 20)).to_frame(np.zeros((0, 2))).shape == (0, 2)


def two_steps(logits, frame):
    """The reference's way, one plain interpolation after the other."""

    def along_rows(values, outputs):
        at = np.clip((np.arange(outputs) + 0.5) * values.shape[1] / outputs - 0.5, 0, values.shape[1] - 1)
        return np.array([np.interp(at, np.arange(values.shape[1]), row) for row in values])

    def bilinear(values, size):
        return along_rows(along_rows(values, size[1]).T, size[0]).T

    rows, cols = frame.resized
    return bilinear(bilinear(logits, (1024, 1024))[:rows, :cols], frame.image_size)


@pytest.mark.parametrize("size", [(300, 220), (733, 1171), (1100, 64)])
def test_upsampling_goes_through_the_frame_as_the_reference_does(size):
    frame = SamFrame(size)
    logits = np.random.default_rng(4).normal(size=(256, 256)).astype(np.float32) * 10
    full = frame.upsampler().full(logits)
    expected = two_steps(logits.astype(np.float64), frame)
    assert full.shape == size
    assert np.abs(full - expected).max() < 1e-4
    assert ((full > 0) != (expected > 0)).mean() <= 1e-5


def test_upsampling_a_small_image_is_not_antialiased():
    """The trap: an antialiasing filter from 1024 down to 300 would smooth this checkerboard away."""
    checker = np.where((np.indices((256, 256)).sum(axis=0) % 2) == 0, 10.0, -10.0).astype(np.float32)
    full = SamFrame((300, 220)).upsampler().full(checker)
    assert np.abs(full).mean() > 2.0


def test_the_padding_is_left_out_of_the_low_resolution_map():
    assert SamFrame((733, 1171)).low_res_inside == (slice(0, 161), slice(0, 256))
    assert SamFrame((1024, 512)).low_res_inside == (slice(0, 256), slice(0, 128))
