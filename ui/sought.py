"""A search as a page of the panel asks for it: the core's part, and what people see of it."""

from __future__ import annotations

from dataclasses import dataclass

from ..core.scan import OverlapRule
from ..core.search import Machine, Wanted, WantedOnMap


@dataclass(frozen=True)
class Search:
    """What a page looks for."""

    wanted: Wanted | WantedOnMap
    """The core's."""
    machine: Machine
    """Where its models come from and run."""
    name: str
    """What the layer is called."""
    title: str
    """What the task manager calls the search."""
    suggestion: str
    """What to try if nothing is found."""
    measure: str = "score"
    """What the threshold is about."""
    labels: tuple[str, ...] = ()
    """Labels that are looked for."""
    each_its_own: bool = False
    """True if objects have nothing in common that a colour could say."""
    overlaps: OverlapRule | None = None
    """In place of the user's general choice."""
    is_remote: bool = False
    """True if a server does the work."""
