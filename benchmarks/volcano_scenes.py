"""Made DEMs with volcanoes whose outlines are known: cones, breached ones, shields and clusters on fractal ground."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import Polygon

from core.raster.grid import PixelGrid
from core.raster.sources.array import ArraySource

FloatArray = NDArray[np.float64]
CELL_M = 30.0
SIZE = 400
CRS = "EPSG:32633"
_LEFT, _TOP = 500_000.0, 4_600_000.0


@dataclass(frozen=True)
class Kind:
    """Ranges that volcanoes of a kind are drawn from."""

    name: str
    radius_m: tuple[float, float]
    height_over_width: tuple[float, float]
    concavity: float
    """0 for a straight flank, 1 for one that flattens to the foot like exp(-2 r)."""
    crater: float
    """Share of them that have a crater."""
    breached: float
    """Share of the craters that are breached down the flank."""
    count: int
    touching: bool = False


KINDS = (
    Kind("straight cones", (500.0, 1500.0), (0.12, 0.22), 0.0, 0.5, 0.0, 4),
    Kind("concave cones", (1200.0, 3000.0), (0.1, 0.2), 1.0, 0.5, 0.0, 2),
    Kind("breached cones", (700.0, 2000.0), (0.12, 0.22), 0.3, 1.0, 1.0, 3),
    Kind("shields", (2000.0, 4500.0), (0.03, 0.06), 0.0, 0.3, 0.0, 1),
    Kind("clusters", (500.0, 1000.0), (0.12, 0.2), 0.0, 0.5, 0.3, 5, touching=True),
)


@dataclass(frozen=True)
class Scene:
    """A DEM and its volcanoes."""

    source: ArraySource
    outlines: list[Polygon]
    summits: list[tuple[float, float]]


def make(kind: Kind | None, relief: float, noise_m: float, seed: int) -> Scene:
    """Return a scene; ``relief`` is the ground's standard deviation over the volcanoes' mean height.

    Without a kind there is no volcano, and the ground has the relief that it would have beside ones of 300 m.
    """
    random = np.random.default_rng(seed)
    rows, cols = np.mgrid[0:SIZE, 0:SIZE] + 0.5
    x, y = cols * CELL_M, (SIZE - rows) * CELL_M
    built = np.zeros((SIZE, SIZE))
    outlines, summits, heights = [], [], []
    for east, north, radius in _places(kind, random):
        height = 2.0 * radius * random.uniform(*kind.height_over_width) if kind else 0.0
        shape, ring = _volcano(kind, random, (x - east, y - north), radius, height)
        built = np.maximum(built, shape)
        outlines.append(Polygon([(_LEFT + east + a, _TOP - SIZE * CELL_M + north + b) for a, b in ring]))
        summits.append((_LEFT + east, _TOP - SIZE * CELL_M + north))
        heights.append(height)
    ground = fractal(random, SIZE) * relief * (float(np.mean(heights)) if heights else 300.0)
    elevation = ground + built + random.normal(0.0, noise_m, built.shape)
    grid = PixelGrid((CELL_M, 0.0, _LEFT, 0.0, -CELL_M, _TOP), CRS, SIZE, SIZE)
    return Scene(ArraySource(elevation.astype(np.float32)[None], grid), outlines, summits)


def fractal(random: np.random.Generator, size: int, roughness: float = 2.2) -> FloatArray:
    """Return a fractal surface with mean 0 and standard deviation 1, its spectrum falling with 2 ``roughness`` - 0.2.

    Natural terrain has about 4 (fractal dimension 2.2; Turcotte 1997, Fractals and Chaos in Geology, chapter 7).
    """
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size)))
    frequency[0, 0] = math.inf
    waves = np.fft.fft2(random.standard_normal((size, size))) * frequency**-roughness
    surface: FloatArray = np.real(np.fft.ifft2(waves))
    return (surface - surface.mean()) / surface.std()


def _places(kind: Kind | None, random: np.random.Generator) -> list[tuple[float, float, float]]:
    """Return (east, north, radius) of volcanoes that don't overlap, or that touch."""
    places: list[tuple[float, float, float]] = []
    extent = SIZE * CELL_M
    for _ in range(400):
        if kind is None or len(places) == kind.count:
            break
        radius = random.uniform(*kind.radius_m)
        if kind.touching and places:
            east0, north0, radius0 = places[random.integers(len(places))]
            angle = random.uniform(0.0, 2.0 * math.pi)
            away = radius + radius0
            east, north = east0 + away * math.cos(angle), north0 + away * math.sin(angle)
        else:
            east, north = random.uniform(0.1 * extent, 0.9 * extent, 2)
        room = 0.99 if kind.touching else 1.3
        fits = radius < east < extent - radius and radius < north < extent - radius
        if fits and all(math.hypot(east - a, north - b) > room * (radius + r) for a, b, r in places):
            places.append((float(east), float(north), float(radius)))
    return places


def _volcano(
    kind: Kind, random: np.random.Generator, away: tuple[FloatArray, FloatArray], radius: float, height: float
) -> tuple[FloatArray, list[tuple[float, float]]]:
    """Return the shape (H, W) and the outline's corners in metres from the centre."""
    dx, dy = away
    angle = np.arctan2(dy, dx)
    stretch, turn = random.uniform(1.0, 1.25), random.uniform(0.0, math.pi)
    waves = [(count, random.uniform(0.0, 0.04), random.uniform(0.0, 6.3)) for count in (2, 3, 5)]

    def rim(at: FloatArray) -> FloatArray:
        along = np.cos(at - turn) ** 2 * stretch + np.sin(at - turn) ** 2 / stretch
        return radius * along * (1.0 + sum(size * np.cos(count * at + phase) for count, size, phase in waves))

    within = np.hypot(dx, dy) / rim(angle)
    gullies = 1.0 - 0.05 * within * (1.0 + np.cos(random.integers(12, 24) * angle))
    straight = np.clip(1.0 - within, 0.0, None)
    concave = np.clip((np.exp(-2.0 * within) - math.exp(-2.0)) / (1.0 - math.exp(-2.0)), 0.0, None)
    flank = ((1.0 - kind.concavity) * straight + kind.concavity * concave) * gullies
    if random.random() < kind.crater:
        width = random.uniform(0.2, 0.4)
        top = 1.0 - width if kind.concavity == 0.0 else float(np.exp(-2.0 * width))
        flank = np.minimum(flank, top) - 0.5 * np.clip(width - within, 0.0, None)
        if random.random() < kind.breached:
            towards = np.abs((angle - random.uniform(-3.1, 3.1) + math.pi) % (2.0 * math.pi) - math.pi)
            flank = np.where((towards < 0.4) & (within < 0.8), np.minimum(flank, 0.35), flank)
    corners = np.linspace(0.0, 2.0 * math.pi, 120, endpoint=False)
    reach = rim(corners)
    return height * np.clip(flank, 0.0, None), list(zip(reach * np.cos(corners), reach * np.sin(corners)))
