"""Where prompts land and outlines lie: ``python -m benchmarks.position`` from the repository root.

The yardstick is GDAL alone. ``gdaltransform`` says what coordinates known pixels of a grid have in EPSG:4326, 3857 and
UTM; these are given as clicks, and go the whole way to the pixels of a chip as in a session. GDAL's own polygonizer
traces a known mask, and the project's outline is compared with it. Exit status 1 if a limit is missed.
"""

from __future__ import annotations

import argparse
import math
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from core import native
from core.outlines.polygonize import polygonize
from core.prompts.build import prompts
from core.raster.grid import PixelGrid
from core.window import place

PROMPT_LIMIT_PX, OUTLINE_LIMIT_PX = 0.01, 1e-6
PROMPT_CRS = ("EPSG:4326", "EPSG:3857", "EPSG:32632", "EPSG:32633")
CHIP_PX = 1024
SIZE = 4000


def turned(metres: float, degrees: float, x: float, y: float) -> tuple[float, ...]:
    """Return the geotransform of square pixels turned by some degrees."""
    cos, sin = metres * math.cos(math.radians(degrees)), metres * math.sin(math.radians(degrees))
    return cos, sin, x, sin, -cos, y


GRIDS = {
    "UTM, 0.1 m": PixelGrid((0.1, 0.0, 500000.0, 0.0, -0.1, 5000000.0), "EPSG:32633", SIZE, SIZE),
    "UTM, 30 degrees turned": PixelGrid(turned(2.0, 30.0, 500000.0, 5000000.0), "EPSG:32633", SIZE, SIZE),
    "UTM, sheared": PixelGrid((1.0, 0.4, 500000.0, 0.2, -1.0, 5000000.0), "EPSG:32633", SIZE, SIZE),
    "UTM, south-up, oblong": PixelGrid((3.0, 0.0, 400000.0, 0.0, 7.0, 5000000.0), "EPSG:32633", SIZE, SIZE),
    "EPSG:4326, 10 m": PixelGrid((1e-4, 0.0, 12.5, 0.0, -1e-4, 46.0), "EPSG:4326", SIZE, SIZE),
    "EPSG:3857, zoom 19": PixelGrid((0.2986, 0.0, 1.5e6, 0.0, -0.2986, 5.6e6), "EPSG:3857", SIZE, SIZE),
    "EPSG:28992, 0.25 m": PixelGrid((0.25, 0.0, 127375.0, 0.0, -0.25, 428250.0), "EPSG:28992", SIZE, SIZE),
    "US survey feet": PixelGrid((1.5, 0.0, 980000.0, 0.0, -1.5, 200000.0), "EPSG:2263", SIZE, SIZE),
}


def main(arguments: list[str] | None = None) -> int:
    """Print both tables and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.position", description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=500, help="clicks for each grid and CRS (default %(default)s)")
    count = parser.parse_args(arguments).points
    if shutil.which("gdaltransform") is None:
        print("gdaltransform is not on PATH. Install it with: sudo apt-get install gdal-bin", file=sys.stderr)
        return 1
    print(f"Largest distance in pixels between {count} clicks and where GDAL says they are (limit {PROMPT_LIMIT_PX})")
    print(f"{'grid':<24}" + "".join(f"{name:>14}" for name in PROMPT_CRS))
    worst = 0.0
    for name, grid in GRIDS.items():
        misses = [prompt_miss(grid, crs, count) for crs in PROMPT_CRS]
        worst = max(worst, *misses)
        print(f"{name:<24}" + "".join(f"{miss:>14.2e}" for miss in misses))
    print(f"\nLargest distance in pixels between outlines of a known mask and GDAL's (limit {OUTLINE_LIMIT_PX:g})")
    outline_worst = 0.0
    for name, grid in GRIDS.items():
        miss = outline_miss(grid.resampled(SIZE // 10, SIZE // 10))
        outline_worst = max(outline_worst, miss)
        print(f"{name:<24}{miss:>14.2e}")
    passed = worst < PROMPT_LIMIT_PX and outline_worst < OUTLINE_LIMIT_PX
    print(f"\n{'All within the limits' if passed else 'A limit is missed'}: {worst:.1e} and {outline_worst:.1e} px.")
    return 0 if passed else 1


def prompt_miss(grid: PixelGrid, crs: str, count: int) -> float:
    """Return how far clicks in ``crs`` land from the pixels that GDAL made their coordinates from."""
    pixels = np.random.default_rng(0).uniform(0.0, SIZE, (count, 2))
    misses = []
    for pixel, (x, y) in zip(pixels, gdal_places(grid, crs, pixels)):
        here = prompts(include=[(x, y)], crs=crs).transformed(grid.crs)
        view = place(grid, grid.box_to_pixel(here.envelope()), CHIP_PX)
        landed = here.to_pixels(view.grid(grid)).points[0] + (view.window.col, view.window.row)
        misses.append(float(np.abs(landed - pixel).max()))
    return max(misses)


def gdal_places(grid: PixelGrid, crs: str, pixels: np.ndarray) -> list[tuple[float, float]]:
    """Return what ``gdaltransform`` says are the coordinates of pixels (N, 2) of a grid."""
    a, b, c, d, e, f = grid.transform
    vrt = (
        f'<VRTDataset rasterXSize="{grid.width}" rasterYSize="{grid.height}"><SRS>{grid.crs}</SRS>'
        f"<GeoTransform>{c!r},{a!r},{b!r},{f!r},{d!r},{e!r}</GeoTransform>"
        '<VRTRasterBand dataType="Byte" band="1"/></VRTDataset>'
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "grid.vrt"
        path.write_text(vrt)
        done = subprocess.run(
            ["gdaltransform", "-output_xy", "-t_srs", crs, str(path)],
            input="\n".join(f"{col!r} {row!r}" for col, row in pixels.tolist()),
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    return [(float(x), float(y)) for x, y in (line.split() for line in done.stdout.splitlines())]


def outline_miss(grid: PixelGrid) -> float:
    """Return the distance between our outline of a known mask and that of GDAL's polygonizer, in pixels."""
    rasterio, shapely = native.rasterio(), native.shapely()
    rows, cols = np.indices((grid.height, grid.width)) - np.array(grid.height // 2)
    mask = (np.hypot(rows, cols) < grid.height * 0.4) & (np.hypot(rows - 20, cols) > grid.height * 0.1)
    ours = shapely.ops.unary_union(polygonize(mask, grid))
    transform = rasterio.transform.Affine(*grid.transform)
    found = rasterio.features.shapes(mask.astype(np.uint8), mask=mask, connectivity=4, transform=transform)
    theirs = shapely.ops.unary_union([shapely.geometry.shape(shape) for shape, _ in found])
    return float(ours.boundary.hausdorff_distance(theirs.boundary)) / min(grid.resolution)


if __name__ == "__main__":
    sys.exit(main())
