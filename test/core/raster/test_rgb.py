from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core.errors import RasterReadError, SettingsError
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.raster.grid import PixelGrid, Window
from prompt_segmenter.core.raster.rgb import RgbRecipe, RgbSettings, parse_bands, resolve_recipe, to_rgb8, usable_pixels
from prompt_segmenter.core.raster.source import BandInfo, BandRole
from prompt_segmenter.core.raster.sources.array import ArraySource
from prompt_segmenter.core.raster.stretch import Stretch

ROLES = {role.value: role for role in BandRole}
PALETTE = ((0, 0, 0, 255), (255, 0, 0, 255), (0, 255, 0, 255), (9, 9, 9, 0))


def source_of(data, roles=(), *, valid=None, palette=(), already_rgb=False):
    bands = tuple(
        BandInfo(f"b{number}", data.dtype.name, ROLES[role], palette if role == "palette" else ())
        for number, role in enumerate(roles or ["undefined"] * len(data), start=1)
    )
    grid = PixelGrid.pixel_space(data.shape[2], data.shape[1])
    return ArraySource(data, grid, valid, bands, already_rgb=already_rgb)


def recipe_of(source, **settings):
    return resolve_recipe(source, RgbSettings(**settings), NullProgress())


def picture_of(source, recipe=None):
    recipe = recipe or recipe_of(source)
    return to_rgb8(chip_of(source, recipe.bands), recipe)


def chip_of(source, bands):
    grid = source.grid
    return source.read(Window(0, 0, grid.width, grid.height), (grid.width, grid.height), bands)


def noise(bands, dtype="uint16", low=100, high=4000):
    return np.random.default_rng(7).integers(low, high, (bands, 40, 40)).astype(dtype)


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        (("blue", "green", "red", "nir"), (3, 2, 1)),
        (("undefined",) * 8, (1, 2, 3)),
        (("gray", "undefined", "undefined", "alpha"), (1, 2, 3)),
        (("alpha", "undefined", "undefined", "undefined"), (2, 3, 4)),
        (("gray",), (1,)),
        (("gray", "alpha"), (1,)),
        (("undefined", "undefined"), (1,)),
        (("palette", "undefined", "undefined"), (1,)),
    ],
)
def test_the_bands_are_the_declared_colours_else_the_first_three_else_grey(roles, expected):
    assert recipe_of(source_of(noise(len(roles)), roles)).bands == expected


def test_bands_and_stretch_can_be_given():
    source = source_of(noise(4))
    recipe = recipe_of(source, bands=(4, 1, 2), stretch=Stretch.parse("0:5000"))
    assert recipe.text() == "bands=4,1,2 stretch=0:5000"
    assert recipe_of(source, bands=(2,)).bands == (2,)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"bands": (1, 2)}, "one band or three, not of 2"),
        ({"bands": (1, 2, 9)}, "has no band 1, 2, 9"),
        ({"bands": (0,)}, "has no band 0"),
        ({"stretch": Stretch.parse("0:1,0:1")}, "2 low:high pairs for 3 bands"),
    ],
)
def test_settings_that_do_not_suit_the_raster_are_refused(settings, sentence):
    with pytest.raises(SettingsError, match=sentence) as caught:
        recipe_of(source_of(noise(4)), **settings)
    assert caught.value.hint


@pytest.mark.parametrize("percentiles", [(98.0, 2.0), (-1.0, 50.0), (0.0, 101.0), (5.0, 5.0), (float("nan"), 5.0)])
def test_percentiles_that_make_no_range_are_refused(percentiles):
    with pytest.raises(SettingsError, match="make no range"):
        RgbSettings(percentiles=percentiles)


def test_8_bit_colour_is_shown_as_it_is():
    data = noise(3, "uint8", 0, 256)
    recipe = recipe_of(source_of(data))
    assert recipe.text() == "bands=1,2,3 stretch=none"
    assert np.array_equal(picture_of(source_of(data), recipe), np.moveaxis(data, 0, -1))


def test_8_bit_colour_of_poor_range_gets_one_stretch_that_keeps_the_colours():
    recipe = recipe_of(source_of(noise(3, "uint8", 40, 80)))
    assert recipe.stretch.ranges == ((40.0, 79.0),)


def test_8_bit_grey_is_stretched():
    assert recipe_of(source_of(noise(1, "uint8", 40, 240)), percentiles=(0.0, 100.0)).stretch.ranges == ((40.0, 239.0),)


@pytest.mark.parametrize("dtype", ["uint16", "int16", "uint32", "int32", "float32", "float64"])
def test_wider_types_are_stretched_channel_by_channel(dtype):
    ramp = np.linspace(0, 1000, 10000).reshape(1, 100, 100)
    data = np.concatenate([ramp, ramp * 3, ramp + 5000]).astype(dtype)
    picture = picture_of(source_of(data))
    assert (picture.min(), picture.max()) == (0, 255)
    # Three ramps that differ in offset and gain alone look the same.
    assert np.abs(picture[..., 0].astype(int) - picture[..., 1]).max() <= 1
    assert np.abs(picture[..., 0].astype(int) - picture[..., 2]).max() <= 1


def test_the_same_object_looks_the_same_in_every_view():
    data = noise(3)
    data[:, :20] //= 8
    source = source_of(data)
    recipe = recipe_of(source)
    whole = picture_of(source, recipe)
    part = to_rgb8(source.read(Window(3, 2, 10, 9), (10, 9), recipe.bands), recipe)
    assert np.array_equal(part, whole[2:11, 3:13])


def test_a_finished_picture_is_left_alone():
    data = noise(4, "uint8", 100, 110)
    source = source_of(data, ("red", "green", "blue", "alpha"), already_rgb=True)
    assert np.array_equal(picture_of(source), np.moveaxis(data[:3], 0, -1))


def test_a_palette_is_shown_in_its_colours_and_transparent_ones_are_filled():
    data = np.array([[[1, 1, 2, 3, 200]]], dtype=np.uint8)
    source = source_of(data, ("palette",), palette=PALETTE)
    assert recipe_of(source).text() == "bands=1 stretch=palette"
    assert picture_of(source)[0].tolist() == [[255, 0, 0], [255, 0, 0], [0, 255, 0], [170, 85, 0], [170, 85, 0]]


def test_pixels_that_the_palette_does_not_paint_are_not_usable():
    data = np.array([[[1, 0, 2, 3, 200]]], dtype=np.uint8)
    valid = np.array([[True, False, True, True, True]])
    source = source_of(data, ("palette",), palette=PALETTE, valid=valid)
    chip = chip_of(source, (1,))
    assert usable_pixels(chip, recipe_of(source)).tolist() == [[True, False, True, False, False]]
    assert usable_pixels(chip, RgbRecipe((1,), Stretch.parse("0:3"))).tolist() == valid.tolist()


def test_nodata_gets_the_mean_colour_of_the_rest():
    data = np.array([[[0, 100, 200]], [[0, 10, 20]], [[0, 0, 250]]], dtype=np.uint8)
    valid = np.array([[False, True, True]])
    assert picture_of(source_of(data, valid=valid))[0].tolist() == [[150, 15, 125], [100, 10, 0], [200, 20, 250]]


def test_a_view_of_nothing_is_middle_grey():
    source = source_of(np.full((1, 2, 2), np.nan))
    chip = source.read(Window(0, 0, 2, 2), (2, 2), (1,))
    assert (to_rgb8(chip, RgbRecipe((1,), Stretch.parse("0:1"))) == 128).all()


def test_nan_and_infinity_do_not_reach_the_stretch_or_the_picture():
    data = np.linspace(0.0, 1.0, 100, dtype=np.float32).reshape(1, 10, 10)
    data[0, 0, :3] = [np.nan, np.inf, -np.inf]
    source = source_of(data)
    low, high = recipe_of(source).stretch.ranges[0]
    assert 0.0 < low < high < 1.0
    assert np.abs(picture_of(source)[0, :3].astype(int) - 128).max() < 5


def test_a_raster_of_nothing_but_nodata_is_refused():
    with pytest.raises(RasterReadError, match="nothing but nodata"):
        recipe_of(source_of(np.full((3, 4, 4), np.nan)))


def test_one_pixel_and_constant_rasters_work():
    assert picture_of(source_of(np.full((1, 1, 1), 7.0))).tolist() == [[[128, 128, 128]]]
    assert picture_of(source_of(np.full((3, 1, 5), 9, dtype=np.uint8))).shape == (1, 5, 3)


@pytest.mark.parametrize("roles", [("undefined",) * 3, ("gray",), ("palette",)])
def test_the_text_of_a_recipe_makes_the_same_recipe(roles):
    data = noise(len(roles), "uint16", 0, 4 if roles == ("palette",) else 4000)
    source = source_of(data, roles, palette=PALETTE)
    recipe = recipe_of(source)
    assert RgbRecipe.parse(recipe.text(), source) == recipe


@pytest.mark.parametrize("text", ["", "bands=1", "stretch=0:1", "bands=a stretch=none", "bands=1,2 stretch=none"])
def test_text_that_is_no_recipe_is_refused(text):
    with pytest.raises(SettingsError):
        RgbRecipe.parse(text, source_of(noise(3)))


def test_a_recipe_that_shows_values_as_they_are_needs_8_bit_values():
    with pytest.raises(SettingsError, match="no stretch"):
        RgbRecipe.parse("bands=1,2,3 stretch=none", source_of(noise(3)))


def test_a_chip_of_other_bands_is_a_programming_error():
    source = source_of(noise(3))
    chip = source.read(Window(0, 0, 2, 2), (2, 2), (1,))
    with pytest.raises(ValueError, match="3 bands of the recipe, got 1"):
        to_rgb8(chip, recipe_of(source))


def test_a_complex_band_is_not_shown():
    bands = (BandInfo("real", "float32", BandRole.GRAY), BandInfo("wave", "complex64", BandRole.UNDEFINED))
    source = ArraySource(np.ones((2, 2, 2), dtype=np.float32), PixelGrid.pixel_space(2, 2), None, bands)
    with pytest.raises(SettingsError, match="Band 2 of 'memory' holds complex numbers"):
        recipe_of(source, bands=(2,))


def test_a_given_stretch_is_used_on_8_bit_colour_and_finished_pictures_too():
    data = noise(3, "uint8", 0, 256)
    for already_rgb, pixels in ((False, ""), (True, " pixels=drawn")):
        source = source_of(data, already_rgb=already_rgb)
        assert recipe_of(source, stretch=Stretch.parse("0:51")).text() == f"bands=1,2,3 stretch=0:51{pixels}"


@pytest.mark.parametrize("stretch", [None, Stretch.parse("0:51")])
def test_the_recipe_of_a_finished_picture_says_so_and_is_not_for_values(stretch):
    data = noise(3, "uint8", 0, 256)
    picture, values = source_of(data, already_rgb=True), source_of(data)
    recipe = recipe_of(picture, stretch=stretch)

    assert RgbRecipe.parse(recipe.text(), picture) == recipe
    with pytest.raises(SettingsError, match="a picture drawn from them"):
        RgbRecipe.parse(recipe.text(), values)


def test_values_beyond_8_bit_in_a_finished_picture_are_clipped():
    source = source_of(np.array([[[-5, 300]]], dtype=np.int16), already_rgb=True)
    assert picture_of(source).tolist() == [[[0, 0, 0], [255, 255, 255]]]


def test_bands_are_whole_numbers_with_commas():
    assert parse_bands("4, 3,2") == (4, 3, 2)
    for text in ("red", "1;2", "1.5", ""):
        with pytest.raises(SettingsError, match=f"The bands '{text}' can't be understood"):
            parse_bands(text)
