"""Roofs: gable, hip, flat, corrugated and patched, single or composed of wings; and towns of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .canvas import Canvas, Mask
from .kinds import Kind, ground
from .nature import crown
from .shapes import box
from .textures import GRASSES, PAVED, ROOFS, SOILS, Array, any_colour, noise, pick, stained
from .transport import road, vehicle

Place = tuple[Array, Array]
"""Coordinates (u, v) of pixels from the middle of something, along and across it."""


@dataclass(frozen=True)
class Wing:
    """A rectangle that is part of a house."""

    u: float
    """Its middle along the house."""
    v: float
    """Its middle across the house."""
    length: float
    width: float
    angle: float
    """Direction of the house."""

    def covers(self, u: Array, v: Array) -> Mask:
        """Which places of the house's own axes it covers."""
        covered: Mask = (abs(u - self.u) <= self.length / 2) & (abs(v - self.v) <= self.width / 2)
        return covered


def wings(canvas: Canvas, length: float, width: float, angle: float) -> list[Wing]:
    """The rectangles that a house is made of: one, or an L, T, U or stepped plan."""
    rng = canvas.rng
    plan = [Wing(0.0, 0.0, length, width, angle)]
    kind = rng.random()
    if kind < 0.5:
        return plan
    side = rng.choice([-1, 1])
    end = rng.choice([-1, 1])
    depth, span = width * rng.uniform(0.3, 0.9), length * rng.uniform(0.25, 0.55)
    shift = end * (length - span) / 2 if kind < 0.85 else rng.uniform(-0.3, 0.3) * length
    plan.append(Wing(shift, side * (width + depth) / 2 * 0.98, span, depth, angle))
    if kind > 0.75:
        away = side * (width + depth * 0.8) / 2 * 0.98
        plan.append(Wing(-shift, away, span * rng.uniform(0.5, 1), depth * 0.8, angle))
    return plan


def roof(
    canvas: Canvas, centre: tuple[float, float], length: float, width: float, angle: float, *, style: str, height: float
) -> int:
    """Paint one building with its shadow; returns its label."""
    rng = canvas.rng
    plan = wings(canvas, length, width, angle)
    reach = max(float(np.hypot(abs(w.u) + w.length / 2, abs(w.v) + w.width / 2)) for w in plan)
    corner = np.array([(centre[0] - reach, centre[1] - reach), (centre[0] + reach, centre[1] + reach)], np.float32)
    where = canvas.window(corner)
    u, v = canvas.local(where, centre, angle)
    if not u.size or not v.size:
        return 0
    masks = [wing.covers(u, v) for wing in plan]
    outline: Mask = np.logical_or.reduce(masks)
    if not outline.any():
        return 0
    canvas.shadow(where, outline, height)
    label = canvas.new()
    colour = pick(rng, ROOFS)
    for index, (wing, mask) in enumerate(zip(plan, masks)):
        if style == "patched" and index and rng.random() < 0.7:
            colour = pick(rng, ROOFS)
        place = (u - wing.u, v - wing.v)
        patch = _surface(canvas, place, wing, colour, style)
        canvas.paint(where, mask, patch, label=label, extra=canvas.new(), kind=Kind.BUILDING)
        if style in ("patched", "sheets") and rng.random() < 0.55:
            _sections(canvas, where, mask, place, wing)
    if style == "flat":
        _clutter(canvas, where, outline, u, v)
    return label


def _surface(canvas: Canvas, place: Place, wing: Wing, colour: Array, style: str) -> Array:
    """Colours (h, w, 3) of one wing's roof."""
    rng = canvas.rng
    (u, v), length, width, angle = place, wing.length, wing.width, wing.angle
    if width > length:
        u, v, length, width, angle = v, -u, width, length, angle + np.pi / 2
    shape = np.broadcast_shapes(u.shape, v.shape)
    u, v = np.broadcast_to(u, shape), np.broadcast_to(v, shape)
    patch = stained(rng, shape, colour, rng.uniform(0.02, 0.12))
    contrast = rng.uniform(0.05, 0.3)
    if style == "flat":
        rim = np.minimum(length / 2 - abs(u), width / 2 - abs(v)) < max(1.0, 0.05 * width)
        patch[rim] *= 1 + rng.normal(0, 0.2)
        return patch
    ridge = rng.uniform(-0.12, 0.12) * width
    light = np.where(v > ridge, canvas.shade(angle + np.pi / 2), canvas.shade(angle - np.pi / 2))
    if style == "hip":
        end = (length / 2 - abs(u)) < (width / 2 - abs(v))
        light = np.where(end, np.where(u > 0, canvas.shade(angle), canvas.shade(angle + np.pi)), light)
    patch = patch * (1 + contrast * light.astype(np.float32))[..., None]
    if rng.random() < 0.6:
        patch[abs(v - ridge) < max(0.6, width * 0.02)] *= 1 + rng.normal(0.05, 0.2)
    if style in ("sheets", "patched"):
        patch = _sheets(canvas, patch, (u, v - ridge), width, style)
    elif rng.random() < 0.5:
        pitch = max(2.0, width * rng.uniform(0.03, 0.1))
        patch *= (1 + rng.uniform(0.02, 0.1) * np.sin(v * 2 * np.pi / pitch))[..., None]
    return patch.astype(np.float32)


def _sheets(canvas: Canvas, patch: Array, place: Place, width: float, style: str) -> Array:
    """Corrugated sheets, each with its own wear, and some of another material."""
    rng = canvas.rng
    u, v = place
    pitch = max(2.0, width * rng.uniform(0.05, 0.25))
    index = (np.floor(u / pitch).astype(int) % 37) * 2 + (v > 0)
    if rng.random() < 0.4:
        index = index + 80 * (np.floor(abs(v) / (width * rng.uniform(0.15, 0.3))).astype(int) % 3)
    wear = rng.normal(0, rng.uniform(0.03, 0.2), 400).astype(np.float32)[index]
    patch = patch * (1 + wear)[..., None]
    if style == "patched" or rng.random() < 0.4:
        other = rng.random(400) < rng.uniform(0.05, 0.4)
        rust = np.array((0.48, 0.27, 0.18), np.float32) * np.float32(rng.uniform(0.7, 1.3))
        strength = other[index] * np.float32(rng.uniform(0.3, 0.9)) * np.clip(0.7 + 0.4 * noise(rng, u.shape, 2), 0, 1)
        patch = patch + (rust - patch) * strength[..., None]
    if rng.random() < 0.5:
        patch *= (1 + rng.uniform(0.02, 0.1) * np.sin(u * 2 * np.pi / max(2.0, pitch * 0.3)))[..., None]
    return np.asarray(patch, np.float32)


def _sections(canvas: Canvas, where: tuple[slice, slice], mask: Mask, place: Place, wing: Wing) -> None:
    """Cover some lengths of a wing, or one side of its ridge, with another material: still the same building."""
    rng = canvas.rng
    u, v = place
    for _ in range(int(rng.integers(1, 4))):
        low = rng.uniform(-0.6, 0.4) * wing.length
        section = mask & (u > low) & (u < low + rng.uniform(0.15, 0.6) * wing.length)
        if rng.random() < 0.5:
            section &= v > rng.uniform(-0.2, 0.2) * wing.width
        patch = _surface(canvas, place, wing, pick(rng, ROOFS), "sheets")
        canvas.paint(where, section, patch, extra=canvas.new())


def _clutter(canvas: Canvas, where: tuple[slice, slice], outline: Mask, u: Array, v: Array) -> None:
    """Machines, hatches and panels on a flat roof: part of the building."""
    rng = canvas.rng
    span = float(np.sqrt(outline.sum()))
    for _ in range(int(rng.integers(0, 7))):
        a, b = rng.uniform(-0.5, 0.5, 2) * span
        w, h = rng.uniform(0.03, 0.16, 2) * span
        unit = (abs(u - a) < w / 2 + 0.7) & (abs(v - b) < h / 2 + 0.7) & outline
        canvas.rgb[where][unit] = any_colour(rng)


def town(canvas: Canvas) -> None:
    """Streets on a slanted grid with houses along them: suburb, slum or city by chance."""
    rng = canvas.rng
    canvas.ground(ground(rng, (*SOILS, *GRASSES, *PAVED)), rng.uniform(0.05, 0.15))
    canvas.mottle(ground(rng, (*GRASSES, *SOILS)), rng.uniform(0.1, 0.6))
    angle = rng.uniform(0, np.pi)
    house = rng.uniform(0.08, 0.32) * canvas.size
    gap = house * rng.choice([0.03, 0.12, 0.3, 0.7])
    styles = rng.choice(["gable", "hip", "flat", "sheets", "patched"], 2)
    for _ in range(int(rng.integers(0, 3))):
        road(canvas, width=rng.uniform(0.15, 0.5) * house)
    _rubble(canvas, house)
    trees = rng.uniform(0, 1.0)
    aspect = rng.uniform(0.5, 1.0)
    rows = int(canvas.size * 1.5 / (house + gap)) + 1
    for index in rng.permutation(rows * rows):
        place = np.array(divmod(int(index), rows)) - (rows - 1) / 2
        centre = canvas.size / 2 + _turn(place * (house + gap) + rng.normal(0, gap * 0.2 + house * 0.04, 2), angle)
        if rng.random() < 0.22 or abs(centre - canvas.size / 2).max() >= canvas.size / 2 + house:
            if rng.random() < trees:
                crown(canvas, tuple(centre), house * rng.uniform(0.15, 0.45), label=canvas.new())
            continue
        length = house * rng.uniform(0.6, 1.05)
        turn = angle + rng.choice([0, np.pi / 2]) + rng.normal(0, 0.06)
        width = length * np.clip(aspect * rng.uniform(0.6, 1.2), 0.3, 1.0)
        style, height = str(rng.choice(styles)), house * rng.uniform(0, 0.35)
        roof(canvas, tuple(centre), length, width, turn, style=style, height=height)
        if rng.random() < trees * 0.7:
            beside = centre + rng.normal(0, 0.6 * house, 2)
            crown(canvas, tuple(beside), house * rng.uniform(0.1, 0.35), label=canvas.new())
    for _ in range(int(rng.integers(0, 12))):
        place = tuple(rng.uniform(0, canvas.size, 2))
        vehicle(canvas, place, house * rng.uniform(0.18, 0.3), angle + rng.choice([0, np.pi / 2]))


def _rubble(canvas: Canvas, house: float) -> None:
    """Small things that lie about between houses and belong to nothing."""
    rng = canvas.rng
    if rng.random() < 0.4:
        return
    tint = any_colour(rng)
    for _ in range(int(rng.integers(10, 160))):
        size = house * rng.uniform(0.02, 0.1, 2) + 1.0
        where, mask = canvas.polygon(box(tuple(rng.uniform(0, canvas.size, 2)), size[0], size[1], rng.uniform(0, 3.1)))
        canvas.paint(where, mask, tint if rng.random() < 0.4 else any_colour(rng), kind=Kind.OTHER)


def _turn(offset: Array, angle: float) -> Array:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array((offset[0] * cos - offset[1] * sin, offset[0] * sin + offset[1] * cos), np.float32)


def rows(canvas: Canvas) -> None:
    """Long narrow buildings side by side, close together, each of several materials along its length."""
    rng = canvas.rng
    canvas.ground(ground(rng, (*SOILS, *PAVED, *GRASSES)), rng.uniform(0.04, 0.15))
    canvas.mottle(ground(rng, (*GRASSES, *SOILS)), rng.uniform(0.1, 0.6))
    _rubble(canvas, canvas.size * rng.uniform(0.1, 0.3))
    angle, width = rng.uniform(0, np.pi), canvas.size * rng.uniform(0.05, 0.16)
    gap = width * rng.choice([0.05, 0.2, 0.6, 1.5])
    across = -0.7 * canvas.size
    while across < 0.7 * canvas.size:
        along = rng.uniform(-0.9, -0.4) * canvas.size
        wide = width * rng.uniform(0.6, 1.4)
        while along < 0.7 * canvas.size:
            length = wide * rng.uniform(1.5, 8.0)
            if rng.random() < 0.8:
                centre = canvas.size / 2 + _turn(np.array((along + length / 2, across + wide / 2)), angle)
                style = str(rng.choice(["patched", "sheets", "patched", "gable", "flat"]))
                turn = angle + rng.normal(0, 0.03)
                roof(canvas, tuple(centre), length, wide, turn, style=style, height=wide * rng.uniform(0, 0.5))
            along += length + gap * rng.uniform(0.2, 2.0)
        across += wide + gap * rng.uniform(0.3, 1.5)
    for _ in range(int(rng.integers(0, 5))):
        crown(canvas, tuple(rng.uniform(0, canvas.size, 2)), width * rng.uniform(0.4, 1.2), label=canvas.new())


def hall(canvas: Canvas) -> None:
    """One or two large buildings that fill much of the view, among small things."""
    rng = canvas.rng
    canvas.ground(ground(rng, (*PAVED, *SOILS, *GRASSES)), rng.uniform(0.04, 0.14))
    canvas.mottle(ground(rng, (*PAVED, *GRASSES)), rng.uniform(0.1, 0.5))
    if rng.random() < 0.6:
        road(canvas, width=rng.uniform(0.05, 0.15) * canvas.size)
    angle = rng.uniform(0, np.pi)
    for _ in range(int(rng.integers(2, 7))):
        length = rng.uniform(0.1, 0.6) * canvas.size
        style = str(rng.choice(["gable", "hip", "flat", "flat", "sheets", "patched"]))
        centre = tuple(rng.uniform(0.05, 0.95, 2) * canvas.size)
        turn = angle + rng.choice([0, np.pi / 2])
        roof(
            canvas,
            centre,
            length,
            length * rng.uniform(0.25, 1.0),
            turn,
            style=style,
            height=length * rng.uniform(0, 0.2),
        )
    for _ in range(int(rng.integers(0, 25))):
        vehicle(canvas, tuple(rng.uniform(0, canvas.size, 2)), rng.uniform(6, 22), angle)
    for _ in range(int(rng.integers(0, 8))):
        crown(canvas, tuple(rng.uniform(0, canvas.size, 2)), rng.uniform(0.02, 0.08) * canvas.size, label=canvas.new())
