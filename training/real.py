"""Mixing real labelled images into training with ``--extra labels.json``.

What the project ships is trained without any of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from torch.utils.data import IterableDataset

from .labelled import RealObject, numbered, read
from .samples import Batch, Sample, SceneBatches, cut, stack
from .scenes.textures import Rng

REAL_SHARE = 0.3
"""Share of the windows that come from real images when there are any."""


class WithReal(IterableDataset):  # type: ignore[type-arg]
    """Batches in which some windows are real."""

    def __init__(self, generated: SceneBatches, path: Path, seed: int, side: int, batch: int) -> None:
        self._generated, self._path = generated, path
        self._seed, self._side, self._batch = seed, side, batch

    def __iter__(self) -> Iterator[Batch]:
        rng = np.random.default_rng((self._seed, 11))
        objects = read(self._path)
        for batch in self._generated.windows():
            count = int(rng.binomial(self._batch, REAL_SHARE))
            chosen = (objects[int(rng.integers(len(objects)))] for _ in range(count))
            real = [sample for item in chosen if (sample := around(item, rng, self._side))]
            yield stack((real + batch)[: self._batch])


def around(chosen: RealObject, rng: Rng, side: int) -> Sample | None:
    """A training sample of side x side pixels around a real object."""
    image = chosen.image()
    labels, _ = numbered(chosen.folder / chosen.item["labels"], image.shape[:2])
    x0, y0, x1, y1 = chosen.item["bbox_xyxy"]
    wide = int(min(max(x1 - x0, y1 - y0, 12) * np.exp(rng.uniform(np.log(1.15), np.log(6))), *image.shape[:2]))
    left = int(np.clip((x0 + x1) / 2 - wide * rng.uniform(0.3, 0.7), 0, image.shape[1] - wide))
    top = int(np.clip((y0 + y1) / 2 - wide * rng.uniform(0.3, 0.7), 0, image.shape[0] - wide))
    view = (slice(top, top + wide), slice(left, left + wide))
    return cut(image[view].astype(np.float32) / 255, labels[view], 0 * labels[view], rng, side, worn=True)


def real_windows(path: Path, side: int, most: int) -> Iterator[Sample]:
    """At most this many windows around real objects, for measuring; always the same ones."""
    rng = np.random.default_rng(17)
    objects = read(path)
    for index in rng.permutation(len(objects))[:most]:
        sample = around(objects[index], rng, side)
        if sample is not None:
            yield sample
