"""What outlining by a click model gains for models of words: ``python -m benchmarks.word_outlines`` from the root.

The word model is a stand-in whose answer is known: the box of a labelled object, with each side off by up to a share
of the box's size, or heat as coarse as CLIPSeg's own (22 cells along a window of 352 pixels, blurred by 0.8 of a cell,
with noise of 0.08). So the table shows what comes after the word model and nothing of its own quality. Mean IoU with
the label, and the share of objects with at least 0.5.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict

import cv2
import numpy as np

from core.models.embedding import image_digest
from core.models.finding import Finding, FoundBox, HeatMap
from core.models.model import ModelSpec, SegmentationModel
from core.models.store import ModelStore
from core.picture import Picture
from core.progress import NullProgress
from core.raster.grid import Window
from core.window import View
from core.words import words_finder

from .objects import DATA_VARIABLE, Target, data_folder, generated, real

WINDOW_PX, CELLS, FINE = 352, 22, 352
SPEC = ModelSpec("stand_in", "Stand-in", "none", frozenset({"words"}), (), WINDOW_PX, "none", "")


class Knows:
    """A word model that gives what it was told."""

    spec, weights_sha256, preprocess_version = SPEC, "0" * 64, 1

    def __init__(self, finding: Finding) -> None:
        self._finding = finding

    def require_known(self, phrases: object) -> None:
        """Take any phrase."""

    def find(self, image: object, phrases: object, progress: object) -> list[Finding]:
        """Return the one finding."""
        return [self._finding]


def window_of(target: Target) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a window of the image around the object, its mask there, and the offset (x, y)."""
    height, width = target.mask.shape
    middle = np.array([target.box[0] + target.box[2], target.box[1] + target.box[3]]) / 2
    size = np.minimum([width, height], WINDOW_PX)
    corner = np.clip(np.round(middle - size / 2), 0, np.array([width, height]) - size).astype(int)
    rows, cols = (slice(corner[axis], corner[axis] + size[axis]) for axis in (1, 0))
    return np.ascontiguousarray(target.image[rows, cols]), target.mask[rows, cols], corner


def loose_box(target: Target, corner: np.ndarray, share: float, rng: np.random.Generator) -> FoundBox:
    """Return the object's box in the window, each side off by up to a share of the box's size."""
    box = np.array(target.box) - np.tile(corner, 2)
    size = np.tile(box[2:] - box[:2], 2)
    return FoundBox(tuple(float(edge) for edge in box + rng.uniform(-share, share, 4) * size), 0.5, "it")


def coarse_heat(mask: np.ndarray, rng: np.random.Generator) -> HeatMap:
    """Return the share of the object in each coarse cell, spread to its neighbours and noisy, on a finer grid."""
    coarse = cv2.resize(mask.astype(np.float32), (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    coarse = cv2.GaussianBlur(coarse, (0, 0), 0.8) + rng.normal(0.0, 0.08, coarse.shape).astype(np.float32)
    return HeatMap("it", cv2.resize(coarse, (FINE, FINE), interpolation=cv2.INTER_CUBIC).clip(0.0, 1.0))


def best(finding: Finding, image: np.ndarray, mask: np.ndarray, outliner: SegmentationModel | None) -> float:
    """Return the best IoU of what is found with the mask."""
    height, width = mask.shape
    view = View(Window(0, 0, width, height), (width, height))
    picture = Picture(view, image, image_digest(image), np.ones(mask.shape, bool))
    ious = [0.0]
    for found in words_finder(Knows(finding), ["it"], outliner).find(picture, NullProgress()):
        whole = np.zeros(mask.shape, bool)
        rows = slice(found.window.row, found.window.row + found.window.height)
        whole[rows, found.window.col : found.window.col + found.window.width] = found.mask
        ious.append(float((whole & mask).sum() / (whole | mask).sum()))
    return max(ious)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="starter", help="click model that outlines")
    parser.add_argument("--generated", type=int, default=60, help="how many generated objects")
    parser.add_argument("--most", type=int, default=60, help="most real objects of each data set")
    options = parser.parse_args()
    outliner = ModelStore().load(options.model)
    folder = data_folder()
    if folder is None:
        print(f"No real objects: set {DATA_VARIABLE} to a folder with labels.json.", file=sys.stderr)
    counts: dict[str, int] = defaultdict(int)
    table: dict[tuple[str, str], list[float]] = defaultdict(list)
    rng = np.random.default_rng(7)
    for target in [*generated(options.generated), *(real(folder) if folder else ())]:
        counts[target.set] += 1
        if counts[target.set] > options.most:
            continue
        image, mask, corner = window_of(target)
        for name, finding in {
            "box": loose_box(target, corner, 0.0, rng),
            "box off by 10 %": loose_box(target, corner, 0.1, rng),
            "heat": coarse_heat(mask, rng),
        }.items():
            table[target.set, name].append(best(finding, image, mask, None))
            table[target.set, f"{name}, outlined"].append(best(finding, image, mask, outliner))
    print("| data set | objects | from | mean IoU | at least 0.5 |\n|---|---|---|---|---|")
    for (where, name), values in table.items():
        print(f"| {where} | {len(values)} | {name} | {np.mean(values):.3f} | {np.mean(np.array(values) >= 0.5):.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
