"""The object on the screen as text that makes it again: for a shell, and for QGIS's Python console."""

from __future__ import annotations

import shlex
from typing import Any, Union

from ..algorithms import image_parameters as image
from ..algorithms import outline_parameters as shape
from ..algorithms import prompt_parameters as asked
from ..algorithms import terrain_parameters as terrain
from ..algorithms.segmentprompts import MODEL, NAME, OUTPUT
from ..core.errors import RasterReadError
from ..core.outlines.results import Provenance, SegmentedPolygon
from ..core.outlines.shape import OutlineSettings
from ..core.raster.source import RasterSource
from ..core.replay import Record
from ..core.terrain.composite import CompositeSettings
from ..core.terrain.reader import ElevationSettings

_ALGORITHM = f"promptsegmenter:{NAME}"
_FILE = "object.gpkg"
_MAP = "map:"
_PREPARED = ("none", "palette")
"""What a stretch says if values are shown as they are: then it is found again from the raster."""
Value = Union[str, float, bool]


def qgis_process_command(
    outline: SegmentedPolygon, crs: str | None, provenance: Provenance, source: RasterSource
) -> str:
    """Return a line for a POSIX shell that writes the outline to object.gpkg.

    It asks for the very window that the outline was found in, so the same raster gives the same outline.

    Parameters
    ----------
    outline : SegmentedPolygon
        As a session or an interactive answer gave it.
    crs : str or None
        Its CRS: the source's.
    provenance : Provenance
        Of the session.
    source : RasterSource
        What was looked at.

    Raises
    ------
    RasterReadError
        If it was found in what the canvas showed, which no command can name.
    SettingsError
        If the outline does not say how it was made.
    """
    values = _parameters(outline, crs, provenance, source)
    words = [f"{name}={_word(value)}" for name, value in {**values, OUTPUT: _FILE}.items()]
    return " ".join(["qgis_process", "run", _ALGORITHM, "--", *map(shlex.quote, words)])


def python_code(outline: SegmentedPolygon, crs: str | None, provenance: Provenance, source: RasterSource) -> str:
    """Return a script for QGIS's Python console that makes the outline as a new layer.

    Parameters and errors are those of :func:`qgis_process_command`.
    """
    values = _parameters(outline, crs, provenance, source)
    lines = [f"        {name!r}: {value!r}," for name, value in {**values, OUTPUT: "TEMPORARY_OUTPUT"}.items()]
    return "\n".join(
        [
            "import processing",
            "from qgis.core import QgsProject",
            "",
            "result = processing.run(",
            f"    {_ALGORITHM!r},",
            "    {",
            *lines,
            "    },",
            ")",
            f"QgsProject.instance().addMapLayer(result[{OUTPUT!r}])",
            "",
        ]
    )


def _parameters(
    outline: SegmentedPolygon, crs: str | None, provenance: Provenance, source: RasterSource
) -> dict[str, Value]:
    """Return the algorithm's parameters, without those that have their default value."""
    if source.uri.startswith(_MAP):
        raise RasterReadError(
            "What the map shows can't be named in a command.", hint="Choose the layer to segment, and click again."
        )
    record = Record.of(outline.geometry, crs, {**vars(outline), **vars(provenance)})
    values: dict[str, Value] = {
        image.INPUT: source.uri,
        asked.PROMPTS: record.prompts,
        image.WINDOW: record.trace.text(),
        MODEL: record.model,
    }
    if outline.label:
        values[asked.LABEL] = outline.label
    if record.is_drawn:
        values.update({image.RENDER: True, image.RESOLUTION: record.native_resolution})
    if crs is None:
        values[image.PIXEL_SPACE] = True
    picture = _picture(record.stretch) if record.composite is None else _elevation(*record.composite)
    return {**values, **picture, **_outline(OutlineSettings.parse(record.settings))}


def _picture(stretch: str) -> dict[str, Value]:
    said = dict(word.split("=", 1) for word in stretch.split())
    values: dict[str, Value] = {image.BANDS: said["bands"]}
    if said["stretch"] not in _PREPARED:
        values[image.STRETCH] = said["stretch"]
    return values


def _elevation(composite: CompositeSettings, heights: ElevationSettings) -> dict[str, Value]:
    """Return how a DEM is painted; what the recipe takes from the raster, it takes again."""
    values: dict[str, Value] = {
        terrain.COMPOSITE: composite.recipe,
        image.BANDS: str(heights.band),
        terrain.ELEVATION_UNIT: heights.unit.value,
    }
    if heights.nodata:
        values[terrain.ELEVATION_NODATA] = ",".join(repr(value) for value in heights.nodata)
    return values


def _outline(settings: OutlineSettings) -> dict[str, Value]:
    default = OutlineSettings()
    said: dict[str, tuple[Any, Any]] = {
        shape.PART: (settings.parts.value, default.parts.value),
        shape.FILL_HOLES: (settings.fill_holes_m2, default.fill_holes_m2),
        shape.MIN_AREA: (settings.min_area_m2, default.min_area_m2),
        shape.SIMPLIFY: (settings.simplify_m, default.simplify_m),
        shape.SIMPLIFY_PX: (settings.simplify_px, default.simplify_px),
        shape.SMOOTH: (settings.smooth, default.smooth),
        shape.EXPAND: (settings.expand_m, default.expand_m),
    }
    return {name: value for name, (value, usual) in said.items() if value != usual}


def _word(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)
