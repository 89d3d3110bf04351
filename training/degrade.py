"""What sensors, processing and file formats do to an image."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .scenes.textures import Array, Rng, noise

Image = NDArray[np.uint8]


def degrade(rgb: Array, rng: Rng) -> Image:
    """The scene (H, W, 3) as a product somebody would load: uint8, with the faults of real ones."""
    image = rgb.astype(np.float32)
    if rng.random() < 0.22:
        image = _coarse(image, rng.uniform(1.3, 3.0))
    image = _colours(image, rng)
    if rng.random() < 0.25:
        veil = rng.uniform(0.1, 0.6) * np.float32([1, 1, rng.uniform(0.9, 1.1)])
        image = veil * rng.uniform(0.8, 1.3) + image * (1 - float(veil.max()))
    if rng.random() < 0.3:
        low, high = np.quantile(image[::4, ::4], (rng.uniform(0, 0.03), rng.uniform(0.96, 1.0)))
        image = (image - low) / max(float(high - low), 0.02)
    image = np.clip(image, 0, None) ** np.float32(np.exp(rng.normal(0, 0.25)))
    image = image * np.float32(np.exp(rng.normal(0, 0.2))) + np.float32(rng.normal(0, 0.04))
    if rng.random() < 0.8:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.4))
    if rng.random() < 0.2:
        image += rng.uniform(0.3, 1.2) * (image - cv2.GaussianBlur(image, (0, 0), 1.2))
    image = _grain(image, rng)
    out = (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
    if rng.random() < 0.4:
        _, packed = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 96))])
        out = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    if rng.random() < 0.03:
        out = np.round(out / 32).astype(np.uint8) * 31
    return out


def blank(image: Image, rng: Rng) -> Image:
    """The image with a side or corner without data."""
    if rng.random() > 0.04:
        return image
    image = image.copy()
    cut = int(rng.uniform(0.05, 0.35) * image.shape[0])
    turned = np.rot90(image, int(rng.integers(4)))
    turned[:cut] = rng.choice([0, 0, 255])
    return image


def _coarse(image: Array, factor: float) -> Array:
    """The image at a coarser resolution, brought back to its size."""
    height, width = image.shape[:2]
    small = cv2.resize(image, (int(width / factor), int(height / factor)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def _colours(image: Array, rng: Rng) -> Array:
    """Other bands, casts, and stronger or weaker colours."""
    kind = rng.random()
    grey = image.mean(2, keepdims=True)
    if kind < 0.1:
        image = np.repeat((image * rng.dirichlet((2, 2, 2)).astype(np.float32)).sum(2, keepdims=True), 3, 2)
    elif kind < 0.2:
        green = image[..., 1] - 0.5 * (image[..., 0] + image[..., 2])
        infrared = np.clip(0.35 * grey[..., 0] + 0.15 + rng.uniform(2, 5) * green, 0.02, 1)
        image = np.stack((infrared, image[..., 0], image[..., 1]), 2)
    elif kind < 0.26:
        image = image[..., rng.permutation(3)]
    elif kind < 0.8:
        image = grey + (image - grey) * np.float32(rng.uniform(0.2, 1.5))
    gains = np.exp(rng.normal(0, rng.choice([0.03, 0.1, 0.2]), 3)).astype(np.float32)
    return np.asarray(image * gains, np.float32)


def _grain(image: Array, rng: Rng) -> Array:
    """Sensor noise, stripes, and light that falls off across the image."""
    shape = (image.shape[0], image.shape[1])
    if rng.random() < 0.7:
        level = rng.uniform(0, 0.035)
        shared = noise(rng, shape, 0)[..., None]
        own = np.stack([noise(rng, shape, 0) for _ in range(3)], 2) if rng.random() < 0.5 else shared
        image = image + level * own
    if rng.random() < 0.2:
        image = image * (1 + rng.uniform(0.02, 0.15) * noise(rng, shape, 4))[..., None]
    return np.asarray(image, np.float32)
