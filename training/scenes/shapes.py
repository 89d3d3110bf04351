"""Outlines as points (N, 2)."""

from __future__ import annotations

import numpy as np

from .textures import Array, Rng


def box(centre: tuple[float, float], width: float, height: float, angle: float) -> Array:
    """A rectangle, turned."""
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float32) * (width / 2, height / 2)
    return turned(corners.astype(np.float32), angle, centre)


def turned(points: Array, angle: float, centre: tuple[float, float]) -> Array:
    """Points about the origin, turned and moved to a centre."""
    cos, sin = np.cos(angle), np.sin(angle)
    return (points @ np.array([(cos, sin), (-sin, cos)]) + centre).astype(np.float32)


def ellipse(centre: tuple[float, float], width: float, height: float, angle: float) -> Array:
    """An ellipse, turned."""
    t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    return turned(np.stack((np.cos(t) * width / 2, np.sin(t) * height / 2), 1).astype(np.float32), angle, centre)


def blob(rng: Rng, centre: tuple[float, float], radius: float, rough: float = 0.3, falloff: float = 1.2) -> Array:
    """A natural outline: a circle whose radius is perturbed by waves, weaker the shorter they are."""
    t = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    waves = np.zeros_like(t)
    for k in range(1, 16):
        waves += rng.normal() * np.cos(k * t + rng.uniform(0, 2 * np.pi)) / k**falloff
    r = radius * np.clip(1 + rough * waves, 0.15, 3.0)
    squeeze = rng.uniform(0.55, 1.0)
    points = np.stack((np.cos(t) * r, np.sin(t) * r * squeeze), 1).astype(np.float32)
    return turned(points, rng.uniform(0, np.pi), centre)


def crooked(rng: Rng, centre: tuple[float, float], radius: float) -> Array:
    """A polygon of four to eight corners, convex or nearly so: a field or a plot."""
    n = int(rng.integers(4, 9))
    t = np.sort((np.arange(n) + rng.uniform(-0.3, 0.3, n)) * 2 * np.pi / n)
    r = radius * rng.uniform(0.7, 1.15, n)
    squeeze = rng.uniform(0.4, 1.0)
    points = np.stack((np.cos(t) * r, np.sin(t) * r * squeeze), 1).astype(np.float32)
    return turned(points, rng.uniform(0, np.pi), centre)


def ribbon(rng: Rng, size: int, width: float, bend: float) -> tuple[Array, Array]:
    """A line across the canvas: outline of its band (2N, 2) and its middle (N, 2)."""
    angle = rng.uniform(0, np.pi)
    t = np.linspace(-1.0, 1.0, 60) * size
    offset = np.zeros_like(t)
    for k in range(1, 5):
        offset += rng.normal() * bend * size / k**1.6 * np.sin(k * t / size * 2 + rng.uniform(0, 6.3))
    centre = tuple(rng.uniform(0.15, 0.85, 2) * size)
    middle = turned(np.stack((t, offset), 1).astype(np.float32), angle, centre)
    along = np.gradient(middle, axis=0)
    across = np.stack((-along[:, 1], along[:, 0]), 1) / (np.linalg.norm(along, axis=1, keepdims=True) + 1e-6)
    half = width / 2 * (1 + 0.0 * t[:, None])
    return np.concatenate((middle + across * half, (middle - across * half)[::-1])).astype(np.float32), middle
