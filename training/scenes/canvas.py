"""The canvas that themes paint on: colours, outlines of objects, shadows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from .kinds import Ground, Kind
from .textures import Array, Rng, noise, stained

Mask = NDArray[np.bool_]
Labels = NDArray[np.int32]
Kinds = NDArray[np.uint8]


@dataclass
class Canvas:
    """An image being painted, with the label of the object at each pixel."""

    size: int
    rng: Rng
    rgb: Array = field(init=False)
    """Colours (S, S, 3), about 0..1."""
    labels: Labels = field(init=False)
    """Object at each pixel (S, S); 0 is ground."""
    extra: Labels = field(init=False)
    """Parts of objects, or groups of them (S, S); 0 is none."""
    kinds: Kinds = field(init=False)
    """What each pixel shows (S, S), a :class:`Kind`."""
    count: int = 0
    sun: tuple[float, float] = (0.0, 0.0)
    """Direction of the shadows (dx, dy), length 1."""
    darkness: float = 0.5
    """What is left of the light in shadow."""

    def __post_init__(self) -> None:
        self.rgb = np.zeros((self.size, self.size, 3), np.float32)
        self.labels = np.zeros((self.size, self.size), np.int32)
        self.extra = np.zeros((self.size, self.size), np.int32)
        self.kinds = np.zeros((self.size, self.size), np.uint8)
        angle = self.rng.uniform(0, 2 * np.pi)
        self.sun = (float(np.cos(angle)), float(np.sin(angle)))
        self.darkness = float(self.rng.uniform(0.25, 0.7))

    def new(self) -> int:
        """A fresh label."""
        self.count += 1
        return self.count

    def ground(self, ground: Ground, amount: float = 0.1) -> None:
        """Cover everything with ground of one colour, mottled."""
        shape = (self.size, self.size)
        self.rgb[:] = stained(self.rng, shape, ground.colour, amount)
        self.kinds[:] = ground.kind

    def mottle(self, ground: Ground, cover: float, strength: float = 0.8) -> None:
        """Blend another ground colour in, in natural patches that cover about this share."""
        shape = (self.size, self.size)
        field_ = noise(self.rng, shape, 3) + 0.3 * noise(self.rng, shape, 1)
        level = np.quantile(field_, 1 - np.clip(cover, 0.02, 0.98))
        blend = strength / (1 + np.exp(-(field_ - level) * self.rng.uniform(3, 20)))
        self.rgb += (stained(self.rng, shape, ground.colour, 0.08) - self.rgb) * blend[..., None]
        self.kinds[blend > 0.5] = ground.kind

    def window(self, points: Array) -> tuple[slice, slice]:
        """The part of the canvas that points (N, 2) span, as slices."""
        x0, y0 = np.floor(points.min(0)).astype(int) - 1
        x1, y1 = np.ceil(points.max(0)).astype(int) + 2
        rows = slice(int(np.clip(y0, 0, self.size)), int(np.clip(y1, 0, self.size)))
        return rows, slice(int(np.clip(x0, 0, self.size)), int(np.clip(x1, 0, self.size)))

    def polygon(self, points: Array) -> tuple[tuple[slice, slice], Mask]:
        """Window and mask of a polygon (N, 2); empty where it lies outside."""
        where = self.window(points)
        shape = self.labels[where].shape
        mask = np.zeros(shape, np.uint8)
        if mask.size:
            local = (points - (where[1].start, where[0].start) - 0.5) * 16
            cv2.fillPoly(mask, [np.round(local).astype(np.int32)], 1, shift=4)
        return where, mask.astype(bool)

    def local(self, where: tuple[slice, slice], centre: Sequence[float], angle: float) -> tuple[Array, Array]:
        """Coordinates (u, v) of the window's pixels, along and across an axis through a centre."""
        xs = np.arange(where[1].start, where[1].stop, dtype=np.float32) + 0.5 - centre[0]
        ys = (np.arange(where[0].start, where[0].stop, dtype=np.float32) + 0.5 - centre[1])[:, None]
        cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        return xs * cos + ys * sin, ys * cos - xs * sin

    def paint(
        self,
        where: tuple[slice, slice],
        mask: Mask,
        colour: Array,
        *,
        label: int | None = None,
        extra: int | None = None,
        kind: Kind | None = None,
    ) -> None:
        """Put a colour (3,) or patch (h, w, 3) where the mask is, and the labels with it.

        A new object is of no kind unless it says which; what has no label of its own changes no kind by itself.
        """
        if not mask.size:
            return
        target = self.rgb[where]
        target[mask] = colour[mask] if colour.ndim == 3 else colour
        if kind is not None or label is not None:
            self.kinds[where][mask] = kind or Kind.OTHER
        if label is not None:
            self.labels[where][mask] = label
            self.extra[where][mask] = extra or 0
        elif extra is not None:
            self.extra[where][mask] = extra

    def shadow(self, where: tuple[slice, slice], mask: Mask, length: float) -> None:
        """Darken what the shadow of something of this outline falls on. Paint the thing itself afterwards."""
        if length < 1 or not mask.any():
            return
        reach = int(np.ceil(length)) + 1
        rows = slice(max(where[0].start - reach, 0), min(where[0].stop + reach, self.size))
        cols = slice(max(where[1].start - reach, 0), min(where[1].stop + reach, self.size))
        wide = np.zeros((rows.stop - rows.start, cols.stop - cols.start), np.uint8)
        top, left = where[0].start - rows.start, where[1].start - cols.start
        wide[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
        kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.uint8)
        end = (round(reach - self.sun[0] * length), round(reach - self.sun[1] * length))
        cv2.line(kernel, (reach, reach), end, 1, 1)
        cast = cv2.GaussianBlur(cv2.dilate(wide, kernel).astype(np.float32), (0, 0), 0.7)
        self.rgb[rows, cols] *= (1 - (1 - self.darkness) * cast)[..., None]

    def shade(self, angle: float) -> float:
        """How much light (-1..1) a slope that falls towards this direction gets; the sun is opposite to the shadows."""
        return -float(np.cos(angle) * self.sun[0] + np.sin(angle) * self.sun[1])
