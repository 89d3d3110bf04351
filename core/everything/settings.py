"""What the user may choose about finding everything."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..errors import SettingsError


@dataclass(frozen=True)
class EverythingSettings:
    """How closely everything is looked for, and what counts as an object."""

    step_px: int = 16
    """Distance of the finest points that may be asked, in pixels that are read. Objects smaller than it can be missed.
    Coarser points come first, and finer ones only where these leave something open."""
    patience: float = 2.5
    """How little may be expected of a point that is asked, as log-odds against an object: more finds a little more, in
    more time."""
    min_score: float | None = None
    """Least score of what is given; None for what suits the model. Below that, what is vague is given too, and scores
    less for it; not what is too large for a close look."""
    min_stability: float | None = None
    """Least IoU of the outlines at a higher and a lower threshold; None for what suits the model."""
    min_size_px: int = 24
    """Least size of an object, in pixels that are read. Limits in square metres are the scan's."""
    max_share: float = 0.6
    """What covers more of the picture than this is its background."""
    ask_again: bool = True
    """Give sure answers with vague outlines back to the model, where it takes its own answers."""
    grid: int | None = None
    """Ask each point of a grid of so many by so many cells, at every ground width, and skip nothing: slow, and there to
    be measured against."""

    def __post_init__(self) -> None:
        for name, least in (("step_px", 1), ("min_size_px", 1), ("grid", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise SettingsError(f"{name} is {value}.", hint=f"Give a whole number of at least {least}.")
        if not self.patience > 0.0:
            raise SettingsError(f"patience is {self.patience}.", hint="Give a positive number; 2.5 is usual.")
        for name in ("min_score", "min_stability", "max_share"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and 0.0 <= value <= 1.0):
                raise SettingsError(f"{name} is {value}.", hint="Give a number from 0 to 1.")
