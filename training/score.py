"""Fit the score head to what the plugin asks of it: ``python -m training.score --run training/runs/starter``.

The plugin looks at a click at several ground widths and takes the answer with the best predicted IoU, so the head must
tell answers at different widths apart, a cut object among them. Training itself sees one window of an object at a time.
Here the network is frozen and the head is fitted anew on answers to the same click at three widths, whose true IoU
counts the part of the object that the window leaves out. Only the score changes; masks stay as they are.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .clicks import Gesture, correct, start
from .degrade import degrade
from .rounds import Starter, as_prompts
from .scenes import Scene, render
from .scenes.canvas import Mask
from .scenes.textures import Rng

FIRST_SEED = 700_000_000
"""Scenes from here on are used for nothing else."""
SIDE, WIDTHS = 192, (1.0, 3.0, 6.0)
CLICKS_IN_SCENE = 3
MORE_CLICKS = 0.4
"""How often corrections follow the first answer."""
HELD_OUT = 0.1


@dataclass(frozen=True)
class Answers:
    """Evidence and truth of answers to one set of prompts."""

    evidence: Tensor
    """(K, E) what the score is read from."""
    reached: Tensor
    """(K,) true IoU."""


@torch.no_grad()
def answers(model: Starter, scene: Scene, rng: Rng) -> Iterator[Answers]:
    """Answers to some clicks and boxes on a scene, each at its ground widths."""
    image = degrade(scene.rgb, rng)
    ids, areas = np.unique(scene.labels, return_counts=True)
    ids = ids[(ids > 0) & (areas >= 60) & (areas < 0.5 * scene.labels.size)]
    for label in rng.choice(ids, min(CLICKS_IN_SCENE, len(ids)), replace=False):
        mask = _largest(scene.labels == label)
        if mask.sum() >= 60:
            yield from _asked(model, image, mask, rng)


def _asked(model: Starter, image: NDArray[np.uint8], mask: Mask, rng: Rng) -> Iterator[Answers]:
    gesture = start(mask, rng)
    place = (
        gesture.points[gesture.labels >= 1][0] if (gesture.labels >= 1).any() else gesture.box[:4].reshape(2, 2).mean(0)
    )
    rows, cols = np.nonzero(mask)
    extent = max(np.ptp(rows), np.ptp(cols)) + 1
    first = extent * np.exp(rng.uniform(np.log(0.6), np.log(5)))
    size = mask.shape[0]
    sides = sorted({int(np.clip(first * width, 0.4 * SIDE, size)) for width in WIDTHS})
    views = [_View.of(image, mask, place, side) for side in sides]
    embeddings = [model.encoder(view.tensor()) for view in views]
    states = [view.answer(model, embedding, gesture, None) for view, embedding in zip(views, embeddings)]
    yield Answers(torch.cat([s.evidence for s in states]), torch.tensor([s.reached for s in states]))
    if rng.random() < MORE_CLICKS:
        best = int(np.argmax([state.reached for state in states]))
        view, embedding, state = views[best], embeddings[best], states[best]
        local = view.gesture(gesture)
        for _ in range(int(rng.integers(1, 4))):
            correct(local, view.mask[::2, ::2], state.mask, rng, scale=2.0)
            state = view.answer(model, embedding, local, state.logits, local=True)
            yield Answers(state.evidence, torch.tensor([state.reached]))


@dataclass(frozen=True)
class _State:
    """One answer in one view."""

    evidence: Tensor
    reached: float
    logits: Tensor
    mask: Mask


@dataclass(frozen=True)
class _View:
    """A square window of a scene, scaled to SIDE."""

    image: NDArray[np.uint8]
    mask: Mask
    whole: float
    """Area of the whole object in the view's pixels, what lies outside included."""
    corner: NDArray[np.float64]
    scale: float

    @classmethod
    def of(cls, image: NDArray[np.uint8], mask: Mask, place: NDArray[np.float32], side: int) -> _View:
        corner = np.clip(np.round(place - side / 2), 0, mask.shape[0] - side)
        left, top = corner.astype(int)
        view = (slice(top, top + side), slice(left, left + side))
        method = cv2.INTER_AREA if side > SIDE else cv2.INTER_LINEAR
        sized = cv2.resize(image[view], (SIDE, SIDE), interpolation=method)
        inside = cv2.resize(mask[view].astype(np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_NEAREST_EXACT)
        scale = SIDE / side
        return cls(sized, inside.astype(bool), float(mask.sum()) * scale * scale, corner, scale)

    def tensor(self) -> Tensor:
        return torch.from_numpy(self.image.transpose(2, 0, 1)[None].astype(np.float32) / 255)

    def gesture(self, gesture: Gesture) -> Gesture:
        """The gesture in the view's pixels."""
        points = ((gesture.points - self.corner) * self.scale).astype(np.float32)
        box = gesture.box.copy()
        box[:4] = ((box[:4].reshape(2, 2) - self.corner) * self.scale).ravel()
        return Gesture(points, gesture.labels.copy(), box)

    def answer(
        self,
        model: Starter,
        embedding: tuple[Tensor, Tensor],
        gesture: Gesture,
        previous: Tensor | None,
        *,
        local: bool = False,
    ) -> _State:
        asked = gesture if local else self.gesture(gesture)
        zeros = torch.zeros(1, 1, SIDE // 2, SIDE // 2)
        prompts = as_prompts([asked], zeros if previous is None else previous)
        logits, _, _, evidence = model.decoder.with_evidence(*embedding, prompts)
        kept = _kept((logits[0, 0] > 0).numpy(), asked)
        both = 4.0 * float((kept & self.mask[::2, ::2]).sum())
        union = 4.0 * float(kept.sum()) + self.whole - both
        return _State(evidence, both / max(union, 1.0), logits, kept)


def _largest(mask: Mask) -> Mask:
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    return np.asarray(pieces == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])), bool)


def _kept(mask: Mask, gesture: Gesture) -> Mask:
    """The parts that hold an include click; all where none does, as for a box."""
    _, pieces = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    clicks = (gesture.points[gesture.labels == 1] / 2).astype(int).clip(0, mask.shape[0] - 1)
    found = {int(pieces[row, col]) for col, row in clicks} - {0}
    return np.isin(pieces, list(found)) if found else mask


def collect(model: Starter, minutes: float, seed: int) -> list[Answers]:
    """Answers on fresh scenes for some minutes, on one thread."""
    torch.set_num_threads(1)
    rng, found, number = np.random.default_rng((seed, 13)), [], FIRST_SEED + seed * 1_000_000
    until = time.monotonic() + 60 * minutes
    while time.monotonic() < until:
        found += list(answers(model, render(number), rng))
        number += 1
    return found


def fit(head: nn.Module, groups: list[Answers], *, rounds: int = 1500, rate: float = 5e-4, seed: int = 1) -> None:
    """Fit the head in place: squared error, and for the widths of one click also their order."""
    torch.manual_seed(seed)
    evidence = torch.cat([group.evidence for group in groups])
    reached = torch.cat([group.reached for group in groups]).float()
    owner = torch.cat([torch.full((len(g.reached),), i) for i, g in enumerate(groups)])
    first, second = _pairs(owner, reached)
    optimiser = torch.optim.AdamW(head.parameters(), lr=rate, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=rounds)
    for _ in range(rounds):
        chosen = torch.randint(len(reached), (1024,))
        loss = nn.functional.mse_loss(torch.sigmoid(head(evidence[chosen]))[:, 0], reached[chosen])
        pairs = torch.randint(len(first), (512,))
        better, worse = (torch.sigmoid(head(evidence[index[pairs]]))[:, 0] for index in (first, second))
        gap = reached[first[pairs]] - reached[second[pairs]]
        loss = loss + 0.5 * (gap - (better - worse)).clamp(min=0).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()


def _pairs(owner: Tensor, reached: Tensor) -> tuple[Tensor, Tensor]:
    """Indices of answers to the same prompts, the better one first."""
    pairs = []
    for step in (1, 2):
        left = torch.arange(len(owner) - step)
        left = left[owner[left] == owner[left + step]]
        gap = reached[left] - reached[left + step]
        pairs += [
            torch.stack((left[gap > 0.02], left[gap > 0.02] + step)),
            torch.stack((left[gap < -0.02] + step, left[gap < -0.02])),
        ]
    first, second = torch.cat(pairs, 1)
    return first, second


@dataclass(frozen=True)
class Quality:
    """How good a score is."""

    correlation: float
    """Of predicted and true IoU, over all answers."""
    chosen: float
    """Mean IoU of the ground width that the score chooses."""
    best: float
    """Mean IoU of the best width."""

    def __str__(self) -> str:
        return f"correlation {self.correlation:.3f}, chosen width {self.chosen:.4f}, best width {self.best:.4f}"


@torch.no_grad()
def measure(head: nn.Module, groups: list[Answers]) -> Quality:
    """How good the head's score is on answers that it was not fitted to."""
    scores = [torch.sigmoid(head(group.evidence))[:, 0] for group in groups]
    together = torch.stack((torch.cat(scores), torch.cat([group.reached for group in groups]).float()))
    several = [(score, group) for score, group in zip(scores, groups) if len(group.reached) > 1]
    chosen = float(np.mean([group.reached[score.argmax()] for score, group in several]))
    best = float(np.mean([group.reached.max() for _, group in several]))
    return Quality(float(torch.corrcoef(together)[0, 1]), chosen, best)


def main() -> None:
    """Fit as the command line says, and keep the head in the run's checkpoint if it chooses better."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=Path("training/runs/starter"), help="folder of the checkpoint")
    parser.add_argument("--minutes", type=float, default=5.0, help="time to collect answers in")
    parser.add_argument("--workers", type=int, default=2, help="processes that collect")
    parser.add_argument("--seed", type=int, default=1, help="seed of the scenes and of the fit")
    options = parser.parse_args()
    path = options.run / "last.pt"
    state = torch.load(path, map_location="cpu", weights_only=True)
    model = Starter()
    model.load_state_dict(state["average"])
    model.eval()
    seeds = [options.seed * 100 + number for number in range(options.workers)]
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        parts = list(pool.map(collect, [model] * len(seeds), [options.minutes] * len(seeds), seeds))
    groups = [group for part in parts for group in part]
    held_out, fitted = groups[:: round(1 / HELD_OUT)], [g for i, g in enumerate(groups) if i % round(1 / HELD_OUT)]
    before = measure(model.decoder.score, held_out)
    print(f"{len(groups)} prompts; before: {before}", flush=True)
    fit(model.decoder.score, fitted, seed=options.seed)
    after = measure(model.decoder.score, held_out)
    print(f"after: {after}")
    if after.chosen <= before.chosen:
        print("The head stays as it was: the new one chooses no better.")
        return
    state["average"] = model.state_dict()
    partial = path.with_suffix(".part")
    torch.save(state, partial)
    partial.replace(path)


if __name__ == "__main__":
    main()
