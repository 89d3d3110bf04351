"""GeoPackage 1.3 through the standard library's sqlite3: no GDAL and no QGIS needed.

References
----------
OGC 12-128r18, GeoPackage Encoding Standard 1.3.1.
"""

from __future__ import annotations

import re
import sqlite3
import struct
from contextlib import closing
from pathlib import Path
from typing import Any

from .. import native
from ..errors import OutputError
from ..proj_thread import calls_proj
from ..raster import crs as crs_maths
from .files import atomic_path
from .results import FieldKind, SegmentationResult

GEOMETRY_COLUMN = "geom"
_APPLICATION_ID = 0x47504B47
_VERSION = 10301
_UNDEFINED_CARTESIAN = -1
_OWN_SRS_ID = 100000
_SQL_TYPE = {FieldKind.INTEGER: "INTEGER", FieldKind.REAL: "REAL", FieldKind.TEXT: "TEXT"}
_SCHEMA = """
CREATE TABLE gpkg_spatial_ref_sys (
  srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (
  table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE, description TEXT DEFAULT '',
  last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL,
  z TINYINT NOT NULL, m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
  CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
"""


def write_geopackage(result: SegmentationResult, path: str | Path) -> None:
    """Write a result as a GeoPackage with one layer of multipolygons, all of it or nothing.

    Parameters
    ----------
    result : SegmentationResult
        Geometries keep the result's CRS; pixel space becomes "undefined Cartesian" (srs_id -1).
    path : str or Path
        An existing file is replaced. The layer is named after it.

    Raises
    ------
    OutputError
        If the file can't be written there.
    """
    table = layer_name(path)
    with atomic_path(path) as part:
        try:
            with closing(sqlite3.connect(part)) as database, database:
                _fill(database, result, table)
        except sqlite3.Error as error:
            raise OutputError(
                f"The GeoPackage '{path}' could not be written ({error}).",
                hint="Check the free space, and that no other program has the file open.",
            ) from error


def layer_name(path: str | Path) -> str:
    """Return the name of the layer in a GeoPackage: the file's own, in letters, digits and underscores.

    Examples
    --------
    >>> layer_name("out/my outlines-2.gpkg")
    'my_outlines_2'
    """
    name = re.sub(r"\W+", "_", Path(path).stem).strip("_") or "outlines"
    return f"outlines_{name}" if name[0].isdigit() or name.lower().startswith(("gpkg", "sqlite", "rtree")) else name


def _fill(database: sqlite3.Connection, result: SegmentationResult, table: str) -> None:
    database.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    database.execute(f"PRAGMA user_version = {_VERSION}")
    for statement in _SCHEMA.split(";")[:-1]:
        database.execute(statement)
    srs_id = _add_crs(database, result.crs)
    bounds = _bounds(result)
    database.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, min_x, min_y, max_x, max_y, srs_id)"
        " VALUES (?, 'features', ?, ?, ?, ?, ?, ?, ?)",
        (table, table, "Outlines by Prompt Segmenter", *bounds, srs_id),
    )
    database.execute(
        "INSERT INTO gpkg_geometry_columns VALUES (?, ?, 'MULTIPOLYGON', ?, 0, 0)", (table, GEOMETRY_COLUMN, srs_id)
    )
    fields = result.fields()
    columns = ", ".join(f'"{column.name}" {_SQL_TYPE[column.kind]}' for column in fields)
    database.execute(
        f'CREATE TABLE "{table}" (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,'
        f" {GEOMETRY_COLUMN} MULTIPOLYGON, {columns})"
    )
    # The layer's name holds word characters only (layer_name), the columns' are ours; values are bound.
    names = ", ".join([GEOMETRY_COLUMN, *(f'"{column.name}"' for column in fields)])
    marks = ", ".join("?" for _ in range(len(fields) + 1))
    database.executemany(
        " ".join(["INSERT INTO", f'"{table}"', f"({names})", "VALUES", f"({marks})"]),
        ((_blob(geometry, srs_id), *values) for geometry, values in result.rows()),
    )


def _add_crs(database: sqlite3.Connection, crs: str | None) -> int:
    """Add the three entries that every GeoPackage has, and the result's CRS; return its srs_id."""
    rows = [
        ("Undefined Cartesian", _UNDEFINED_CARTESIAN, "NONE", -1, "undefined", "Cartesian, no place on the globe"),
        ("Undefined geographic", 0, "NONE", 0, "undefined", "Longitude and latitude of an unknown datum"),
        ("WGS 84 geodetic", 4326, "EPSG", 4326, _definition("EPSG:4326"), "Longitude and latitude on WGS 84"),
    ]
    srs_id = _UNDEFINED_CARTESIAN
    if crs is not None:
        name, authority = _name_and_code(crs)
        if authority is not None and authority[0] == "EPSG" and authority[1].isdigit():
            organization, srs_id = "EPSG", int(authority[1])
        else:
            organization, srs_id = "NONE", _OWN_SRS_ID
        if srs_id != 4326:
            rows.append((name, srs_id, organization, srs_id, _definition(crs), ""))
    database.executemany("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", rows)
    return srs_id


@calls_proj
def _name_and_code(crs: str) -> tuple[str, tuple[str, str] | None]:
    """Return the name inside a CRS, and its authority and code where it is exactly a registered one."""
    parsed = crs_maths.parse(crs)
    return parsed.name, parsed.to_authority(min_confidence=100)


@calls_proj
def _definition(crs: str) -> str:
    """Return the WKT 1 that the standard asks for; of a CRS that WKT 1 can't say, WKT 2."""
    pyproj = native.pyproj()
    parsed = crs_maths.parse(crs)
    try:
        return str(parsed.to_wkt("WKT1_GDAL"))
    except pyproj.exceptions.CRSError:
        return str(parsed.to_wkt())


def _bounds(result: SegmentationResult) -> tuple[float | None, ...]:
    if not result.polygons:
        return (None, None, None, None)
    boxes = [polygon.geometry.bounds for polygon in result.polygons]
    left, bottom, right, top = zip(*boxes)
    return min(left), min(bottom), max(right), max(top)


def _blob(geometry: Any, srs_id: int) -> bytes:
    """Return the GeoPackage binary of a geometry as a MultiPolygon: header with envelope, then WKB."""
    shapely = native.shapely()
    multi = geometry if geometry.geom_type == "MultiPolygon" else shapely.geometry.MultiPolygon([geometry])
    left, bottom, right, top = multi.bounds
    # Flags: little-endian (bit 0), envelope of x and y (1 in bits 1 to 3).
    header = struct.pack("<2sBBi4d", b"GP", 0, 0b0000_0011, srs_id, left, right, bottom, top)
    return header + bytes(multi.wkb)
