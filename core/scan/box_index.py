"""Which boxes of a lattice meet a box: cells of equal size, each with what reaches into it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from ..outlines.runs import Box

CELL_PX = 256


class Boxed(Protocol):
    """What has a box, and a number that puts it in order."""

    @property
    def box(self) -> Box:
        """The pixels that enclose it."""

    @property
    def order(self) -> int:
        """Unlike that of everything else in the same index."""


T = TypeVar("T", bound=Boxed)


class BoxIndex(Generic[T]):
    """Things with boxes, found by the ground they lie on."""

    def __init__(self) -> None:
        self._cells: defaultdict[tuple[int, int], dict[int, T]] = defaultdict(dict)

    def add(self, thing: T) -> None:
        """Take a thing in."""
        for cell in _cells(thing.box):
            self._cells[cell][thing.order] = thing

    def remove(self, thing: T) -> None:
        """Let a thing go; nothing happens if it is not there."""
        for cell in _cells(thing.box):
            held = self._cells.get(cell)
            if held is not None:
                held.pop(thing.order, None)
                if not held:
                    del self._cells[cell]

    def meeting(self, box: Box) -> list[T]:
        """Return the things whose boxes share pixels with a box, by their order."""
        near: dict[int, T] = {}
        for cell in _cells(box):
            near.update(self._cells.get(cell, {}))
        return [near[order] for order in sorted(near) if meet(near[order].box, box)]


def meet(one: Box, other: Box) -> bool:
    """Return True if two boxes share pixels."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def common(one: Box, other: Box) -> Box:
    """Return what two boxes that meet have in common."""
    return max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])


def _cells(box: Box) -> Iterator[tuple[int, int]]:
    left, top, right, bottom = box
    for row in range(top // CELL_PX, (bottom - 1) // CELL_PX + 1):
        for col in range(left // CELL_PX, (right - 1) // CELL_PX + 1):
            yield col, row
