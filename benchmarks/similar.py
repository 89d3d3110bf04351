"""How well more of the same is found from one, three and five examples: ``python -m benchmarks.similar``.

Labelled images of ``../shared/data``: examples are drawn by chance among the labelled objects, the others are looked
for. A find is right if its IoU with a labelled object that no other find took is 0.5 (where labels are boxes: 0.4
between boxes). What lies on an example counts neither way. Only labelled objects count: where labels are incomplete
(trees of the city, small ponds), precision is a lower bound.

Beside it, with the same examples: the same outlines ranked by how much their colours are those of the nearest example
(histograms), and the connected parts of a histogram back-projection. The best F1 of a run is over all thresholds.

Exit status 1 if the mean best F1 is not above that of both baselines, from one, three or five examples.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from shapely.geometry import shape

from core.models.finding import FoundMask
from core.models.store import ModelStore
from core.picture import Picture
from core.progress import NullProgress
from core.prompts.build import prompts
from core.prompts.prompt import PromptSet
from core.prompts.shape import ShapePrompt
from core.raster.grid import PixelGrid, Window
from core.raster.sources.array import ArraySource
from core.session import SegmentationSession
from core.similar import DEFAULT_SIMILARITY, similar_finder
from core.similar.distinct import distinct
from core.similar.finder import SimilarFinder
from core.window import View
from training.labelled import RealObject, read

from .objects import DATA_VARIABLE, data_folder

QUIET = NullProgress()
COUNTS = (1, 3, 5)
_BINS = 8


@dataclass(frozen=True)
class Wanted:
    """A labelled object of an image."""

    mask: NDArray[np.bool_]
    """(H, W); a filled box where only that is known."""
    prompt: PromptSet
    """It as an example."""
    whole: bool
    """False if the image's edge cuts it: found or not, but no example."""


@dataclass(frozen=True)
class Scene:
    """An image and its labelled objects of one class."""

    name: str
    image: NDArray[np.uint8]
    objects: list[Wanted]
    boxes: bool
    """True if labels are boxes."""


@dataclass(frozen=True)
class Score:
    """What one run of one method reached."""

    precision: float
    """At the default threshold."""
    recall: float
    best_f1: float
    """At the best threshold."""


def scenes(folder: Path) -> list[Scene]:
    """The labelled images, class by class, with at least ten whole objects."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for item in json.loads((folder / "labels.json").read_text())["items"]:
        groups.setdefault((item["image"], item["class"]), []).append(item)
    found = []
    for (_, kind), items in groups.items():
        first = items[0]
        image = RealObject(first, folder).image()
        features = json.loads((folder / first["labels"]).read_text())["features"]
        boxes = bool(first.get("bbox_only"))
        objects = [_wanted(one, image.shape[:2], boxes) for one in features if one["properties"]["class"] == kind]
        if sum(one.whole for one in objects) >= 10:
            found.append(Scene(f"{Path(first['image']).stem[:12]} {kind.split()[0]}", image, objects, boxes))
    return found


def _wanted(feature: dict[str, Any], size: tuple[int, int], boxes: bool) -> Wanted:
    geometry = shape(feature["geometry"])
    grid = PixelGrid.pixel_space(size[1], size[0])
    prompt = PromptSet((ShapePrompt.of(geometry),), None)
    mask = prompt.prompts[0].mask(grid)
    given = prompts(box=geometry.bounds) if boxes else prompt
    return Wanted(mask, given, not feature["properties"].get("touches_edge", False))


def found_in(scene: Scene, drawn: Sequence[int], model: Any) -> dict[str, list[FoundMask]]:
    """What each method finds from the drawn examples, by similarity."""
    height, width = scene.image.shape[:2]
    grid = PixelGrid.pixel_space(width, height)
    source = ArraySource(np.ascontiguousarray(scene.image.transpose(2, 0, 1)), grid, already_rgb=True)
    session = SegmentationSession(source, model)
    finder = similar_finder(session, [scene.objects[index].prompt for index in drawn], [], None, QUIET)
    view = View(Window(0, 0, width, height), (width, height))
    picture = Picture(view, scene.image, "", np.ones((height, width), np.bool_))
    if not isinstance(finder, SimilarFinder):
        raise TypeError("the model takes examples by itself")
    candidates = finder.candidates(picture, QUIET)
    masks = [scene.objects[index].mask for index in drawn]
    return {
        "similar": distinct(candidates, 0.5),
        "colours of the same outlines": by_colour(candidates, scene.image, masks),
        "back-projection": back_projection(scene.image, masks),
    }


def by_colour(
    candidates: Sequence[FoundMask], image: NDArray[np.uint8], examples: Sequence[NDArray[np.bool_]]
) -> list[FoundMask]:
    """The candidates by the overlap of their colour histograms with that of the nearest example."""
    bins = _binned(image)
    known = [_shares(bins[mask]) for mask in examples]
    ranked = []
    for one in candidates:
        window = one.window
        under = bins[window.row : window.row + window.height, window.col : window.col + window.width][one.mask]
        own = _shares(under)
        ranked.append(replace(one, similarity=max(float(np.minimum(own, other).sum()) for other in known)))
    return distinct(ranked, 0.5)


def back_projection(image: NDArray[np.uint8], examples: Sequence[NDArray[np.bool_]]) -> list[FoundMask]:
    """Connected parts of where colours are more those of the examples than of the image, by Otsu's threshold."""
    bins = _binned(image)
    union = np.logical_or.reduce(examples)
    ratio = _shares(bins[union]) / np.maximum(_shares(bins.ravel()), 1e-9)
    side = float(np.sqrt(np.median([mask.sum() for mask in examples])))
    map_ = cv2.GaussianBlur(
        np.minimum(ratio / ratio.max() * 4, 1.0)[bins].astype(np.float32), (0, 0), 0.05 * side + 0.5
    )
    level, _ = cv2.threshold((map_ * 255).astype(np.uint8), 0, 255, cv2.THRESH_OTSU)
    _, labels, stats, _ = cv2.connectedComponentsWithStats((map_ * 255 > level).astype(np.uint8), connectivity=4)
    found = []
    for number, (left, top, width, height, area) in enumerate(stats[1:], 1):
        if side * side / 5 < area < side * side * 5:
            part = labels[top : top + height, left : left + width] == number
            value = float(map_[top : top + height, left : left + width][part].mean())
            window = Window(int(left), int(top), int(width), int(height))
            found.append(FoundMask(window, part, score=value, similarity=value))
    return found


def _binned(image: NDArray[np.uint8]) -> NDArray[np.int64]:
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.int64)
    low, high = lab.reshape(-1, 3).min(axis=0), lab.reshape(-1, 3).max(axis=0)
    parts = (lab - low) * _BINS // (high - low + 1)
    return np.asarray((parts[:, :, 0] * _BINS + parts[:, :, 1]) * _BINS + parts[:, :, 2], np.int64)


def _shares(bins: NDArray[np.int64]) -> NDArray[np.float64]:
    counts = np.bincount(bins, minlength=_BINS**3).astype(np.float64)
    return np.asarray(counts / max(counts.sum(), 1.0))


def judged(scene: Scene, drawn: Sequence[int], found: Sequence[FoundMask], threshold: float) -> Score:
    """Precision and recall of the finds at a threshold, and the best F1 of all thresholds."""
    ordered = sorted(found, key=lambda one: -one.similarity)
    overlaps = np.array([[_overlap(one, other.mask, scene.boxes) for other in scene.objects] for one in ordered])
    overlaps = overlaps.reshape(len(ordered), len(scene.objects))
    least = 0.4 if scene.boxes else 0.5
    taken, right, counted = set(drawn), [], []
    for one, row in zip(ordered, overlaps):
        if row.size and int(row.argmax()) in drawn and row.max() > 0.2:
            continue
        best = max((index for index in range(len(row)) if index not in taken), key=lambda index: row[index], default=-1)
        hit = best >= 0 and row[best] >= least
        if hit:
            taken.add(best)
        right.append(hit)
        counted.append(one.similarity)
    truth = len(scene.objects) - len(set(drawn))
    hits = np.cumsum(right) if right else np.zeros(0)
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + truth)
    kept = int((np.array(counted) >= threshold).sum())
    at = float(hits[kept - 1]) if kept else 0.0
    return Score(at / kept if kept else 0.0, at / truth, float(f1.max()) if len(f1) else 0.0)


def _overlap(one: FoundMask, mask: NDArray[np.bool_], boxes: bool) -> float:
    window = one.window
    part = mask[window.row : window.row + window.height, window.col : window.col + window.width]
    if not part.any():
        return 0.0
    if boxes:
        rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        common, area = int(part.sum()), int((rows[-1] + 1 - rows[0]) * (cols[-1] + 1 - cols[0]))
        return common / (area + window.width * window.height - common)
    common = int((part & one.mask).sum())
    return common / (int(mask.sum()) + int(one.mask.sum()) - common)


def table(scores: dict[tuple[str, int, str], list[Score]], names: Sequence[str], methods: Sequence[str]) -> list[str]:
    """The lines of the table, in Markdown."""
    best_of = " | ".join(f"best F1: {method}" for method in methods)
    lines = [
        f"| images | examples | precision / recall at {DEFAULT_SIMILARITY} | {best_of} |",
        "|---" * (3 + len(methods)) + "|",
    ]
    for name in (*names, "mean"):
        for count in COUNTS:
            rows = [
                [
                    one
                    for key, values in scores.items()
                    if key[1:] == (count, m) and name in (key[0], "mean")
                    for one in values
                ]
                for m in methods
            ]
            if not rows[0]:
                continue
            precision, recall = (np.mean([getattr(one, what) for one in rows[0]]) for what in ("precision", "recall"))
            best = " | ".join(f"{np.mean([one.best_f1 for one in row]):.2f}" for row in rows)
            lines.append(f"| {name} | {count} | {precision:.2f} / {recall:.2f} | {best} |")
    return lines


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=3, help="random draws of examples")
    parser.add_argument("--only", default="", help="images whose name holds this")
    options = parser.parse_args()
    folder = data_folder()
    if folder is None:
        print(f"No labels.json in ../shared/data; set {DATA_VARIABLE} to its folder. Nothing is measured.")
        return 0
    if not read(folder / "labels.json"):
        return 0
    model = ModelStore().load("starter")
    chosen = [scene for scene in scenes(folder) if options.only in scene.name]
    scores: dict[tuple[str, int, str], list[Score]] = {}
    begin, runs = time.perf_counter(), 0
    for scene in chosen:
        whole = [index for index, one in enumerate(scene.objects) if one.whole]
        for count in COUNTS:
            for draw in range(options.draws):
                drawn = np.random.default_rng((draw, count)).choice(whole, count, replace=False).tolist()
                for method, found in found_in(scene, drawn, model).items():
                    score = judged(scene, drawn, found, DEFAULT_SIMILARITY)
                    scores.setdefault((scene.name, count, method), []).append(score)
                runs += 1
                print(f"\r{scene.name}: {runs} runs", end="", file=sys.stderr, flush=True)
    seconds = (time.perf_counter() - begin) / max(runs, 1)
    methods = list(dict.fromkeys(key[2] for key in scores))
    print("", "\n".join(table(scores, [scene.name for scene in chosen], methods)), f"\n{seconds:.1f} s a run", sep="\n")
    good = True
    for count in COUNTS:
        ours, *others = (
            np.mean([one.best_f1 for key, values in scores.items() if key[1:] == (count, m) for one in values])
            for m in methods
        )
        good = good and all(ours > other for other in others)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
