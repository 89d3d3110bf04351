"""Results come back from files as they were written."""

from __future__ import annotations

import pytest
from prompt_segmenter.core.errors import RasterReadError
from prompt_segmenter.core.outlines.results import Provenance, SegmentationResult, SegmentedPolygon
from prompt_segmenter.core.outlines.stored import read_results
from prompt_segmenter.core.output import write
from shapely.geometry import MultiPolygon, box

FACTS = Provenance("starter", "ab" * 32, "scene.tif", "bands=1 stretch=0:1", "parts=all", "2026-01-01T00:00:00Z", "1")
HOLED = box(500_000.1, 4_600_000, 500_100, 4_600_090).difference(box(500_010, 4_600_010, 500_020, 4_600_030))


def result(shape, crs, label="häuser"):
    polygon = SegmentedPolygon(shape, 7, label, float("nan"), 12.5, 40.0, "+1,2 EPSG:32633", 2.0, "0,0,8,8@8x8")
    return SegmentationResult((polygon,), crs, 0.0, FACTS)


@pytest.mark.parametrize("shape", [HOLED, MultiPolygon([HOLED, box(500_200, 4_600_000, 500_300, 4_600_050)])])
@pytest.mark.parametrize("crs", ["EPSG:32633", None])
def test_a_geopackage_gives_back_every_digit(tmp_path, shape, crs):
    write(result(shape, crs), tmp_path / "my results.gpkg")

    (stored,) = read_results(tmp_path / "my results.gpkg")

    assert stored.crs == crs
    assert stored.geometry.equals(shape)
    assert sorted(stored.geometry.bounds) == sorted(shape.bounds)
    said = stored.attributes
    assert (said["object"], said["label"], said["score"], said["window"]) == (7, "häuser", None, "0,0,8,8@8x8")


@pytest.mark.parametrize(("crs", "read"), [("EPSG:32633", "EPSG:4326"), (None, None)])
def test_geojson_is_in_degrees_but_for_pixels(tmp_path, crs, read):
    write(result(HOLED, crs), tmp_path / "r.geojson")

    (stored,) = read_results(tmp_path / "r.geojson")

    assert stored.crs == read
    assert len(stored.geometry.interiors) == 1
    assert stored.attributes["stretch"] == "bands=1 stretch=0:1"


@pytest.mark.parametrize("content", [b"", b"{}", b'{"features": [1]}', b"SQLite format 3\0", b"\xff\xfe", b"[]"])
def test_what_is_no_results_file_is_refused(tmp_path, content):
    (tmp_path / "x.gpkg").write_bytes(content)
    with pytest.raises(RasterReadError, match=r"x\.gpkg' can't be read as results"):
        read_results(tmp_path / "x.gpkg")
    with pytest.raises(RasterReadError, match="is not there"):
        read_results(tmp_path / "y.gpkg")
