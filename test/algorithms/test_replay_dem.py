"""Polygons that were found in the picture of a DEM come out the same from their own attributes."""

from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.algorithms import replay
from prompt_segmenter.core.raster.grid import PixelGrid
from prompt_segmenter.core.replay import Record
from prompt_segmenter.test.algorithms.conftest import FakeStore, write_tif
from prompt_segmenter.test.algorithms.test_demcomposite import GRID
from prompt_segmenter.test.core.terrain.test_metric_recipe import relief
from prompt_segmenter.test.helpers.processing_run import run
from prompt_segmenter.test.helpers.tile_server import serve_tiles
from qgis.core import QgsRasterLayer

TURNED = PixelGrid((28.0, 10.0, 500000.0, 10.0, -28.0, 4600000.0), "EPSG:32633", GRID.width, GRID.height)
RECIPES = ("metric", "samgis")


@pytest.fixture(autouse=True)
def fake_store(fake_model, monkeypatch):
    monkeypatch.setattr(replay, "ModelStore", FakeStore)


def dem(path, grid=GRID, **changes):
    heights = relief(GRID, 0.0).astype(np.float32)
    heights[:9, :9] = -9999.0
    return write_tif(path, heights[None], crs="EPSG:32633", transform=grid.transform, **changes)


def click(grid=GRID, col=122.0, row=55.0):
    x, y = grid.to_map([(col, row)])[0]
    return f"Point ({x} {y})"


def again(layer, **more):
    return run(algorithm="promptsegmenter:replay", INPUT=layer, **more)


def same(outcome):
    assert not outcome.error and not outcome.refused, outcome
    return [feature["status"] for feature in outcome.features] == ["same"] and outcome.features[0]["iou"] == 1.0


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"ELEVATION_UNIT": "feet", "ELEVATION_NODATA": "-9999"},
        {"RESOLUTION": 75.0},
        {"EXTENT": "501000,504000,4597500,4599500"},
    ],
    ids=["as it is", "feet", "coarse", "a part"],
)
def test_a_click_on_a_mountain_comes_out_the_same(tmp_path, recipe, more):
    made = run(INPUT=dem(tmp_path / "dem.tif"), INCLUDE=click(), COMPOSITE=recipe, **more)
    assert len(made.features) == 1, made

    assert same(again(made.layer))


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_turned_dem_comes_out_the_same(tmp_path, recipe):
    made = run(INPUT=dem(tmp_path / "dem.tif", TURNED), INCLUDE=click(TURNED), COMPOSITE=recipe)

    assert same(again(made.layer))


def with_stretch(layer, change):
    """Return the layer with another text in its field stretch."""
    (feature,) = layer.getFeatures()
    layer.startEditing()
    layer.changeAttributeValue(feature.id(), layer.fields().lookupField("stretch"), change(feature["stretch"]))
    layer.commitChanges()
    return layer


def test_it_is_made_from_the_elevations_and_not_from_a_picture_of_the_layer(tmp_path):
    made = run(INPUT=dem(tmp_path / "dem.tif"), INCLUDE=click(), COMPOSITE="metric").layer

    (other,) = again(with_stretch(made, lambda text: text.replace("metres", "feet"))).features

    # a third of the heights: other slopes, another picture
    assert other["verdict"] == "different" and other["iou"] < 0.99


def test_a_moved_dem_can_be_given(tmp_path):
    made = run(INPUT=dem(tmp_path / "dem.tif"), INCLUDE=click(), COMPOSITE="metric").layer
    (tmp_path / "dem.tif").rename(tmp_path / "moved.tif")

    lost = again(made)

    assert "missing or can't be opened" in lost.features[0]["status"]
    assert same(again(made, RASTER=QgsRasterLayer(str(tmp_path / "moved.tif"), "moved")))


def test_elevation_tiles_come_out_the_same_from_the_recorded_address_and_from_the_layer():
    with serve_tiles() as site:
        url = site.url.replace("{", "%7B").replace("}", "%7D")
        layer = QgsRasterLayer(f"type=xyz&url={url}&zmin=0&zmax=12&interpretation=terrariumterrain", "tiles", "wms")
        made = run(INPUT=layer, INCLUDE="Point (5000 5000)", COMPOSITE="metric", EXTENT="0,9000,0,9000").layer

        assert same(again(made))
        assert same(again(made, RASTER=layer))


def test_colours_that_say_elevations_come_out_the_same(tmp_path):
    whole, part = np.divmod(np.rint((relief(GRID, 0.0) + 32768.0) * 256.0).astype(np.int64), 256)
    colours = np.stack([whole // 256, whole % 256, part]).astype(np.uint8)
    path = write_tif(tmp_path / "tile.tif", colours, crs="EPSG:32633", transform=GRID.transform, photometric="RGB")
    made = run(INPUT=path, INCLUDE=click(), COMPOSITE="metric", ENCODING="terrarium")
    assert made.features[0]["source"].startswith("terrarium:")

    assert same(again(made.layer))


def test_a_composite_that_can_not_be_understood_fails_with_a_sentence(tmp_path):
    made = run(INPUT=dem(tmp_path / "dem.tif"), INCLUDE=click(), COMPOSITE="metric").layer

    (failed,) = again(with_stretch(made, lambda text: text.replace("metres", "ells"))).features

    assert failed["verdict"] == "failed" and "can't be understood" in failed["status"]


def test_a_record_of_a_composite_is_not_taken_for_a_styled_layer():
    record = Record.of(None, None, {"stretch": "bands=1,2,3 stretch=none pixels=drawn composite=samgis unit=feet"})
    assert not record.is_drawn and record.composite[1].unit.value == "feet"
    assert Record.of(None, None, {"stretch": "bands=1,2,3 stretch=none pixels=drawn"}).is_drawn
