from __future__ import annotations

import json

import numpy as np
import pytest
from prompt_segmenter.core.cli import main
from prompt_segmenter.test.helpers.dems import LEFT, TOP, cratered_cone, distances, square, utm_grid
from prompt_segmenter.test.helpers.rasters import write_raster

SIZE, CELL = 200, 10.0


@pytest.fixture
def dem(tmp_path):
    away, _ = distances(utm_grid(SIZE, CELL), (100.0, 100.0), square(CELL))
    elevation = cratered_cone(away, 120.0, 420.0, 160.0, 50.0).astype(np.float32)[None]
    return write_raster(tmp_path / "dem.tif", elevation, transform=(CELL, 0.0, LEFT, 0.0, -CELL, TOP))


def features(path):
    return json.loads(path.read_text(encoding="utf-8"))["features"]


def test_volcanoes_are_written_with_their_measures(dem, tmp_path, capsys):
    output = tmp_path / "found.geojson"

    assert main(["volcanoes", dem, "-o", str(output), "--method", "morphometric"]) == 0

    (volcano,) = features(output)
    assert volcano["properties"]["class"] == "cinder cone"
    assert volcano["properties"]["height_m"] == pytest.approx(120.0, rel=0.1)
    assert "1 found" in capsys.readouterr().out


def test_depressions_are_written_too(dem, tmp_path):
    output = tmp_path / "hollows.geojson"

    assert main(["depressions", dem, "-o", str(output), "--quiet"]) == 0

    (hollow,) = features(output)
    assert hollow["properties"]["depth_m"] == pytest.approx(50.0, abs=5.0)


def test_nothing_found_is_an_empty_file_and_no_error(dem, tmp_path, capsys):
    output = tmp_path / "found.gpkg"

    assert main(["volcanoes", dem, "-o", str(output), "--method", "morphometric", "--min-width", "3"]) == 0

    assert output.is_file()
    assert "nothing found" in capsys.readouterr().out


def test_a_wrong_limit_is_one_sentence(dem, tmp_path, capsys):
    assert main(["volcanoes", dem, "-o", str(tmp_path / "a.gpkg"), "--confidence", "3"]) == 1

    assert "from 0 to 1" in capsys.readouterr().err
