from __future__ import annotations

import json

import pytest
from prompt_segmenter.core.errors import OutputError
from prompt_segmenter.core.outlines.results import Provenance, SegmentationResult, SegmentedPolygon
from prompt_segmenter.core.output import check_output, write
from shapely.geometry import box

POLYGON = SegmentedPolygon(box(12, 46, 12.001, 46.001), 1, "", 0.5, 1.0, 1.0)
RESULT = SegmentationResult((POLYGON,), "EPSG:4326", 0.1, Provenance("starter", "", "a.tif"))


@pytest.mark.parametrize("name", ["a.geojson", "a.json", "A.GeoJSON"])
def test_geojson_is_written_for_its_endings(tmp_path, name):
    write(RESULT, tmp_path / name)
    assert json.loads((tmp_path / name).read_text())["type"] == "FeatureCollection"


@pytest.mark.parametrize("name", ["a.gpkg", "A.GPKG"])
def test_a_geopackage_is_written_for_its_ending(tmp_path, name):
    write(RESULT, str(tmp_path / name))
    assert (tmp_path / name).read_bytes().startswith(b"SQLite format 3")


@pytest.mark.parametrize("name", ["a.shp", "a", "a.geojson.zip", ".gpkg"])
def test_another_ending_is_refused_with_those_that_work(tmp_path, name):
    for work in (check_output, lambda path: write(RESULT, path)):
        with pytest.raises(OutputError, match="no ending that says its format") as caught:
            work(tmp_path / name)
        assert ".gpkg" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_checking_makes_and_changes_nothing(tmp_path):
    (tmp_path / "old.gpkg").write_text("old")
    check_output(tmp_path / "old.gpkg")
    check_output(tmp_path / "new.gpkg")
    assert [entry.name for entry in tmp_path.iterdir()] == ["old.gpkg"]
    assert (tmp_path / "old.gpkg").read_text() == "old"


def test_a_missing_folder_is_found_before_the_work(tmp_path):
    with pytest.raises(OutputError, match="does not exist"):
        check_output(tmp_path / "nowhere" / "a.gpkg")


def test_a_folder_closed_to_the_user_is_found_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, _mode: path != tmp_path)
    with pytest.raises(OutputError, match="Nothing can be written to the folder"):
        check_output(tmp_path / "a.gpkg")
