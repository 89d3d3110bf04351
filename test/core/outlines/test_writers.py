from __future__ import annotations

import dataclasses
import json
import os
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from prompt_segmenter.core.errors import OutputError
from prompt_segmenter.core.outlines.files import atomic_path
from prompt_segmenter.core.outlines.geojson import as_geojson, write_geojson
from prompt_segmenter.core.outlines.geopackage import layer_name, write_geopackage
from prompt_segmenter.core.outlines.results import Provenance, SegmentationResult, SegmentedPolygon
from prompt_segmenter.core.raster.crs import transform_points
from shapely import wkb
from shapely.geometry import MultiPolygon, Polygon, box, shape

MADE = Provenance("starter", "ab" * 32, "ortho.tif", "bands=1,2,3", "parts=all", "2026-11-20T12:00:00Z", "0.1.0")
RING = Polygon(box(500000, 4600000, 500100, 4600100).exterior, [box(500040, 4600040, 500060, 4600060).exterior.coords])
WRITERS = [(write_geojson, ".geojson"), (write_geopackage, ".gpkg")]


def result_of(geometry, crs: str | None = "EPSG:32633", **more) -> SegmentationResult:
    polygon = SegmentedPolygon(geometry, more.pop("object", 1), "Häuser", 0.5, 9600.0, 480.0, prompts="+1,1")
    return SegmentationResult((polygon,), crs, 0.1, MADE, **more)


def geometry_of(result: SegmentationResult):
    (feature,) = as_geojson(result)["features"]
    return feature["geometry"]


def test_geojson_is_in_longitude_and_latitude_with_the_right_hand_rule():
    geometry = geometry_of(result_of(RING))
    assert geometry["type"] == "Polygon"
    shell, hole = (np.array(ring) for ring in geometry["coordinates"])
    assert Polygon(shell).exterior.is_ccw
    assert not Polygon(hole).exterior.is_ccw
    expected = transform_points(RING.exterior.coords, "EPSG:32633", "EPSG:4326")
    assert {tuple(corner) for corner in shell.tolist()} == {tuple(corner) for corner in np.round(expected, 9).tolist()}
    assert shell[:, 0].min() == pytest.approx(15.0)


def test_geojson_keeps_the_fields_and_says_no_crs():
    document = as_geojson(result_of(RING))
    assert "crs" not in document
    assert document["features"][0]["properties"]["label"] == "Häuser"
    assert document["features"][0]["properties"]["area_m2"] == 9600.0
    assert document["features"][0]["properties"]["resolution"] is None


def test_several_parts_become_a_multipolygon():
    parts = MultiPolygon([box(500000, 0, 500010, 10), box(500020, 0, 500030, 10)])
    geometry = geometry_of(result_of(parts))
    assert geometry["type"] == "MultiPolygon"
    assert len(geometry["coordinates"]) == 2


def test_pixel_space_is_written_as_pixels_with_a_note():
    document = as_geojson(result_of(box(3, 4, 10, 20), None))
    assert "not longitude and latitude" in document["note"]
    assert shape(document["features"][0]["geometry"]).bounds == (3.0, 4.0, 10.0, 20.0)


@pytest.mark.parametrize("west", [179.0, -181.0])
def test_a_polygon_over_the_antimeridian_is_cut_in_two(west):
    geometry = geometry_of(result_of(box(west, 10, west + 3, 12), "EPSG:4326"))
    assert geometry["type"] == "MultiPolygon"
    pieces = sorted(shape({"type": "Polygon", "coordinates": part}).bounds for part in geometry["coordinates"])
    assert pieces == [(-180.0, 10.0, west % 360 - 357, 12.0), (west % 360, 10.0, 180.0, 12.0)]


def test_a_utm_polygon_over_the_antimeridian_is_cut_in_two():
    edge = transform_points([(180.0, 60.0)], "EPSG:4326", "EPSG:32601")[0]
    across = box(edge[0] - 100, edge[1], edge[0] + 100, edge[1] + 50)
    hole = box(edge[0] - 30, edge[1] + 20, edge[0] + 30, edge[1] + 30)
    geometry = geometry_of(result_of(Polygon(across.exterior, [hole.exterior.coords]), "EPSG:32601"))
    parts = [shape({"type": "Polygon", "coordinates": part}) for part in geometry["coordinates"]]
    assert len(parts) == 2
    assert all(part.is_valid and part.bounds[2] - part.bounds[0] < 0.01 for part in parts)
    whole = Polygon(transform_points(across.exterior.coords, "EPSG:32601", "EPSG:4326") % 360)
    assert sum(part.area for part in parts) == pytest.approx(whole.area * (1 - 60 * 10 / (200 * 50)), rel=1e-4)


def test_the_geojson_file_is_what_was_described(tmp_path):
    write_geojson(result_of(RING, warnings=("Careful.",)), tmp_path / "out.geojson")
    document = json.loads((tmp_path / "out.geojson").read_text(encoding="utf-8"))
    assert document == as_geojson(result_of(RING, warnings=("Careful.",)))
    assert document["warnings"] == ["Careful."]


@pytest.mark.parametrize(("write", "suffix"), WRITERS)
def test_an_empty_result_makes_a_file_without_features(tmp_path, write, suffix):
    ogr = pytest.importorskip("osgeo.ogr")
    path = tmp_path / f"none{suffix}"
    write(SegmentationResult((), "EPSG:32633", 0.0, MADE), path)
    layer_source = ogr.Open(str(path))
    assert layer_source.GetLayerCount() == 1
    assert layer_source.GetLayer(0).GetFeatureCount() == 0


@pytest.mark.parametrize("crs", ["EPSG:32633", "EPSG:4326", "EPSG:3857", "EPSG:3031"])
def test_gdal_reads_the_geopackage_with_its_crs_fields_and_geometry(tmp_path, crs):
    ogr, osr = pytest.importorskip("osgeo.ogr"), pytest.importorskip("osgeo.osr")
    geometry = RING if crs != "EPSG:4326" else box(12, 45, 13, 46)
    write_geopackage(result_of(geometry, crs), tmp_path / "out lines.gpkg")
    dataset = ogr.Open(str(tmp_path / "out lines.gpkg"))
    layer = dataset.GetLayerByName("out_lines")
    expected = osr.SpatialReference()
    expected.SetFromUserInput(crs)
    expected.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    assert layer.GetSpatialRef().IsSame(expected)
    assert layer.GetSpatialRef().GetAuthorityCode(None) == crs[5:]
    left, right, bottom, top = layer.GetExtent()
    assert (left, bottom, right, top) == geometry.bounds
    feature = layer.GetNextFeature()
    assert feature.GetGeometryRef().GetGeometryName() == "MULTIPOLYGON"
    assert wkb.loads(bytes(feature.GetGeometryRef().ExportToWkb())).equals(geometry)
    assert feature.GetField("label") == "Häuser"
    assert feature.GetField("object") == 1
    assert feature.GetField("score") == 0.5
    assert feature.GetField("resolution") is None
    assert feature.GetFID() == 1


def test_a_crs_without_an_epsg_code_is_kept_by_its_definition(tmp_path):
    ogr, osr = pytest.importorskip("osgeo.ogr"), pytest.importorskip("osgeo.osr")
    own = "+proj=laea +lat_0=10 +lon_0=20 +ellps=WGS84 +units=m +no_defs"
    write_geopackage(result_of(RING, own), tmp_path / "own.gpkg")
    dataset = ogr.Open(str(tmp_path / "own.gpkg"))
    expected = osr.SpatialReference()
    expected.SetFromUserInput(own)
    assert dataset.GetLayer(0).GetSpatialRef().ExportToProj4() == expected.ExportToProj4()


def test_pixel_space_is_an_undefined_cartesian_plane(tmp_path):
    write_geopackage(result_of(box(0, 0, 5, 5), None), tmp_path / "px.gpkg")
    with closing(sqlite3.connect(tmp_path / "px.gpkg")) as database:
        assert database.execute("SELECT srs_id FROM gpkg_contents").fetchall() == [(-1,)]


def test_named_objects_make_a_text_column(tmp_path):
    write_geopackage(result_of(RING, object="A-7"), tmp_path / "named.gpkg")
    with closing(sqlite3.connect(tmp_path / "named.gpkg")) as database:
        assert database.execute("SELECT object FROM named").fetchall() == [("A-7",)]
        types = dict(row[1:3] for row in database.execute("PRAGMA table_info(named)"))
    assert types["object"] == "TEXT"
    assert types["score"] == "REAL"


def test_the_geopackage_holds_what_the_standard_asks_for(tmp_path):
    write_geopackage(result_of(RING), tmp_path / "std.gpkg")
    with closing(sqlite3.connect(tmp_path / "std.gpkg")) as database:
        assert database.execute("PRAGMA application_id").fetchone() == (0x47504B47,)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        ids = {row[0] for row in database.execute("SELECT srs_id FROM gpkg_spatial_ref_sys")}
        (blob,) = database.execute("SELECT geom FROM std").fetchone()
    assert {-1, 0, 4326, 32633} <= ids
    assert struct.unpack("<2sBBi4d", blob[:40]) == (b"GP", 0, 3, 32633, 500000, 500100, 4600000, 4600100)


@pytest.mark.parametrize(
    ("path", "name"),
    [("a.gpkg", "a"), ("/x/Été 2.gpkg", "Été_2"), ("1.gpkg", "outlines_1"), ("-.gpkg", "outlines"),
     ("gpkg_x.gpkg", "outlines_gpkg_x"), ('a"; DROP.gpkg', "a_DROP")],
)  # fmt: skip
def test_the_layer_is_named_after_the_file(path, name):
    assert layer_name(path) == name


@pytest.mark.parametrize(("write", "suffix"), WRITERS)
def test_an_existing_file_is_replaced_and_nothing_else_is_left(tmp_path, write, suffix):
    path = tmp_path / f"out{suffix}"
    path.write_text("old")
    write(result_of(RING), path)
    assert path.read_bytes()[:3] != b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(("write", "suffix"), WRITERS)
def test_the_file_can_be_read_by_others_as_any_new_file(tmp_path, write, suffix):
    plain = tmp_path / "plain"
    plain.write_text("")
    write(result_of(RING), tmp_path / f"out{suffix}")
    assert (tmp_path / f"out{suffix}").stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize(("write", "suffix"), WRITERS)
def test_a_missing_folder_is_named(tmp_path, write, suffix):
    with pytest.raises(OutputError, match=r"nowhere.*does not exist") as caught:
        write(result_of(RING), tmp_path / "nowhere" / f"out{suffix}")
    assert "Create it" in caught.value.hint


@pytest.mark.parametrize(("write", "suffix"), WRITERS)
def test_a_folder_as_output_is_refused(tmp_path, write, suffix):
    with pytest.raises(OutputError, match="is a folder"):
        write(result_of(RING), tmp_path)


@pytest.mark.parametrize(("write", "suffix"), WRITERS)
def test_a_failure_in_the_middle_leaves_the_old_file(tmp_path, write, suffix):
    path = tmp_path / f"out{suffix}"
    path.write_text("old")
    whole = result_of(RING)
    broken = dataclasses.replace(whole, polygons=(*whole.polygons, dataclasses.replace(whole.polygons[0], score="x")))
    with pytest.raises(ValueError, match="could not convert"):
        write(broken, path)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_full_disk_is_told_in_a_sentence_and_leaves_nothing(tmp_path):
    with (
        pytest.raises(OutputError, match=r"out.txt' could not be written \(No space left"),
        atomic_path(tmp_path / "out.txt"),
    ):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_file_or_folder_is_refused_with_a_hint(tmp_path, monkeypatch):
    path = tmp_path / "out.gpkg"
    path.write_text("old")
    with monkeypatch.context() as patch:
        # The superuser, as whom tests may run, may write everywhere.
        patch.setattr(os, "access", lambda *_: False)
        with pytest.raises(OutputError, match="read-only") as caught:
            write_geopackage(result_of(RING), path)
        assert "make it writable" in caught.value.hint

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "touch", refuse)
    with pytest.raises(OutputError, match=r"Nothing can be written to the folder .*\(Permission denied\)"):
        write_geopackage(result_of(RING), path)
    assert path.read_text() == "old"


MARS = "+proj=eqc +R=3396190 +units=m +no_defs"


@pytest.mark.parametrize(("crs", "geometry"), [("EPSG:32633", box(1e9, 1e9, 2e9, 2e9)), (MARS, box(0, 0, 100, 100))])
def test_outlines_without_longitude_and_latitude_are_sent_to_a_geopackage(tmp_path, crs, geometry):
    with pytest.raises(OutputError, match="can't be written as GeoJSON") as caught:
        write_geojson(result_of(geometry, crs), tmp_path / "out.geojson")
    assert ".gpkg" in caught.value.hint
    assert list(tmp_path.iterdir()) == []
    write_geopackage(result_of(geometry, crs), tmp_path / "out.gpkg")
    assert (tmp_path / "out.gpkg").stat().st_size > 0
