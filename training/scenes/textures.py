"""Textures and colours that the scenes are painted with."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Rng = np.random.Generator
Rgb = tuple[int, int, int]

_TILE = 512
_SLOPES = (0.0, 0.8, 1.3, 1.8, 2.4)

SOILS = (
    (176, 140, 106),
    (150, 116, 88),
    (196, 172, 140),
    (128, 104, 84),
    (186, 120, 88),
    (120, 110, 96),
    (206, 196, 176),
)
GRASSES = ((96, 120, 66), (120, 138, 84), (70, 96, 52), (140, 146, 100), (158, 150, 104), (84, 110, 80), (60, 84, 60))
CROPS = (
    *GRASSES,
    (182, 166, 108),
    (148, 128, 86),
    (112, 92, 70),
    (196, 184, 140),
    (88, 130, 60),
    (52, 92, 44),
    (160, 158, 78),
)
TREES = (
    (52, 78, 42),
    (66, 92, 50),
    (40, 62, 40),
    (84, 104, 60),
    (100, 110, 66),
    (120, 104, 62),
    (76, 88, 70),
    (140, 120, 90),
    (44, 74, 66),
)
PAVED = ((128, 126, 122), (96, 96, 98), (150, 146, 140), (74, 76, 80), (176, 170, 160), (108, 112, 118))
ROOFS = (
    (168, 164, 158),
    (196, 194, 190),
    (120, 118, 116),
    (146, 96, 76),
    (176, 110, 84),
    (150, 60, 52),
    (110, 74, 58),
    (92, 92, 98),
    (214, 208, 198),
    (176, 150, 126),
    (132, 136, 146),
    (96, 112, 128),
    (70, 66, 66),
    (190, 130, 100),
    (124, 100, 84),
    (228, 228, 226),
    (90, 120, 110),
    (100, 124, 160),
)
WATERS = (
    (38, 52, 60),
    (56, 74, 78),
    (44, 66, 54),
    (84, 96, 78),
    (70, 62, 52),
    (28, 34, 44),
    (62, 96, 110),
    (96, 118, 70),
    (110, 96, 76),
    (40, 84, 110),
)
VEHICLES = (
    (230, 230, 230),
    (40, 40, 44),
    (150, 154, 160),
    (170, 40, 40),
    (50, 74, 130),
    (200, 190, 160),
    (90, 94, 98),
    (220, 190, 60),
)


@lru_cache(maxsize=1)
def _bank() -> tuple[tuple[Array, ...], ...]:
    """Three tiles of noise for each spectral slope, the same in every process."""
    rng = np.random.default_rng(20261120)
    fy = np.fft.fftfreq(_TILE)[:, None]
    fx = np.fft.rfftfreq(_TILE)[None, :]
    radius = np.hypot(fy, fx)
    radius[0, 0] = 1.0
    bank = []
    for slope in _SLOPES:
        tiles = []
        for _ in range(3):
            spectrum = np.fft.rfft2(rng.standard_normal((_TILE, _TILE))) / radius**slope
            spectrum[0, 0] = 0.0
            tile = np.fft.irfft2(spectrum, (_TILE, _TILE))
            tiles.append((tile / tile.std()).astype(np.float32))
        bank.append(tuple(tiles))
    return tuple(bank)


def noise(rng: Rng, shape: tuple[int, int], slope: int) -> Array:
    """Noise (H, W) of mean about 0 and deviation about 1; slope 0 is white, 4 the smoothest."""
    tile = _bank()[slope][rng.integers(3)]
    if rng.random() < 0.5:
        tile = tile.T
    if rng.random() < 0.5:
        tile = tile[::-1]
    height, width = min(shape[0], _TILE), min(shape[1], _TILE)
    row, col = rng.integers(_TILE - height + 1), rng.integers(_TILE - width + 1)
    patch = tile[row : row + height, col : col + width]
    if patch.shape != shape:
        patch = np.resize(patch, shape)
    return np.ascontiguousarray(patch)


def pick(rng: Rng, palette: tuple[Rgb, ...], spread: float = 0.022) -> Array:
    """A colour (3,) in 0..1 near one of the palette's."""
    return drawn(rng, palette, spread)[0]


def drawn(rng: Rng, palette: tuple[Rgb, ...], spread: float = 0.022) -> tuple[Array, Rgb]:
    """A colour (3,) in 0..1 near one of the palette's, and which one that is."""
    source = palette[rng.integers(len(palette))]
    colour = np.array(source, dtype=np.float32) / 255
    colour = colour * np.float32(rng.uniform(0.8, 1.2)) + rng.normal(0, spread, 3).astype(np.float32)
    return np.clip(colour, 0.01, 1.0).astype(np.float32), source


def any_colour(rng: Rng) -> Array:
    """Any colour (3,), mostly dull."""
    grey = rng.uniform(0.08, 0.95)
    return np.clip(grey + rng.normal(0, rng.choice([0.03, 0.1, 0.25]), 3), 0.01, 1.0).astype(np.float32)


def stained(rng: Rng, shape: tuple[int, int], colour: Array, amount: float) -> Array:
    """A patch (H, W, 3) of one colour with brightness noise and slow stains."""
    light = amount * (
        0.6 * noise(rng, shape, int(rng.integers(0, 3))) + 0.7 * noise(rng, shape, int(rng.integers(2, 5)))
    )
    tint = rng.normal(0, 0.35, 3).astype(np.float32) * amount
    patch = colour * (1.0 + light)[..., None] + noise(rng, shape, 3)[..., None] * tint * 0.4
    return np.asarray(patch, dtype=np.float32)
