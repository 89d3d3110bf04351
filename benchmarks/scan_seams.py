"""Objects across windows: ``python -m benchmarks.scan_seams`` from the repository root.

A made scene of 4,096 x 4,096 pixels with known objects, from cars to rivers across all windows and buildings on the
corners of four, is scanned in windows of 512 and of 1,024 pixels: with a finder that knows the truth, with one that
draws every edge anew in each window, and with the starter model's finder of everything. Each scan runs in a process of
its own. An object is cut if what lies on it is several results, the largest of which has less than four fifths of
it, and two of which come near each other; doubled if there is more than one otherwise. Where they are far apart the
finder saw no more of it: these objects, found in parts, are counted beside that.

Prints a table and ends with status 1 if an object is cut or doubled, if the runs agree on less than 98 % of their
objects (IoU 0.95; 0.7 where edges are drawn anew), or if a scan takes more than 1 GB more than its model.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from core import native
from core.everything import everything_finder
from core.image_finder import WindowPolicy
from core.models.finding import FoundMask
from core.models.store import ModelStore
from core.outlines.masks import PartRule
from core.outlines.shape import OutlineSettings
from core.progress import NullProgress
from core.raster.grid import PixelGrid, Window
from core.raster.sources.array import ArraySource
from core.scan import Scan, ScanSettings

SIDE = 4096
WINDOWS = (512, 1024)
OVERLAP = 128
AGREE_IOU = {"perfect": 0.95, "noisy": 0.7, "starter": 0.95}
AGREE_SHARE, MOST_MB = 0.98, 1024
CUT_SHARE, NEAR_PX = 0.8, 16
GRID = PixelGrid((0.5, 0.0, 500000.0, 0.0, -0.5, 4600000.0), "EPSG:32633", SIDE, SIDE)


def made_scene(seed: int = 7) -> np.ndarray:
    """Return object numbers (SIDE, SIDE) int32: 0 for the ground between them."""
    truth = np.zeros((SIDE, SIDE), np.int32)
    number = 0

    def put(top: int, left: int, mask: np.ndarray, *, over: bool = False) -> None:
        nonlocal number
        place = truth[top : top + mask.shape[0], left : left + mask.shape[1]]
        if place.shape == mask.shape and mask.any() and (over or not place[mask].any()):
            number += 1
            place[mask] = number

    y, x = np.indices((SIDE, SIDE), dtype=np.float32)
    # A river with an island, and a road, across all windows.
    river = np.abs(y - 1800 - 260 * np.sin(x / 500)) < 40 + 12 * np.sin(x / 170)
    river &= (x - 1300) ** 2 / 4 + (y - 1800 - 260 * np.sin(1300 / 500)) ** 2 > 20**2
    put(0, 0, river)
    put(0, 0, (np.abs(y - 0.35 * x - 2350) < 9) & (truth == 0))
    del x, y
    # Fields that fill several windows, side by side.
    for top, left, height, width in ((3000, 150, 500, 700), (3000, 850, 500, 900), (3500, 150, 450, 1600)):
        place = truth[top : top + height, left : left + width]
        put(top, left, place == 0, over=True)
    # Buildings on the corners of four windows, of both lattices.
    for at in range(384, SIDE - 200, 384):
        for other in range(384, SIDE - 200, 768):
            put(at - 20, other - 16, np.ones((150, 170), bool))
    rng = np.random.default_rng(seed)
    for _ in range(2200):
        size = int(np.exp(rng.uniform(np.log(7), np.log(130))))
        top, left = rng.integers(4, SIDE - size - 4, 2)
        v, u = (np.indices((size, size)) + 0.5) / size * 2 - 1
        turn = rng.uniform(0, np.pi)
        a, b = u * np.cos(turn) + v * np.sin(turn), v * np.cos(turn) - u * np.sin(turn)
        kind = rng.integers(4)
        wave = 0.8 + 0.15 * np.sin(5 * np.arctan2(v, u) + turn)
        mask = (np.hypot(u, v) < 1) if kind == 0 else (np.abs(a) < 0.65) & (np.abs(b) < 0.4 + 0.2 * rng.random())
        mask = np.hypot(u, v) < wave if kind == 2 else mask
        mask = (np.hypot(u, v) < 1) & (np.hypot(u, v) > 0.5) if kind == 3 and size > 60 else mask
        put(int(top), int(left), mask)
    return truth


def image_of(truth: np.ndarray) -> np.ndarray:
    """Return the scene as a picture (3, SIDE, SIDE) uint8: a colour for each object, and noise."""
    rng = np.random.default_rng(1)
    colours = rng.integers(30, 225, (int(truth.max()) + 1, 3)).astype(np.int16)
    colours[0] = (96, 118, 72)
    noise = rng.integers(-6, 7, truth.shape, dtype=np.int16)
    return np.stack([np.clip(colours[truth, band] + noise, 0, 255).astype(np.uint8) for band in range(3)])


class Truthful:
    """Gives each object as far as it lies in the window, with its edges drawn anew.

    They move by up to ``jitter`` pixels, those of small objects by up to a twentieth of their size.
    """

    models = (type("Truth", (), {"spec": type("Spec", (), {"name": "truth"}), "weights_sha256": "-"}),)

    def __init__(self, truth: np.ndarray, window_px: int, jitter: float) -> None:
        self._truth = truth
        self._jitter = jitter
        self.windows = WindowPolicy(window_px, OVERLAP)
        self.seconds = 0.0

    def describe(self) -> str:
        return "everything"

    def find(self, picture, progress) -> list[FoundMask]:
        started = time.process_time()
        window = picture.view.window
        here = self._truth[window.row : window.row + window.height, window.col : window.col + window.width]
        rng = np.random.default_rng([window.col, window.row])
        found = [self._found(here, int(number), rng) for number in np.unique(here[here > 0])]
        self.seconds += time.process_time() - started
        return [one for one in found if one is not None]

    def _found(self, here: np.ndarray, number: int, rng: np.random.Generator) -> FoundMask | None:
        mask = here == number
        rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        top, bottom = max(rows[0] - 6, 0), min(rows[-1] + 7, mask.shape[0])
        left, right = max(cols[0] - 6, 0), min(cols[-1] + 7, mask.shape[1])
        crop = mask[top:bottom, left:right]
        if self._jitter:
            crop = jittered(crop, min(self._jitter, 0.05 * float(np.sqrt(crop.sum()))), rng)
            if not crop.any():
                return None
        window = Window(int(left), int(top), int(right - left), int(bottom - top))
        return FoundMask(window, crop, float(rng.uniform(0.6, 0.95)) if self._jitter else 0.9)


def jittered(mask: np.ndarray, pixels: float, rng: np.random.Generator) -> np.ndarray:
    """Return the mask with its edge moved by up to so many pixels, in waves of about ten."""
    radius = 3 if pixels > 1.5 else 1
    soft = means(mask.astype(np.float32), radius)
    noise = rng.uniform(-1, 1, (mask.shape[0] // 8 + 3, mask.shape[1] // 8 + 3)).astype(np.float32)
    waves = means(np.repeat(np.repeat(noise, 8, axis=0), 8, axis=1), 4)[: mask.shape[0], : mask.shape[1]]
    # One pixel across the edge is one of the mean's: that much of the way from 0 to 1.
    return soft > 0.5 + np.clip(2.0 * waves, -1, 1) * pixels / (2 * radius + 1)


def means(values: np.ndarray, radius: int) -> np.ndarray:
    for axis in (0, 1):
        padded = np.pad(values, [(radius + 1, radius) if axis == a else (0, 0) for a in (0, 1)], mode="edge")
        sums = np.cumsum(padded, axis=axis, dtype=np.float64)
        side = 2 * radius + 1
        values = (
            np.take(sums, range(side, sums.shape[axis]), axis) - np.take(sums, range(sums.shape[axis] - side), axis)
        ) / side
    return values


def one_scan(finder_name: str, window_px: int, side: int, folder: Path) -> None:
    """Scan in this process; write the object numbers (side, side) and what it cost."""
    truth = np.load(folder / "truth.npy", mmap_mode="r")
    source = ArraySource(np.load(folder / "image.npy", mmap_mode="r"), window_grid(side), already_rgb=True)
    finder = (
        everything_finder(ModelStore().load("starter"))
        if finder_name == "starter"
        else Truthful(truth, window_px, 2.0 * (finder_name == "noisy"))
    )
    settings = ScanSettings(outline=OutlineSettings(parts=PartRule.ALL), window_px=window_px)
    warm_up(source, finder, settings)
    before = memory_mb()
    finding = finder.seconds if finder_name != "starter" else 0.0
    started, clock = time.process_time(), time.monotonic()
    early = []
    result = Scan(source, finder, settings).run(NullProgress(), lambda polygons: early.append(len(polygons)))
    cost = {
        "objects": len(result),
        "calls": len(early),
        "cpu_s": time.process_time() - started,
        "finder_s": (finder.seconds - finding) if finder_name != "starter" else None,
        "wall_s": time.monotonic() - clock,
        "mb": memory_mb(peak=True) - before,
        "invalid": sum(not polygon.geometry.is_valid for polygon in result.polygons),
    }
    (folder / f"{finder_name}{window_px}.json").write_text(json.dumps(cost))
    shapes = [(polygon.geometry, polygon.object) for polygon in result.polygons]
    burnt = burn(shapes, side)
    np.save(folder / f"{finder_name}{window_px}.npy", burnt)


def memory_mb(*, peak: bool = False) -> float:
    """Return what this process holds in memory, or the most it has held, without what it shares with files."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:" if peak else "VmRSS:")[1].split()[0]) / 1024


def warm_up(source, finder, settings) -> None:
    """Look at one window's worth, so that models and libraries are loaded before memory is counted."""
    left, _, _, top = source.grid.bounds
    small = (left, top - 0.5 * settings.window_px, left + 0.5 * settings.window_px, top)
    Scan(source, finder, replace(settings, extent=small)).run(NullProgress())


def window_grid(side: int) -> PixelGrid:
    return GRID.window(Window(0, 0, side, side))


def burn(shapes, side: int) -> np.ndarray:
    rasterio = native.rasterio()
    grid = window_grid(side)
    if not shapes:
        return np.zeros((side, side), np.int32)
    return rasterio.features.rasterize(
        shapes, (side, side), dtype="int32", transform=rasterio.transform.guard_transform(grid.transform)
    )


def overlap(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return (numbers of one, numbers of other, shared pixels) of all pairs that meet, ground included; and IoU."""
    count = int(other.max()) + 1
    pairs, shared = np.unique(one.astype(np.int64).reshape(-1) * count + other.reshape(-1), return_counts=True)
    first, second = np.divmod(pairs, count)
    area_one, area_other = np.bincount(one.reshape(-1)), np.bincount(other.reshape(-1), minlength=count)
    return first, second, shared, shared / (area_one[first] + area_other[second] - shared)


def faults(truth: np.ndarray, result: np.ndarray) -> tuple[int, int, int]:
    """Return how many known objects are cut, how many doubled, and of how many only parts far apart are found."""
    first, second, shared, _ = overlap(truth, result)
    areas, own = np.bincount(truth.reshape(-1)), np.bincount(result.reshape(-1))
    real = (first > 0) & (second > 0)
    mostly_on = real & (shared > 0.5 * own[second])
    largest, covered = np.zeros(len(areas)), np.zeros(len(areas))
    np.maximum.at(largest, first[mostly_on], shared[mostly_on])
    np.add.at(covered, first[mostly_on], shared[mostly_on])
    holders = np.bincount(first[mostly_on], minlength=len(areas))
    several = largest < CUT_SHARE * covered
    cut = sum(
        meet(truth == number, result, second[mostly_on & (first == number)]) for number in np.flatnonzero(several)
    )
    return int(cut), int(((holders > 1) & ~several).sum()), int(several.sum() - cut)


def meet(known: np.ndarray, result: np.ndarray, numbers: np.ndarray) -> bool:
    """Return True if two of the results on a known object come near each other."""
    rows, cols = np.flatnonzero(known.any(axis=1)), np.flatnonzero(known.any(axis=0))
    here = result[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    others = np.isin(here, numbers)
    near = (means((here == number).astype(np.float32), NEAR_PX) > 1e-6 for number in numbers)
    return any((around & others & (here != number)).any() for number, around in zip(numbers, near))


def agreement(one: np.ndarray, other: np.ndarray, least_iou: float) -> float:
    """Return the share of the objects of both runs that have a partner in the other."""
    first, second, _, iou = overlap(one, other)
    good = (first > 0) & (second > 0) & (iou >= least_iou)
    count = len(np.unique(one[one > 0])) + len(np.unique(other[other > 0]))
    return 2 * int(good.sum()) / max(count, 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--finders", nargs="+", default=list(AGREE_IOU), choices=list(AGREE_IOU))
    parser.add_argument("--side", type=int, default=SIDE)
    parser.add_argument("--one", nargs=3, metavar=("FINDER", "WINDOW", "FOLDER"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        one_scan(asked.one[0], int(asked.one[1]), asked.side, Path(asked.one[2]))
        return 0
    good = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truth = np.ascontiguousarray(made_scene()[: asked.side, : asked.side])
        np.save(folder / "truth.npy", truth)
        np.save(folder / "image.npy", image_of(truth))
        print(f"{asked.side} x {asked.side} pixels, {len(np.unique(truth)) - 1} objects, overlap {OVERLAP}")
        print(
            "finder    window  objects   cut  doubled  parts  invalid  given in   CPU s  of it finding  wall s  MB more"
        )
        for finder in asked.finders:
            burnt = []
            for window in WINDOWS:
                command = [sys.executable, "-m", "benchmarks.scan_seams", "--side", str(asked.side)]
                subprocess.run([*command, "--one", finder, str(window), str(folder)], check=True)
                cost = json.loads((folder / f"{finder}{window}.json").read_text())
                burnt.append(np.load(folder / f"{finder}{window}.npy"))
                cut, doubled, parts = faults(truth, burnt[-1])
                good &= cut == doubled == cost["invalid"] == 0 and cost["mb"] <= MOST_MB
                finding = "" if cost["finder_s"] is None else f"{cost['finder_s']:.1f}"
                print(
                    f"{finder:<10}{window:>6}{cost['objects']:>9}{cut:>6}{doubled:>9}{parts:>7}{cost['invalid']:>9}"
                    f"{cost['calls']:>10}{cost['cpu_s']:>8.1f}{finding:>15}{cost['wall_s']:>8.1f}{cost['mb']:>9.0f}"
                )
            share = agreement(*burnt, AGREE_IOU[finder])
            good &= share >= AGREE_SHARE
            at = f"at IoU {AGREE_IOU[finder]:g} (limit {AGREE_SHARE:.0%})"
            print(f"{finder:<10}the runs agree on {share:.1%} of their objects {at}")
    print("all limits met" if good else "NOT MET")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
