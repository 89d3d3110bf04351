"""The starter's objectness: where a click is answered with an object, learned from the model's own answers.

``python -m training.objectness collect --scenes 380`` asks the exported model at points of generated scenes;
``python -m training.objectness fit`` learns from that and writes starter_objectness.onnx, whose digest is then pinned.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from core.everything.judging import Judge
from core.everything.lattice import grid_points
from core.everything.settings import EverythingSettings
from core.models import catalogue
from core.models.families.starter import ENTRY
from core.models.model import RuntimeSettings, SegmentationModel
from core.models.store import ModelStore
from core.picture import Picture
from core.points.ground import reduced
from core.points.outliner import Candidate, PointOutliner
from core.progress import NullProgress
from core.raster.grid import Window
from core.window import View

from .degrade import degrade
from .export import write_graph
from .net import EMBEDDING, STRIDE
from .scenes import render

GRAPH = "starter_objectness.onnx"
FOLDER = Path("training/runs/objectness")
FIRST_SEED = 700_000_000
"""Scenes of their own: neither those that the model learned from nor those that anything is measured on."""
SIDE_PX, GRID = 512, 32
ASKED = (448, 160)
"""Points of the grid that are asked in each scene, at the first and the second ground width."""
BATCH, RATE = 4, 4e-3
LENIENT = 0.8
"""Share of the least score from which a point counts if its answer passes when asked again: the plugin is stricter,
but with such points among them the ones that it wants are told apart better."""
QUIET = NullProgress()


class Objectness(nn.Module):
    """Log-odds (B, 1, h, w) of an object from an embedding (B, EMBEDDING, h, w), whose sides are multiples of 8."""

    def __init__(self, widths: tuple[int, int, int] = (24, 40, 56)) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.enter = nn.Conv2d(EMBEDDING, fine, 1)
        self.down = nn.Conv2d(fine, middle, 3, 2, 1)
        self.first = nn.Conv2d(middle, middle, 3, 1, 1)
        self.deeper = nn.Conv2d(middle, coarse, 3, 2, 1)
        self.around = nn.ModuleList((nn.Conv2d(coarse, coarse, 3, 1, 1), nn.Conv2d(coarse, coarse, 3, 1, 2, 2)))
        self.rise = nn.Conv2d(coarse, middle, 1)
        self.second = nn.Conv2d(middle, middle, 3, 1, 1)
        self.surface = nn.Conv2d(middle, fine, 1)
        self.third = nn.Conv2d(fine, fine, 3, 1, 1)
        self.leave = nn.Conv2d(fine, 1, 1)

    def forward(self, embedding: Tensor) -> Tensor:
        fine = F.relu(self.enter(embedding))
        middle = F.relu(self.down(fine))
        middle = middle + F.relu(self.first(middle))
        coarse = F.relu(self.deeper(middle))
        for around in self.around:
            coarse = coarse + F.relu(around(coarse))
        middle = _twice(self.rise(coarse)) + middle
        middle = middle + F.relu(self.second(middle))
        fine = _twice(self.surface(middle)) + fine
        fine = fine + F.relu(self.third(fine))
        odds: Tensor = self.leave(fine)
        return odds


@dataclass(frozen=True)
class Answers:
    """What the model answered at points of one image at one ground width."""

    embedding: Tensor
    """(EMBEDDING, h, w), half precision."""
    cells: Tensor
    """Points (N, 2) in continuous cells of the embedding."""
    found: Tensor
    """(N,) 1 where the answer was an object."""


def loaded() -> SegmentationModel:
    """The exported model, without objectness."""
    spec = catalogue.get("starter")
    spec = replace(spec, files=tuple(file for file in spec.files if file.filename != GRAPH))
    return ENTRY.load(spec, ModelStore().locate(spec), RuntimeSettings(threads=1, provider="cpu"))


def asked(model: SegmentationModel, image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Points of an image that were asked: rows (N, 4) of ground width, x, y, and 1 for an object."""
    height, width = image.shape[:2]
    whole = Window(0, 0, width, height)
    picture = Picture(View(whole, (width, height)), image, "", np.ones((height, width), np.bool_))
    outliner = PointOutliner(model)
    outliner.begin(picture, whole, QUIET)
    judge = Judge(outliner, EverythingSettings(), picture)
    lenient = Judge(outliner, EverythingSettings(min_score=LENIENT * model.spec.certainty.min_score), picture)
    points, rows = grid_points((width, height), GRID), []
    for ground, count in zip(range(len(outliner.reaches_px)), ASKED):
        for x, y in points[rng.permutation(len(points))[:count]]:
            best = min(outliner.candidates((x, y), ground, QUIET), key=Candidate.demerits)
            found = judge.is_object(best)
            if not found and (lenient.is_object(best) or lenient.is_near(best)):
                found = judge.is_object(min(outliner.again(best, QUIET), key=Candidate.demerits))
            rows.append((ground, x, y, found))
    return np.array(rows, np.float32)


def collect(folder: Path, scenes: int, first: int) -> None:
    """Ask the model in generated scenes, and keep each image with what was answered; what is there is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    model = loaded()
    for seed in range(FIRST_SEED + first, FIRST_SEED + first + scenes):
        path = folder / f"{seed}.npz"
        if path.exists():
            continue
        image = degrade(render(seed, SIDE_PX).rgb, np.random.default_rng((seed, 3)))
        rows = asked(model, image, np.random.default_rng(seed))
        np.savez_compressed(path, image=image, rows=rows)
        print(f"{path.name}: {rows[:, 3].mean():.3f} of the points", flush=True)


def read(folder: Path) -> Iterator[list[Answers]]:
    """What was collected, image by image, one entry for each ground width."""
    model = loaded()
    factors = sorted({round(scale) for scale in model.spec.look.scales})
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as kept:
            image, rows = kept["image"], kept["rows"]
        entries = []
        for ground, factor in enumerate(factors[: len(ASKED)]):
            seen = reduced(image, factor)
            embedding = (model.encode if ground else model.encode_whole)(seen, QUIET).arrays[0][0]
            here = rows[rows[:, 0] == ground]
            cells = torch.from_numpy(here[:, 1:3] / (factor * STRIDE))
            entries.append(Answers(torch.from_numpy(embedding).half(), cells, torch.from_numpy(here[:, 3])))
        yield entries


def at(odds: Tensor, cells: Tensor) -> Tensor:
    """Values (N,) of a map (1, 1, h, w) at continuous cells (N, 2)."""
    size = torch.tensor(odds.shape[:1:-1], dtype=torch.float32)
    places = (cells / size * 2 - 1)[None, None]
    return F.grid_sample(odds, places, padding_mode="border", align_corners=False)[0, 0, 0]


def turned(answers: Answers, way: int) -> tuple[Tensor, Tensor]:
    """The embedding (1, C, h, w) and the cells in one of 8 ways of turning an image."""
    embedding, cells = answers.embedding.float()[None], answers.cells
    height, width = embedding.shape[2:]
    if way & 1:
        embedding, cells = embedding.flip(3), torch.stack((width - cells[:, 0], cells[:, 1]), 1)
    if way & 2:
        embedding, cells = embedding.flip(2), torch.stack((cells[:, 0], height - cells[:, 1]), 1)
    if way & 4:
        embedding, cells = embedding.transpose(2, 3), cells.flip(1)
    return embedding, cells


def fit(images: list[list[Answers]], rounds: int, held: int) -> Objectness:
    """A network fitted to all images but the last ``held``, on which it is measured."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    model, learned = Objectness(), images[: len(images) - held]
    optimiser = torch.optim.AdamW(model.parameters(), RATE, weight_decay=1e-3)
    steps = rounds * -(-len(learned) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for number in range(rounds):
        started, losses = time.monotonic(), []
        order = rng.permutation(len(learned))
        for start in range(0, len(order), BATCH):
            loss = torch.zeros(())
            for index in order[start : start + BATCH]:
                for answers in learned[index]:
                    embedding, cells = turned(answers, int(rng.integers(8)))
                    odds = at(model(embedding), cells)
                    loss = loss + F.binary_cross_entropy_with_logits(odds, answers.found, reduction="sum")
            optimiser.zero_grad()
            (loss / (BATCH * sum(ASKED))).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()) / (BATCH * sum(ASKED)))
        told = f"held out: area under the curve {auc(model, images[len(learned) :]):.4f}" if held else ""
        print(f"round {number + 1}: {np.mean(losses):.4f} {told} {time.monotonic() - started:.0f} s", flush=True)
    return model.eval()


@torch.no_grad()
def auc(model: Objectness, images: list[list[Answers]]) -> float:
    """How often a point with an object is above one without."""
    odds = np.concatenate([at(model(one.embedding.float()[None]), one.cells).numpy() for two in images for one in two])
    found = np.concatenate([one.found.numpy() for two in images for one in two]) > 0
    ranks = odds.argsort().argsort()
    count = int(found.sum())
    return float((ranks[found].sum() - count * (count - 1) / 2) / max(1, count * (len(found) - count)))


def export(model: Objectness, folder: Path) -> Path:
    """Write starter_objectness.onnx; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    cells = {2: "h4", 3: "w4"}
    write_graph(model, (torch.rand(1, EMBEDDING, 24, 32),), folder / GRAPH, {"embedding": cells}, {"objectness": cells})
    return folder / GRAPH


def check(model: Objectness, path: Path) -> float:
    """Largest difference of the log-odds between graph and model, at a size that was not exported with."""
    embedding = torch.rand(1, EMBEDDING, 40, 56)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (odds,) = session.run(None, {"embedding": embedding.numpy()})
    with torch.no_grad():
        return float(np.abs(odds - model(embedding).numpy()).max())


def _twice(maps: Tensor) -> Tensor:
    return F.interpolate(maps, scale_factor=2.0, mode="bilinear", align_corners=False)


def main() -> None:
    """Collect or fit, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("collect", "fit"))
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where answers are kept")
    parser.add_argument("--scenes", type=int, default=380, help="number of scenes to ask in")
    parser.add_argument("--first", type=int, default=0, help="number of the first scene, to share the work")
    parser.add_argument("--rounds", type=int, default=16, help="how often all images are learned from")
    parser.add_argument("--held", type=int, default=24, help="images that are not learned from")
    parser.add_argument("--out", type=Path, default=Path("resources/models"), help="folder of the graph")
    options = parser.parse_args()
    if options.what == "collect":
        collect(options.folder, options.scenes, options.first)
        return
    model = fit(list(read(options.folder)), options.rounds, options.held)
    path = export(model, options.out)
    print(f"{path} {path.stat().st_size / 1e6:.2f} MB; largest difference: {check(model, path):.4f}")


if __name__ == "__main__":
    main()
