"""The command line makes results again."""

from __future__ import annotations

import json

import numpy as np
import pytest
from prompt_segmenter.core import cli
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.core.raster.grid import PixelGrid
from prompt_segmenter.test.core.terrain.test_metric_recipe import relief
from prompt_segmenter.test.helpers.fake_model import SameBrightness
from prompt_segmenter.test.helpers.rasters import write_raster

GRID = PixelGrid((30.0, 0.0, 500000.0, 0.0, -30.0, 4600000.0), "EPSG:32633", 150, 110)


@pytest.fixture(autouse=True)
def model(monkeypatch):
    monkeypatch.setattr(ModelStore, "load", lambda *_, **__: SameBrightness())


@pytest.fixture
def image(tmp_path):
    data = np.full((3, 120, 150), 40, np.uint8)
    data[:, 40:60, 50:80], data[:, 80:105, 100:120] = 200, 120
    return write_raster(tmp_path / "scene.tif", data)


@pytest.mark.parametrize("ending", ["gpkg", "geojson"])
def test_what_segment_writes_is_replayed_as_the_same(capsys, image, tmp_path, ending):
    out = str(tmp_path / f"out.{ending}")
    points = ["--include", "500650,4599500", "--include", "501100,4599080"]
    assert cli.main(["segment", image, "-o", out, "--quiet", "--each-point", *points]) == 0

    status = cli.main(["replay", out])

    lines = capsys.readouterr().out.splitlines()
    assert status == 0
    assert [line.startswith(f"{number}: same") for number, line in enumerate(lines[:2], start=1)] == [True, True]
    assert lines[2] == f"{out}: 2 same, 0 different, 0 failed"


def test_pixels_and_a_moved_image_are_replayed_too(capsys, image, tmp_path):
    out = tmp_path / "out.geojson"
    assert cli.main(["segment", image, "-o", str(out), "--quiet", "--pixel-space", "--include", "65,50"]) == 0
    document = json.loads(out.read_text())
    document["features"][0]["properties"]["source"] = "gone.tif"
    out.write_text(json.dumps(document))

    assert cli.main(["replay", str(out)]) == 0
    assert cli.main(["replay", str(out), "--image", image, "--quiet"]) == 0

    lost, _, found = capsys.readouterr().out.splitlines()
    assert "gone.tif" in lost
    assert found == "1: same"


def test_a_file_that_is_not_there_is_one_sentence(capsys, tmp_path):
    assert cli.main(["replay", str(tmp_path / "x.gpkg")]) == 1
    assert "is not there. Give a .geojson or .gpkg file of results." in capsys.readouterr().err


@pytest.mark.parametrize("recipe", ["metric", "samgis"])
@pytest.mark.parametrize("encoding", ["", "terrarium"])
def test_a_click_on_a_mountain_is_replayed_as_the_same(capsys, tmp_path, recipe, encoding):
    heights, out = relief(GRID, 0.0), str(tmp_path / "out.gpkg")
    if encoding:
        whole, part = np.divmod(np.rint((heights + 32768.0) * 256.0).astype(np.int64), 256)
        data = np.stack([whole // 256, whole % 256, part]).astype(np.uint8)
    else:
        data = heights[None].astype(np.float32)
    dem = write_raster(tmp_path / "dem.tif", data, transform=GRID.transform)
    x, y = GRID.to_map([(122, 55)])[0]
    options = ["--composite", recipe, *(["--encoding", encoding] if encoding else [])]
    assert cli.main(["segment", dem, "-o", out, "--quiet", "--include", f"{x},{y}", *options]) == 0

    assert cli.main(["replay", out]) == 0

    assert capsys.readouterr().out.splitlines() == ["1: same", f"{out}: 1 same, 0 different, 0 failed"]
