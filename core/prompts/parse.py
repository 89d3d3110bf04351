"""Prompts from text: as people type them on a command line, and as results keep them in their field ``prompts``."""

from __future__ import annotations

import re

from ..errors import PromptError
from ..raster import crs as crs_maths
from .box import BoxPrompt
from .point import PointPrompt
from .prompt import Prompt, PromptSet
from .shape import ShapePrompt

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.ASCII | re.IGNORECASE)
_DESCRIBED = re.compile(r"\s*(?:([+-][^\s{\[]+)|\[([^\]]*)\]|\{([^}]*)\})(?=\s)")
_PIXELS = "pixels"
_ARGUMENT = re.compile(r"-(\d|\.\d)", re.ASCII)


def parse_point(text: str, *, include: bool = True) -> PointPrompt:
    """Return the click written as "x,y".

    Raises
    ------
    PromptError
        If the text isn't two finite numbers divided by a comma.

    Examples
    --------
    >>> parse_point("-71.2, 46.8")
    PointPrompt(x=-71.2, y=46.8, include=True)
    """
    x, y = _numbers(text, 2, "point", "x,y, for example 12.5,46.1")
    return PointPrompt(x, y, include)


def parse_box(text: str) -> BoxPrompt:
    """Return the box written as "left,bottom,right,top".

    Raises
    ------
    PromptError
        If the text isn't four finite numbers divided by commas, or the box is empty or inverted.

    Examples
    --------
    >>> parse_box("12,46,13,47").envelope()
    (12.0, 46.0, 13.0, 47.0)
    """
    left, bottom, right, top = _numbers(text, 4, "box", "left,bottom,right,top, for example 12,46,13,47")
    return BoxPrompt(left, bottom, right, top)


def parse_prompts(text: str, *, crs: str | None = None) -> PromptSet:
    """Return the prompts that :meth:`PromptSet.describe` wrote, in their order.

    Parameters
    ----------
    text : str
        Prompts and their CRS: "+x,y" includes, "-x,y" excludes, "[left,bottom,right,top]" is a box, "{WKT}" a shape.
    crs : str, optional
        The raster's CRS, for prompts whose CRS has no code and is given by its name alone.

    Raises
    ------
    PromptError
        If the text can't be understood, or names a CRS that is neither a code nor the raster's.

    Examples
    --------
    >>> parse_prompts("+12.5,46.1 -12.6,46.1 [12,46,13,47] EPSG:4326").describe()
    '+12.5,46.1 -12.6,46.1 [12,46,13,47] EPSG:4326'
    """
    found: list[Prompt] = []
    end = 0
    while match := _DESCRIBED.match(text, end):
        point, box, shape = match.groups()
        if point is not None:
            found.append(parse_point(point[1:], include=point[0] == "+"))
        else:
            found.append(ShapePrompt(shape) if box is None else parse_box(box))
        end = match.end()
    name = text[end:].strip()
    if not found or not name:
        shown = text if len(text) <= 60 else f"{text[:57]}..."
        raise PromptError(
            f"The prompts '{shown}' can't be understood.",
            hint="Write them as in the field 'prompts' of a result: +x,y -x,y [left,bottom,right,top] EPSG:n.",
        )
    return PromptSet(tuple(found), _named_crs(name, crs))


def _named_crs(name: str, crs: str | None) -> str | None:
    """Return the CRS that a set's text ends with."""
    if name == _PIXELS:
        return None
    if crs is not None and name == crs_maths.title(crs):
        return crs
    if name.startswith("'"):
        raise PromptError(
            f"The prompts are in the CRS {name}, which has no code and is not the raster's.",
            hint="Use the raster that they were made on, or write their CRS as a code such as EPSG:4326.",
        )
    crs_maths.parse(name)
    return name


def joined_negatives(arguments: list[str]) -> list[str]:
    """Return command-line arguments with "--name -1,2" as "--name=-1,2": argparse takes "-1,2" for an option.

    Examples
    --------
    >>> joined_negatives(["--include", "-71.2,46.8", "-o", "out.gpkg"])
    ['--include=-71.2,46.8', '-o', 'out.gpkg']
    """
    joined: list[str] = []
    for argument in arguments:
        if _ARGUMENT.match(argument) and joined and re.fullmatch(r"--[a-z][a-z-]*", joined[-1]):
            joined[-1] = f"{joined[-1]}={argument}"
        else:
            joined.append(argument)
    return joined


def _numbers(text: str, count: int, what: str, form: str) -> list[float]:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != count or not all(_NUMBER.fullmatch(part) for part in parts):
        shown = text if len(text) <= 60 else f"{text[:57]}..."
        raise PromptError(
            f"The {what} '{shown}' can't be understood.", hint=f"Write it as {form}, with points as decimal marks."
        )
    return [float(part) for part in parts]
