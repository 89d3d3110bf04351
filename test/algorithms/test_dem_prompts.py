"""Clicks on a DEM through Processing, and SamGIS's own requests."""

from __future__ import annotations

import json

import numpy as np
import pytest
from prompt_segmenter.core.raster.crs import transform_points
from prompt_segmenter.test.algorithms.conftest import write_tif
from prompt_segmenter.test.algorithms.test_demcomposite import GRID
from prompt_segmenter.test.core.terrain.test_metric_recipe import relief
from prompt_segmenter.test.helpers.processing_run import Recorder, run
from prompt_segmenter.test.helpers.tile_server import serve_tiles
from qgis.core import QgsRasterLayer


@pytest.fixture
def dem(tmp_path):
    """A cone of 900 m and 0.4 m per m, 2,250 m wide on each side."""
    return write_tif(tmp_path / "dem.tif", relief(GRID, 0.0)[None], crs="EPSG:32633", transform=GRID.transform)


def click(col=122.0, row=55.0):
    x, y = GRID.to_map([(col, row)])[0]
    return f"Point ({x} {y})"


def request(*clicks, zoom=12, **changes):
    west, south = transform_points([GRID.to_map([(0, GRID.height)])[0]], "EPSG:32633", "EPSG:4326")[0]
    east, north = transform_points([GRID.to_map([(GRID.width, 0)])[0]], "EPSG:32633", "EPSG:4326")[0]
    bbox = {"ne": {"lat": north, "lng": east}, "sw": {"lat": south, "lng": west}}
    prompt = []
    for col, row, label in clicks:
        lng, lat = transform_points([GRID.to_map([(col, row)])[0]], "EPSG:32633", "EPSG:4326")[0]
        prompt.append({"type": "point", "data": {"lat": lat, "lng": lng}, "label": label})
    return json.dumps({"bbox": bbox, "prompt": prompt, "zoom": zoom, "source_type": "nextzen.terrarium", **changes})


def test_a_click_on_a_mountain_outlines_what_is_as_steep(fake_model, dem):
    outcome = run(INPUT=dem, INCLUDE=click(), COMPOSITE="metric")
    assert not outcome.refused and not outcome.error
    (found,) = outcome.features
    # as far as it lies on the raster; the smoothing softens its lowest 150 m
    rows, cols = np.indices((GRID.height, GRID.width)) + 0.5
    cone = np.hypot(30 * (cols - GRID.width / 2) - 500, 30 * (rows - GRID.height / 2)) < 2100
    assert found["area_m2"] == pytest.approx(900.0 * cone.sum(), rel=0.06)
    assert "composite=metric smoothing_m=60" in found["stretch"] and "unit=metres" in found["stretch"]


@pytest.mark.parametrize("recipe", ["metric", "samgis"])
def test_each_recipe_works_headless_and_is_written_into_the_polygon(fake_model, dem, recipe):
    outcome = run(INPUT=dem, INCLUDE=click(), COMPOSITE=recipe, ELEVATION_UNIT="feet")
    assert not outcome.refused and not outcome.error
    assert f"composite={recipe}" in outcome.features[0]["stretch"] and "unit=feet" in outcome.features[0]["stretch"]


def test_without_a_composite_a_dem_is_looked_at_as_before(fake_model, dem):
    outcome = run(INPUT=dem, INCLUDE=click())
    assert "composite" not in outcome.features[0]["stretch"] and "stretch=" in outcome.features[0]["stretch"]


def test_doubts_about_the_elevations_are_told(fake_model, tmp_path):
    heights = relief(GRID, 0.0).astype(np.float32)
    heights[:30, :30] = -9999
    path = write_tif(tmp_path / "dem.tif", heights[None], crs="EPSG:32633", transform=GRID.transform)
    warned = run(INPUT=path, INCLUDE=click(), COMPOSITE="metric", RESOLUTION=30.0)
    assert any("-9999" in warning for warning in warned.warnings)
    assert not run(INPUT=path, INCLUDE=click(), COMPOSITE="metric", ELEVATION_NODATA="-9999").warnings


def test_a_request_of_samgis_says_place_resolution_and_prompts(fake_model, dem):
    outcome = run(INPUT=dem, COMPOSITE="metric", REQUEST=request((122.0, 55.0, 1), (10.0, 10.0, 0)))
    assert not outcome.refused and not outcome.error
    (found,) = outcome.features
    # a web map's pixel at zoom 12 is 38.2 m of mercator, 28.6 m on the ground at 41.5 N: finer than the raster's 30 m
    assert found["resolution"] == pytest.approx(30.0, rel=0.02)
    assert "EPSG:4326" in found["prompts"] and found["window"].startswith("0,0,150,110@")
    coarse = run(INPUT=dem, COMPOSITE="metric", REQUEST=request((122.0, 55.0, 1), zoom=11)).features[0]
    assert coarse["resolution"] == pytest.approx(2 * 28.6, rel=0.03)


def test_a_request_may_be_a_file(fake_model, dem, tmp_path):
    (tmp_path / "request.json").write_text(request((122.0, 55.0, 1)))
    outcome = run(INPUT=dem, COMPOSITE="samgis", REQUEST=str(tmp_path / "request.json"))
    assert len(outcome.features) == 1


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"REQUEST": "here"}, "neither JSON nor a file"),
        ({"REQUEST": "{}"}, "no 'bbox'"),
        ({"REQUEST": request((122.0, 55.0, 1), (500.0, 55.0, 1))}, "Outside the bbox of the request: prompt 2"),
        ({"REQUEST": request((122.0, 55.0, 1)), "INCLUDE": click()}, "REQUEST says itself what INCLUDE would say"),
        ({"COMPOSITE": "metric", "INCLUDE": click(), "STRETCH": "0:9"}, "makes the picture itself"),
        ({"COMPOSITE": "metric", "INCLUDE": click(), "BANDS": "1,2,3"}, "names 3 bands"),
        ({"COMPOSITE": "metric", "INCLUDE": click(), "ELEVATION_NODATA": "x"}, "ELEVATION_NODATA 'x'"),
        ({"COMPOSITE": "metric", "INCLUDE": click(), "BANDS": "2"}, "no band 2"),
    ],
)
def test_what_can_not_work_is_said_in_a_sentence(fake_model, dem, parameters, sentence):
    outcome = run(INPUT=dem, **parameters)
    assert sentence in outcome.refused + outcome.error


def test_a_click_on_a_layer_of_elevation_tiles_works(fake_model):
    with serve_tiles() as site:
        url = site.url.replace("{", "%7B").replace("}", "%7D")
        layer = QgsRasterLayer(f"type=xyz&url={url}&zmin=0&zmax=12&interpretation=terrariumterrain", "tiles", "wms")
        outcome = run(INPUT=layer, INCLUDE="Point (5000 5000)", COMPOSITE="metric", EXTENT="0,9000,0,9000")
        assert not outcome.refused and not outcome.error, outcome
        assert len(outcome.features) == 1 and outcome.features[0]["source"].startswith("terrarium+http")
        assert 0 < len(site.asked) < 40


def test_cancelling_gives_nothing(fake_model, dem):
    outcome = run(Recorder(cancel_at="Object"), INPUT=dem, INCLUDE=click(), COMPOSITE="metric")
    assert outcome.results == {}
