"""Prompt sets from plain coordinates, for scripts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .box import BoxPrompt
from .point import PointPrompt
from .prompt import Prompt, PromptSet


def prompts(
    *,
    include: Iterable[Sequence[float]] = (),
    exclude: Iterable[Sequence[float]] = (),
    box: Sequence[float] | None = None,
    crs: str | None = None,
    label: str = "",
) -> PromptSet:
    """Return the prompts of one object.

    Parameters
    ----------
    include, exclude : iterable of (x, y)
        Clicks on the object, and on what is not it, in map coordinates.
    box : (left, bottom, right, top), optional
        Encloses the object.
    crs : str, optional
        Authority code or WKT of the coordinates; None for pixel space.
    label : str
        Class or name of the object.

    Raises
    ------
    PromptError
        If a coordinate is not finite or the box is empty or inverted.

    Examples
    --------
    >>> prompts(include=[(12.5, 46.1)], box=(12, 46, 13, 47), crs="EPSG:4326").describe()
    '+12.5,46.1 [12,46,13,47] EPSG:4326'
    """
    kinds: list[Prompt] = [PointPrompt(float(x), float(y)) for x, y in include]
    kinds += [PointPrompt(float(x), float(y), include=False) for x, y in exclude]
    if box is not None:
        left, bottom, right, top = map(float, box)
        kinds.append(BoxPrompt(left, bottom, right, top))
    return PromptSet(tuple(kinds), crs, label)
