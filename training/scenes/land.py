"""Farm land: plots, rows of crops, pivots, tracks."""

from __future__ import annotations

import numpy as np

from .buildings import roof
from .canvas import Canvas, Mask
from .kinds import Kind, ground
from .nature import crown, grove, water
from .shapes import blob, crooked, ellipse
from .textures import CROPS, GRASSES, SOILS, Array, noise, pick, stained
from .transport import road


def sown(canvas: Canvas, where: tuple[slice, slice], shape: tuple[int, int], colour: Array) -> Array:
    """Colours (h, w, 3) of a field: rows, tramlines, bare or moist patches."""
    rng = canvas.rng
    patch = stained(rng, shape, colour, rng.uniform(0.02, 0.12))
    u, v = canvas.local(where, (0.0, 0.0), rng.uniform(0, np.pi))
    if rng.random() < 0.6:
        pitch = rng.uniform(2.5, 14)
        wave = np.sin((v + 0 * u) * 2 * np.pi / pitch + noise(rng, shape, 4) * rng.uniform(0, 1))
        patch *= (1 + rng.uniform(0.02, 0.16) * wave)[..., None]
    if rng.random() < 0.3:
        pitch = rng.uniform(18, 60)
        patch[((v + 0 * u) % pitch) < 1.6] *= rng.uniform(0.75, 1.2)
    if rng.random() < 0.35:
        moist = np.clip(noise(rng, shape, 3) - rng.uniform(0.2, 1.2), 0, 1)
        patch += (pick(rng, (*SOILS, *GRASSES)) - patch) * (0.7 * moist)[..., None]
    return patch.astype(np.float32)


def fields(canvas: Canvas) -> None:
    """A patchwork of plots that share borders, or strips, with hedges, tracks, a farm and ponds."""
    rng = canvas.rng
    canvas.ground(ground(rng, (*GRASSES, *SOILS)), 0.1)
    plots = _plots(canvas)
    everything = (slice(0, canvas.size), slice(0, canvas.size))
    gap = rng.random() < 0.6
    for index in range(int(plots.max()) + 1):
        mask = plots == index
        if mask.sum() < 40:
            continue
        rows, cols = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        where = (slice(int(rows[0]), int(rows[-1]) + 1), slice(int(cols[0]), int(cols[-1]) + 1))
        inside: Mask = mask[where]
        patch = sown(canvas, where, inside.shape, pick(rng, CROPS))
        canvas.paint(where, inside, patch, label=canvas.new(), kind=Kind.FIELD)
    if gap:
        _lines(canvas, plots, everything)
    for _ in range(int(rng.integers(0, 3))):
        road(canvas, width=rng.uniform(2, 12), colour=pick(rng, SOILS))
    for _ in range(int(rng.integers(0, 4))):
        water(
            canvas, blob(rng, tuple(rng.uniform(0, canvas.size, 2)), canvas.size * rng.uniform(0.02, 0.12), rough=0.3)
        )
    for _ in range(int(rng.integers(0, 5))):
        grove(canvas, tuple(rng.uniform(0, canvas.size, 2)), canvas.size * rng.uniform(0.01, 0.035), canvas.size * 0.04)
    for _ in range(int(rng.integers(0, 4))):
        size = canvas.size * rng.uniform(0.03, 0.1)
        roof(
            canvas,
            tuple(rng.uniform(0, canvas.size, 2)),
            size,
            size * 0.6,
            rng.uniform(0, 3),
            style=str(rng.choice(["gable", "sheets", "hip"])),
            height=size * 0.3,
        )


def _plots(canvas: Canvas) -> Array:
    """Plot number of each pixel: cells of a slanted, jittered lattice or of scattered seeds."""
    rng = canvas.rng
    everything = (slice(0, canvas.size), slice(0, canvas.size))
    u, v = canvas.local(everything, (canvas.size / 2, canvas.size / 2), rng.uniform(0, np.pi))
    wobble = noise(rng, (canvas.size, canvas.size), 4) * rng.choice([0.0, 0.0, 2.0, 6.0])
    wide = canvas.size * rng.uniform(0.12, 0.6)
    if rng.random() < 0.65:
        column = np.floor((u + wobble) / wide + 50).astype(int)
        tall = wide * rng.uniform(0.2, 1.5, 101)[np.clip(column, 0, 100)]
        shift = rng.uniform(0, 1, 101)[np.clip(column, 0, 100)]
        row = np.floor((v + wobble) / tall + shift + 50).astype(int)
        raw = column * 1000 + row
    else:
        seeds = rng.uniform(-0.1, 1.1, (int(rng.integers(6, 30)), 2)) * canvas.size
        ys, xs = np.mgrid[0 : canvas.size, 0 : canvas.size].astype(np.float32)
        raw = np.argmin(
            (xs[None] + wobble - seeds[:, 0, None, None]) ** 2 + (ys[None] + wobble - seeds[:, 1, None, None]) ** 2, 0
        )
    _, plots = np.unique(raw, return_inverse=True)
    return plots.reshape(canvas.size, canvas.size)


def _lines(canvas: Canvas, plots: Array, everything: tuple[slice, slice]) -> None:
    """Hedges, ditches or tracks where plots meet."""
    rng = canvas.rng
    edge = np.zeros(plots.shape, bool)
    for shift in range(1, int(rng.integers(2, 6))):
        edge[:, shift:] |= plots[:, shift:] != plots[:, :-shift]
        edge[shift:] |= plots[shift:] != plots[:-shift]
    colour = pick(rng, (*SOILS, *GRASSES, (60, 76, 44)))
    canvas.paint(everything, edge, stained(rng, plots.shape, colour, 0.15), label=0, kind=Kind.UNSURE)


def pivots(canvas: Canvas) -> None:
    """Circular irrigated fields in dry land."""
    rng = canvas.rng
    canvas.ground(ground(rng, SOILS), 0.1)
    canvas.mottle(ground(rng, (*SOILS, *GRASSES)), rng.uniform(0.1, 0.5))
    size = canvas.size * rng.uniform(0.15, 0.5)
    for row in range(int(canvas.size / size) + 1):
        for column in range(int(canvas.size / size) + 1):
            if rng.random() < 0.25:
                continue
            centre = ((column + 0.5) * size, (row + 0.5) * size)
            radius = size * rng.choice([0.47, 0.47, 0.4, 0.3])
            where, mask = canvas.polygon(ellipse(centre, 2 * radius, 2 * radius, 0.0))
            if not mask.any():
                continue
            u, v = canvas.local(where, centre, rng.uniform(0, 6.3))
            if rng.random() < 0.35:
                mask &= np.arctan2(v, u) < rng.uniform(0, 2.8)
            label = canvas.new()
            patch = sown(canvas, where, mask.shape, pick(rng, CROPS))
            canvas.paint(where, mask, patch, label=label, kind=Kind.FIELD)
            if rng.random() < 0.35:
                half = mask & (v > 0)
                canvas.paint(where, half, sown(canvas, where, mask.shape, pick(rng, CROPS)), extra=canvas.new())
            if rng.random() < 0.5:
                rings = mask & ((np.hypot(u, v) % max(4.0, radius * 0.15)) < 1.0)
                canvas.rgb[where][rings] *= rng.uniform(0.85, 1.1)
    for _ in range(int(rng.integers(0, 3))):
        road(canvas, width=rng.uniform(2, 8), colour=pick(rng, SOILS))


def orchard(canvas: Canvas) -> None:
    """Trees in rows on one plot or several."""
    rng = canvas.rng
    canvas.ground(ground(rng, (*GRASSES, *SOILS)), 0.1)
    for _ in range(int(rng.integers(1, 4))):
        where, mask = canvas.polygon(
            crooked(rng, tuple(rng.uniform(0.2, 0.8, 2) * canvas.size), canvas.size * rng.uniform(0.2, 0.6))
        )
        if not mask.any():
            continue
        plot = ground(rng, (*SOILS, *GRASSES))
        canvas.paint(where, mask, stained(rng, mask.shape, plot.colour, 0.08), label=canvas.new(), kind=plot.kind)
    step, angle = canvas.size * rng.uniform(0.05, 0.14), rng.uniform(0, 3.1)
    colour, size = pick(rng, ((52, 78, 42), (90, 104, 70), (70, 96, 52))), rng.uniform(0.25, 0.48)
    n = int(canvas.size / step)
    for i in range(-n, n):
        for j in range(-n, n):
            x = canvas.size / 2 + step * (i * np.cos(angle) - j * np.sin(angle)) + rng.normal(0, 0.04 * step)
            y = canvas.size / 2 + step * (i * np.sin(angle) + j * np.cos(angle)) + rng.normal(0, 0.04 * step)
            if 0 < x < canvas.size and 0 < y < canvas.size and rng.random() < 0.85:
                crown(canvas, (x, y), step * size * rng.uniform(0.8, 1.1), label=canvas.new(), colour=colour)
