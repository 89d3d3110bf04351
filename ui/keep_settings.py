"""What the user wants to happen when an object is kept."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class OverlapRule(Enum):
    """What happens where the target layer already has a polygon."""

    ALLOW = "allow"
    """The object is kept as it is."""
    SKIP = "skip"
    """It is not kept."""
    CLIP = "clip"
    """It is kept without the part that is there already."""


@dataclass(frozen=True)
class KeepSettings:
    """How objects are kept."""

    overlap: OverlapRule = OverlapRule.ALLOW
    """Where a polygon already is."""
    merge_touching: bool = False
    """Make one polygon of the object and those that it touches."""
    label: str = ""
    """Class or name; may be empty."""
