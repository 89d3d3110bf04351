"""DEMs whose volcanoes are known on paper."""

from __future__ import annotations

import math

import numpy as np
from prompt_segmenter.core.raster.grid import PixelGrid
from prompt_segmenter.core.raster.sources.array import ArraySource

UTM = "EPSG:32633"
LEFT, TOP = 500_000.0, 4_600_000.0


def utm_grid(size, cell=30.0):
    """Return a square north-up grid of ``size`` cells."""
    return PixelGrid((cell, 0.0, LEFT, 0.0, -cell, TOP), UTM, size, size)


def distances(grid, middle, metres):
    """Return metres from ``middle`` (col, row) to each cell's centre; ``metres`` (2, 2) for a pixel's step."""
    rows, cols = np.mgrid[0 : grid.height, 0 : grid.width] + 0.5
    step = np.array(metres)
    east = step[0, 0] * (cols - middle[0]) + step[0, 1] * (rows - middle[1])
    north = step[1, 0] * (cols - middle[0]) + step[1, 1] * (rows - middle[1])
    return np.hypot(east, north), np.arctan2(north, east)


def square(cell=30.0):
    return [[cell, 0.0], [0.0, -cell]]


def cone(away, height, radius):
    """Return a straight cone: 0 beyond its radius."""
    return height * np.clip(1.0 - away / radius, 0.0, None)


def cratered_cone(away, height, radius, crater_radius, crater_depth):
    """Return a cone cut off at the crater's rim, whose height it is, with a conical crater."""
    flank = height * np.clip((radius - away) / (radius - crater_radius), 0.0, 1.0)
    bowl = crater_depth * np.clip(1.0 - away / crater_radius, 0.0, None)
    return flank - bowl


def source(elevation, grid, dtype=np.float32, valid=None):
    return ArraySource(np.asarray(elevation, dtype)[None], grid, valid)


def fractal(size, relief, seed, slope=2.2):
    """Return a fractal surface (size, size) with a standard deviation of ``relief`` metres."""
    random = np.random.default_rng(seed)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size)))
    frequency[0, 0] = math.inf
    noise = np.fft.fft2(random.standard_normal((size, size))) * frequency ** (-slope / 2.0 - 0.5)
    surface = np.real(np.fft.ifft2(noise))
    return relief * (surface - surface.mean()) / surface.std()
