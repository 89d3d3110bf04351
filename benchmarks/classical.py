"""Segmentation without learning, as the yardstick. Each method answers the same prompts as the model."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import random_walker

Mask = NDArray[np.bool_]
Image = NDArray[np.uint8]
TOLERANCES = (5, 8, 12, 16, 22, 30)
_AROUND_PX, _FLOOD_AROUND_PX = 96, 256
"""Half side of the window that methods without a sense of size look at around clicks."""
_WALKER_PX = 112
"""Longer side at which the random walker runs, which is slow."""


@dataclass(frozen=True)
class Asked:
    """Prompts in pixels of the whole image."""

    include: tuple[tuple[float, float], ...] = ()
    exclude: tuple[tuple[float, float], ...] = ()
    box: tuple[float, float, float, float] | None = None

    def seeds(self) -> list[tuple[float, float]]:
        """The include clicks, or the middle of the box."""
        if self.include or self.box is None:
            return list(self.include)
        return [((self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2)]

    def extends(self, other: Asked) -> bool:
        """Whether it is the other's clicks and exactly one more."""
        more = len(self.include) + len(self.exclude) - len(other.include) - len(other.exclude)
        same = (
            self.include[: len(other.include)] == other.include and self.exclude[: len(other.exclude)] == other.exclude
        )
        return more == 1 and same and bool(other.include) and self.box == other.box


def box_fill(image: Image, asked: Asked) -> Mask:
    """Everything in the box; with clicks alone, a square of 40 pixels around the first."""
    mask = np.zeros(image.shape[:2], bool)
    x, y = asked.seeds()[0]
    left, top, right, bottom = asked.box or (x - 20, y - 20, x + 20, y + 20)
    mask[max(0, round(top)) : max(0, round(bottom)), max(0, round(left)) : max(0, round(right))] = True
    return mask


class Flood:
    """Flood fill in Lab from each include click, with one tolerance for all; exclude clicks flood against it."""

    def __init__(self, tolerance: int) -> None:
        self._tolerance = tolerance

    def __call__(self, image: Image, asked: Asked) -> Mask:
        where = _window(image, asked, _FLOOD_AROUND_PX)
        offset = np.array((where[1].start, where[0].start))
        lab = cv2.GaussianBlur(cv2.cvtColor(image[where], cv2.COLOR_RGB2LAB), (0, 0), 1.0)
        include, exclude = ([tuple(np.array(s) - offset) for s in seeds] for seeds in (asked.seeds(), asked.exclude))
        found = np.any([self._from(lab, seed) for seed in include], axis=0)
        if exclude:
            against = np.any([self._from(lab, seed) for seed in exclude], axis=0)
            found &= ~against | (_unlikeness(lab, include) < _unlikeness(lab, exclude))
        mask = np.zeros(image.shape[:2], bool)
        mask[where] = found
        if asked.box:
            mask &= box_fill(image, asked)
        return mask

    def _from(self, lab: Image, seed: tuple[float, float]) -> Mask:
        filled = np.zeros((lab.shape[0] + 2, lab.shape[1] + 2), np.uint8)
        span = (self._tolerance,) * 3
        flags = 4 | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE | (1 << 8)
        cv2.floodFill(lab, filled, (int(seed[0]), int(seed[1])), 0, span, span, flags)
        return filled[1:-1, 1:-1] > 0


def grabcut(image: Image, asked: Asked) -> Mask:
    """GrabCut from the box, or from a disc around the clicks; clicks are certain."""
    where = _window(image, asked)
    crop = np.ascontiguousarray(image[where][:, :, ::-1])
    state = np.full(crop.shape[:2], cv2.GC_PR_BGD, np.uint8)
    offset = np.array((where[1].start, where[0].start))
    if asked.box:
        state[:] = cv2.GC_BGD
        left, top, right, bottom = np.round(np.array(asked.box) - (*offset, *offset)).astype(int)
        state[max(0, top) : bottom, max(0, left) : right] = cv2.GC_PR_FGD
    else:
        for seed in asked.include:
            cv2.circle(state, _whole(seed - offset), 24, cv2.GC_PR_FGD, -1)
    for seed in asked.exclude:
        cv2.circle(state, _whole(seed - offset), 3, cv2.GC_BGD, -1)
    for seed in asked.include:
        cv2.circle(state, _whole(seed - offset), 3, cv2.GC_FGD, -1)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(1)
    cv2.grabCut(crop, state, None, *models, 3, cv2.GC_INIT_WITH_MASK)
    mask = np.zeros(image.shape[:2], bool)
    mask[where] = (state == cv2.GC_FGD) | (state == cv2.GC_PR_FGD)
    return mask


def walker(image: Image, asked: Asked) -> Mask:
    """Random walker: clicks against excludes and the frame of the window (or what lies outside the box)."""
    where = _window(image, asked)
    crop = image[where]
    scale = min(1.0, _WALKER_PX / max(crop.shape[:2]))
    size = (max(8, round(crop.shape[1] * scale)), max(8, round(crop.shape[0] * scale)))
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    factors = np.array(size) / (crop.shape[1], crop.shape[0])
    offset = np.array((where[1].start, where[0].start))
    seeds = np.zeros(small.shape[:2], np.int32)
    seeds[[0, -1]] = 2
    seeds[:, [0, -1]] = 2
    if asked.box:
        left, top, right, bottom = np.round((np.array(asked.box) - (*offset, *offset)) * (*factors, *factors)).astype(
            int
        )
        inside = np.zeros(seeds.shape, bool)
        inside[max(0, top) : bottom, max(0, left) : right] = True
        seeds[~inside] = 2
        middle, size = (
            ((left + right) // 2, (top + bottom) // 2),
            (max(1, (right - left) // 6), max(1, (bottom - top) // 6)),
        )
        cv2.ellipse(seeds, tuple(map(int, middle)), tuple(map(int, size)), 0, 0, 360, 1, -1)
    for points, label in ((asked.seeds(), 1), (asked.exclude, 2)):
        for seed in points:
            cv2.circle(seeds, _whole((seed - offset) * factors), 2, label, -1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = random_walker(small.astype(np.float64) / 255, seeds, beta=300, mode="bf", channel_axis=-1)
    mask = np.zeros(image.shape[:2], bool)
    mask[where] = cv2.resize((found == 1).astype(np.float32), crop.shape[1::-1]) > 0.5
    return mask


def _window(image: Image, asked: Asked, around: int = _AROUND_PX) -> tuple[slice, slice]:
    """The part of the image that is looked at: around the box or the clicks."""
    points = np.array([*asked.include, *asked.exclude, *(np.array(asked.box).reshape(2, 2) if asked.box else ())])
    low, high = points.min(0), points.max(0)
    margin = 0.25 * (high - low) + 4 if asked.box else max(around - (high - low).max() / 2, 32)
    low, high = np.floor(low - margin).astype(int), np.ceil(high + margin).astype(int)
    height, width = image.shape[:2]
    return slice(max(low[1], 0), min(high[1], height)), slice(max(low[0], 0), min(high[0], width))


def _whole(point: NDArray[np.float64]) -> tuple[int, int]:
    return int(point[0]), int(point[1])


def _unlikeness(lab: Image, seeds: list[tuple[float, float]]) -> NDArray[np.float32]:
    """Largest difference of a channel (H, W) between each pixel and the seed that is most like it."""
    values = lab.astype(np.float32)
    differences = [abs(values - values[int(y), int(x)]).max(2) for x, y in seeds]
    return np.min(differences, axis=0)
