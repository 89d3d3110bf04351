"""How well objects are found from clicks and boxes: ``python -m benchmarks.click_accuracy`` from the repository root.

One table: rows are methods, columns are data sets and protocols. All methods get the same objects and the same first
prompts. Protocols: one click; one click and one exclude; a box; and clicks one after the other, each at the deepest
point of the larger error (mean IoU after 1, 3 and 5, and how many it takes to reach 0.80, at most 10).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from core.look import Looker
from core.models import catalogue
from core.models.embedding import EmbeddingCache
from core.models.families import FAMILIES
from core.models.model import RuntimeSettings, SegmentationModel
from core.models.store import ModelStore
from core.progress import NullProgress
from core.prompts.build import prompts
from core.prompts.prompt import PromptSet
from core.raster.grid import PixelGrid
from core.raster.sources.array import ArraySource
from core.session import SegmentationSession
from core.view_look import Look
from training.clicks import depth

from .classical import TOLERANCES, Asked, Flood, Image, Mask, box_fill, grabcut, walker
from .objects import DATA_VARIABLE, Target, data_folder, generated, real

Method = Callable[[Image, Asked], Mask]
MOST_CLICKS, ENOUGH = 10, 0.8
_CACHE_BYTES = 1 << 28


@dataclass
class Row:
    """What one method reached, object by object."""

    one: list[float] = field(default_factory=list)
    two: list[float] = field(default_factory=list)
    box: list[float] = field(default_factory=list)
    clicks: list[list[float]] = field(default_factory=list)
    scores: list[tuple[float, float]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


class InSession:
    """A model as the plugin uses it: the session places, widens and narrows the view.

    A click that adds to those of the call before continues in the same view from the last logits, as an interactive
    tool does; where that fails, the session looks afresh as well, and the better answer counts.
    """

    def __init__(self, model: SegmentationModel) -> None:
        self._model = model
        self._image: Image | None = None
        self._asked, self._look = Asked(), None

    @property
    def score(self) -> float:
        """Predicted IoU of the last answer."""
        return self._look.score if self._look else 0.0

    def __call__(self, image: Image, asked: Asked) -> Mask:
        prompt = prompts(include=asked.include, exclude=asked.exclude, box=asked.box)
        if image is self._image and asked.extends(self._asked):
            self._look = self._continued(prompt)
        else:
            self._looker, self._image = self._opened(image), image
            self._look = self._looker.find(prompt, NullProgress())
        self._asked = asked
        return on_image(self._look, image.shape[:2])

    def _opened(self, image: Image) -> Looker:
        grid = PixelGrid.pixel_space(image.shape[1], image.shape[0])
        source = ArraySource(np.ascontiguousarray(image.transpose(2, 0, 1)), grid, already_rgb=True)
        return SegmentationSession(source, self._model, cache=EmbeddingCache(_CACHE_BYTES)).looker()

    def _continued(self, prompt: PromptSet) -> Look:
        last, looks = self._look, []
        if last.grid.contains(prompt.to_pixels(last.grid).include).all():
            looks = [self._looker.at(last.view, prompt, NullProgress(), previous=last.low_res_logits)]
        if not looks or looks[0].unsatisfied or looks[0].cut:
            looks.append(self._looker.find(prompt, NullProgress()))
        return min(looks, key=lambda look: (look.unsatisfied, look.cut, -look.score))


def on_image(look: Look, shape: tuple[int, int]) -> Mask:
    """A look's mask on the whole image."""
    kept, window = look.mask, look.view.window
    rows = (np.arange(window.height) + 0.5) * kept.shape[0] / window.height
    cols = (np.arange(window.width) + 0.5) * kept.shape[1] / window.width
    mask = np.zeros(shape, bool)
    where = (slice(window.row, window.row + window.height), slice(window.col, window.col + window.width))
    mask[where] = kept[rows.astype(int)][:, cols.astype(int)]
    return mask


def iou(one: Mask, other: Mask) -> float:
    """Intersection over union."""
    return float((one & other).sum() / max(1, (one | other).sum()))


def next_click(asked: Asked, wanted: Mask, answer: Mask) -> Asked:
    """The prompts with one more click, at the deepest point of the larger error."""
    rows, cols = (np.flatnonzero((wanted | answer).any(axis)) for axis in (1, 0))
    where = (slice(rows[0], rows[-1] + 1), slice(cols[0], cols[-1] + 1))
    missed, extra = depth((wanted & ~answer)[where]), depth((answer & ~wanted)[where])
    error = missed if missed.max() >= extra.max() else extra
    row, col = np.unravel_index(int(error.argmax()), error.shape)
    click = (float(col + cols[0]) + 0.5, float(row + rows[0]) + 0.5)
    if error is missed:
        return replace(asked, include=(*asked.include, click))
    return replace(asked, exclude=(*asked.exclude, click))


def measure(method: Method, target: Target, row: Row) -> None:
    """Put one object through the protocols that ask once."""
    begin = time.perf_counter()
    answer = method(target.image, Asked(include=(target.include,)))
    row.seconds.append(time.perf_counter() - begin)
    row.one.append(iou(answer, target.mask))
    if isinstance(method, InSession):
        row.scores.append((method.score, row.one[-1]))
    pair = Asked(include=(target.include,), exclude=(target.exclude,))
    row.two.append(iou(method(target.image, pair), target.mask))
    row.box.append(iou(method(target.image, Asked(box=target.box)), target.mask))


def iterate(method: Method, target: Target, row: Row) -> None:
    """Give one object click after click."""
    answer = method(target.image, Asked(include=(target.include,)))
    asked, reached = Asked(include=(target.include,)), [iou(answer, target.mask)]
    while len(reached) < MOST_CLICKS and (len(reached) < 5 or max(reached) < ENOUGH):
        asked = next_click(asked, target.mask, answer)
        answer = method(target.image, asked)
        reached.append(iou(answer, target.mask))
    row.clicks.append(reached)


def needed(reached: list[float]) -> int:
    """Clicks until the IoU was enough, or the most that are given."""
    return next((n for n, value in enumerate(reached, 1) if value >= ENOUGH), MOST_CLICKS)


def cells(row: Row, chosen: list[int]) -> list[str]:
    """The figures of the chosen objects."""
    means = [np.mean([values[i] for i in chosen]) for values in (row.one, row.two, row.box)]
    if not row.clicks:
        return [*(f"{value:.3f}" for value in means), "", "", ""]
    after = [np.mean([row.clicks[i][n - 1] for i in chosen]) for n in (3, 5)]
    return [f"{value:.3f}" for value in (*means, *after)] + [f"{np.mean([needed(row.clicks[i]) for i in chosen]):.2f}"]


def table(rows: dict[str, Row], targets: list[Target]) -> Iterator[str]:
    """The lines of the table, in Markdown."""
    sets = sorted({target.set for target in targets})
    groups = {name: [i for i, target in enumerate(targets) if target.set == name] for name in sets}
    groups["all real"] = [i for i, target in enumerate(targets) if target.set != "generated"]
    for name, chosen in groups.items():
        if not chosen:
            continue
        yield f"\n**{name}** ({len(chosen)} objects)\n"
        yield "| method | 1 click | 1 click + 1 exclude | box | 3 clicks | 5 clicks | clicks to 0.80 | ms per click |"
        yield "|---|---|---|---|---|---|---|---|"
        for method, row in rows.items():
            speed = 1000 * float(np.median([row.seconds[i] for i in chosen]))
            yield f"| {method} | {' | '.join(cells(row, chosen))} | {speed:.0f} |"


def fit_flood(targets: list[Target]) -> tuple[str, Flood, Row]:
    """Flood fill with the one tolerance that does best over all objects, measured where it is asked once."""
    rows = {tolerance: Row() for tolerance in TOLERANCES}
    for tolerance, row in rows.items():
        for target in targets:
            measure(Flood(tolerance), target, row)
    best = max(rows, key=lambda t: np.mean([*rows[t].one, *rows[t].two, *rows[t].box]))
    return f"flood fill in Lab, tolerance {best}", Flood(best), rows[best]


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generated", type=int, default=48, help="number of held-out generated objects")
    parser.add_argument("--models", type=Path, help="folder with other starter graphs than the plugin's own")
    parser.add_argument("--chip", type=int, help="chip side to try instead of the catalogue's")
    parser.add_argument("--scales", help="ground widths to try for a click, e.g. 0.5,1,2")
    parser.add_argument("--zoom-in", choices=("yes", "no"), help="second look at the object's own window")
    parser.add_argument("--once", action="store_true", help="leave the protocol of one click after the other out")
    parser.add_argument("--only-model", action="store_true", help="leave the other methods out")
    return parser.parse_args()


def load(options: argparse.Namespace) -> SegmentationModel:
    """The starter model, with another way of looking where the command line says so."""
    spec = catalogue.get("starter")
    look = spec.look
    if options.chip:
        look = replace(look, chip_px=options.chip)
    if options.scales:
        look = replace(look, scales=tuple(float(scale) for scale in options.scales.split(",")))
    if options.zoom_in:
        look = replace(look, zoom_in=options.zoom_in == "yes")
    spec = replace(spec, look=look)
    folder = options.models
    paths = tuple(str(folder / file.filename) for file in spec.files) if folder else ModelStore().locate(spec)
    return FAMILIES.get("starter").load(spec, paths, RuntimeSettings(threads=1, provider="cpu"))


def main() -> None:
    """Measure and print the table."""
    options = parse()
    folder = data_folder()
    if folder is None:
        print(
            f"No labels.json in ../shared/data; set {DATA_VARIABLE} to its folder. Only generated objects are measured."
        )
    targets = [*(real(folder) if folder else ()), *generated(options.generated)]
    methods: dict[str, Method] = {"starter": InSession(load(options))}
    if not options.only_model:
        methods |= {"GrabCut": grabcut, "random walker": walker, "box fill": box_fill}
    rows = {name: Row() for name in methods}
    if not options.only_model:
        name, flood, row = fit_flood(targets)
        methods[name], rows[name] = flood, row
    for number, target in enumerate(targets, 1):
        for name, method in methods.items():
            if not isinstance(method, Flood):
                measure(method, target, rows[name])
            if not options.once:
                iterate(method, target, rows[name])
        print(f"\r{number} of {len(targets)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print("\n".join(table(rows, targets)))
    pairs = np.array(rows["starter"].scores)
    print(f"\nPredicted and true IoU after one click: correlation {np.corrcoef(pairs.T)[0, 1]:.2f}")


if __name__ == "__main__":
    main()
