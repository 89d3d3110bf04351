"""Fits what an outlined object's likeness to examples is worth: ``python -m training.similarity`` from the root.

Prints the weights and the mapping for ``core/similar/calibration.py``. Scenes are those of the starter model's
training, with seeds that it has not seen, and mosaics of four of different kinds, where most objects are not wanted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.models.store import ModelStore
from core.outlines.polygonize import polygonize
from core.outlines.shape import combine
from core.picture import Picture
from core.progress import NullProgress
from core.prompts.prompt import PromptSet
from core.prompts.shape import ShapePrompt
from core.raster.grid import PixelGrid, Window
from core.raster.sources.array import ArraySource
from core.session import SegmentationSession
from core.similar.calibration import agreement, terms
from core.similar.cells import TileEncoder, WorkingGrid
from core.similar.evidence import weigh
from core.similar.examples import Level, levels, outline_examples
from core.similar.outlining import outlined, peaks
from core.similar.placing import placed
from core.window import View

from .degrade import degrade
from .scenes import Kind, render

SEED = 920_000_000
THEMES = (
    "town",
    "rows",
    "wetland",
    "savanna",
    "fields",
    "orchard",
    "harbour",
    "apron",
    "plant",
    "park",
    "hall",
    "woods",
)
KINDS = ("BUILDING", "TREE", "WATER", "VEHICLE", "SHIP", "PLANE", "TANK", "COURT", "FIELD")
"""Kinds that come as single objects."""
STEPS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 1.01)
_SMALLEST_PX = 100
_MOST_PLACES = 60
QUIET = NullProgress()
Rng = np.random.Generator


@dataclass(frozen=True)
class Made:
    """A scene with its objects: number (H, W), 0 for none, and the kind of each number."""

    image: NDArray[np.uint8]
    numbers: NDArray[np.int32]
    kinds: dict[int, str]


def made(seed: int, size: int, theme: str) -> Made:
    """One theme."""
    scene = render(seed, size, theme)
    numbers = np.zeros((size, size), np.int32)
    kinds: dict[int, str] = {}
    for label in np.unique(scene.labels[scene.labels > 0]).tolist():
        mask = scene.labels == label
        kind = scene.kinds[mask]
        if mask.sum() >= _SMALLEST_PX:
            number = len(kinds) + 1
            numbers[mask] = number
            kinds[number] = Kind(int(np.bincount(kind).argmax())).name
    return Made(degrade(scene.rgb, np.random.default_rng((seed, 7))), numbers, kinds)


def mosaic(seed: int, size: int, rng: Rng) -> Made:
    """Four themes."""
    image, numbers = np.zeros((2 * size, 2 * size, 3), np.uint8), np.zeros((2 * size, 2 * size), np.int32)
    kinds: dict[int, str] = {}
    for quarter, theme in enumerate(rng.choice(THEMES, 4, replace=False)):
        one = made(seed + quarter, size, str(theme))
        where = tuple(slice(at * size, (at + 1) * size) for at in divmod(quarter, 2))
        image[where] = one.image
        numbers[where] = np.where(one.numbers > 0, one.numbers + len(kinds), 0)
        kinds.update({number + len(kinds): kind for number, kind in one.kinds.items()})
    return Made(image, numbers, kinds)


def sets(count: int, rng: Rng) -> Iterator[tuple[Made, NDArray[np.int32], list[int]]]:
    """Scenes, the wanted objects of each (H, W) by number, and which of them are examples."""
    for index in range(count):
        alone = index % 4 != 3
        seed = SEED + 10 * index
        size = int(rng.choice([320, 400, 512]))
        scene = made(seed, size, THEMES[index % len(THEMES)]) if alone else mosaic(seed, 288, rng)
        for kind in KINDS:
            mine = [number for number, own in scene.kinds.items() if own == kind]
            if len(mine) >= 5:
                examples = rng.choice(mine, min(int(rng.choice([1, 2, 3, 5])), len(mine) - 2), replace=False)
                yield scene, np.where(np.isin(scene.numbers, mine), scene.numbers, 0), examples.tolist()


def facts(
    session: SegmentationSession, picture: Picture, wanted: NDArray[np.int32], found: list[Level]
) -> Iterator[tuple[NDArray[np.float32], float, int]]:
    """What is weighed of each outline, its IoU with the wanted object that it covers most, and which that is."""
    encoder = TileEncoder(session.model)
    areas = np.bincount(wanted.ravel())
    for level in found:
        grid = WorkingGrid.of(picture, level.native_per_pixel)
        for tile in encoder.tiles(picture, grid, QUIET):
            for place in peaks(tile, level.likeness.of_cells(tile.cells), encoder.plan.object_px, 0.0)[:_MOST_PLACES]:
                for one in outlined(tile, place, encoder, QUIET):
                    mask = placed(one.logits, one.corner, grid, picture.valid)
                    if mask is None:
                        continue
                    seen = replace(one.seen, factor=level.native_per_pixel)
                    told = weigh(seen, level.likeness, one.score, one.stability, cut=one.cut)
                    window = mask.window
                    rows = slice(window.row, window.row + window.height)
                    under = wanted[rows, window.col : window.col + window.width][mask.mask]
                    counts = np.bincount(under, minlength=len(areas))
                    counts[0] = 0
                    best = int(counts.argmax())
                    union = len(under) + areas[best] - counts[best]
                    vector = np.append(terms(told), agreement(told))
                    yield vector, float(counts[best] / union), best


def collected(count: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
    """Terms and, last, agreement (N, T + 1), right or wrong (N,), and the set (N,) of the outlines of all scenes."""
    model = ModelStore().load("starter")
    vectors, right, owner = [], [], []
    for number, (scene, wanted, examples) in enumerate(sets(count, np.random.default_rng(seed))):
        height, width = scene.image.shape[:2]
        grid = PixelGrid.pixel_space(width, height)
        source = ArraySource(np.ascontiguousarray(scene.image.transpose(2, 0, 1)), grid, already_rgb=True)
        session = SegmentationSession(source, model)
        shapes = [ShapePrompt.of(combine(polygonize(wanted == example, grid))) for example in examples]
        shown = outline_examples(session, [PromptSet((shape,), None) for shape in shapes], [], QUIET)
        picture = Picture(
            View(Window(0, 0, width, height), (width, height)), scene.image, "", np.ones((height, width), np.bool_)
        )
        for vector, iou, best in facts(session, picture, wanted, levels(session, shown, TileEncoder(model), QUIET)):
            if best not in examples:
                vectors.append(vector)
                right.append(iou >= 0.5)
                owner.append(number)
        print(f"\rset {number + 1}, {len(vectors)} outlines", end="", file=sys.stderr, flush=True)
    return np.array(vectors, np.float64), np.array(right), np.array(owner)


def fitted(
    vectors: NDArray[np.float64], right: NDArray[np.bool_], weights: NDArray[np.float64], rounds: int = 60
) -> tuple[NDArray[np.float64], float]:
    """Weights (T,) and bias of a logistic regression with a little ridge, by Newton's method."""
    mean, spread = vectors.mean(axis=0), vectors.std(axis=0) + 1e-6
    scaled = np.column_stack([(vectors - mean) / spread, np.ones(len(vectors))])
    ridge = np.append(np.full(vectors.shape[1], 1e-3 * len(vectors)), 1e-6)
    beta = np.zeros(scaled.shape[1])
    for _ in range(rounds):
        chance = 1.0 / (1.0 + np.exp(-scaled @ beta))
        slope = scaled.T @ (weights * (chance - right)) + ridge * beta
        curve = (scaled * (weights * chance * (1.0 - chance))[:, None]).T @ scaled + np.diag(ridge)
        beta -= np.linalg.solve(curve, slope)
    own = beta[:-1] / spread
    return own, float(beta[-1] - own @ mean)


def main() -> None:
    """Fit, and say how well predictions hold in sets that were left out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    vectors, right, owner = collected(options.scenes, options.seed)
    vectors, agreeing = vectors[:, :-1], vectors[:, -1]
    weights = np.bincount(owner)[owner] ** -0.75
    weights /= weights.mean()
    chance = np.zeros(len(vectors))
    for fold in range(5):
        left_out = owner % 5 == fold
        own, bias = fitted(vectors[~left_out], right[~left_out], weights[~left_out])
        chance[left_out] = 1.0 / (1.0 + np.exp(-(vectors[left_out] @ own + bias)))
    product = chance * agreeing
    for low, high in zip(STEPS, STEPS[1:]):
        some = (product >= low) & (product < high)
        if some.any():
            means = (np.average(values[some], weights=weights[some]) for values in (product, right))
            print("product {:.3f}, right {:.2f}, {} outlines".format(*means, int(some.sum())))
    own, bias = fitted(vectors, right, weights)
    print(f"WEIGHTS = {tuple(round(float(value), 3) for value in own)}\nBIAS = {bias:.3f}")


if __name__ == "__main__":
    main()
