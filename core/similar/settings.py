"""What may be chosen about finding similar objects."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..errors import SettingsError


@dataclass(frozen=True)
class SimilarSettings:
    """How similar objects are looked for; what is kept of them is chosen afterwards, by their similarity."""

    floor: float = 0.02
    """Objects of a lower similarity are never given, whatever threshold is chosen afterwards."""
    reach: float = 0.0
    """How like the examples a place has to be for the click model to be asked there: 0 as what is around them, 1 as
    they. Lower finds more and takes longer."""
    duplicate_iou: float = 0.5
    """Of two outlines that overlap by more than this, the one less like the examples is left out."""

    def __post_init__(self) -> None:
        for name, value in (("floor", self.floor), ("duplicate_iou", self.duplicate_iou)):
            if not 0.0 <= value <= 1.0:
                raise SettingsError(f"SimilarSettings.{name} is {value}.", hint="Give a number from 0 to 1.")
        if not math.isfinite(self.reach):
            raise SettingsError(f"SimilarSettings.reach is {self.reach}.", hint="Give a number, for example 0.")
