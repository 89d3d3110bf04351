"""Train the words head on cached windows: ``python -m training.words.train --minutes 10``.

It stops when the minutes are used up; the learning rate falls to nothing at their end. The last part of the windows is
held back and measured on. Averaged weights are kept in ``--out``.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..train import Average
from .cache import PARTS, parts
from .net import WordsHead, loss_of
from .targets import WORDS, tables

HELD = 0.06
"""Share of each part's windows, its last ones, that are only measured on."""
WEIGHTS = Path(__file__).resolve().parents[1] / "weights" / "starter_words.pt"


class Windows:
    """The cached windows as batches."""

    def __init__(self, folder: Path, batch: int) -> None:
        self._parts, self._batch = parts(folder), batch
        if not self._parts:
            raise SystemExit(f"{folder} holds no windows: run python -m training.words.cache first.")
        right, known = tables()
        self._right, self._known = torch.from_numpy(right), torch.from_numpy(known)
        self.learned: list[tuple[int, int]] = []
        self.held: list[tuple[int, int]] = []
        for part, (_, _, shares) in enumerate(self._parts):
            # a cache that was stopped has empty windows at its end
            count = int((shares[:, :, ::16, ::16].reshape(len(shares), -1).max(1) > 0).sum())
            kept = int(count * (1 - HELD))
            self.learned += [(part, index) for index in range(kept)]
            self.held += [(part, index) for index in range(kept, count)]

    def batch(self, chosen: list[tuple[int, int]]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Features, images, what is right, and what can be said, of some windows."""
        features, images, shares = (
            np.stack([self._parts[part][which][index] for part, index in chosen]) for which in range(len(PARTS))
        )
        kinds = torch.from_numpy(shares).float() / 255
        right = torch.einsum("wk,bkij->bwij", self._right, kinds).clamp(0, 1)
        known = torch.einsum("wk,bkij->bwij", self._known, kinds).clamp(0, 1)
        return torch.from_numpy(features).float(), torch.from_numpy(images).float() / 255, right, known

    def shuffled(self, rng: np.random.Generator) -> list[list[tuple[int, int]]]:
        """The learned windows once, in batches of random ones."""
        order = rng.permutation(len(self.learned))
        chosen = [self.learned[int(i)] for i in order]
        return [chosen[i : i + self._batch] for i in range(0, len(chosen) - self._batch + 1, self._batch)]


def weights_of(windows: Windows, rng: np.random.Generator) -> Tensor:
    """How much a right cell counts for each word: the rarer the more, within 1.5 and 12."""
    right = torch.stack([windows.batch(chosen)[2].mean((0, 2, 3)) for chosen in windows.shuffled(rng)[:30]]).mean(0)
    return (0.25 / right.clamp(min=1e-4)).sqrt().clamp(1.5, 12.0)


@torch.no_grad()
def measure(model: WordsHead, windows: Windows) -> Tensor:
    """IoU (words,) over the held windows, cell by cell, at a half."""
    model.eval()
    both, either = torch.zeros(len(WORDS)), torch.zeros(len(WORDS))
    for start in range(0, len(windows.held), 16):
        features, images, right, known = windows.batch(windows.held[start : start + 16])
        said, wanted, counted = model(features, images) > 0, right > 0.5, known > 0.5
        both += (said & wanted & counted).float().sum((0, 2, 3))
        either += ((said | wanted) & counted).float().sum((0, 2, 3))
    model.train()
    return both / either.clamp(min=1)


def train(options: argparse.Namespace) -> WordsHead:
    """The head with its averaged weights."""
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    rng = np.random.default_rng(options.seed)
    windows, model = Windows(options.windows, options.batch), WordsHead()
    if options.init:
        model.load_state_dict(torch.load(options.init, map_location="cpu", weights_only=True))
    print(f"{sum(p.numel() for p in model.parameters())} parameters, {len(windows.learned)} windows", flush=True)
    weights = weights_of(windows, rng)
    optimiser = torch.optim.AdamW(model.parameters(), lr=options.rate, weight_decay=0.02)
    average, begin, steps, total = Average(model, 0.995), time.perf_counter(), 0, 0.0
    progress, queue = 0.0, []
    while progress < 1:
        queue = queue or windows.shuffled(rng)
        features, images, right, known = windows.batch(queue.pop())
        for group in optimiser.param_groups:
            group["lr"] = options.rate * min(1, (steps + 1) / 100) * 0.5 * (1.02 + math.cos(math.pi * progress))
        loss = loss_of(model(features, images), right, known, weights)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimiser.step()
        average.update(model)
        steps, total = steps + 1, total + loss.item()
        spent = time.perf_counter() - begin
        progress = min(1.0, spent / (60 * options.minutes))
        if steps % 100 == 0:
            print(f"step {steps} at {spent / 60:.1f} min ({progress:.0%}): loss {total / 100:.4f}", flush=True)
            total = 0.0
    model.load_state_dict(average.values)
    print(
        f"{steps} steps; IoU of held windows:",
        ", ".join(f"{w} {v:.3f}" for w, v in zip(WORDS, measure(model, windows))),
    )
    return model.eval()


def main() -> None:
    """Train as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="time to train")
    parser.add_argument("--windows", type=Path, default=Path("training/runs/words"), help="folder of cached windows")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="file of the averaged weights, half precision")
    parser.add_argument("--init", type=Path, help="weights to begin from, e.g. training/weights/starter_words.pt")
    parser.add_argument("--batch", type=int, default=10, help="windows in a batch")
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--seed", type=int, default=1, help="seed of the weights and the order")
    options = parser.parse_args()
    model = train(options)
    halved = {name: v.half() if v.dtype.is_floating_point else v for name, v in model.state_dict().items()}
    torch.save(halved, options.out)


if __name__ == "__main__":
    main()
