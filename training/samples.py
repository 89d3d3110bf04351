"""Training samples: a window of a scene, a few objects in it, and how somebody begins with each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset

from .clicks import Gesture, start
from .degrade import blank, degrade
from .scenes import Scene, render
from .scenes.canvas import Labels, Mask
from .scenes.textures import Rng

OBJECTS = 4
"""Objects that share one image."""
SMALLEST = 45
"""Area below which nothing is asked for, in pixels of the window."""
POOL, RENEW = 40, 0.2


@dataclass(frozen=True)
class Batch:
    """A batch of B windows with OBJECTS objects each."""

    images: Tensor
    """(B, 3, T, T) uint8"""
    masks: Tensor
    """(B * OBJECTS, T, T) bool"""
    borders: Tensor
    """(B, 1, T/4, T/4) float: 1 where an outline passes; -1 where unknown."""
    points: Tensor
    labels: Tensor
    boxes: Tensor


@dataclass(frozen=True)
class Sample:
    """One window."""

    image: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    border: NDArray[np.float32]
    gestures: list[Gesture]


def stack(samples: list[Sample]) -> Batch:
    """Samples as one batch."""
    gestures = [gesture for sample in samples for gesture in sample.gestures]
    return Batch(
        torch.from_numpy(np.stack([s.image for s in samples])).permute(0, 3, 1, 2).contiguous(),
        torch.from_numpy(np.concatenate([s.masks for s in samples])),
        torch.from_numpy(np.stack([s.border for s in samples]))[:, None],
        torch.from_numpy(np.stack([g.points for g in gestures])),
        torch.from_numpy(np.stack([g.labels for g in gestures])),
        torch.from_numpy(np.stack([g.box for g in gestures])),
    )


def window(scene: Scene, rng: Rng, side: int) -> Sample | None:
    """A window of side pixels around some object of the scene, or None where the scene has none."""
    ids, areas = np.unique(scene.labels, return_counts=True)
    ids = ids[(areas > 40) & (ids > 0) & (areas < 0.8 * scene.labels.size)]
    if not len(ids):
        return None
    rows, cols = np.nonzero(scene.labels == ids[rng.integers(len(ids))])
    extent = max(int(np.ptp(rows)), int(np.ptp(cols))) + 1
    wide = int(np.clip(extent * np.exp(rng.uniform(np.log(1.1), np.log(7))), side * 0.4, scene.labels.shape[0]))
    top, left = (_place(int(v.min()), int(v.max()) + 1, wide, scene.labels.shape[0], rng) for v in (rows, cols))
    view = (slice(top, top + wide), slice(left, left + wide))
    return cut(scene.rgb[view], scene.labels[view], scene.extra[view], rng, side)


def cut(
    rgb: NDArray[np.float32], labels: Labels, extra: Labels, rng: Rng, side: int, *, worn: bool = False
) -> Sample | None:
    """The window as a training sample of side x side pixels; ``worn`` images come from a sensor already."""
    turn, flip = int(rng.integers(4)), rng.random() < 0.5
    rgb, labels, extra = (_turned(array, turn, flip) for array in (rgb, labels, extra))
    smaller = cv2.INTER_AREA if rgb.shape[0] > side else cv2.INTER_LINEAR
    early = not worn and rgb.shape[0] < side * 1.5 and rng.random() < 0.5
    source = degrade(rgb, rng).astype(np.float32) / 255 if early else rgb
    sized = cv2.resize(source, (side, side), interpolation=smaller)
    image = (np.clip(sized, 0, 1) * 255 + 0.5).astype(np.uint8) if early or worn else degrade(sized, rng)
    labels, extra = (cv2.resize(a, (side, side), interpolation=cv2.INTER_NEAREST_EXACT) for a in (labels, extra))
    masks = objects(labels, extra, rng)
    if not masks:
        return None
    gestures = [start(mask, rng) for mask in masks]
    return Sample(blank(image, rng), np.stack(masks), _border(labels), gestures)


def objects(labels: Labels, extra: Labels, rng: Rng) -> list[Mask]:
    """OBJECTS masks of the window; large ones a little preferred; sometimes a part, or a group, or two neighbours."""
    ids, areas = np.unique(labels, return_counts=True)
    keep = (ids > 0) & (areas >= SMALLEST) & (areas < 0.85 * labels.size)
    ids, areas = ids[keep], areas[keep]
    if not len(ids):
        return []
    weight = areas.astype(np.float64) ** 0.8
    chosen = rng.choice(ids, OBJECTS, replace=len(ids) < OBJECTS, p=weight / weight.sum())
    masks = []
    for label in chosen:
        mask = labels == label
        if rng.random() < 0.05:
            mask = _other(labels, extra, mask, rng)
        masks.append(_whole(mask, rng))
    return masks


def _whole(mask: Mask, rng: Rng) -> Mask:
    """Mostly only the largest piece of an object that others cut in pieces."""
    if rng.random() < 0.4:
        return mask
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    largest: Mask = pieces == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return largest if largest.sum() >= SMALLEST else mask


def _other(labels: Labels, extra: Labels, mask: Mask, rng: Rng) -> Mask:
    """A part of the object, or the group that it is in, where there is one."""
    ids = np.unique(extra[mask])
    ids = ids[ids > 0]
    if not len(ids):
        return mask
    other: Mask = extra == ids[rng.integers(len(ids))]
    return other if SMALLEST <= other.sum() < 0.85 * labels.size else mask


def _place(low: int, high: int, wide: int, size: int, rng: Rng) -> int:
    """Where a window starts so that it holds low..high, or most of it, and stays inside 0..size."""
    first, last = sorted((high - wide, low))
    return int(np.clip(rng.integers(first, last + 1), 0, size - wide))


def _turned(array: NDArray, turn: int, flip: bool) -> NDArray:
    array = np.rot90(array, turn)
    return np.ascontiguousarray(array[:, ::-1] if flip else array)


def _border(labels: Labels) -> NDArray[np.float32]:
    """1 in each 4x4 cell that an outline passes."""
    edge = np.zeros(labels.shape, bool)
    edge[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    edge[1:] |= labels[1:] != labels[:-1]
    side = labels.shape[0] // 4
    return edge.reshape(side, 4, side, 4).any((1, 3)).astype(np.float32)


class SceneBatches(IterableDataset):  # type: ignore[type-arg]
    """Endless batches of generated scenes; each scene is seen a few times, from different windows."""

    def __init__(self, seed: int, side: int, batch: int) -> None:
        self._seed, self._side, self._batch = seed, side, batch

    def __iter__(self) -> Iterator[Batch]:
        return (stack(samples) for samples in self.windows())

    def windows(self) -> Iterator[list[Sample]]:
        """The batches, not yet stacked."""
        cv2.setNumThreads(1)
        rng = np.random.default_rng((self._seed, 7))
        fresh = iter(range(self._seed * 1_000_000, (self._seed + 1) * 1_000_000))
        pool = [render(next(fresh)) for _ in range(POOL)]
        while True:
            samples: list[Sample] = []
            while len(samples) < self._batch:
                index = int(rng.integers(POOL))
                if rng.random() < RENEW:
                    pool[index] = render(next(fresh))
                sample = window(pool[index], rng, self._side)
                if sample is not None:
                    samples.append(sample)
            yield samples
