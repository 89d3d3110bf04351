"""Measure a checkpoint on held-out scenes: ``python -m training.evaluate --run training/runs/starter``.

One look at one scale, without the plugin's session: quick, and comparable from one checkpoint to the next. What users
get is measured by ``benchmarks/click_accuracy.py``.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch

from .clicks import INCLUDE, SOFT, Gesture, correct
from .export import load
from .losses import true_iou
from .real import real_windows
from .rounds import Starter, as_prompts
from .samples import OBJECTS, Batch, stack, window
from .scenes import THEMES, render

HELD_OUT_SEED = 800_000_000
"""Scenes from here on, to where the benchmark's begin, are used for nothing else."""
SIDE = 160
CLICKS = 5


def held_out(theme: str, count: int) -> list[Batch]:
    """Batches of one window each, from scenes of one theme."""
    batches = []
    for number in range(count):
        seed = HELD_OUT_SEED + number
        sample = window(render(seed, theme=theme), np.random.default_rng((seed, 5)), SIDE)
        if sample is not None:
            batches.append(stack([sample]))
    return batches


@torch.no_grad()
def answers(model: Starter, batch: Batch) -> dict[str, np.ndarray]:
    """IoU of each object after 1 to CLICKS clicks and from its box, and the score predicted after the first click."""
    embedding, skip = (x.repeat_interleave(OBJECTS, 0) for x in model.encoder(batch.images.float() / 255))
    target = torch.nn.functional.avg_pool2d(batch.masks.float()[:, None], 2)
    rng = np.random.default_rng(1)
    found: dict[str, np.ndarray] = {}
    gestures, previous = [_first(mask) for mask in batch.masks.numpy()], torch.zeros_like(target)
    for clicks in range(1, CLICKS + 1):
        logits, _, score = model.decoder(embedding, skip, as_prompts(gestures, previous))
        found[f"click {clicks}"] = true_iou(logits, target).numpy()
        if clicks == 1:
            found["score"] = score[:, 0].numpy()
        previous = logits
        for gesture, mask, answer in zip(gestures, batch.masks.numpy(), (logits[:, 0] > 0).numpy()):
            correct(gesture, mask[::2, ::2], answer, rng, scale=2.0)
    boxes = [_boxed(mask) for mask in batch.masks.numpy()]
    logits, _, _ = model.decoder(embedding, skip, as_prompts(boxes, torch.zeros_like(target)))
    found["box"] = true_iou(logits, target).numpy()
    return found


def _first(mask: np.ndarray) -> Gesture:
    """One click at the deepest point."""
    gesture = Gesture.empty()
    correct(gesture, mask, np.zeros_like(mask), np.random.default_rng(0))
    if not (gesture.labels == INCLUDE).any():
        row, col = np.argwhere(mask)[len(np.argwhere(mask)) // 2]
        gesture.add(col + 0.5, row + 0.5, INCLUDE)
    return gesture


def _boxed(mask: np.ndarray) -> Gesture:
    """The exact box."""
    gesture = Gesture.empty()
    rows, cols = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    gesture.box[:] = (cols[0], rows[0], cols[-1] + 1, rows[-1] + 1, 1)
    gesture.add(*gesture.box[:4].reshape(2, 2).mean(0), SOFT)
    return gesture


def main() -> None:
    """Measure as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=Path("training/runs/starter"), help="folder of the checkpoint")
    parser.add_argument("--scenes", type=int, default=12, help="scenes of each theme")
    parser.add_argument("--extra", type=Path, help="labels.json of real labelled images, measured as one more theme")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = load(options.run)
    groups = {theme: held_out(theme, options.scenes) for theme in THEMES}
    if options.extra:
        groups["real"] = [stack([sample]) for sample in real_windows(options.extra, SIDE, 5 * options.scenes)]
    every: dict[str, list[np.ndarray]] = defaultdict(list)
    for theme, batches in groups.items():
        results = [answers(model, batch) for batch in batches]
        means = {key: float(np.concatenate([r[key] for r in results]).mean()) for key in results[0]}
        print(f"{theme:8}", "  ".join(f"{key} {value:.3f}" for key, value in means.items()), flush=True)
        for result in results:
            for key, values in result.items():
                every[key].append(values)
    joined = {key: np.concatenate(values) for key, values in every.items()}
    print("all     ", "  ".join(f"{key} {values.mean():.3f}" for key, values in joined.items()))
    correlation = np.corrcoef(joined["click 1"], joined["score"])[0, 1]
    print(f"correlation of predicted and true IoU after one click: {correlation:.2f}")


if __name__ == "__main__":
    main()
