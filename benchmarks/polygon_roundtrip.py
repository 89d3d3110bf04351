"""Masks to polygons and back: ``python -m benchmarks.polygon_roundtrip`` from the repository root.

Known masks become polygons on grids of every kind. GDAL, which had no part in making them, burns them back: not one
pixel may differ. Every vertex, brought back to pixels, must lie within a millionth of a pixel of a pixel's corner,
every polygon must be valid, and the areas must add up. A second table says what the default outline settings do to
the same masks, a third what it costs beside GDAL's own polygonizer. Exit status 1 if a limit is missed.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import native
from core.outlines.masks import PartRule, find_parts, select_parts
from core.outlines.polygonize import polygonize
from core.outlines.shape import OutlineSettings, clean, combine
from core.raster.grid import PixelGrid

LIMIT_PX = 1e-6
SIDE = 128
Mask = NDArray[np.bool_]


def turned(metres: float, degrees: float) -> tuple[float, ...]:
    """Return the geotransform of square pixels turned by some degrees."""
    cos, sin = metres * math.cos(math.radians(degrees)), metres * math.sin(math.radians(degrees))
    return cos, sin, 500000.0, sin, -cos, 5000000.0


GRIDS = {
    "pixel space": ((1.0, 0.0, 0.0, 0.0, 1.0, 0.0), None),
    "UTM 0.05 m": ((0.05, 0.0, 500000.0, 0.0, -0.05, 5000000.0), "EPSG:32633"),
    "UTM 30 deg turned": (turned(0.3, 30.0), "EPSG:32633"),
    "UTM sheared": ((1.0, 0.4, 500000.0, 0.2, -1.0, 5000000.0), "EPSG:32633"),
    "UTM south-up oblong": ((3.0, 0.0, 500000.0, 0.0, 7.0, 5000000.0), "EPSG:32633"),
    "EPSG:4326 5 cm": ((4.5e-7, 0.0, 12.5, 0.0, -4.5e-7, 46.0), "EPSG:4326"),
    "EPSG:4326 30 m": ((1 / 3600, 0.0, 179.99, 0.0, -1 / 3600, 60.0), "EPSG:4326"),
    "EPSG:3857 zoom 21": ((0.0746, 0.0, -1.9e7, 0.0, -0.0746, 8.4e6), "EPSG:3857"),
}


def masks(side: int = SIDE) -> dict[str, Mask]:
    """Return the known masks, all ``side`` by ``side``."""
    y, x = np.mgrid[:side, :side] + 0.5 - side / 2
    noise = np.random.default_rng(7).random((side, side))
    angle = math.radians(17)
    along, across = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    single = np.zeros((side, side), dtype=bool)
    single[side // 3, side // 5] = True
    return {
        "single pixel": single,
        "whole frame": np.ones((side, side), dtype=bool),
        "disc": np.hypot(x, y) < side * 0.4,
        "rings": np.sin(np.hypot(x, y) / 6) > 0,
        "turned rectangle": (abs(along) < side * 0.35) & (abs(across) < side * 0.2),
        "wavy blob": np.hypot(x, y) < side * (0.3 + 0.08 * np.sin(7 * np.arctan2(y, x)) + 0.03 * np.sin(x / 3)),
        "checkerboard": (np.indices((side, side)).sum(axis=0) % 2).astype(bool),
        "noise 50 %": noise < 0.5,
        "noise 90 %": noise < 0.9,
    }


def main() -> int:
    """Print the tables and return the exit status."""
    failures = round_trips() + outlines()
    costs()
    sys.stdout.write("all within the limits\n" if not failures else f"{failures} limits missed\n")
    return 1 if failures else 0


def round_trips() -> int:
    """Print the exactness table and return how many of its rows miss a limit."""
    sys.stdout.write(
        f"{'grid':20} {'masks':>5} {'polygons':>8} {'px differ':>9} {'vertex px':>9} {'area rel':>8} invalid\n"
    )
    failures = 0
    for name, (transform, crs) in GRIDS.items():
        polygons, differing, off, area_off, invalid = 0, 0, 0.0, 0.0, 0
        for mask in masks().values():
            grid = PixelGrid(transform, crs, SIDE, SIDE)
            traced = polygonize(mask, grid)
            polygons += len(traced)
            differing += int((burnt(traced, grid) != mask).sum())
            off = max(off, farthest_from_corner(traced, grid))
            a, b, _, d, e, _ = transform
            true_area = float(mask.sum()) * abs(a * e - b * d)
            area_off = max(area_off, abs(sum(pixel_area(polygon, grid) for polygon in traced) / mask.sum() - 1.0))
            invalid += sum(not (polygon.is_valid and polygon.exterior.is_ccw) for polygon in traced)
            invalid += len(traced) != find_parts(mask).count or true_area <= 0.0
        failures += bool(differing or invalid or off > LIMIT_PX or area_off > LIMIT_PX)
        row = f"{name:20} {len(masks()):5} {polygons:8} {differing:9} {off:9.1e} {area_off:8.1e} {invalid:7}\n"
        sys.stdout.write(row)
    return failures


def outlines() -> int:
    """Print what the default settings do to single objects and return how many come out invalid."""
    sys.stdout.write(f"\n{'default outline of':20} {'vertices':>14} {'IoU with the mask':>18} {'px away, most':>13}\n")
    failures = 0
    transform, crs = GRIDS["UTM 30 deg turned"]
    for name in ("disc", "rings", "turned rectangle", "wavy blob", "whole frame"):
        mask = masks()[name]
        grid = PixelGrid(transform, crs, SIDE, SIDE)
        raw = polygonize(mask, grid)
        shaped = clean(raw, OutlineSettings(parts=PartRule.ALL), grid)
        before, after = (sum(vertices(polygon) for polygon in group) for group in (raw, shaped))
        again = burnt(shaped, grid)
        iou = (again & mask).sum() / (again | mask).sum()
        away = combine(raw).boundary.hausdorff_distance(combine(shaped).boundary) / grid.metres_per_pixel()[0]
        failures += not combine(shaped).is_valid
        sys.stdout.write(f"{name:20} {before:6} > {after:5} {iou:18.4f} {away:13.2f}\n")
    return failures


def costs() -> None:
    """Print what a large mask costs, beside GDAL's polygonizer."""
    side = 1024
    sys.stdout.write(f"\n{'1024 x 1024, ms':20} {'parts':>7} {'trace':>7} {'clean':>7} {'GDAL trace':>10}\n")
    features = native.rasterio().features
    for name in ("disc", "wavy blob", "rings"):
        mask = masks(side)[name]
        grid = PixelGrid(GRIDS["UTM 30 deg turned"][0], "EPSG:32633", side, side)
        chosen = select_parts(mask, PartRule.LARGEST)
        traced = polygonize(chosen, grid)
        figures = [
            milliseconds(lambda mask=mask: select_parts(mask, PartRule.LARGEST)),
            milliseconds(lambda chosen=chosen, grid=grid: polygonize(chosen, grid)),
            milliseconds(lambda traced=traced, grid=grid: clean(traced, OutlineSettings(), grid)),
            milliseconds(
                lambda chosen=chosen: list(features.shapes(chosen.view(np.uint8), mask=chosen, connectivity=4))
            ),
        ]
        sys.stdout.write(f"{name:20} {figures[0]:7.1f} {figures[1]:7.1f} {figures[2]:7.1f} {figures[3]:10.1f}\n")


def burnt(polygons: list[Any], grid: PixelGrid) -> Mask:
    """Return the mask that GDAL burns from polygons: pixels whose middle lies inside."""
    rasterio = native.rasterio()
    again: Mask = rasterio.features.rasterize(
        [(polygon, 1) for polygon in polygons],
        out_shape=(grid.height, grid.width),
        transform=rasterio.transform.Affine(*grid.transform),
        dtype="uint8",
    ).astype(bool)
    return again


def rings_of(polygon: Any) -> list[Any]:
    """Return shell and holes."""
    return [polygon.exterior, *polygon.interiors]


def vertices(polygon: Any) -> int:
    """Return the number of corners."""
    return sum(len(ring.coords) - 1 for ring in rings_of(polygon))


def farthest_from_corner(polygons: list[Any], grid: PixelGrid) -> float:
    """Return the largest distance of a vertex to a pixel's corner, in pixels."""
    corners = np.vstack([grid.to_pixel(ring.coords) for polygon in polygons for ring in rings_of(polygon)])
    return float(np.abs(corners - np.round(corners)).max())


def pixel_area(polygon: Any, grid: PixelGrid) -> float:
    """Return a polygon's area in pixels, each ring by the shoelace formula."""
    total = 0.0
    for index, ring in enumerate(rings_of(polygon)):
        x, y = grid.to_pixel(ring.coords).T
        area = abs(float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))) / 2.0
        total += area if index == 0 else -area
    return total


def milliseconds(work: Callable[[], Any], times: int = 7) -> float:
    """Return the median CPU time of some runs."""
    spent = []
    for _ in range(times):
        started = time.process_time()
        work()
        spent.append(time.process_time() - started)
    return 1e3 * float(np.median(spent))


if __name__ == "__main__":
    sys.exit(main())
