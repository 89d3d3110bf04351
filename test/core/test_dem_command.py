"""The command ``composite``, and ``segment`` on a DEM."""

from __future__ import annotations

import json

import numpy as np
import pytest
from prompt_segmenter.core import cli, native
from prompt_segmenter.core.raster.grid import PixelGrid
from prompt_segmenter.core.terrain.derivatives import slope_deg
from prompt_segmenter.core.terrain.elevation import elevation_grid
from prompt_segmenter.test.core.terrain.test_metric_recipe import relief
from prompt_segmenter.test.core.terrain.test_samgis_recipe import by_the_book
from prompt_segmenter.test.helpers.fake_model import SameBrightness
from prompt_segmenter.test.helpers.rasters import write_raster
from prompt_segmenter.test.helpers.tile_server import serve_tiles

TURNED = PixelGrid((24.0, 18.0, 500000.0, 18.0, -24.0, 4600000.0), "EPSG:32633", 150, 110)


@pytest.fixture
def dem(tmp_path):
    return write_raster(tmp_path / "dem.tif", relief(TURNED)[None], transform=TURNED.transform)


def read(path):
    with native.rasterio_env(), native.rasterio().open(path) as file:
        return file.read(), tuple(file.transform)[:6], file.nodata


def test_a_turned_dem_becomes_a_turned_picture_and_slopes(dem, tmp_path, capsys):
    out, slope = tmp_path / "rgb.tif", tmp_path / "slope.tif"
    assert cli.main(["composite", dem, "-o", str(out), "--slope", str(slope)]) == 0
    data, transform, nodata = read(out)
    assert data.shape == (3, 110, 150) and transform == TURNED.transform and nodata == 0
    steep, transform, nodata = read(slope)
    assert transform == TURNED.transform and nodata == -9999
    assert np.array_equal(steep[0], slope_deg(elevation_grid(relief(TURNED), TURNED)))
    assert "150 x 110 cells, composite=metric" in capsys.readouterr().out


def test_the_recipe_samgis_is_the_description(dem, tmp_path):
    out = tmp_path / "rgb.tif"
    assert cli.main(["composite", dem, "-o", str(out), "--recipe", "samgis", "--quiet"]) == 0
    assert np.array_equal(np.moveaxis(read(out)[0], 0, -1), by_the_book(relief(TURNED)))


def test_tiles_are_an_image_too(tmp_path):
    out = tmp_path / "rgb.tif"
    with serve_tiles() as site:
        uri = f"terrarium+{site.url}#zoom=10&bounds=0,0,60000,50000"
        assert cli.main(["composite", uri, "-o", str(out), "--quiet"]) == 0
    assert read(out)[0].shape == (3, 328, 393)


def test_segment_looks_at_the_picture_of_a_dem(dem, tmp_path, monkeypatch):
    monkeypatch.setattr(cli.ModelStore, "load", lambda *args, **kwargs: SameBrightness())
    out = tmp_path / "a.geojson"
    x, y = TURNED.to_map([(110, 55)])[0]
    arguments = ["segment", dem, "-o", str(out), "--include", f"{x},{y}", "--composite", "metric", "--smoothing", "75"]
    assert cli.main(arguments) == 0
    (feature,) = json.loads(out.read_text())["features"]
    assert "composite=metric smoothing_m=75.0" in feature["properties"]["stretch"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["composite", "{dem}", "-o", "{tmp}/a.png"], "no GeoTIFF"),
        (["composite", "{dem}", "-o", "{tmp}/none/a.tif"], "folder that exists"),
        (["composite", "{dem}", "-o", "{tmp}/a.tif", "--band", "4"], "no band 4"),
        (["composite", "{dem}", "-o", "{tmp}/a.tif", "--encoding", "mapbox"], "can't be mapbox terrain"),
        (["composite", "{dem}", "-o", "{tmp}/a.tif", "--extent", "0,0,1,1"], "doesn't meet"),
        (["segment", "{dem}", "-o", "{tmp}/a.gpkg", "--include", "1,1", "--composite", "metric", "--stretch", "0:9"],
         "makes the picture itself"),
    ],
)  # fmt: skip
def test_what_can_not_work_is_one_sentence_and_leaves_nothing(dem, tmp_path, capsys, arguments, sentence):
    given = [text.format(dem=dem, tmp=tmp_path) for text in arguments]
    assert cli.main(given) == 1
    assert sentence in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["dem.tif"]


def test_a_failure_on_the_way_leaves_no_part_of_a_file(dem, tmp_path, monkeypatch):
    def fail(self, window, *rest, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr("prompt_segmenter.core.terrain.products.Production._derived", fail)
    with pytest.raises(KeyboardInterrupt):
        cli.main(["composite", dem, "-o", str(tmp_path / "a.tif"), "--slope", str(tmp_path / "b.tif")])
    assert [path.name for path in tmp_path.iterdir()] == ["dem.tif"]
