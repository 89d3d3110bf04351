"""Prompts on the command line, and what is said of the polygons that came of them."""

from __future__ import annotations

import argparse
import sys
from math import isfinite

from .console import say
from .errors import PromptError
from .outlines.results import SegmentationResult
from .prompts.box import BoxPrompt
from .prompts.parse import parse_box, parse_point
from .prompts.point import PointPrompt
from .prompts.prompt import Prompt


def add_prompts(group: argparse._ArgumentGroup, *, crs: str | None = None) -> None:
    """Add the options that say where objects are; ``crs`` is that of the coordinates if it is no raster's."""
    add = group.add_argument
    add("--include", action="append", default=[], metavar="X,Y", help="a point on the object; may be repeated")
    add("--exclude", action="append", default=[], metavar="X,Y", help="a point beside it; may be repeated")
    add(
        "--box", action="append", default=[], metavar="L,B,R,T", help="encloses the object; several are several objects"
    )
    usual = crs or "the raster's"
    add("--crs", metavar="EPSG:N", default=crs, help=f"CRS of the coordinates (default: {usual})")
    add("--each-point", action="store_true", help="every include point is an object of its own")
    add("--label", default="", metavar="TEXT", help="class or name written into the field 'label'")


def prompts_of(options: argparse.Namespace) -> list[tuple[Prompt, ...]]:
    """Return the prompts of each object.

    Raises
    ------
    PromptError
        If one can't be read, or what belongs together can't be told.
    """
    include = [parse_point(text) for text in options.include]
    exclude = [parse_point(text, include=False) for text in options.exclude]
    boxes = [parse_box(text) for text in options.box]
    return _objects(include, exclude, boxes, each_point=options.each_point)


def tell(result: SegmentationResult, options: argparse.Namespace) -> None:
    """Say what was found, and what the user should know about it."""
    for warning in result.warnings:
        say(sys.stderr, f"Warning: {warning}")
    if options.quiet:
        return
    unit, length = ("m2", "m") if result.crs else ("px2", "px")
    for polygon in result.polygons:
        say(
            sys.stdout,
            f"Object {polygon.object}: {_score(polygon.score)}area {polygon.area_m2:.1f} {unit}, "
            f"perimeter {polygon.perimeter_m:.1f} {length}",
        )
    count = len(result.polygons)
    say(sys.stdout, f"{options.output}: {count} polygon{'' if count == 1 else 's'} in {result.elapsed_s:.2f} s")


def _objects(
    include: list[PointPrompt], exclude: list[PointPrompt], boxes: list[BoxPrompt], *, each_point: bool
) -> list[tuple[Prompt, ...]]:
    """Return the prompts of each object; exclude points count for all of them."""
    if include and boxes and (each_point or len(boxes) > 1):
        raise PromptError(
            "Which include point goes with which box can't be told for several objects.",
            hint="Give one box with its points, or run once for each object.",
        )
    if each_point:
        alone: list[Prompt] = [*include, *boxes]
        return [(prompt, *exclude) for prompt in alone] or [tuple(exclude)]
    if len(boxes) > 1:
        return [(box, *exclude) for box in boxes]
    return [(*include, *exclude, *boxes)]


def _score(value: float) -> str:
    """Return the score as it is said; nothing where the model gives none."""
    return f"score {value:.2f}, " if isfinite(value) else ""
