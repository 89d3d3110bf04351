from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core.models.resample import resize


def noise(height, width):
    return np.random.default_rng(5).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("size", "target"),
    [
        ((73, 117), (64, 102)),
        ((180, 240), (77, 102)),
        ((22, 30), (75, 102)),
        ((50, 50), (100, 25)),
        ((7, 300), (2, 102)),
        ((1, 5), (21, 102)),
        ((40, 40), (1, 1)),
    ],
)
def test_every_pixel_is_that_of_pillow(size, target):
    image_module = pytest.importorskip("PIL.Image")
    image = noise(*size)
    reference = image_module.fromarray(image).resize(target[::-1], image_module.Resampling.BILINEAR)
    assert np.array_equal(resize(image, target), np.asarray(reference))


def test_the_same_size_is_the_same_image():
    image = noise(20, 30)
    assert np.array_equal(resize(image, (20, 30)), image)


def test_one_value_stays_that_value_whatever_the_size():
    assert (resize(np.full((37, 91, 3), 201, np.uint8), (64, 13)) == 201).all()


def test_halving_weighs_four_pixels_by_a_triangle():
    # Centre of output 1 lies between inputs 2 and 3: weights 1/8, 3/8, 3/8, 1/8 of inputs 1 to 4.
    row = np.array([0, 80, 160, 240, 40, 0], np.uint8)
    image = np.repeat(row[None, :, None], 3, axis=2)
    assert resize(image, (1, 3))[0, 1, 0] == round((80 + 3 * 160 + 3 * 240 + 40) / 8)


def test_bands_are_not_mixed():
    image = np.zeros((10, 10, 3), np.uint8)
    image[:, :, 1] = 255
    small = resize(image, (4, 6))
    assert (small[:, :, 1] == 255).all()
    assert not small[:, :, [0, 2]].any()


def test_the_result_can_be_written_without_changing_the_image():
    image = noise(8, 8)
    before = image.copy()
    result = resize(image, (4, 8))
    result[:] = 0
    assert np.array_equal(image, before)
    assert result.flags.c_contiguous
