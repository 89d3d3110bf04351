"""Windows of scenes and of scenes side by side, at many ground resolutions, with what each pixel shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..degrade import blank, degrade
from ..scenes import Scene, render
from ..scenes.canvas import Kinds
from ..scenes.kinds import Kind
from ..scenes.textures import Array, Rng, noise
from .seasons import recoloured

SHARES = {
    "district": 0.18,
    "town": 0.13,
    "hall": 0.06,
    "rows": 0.06,
    "wetland": 0.11,
    "woods": 0.06,
    "forest": 0.08,
    "savanna": 0.05,
    "fields": 0.10,
    "pivots": 0.03,
    "orchard": 0.03,
    "harbour": 0.05,
    "apron": 0.05,
    "plant": 0.06,
    "park": 0.08,
    "relief": 0.02,
}
"""How often each theme comes. Shapes of no kind are left out; elevation teaches what has no word."""
SIDE = 256
SCENE_PX = 320
POOL, RENEW = 48, 0.2
_TOGETHER = 0.4
"""Share of the windows that show several scenes side by side."""
_MILD = 0.6
"""Share of the windows that come from a good sensor in natural colours; the others are as bad as the starter's."""


@dataclass(frozen=True)
class View:
    """One window."""

    image: NDArray[np.uint8]
    """(S, S, 3)"""
    kinds: Kinds
    """(S, S)"""
    themes: tuple[str, ...]
    """What it was cut from."""


def scene(seed: int, shares: dict[str, float] | None = None) -> Scene:
    """A scene of one of the themes of SHARES."""
    names, weights = zip(*(shares or SHARES).items())
    chosen = np.random.default_rng((seed, 19)).choice(names, p=np.array(weights) / sum(weights))
    return render(seed, SCENE_PX, str(chosen))


def views(
    seed: int, side: int = SIDE, shares: dict[str, float] | None = None, *, varied: bool = False
) -> Iterator[View]:
    """Endless windows; scene numbers begin at a million times the seed.

    With ``varied`` their colours are those of more seasons, soils and roofs, and they are magnified further.
    """
    rng = np.random.default_rng((seed, 23))
    fresh = iter(range(seed * 1_000_000, (seed + 1) * 1_000_000))
    pool = [scene(next(fresh), shares) for _ in range(POOL)]
    while True:
        if rng.random() < RENEW:
            pool[int(rng.integers(POOL))] = scene(next(fresh), shares)
        chosen = [pool[int(i)] for i in rng.integers(POOL, size=4 if rng.random() < _TOGETHER else 1)]
        yield view(chosen, rng, side, varied=varied)


def view(chosen: list[Scene], rng: Rng, side: int, *, varied: bool = False) -> View:
    """A degraded window of one scene, or of four side by side."""
    if len(chosen) == 1:
        rgb, kinds = chosen[0].rgb, chosen[0].kinds
        wide = int(SCENE_PX * np.exp(rng.uniform(np.log(0.25 if varied else 0.45), 0)))
    else:
        rgb, kinds = together(chosen, rng)
        wide = int(2 * SCENE_PX * np.exp(rng.uniform(np.log(0.2 if varied else 0.4), 0)))
    top, left = rng.integers(rgb.shape[0] - wide + 1, size=2)
    rgb, kinds = (array[top : top + wide, left : left + wide] for array in (rgb, kinds))
    if varied:
        rgb = recoloured(rgb, kinds, rng)
    turn, flip = int(rng.integers(4)), rng.random() < 0.5
    rgb, kinds = (np.ascontiguousarray(np.rot90(array, turn)[:, :: -1 if flip else 1]) for array in (rgb, kinds))
    smaller = cv2.INTER_AREA if wide > side else cv2.INTER_LINEAR
    early = wide < side * 1.5 and rng.random() < 0.5
    worn_by = mild if rng.random() < _MILD else degrade
    source = worn_by(rgb, rng).astype(np.float32) / 255 if early else rgb
    sized = cv2.resize(source, (side, side), interpolation=smaller)
    image = (np.clip(sized, 0, 1) * 255 + 0.5).astype(np.uint8) if early else worn_by(sized, rng)
    kinds = cv2.resize(kinds, (side, side), interpolation=cv2.INTER_NEAREST_EXACT)
    worn = blank(image, rng)
    kinds[(worn != image).any(axis=2)] = Kind.OTHER
    return View(worn, kinds, tuple(one.theme for one in chosen))


def mild(rgb: Array, rng: Rng) -> NDArray[np.uint8]:
    """The scene (H, W, 3) as a good product shows it: natural colours, a little blur, noise and packing."""
    image = np.clip(rgb, 0, None).astype(np.float32) ** np.float32(np.exp(rng.normal(0, 0.15)))
    grey = image.mean(axis=2, keepdims=True)
    image = grey + (image - grey) * np.float32(rng.uniform(0.6, 1.3))
    image = image * np.exp(rng.normal(0, 0.05, 3) + rng.normal(0, 0.12)).astype(np.float32)
    image += np.float32(rng.normal(0, 0.03))
    if rng.random() < 0.25:
        veil = rng.uniform(0.1, 0.45)
        image = veil * np.float32([0.95, 1.0, 1.05]) * rng.uniform(0.8, 1.2) + image * np.float32(1 - veil)
    if rng.random() < 0.7:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.1))
    image += rng.uniform(0, 0.02) * noise(rng, (image.shape[0], image.shape[1]), 0)[..., None]
    out = (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
    if rng.random() < 0.4:
        _, packed = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 96))])
        out = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    return out


def together(chosen: list[Scene], rng: Rng) -> tuple[Array, Kinds]:
    """Four scenes with wavy borders between them, (2 S, 2 S, 3) and (2 S, 2 S)."""
    size = 2 * SCENE_PX
    wobble = [cv2.resize(noise(rng, (SCENE_PX, SCENE_PX), 3), (size, size)) * rng.uniform(0, 14) for _ in range(2)]
    ys, xs = np.mgrid[0:size, 0:size].astype(np.float32)
    middle = rng.uniform(0.4, 0.6, 2) * size
    right, below = xs + wobble[0] > middle[0], ys + wobble[1] > middle[1]
    rgb, kinds = np.empty((size, size, 3), np.float32), np.empty((size, size), np.uint8)
    for index, one in enumerate(chosen):
        # each scene is repeated in mirror, so that it reaches as far as its border wanders
        where = (right == bool(index % 2)) & (below == bool(index // 2))
        rows, cols = (slice(None, None, -1 if turned else 1) for turned in (index // 2, index % 2))
        wide = np.concatenate((one.rgb, one.rgb[:, ::-1]), 1)
        rgb[where] = np.concatenate((wide, wide[::-1]))[rows, cols][where]
        wide = np.concatenate((one.kinds, one.kinds[:, ::-1]), 1)
        kinds[where] = np.concatenate((wide, wide[::-1]))[rows, cols][where]
    return rgb, kinds
