"""Trees, woods, ponds, rivers and clouds."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas
from .kinds import Kind, ground
from .shapes import blob, ribbon
from .textures import GRASSES, SOILS, TREES, WATERS, Array, Rng, noise, pick, stained


def crown(
    canvas: Canvas,
    centre: tuple[float, float],
    radius: float,
    *,
    label: int,
    extra: int = 0,
    colour: Array | None = None,
) -> None:
    """Paint one tree crown with its shadow."""
    rng = canvas.rng
    if radius < 1.5:
        return
    colour = pick(rng, TREES) if colour is None else colour
    where, mask = canvas.polygon(blob(rng, centre, radius, rough=rng.uniform(0.06, 0.22), falloff=0.9))
    if not mask.any():
        return
    canvas.shadow(where, mask, radius * rng.uniform(0.0, 1.1))
    u, v = canvas.local(where, centre, 0.0)
    dome = -(u * canvas.sun[0] + v * canvas.sun[1]) / radius
    fall = np.clip((u * u + v * v) / radius**2, 0, 1.3)
    clumps = noise(rng, mask.shape, 2 if radius > 25 else 1) * rng.uniform(0.08, 0.35)
    light = 1 + rng.uniform(0.1, 0.5) * dome - rng.uniform(0, 0.25) * fall + clumps
    if rng.random() < 0.5:
        light += noise(rng, mask.shape, 0) * rng.uniform(0.05, 0.35)
    patch = colour * np.clip(light, 0.15, 2.0)[..., None]
    patch += noise(rng, mask.shape, 3)[..., None] * rng.normal(0, 0.02, 3)
    if rng.random() < 0.35:
        gaps = noise(rng, mask.shape, 1) + 0.8 * fall > rng.uniform(1.6, 2.6)
        patch[gaps] = canvas.rgb[where][gaps] * 0.7 + patch[gaps] * 0.3
    canvas.paint(where, mask, patch.astype(np.float32), label=label, extra=extra, kind=Kind.TREE)


def _toned(rng: Rng, colour: Array, near: Array | None) -> Array:
    """The colour, drawn towards that of the ground, as crowns in haze or on grass are."""
    if near is None:
        return colour
    return np.asarray(
        near + (colour * near.mean() / colour.mean() - near) * rng.uniform(0.2, 0.9), np.float32
    ) * np.float32(rng.uniform(0.75, 1.2))


def grove(canvas: Canvas, centre: tuple[float, float], radius: float, spread: float) -> None:
    """Several crowns that touch: each an object, and the group too."""
    rng = canvas.rng
    group = canvas.new()
    colour = pick(rng, TREES)
    for _ in range(int(rng.integers(2, 14))):
        place = rng.normal(0, spread, 2) + centre
        tint = colour * np.float32(rng.uniform(0.8, 1.2)) + rng.normal(0, 0.02, 3).astype(np.float32)
        crown(canvas, tuple(place), radius * rng.uniform(0.5, 1.3), label=canvas.new(), extra=group, colour=tint)


def water(canvas: Canvas, points: Array, *, colour: Array | None = None) -> int:
    """Paint still water inside an outline, often with a lighter or darker shore; returns its label."""
    rng = canvas.rng
    colour = pick(rng, WATERS) if colour is None else colour
    where, mask = canvas.polygon(points)
    if not mask.any():
        return 0
    if rng.random() < 0.6:
        _shore(canvas, points)
    patch = stained(rng, mask.shape, colour, rng.uniform(0.005, 0.06))
    if rng.random() < 0.3:
        glint = noise(rng, mask.shape, 1) * rng.uniform(0.01, 0.06)
        patch += glint[..., None]
    if rng.random() < 0.35:
        patch += (
            np.clip(noise(rng, mask.shape, 3) - 0.4, 0, 1)[..., None]
            * (pick(rng, GRASSES) - patch)
            * rng.uniform(0.1, 0.6)
        )
    label = canvas.new()
    canvas.paint(where, mask, patch.astype(np.float32), label=label, kind=Kind.WATER)
    return label


def _shore(canvas: Canvas, points: Array) -> None:
    """A rim of mud, sand or reed around water."""
    rng = canvas.rng
    middle = points.mean(0)
    rim = middle + (points - middle) * np.float32(rng.uniform(1.03, 1.35)) + rng.normal(0, 2.0, 2).astype(np.float32)
    where, mask = canvas.polygon(rim.astype(np.float32))
    if not mask.any():
        return
    rim_of = ground(rng, (*SOILS, *GRASSES, (214, 206, 190), (60, 60, 44)))
    keep = mask & (noise(rng, mask.shape, 2) > rng.uniform(-2.5, 0.2))
    canvas.paint(where, keep, stained(rng, mask.shape, rim_of.colour, 0.1), label=0, kind=rim_of.kind)


def wetland(canvas: Canvas) -> None:
    """Ponds, lakes and creeks in open land."""
    rng = canvas.rng
    canvas.ground(ground(rng, (*GRASSES, *SOILS)), rng.uniform(0.04, 0.18))
    for _ in range(int(rng.integers(1, 4))):
        canvas.mottle(ground(rng, (*GRASSES, *SOILS)), rng.uniform(0.1, 0.6), rng.uniform(0.3, 0.9))
    if rng.random() < 0.4:
        band, _ = ribbon(rng, canvas.size, rng.uniform(0.015, 0.12) * canvas.size, rng.uniform(0.05, 0.25))
        water(canvas, band)
    shared = pick(rng, WATERS) if rng.random() < 0.5 else None
    for _ in range(int(rng.integers(2, 10))):
        radius = canvas.size * rng.choice([0.04, 0.08, 0.15, 0.25]) * rng.uniform(0.7, 1.4)
        outline = blob(
            rng,
            tuple(rng.uniform(0, canvas.size, 2)),
            radius,
            rough=rng.uniform(0.1, 0.5),
            falloff=rng.uniform(1.0, 1.6),
        )
        water(canvas, outline, colour=shared)
    for _ in range(int(rng.integers(0, 6))):
        grove(canvas, tuple(rng.uniform(0, canvas.size, 2)), canvas.size * rng.uniform(0.01, 0.04), canvas.size * 0.05)
    if rng.random() < 0.25:
        clouds(canvas)


def woods(canvas: Canvas) -> None:
    """Crowns, from scattered to a closed canopy."""
    rng = canvas.rng
    canvas.ground(ground(rng, (*GRASSES, *SOILS, *GRASSES)), rng.uniform(0.05, 0.2))
    canvas.mottle(ground(rng, (*GRASSES, *SOILS)), rng.uniform(0.1, 0.6))
    radius = canvas.size * rng.uniform(0.025, 0.16)
    near = canvas.rgb.mean((0, 1)) if rng.random() < 0.45 else None
    kinds = [_toned(rng, pick(rng, TREES), near) for _ in range(int(rng.integers(1, 4)))]
    close = rng.random()
    count = int((canvas.size / radius) ** 2 * rng.uniform(0.05, 0.5) * close) + 2
    for _ in range(min(count, 160)):
        colour = kinds[rng.integers(len(kinds))] * np.float32(rng.uniform(0.75, 1.25))
        size = radius * rng.uniform(0.5, 1.4)
        crown(canvas, tuple(rng.uniform(0, canvas.size, 2)), size, label=canvas.new(), colour=colour.astype(np.float32))
    for _ in range(int(rng.integers(0, 4))):
        grove(canvas, tuple(rng.uniform(0, canvas.size, 2)), radius * 0.7, radius * rng.uniform(0.6, 1.5))


def savanna(canvas: Canvas) -> None:
    """Few trees that stand alone in grass or soil of nearly their colour, each beside its own clear shadow."""
    rng = canvas.rng
    canvas.ground(ground(rng, (*GRASSES, *SOILS, *GRASSES)), rng.uniform(0.02, 0.12))
    canvas.mottle(ground(rng, (*GRASSES, *SOILS)), rng.uniform(0.05, 0.5), rng.uniform(0.2, 0.8))
    canvas.darkness = float(rng.uniform(0.2, 0.6))
    near = canvas.rgb.mean((0, 1))
    radius = canvas.size * rng.uniform(0.04, 0.2)
    for _ in range(int(rng.integers(2, 10))):
        colour = _toned(rng, pick(rng, TREES), near if rng.random() < 0.7 else None)
        size, place = radius * rng.uniform(0.6, 1.3), rng.uniform(0, canvas.size, 2)
        crown(canvas, tuple(place), size, label=canvas.new(), colour=colour.astype(np.float32))


def clouds(canvas: Canvas) -> None:
    """Soft bright clouds with their shadows; the opaque part is an object."""
    rng = canvas.rng
    shape = (canvas.size, canvas.size)
    thick = np.clip(
        (noise(rng, shape, 4) + 0.35 * noise(rng, shape, 2) - rng.uniform(0.8, 1.8)) * rng.uniform(0.8, 2.5), 0, 1
    )
    shift = int(rng.integers(5, 40))
    dark = np.roll(thick, (int(canvas.sun[1] * shift), int(canvas.sun[0] * shift)), (0, 1))
    canvas.rgb *= (1 - 0.5 * dark)[..., None]
    canvas.rgb += (np.float32(rng.uniform(0.85, 1.0)) - canvas.rgb) * thick[..., None]
    opaque = thick > 0.5
    canvas.labels[opaque] = canvas.new()
    canvas.extra[opaque] = 0
    canvas.kinds[opaque] = Kind.CLOUD
