"""The commands that look for many objects: ``text``, ``everything`` and ``similar``."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from dataclasses import dataclass, replace

from .console import say
from .errors import EmptyPromptError
from .everything import EverythingSettings
from .models import catalogue
from .models.store import ModelStore
from .options import add_outline, add_pixels, outline_of, rgb_of, runtime_of, server_warnings
from .outlines.results import SegmentationResult
from .outlines.stored import read_results
from .output import check_output, write
from .progress import Progress
from .prompts.parse import parse_box, parse_point
from .prompts.prompt import PromptSet
from .prompts.shape import ShapePrompt
from .raster.source import RasterSource
from .raster.sources import open_source
from .scan import OverlapRule, ScanSettings
from .search import (
    AS_FOUND,
    POINT,
    WORDS,
    Machine,
    Wanted,
    WantedEverything,
    WantedSimilar,
    WantedWords,
    at_least,
    require_installed,
    require_similarity,
    require_whole,
    search,
)
from .similar import DEFAULT_SIMILARITY
from .words import parse_phrases


@dataclass(frozen=True)
class _Command:
    about: str
    kind: str
    """What its models take."""


COMMANDS = {
    "text": _Command("outline all objects that words name", WORDS),
    "everything": _Command("outline all objects", POINT),
    "similar": _Command("outline all objects like one or more examples", POINT),
}
"""The commands, by their names."""


def add_search(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the options of one command."""
    command = COMMANDS[name]
    parser.set_defaults(run=run, command=name)
    add = parser.add_argument
    add("image", metavar="IMAGE", help="raster file")
    add("-o", "--output", required=True, metavar="FILE", help=".gpkg (raster's CRS) or .geojson (EPSG:4326)")
    default = ModelStore().names(command.kind)[0]
    add("--model", default=default, metavar="NAME", help="see 'models' (default: %(default)s)")
    if name == "text":
        add("--prompt", required=True, metavar="WORDS", help='one or several: "building; tree; swimming pool"')
        about = f"the click model that outlines each object again, or {AS_FOUND} (default: %(default)s)"
        add("--outlines-by", default=catalogue.DEFAULT, metavar="NAME", help=about)
    if name == "everything":
        step = EverythingSettings.step_px
        add("--step", type=int, default=step, metavar="PX", help="distance of points (default: %(default)s)")
    if name == "similar":
        _add_examples(parser.add_argument_group("examples"))
    _add_scan(parser.add_argument_group("search"))
    add_pixels(parser.add_argument_group("raster and machine"))
    add_outline(parser.add_argument_group("outline"), of_found=True)


def run(options: argparse.Namespace, progress: Progress) -> None:
    """Search for what the options ask for and write the file."""
    check_output(options.output)
    if options.command == "similar":
        require_similarity(options.similarity)
    machine = Machine(ModelStore(), runtime_of(options))
    with closing(open_source(options.image, pixel_space=options.pixel_space)) as source:
        crs = options.crs or source.grid.crs
        settings = _settings(options, source, crs)
        wanted = _wanted(options, crs)
        require_installed(wanted, machine)
        if options.command == "similar":
            require_whole(settings, options.similarity)
        if options.confidence is None:
            settings = replace(settings, confidence=wanted.confidence(machine.store))
        for warning in server_warnings(*wanted.models):
            say(sys.stderr, f"Warning: {warning}")
        result = search(source, wanted, settings, machine, progress)
    if options.command == "similar":
        result = at_least(result, options.similarity)
    write(result, options.output)
    _tell(result, options)


def _add_examples(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    for name, what in (("example", "an example"), ("counter-example", "what looks similar but is not meant")):
        add(f"--{name}", action="append", default=[], metavar="X,Y", help=f"a point on {what}; may be repeated")
        add(f"--{name}-box", action="append", default=[], metavar="L,B,R,T", help=f"a box around {what}")
        add(f"--{name}s", metavar="FILE", help="polygons of a .geojson or .gpkg file, as 'segment' writes it")
    add(
        "--similarity",
        type=float,
        default=DEFAULT_SIMILARITY,
        metavar="S",
        help="least similarity, 0 to 1 (default: %(default)s)",
    )


def _add_scan(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--extent", metavar="L,B,R,T", help="search this part (default: the whole raster)")
    add("--crs", metavar="EPSG:N", help="CRS of coordinates (default: the raster's)")
    add("--resolution", type=float, metavar="UNITS", help="CRS units per pixel to look at")
    add("--confidence", type=float, metavar="C", help="least score, 0 to 1 (default: what suits the model)")
    add("--min-size", type=float, default=0.0, metavar="M2", help="leave smaller objects out")
    add("--max-size", type=float, metavar="M2", help="leave larger objects out")
    rules = [rule.value for rule in OverlapRule]
    add("--overlaps", choices=rules, default=OverlapRule.BEST.value, help="(default: %(default)s)")
    add("--window", type=int, metavar="PX", help="side of the pieces of a large extent (default: the model's)")
    add("--keep-on-stop", action="store_true", help="on Ctrl+C write what was found until then")


def _wanted(options: argparse.Namespace, crs: str | None) -> Wanted:
    if options.command == "text":
        outliner = "" if options.outlines_by == AS_FOUND else options.outlines_by
        return WantedWords(parse_phrases(options.prompt), options.model, outliner)
    if options.command == "everything":
        settings = EverythingSettings(step_px=options.step, min_score=options.confidence)
        return WantedEverything(options.model, settings)
    examples = _examples(options.example, options.example_box, options.examples, crs)
    if not examples:
        raise EmptyPromptError(
            "There is no example of what to look for.", hint="Give --example X,Y, --example-box or --examples FILE."
        )
    counter = _examples(options.counter_example, options.counter_example_box, options.counter_examples, crs)
    return WantedSimilar(options.model, examples, counter)


def _examples(points: list[str], boxes: list[str], file: str | None, crs: str | None) -> tuple[PromptSet, ...]:
    sets = [PromptSet((parse_point(text),), crs) for text in points]
    sets += [PromptSet((parse_box(text),), crs) for text in boxes]
    if file is not None:
        stored = (each for each in read_results(file) if each.geometry is not None)
        parts = ((part, each.crs) for each in stored for part in getattr(each.geometry, "geoms", [each.geometry]))
        sets += [PromptSet((ShapePrompt.of(part),), shapes_crs) for part, shapes_crs in parts]
    return tuple(sets)


def _settings(options: argparse.Namespace, source: RasterSource, crs: str | None) -> ScanSettings:
    extent = None
    if options.extent:
        extent = parse_box(options.extent).transformed(crs, source.grid.crs).envelope()
    return ScanSettings(
        rgb=rgb_of(options),
        outline=outline_of(options),
        extent=extent,
        resolution=options.resolution,
        window_px=options.window,
        confidence=0.0 if options.confidence is None else options.confidence,
        min_area_m2=options.min_size,
        max_area_m2=options.max_size,
        overlaps=OverlapRule(options.overlaps),
        keep_on_cancel=options.keep_on_stop,
    )


def _tell(result: SegmentationResult, options: argparse.Namespace) -> None:
    for warning in result.warnings:
        say(sys.stderr, f"Warning: {warning}")
    if options.quiet:
        return
    labels = [polygon.label for polygon in result.polygons]
    for label in dict.fromkeys(labels):
        if label:
            say(sys.stdout, f"{label}: {labels.count(label)}")
    count = len(result.polygons)
    say(sys.stdout, f"{options.output}: {count} polygon{'' if count == 1 else 's'} in {result.elapsed_s:.2f} s")
