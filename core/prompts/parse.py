"""Prompts from text, as people type them on a command line: "x,y" and "left,bottom,right,top"."""

from __future__ import annotations

import re

from ..errors import PromptError
from .box import BoxPrompt
from .point import PointPrompt

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.ASCII | re.IGNORECASE)
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
