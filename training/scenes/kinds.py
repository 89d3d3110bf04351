"""What a pixel of a scene shows: the classes that words ask for, kept beside the objects' labels."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from .textures import GRASSES, PAVED, SOILS, WATERS, Array, Rng, drawn


class Kind(IntEnum):
    """What a pixel shows."""

    OTHER = 0
    """Nothing that has a word here."""
    BUILDING = 1
    TREE = 2
    GRASS = 3
    FIELD = 4
    SOIL = 5
    WATER = 6
    POOL = 7
    ROAD = 8
    PAVED = 9
    VEHICLE = 10
    SHIP = 11
    PLANE = 12
    TANK = 13
    COURT = 14
    PANEL = 15
    CLOUD = 16
    UNSURE = 17
    """Nobody could say: left out of training and measurement."""


class Ground(NamedTuple):
    """A colour of the ground and what it shows."""

    colour: Array
    kind: Kind


_KINDS = {
    colour: kind
    for palette, kind in (
        (SOILS, Kind.SOIL),
        (GRASSES, Kind.GRASS),
        (PAVED, Kind.PAVED),
        (WATERS, Kind.WATER),
    )
    for colour in palette
}


def ground(rng: Rng, palette: tuple[tuple[int, int, int], ...]) -> Ground:
    """A colour near one of the palette's, like ``pick``, and what it shows: soil, grass, paving, water, or unsure."""
    colour, source = drawn(rng, palette)
    return Ground(colour, _KINDS.get(source, Kind.UNSURE))
