"""The command ``samgis``: objects of a web map, outlined by a SamGIS server that fetches the map itself."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from .console import say
from .errors import PromptError
from .map_server import WGS84, MapServer, MapServerSettings, require_server
from .options import add_outline, outline_of
from .output import check_output, write
from .progress import Progress
from .prompt_options import add_prompts, prompts_of, tell
from .prompts.parse import parse_box
from .prompts.prompt import PromptSet
from .remote.address import SAMGIS_VARIABLES, ServerAddress, Servers, warnings_of
from .remote.samgis_sources import DEFAULT_SOURCE


def add_samgis(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.set_defaults(run=outline_on_map)
    add = parser.add_argument
    add("-o", "--output", required=True, metavar="FILE", help="what to write: .gpkg or .geojson (EPSG:4326)")
    add("--server", metavar="URL", help=f"the SamGIS server (default: {SAMGIS_VARIABLES[0]})")
    look = parser.add_argument_group("map")
    add = look.add_argument
    add("--source-type", default=DEFAULT_SOURCE, metavar="NAME", help="map in xyzservices (default: %(default)s)")
    add("--zoom", type=int, metavar="Z", help="zoom level (default: what shows the extent or the boxes)")
    add("--resolution", type=float, metavar="M", help="metres on the ground per pixel, in place of --zoom")
    add("--extent", metavar="L,B,R,T", help="what the server looks at (default: around the prompts)")
    add("--words", action="append", default=[], metavar="TEXT", help="what to look for in --extent; may be repeated")
    add("--words-route", default=Servers.samgis_words_route, metavar="PATH", help="(default: %(default)s)")
    add("--keep-shift", action="store_true", help="leave SamGIS's shift of half a pixel in")
    add_prompts(parser.add_argument_group("prompts"), crs=WGS84)
    add_outline(parser.add_argument_group("outline"))


def outline_on_map(options: argparse.Namespace, progress: Progress) -> None:
    """Outline what the options ask for and write the file."""
    check_output(options.output)
    objects = prompts_of(options)
    if options.words and any(objects):
        raise PromptError("Words and prompts are two questions.", hint="Leave one of them out.")
    servers = replace(
        Servers.from_environment(), samgis_words_route=options.words_route, samgis_correct_shift=not options.keep_shift
    )
    if options.server:
        servers = replace(servers, samgis=ServerAddress(options.server))
    settings = MapServerSettings(
        crs=options.crs,
        source_type=options.source_type,
        zoom=options.zoom,
        resolution_m=options.resolution,
        extent=parse_box(options.extent).envelope() if options.extent else None,
        outline=outline_of(options),
    )
    server = MapServer(servers, settings)
    for warning in warnings_of(require_server(servers)):
        say(sys.stderr, f"Warning: {warning}")
    if options.words:
        result = server.find_words(options.words, progress)
    else:
        result = server.segment([PromptSet(prompts, options.crs, options.label) for prompts in objects], progress)
    write(result, options.output)
    tell(result, options)
