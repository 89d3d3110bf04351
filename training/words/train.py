"""Train the words head on cached windows: ``python -m training.words.train``.

First what cells see, then what they make of what their surroundings said;
last, a bias for each word puts its best IoU on the training windows at one half, until ``training.words.levels`` sets
it as the plugin reads images. The windows that are held back say when each fit was best, and are measured on: give
windows of a seed of their own, since those of one seed share scenes.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from .cache import PARTS, parts
from .net import WordsHead, sight
from .targets import WORDS, tables

HELD = 0.06
"""Share of each part's windows, its last ones, that are only measured on."""
CELLS = 200
"""Cells that are learned from in each window: half anywhere, half of each kind alike."""
DECAY = 0.999
"""Of the running means of the weights, for each step."""
WEIGHTS = Path(__file__).resolve().parents[1] / "weights" / "starter_words.pt"
Place = tuple[int, int]
Look = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Cells:
    """Cells to learn from."""

    seen: Tensor
    """What goes in (N, channels), half precision."""
    said: Tensor
    """Logits (N, words) that the answer is added to, or one zero each (N, 1)."""
    right: Tensor
    """Share of the cell that each word is right for (N, words)."""
    known: Tensor
    """Share of it that can be said (N, words)."""


class Windows:
    """The cached windows."""

    def __init__(self, folder: Path) -> None:
        self._parts = parts(folder)
        if not self._parts:
            raise SystemExit(f"{folder} holds no windows: run python -m training.words.cache first.")
        self._right, self._known = (torch.from_numpy(table) for table in tables())
        self.learned: list[Place] = []
        self.held: list[Place] = []
        for part, (_, _, shares) in enumerate(self._parts):
            # a cache that was stopped has empty windows at its end
            count = int((shares[:, :, ::16, ::16].reshape(len(shares), -1).max(1) > 0).sum())
            kept = int(count * (1 - HELD))
            self.learned += [(part, index) for index in range(kept)]
            self.held += [(part, index) for index in range(kept, count)]

    def batches(self, chosen: list[Place], size: int = 8) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Features (B, C, h, w), images (B, 3, H, W) and shares of kinds (B, kinds, h, w) of some windows."""
        for start in range(0, len(chosen), size):
            features, images, shares = (
                np.stack([self._parts[part][which][index] for part, index in chosen[start : start + size]])
                for which in range(len(PARTS))
            )
            yield torch.from_numpy(features).float(), torch.from_numpy(images).float() / 255, torch.from_numpy(shares)

    def answers(self, shares: Tensor) -> tuple[Tensor, Tensor]:
        """What is right and what can be said, (..., words), of shares of kinds (..., kinds)."""
        kinds = shares.float() / 255
        return (kinds @ self._right.T).clamp(0, 1), (kinds @ self._known.T).clamp(0, 1)


def places_of(shares: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.int64]:
    """Cells of a window to learn from, of shares (kinds, h * w)."""
    anywhere = rng.integers(shares.shape[1], size=CELLS // 2)
    main = shares.argmax(0)
    kinds = np.unique(main)
    alike = [rng.choice(np.flatnonzero(main == kind), CELLS // 2 // len(kinds) + 1) for kind in kinds]
    return np.concatenate((*alike, anywhere))[:CELLS]


@torch.no_grad()
def gather(windows: Windows, chosen: list[Place], rng: np.random.Generator, look: Look) -> Cells:
    """Cells of some windows, as ``look`` sees them from features, images and places (B, N, 2)."""
    found: list[tuple[Tensor, ...]] = []
    for features, images, shares in windows.batches(chosen):
        flat = shares.flatten(2)
        where = torch.from_numpy(np.stack([places_of(share, rng) for share in flat.numpy()]))
        width = shares.shape[3]
        seen, said = look(features, images, torch.stack((where % width, where // width), 2))
        answers = flat.gather(2, where[:, None].expand(-1, flat.shape[1], -1)).transpose(1, 2)
        right, known = windows.answers(answers)
        found.append(tuple(t.flatten(0, 1).half() for t in (seen, said, right, known)))
    return Cells(*(torch.cat(tensors) for tensors in zip(*found)))


def fit(
    layers: list[nn.Module],
    cells: Cells,
    held: Cells,
    steps: int,
    options: argparse.Namespace,
) -> None:
    """Fit the layers so that what they make of cells (N, channels) is right.

    Kept are running means of the weights, as they were when they were best on the cells held back.
    """
    weights = [weight for layer in layers for weight in layer.parameters()]
    optimiser = torch.optim.AdamW(weights, lr=options.rate, weight_decay=0.05)
    average = [weight.detach().clone() for weight in weights]
    best, lowest = average, math.inf
    order, total, every = iter(()), 0.0, max(1, steps // 15)
    for step in range(steps):
        chosen = next(order, None)
        if chosen is None:
            order = iter(torch.randperm(len(cells.seen)).split(options.batch))
            chosen = next(order)
        for group in optimiser.param_groups:
            group["lr"] = options.rate * min(1, (step + 1) / 50) * 0.5 * (1.01 + math.cos(math.pi * step / steps))
        loss = missed(layers, cells, chosen)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        total += loss.item()
        torch._foreach_lerp_(average, [w.detach() for w in weights], 1 - min(DECAY, (step + 1) / (step + 10)))
        if step % every == every - 1 or step == steps - 1:
            kept = [weight.detach().clone() for weight in weights]
            reset(weights, average)
            with torch.no_grad():
                now = float(
                    np.mean([missed(layers, held, part).item() for part in torch.arange(len(held.seen)).split(4096)])
                )
            print(f"step {step + 1}: loss {total / (step % every + 1):.4f}, held back {now:.4f}", flush=True)
            total = 0.0
            if now < lowest:
                best, lowest = [mean.clone() for mean in average], now
            reset(weights, kept)
    reset(weights, best)


def missed(layers: list[nn.Module], cells: Cells, chosen: Tensor) -> Tensor:
    """Cross entropy of some cells, summed over the words."""
    logits = cells.seen[chosen].float()
    for layer in layers:
        # a convolution of single cells is a matrix product, which is three times as fast when it is said so
        flat = isinstance(layer, nn.Conv2d)
        logits = F.linear(logits, layer.weight[:, :, 0, 0], layer.bias) if flat else layer(logits)
    logits = logits + cells.said[chosen].float()
    known = cells.known[chosen].float()
    entropy = F.binary_cross_entropy_with_logits(logits, cells.right[chosen].float(), reduction="none")
    return (entropy * known).sum() / known.sum() * len(WORDS)


@torch.no_grad()
def reset(weights: list[nn.Parameter], values: list[Tensor]) -> None:
    """Give weights these values."""
    for weight, value in zip(weights, values):
        weight.copy_(value)


@torch.no_grad()
def overlaps(model: WordsHead, windows: Windows, chosen: list[Place], levels: Tensor) -> Tensor:
    """IoU (levels, words) of all cells of some windows, where logits above each level count."""
    both, said, wanted = (torch.zeros(len(levels), len(WORDS)) for _ in range(3))
    for features, images, shares in windows.batches(chosen):
        right, known = windows.answers(shares.flatten(2).transpose(1, 2))
        logits = model(features, images).flatten(2).transpose(1, 2)
        right, known = right > 0.5, known > 0.5
        for index, level in enumerate(levels):
            above = (logits > level) & known
            both[index] += (above & right).sum((0, 1))
            said[index] += above.sum((0, 1))
            wanted[index] += (right & known).sum((0, 1))
    return both / (said + wanted - both).clamp(min=1)


def seen_alone(features: Tensor, images: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    """What is seen from cells at places (B, N, 2), and a zero for each."""
    seen = sight(features, images, places)[:, :, 0].transpose(1, 2)
    return seen, torch.zeros(len(images), places.shape[1], 1)


def train(options: argparse.Namespace) -> WordsHead:
    """The head, ready for use."""
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    rng = np.random.default_rng(options.seed)
    windows, model = Windows(options.windows), WordsHead()
    apart = windows if options.held is None else Windows(options.held)
    held_back = windows.held if options.held is None else apart.learned + apart.held
    print(f"{sum(p.numel() for p in model.parameters())} parameters, {len(windows.learned)} windows", flush=True)
    cells, held = gather(windows, windows.learned, rng, seen_alone), gather(apart, held_back, rng, seen_alone)
    print(f"{len(cells.seen)} cells", flush=True)
    mean, spread = cells.seen[::7].float().mean(0), cells.seen[::7].float().std(0)
    model.mean.copy_(mean)
    model.scale.copy_(1 / (spread + 1e-3))
    for some in (cells, held):
        some.seen.copy_(torch.cat([(part.float() - mean) * model.scale for part in some.seen.split(4096)]))
    fit([*model.look, model.say], cells, held, options.steps, options)
    del cells

    def heard(features: Tensor, images: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        thought, said = model.alone(sight(features, images))
        talked, index = model.talk(thought, said), places[:, :, 1] * features.shape[3] + places[:, :, 0]
        return tuple(
            plane.flatten(2).gather(2, index[:, None].expand(-1, plane.shape[1], -1)).transpose(1, 2)
            for plane in (talked, said)
        )

    some = windows.learned[:: max(1, len(windows.learned) // options.talks)]
    cells, held = gather(windows, some, rng, heard), gather(apart, held_back, rng, heard)
    fit(list(model.hear), cells, held, options.steps // 2, options)
    levels = torch.linspace(-3, 4, 36)
    reached = overlaps(model, windows, windows.learned[3 :: max(1, len(windows.learned) // 300)], levels)
    model.bias.copy_(-levels[reached.argmax(0)])
    print("biases:", ", ".join(f"{word} {bias:.1f}" for word, bias in zip(WORDS, model.bias.tolist())))
    reached = overlaps(model, apart, held_back, torch.zeros(1))[0]
    print("IoU of held windows:", ", ".join(f"{word} {iou:.3f}" for word, iou in zip(WORDS, reached)))
    return model.eval()


def main() -> None:
    """Train as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=5000, help="steps of the first fit; the second takes half as many")
    parser.add_argument("--talks", type=int, default=1000, help="windows for the second fit, which needs whole ones")
    parser.add_argument("--windows", type=Path, default=Path("training/runs/words"), help="folder of cached windows")
    parser.add_argument("--held", type=Path, help="folder of windows to measure on, in place of the last of each seed")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="file of the weights, half precision")
    parser.add_argument("--batch", type=int, default=1024, help="cells in a batch")
    parser.add_argument("--rate", type=float, default=3e-3, help="highest learning rate")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--seed", type=int, default=1, help="seed of weights, cells and order")
    options = parser.parse_args()
    model = train(options)
    torch.save({name: value.half() for name, value in model.state_dict().items()}, options.out)


if __name__ == "__main__":
    main()
