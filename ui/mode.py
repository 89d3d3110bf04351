"""What a click means."""

from __future__ import annotations

from enum import Enum


class Mode(Enum):
    """How clicks become objects; the values are what settings remember."""

    ONE_OBJECT = "one_object"
    """All clicks belong to the object that is being outlined, until it is kept or dropped."""
    EACH_CLICK = "each_click"
    """Each left click keeps the object before and begins the next one."""
