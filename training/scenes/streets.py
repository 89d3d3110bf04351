"""A residential district as words need it: streets with kerbs, plots with lawns or gravel, drives, cars, pools."""

from __future__ import annotations

import numpy as np

from .buildings import roof
from .canvas import Canvas
from .kinds import Kind, ground
from .nature import crown
from .shapes import box
from .textures import GRASSES, PAVED, SOILS, Array, pick, stained
from .transport import vehicle
from .works import pool


def district(canvas: Canvas) -> None:
    """Parallel streets with houses on both sides, seen at some ground resolution."""
    rng = canvas.rng
    canvas.ground(ground(rng, (*SOILS, *GRASSES)), rng.uniform(0.03, 0.12))
    canvas.mottle(ground(rng, (*SOILS, *GRASSES)), rng.uniform(0.05, 0.4))
    metre = canvas.size / np.exp(rng.uniform(np.log(45), np.log(200)))
    angle = rng.uniform(0, np.pi)
    street, deep = rng.uniform(5.5, 11) * metre, rng.uniform(18, 34) * metre
    paving, lawns = pick(rng, PAVED), rng.random()
    styles = rng.choice(["gable", "hip", "hip", "flat", "sheets"], 2)
    span, step = 0.75 * canvas.size, street + 2 * deep
    for across in np.arange(-span - rng.uniform(0, step), span, step):
        for side in (-1, 1):
            along = -span
            while along < span:
                wide = rng.uniform(12, 24) * metre
                middle = _place(canvas, angle, along + wide / 2, across + side * (street + deep) / 2)
                turn = angle if side > 0 else angle + np.pi
                _plot(canvas, middle, turn, (wide, deep, metre), lawns=lawns, style=str(rng.choice(styles)))
                along += wide
    for across in _streets(canvas, angle, street, step, paving):
        for _ in range(int(rng.integers(0, 5))):
            place = _place(canvas, angle, rng.uniform(-span, span), across + rng.choice([-0.33, 0.33]) * street)
            vehicle(canvas, place, rng.uniform(4, 6.5) * metre, angle + rng.normal(0, 0.03))


def _streets(canvas: Canvas, angle: float, street: float, step: float, paving: Array) -> list[float]:
    """Pave the streets along the houses, and by chance one across them; returns where they lie."""
    rng = canvas.rng
    places = list(np.arange(-canvas.size, canvas.size, step) + rng.uniform(-0.1, 0.1) * step)
    bands = [(_place(canvas, angle, 0, across), angle) for across in places]
    if rng.random() < 0.5:
        bands.append((_place(canvas, angle, rng.uniform(-0.4, 0.4) * canvas.size, 0), angle + np.pi / 2))
    walk = pick(rng, PAVED) if rng.random() < 0.5 else None
    for wider, colour in ((1.35, walk), (1.0, paving)):
        for centre, turn in bands:
            if colour is None:
                continue
            where, mask = canvas.polygon(box(centre, 4 * canvas.size, street * wider, turn))
            patch = stained(rng, mask.shape, colour, rng.uniform(0.02, 0.08)) if mask.size else canvas.rgb[where]
            kind = Kind.ROAD if wider == 1.0 else Kind.PAVED
            canvas.paint(where, mask, patch, label=canvas.new(), kind=kind)
    return places


def _plot(
    canvas: Canvas,
    middle: tuple[float, float],
    angle: float,
    sizes: tuple[float, float, float],
    *,
    lawns: float,
    style: str,
) -> None:
    """One plot: its yard, drive, house, trees, pool and car."""
    rng = canvas.rng
    wide, deep, metre = sizes
    if max(abs(np.array(middle) - canvas.size / 2)) > canvas.size / 2 + deep:
        return
    if rng.random() < 0.8:
        yard = ground(rng, GRASSES if rng.random() < lawns else (*SOILS, *PAVED))
        where, mask = canvas.polygon(box(middle, wide * 0.97, deep * 0.97, angle))
        if mask.any():
            canvas.paint(where, mask, stained(rng, mask.shape, yard.colour, 0.08), kind=yard.kind)
    drive = _from(middle, angle, (rng.choice([-0.3, 0.3]) * wide, -0.32 * deep))
    where, mask = canvas.polygon(box(drive, rng.uniform(2.8, 6) * metre, 0.36 * deep, angle))
    if mask.any():
        canvas.paint(where, mask, stained(rng, mask.shape, pick(rng, PAVED), 0.05), kind=Kind.PAVED)
    if rng.random() < 0.93:
        length, width = wide * rng.uniform(0.55, 0.88), deep * rng.uniform(0.3, 0.5)
        height = rng.uniform(1, 4) * metre
        roof(canvas, _from(middle, angle, (0, -0.05 * deep)), length, width, angle, style=style, height=height)
    if rng.random() < 0.25:
        behind = _from(middle, angle, (rng.uniform(-0.25, 0.25) * wide, 0.36 * deep))
        pool(canvas, behind, rng.uniform(5, 10) * metre)
    for _ in range(int(rng.integers(0, 5))):
        place = _from(middle, angle, (rng.uniform(-0.5, 0.5) * wide, rng.choice([-0.42, 0.38]) * deep))
        crown(canvas, place, rng.uniform(0.8, 4) * metre, label=canvas.new())
    if rng.random() < 0.5:
        vehicle(canvas, drive, rng.uniform(4, 5.5) * metre, angle + np.pi / 2 + rng.normal(0, 0.05))


def _place(canvas: Canvas, angle: float, along: float, across: float) -> tuple[float, float]:
    """A place from the canvas's middle, along and across the streets."""
    return _from((canvas.size / 2, canvas.size / 2), angle, (along, across))


def _from(middle: tuple[float, float], angle: float, offset: tuple[float, float]) -> tuple[float, float]:
    cos, sin = np.cos(angle), np.sin(angle)
    return (
        float(middle[0] + offset[0] * cos - offset[1] * sin),
        float(middle[1] + offset[0] * sin + offset[1] * cos),
    )
