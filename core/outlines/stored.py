"""Results read back from the files that the writers make, GeoJSON and GeoPackage, without GDAL."""

from __future__ import annotations

import json
import re
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import native
from ..errors import RasterReadError
from ..raster import crs as crs_maths

_MAGIC = b"GP"
_HEADER_BYTES = 8
_ENVELOPE_BYTES = (0, 32, 48, 48, 64)
_NOT_RESULTS = "Give a .geojson or .gpkg file of results."


@dataclass(frozen=True)
class StoredPolygon:
    """One feature of a file."""

    geometry: Any
    """shapely (multi)polygon, or None."""
    crs: str | None
    """CRS of the file; None for pixel space."""
    attributes: dict[str, Any]
    """Values by the names of the columns."""


def read_results(path: str | Path) -> list[StoredPolygon]:
    """Return the polygons of a results file: of its first layer, if it is a GeoPackage.

    Raises
    ------
    RasterReadError
        If the file is not there, or holds something else.
    """
    file = Path(path)
    if not file.is_file():
        raise RasterReadError(f"The file '{file}' is not there.", hint=_NOT_RESULTS)
    try:
        with file.open("rb") as stream:
            is_database = stream.read(6) == b"SQLite"
        return list(_of_geopackage(file) if is_database else _of_geojson(file))
    except (OSError, sqlite3.Error, ValueError, KeyError, TypeError, struct.error) as error:
        raise RasterReadError(f"The file '{file}' can't be read as results ({error}).", hint=_NOT_RESULTS) from error


def _of_geojson(file: Path) -> Iterator[StoredPolygon]:
    document = json.loads(file.read_text(encoding="utf-8"))
    crs = None if "note" in document else "EPSG:4326"
    for feature in document["features"]:
        shape = native.shapely().geometry.shape(feature["geometry"]) if feature["geometry"] else None
        yield StoredPolygon(shape, crs, dict(feature["properties"]))


def _of_geopackage(file: Path) -> Iterator[StoredPolygon]:
    with closing(sqlite3.connect(file.resolve().as_uri() + "?mode=ro", uri=True)) as database:
        found = database.execute("SELECT table_name, column_name, srs_id FROM gpkg_geometry_columns").fetchone()
        if found is None:
            raise ValueError("it has no layer")
        table, column, srs_id = found
        crs = _crs(database, srs_id)
        quoted = re.sub('"', '""', str(table))
        # a table's name can't be bound; it is quoted, and from the file itself
        rows = database.execute(" ".join(["SELECT * FROM", f'"{quoted}"']))
        names = [described[0] for described in rows.description]
        for row in rows:
            attributes = dict(zip(names, row))
            yield StoredPolygon(_shape(attributes.pop(column)), crs, attributes)


def _crs(database: sqlite3.Connection, srs_id: int) -> str | None:
    organization, number, definition = database.execute(
        "SELECT organization, organization_coordsys_id, definition FROM gpkg_spatial_ref_sys WHERE srs_id = ?",
        (srs_id,),
    ).fetchone()
    if srs_id < 0:
        return None
    text = f"{organization}:{number}" if str(organization).upper() == "EPSG" else str(definition)
    crs_maths.parse(text)
    return text


def _shape(blob: bytes | None) -> Any:
    """Return the geometry of a GeoPackage binary: a header, an envelope of known length, WKB."""
    if blob is None:
        return None
    if blob[:2] != _MAGIC:
        raise ValueError("a geometry is no GeoPackage binary")
    start = _HEADER_BYTES + _ENVELOPE_BYTES[blob[3] >> 1 & 0b111]
    return native.shapely().wkb.loads(blob[start:])
