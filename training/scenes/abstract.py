"""Scenes of no place: overlapping shapes of any texture, and things made of parts. They teach outlines as such."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas
from .kinds import Kind
from .shapes import blob, box, crooked, ellipse
from .textures import Array, any_colour, noise, stained


def _outline(canvas: Canvas, centre: tuple[float, float], radius: float) -> Array:
    rng = canvas.rng
    kind = rng.integers(4)
    angle = rng.uniform(0, 3.1)
    if kind == 0:
        return blob(rng, centre, radius, rough=rng.uniform(0.05, 0.5), falloff=rng.uniform(0.9, 1.6))
    if kind == 1:
        return box(centre, 2 * radius, 2 * radius * rng.uniform(0.15, 1.0), angle)
    if kind == 2:
        return ellipse(centre, 2 * radius, 2 * radius * rng.uniform(0.3, 1.0), angle)
    return crooked(rng, centre, radius)


def _texture(canvas: Canvas, where: tuple[slice, slice], shape: tuple[int, int]) -> Array:
    rng = canvas.rng
    patch = stained(rng, shape, any_colour(rng), rng.uniform(0.01, 0.25))
    if rng.random() < 0.3:
        u, v = canvas.local(where, (0.0, 0.0), rng.uniform(0, 3.1))
        period = rng.uniform(3, 24)
        wave = np.sin(u * 2 * np.pi / period) * (np.sin(v * 2 * np.pi / period) if rng.random() < 0.3 else 1.0)
        patch = patch + (wave + 0 * v)[..., None] * rng.normal(0, 0.08, 3)
    if rng.random() < 0.3:
        u, v = canvas.local(where, (canvas.size / 2, canvas.size / 2), rng.uniform(0, 6.3))
        patch = patch * (1 + rng.uniform(0, 0.8) * (u + 0 * v) / canvas.size)[..., None]
    if rng.random() < 0.2:
        patch = patch + (noise(rng, shape, 1) > 1.0)[..., None] * rng.normal(0, 0.2, 3)
    return np.asarray(patch, np.float32)


def leaves(canvas: Canvas) -> None:
    """Shapes that hide one another, large ones first."""
    rng = canvas.rng
    everything = (slice(0, canvas.size), slice(0, canvas.size))
    canvas.rgb[:] = _texture(canvas, everything, (canvas.size, canvas.size))
    canvas.kinds[:] = Kind.UNSURE
    shaded = rng.random() < 0.4
    for radius in sorted(
        canvas.size * np.exp(rng.uniform(np.log(0.03), np.log(0.4), int(rng.integers(6, 30)))), reverse=True
    ):
        centre = tuple(rng.uniform(0, canvas.size, 2))
        where, mask = canvas.polygon(_outline(canvas, centre, radius))
        if not mask.any():
            continue
        if shaded:
            canvas.shadow(where, mask, radius * 0.2)
        canvas.paint(where, mask, _texture(canvas, where, mask.shape), label=canvas.new(), kind=Kind.UNSURE)


def nested(canvas: Canvas) -> None:
    """Things made of parts of different colours: the whole is the object, a part may be asked for with more prompts."""
    rng = canvas.rng
    everything = (slice(0, canvas.size), slice(0, canvas.size))
    canvas.rgb[:] = _texture(canvas, everything, (canvas.size, canvas.size))
    canvas.kinds[:] = Kind.UNSURE
    for _ in range(int(rng.integers(2, 9))):
        radius = canvas.size * np.exp(rng.uniform(np.log(0.06), np.log(0.35)))
        centre = tuple(rng.uniform(0.05, 0.95, 2) * canvas.size)
        where, mask = canvas.polygon(_outline(canvas, centre, radius))
        if not mask.any():
            continue
        if rng.random() < 0.5:
            canvas.shadow(where, mask, radius * rng.uniform(0.05, 0.3))
        label, colour = canvas.new(), any_colour(rng)
        canvas.paint(where, mask, stained(rng, mask.shape, colour, 0.06), label=label, kind=Kind.UNSURE)
        for _ in range(int(rng.integers(1, 6))):
            u, v = canvas.local(where, centre, rng.uniform(0, 6.3))
            split = (u > rng.uniform(-0.6, 0.6) * radius) & (abs(v) < radius * rng.uniform(0.2, 2.0)) & mask
            tint = colour * np.float32(rng.uniform(0.6, 1.4)) + rng.normal(0, 0.05, 3).astype(np.float32)
            canvas.paint(where, split, stained(rng, mask.shape, tint.astype(np.float32), 0.06), extra=canvas.new())
