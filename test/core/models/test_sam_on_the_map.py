"""The SAM family through the whole core: what is clicked on the map comes back where it was clicked."""

from __future__ import annotations

import math

import numpy as np
import pytest
from prompt_segmenter.core.models.families import FAMILIES
from prompt_segmenter.core.models.model import ModelSpec, RuntimeSettings
from prompt_segmenter.core.outlines.shape import OutlineSettings
from prompt_segmenter.core.prompts.build import prompts
from prompt_segmenter.core.raster.grid import PixelGrid
from prompt_segmenter.core.raster.sources.array import ArraySource
from prompt_segmenter.core.session import SegmentationSession, SessionSettings
from prompt_segmenter.test.helpers import onnx_graphs

HEIGHT, WIDTH = 700, 1000
TURN = math.radians(30.0)
GRIDS = {
    "UTM": PixelGrid((10.0, 0.0, 500000.0, 0.0, -10.0, 4600000.0), "EPSG:32633", WIDTH, HEIGHT),
    "degrees": PixelGrid((1e-4, 0.0, 15.0, 0.0, -1e-4, 41.5), "EPSG:4326", WIDTH, HEIGHT),
    "turned": PixelGrid(
        (10 * math.cos(TURN), 10 * math.sin(TURN), 5e5, 10 * math.sin(TURN), -10 * math.cos(TURN), 46e5),
        "EPSG:32633",
        WIDTH,
        HEIGHT,
    ),
    "oblong": PixelGrid((10.0, 0.0, 500000.0, 0.0, -25.0, 4600000.0), "EPSG:32633", WIDTH, HEIGHT),
    "south-up": PixelGrid((10.0, 0.0, 500000.0, 0.0, 10.0, 4600000.0), "EPSG:32633", WIDTH, HEIGHT),
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    paths = onnx_graphs.save_pair(tmp_path_factory.mktemp("sam"), "B", "A")
    spec = ModelSpec("toy", "Toy", "sam", frozenset({"point", "box"}), (), 1024, "CC0-1.0", "https://example.org")
    return FAMILIES.get("sam").load(spec, paths, RuntimeSettings(threads=1))


def segment(model, grid, **where):
    picture = np.full((3, HEIGHT, WIDTH), 120, np.uint8)
    settings = SessionSettings(outline=OutlineSettings(simplify_px=0.0))
    session = SegmentationSession(ArraySource(picture, grid, already_rgb=True), model, settings)
    return session.segment([prompts(crs=grid.crs, **where)])


@pytest.mark.parametrize("name", GRIDS)
def test_a_disc_is_centred_on_its_click(model, name):
    grid = GRIDS[name]
    pixel = (612.0, 318.0)
    found = segment(model, grid, include=[grid.to_map([pixel])[0]])
    assert found.crs == grid.crs
    centre = found.polygons[0].geometry.centroid
    assert grid.to_pixel([(centre.x, centre.y)])[0] == pytest.approx(pixel, abs=0.01)


@pytest.mark.parametrize("name", GRIDS)
def test_a_box_comes_back_within_a_cell_of_the_model(model, name):
    grid = GRIDS[name]
    corners = grid.to_map([(400, 250), (600, 250), (600, 420), (400, 420)])
    box = (*corners.min(axis=0), *corners.max(axis=0))
    found = segment(model, grid, box=box)
    expected = grid.box_to_pixel(box)
    outline = np.array(found.polygons[0].geometry.exterior.coords)
    pixels = grid.to_pixel(outline)
    assert np.concatenate([pixels.min(axis=0), pixels.max(axis=0)]) == pytest.approx(expected, abs=2.0)


def test_the_same_prompts_give_the_same_outline_and_provenance(model):
    grid = GRIDS["UTM"]
    one, two = (segment(model, grid, include=[(505000.0, 4597000.0)]) for _ in range(2))
    assert one.polygons[0].geometry.equals(two.polygons[0].geometry)
    assert one.provenance.model_sha256 == model.weights_sha256
