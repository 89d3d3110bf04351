"""Every colour of both encodings, against the formula in whole numbers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from prompt_segmenter.core.raster.terrain_rgb import TerrainEncoding, decode


def colour(*rgb):
    return np.array(rgb, np.uint8).reshape(3, 1, 1)


@pytest.mark.parametrize(
    ("rgb", "metres"),
    [
        ((0, 0, 0), -32768.0),
        ((1, 0, 0), -32512.0),
        ((128, 128, 128), 128.5),
        ((255, 255, 255), 32767.99609375),
        ((130, 17, 200), 529.78125),
    ],
)
def test_terrarium_colours_are_the_elevations_of_their_definition(rgb, metres):
    assert decode(colour(*rgb), TerrainEncoding.TERRARIUM)[0, 0] == metres


@pytest.mark.parametrize(
    ("rgb", "metres"),
    [((0, 0, 0), -10000.0), ((1, 0, 0), -3446.4), ((0, 1, 0), -9974.4), ((0, 0, 1), -9999.9), ((1, 134, 160), 0.0)],
)
def test_mapbox_colours_are_the_elevations_of_their_definition(rgb, metres):
    assert decode(colour(*rgb), TerrainEncoding.MAPBOX)[0, 0] == metres


@pytest.mark.parametrize("red", range(0, 256, 15))
def test_all_colours_of_a_red_are_exact(red):
    """(Every red in steps of 15; green and blue all 65,536: no byte can overflow unseen.)"""
    green, blue = np.indices((256, 256))
    colours = np.stack([np.full_like(green, red), green, blue]).astype(np.uint8)
    steps = 65536 * red + 256 * green + blue
    # 256 h and 10 h are whole numbers: compared as such, without any rounding
    terrarium = decode(colours, TerrainEncoding.TERRARIUM)
    assert np.array_equal(terrarium.astype(np.float64) * 256, steps - 32768 * 256)
    mapbox = decode(colours, TerrainEncoding.MAPBOX)
    assert np.array_equal(np.rint(mapbox * 10), steps - 100_000)
    assert np.abs(mapbox - (steps / 10 - 10000)).max() < 1e-8


def test_all_two_to_the_24_colours_have_an_elevation_of_their_own_in_order():
    last = {encoding: -np.inf for encoding in TerrainEncoding}
    green, blue = np.indices((256, 256)).astype(np.uint8)
    for red in range(256):
        colours = np.stack([np.full((256, 256), red, np.uint8), green, blue])
        for encoding in TerrainEncoding:
            metres = decode(colours, encoding).ravel().astype(np.float64)
            step = 1 / 256 if encoding is TerrainEncoding.TERRARIUM else 0.1
            assert metres[0] > last[encoding]
            assert np.allclose(np.diff(metres), step, rtol=0, atol=1e-8)
            last[encoding] = metres[-1]
    assert last == {TerrainEncoding.TERRARIUM: 32767.99609375, TerrainEncoding.MAPBOX: 1667721.5}


def test_mapbox_gives_the_number_nearest_to_the_decimal():
    for rgb in ((3, 77, 201), (255, 255, 255), (1, 0, 1)):
        exact = Fraction(65536 * rgb[0] + 256 * rgb[1] + rgb[2], 10) - 10000
        assert decode(colour(*rgb), TerrainEncoding.MAPBOX)[0, 0] == float(exact)


def test_colours_of_another_type_are_a_fault_of_the_caller():
    with pytest.raises(ValueError, match="expected uint8"):
        decode(np.zeros((3, 2, 2), np.uint16), TerrainEncoding.TERRARIUM)
