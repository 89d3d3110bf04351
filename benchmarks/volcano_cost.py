"""Time and memory of finding volcanoes by the number of cells: ``python -m benchmarks.volcano_cost``.

Microseconds a cell are of CPU time, which other work on the machine changes less. Each DEM is a made one in memory, a
fractal surface and cones on it, at 30 m; each runs in a process of its own, whose peak memory is that of everything,
the DEM (4 bytes a cell) included.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time

import numpy as np

from benchmarks.volcano_scenes import fractal
from core.progress import NullProgress
from core.raster.grid import PixelGrid
from core.raster.sources.array import ArraySource
from core.terrain.finders import FINDERS, FinderSettings
from core.terrain.outliner import OutlineMethod

SIZES = (900, 1800, 3601, 7200)
CELL_M = 30.0
PIECE = 1800
LIMIT_CELLS, LIMIT_S, LIMIT_GB = 3601, 60.0, 1.5


def surface(size: int, relief: float) -> np.ndarray:
    """Return a made DEM (size, size) float32: the same fractal piece beside itself, and a cone in each 400 x 400."""
    piece = (fractal(np.random.default_rng(7), min(size, PIECE)) * relief).astype(np.float32)
    times = -(-size // len(piece))
    ground = np.tile(piece, (times, times))[:size, :size].copy()
    for index, (row, col) in enumerate(
        (r, c) for r in range(200, size - 100, 400) for c in range(200, size - 100, 400)
    ):
        radius = (20, 35, 60, 100)[index % 4]
        rows, cols = np.mgrid[-radius : radius + 1, -radius : radius + 1]
        cone = np.clip(1.0 - np.hypot(rows, cols) / radius, 0.0, None) * radius * CELL_M * 0.4
        part = ground[row - radius : row + radius + 1, col - radius : col + radius + 1]
        part += cone[: part.shape[0], : part.shape[1]].astype(np.float32)
    return ground


def measure(size: int, relief: float, answers: multiprocessing.Queue) -> None:
    """Find the volcanoes of one DEM and say what that took."""
    grid = PixelGrid((CELL_M, 0.0, 500_000.0, 0.0, -CELL_M, 4_600_000.0), "EPSG:32633", size, size)
    source = ArraySource(surface(size, relief)[None], grid)
    started, computed = time.monotonic(), time.process_time()
    result = FINDERS.get("volcano").find(source, FinderSettings(method=OutlineMethod.MORPHOMETRIC), NullProgress())
    taken, computed = time.monotonic() - started, time.process_time() - computed
    answers.put((taken, computed, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, len(result)))


def main(arguments: list[str] | None = None) -> int:
    """Print the table and return 1 if a limit is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.volcano_cost", description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="(default: %(default)s)")
    parser.add_argument("--relief", type=float, default=150.0, help="of the ground, metres (default %(default)s)")
    options = parser.parse_args(arguments)
    print(f"{'cells':>13} {'seconds':>8} {'CPU s':>7} {'us a cell':>9} {'GB':>5} {'found':>6}")
    good = True
    context = multiprocessing.get_context("spawn")
    for size in options.sizes:
        answers = context.Queue()
        worker = context.Process(target=measure, args=(size, options.relief, answers))
        worker.start()
        seconds, computed, memory, found = answers.get()
        worker.join()
        each = computed / size**2 * 1e6
        print(f"{size:>6} x {size:<4} {seconds:8.1f} {computed:7.1f} {each:9.2f} {memory:5.2f} {found:6d}", flush=True)
        good &= size > LIMIT_CELLS or (seconds <= LIMIT_S and memory <= LIMIT_GB)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
