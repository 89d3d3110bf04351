"""Train the starter model: ``python -m training.train --minutes 3`` is a proof, ``--minutes 600`` the real thing.

It stops when the minutes of training (of all sessions together) are used up, or after the step in which it is told to
end (SIGTERM, SIGINT), and continues from the last checkpoint with ``--resume``. A run on CUDA is the same command.
"""

from __future__ import annotations

import argparse
import math
import signal
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from .real import WithReal
from .rounds import Outcome, Starter, step
from .samples import Batch, SceneBatches

SIDES = ((0.0, 128), (0.5, 160), (0.84, 128))
"""Side of the training windows from this share of the training on."""
PEAK_RATE = 1.5e-3


class Average:
    """Running average of the weights, which is what gets exported."""

    def __init__(self, model: nn.Module, decay: float = 0.998) -> None:
        self.decay = decay
        self.values = {name: value.detach().clone() for name, value in model.state_dict().items()}
        self.steps = 0

    def update(self, model: nn.Module) -> None:
        """Move a little towards the model's weights."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, value in model.state_dict().items():
            if value.dtype.is_floating_point:
                self.values[name].lerp_(value.detach(), 1 - decay)
            else:
                self.values[name].copy_(value)


def side_at(progress: float) -> int:
    """Side of the windows at this share of the training."""
    return [side for start, side in SIDES if progress >= start][-1]


def rate_at(progress: float, steps: int, peak: float = PEAK_RATE) -> float:
    """Learning rate: a short warm-up, then a cosine to nearly nothing."""
    fall = 0.015 + 0.985 * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
    return peak * min(1.0, (steps + 1) / 150) * fall


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=3.0, help="training time, of all sessions together")
    parser.add_argument("--out", type=Path, default=Path("training/runs/starter"), help="folder of checkpoints and log")
    parser.add_argument("--resume", action="store_true", help="continue from the folder's checkpoint")
    parser.add_argument("--init", type=Path, help="averaged weights to begin from, e.g. training/weights/starter.pt")
    parser.add_argument("--rate", type=float, default=PEAK_RATE, help="highest learning rate; less with --init")
    parser.add_argument("--batch", type=int, default=12, help="images in a batch")
    parser.add_argument("--workers", type=int, default=1, help="processes that render scenes")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads of the training itself")
    parser.add_argument("--seed", type=int, default=1, help="seed of weights and scenes")
    parser.add_argument("--extra", type=Path, help="labels.json of real labelled images to train on as well")
    parser.add_argument("--save-every", type=float, default=3.0, help="minutes between checkpoints")
    return parser.parse_args()


class Trainer:
    """Model, optimiser and clock, and how they are kept."""

    def __init__(self, options: argparse.Namespace) -> None:
        torch.manual_seed(options.seed)
        torch.set_num_threads(options.threads)
        self.options = options
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = Starter().to(self.device, memory_format=torch.channels_last)
        if options.init:
            kept = torch.load(options.init, map_location=self.device, weights_only=True)
            self.model.load_state_dict(kept)  # half precision is widened as it is copied
        plain = [p for p in self.model.parameters() if p.ndim < 2]
        heavy = [p for p in self.model.parameters() if p.ndim >= 2]
        groups = [{"params": heavy, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, lr=PEAK_RATE)
        self.average = Average(self.model)
        self.steps, self.seconds, self.session = 0, 0.0, 0
        self.stopping = False
        self._ended: float | None = None
        self._sums = np.zeros(5)
        if options.resume and self.checkpoint.exists():
            self._load()

    @property
    def checkpoint(self) -> Path:
        """Where the state is kept."""
        return Path(self.options.out) / "last.pt"

    @property
    def progress(self) -> float:
        """Share of the training that is done."""
        return self.seconds / (60 * float(self.options.minutes))

    def save(self) -> None:
        """Keep everything needed to continue, replacing the file only when it is whole."""
        self.options.out.mkdir(parents=True, exist_ok=True)
        state = {
            "model": self.model.state_dict(),
            "average": self.average.values,
            "average_steps": self.average.steps,
            "optimiser": self.optimiser.state_dict(),
            "steps": self.steps,
            "seconds": self.seconds,
            "session": self.session,
        }
        partial = self.checkpoint.with_suffix(".part")
        torch.save(state, partial)
        partial.replace(self.checkpoint)

    def _load(self) -> None:
        state = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average.values, self.average.steps = state["average"], state["average_steps"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.steps, self.seconds, self.session = state["steps"], state["seconds"], state["session"] + 1

    def run(self) -> None:
        """Train until the time is used up."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        saved = self.seconds
        while self.progress < 1 and not self.stopping:
            side = side_at(self.progress)
            for batch in self._batches(side):
                self._step(batch)
                if self.seconds - saved > 60 * self.options.save_every:
                    saved = self.seconds
                    self.save()
                if side_at(self.progress) != side or self.progress >= 1 or self.stopping:
                    break
        self.save()

    def _stop(self, _number: int, _frame: object) -> None:
        self.stopping = True

    def _batches(self, side: int) -> DataLoader:  # type: ignore[type-arg]
        seed = self.options.seed * 1000 + self.session * 100 + side // 32
        source = SceneBatches(seed, side, self.options.batch)
        if self.options.extra:
            source = WithReal(source, self.options.extra, seed, side, self.options.batch)
        workers = self.options.workers
        ahead = 4 if workers else None
        return DataLoader(
            source, batch_size=None, num_workers=workers, prefetch_factor=ahead, worker_init_fn=_deaf_to_ctrl_c
        )

    def _step(self, batch: Batch) -> None:
        begin = time.perf_counter()
        rng = np.random.default_rng((self.options.seed, self.steps))
        for group in self.optimiser.param_groups:
            group["lr"] = rate_at(self.progress, self.steps, self.options.rate)
        outcome = step(self.model, batch, rng, self.device)
        self.optimiser.zero_grad(set_to_none=True)
        outcome.loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 2.0)
        self.optimiser.step()
        self.average.update(self.model)
        self.steps += 1
        waited = begin - (self._ended or begin)
        self._ended = time.perf_counter()
        self.seconds += self._ended - begin + waited
        self._report(outcome, waited)

    def _report(self, outcome: Outcome, waited: float) -> None:
        self._sums += np.array([1, outcome.loss.item(), outcome.iou.mean().item(), outcome.score_error, waited])
        if self.steps % 50 == 0:
            count, loss, iou, error, wait = self._sums
            print(
                f"step {self.steps} at {self.seconds / 60:.1f} min ({self.progress:.1%}): loss {loss / count:.4f} "
                f"IoU {iou / count:.4f} score error {error / count:.4f} waited {wait / count:.2f} s",
                flush=True,
            )
            self._sums = np.zeros(5)


def _deaf_to_ctrl_c(_worker: int) -> None:
    """Leave Ctrl-C, which a terminal sends to every process, to the training itself: it ends after its step."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def main() -> None:
    """Train as the command line says."""
    options = parse()
    trainer = Trainer(options)
    trainer.run()
    print(f"{trainer.steps} steps in {trainer.seconds / 60:.1f} min; checkpoint {trainer.checkpoint}")


if __name__ == "__main__":
    main()
