"""The list of themes and the one call that renders a scene."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from . import abstract, buildings, forest, land, nature, streets, terrain, transport, works
from .canvas import Canvas, Kinds, Labels
from .textures import Array

THEMES: dict[str, tuple[float, Callable[[Canvas], None]]] = {
    "town": (0.20, buildings.town),
    "hall": (0.09, buildings.hall),
    "rows": (0.08, buildings.rows),
    "wetland": (0.13, nature.wetland),
    "woods": (0.11, nature.woods),
    "savanna": (0.07, nature.savanna),
    "fields": (0.12, land.fields),
    "pivots": (0.04, land.pivots),
    "orchard": (0.03, land.orchard),
    "harbour": (0.04, transport.harbour),
    "apron": (0.05, transport.apron),
    "plant": (0.06, works.plant),
    "park": (0.05, works.park),
    "leaves": (0.05, abstract.leaves),
    "nested": (0.05, abstract.nested),
    "relief": (0.05, terrain.relief),
}
MORE: dict[str, Callable[[Canvas], None]] = {"district": streets.district, "forest": forest.forest}
"""Themes that come only when they are asked for: the starter model was not trained on them."""


@dataclass(frozen=True)
class Scene:
    """A rendered scene, before the sensor."""

    rgb: Array
    """(S, S, 3), about 0..1."""
    labels: Labels
    """Object at each pixel (S, S); 0 is ground."""
    extra: Labels
    """Parts of objects or groups of them (S, S); 0 is none."""
    kinds: Kinds
    """What each pixel shows (S, S), a :class:`Kind`."""
    theme: str
    """Which theme it is."""


def render(seed: int, size: int = 320, theme: str | None = None) -> Scene:
    """A scene: the same for the same seed, size and theme. Without a theme, one of THEMES by its share."""
    rng = np.random.default_rng((20261120, seed))
    names = list(THEMES)
    weights = np.array([THEMES[name][0] for name in names])
    chosen = theme or str(rng.choice(names, p=weights / weights.sum()))
    canvas = Canvas(size, rng)
    paint = MORE[chosen] if chosen in MORE else THEMES[chosen][1]
    paint(canvas)
    return Scene(np.clip(canvas.rgb, 0, 1.2), canvas.labels, canvas.extra, canvas.kinds, chosen)
