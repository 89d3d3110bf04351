"""The command line: ``python -m prompt_segmenter.core.cli COMMAND``, segment and replay among them. Needs no QGIS.

Exit status: 0 done (also when nothing was found: the file is then empty), 1 with one sentence on stderr, 2 for usage,
130 when stopped with Ctrl+C. Progress and warnings go to stderr, what was asked for to stdout.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

from . import dem_command, landform_command, search_command
from .console import ConsoleProgress, say, stopping
from .errors import Cancelled, MissingCrsError, SegmentError, StoppedWaiting
from .model_command import add_models
from .models import catalogue
from .models.store import ModelStore
from .options import add_outline, add_pixels, outline_of, rgb_of, runtime_of, server_warnings
from .output import check_output, write
from .progress import Progress, SubProgress
from .prompt_options import add_prompts, prompts_of, tell
from .prompts.parse import joined_negatives, parse_box
from .prompts.prompt import PromptSet
from .raster.rgb import RgbSettings
from .raster.sources import open_source
from .replay_command import add_replay
from .samgis_command import add_samgis
from .session import SegmentationSession, SessionSettings
from .status import status_lines
from .terrain.composite import RECIPES
from .terrain.composite_source import CompositeSource
from .version import VERSION

_STOPPED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; those of the process where left out.
    """
    given = joined_negatives(list(sys.argv[1:] if arguments is None else arguments))
    options = build_parser().parse_args(given)
    progress = ConsoleProgress(sys.stderr, quiet=options.quiet)
    try:
        with stopping(progress):
            options.run(options, progress)
    except SegmentError as error:
        progress.done()
        asked = getattr(options, "pixel_space", False)
        way_out = " (--pixel-space)" if isinstance(error, MissingCrsError) and not asked else ""
        say(sys.stderr, f"Error: {error}{way_out}")
        return 1
    except Cancelled as stopped:
        progress.done()
        goes_on = f" {stopped}" if isinstance(stopped, StoppedWaiting) else ""
        say(sys.stderr, f"Stopped. Nothing was written.{goes_on}")
        return _STOPPED
    progress.done()
    return 0


def segment(options: argparse.Namespace, progress: Progress) -> None:
    """Segment what the options ask for and write the file."""
    check_output(options.output)
    objects = prompts_of(options)
    settings = SessionSettings(rgb_of(options), outline_of(options), resolution=options.resolution)
    with closing(open_source(options.image, pixel_space=options.pixel_space)) as opened:
        source = dem_command.painted(opened, options, settings.rgb.bands)
        if isinstance(source, CompositeSource):
            settings = replace(settings, rgb=RgbSettings())
        crs = options.crs or source.grid.crs
        sets = [PromptSet(prompts, crs, options.label) for prompts in objects]
        if options.extent:
            extent = parse_box(options.extent).transformed(crs, source.grid.crs).envelope()
            settings = replace(settings, extent=extent)
        for warning in server_warnings(options.model):
            say(sys.stderr, f"Warning: {warning}")
        model = ModelStore().load(options.model, settings=runtime_of(options), progress=SubProgress(progress, 0.0, 0.1))
        result = SegmentationSession(source, model, settings).segment(sets, SubProgress(progress, 0.1, 1.0))
    write(result, options.output)
    if isinstance(source, CompositeSource):
        result = replace(result, warnings=(*result.warnings, *source.doubts()))
    tell(result, options)


def show_status(options: argparse.Namespace, progress: Progress) -> None:
    """Print versions, where graphs run, and where the weights are."""
    for line in status_lines():
        say(sys.stdout, line)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="prompt_segmenter", description="From clicks and boxes on a raster to polygons with a score."
    )
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--quiet", action="store_true", help="no progress and no summary")
    _add_segment(commands.add_parser("segment", parents=[common], help="outline objects of a raster"))
    add_samgis(commands.add_parser("samgis", parents=[common], help="outline objects of a web map by a SamGIS server"))
    for name, command in search_command.COMMANDS.items():
        search_command.add_search(commands.add_parser(name, parents=[common], help=command.about), name)
    add_replay(commands.add_parser("replay", parents=[common], help="make results again and compare"))
    dem_command.add_composite(commands.add_parser("composite", parents=[common], help="make a picture of a DEM"))
    for name, about in landform_command.COMMANDS.items():
        landform_command.add_finder(commands.add_parser(name, parents=[common], help=about), name)
    add_models(commands.add_parser("models", parents=[common], help="list, fetch, import or register models"), common)
    status = commands.add_parser("status", parents=[common], help="versions, provider and folders")
    status.set_defaults(run=show_status)
    return parser


def _add_segment(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=segment)
    add = parser.add_argument
    add("image", metavar="IMAGE", help="raster file")
    add(
        "-o",
        "--output",
        required=True,
        metavar="FILE",
        help="what to write: .gpkg (raster's CRS) or .geojson (EPSG:4326)",
    )
    add_prompts(parser.add_argument_group("prompts"))
    _add_look(parser.add_argument_group("raster and model"))
    terrain = parser.add_argument_group("elevation raster")
    recipes = [dem_command.NONE, *RECIPES.names()]
    terrain.add_argument("--composite", choices=recipes, default=dem_command.NONE, help="look at a picture of heights")
    dem_command.add_heights(terrain)
    add_outline(parser.add_argument_group("outline"))


def _add_look(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--model", default=catalogue.DEFAULT, metavar="NAME", help="see 'models' (default: %(default)s)")
    add("--extent", metavar="L,B,R,T", help="look at this part (default: around the prompts)")
    add("--resolution", type=float, metavar="UNITS", help="CRS units per pixel to look at")
    add_pixels(group)


if __name__ == "__main__":
    sys.exit(main())
