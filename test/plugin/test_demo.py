from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

gdal = pytest.importorskip("osgeo.gdal")
ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("demo", ROOT / "tools/demo.py")
demo = importlib.util.module_from_spec(spec)
spec.loader.exec_module(demo)


def test_points_are_read_from_text_and_from_pixels(tmp_path):
    path = tmp_path / "a.tif"
    file = gdal.GetDriverByName("GTiff").Create(str(path), 10, 10)
    file.SetGeoTransform((1000.0, 2.0, 0.0, 5000.0, 0.0, -2.0))
    file.FlushCache()
    del file

    assert demo.points("", path, "") == []
    assert demo.points("1,2;-3.5,4e2", path, "EPSG:4326") == [(1.0, 2.0), (-3.5, 400.0)]
    assert demo.points("3,4", path, "pixel") == [(1006.0, 4992.0)]


def test_pixels_of_an_image_without_a_place_are_rows_downwards_from_0(tmp_path):
    path = tmp_path / "a.png"
    memory = gdal.GetDriverByName("MEM").Create("", 10, 10)
    gdal.GetDriverByName("PNG").CreateCopy(str(path), memory)

    assert demo.points("3,4", path, "pixel") == [(3.0, -4.0)]


def test_points_are_written_as_the_algorithm_takes_them():
    assert demo.wkt([(1.5, 2.0), (3.0, 4.0)], "") == "MultiPoint ((1.5 2.0), (3.0 4.0))"
    assert demo.wkt([(1.5, 2.0)], "pixel") == "MultiPoint ((1.5 2.0))"
    assert demo.wkt([(1.5, 2.0)], "EPSG:4326") == "CRS=EPSG:4326;MultiPoint ((1.5 2.0))"


def test_the_click_of_the_made_scene_is_deep_inside_the_largest_object_that_is_whole():
    labels = np.zeros((demo.SIDE, demo.SIDE), np.int32)
    labels[200:300, 200:260] = 1
    labels[400:440, 400:500] = 2
    labels[500:, 300:700] = 3  # larger, but it leaves the scene

    col, row = demo._middle_of_an_object(labels)

    assert 225 <= col <= 235
    assert 225 <= row <= 275
