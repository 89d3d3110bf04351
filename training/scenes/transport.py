"""Roads, vehicles, ships and planes."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas
from .kinds import Kind, ground
from .shapes import box, ellipse, ribbon, turned
from .textures import PAVED, SOILS, VEHICLES, WATERS, Array, any_colour, noise, pick, stained


def road(canvas: Canvas, *, width: float, colour: Array | None = None) -> int:
    """Paint a road across the canvas, with markings by chance; returns its label."""
    rng = canvas.rng
    colour = pick(rng, (*PAVED, *PAVED, *SOILS)) if colour is None else colour
    band, middle = ribbon(rng, canvas.size, width, rng.choice([0.0, 0.0, 0.05, 0.15]))
    where, mask = canvas.polygon(band)
    label = canvas.new()
    canvas.paint(where, mask, stained(rng, mask.shape, colour, rng.uniform(0.02, 0.08)), label=label, kind=Kind.ROAD)
    if width > 8 and rng.random() < 0.5:
        step = int(rng.integers(2, 5))
        for a, b in zip(middle[::step], middle[1::step]):
            spot, line = canvas.polygon(
                box(tuple((a + b) / 2), float(np.hypot(*(b - a))), 1.4, float(np.arctan2(*(b - a)[::-1])))
            )
            canvas.paint(spot, line, np.float32([0.85, 0.85, 0.8]))
    return label


def vehicle(canvas: Canvas, centre: tuple[float, float], length: float, angle: float) -> int:
    """Paint a car, van or lorry; returns its label."""
    rng = canvas.rng
    if length < 4:
        return 0
    width = length * rng.uniform(0.3, 0.48)
    where, mask = canvas.polygon(box(centre, length, width, angle))
    if not mask.any():
        return 0
    canvas.shadow(where, mask, length * rng.uniform(0.05, 0.25))
    colour = pick(rng, VEHICLES)
    label = canvas.new()
    canvas.paint(where, mask, stained(rng, mask.shape, colour, 0.04), label=label, kind=Kind.VEHICLE)
    u, v = canvas.local(where, centre, angle)
    glass = (abs(abs(u - 0.05 * length) - 0.2 * length) < 0.06 * length) & (abs(v) < 0.38 * width) & mask
    canvas.rgb[where][glass] = np.float32(rng.uniform(0.08, 0.25))
    return label


def ship(canvas: Canvas, centre: tuple[float, float], length: float, angle: float) -> int:
    """Paint a hull with deck and often a wake; returns its label."""
    rng = canvas.rng
    half, beam = length / 2, length * rng.uniform(0.12, 0.3) / 2
    hull = np.array(
        [
            (half, 0),
            (half * 0.6, beam),
            (-half * 0.9, beam),
            (-half, beam * 0.6),
            (-half, -beam * 0.6),
            (-half * 0.9, -beam),
            (half * 0.6, -beam),
        ]
    )
    if rng.random() < 0.4:
        tail = np.array([(-half, 0), (-half * 4, beam * 2.5), (-half * 4, -beam * 2.5)], np.float32)
        where, mask = canvas.polygon(turned(tail, angle, centre))
        foam = mask & (noise(rng, mask.shape, 1) > 0.2)
        canvas.paint(where, foam, canvas.rgb[where] * 0.5 + 0.35)
    where, mask = canvas.polygon(turned(hull.astype(np.float32), angle, centre))
    if not mask.any():
        return 0
    canvas.shadow(where, mask, length * rng.uniform(0, 0.08))
    label = canvas.new()
    canvas.paint(where, mask, stained(rng, mask.shape, any_colour(rng), 0.06), label=label, kind=Kind.SHIP)
    for _ in range(int(rng.integers(1, 6))):
        spot = turned(np.array([(rng.uniform(-0.8, 0.6) * half, 0)], np.float32), angle, centre)[0]
        cabin, inside = canvas.polygon(
            box(tuple(spot), length * rng.uniform(0.05, 0.2), beam * rng.uniform(0.6, 1.5), angle)
        )
        canvas.paint(cabin, inside & (canvas.labels[cabin] == label), any_colour(rng))
    return label


def plane(canvas: Canvas, centre: tuple[float, float], length: float, angle: float) -> int:
    """Paint an aeroplane: fuselage, swept wings, tail; returns its label."""
    rng = canvas.rng
    half, girth = length / 2, length * rng.uniform(0.09, 0.14)
    sweep, span = rng.uniform(0.0, 0.35) * length, rng.uniform(0.35, 0.55) * length
    root = rng.uniform(0.08, 0.16) * length
    parts = [ellipse(centre, length, girth, angle)]
    for side in (-1, 1):
        wing = [(root, 0), (root * 0.5 - sweep, side * span), (-sweep - root * 0.2, side * span), (-root, 0)]
        tail = [(-half * 0.7, 0), (-half * 0.95, side * span * 0.35), (-half, side * span * 0.35), (-half * 0.95, 0)]
        parts += [turned(np.array(p, np.float32), angle, centre) for p in (wing, tail)]
    label = canvas.new()
    colour = pick(rng, ((235, 235, 235), (200, 204, 210), (240, 240, 236), (120, 124, 130), (90, 100, 90)))
    shapes = [canvas.polygon(part) for part in parts]
    for where, mask in shapes:
        canvas.shadow(where, mask, length * rng.uniform(0.02, 0.12))
    for where, mask in shapes:
        canvas.paint(where, mask, stained(rng, mask.shape, colour, 0.03), label=label, kind=Kind.PLANE)
    return label


def harbour(canvas: Canvas) -> None:
    """Water with ships, and a quay by chance."""
    rng = canvas.rng
    canvas.ground(ground(rng, WATERS), rng.uniform(0.01, 0.06))
    if rng.random() < 0.6:
        where, mask = canvas.polygon(
            box(
                tuple(rng.choice([0, canvas.size], 2)),
                canvas.size * rng.uniform(0.5, 1.4),
                canvas.size * 0.8,
                rng.uniform(0, 3.1),
            )
        )
        quay = stained(rng, mask.shape, pick(rng, PAVED), 0.08)
        canvas.paint(where, mask, quay, label=canvas.new(), kind=Kind.PAVED)
    length, angle = canvas.size * rng.uniform(0.06, 0.45), rng.uniform(0, 6.3)
    moored = rng.random() < 0.5
    for _ in range(int(rng.integers(2, 16))):
        turn = angle + (rng.normal(0, 0.05) if moored else rng.uniform(0, 6.3))
        ship(canvas, tuple(rng.uniform(0.05, 0.95, 2) * canvas.size), length * rng.uniform(0.4, 1.2), turn)


def apron(canvas: Canvas) -> None:
    """Paved ground with planes or rows of vehicles."""
    rng = canvas.rng
    canvas.ground(ground(rng, PAVED), rng.uniform(0.03, 0.1))
    if rng.random() < 0.5:
        canvas.mottle(ground(rng, SOILS), 0.2)
    for _ in range(int(rng.integers(0, 3))):
        road(canvas, width=rng.uniform(3, 40))
    angle, flying = rng.uniform(0, 6.3), rng.random() < 0.5
    size = canvas.size * (rng.uniform(0.12, 0.5) if flying else rng.uniform(0.03, 0.14))
    columns = int(canvas.size / size)
    for row in range(columns):
        for column in range(columns):
            if rng.random() < 0.45:
                continue
            centre = (
                (column + 0.5) * size * 1.2 + rng.normal(0, 1),
                (row + 0.5) * size * (1.1 if flying else 0.7) + rng.normal(0, 1),
            )
            if flying:
                plane(canvas, centre, size * rng.uniform(0.7, 1.1), angle + rng.normal(0, 0.15))
            else:
                vehicle(canvas, centre, size * rng.uniform(0.8, 1.0), angle + rng.normal(0, 0.05))
