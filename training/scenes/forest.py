"""A closed forest as words need it: crowns that touch, with deep gaps between them."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas
from .kinds import ground
from .nature import crown
from .shapes import ribbon
from .textures import GRASSES, SOILS, TREES, pick
from .transport import road

_MOST = 260
"""Crowns that are painted at most."""


def forest(canvas: Canvas) -> None:
    """Crowns on a jittered lattice over undergrowth, often with a clearing, sometimes with a road."""
    rng = canvas.rng
    canvas.ground(ground(rng, (*GRASSES, *SOILS)), rng.uniform(0.05, 0.2))
    canvas.mottle(ground(rng, (*GRASSES, *SOILS)), rng.uniform(0.1, 0.6))
    canvas.darkness = float(rng.uniform(0.15, 0.6))
    if rng.random() < 0.25:
        road(canvas, width=rng.uniform(4, 24))
    radius = canvas.size * rng.uniform(0.035, 0.13)
    step = radius * rng.uniform(1.25, 1.9)
    kinds = [pick(rng, (*TREES, *GRASSES[:3]), 0.04) * np.float32(rng.uniform(0.9, 1.5)) for _ in range(3)]
    band, _ = ribbon(rng, canvas.size, canvas.size * rng.uniform(0.15, 0.6), 0.2)
    where, clearing = canvas.polygon(band)
    open_land = np.zeros((canvas.size, canvas.size), bool)
    open_land[where] = clearing & (rng.random() < 0.5)
    side = int(canvas.size / step) + 1
    for index in rng.permutation(side * side)[:_MOST]:
        x, y = (np.array(divmod(int(index), side)) + rng.normal(0.5, 0.25, 2)) * step
        inside = open_land[int(np.clip(y, 0, canvas.size - 1)), int(np.clip(x, 0, canvas.size - 1))]
        if inside or rng.random() < 0.06:
            continue
        colour = kinds[rng.integers(len(kinds))] * np.float32(rng.uniform(0.75, 1.3))
        crown(canvas, (x, y), radius * rng.uniform(0.6, 1.25), label=canvas.new(), colour=colour.astype(np.float32))
