"""Industry and leisure: tanks, silos, solar panels, pools, courts and pitches."""

from __future__ import annotations

import numpy as np

from .buildings import roof
from .canvas import Canvas
from .kinds import Kind, ground
from .nature import crown
from .shapes import blob, box, ellipse
from .textures import GRASSES, PAVED, SOILS, any_colour, drawn, pick, stained
from .transport import road, vehicle

_PANELS = ((40, 50, 76), (30, 36, 50), (70, 80, 110))


def tank(canvas: Canvas, centre: tuple[float, float], radius: float) -> int:
    """Paint a round storage tank with its rim, shadow and sometimes a floating roof; returns its label."""
    rng = canvas.rng
    where, mask = canvas.polygon(ellipse(centre, 2 * radius, 2 * radius, 0.0))
    if not mask.any():
        return 0
    canvas.shadow(where, mask, radius * rng.uniform(0.1, 1.0))
    colour = pick(
        rng, ((230, 230, 226), (200, 200, 198), (170, 168, 160), (120, 120, 120), (150, 110, 90), (90, 100, 110))
    )
    u, v = canvas.local(where, centre, 0.0)
    distance = np.hypot(u, v)
    patch = stained(rng, mask.shape, colour, 0.04)
    patch *= (1 - rng.uniform(-0.1, 0.25) * (u * canvas.sun[0] + v * canvas.sun[1]) / radius)[..., None]
    if rng.random() < 0.5:
        inner = distance < radius * rng.uniform(0.7, 0.95)
        patch[inner] *= rng.uniform(0.6, 1.15)
        moon = inner & (np.hypot(u - canvas.sun[0] * 0.3 * radius, v - canvas.sun[1] * 0.3 * radius) > radius * 0.85)
        patch[moon] *= rng.uniform(0.4, 1.0)
    if rng.random() < 0.6:
        patch[distance > radius * 0.93] *= rng.uniform(0.7, 1.3)
    label = canvas.new()
    canvas.paint(where, mask, patch.astype(np.float32), label=label, kind=Kind.TANK)
    for _ in range(int(rng.integers(0, 3))):
        angle = rng.uniform(0, 6.3)
        spot, bar = canvas.polygon(
            box(
                (centre[0] + 0.4 * radius * np.cos(angle), centre[1] + 0.4 * radius * np.sin(angle)),
                radius,
                max(1.0, 0.05 * radius),
                angle,
            )
        )
        canvas.paint(spot, bar & (canvas.labels[spot] == label), any_colour(rng))
    return label


def pool(canvas: Canvas, centre: tuple[float, float], size: float) -> int:
    """Paint a swimming pool in its paving; returns the label of the water."""
    rng = canvas.rng
    angle = rng.uniform(0, 3.1)
    wide = size * rng.uniform(0.35, 0.8)
    outline = (
        box(centre, size, wide, angle) if rng.random() < 0.6 else blob(rng, centre, size / 2, rough=0.15, falloff=1.8)
    )
    where, mask = canvas.polygon((np.array(centre) + (outline - centre) * rng.uniform(1.1, 1.6)).astype(np.float32))
    canvas.paint(where, mask, stained(rng, mask.shape, pick(rng, PAVED), 0.04), label=0, kind=Kind.PAVED)
    where, mask = canvas.polygon(outline)
    label = canvas.new()
    water = pick(rng, ((70, 190, 210), (50, 150, 190), (110, 210, 220), (40, 120, 150), (60, 130, 120)))
    canvas.paint(where, mask, stained(rng, mask.shape, water, 0.05), label=label, kind=Kind.POOL)
    return label


def court(canvas: Canvas, centre: tuple[float, float], length: float, angle: float) -> int:
    """Paint a sports court or pitch with its lines, sometimes in a running track; returns its label."""
    rng = canvas.rng
    width = length * rng.uniform(0.45, 0.7)
    if rng.random() < 0.25:
        where, mask = canvas.polygon(ellipse(centre, length * 1.5, width * 1.6, angle))
        track = stained(rng, mask.shape, pick(rng, ((170, 90, 70), (150, 120, 100))), 0.05)
        canvas.paint(where, mask, track, label=canvas.new(), kind=Kind.COURT)
    colour = pick(
        rng,
        ((90, 140, 80), (60, 110, 150), (170, 96, 76), (70, 120, 80), (120, 150, 90), (60, 90, 70), (196, 150, 110)),
    )
    where, mask = canvas.polygon(box(centre, length, width, angle))
    if not mask.any():
        return 0
    label = canvas.new()
    u, v = canvas.local(where, centre, angle)
    patch = stained(rng, mask.shape, colour, rng.uniform(0.02, 0.08))
    inner = (abs(u) < length * 0.4) & (abs(v) < width * 0.36)
    if rng.random() < 0.4:
        patch[inner] = stained(rng, mask.shape, any_colour(rng), 0.03)[inner]
    if rng.random() < 0.3:
        patch[np.sin(u * 2 * np.pi / (length * 0.12)) > 0] *= 1.06
    thick = max(0.6, length * 0.008)
    lines = (abs(abs(u) - length * 0.4) < thick) & (abs(v) < width * 0.36) | (abs(abs(v) - width * 0.36) < thick) & (
        abs(u) < length * 0.4
    )
    lines |= (abs(u + 0 * v) < thick) & (abs(v) < width * 0.36) | (abs(np.hypot(u, v) - width * 0.15) < thick)
    if rng.random() < 0.8:
        patch[lines] = rng.uniform(0.75, 1.0)
    canvas.paint(where, mask, patch.astype(np.float32), label=label, kind=Kind.COURT)
    return label


def panels(canvas: Canvas) -> None:
    """Rows of solar panels or greenhouses: each row an object, the field a group."""
    rng = canvas.rng
    angle, centre = rng.uniform(0, 3.1), rng.uniform(0.3, 0.7, 2) * canvas.size
    length, step = rng.uniform(0.2, 0.7) * canvas.size, rng.uniform(0.04, 0.15) * canvas.size
    colour, source = drawn(rng, (*_PANELS, (210, 214, 214), (180, 190, 186)))
    kind = Kind.PANEL if source in _PANELS else Kind.UNSURE  # greenhouses are pale
    group = canvas.new()
    for index in range(-int(rng.integers(1, 6)), int(rng.integers(1, 6))):
        place = centre + index * step * np.array((-np.sin(angle), np.cos(angle)))
        outline = box(tuple(place), length, step * rng.uniform(0.45, 0.8), angle)
        where, mask = canvas.polygon(outline)
        if not mask.any():
            continue
        canvas.shadow(where, mask, step * 0.15)
        u, _ = canvas.local(where, tuple(place), angle)
        patch = stained(rng, mask.shape, colour, 0.04)
        patch[(u % max(4.0, step * 0.5)) < 0.8] *= 1.3
        canvas.paint(where, mask, patch, label=canvas.new(), extra=group, kind=kind)


def plant(canvas: Canvas) -> None:
    """An industrial site: tanks in rows, halls, yards, lorries."""
    rng = canvas.rng
    canvas.ground(ground(rng, (*PAVED, *SOILS, *GRASSES)), rng.uniform(0.04, 0.12))
    canvas.mottle(ground(rng, (*SOILS, *PAVED, *GRASSES)), rng.uniform(0.1, 0.5))
    if rng.random() < 0.6:
        road(canvas, width=rng.uniform(5, 30))
    if rng.random() < 0.3:
        panels(canvas)
    angle = rng.uniform(0, 3.1)
    for _ in range(int(rng.integers(0, 4))):
        length = rng.uniform(0.12, 0.4) * canvas.size
        style = str(rng.choice(["flat", "gable", "sheets"]))
        roof(
            canvas,
            tuple(rng.uniform(0, 1, 2) * canvas.size),
            length,
            length * rng.uniform(0.3, 0.9),
            angle,
            style=style,
            height=length * rng.uniform(0.05, 0.2),
        )
    radius = canvas.size * rng.uniform(0.02, 0.16)
    for row in range(int(rng.integers(1, 5))):
        start = rng.uniform(0, 1, 2) * canvas.size
        for column in range(int(rng.integers(1, 5))):
            along = np.array((np.cos(angle), np.sin(angle))) * column * radius * 2.6
            tank(canvas, tuple(start + along + row), radius * (rng.uniform(0.5, 1.1) if rng.random() < 0.3 else 1.0))
    for _ in range(int(rng.integers(0, 16))):
        vehicle(canvas, tuple(rng.uniform(0, canvas.size, 2)), rng.uniform(6, 24), angle + rng.choice([0, 1.57]))


def park(canvas: Canvas) -> None:
    """Lawns with courts, pitches, pools, paths and trees."""
    rng = canvas.rng
    canvas.ground(ground(rng, (*GRASSES, *PAVED)), rng.uniform(0.04, 0.12))
    canvas.mottle(ground(rng, (*GRASSES, *SOILS)), rng.uniform(0.1, 0.5))
    for _ in range(int(rng.integers(0, 3))):
        road(canvas, width=rng.uniform(2, 16))
    angle, length = rng.uniform(0, 3.1), canvas.size * rng.uniform(0.08, 0.45)
    for _ in range(int(rng.integers(1, 6))):
        court(
            canvas,
            tuple(rng.uniform(0.1, 0.9, 2) * canvas.size),
            length * rng.uniform(0.8, 1.2),
            angle + rng.choice([0, 1.57]),
        )
    for _ in range(int(rng.integers(0, 6))):
        pool(canvas, tuple(rng.uniform(0.05, 0.95, 2) * canvas.size), canvas.size * rng.uniform(0.04, 0.16))
    for _ in range(int(rng.integers(0, 3))):
        size = canvas.size * rng.uniform(0.08, 0.25)
        roof(
            canvas,
            tuple(rng.uniform(0, 1, 2) * canvas.size),
            size,
            size * 0.7,
            angle,
            style=str(rng.choice(["hip", "flat", "gable"])),
            height=size * 0.2,
        )
    radius = canvas.size * rng.uniform(0.02, 0.07)
    for _ in range(int(rng.integers(0, 30))):
        crown(canvas, tuple(rng.uniform(0, canvas.size, 2)), radius * rng.uniform(0.5, 1.3), label=canvas.new())
