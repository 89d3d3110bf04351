"""The objects that accuracy is measured on: real labelled ones, and generated ones that no training has seen."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.clicks import depth
from training.degrade import degrade
from training.labelled import read
from training.scenes import render

DATA_VARIABLE = "PROMPT_SEGMENTER_DATA"
HELD_OUT_SEED = 900_000_000
"""Scenes for measurement begin here. Those of training (``--seed`` 1 and up) begin at a thousand million."""
_SIZE = 320
_SMALLEST_PX = 150


@dataclass(frozen=True)
class Target:
    """An object to be found, and what a person would do to ask for it. Pixel corners are at integers."""

    set: str
    """Data set."""
    name: str
    """Which object of the set."""
    image: NDArray[np.uint8]
    """(H, W, 3)"""
    mask: NDArray[np.bool_]
    """(H, W)"""
    include: tuple[float, float]
    """A click inside."""
    exclude: tuple[float, float]
    """A click just outside."""
    box: tuple[float, float, float, float]
    """Left, top, right, bottom."""


def data_folder() -> Path | None:
    """The folder of real labelled images, or None where there is none."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get(DATA_VARIABLE, beside))
    return folder if (folder / "labels.json").is_file() else None


def real(folder: Path) -> Iterator[Target]:
    """The benchmark part of the folder's labels.json."""
    for labelled in read(folder / "labels.json", bench=True):
        item = labelled.item
        yield Target(
            set=item["set"],
            name=item["id"],
            image=labelled.image(),
            mask=labelled.mask(),
            include=tuple(item["include_xy"]),
            exclude=tuple(item["exclude_xy"]),
            box=tuple(item["bbox_xyxy"]),
        )


def generated(count: int) -> Iterator[Target]:
    """One object each of this many held-out scenes."""
    found = 0
    seed = HELD_OUT_SEED
    while found < count:
        seed += 1
        target = _of_scene(seed)
        if target:
            found += 1
            yield target


def _of_scene(seed: int) -> Target | None:
    rng = np.random.default_rng((seed, 3))
    scene = render(seed, _SIZE)
    ids, areas = np.unique(scene.labels, return_counts=True)
    ids = ids[(ids > 0) & (areas >= _SMALLEST_PX) & (areas < 0.4 * scene.labels.size)]
    if not len(ids):
        return None
    whole = (scene.labels == ids[rng.integers(len(ids))]).astype(np.uint8)
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(whole, connectivity=4)
    mask = pieces == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    if mask.sum() < _SMALLEST_PX:
        return None
    rows, cols = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    inner, away = depth(mask), depth(~mask)
    include = _one_of(inner >= 0.6 * inner.max(), rng)
    exclude = _one_of((away > 3) & (away < 3 + 0.25 * np.sqrt(mask.sum())), rng)
    box = (float(cols[0]), float(rows[0]), float(cols[-1] + 1), float(rows[-1] + 1))
    return Target("generated", f"{scene.theme} {seed}", degrade(scene.rgb, rng), mask, include, exclude, box)


def _one_of(places: NDArray[np.bool_], rng: np.random.Generator) -> tuple[float, float]:
    rows, cols = np.nonzero(places)
    index = int(rng.integers(len(rows)))
    return float(cols[index]) + 0.5, float(rows[index]) + 0.5
