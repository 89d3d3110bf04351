"""Which word is right for which kind of pixel, and where nobody could say."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ..scenes.canvas import Kinds
from ..scenes.kinds import Kind

CELL = 4
"""Pixels for each cell of the features."""
_YES: dict[str, tuple[Kind, ...]] = {
    "building": (Kind.BUILDING,),
    "tree": (Kind.TREE,),
    "grass": (Kind.GRASS,),
    "field": (Kind.FIELD,),
    "bare soil": (Kind.SOIL,),
    "water": (Kind.WATER, Kind.POOL),
    "pool": (Kind.POOL,),
    "road": (Kind.ROAD,),
    "pavement": (Kind.PAVED,),
    "vehicle": (Kind.VEHICLE,),
    "boat": (Kind.SHIP,),
    "airplane": (Kind.PLANE,),
    "tank": (Kind.TANK,),
    "sports ground": (Kind.COURT,),
    "solar panel": (Kind.PANEL,),
    "cloud": (Kind.CLOUD,),
}
WORDS = tuple(_YES)
"""The words in the order of the head's output: that of ``core/models/synonyms.py``."""
_EITHER: dict[str, tuple[Kind, ...]] = {
    "building": (Kind.TANK,),
    "grass": (Kind.FIELD, Kind.COURT),
    "bare soil": (Kind.FIELD, Kind.ROAD),
    "water": (Kind.SHIP,),
    "pavement": (Kind.ROAD,),
}
"""What a word may or may not be used for: a ploughed field is bare soil to some."""


def tables() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Two tables (words, kinds): 1 where the word is right, and 1 where it can be said whether it is."""
    right = np.zeros((len(WORDS), len(Kind)), np.float32)
    known = np.ones((len(WORDS), len(Kind)), np.float32)
    known[:, Kind.UNSURE] = 0
    for row, word in enumerate(WORDS):
        right[row, list(_YES[word])] = 1
        known[row, list(_EITHER.get(word, ()))] = 0
    return right, known


def shares(kinds: Kinds) -> NDArray[np.uint8]:
    """Share of each kind in each cell (kinds, H/4, W/4), 0..255."""
    height, width = kinds.shape[0] // CELL, kinds.shape[1] // CELL
    planes = [
        cv2.resize((kinds == kind).astype(np.float32), (width, height), interpolation=cv2.INTER_AREA) for kind in Kind
    ]
    return (np.stack(planes) * 255 + 0.5).astype(np.uint8)
