"""Outlines of a server's answer lie where those of the same mask made here lie, wherever the raster is."""

from __future__ import annotations

import json

import numpy as np
import pytest
from prompt_segmenter.core.models.model import LookPolicy, RuntimeSettings
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.core.outlines.masks import find_parts
from prompt_segmenter.core.outlines.polygonize import polygonize
from prompt_segmenter.core.outlines.shape import OutlineSettings
from prompt_segmenter.core.progress import NullProgress
from prompt_segmenter.core.prompts.build import prompts
from prompt_segmenter.core.raster.sources.array import ArraySource
from prompt_segmenter.core.remote.address import ServerAddress, Servers
from prompt_segmenter.core.remote.samgeo import SamgeoClient, SamgeoModel, upload_of
from prompt_segmenter.core.session import SegmentationSession, SessionSettings
from prompt_segmenter.test.helpers import fake_samgeo
from prompt_segmenter.test.helpers.fake_model import SameBrightness
from prompt_segmenter.test.helpers.map_grids import map_grids

QUIET = NullProgress()
WIDTH, HEIGHT = 1500, 1300
GRIDS = map_grids(WIDTH, HEIGHT)
INSIDE = (930.5, 700.5)
URNS = {"EPSG:4326": "urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:3857": "urn:ogc:def:crs:EPSG::3857"}


@pytest.fixture(scope="module")
def picture():
    """Return an L with a hole, and a pixel that touches it by a corner, on a raster larger than one chip."""
    values = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    values[650:760, 880:990] = 200
    values[650:700, 880:920] = 60
    values[720:730, 940:955] = 60
    values[760:761, 990:991] = 200
    return values


def blob_under_the_click(asked):
    """Answer a click with the bright region under it."""
    form, image = asked.form, fake_samgeo.image_of(asked)
    ((col, row),) = json.loads(form["point_coords"])
    parts = find_parts(image[:, :, 1] > 128)
    return fake_samgeo.answer(fake_samgeo.collection([(parts.mask(parts.holding([(col, row)])), 0.9)]))


def outline(model, picture, grid, prompt):
    source = ArraySource(picture.transpose(2, 0, 1), grid, already_rgb=True)
    settings = SessionSettings(outline=OutlineSettings(simplify_px=0.0))
    (found,) = SegmentationSession(source, model, settings).segment([prompt]).polygons
    return found.geometry


@pytest.mark.parametrize("name", GRIDS)
def test_a_click_is_answered_where_the_local_model_answers_it(picture, name):
    grid = GRIDS[name]
    prompt = prompts(crs=grid.crs, include=[grid.to_map([INSIDE])[0]])
    with fake_samgeo.fake_samgeo() as server:
        server.replies["/segment/predict"] = [blob_under_the_click]
        settings = RuntimeSettings(servers=Servers(samgeo=ServerAddress(server.url)))
        remote = outline(ModelStore().load("samgeo_sam3", settings=settings), picture, grid, prompt)
        assert server.paths.count("/segment/predict") == 1
    local = outline(SameBrightness(look=LookPolicy(1024)), picture, grid, prompt)
    assert local.area > 0
    assert remote.hausdorff_distance(local) < 0.5 * min(grid.resolution)
    assert remote.symmetric_difference(local).area < 1e-6 * local.area


@pytest.mark.parametrize("placed", [False, True], ids=["answered in pixels", "answered in map coordinates"])
@pytest.mark.parametrize("name", GRIDS)
def test_all_that_is_found_lies_where_it_lies_in_the_image(picture, name, placed):
    small = picture[600:800, 800:1100]
    grid = map_grids(300, 200)[name]
    expected = polygonize(small[:, :, 1] > 128, grid)

    def in_map_coordinates(asked):
        parts = find_parts(fake_samgeo.image_of(asked)[:, :, 1] > 128)
        found = fake_samgeo.collection(
            [(parts.mask([index]), 0.9) for index in range(parts.count)],
            URNS.get(grid.crs, "urn:ogc:def:crs:EPSG::32632"),
        )
        for feature in found["features"]:
            rings = feature["geometry"]["coordinates"]
            feature["geometry"]["coordinates"] = [grid.to_map(ring).tolist() for ring in rings]
        return fake_samgeo.answer(found)

    with fake_samgeo.fake_samgeo() as server:
        if placed:
            server.replies["/segment/text"] = [in_map_coordinates]
        client = SamgeoClient(ServerAddress(server.url), SamgeoModel("sam3"))
        found = client.text(upload_of(small, grid if placed else None), "thing", QUIET)
    assert len(found) == len(expected) == 2
    whole = np.zeros(small.shape[:2], bool)
    for one in found:
        rows, cols = one.window.row, one.window.col
        whole[rows : rows + one.window.height, cols : cols + one.window.width] |= one.mask
    for made, local in zip(polygonize(whole, grid), expected):
        assert made.hausdorff_distance(local) < 0.5 * min(grid.resolution)
        assert made.symmetric_difference(local).area < 1e-6 * local.area
