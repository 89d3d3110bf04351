"""The command ``composite``, and the options with which ``segment`` looks at a DEM."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from typing import Union

from .console import say
from .errors import SettingsError
from .progress import Progress
from .prompts.parse import parse_box
from .raster.geotiff import GeoTiff, check_geotiff, geotiff
from .raster.grid import Window
from .raster.source import RasterSource
from .raster.sources import open_source
from .raster.terrain_rgb import TerrainEncoding
from .terrain.composite import DEFAULT, RECIPES, CompositeSettings
from .terrain.composite_source import CompositeSource
from .terrain.elevation import ElevationUnit
from .terrain.encoded import EncodedSource
from .terrain.products import PRODUCTS, RGB, Order, produce
from .terrain.reader import ElevationReader, ElevationSettings
from .window import over

NONE = "none"
_UNLIMITED = 1 << 62
Group = Union[argparse.ArgumentParser, argparse._ArgumentGroup]


def add_composite(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.set_defaults(run=composite)
    add = parser.add_argument
    add("image", metavar="DEM", help="elevation raster, or terrarium+https://host/{z}/{x}/{y}.png#zoom=12&bounds=...")
    add("-o", "--output", required=True, metavar="FILE", help="GeoTIFF of three bands (.tif)")
    add("--recipe", choices=RECIPES.names(), default=DEFAULT, help="(default: %(default)s)")
    add("--band", type=int, default=1, metavar="N", help="band that holds heights (default: %(default)s)")
    add("--extent", metavar="L,B,R,T", help="only this part, in the raster's CRS")
    add("--radius", type=float, metavar="M", help="of the radial convergence (default: twenty cells)")
    add_heights(parser)
    for name, product in PRODUCTS.items():
        add(f"--{name.replace('_', '-')}", metavar="FILE", help=f"GeoTIFF: {product.help}")


def add_heights(parser: Group) -> None:
    """Add the options that say what heights are."""
    add = parser.add_argument
    add("--unit", choices=[unit.value for unit in ElevationUnit], default="metres", help="of heights")
    add("--factor", type=float, default=1.0, metavar="F", help="a stored height times this is in the unit")
    add("--nodata", action="append", default=[], type=float, metavar="V", help="undeclared void; may be repeated")
    encodings = [NONE, *(encoding.value for encoding in TerrainEncoding)]
    add("--encoding", choices=encodings, default=NONE, help="colours of the picture that say elevations")
    add("--smoothing", type=float, metavar="M", help="smooth by metres first (default: two cells for the picture)")


def composite(options: argparse.Namespace, progress: Progress) -> None:
    """Paint a DEM and write what was asked for."""
    asked = {name: getattr(options, name) for name in PRODUCTS if getattr(options, name)}
    for path in (options.output, *asked.values()):
        check_geotiff(path)
    with closing(open_source(options.image)) as opened, ExitStack() as files:
        source = elevations(opened, options)
        grid = source.grid
        region = Window(0, 0, grid.width, grid.height)
        if options.extent:
            region = over(grid, parse_box(options.extent).envelope(), _UNLIMITED, _UNLIMITED).window
        reader = ElevationReader(source, heights(options, options.band))
        settings = CompositeSettings(options.recipe, options.smoothing)
        run = produce(reader, Order(region, settings, tuple(asked), options.radius), progress)
        place = grid.window(region)
        picture = geotiff(options.output, place, "uint8", bands=3, nodata=run.rgb_nodata)
        writers: dict[str, GeoTiff] = {RGB: files.enter_context(picture)}
        for name, path in asked.items():
            writers[name] = files.enter_context(geotiff(path, place, "float32", nodata=run.nodata))
        for window, results in run:
            for name, values in results.items():
                writers[name].write(values, window)
    for doubt in run.doubts:
        say(sys.stderr, f"Warning: {doubt}")
    if not options.quiet:
        say(sys.stdout, f"{options.output}: {place.width} x {place.height} cells, {run.text}")


def elevations(source: RasterSource, options: argparse.Namespace) -> RasterSource:
    """Return the elevations of a source: its own, or those that its colours encode."""
    return source if options.encoding == NONE else EncodedSource(source, TerrainEncoding(options.encoding))


def heights(options: argparse.Namespace, band: int) -> ElevationSettings:
    """Return what the options say about heights."""
    return ElevationSettings(band, ElevationUnit(options.unit), options.factor, tuple(options.nodata))


def painted(source: RasterSource, options: argparse.Namespace, bands: Sequence[int] | None) -> RasterSource:
    """Return what ``segment`` looks at: the source itself, or the picture of its elevations.

    Raises
    ------
    SettingsError
        If an option says how to make a picture of something else.
    """
    if options.composite == NONE:
        return source
    if options.stretch or (bands and len(bands) > 1):
        raise SettingsError(
            f"--composite {options.composite} makes the picture itself.",
            hint="Leave --stretch out, and name at most one band: that of heights.",
        )
    settings = CompositeSettings(options.composite, options.smoothing)
    return CompositeSource(elevations(source, options), settings, heights(options, bands[0] if bands else 1))
