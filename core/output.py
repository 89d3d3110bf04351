"""Writing a result in the format that its file name asks for."""

from __future__ import annotations

from pathlib import Path

from .errors import OutputError
from .outlines.files import require_writable
from .outlines.geojson import write_geojson
from .outlines.geopackage import write_geopackage
from .outlines.results import OutlineTable

WRITERS = {".geojson": write_geojson, ".json": write_geojson, ".gpkg": write_geopackage}
"""What writes a file of each ending."""


def check_output(path: str | Path) -> None:
    """Raise if a result couldn't be written to ``path``: asked before the work begins. Nothing is made or changed.

    Raises
    ------
    OutputError
        If the ending is none of a known format, or the file can't be written there.
    """
    ending = Path(path).suffix.lower()
    if ending not in WRITERS:
        raise OutputError(
            f"The output '{path}' has no ending that says its format.",
            hint="Use .gpkg (GeoPackage) or .geojson (GeoJSON).",
        )
    require_writable(path)


def write(result: OutlineTable, path: str | Path) -> None:
    """Write a result as GeoJSON (.geojson, .json; EPSG:4326) or GeoPackage (.gpkg; the raster's CRS).

    The file is written completely or not at all; one that is there is replaced.

    Raises
    ------
    OutputError
        If the ending is none of these, the file can't be written there, or the outlines have no place in EPSG:4326.
    """
    check_output(path)
    WRITERS[Path(path).suffix.lower()](result, path)
