"""The DEM composite as Processing runs it: the rasters that come out, and what happens to bad input."""

from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core import native
from prompt_segmenter.core.raster.grid import PixelGrid
from prompt_segmenter.core.raster.tile_template import TileTemplate
from prompt_segmenter.core.terrain import products
from prompt_segmenter.core.terrain.derivatives import slope_deg
from prompt_segmenter.core.terrain.elevation import elevation_grid
from prompt_segmenter.test.algorithms.conftest import write_tif
from prompt_segmenter.test.core.terrain.test_metric_recipe import relief
from prompt_segmenter.test.core.terrain.test_samgis_recipe import by_the_book
from prompt_segmenter.test.helpers.processing_run import Recorder
from prompt_segmenter.test.helpers.tile_server import height, serve_tiles
from qgis.core import QgsApplication, QgsProcessingContext, QgsRasterLayer

GRID = PixelGrid((30.0, 0.0, 500000.0, 0.0, -30.0, 4600000.0), "EPSG:32633", 150, 110)
PLAIN = ("SLOPE", "ASPECT", "PLAN_CURVATURE", "PROFILE_CURVATURE", "RADIAL_CONVERGENCE")


@pytest.fixture
def dem(tmp_path):
    heights = relief(GRID).astype(np.float32)
    heights[40:50, 60:75] = -9999.0
    return write_tif(tmp_path / "dem.tif", heights[None], crs="EPSG:32633", transform=GRID.transform, nodata=-9999.0)


def run(tmp_path, feedback=None, **parameters):
    """Return (results, sentence of failure, feedback)."""
    feedback = feedback or Recorder()
    parameters = {"OUTPUT": str(tmp_path / "rgb.tif"), **parameters}
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("promptsegmenter:demcomposite")
    context = QgsProcessingContext()
    accepted, text = algorithm.checkParameterValues(parameters, context)
    if not accepted:
        return {}, text, feedback
    results, ok = algorithm.run(parameters, context, feedback)
    return results, "" if ok else "\n".join(feedback.errors), feedback


def read(path):
    with native.rasterio_env(), native.rasterio().open(path) as file:
        return file.read(), file.profile, [interpretation.name for interpretation in file.colorinterp]


def test_a_dem_becomes_an_rgb_geotiff_with_its_style(plugin, dem, tmp_path):
    results, problem, feedback = run(tmp_path, INPUT=dem)
    assert not problem and not feedback.warnings
    data, profile, colours = read(results["OUTPUT"])
    assert data.shape == (3, 110, 150) and data.dtype == np.uint8 and colours == ["red", "green", "blue"]
    assert profile["crs"].to_epsg() == 32633 and tuple(profile["transform"])[:6] == GRID.transform
    assert profile["nodata"] == 0 and not data[:, 40:50, 60:75].any()
    assert (data.min(axis=0) > 0).sum() == 110 * 150 - 150
    layer = QgsRasterLayer(results["OUTPUT"], "composite")
    assert [layer.renderer().redBand(), layer.renderer().greenBand(), layer.renderer().blueBand()] == [1, 2, 3]
    assert layer.renderer().redContrastEnhancement() is None
    assert "smoothing_m=60" in "".join(feedback.infos)


def test_the_recipe_samgis_writes_the_picture_of_the_description(plugin, tmp_path):
    heights = relief(GRID)
    path = write_tif(tmp_path / "dem.tif", heights[None], crs="EPSG:32633", transform=GRID.transform)
    results, problem, _ = run(tmp_path, INPUT=path, RECIPE="samgis")
    assert not problem
    data, profile, _ = read(results["OUTPUT"])
    assert np.array_equal(np.moveaxis(data, 0, -1), by_the_book(heights)) and profile["nodata"] is None


def test_plain_rasters_come_as_floats_with_nodata(plugin, dem, tmp_path):
    results, problem, _ = run(tmp_path, INPUT=dem, **{name: str(tmp_path / f"{name}.tif") for name in PLAIN})
    assert not problem and set(results) == {"OUTPUT", *PLAIN}
    for name in PLAIN:
        data, profile, _ = read(results[name])
        assert profile["dtype"] == "float32" and profile["nodata"] == -9999.0
        assert (data[0, 40:50, 60:75] == -9999.0).all() and (data[0, 60:, :] != -9999.0).mean() > 0.9
    slope = read(results["SLOPE"])[0][0]
    assert slope[slope != -9999].min() >= 0 and slope.max() < 60


@pytest.mark.parametrize("recipe", ["metric", "samgis"])
def test_small_windows_give_the_answer_of_large_ones(plugin, dem, tmp_path, monkeypatch, recipe):
    found = []
    for side in (1024, 43):
        monkeypatch.setattr(products, "SIDE", side)
        folder = tmp_path / str(side)
        folder.mkdir()
        outputs = {name: str(folder / f"{name}.tif") for name in PLAIN}
        results, problem, _ = run(folder, INPUT=dem, RECIPE=recipe, SMOOTHING=45.0, **outputs)
        assert not problem
        found.append({name: read(path)[0] for name, path in results.items()})
    large, small = found
    limit = 0 if recipe == "samgis" else 1
    assert np.abs(large["OUTPUT"].astype(int) - small["OUTPUT"]).max() <= limit
    for name in PLAIN:
        assert np.array_equal(large[name] == -9999, small[name] == -9999)
        assert small[name] == pytest.approx(large[name], rel=1e-3, abs=1e-3)


def test_a_part_is_that_part_of_the_whole(plugin, dem, tmp_path):
    whole = read(run(tmp_path, INPUT=dem)[0]["OUTPUT"])[0]
    extent = "500900,502400,4597600,4598800 [EPSG:32633]"
    data, profile, _ = read(run(tmp_path, INPUT=dem, EXTENT=extent, OUTPUT=str(tmp_path / "part.tif"))[0]["OUTPUT"])
    assert data.shape == (3, 40, 50) and profile["transform"].c == 500900
    assert np.abs(data.astype(int) - whole[:, 40:80, 30:80]).max() <= 1


def test_feet_are_taken_for_feet(plugin, tmp_path):
    heights = relief(GRID)
    paths = []
    for name, values in (("m", heights), ("ft", heights / 0.3048)):
        paths.append(write_tif(tmp_path / f"{name}.tif", values[None], crs="EPSG:32633", transform=GRID.transform))
    outputs = [str(tmp_path / f"slope_{name}.tif") for name in ("m", "ft")]
    run(tmp_path, INPUT=paths[0], SLOPE=outputs[0])
    run(tmp_path, INPUT=paths[1], SLOPE=outputs[1], UNIT="feet")
    assert read(outputs[1])[0] == pytest.approx(read(outputs[0])[0], abs=0.01)


def test_undeclared_voids_are_told_and_can_be_named(plugin, tmp_path):
    heights = relief(GRID).astype(np.float32)
    heights[40:50, 60:75] = -9999.0
    path = write_tif(tmp_path / "dem.tif", heights[None], crs="EPSG:32633", transform=GRID.transform)
    _, problem, feedback = run(tmp_path, INPUT=path)
    assert not problem and any("-9999" in text and "not declared" in text for text in feedback.warnings)
    results, _, feedback = run(tmp_path, INPUT=path, NODATA="-9999", OUTPUT=str(tmp_path / "other.tif"))
    assert not feedback.warnings and not read(results["OUTPUT"])[0][:, 42:48, 62:73].any()


def test_cancelling_leaves_nothing_behind(plugin, dem, tmp_path):
    results, _, _ = run(tmp_path, Recorder(cancel_at="cells:"), INPUT=dem, SLOPE=str(tmp_path / "slope.tif"))
    assert results == {}
    assert sorted(path.name for path in tmp_path.glob("*.tif")) == ["dem.tif"]


@pytest.mark.parametrize("encoding", ["terrarium", "mapbox"])
def test_tiles_are_fetched_by_qgis_and_decoded_exactly(plugin, tmp_path, encoding):
    with serve_tiles() as site:
        site.encoding = encoding
        results, problem, _ = run(
            tmp_path,
            TILES=site.url + "?token=secret",
            ENCODING=encoding,
            EXTENT="0,60000,0,50000 [EPSG:3857]",
            ZOOM=10,
            SLOPE=str(tmp_path / "slope.tif"),
        )
    assert not problem, problem
    data, profile, _ = read(results["SLOPE"])
    grid = PixelGrid(tuple(profile["transform"])[:6], "EPSG:3857", data.shape[2], data.shape[1])
    col, row = (round(value) for value in TileTemplate(site.url).grid(10).to_pixel([grid.corners[0]])[0])
    rows, cols = np.indices(data.shape[1:])
    expected = slope_deg(elevation_grid(height(10, cols + col, rows + row).astype(float), grid))
    assert np.array_equal(data[0], expected)
    assert profile["crs"].to_epsg() == 3857 and len(site.asked) == 4


def test_an_xyz_layer_is_taken_by_its_tiles(plugin, tmp_path):
    with serve_tiles() as site:
        url = site.url.replace("{", "%7B").replace("}", "%7D")
        layer = QgsRasterLayer(f"type=xyz&url={url}&zmin=0&zmax=9&interpretation=terrariumterrain", "tiles", "wms")
        assert layer.isValid()
        results, problem, _ = run(tmp_path, INPUT=layer, EXTENT="0,60000,0,50000 [EPSG:3857]")
        assert not problem, problem
        assert read(results["OUTPUT"])[0].shape[0] == 3
        assert all(name.startswith("9/") for name in site.asked)
        plain = QgsRasterLayer(f"type=xyz&url={url}&zmin=0&zmax=9", "tiles", "wms")
        _, problem, _ = run(tmp_path, INPUT=plain, EXTENT="0,60000,0,50000 [EPSG:3857]")
        assert "ENCODING=terrarium" in problem


def test_a_tile_that_does_not_come_is_told_and_nothing_is_written(plugin, tmp_path, monkeypatch):
    with serve_tiles() as site:
        site.statuses = {f"10/512/{row}": [404] * 9 for row in (510, 511)}
        _, problem, _ = run(
            tmp_path,
            TILES=site.url + "?token=secret",
            ENCODING="terrarium",
            EXTENT="0,60000,0,50000 [EPSG:3857]",
            ZOOM=10,
        )
    assert "2 of 4 tiles" in problem and "HTTP 404" in problem and "secret" not in problem
    assert not list(tmp_path.glob("*.tif"))


def test_a_picture_of_encoded_colours_is_decoded(plugin, tmp_path):
    heights = np.round(relief(GRID))
    steps = ((heights + 32768) * 256).astype(int)
    colours = np.stack([steps >> 16 & 255, steps >> 8 & 255, steps & 255]).astype(np.uint8)
    encoded = write_tif(tmp_path / "rgb_dem.tif", colours, crs="EPSG:32633", transform=GRID.transform)
    plain = write_tif(tmp_path / "dem.tif", heights[None], crs="EPSG:32633", transform=GRID.transform)
    first = run(tmp_path, INPUT=encoded, ENCODING="terrarium", OUTPUT=str(tmp_path / "a.tif"))[0]
    second = run(tmp_path, INPUT=plain, OUTPUT=str(tmp_path / "b.tif"))[0]
    # one computes with float32 elevations, the other with float64
    assert np.abs(read(first["OUTPUT"])[0].astype(int) - read(second["OUTPUT"])[0]).max() <= 1
    _, problem, _ = run(tmp_path, INPUT=encoded)
    assert "picture of three bands" in problem and "ENCODING" in problem


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({}, "one elevation raster"),
        ({"TILES": "https://h/{z}/{x}/{y}.png"}, "Give EXTENT"),
        ({"TILES": "https://h/{zoom}.png", "EXTENT": "0,1,0,1"}, "{zoom}"),
        ({"INPUT": "dem", "SMOOTHING": -3}, "SMOOTHING"),
        ({"INPUT": "dem", "FACTOR": 0}, "FACTOR"),
        ({"INPUT": "dem", "NODATA": "none"}, "NODATA"),
        ({"INPUT": "dem", "EXTENT": "1,0,0,1"}, "EXTENT"),
        ({"INPUT": "dem", "EXTENT": "0,1,0,1"}, "doesn't meet"),
        ({"INPUT": "dem", "BAND": 7}, "no band 7"),
        ({"INPUT": "dem", "OUTPUT": "somewhere.png"}, "GeoTIFF"),
    ],
)
def test_what_can_not_work_is_said_in_a_sentence(plugin, dem, tmp_path, parameters, sentence):
    given = {name: dem if value == "dem" else value for name, value in parameters.items()}
    if "OUTPUT" in given:
        given["OUTPUT"] = str(tmp_path / given["OUTPUT"])
    _, problem, _ = run(tmp_path, **given)
    assert sentence in problem, problem
