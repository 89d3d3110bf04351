"""An image with one obvious object, for the real programs."""

from __future__ import annotations

import numpy as np
import pytest
from prompt_segmenter.core.native import rasterio

LEFT, TOP, PIXEL = 500_000.0, 4_600_000.0, 0.5


@pytest.fixture(scope="session")
def image(tmp_path_factory):
    """A bright roof of 60 x 40 pixels (30 x 20 m) on dark, mottled ground, 300 x 300 pixels in UTM 33N."""
    path = tmp_path_factory.mktemp("image") / "roof.tif"
    noise = np.random.default_rng(0).normal(0, 6, (3, 300, 300))
    data = np.full((3, 300, 300), 60.0) + noise
    data[:, 130:170, 120:180] = np.array([190, 180, 170])[:, None, None] + noise[:, 130:170, 120:180] / 2
    profile = {"driver": "GTiff", "width": 300, "height": 300, "count": 3, "dtype": "uint8", "crs": "EPSG:32633"}
    transform = rasterio().Affine(PIXEL, 0, LEFT, 0, -PIXEL, TOP)
    with rasterio().open(path, "w", **profile, transform=transform, photometric="RGB") as file:
        file.write(data.clip(0, 255).astype(np.uint8))
    return path


@pytest.fixture(scope="session")
def town(tmp_path_factory):
    """A made town of 400 x 400 pixels that no training saw, and where its buildings are (H, W)."""
    from prompt_segmenter.training.scenes import Kind, render

    scene = render(900_000_100, 400, "district")
    path = tmp_path_factory.mktemp("town") / "town.tif"
    data = (np.clip(scene.rgb, 0, 1) * 255).astype(np.uint8).transpose(2, 0, 1)
    profile = {"driver": "GTiff", "width": 400, "height": 400, "count": 3, "dtype": "uint8", "crs": "EPSG:32633"}
    transform = rasterio().Affine(PIXEL, 0, LEFT, 0, -PIXEL, TOP)
    with rasterio().open(path, "w", **profile, transform=transform, photometric="RGB") as file:
        file.write(data)
    return path, scene.kinds == Kind.BUILDING


def click(col, row):
    """Return a pixel of the image as the algorithm takes a click."""
    return f"Point ({LEFT + PIXEL * col} {TOP - PIXEL * row})"
