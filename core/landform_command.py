"""The commands that find landforms in a DEM: ``volcanoes`` and ``depressions``."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing

from .console import say
from .dem_command import add_heights, elevations, heights
from .models import catalogue
from .models.store import ModelStore
from .output import check_output, write
from .progress import Progress
from .raster.source import RasterSource
from .raster.sources import open_source
from .session import SegmentationSession
from .terrain.composite import CompositeSettings
from .terrain.composite_source import CompositeSource
from .terrain.finders import FINDERS, FinderSettings
from .terrain.landform import LandformResult
from .terrain.outliner import OutlineMethod, SessionOutliner
from .terrain.reader import ElevationSettings

COMMANDS = {"volcanoes": "outline the volcanoes of a DEM", "depressions": "outline the closed depressions of a DEM"}
"""The commands, and what they do."""
_FINDERS = {"volcanoes": "volcano", "depressions": "depressions"}


def add_finder(parser: argparse.ArgumentParser, command: str) -> None:
    """Add the options of one command."""
    parser.set_defaults(run=find_landforms, finder=_FINDERS[command], method=OutlineMethod.MORPHOMETRIC.value)
    add = parser.add_argument
    add("image", metavar="DEM", help="elevation raster, or terrarium+https://host/{z}/{x}/{y}.png#zoom=12&bounds=...")
    add("-o", "--output", required=True, metavar="FILE", help="what to write: .gpkg (DEM's CRS) or .geojson")
    add("--band", type=int, default=1, metavar="N", help="band that holds heights (default: %(default)s)")
    add("--min-width", type=float, metavar="KM", help="smallest width (default: what the DEM shows)")
    add("--max-width", type=float, metavar="KM", help="largest width (default: what fits on the DEM)")
    add("--min-relief", type=float, metavar="M", help="least height or depth (default: above the DEM's errors)")
    add("--confidence", type=float, default=FinderSettings.confidence, metavar="C", help="(default: %(default)s)")
    add("--pixel-space", action="store_true", help="take a DEM without a CRS, its units for metres")
    add_heights(parser)
    if command == "volcanoes":
        methods = [method.value for method in OutlineMethod]
        add("--method", choices=methods, default=FinderSettings.method.value, help="who draws the outline")
        add("--model", default=catalogue.DEFAULT, metavar="NAME", help="see 'models' (default: %(default)s)")


def find_landforms(options: argparse.Namespace, progress: Progress) -> None:
    """Find the landforms of a DEM and write the file."""
    check_output(options.output)
    dem = heights(options, options.band)
    settings = FinderSettings(
        dem=dem,
        smallest_km=options.min_width,
        largest_km=options.max_width,
        least_relief_m=options.min_relief,
        confidence=options.confidence,
        method=OutlineMethod(options.method),
    )
    with closing(open_source(options.image, pixel_space=options.pixel_space)) as opened:
        source = elevations(opened, options)
        outliner = None if settings.method is OutlineMethod.MORPHOMETRIC else _outliner(source, dem, options)
        result = FINDERS.get(options.finder).find(source, settings, progress, outliner)
    write(result, options.output)
    _tell(result, options)


def _outliner(source: RasterSource, dem: ElevationSettings, options: argparse.Namespace) -> SessionOutliner:
    picture = CompositeSource(source, CompositeSettings(smoothing_m=options.smoothing), dem)
    return SessionOutliner(SegmentationSession(picture, ModelStore().load(options.model)).segment)


def _tell(result: LandformResult, options: argparse.Namespace) -> None:
    for warning in result.warnings:
        say(sys.stderr, f"Warning: {warning}")
    if options.quiet:
        return
    for note in result.notes:
        say(sys.stdout, note)
    for landform in result.polygons:
        say(sys.stdout, f"{landform.confidence:.2f} {landform.reasons}")
    say(sys.stdout, f"{options.output}: {len(result) or 'nothing'} found")
