"""Elevation shown as colours: composites of height, slope and light over cones, craters, ridges and lakes."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas
from .shapes import blob
from .textures import Array, noise


def _cone(canvas: Canvas, height: Array, label: int) -> None:
    """Add a cone, with a crater by chance, and mark its foot."""
    rng = canvas.rng
    radius = canvas.size * np.exp(rng.uniform(np.log(0.06), np.log(0.4)))
    centre = tuple(rng.uniform(0.1, 0.9, 2) * canvas.size)
    everything = (slice(0, canvas.size), slice(0, canvas.size))
    u, v = canvas.local(everything, centre, rng.uniform(0, 3.1))
    turn = np.arctan2(v, u)
    lobes = sum(rng.normal(0, 0.12 / k) * np.cos(k * turn + rng.uniform(0, 6.3)) for k in range(1, 7))
    distance = np.hypot(u, v * rng.uniform(0.8, 1.25)) / (radius * (1 + lobes))
    relief = rng.uniform(1.5, 5.0) * np.clip(1 - distance, 0, None) ** rng.uniform(0.9, 1.8)
    mark = distance < 0.93
    if rng.random() < 0.5:
        rim = rng.uniform(0.12, 0.4)
        hole = np.clip(1 - distance / rim, 0, None)
        relief = np.minimum(relief, relief[mark].max() * (1 - rim) ** 1.2) - hole * rng.uniform(0.1, 1.0)
        canvas.extra[distance < rim] = canvas.new()
    height += relief * radius / canvas.size * 6
    canvas.labels[mark] = label


def relief(canvas: Canvas) -> None:
    """A composite of an elevation model in which landforms are the objects."""
    rng = canvas.rng
    shape = (canvas.size, canvas.size)
    height = noise(rng, shape, 4) * rng.uniform(0.2, 1.5) + noise(rng, shape, 3) * rng.uniform(0.0, 0.25)
    if rng.random() < 0.3:
        height = abs(height)
    for _ in range(int(rng.integers(1, 5))):
        _cone(canvas, height, canvas.new())
    for _ in range(int(rng.integers(0, 3))):
        where, mask = canvas.polygon(
            blob(rng, tuple(rng.uniform(0, canvas.size, 2)), canvas.size * rng.uniform(0.04, 0.15))
        )
        if mask.any():
            height[where][mask] = height[where][mask].min()
            canvas.labels[where][mask] = canvas.new()
    dy, dx = np.gradient(height * canvas.size * rng.uniform(0.02, 0.08))
    slope = np.arctan(np.hypot(dx, dy))
    light = np.clip((dx * canvas.sun[0] + dy * canvas.sun[1] + 0.8) / np.sqrt(1 + dx * dx + dy * dy), 0, None)
    bands = [_unit(height), _unit(slope), _unit(light), 1 - _unit(slope), _unit(np.arctan2(dy, dx))]
    if rng.random() < 0.35:
        canvas.rgb[:] = bands[int(rng.choice([1, 2, 2, 3]))][..., None]
        canvas.rgb += (bands[0][..., None] - 0.5) * rng.normal(0, 0.3, 3).astype(np.float32)
        return
    order = rng.choice(5, 3, p=[0.28, 0.24, 0.24, 0.18, 0.06], replace=False)
    canvas.rgb[:] = np.stack([bands[i] for i in order], 2)


def _unit(values: Array) -> Array:
    low, high = np.quantile(values[::4, ::4], (0.01, 0.99))
    return np.clip((values - low) / (high - low + 1e-6), 0, 1).astype(np.float32)
