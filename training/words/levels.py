"""Set each word's bias as the plugin reads images: ``python -m training.words.levels``, after training.

The plugin reads an image at two resolutions and averages, which training does not. So each word's best IoU over
generated windows, half of them varied, is put at one half here, and the weights are written back.
"""

from __future__ import annotations

import argparse
import tempfile
from itertools import chain, islice
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from core.models import catalogue
from core.models.families import FAMILIES
from core.models.model import RuntimeSettings
from core.progress import NullProgress

from .cache import ENCODER
from .export import export, load
from .targets import CELL, WORDS, tables
from .train import WEIGHTS
from .views import views

LEVELS = np.linspace(-4, 4, 65)


def overlaps(weights: Path, seed: int, count: int, side: int) -> NDArray[np.float64]:
    """IoU (levels, words) over windows, half of them varied, where logits above each level count."""
    right, known = tables()
    both, said, wanted = np.zeros((3, len(LEVELS), len(WORDS)))
    with tempfile.TemporaryDirectory() as folder:
        graph = export(load(weights), Path(folder))
        spec = catalogue.get("starter_words")
        model = FAMILIES.get(spec.family).load(
            spec, (str(ENCODER), str(graph)), RuntimeSettings(threads=1, provider="cpu")
        )
        both_kinds = (views(seed, side), views(seed + 1, side, varied=True))
        for view in chain.from_iterable(islice(one, count // 2) for one in both_kinds):
            middles = view.kinds[CELL // 2 :: CELL, CELL // 2 :: CELL]
            for word, heat in enumerate(model.find(view.image, WORDS, NullProgress())):
                chance = np.clip(heat.values, 1e-6, 1 - 1e-6)
                counts = known[word][middles] > 0
                yes, logit = (right[word][middles] > 0)[counts], np.log(chance / (1 - chance))[counts]
                places = np.searchsorted(LEVELS, logit)
                above, hit = (
                    np.bincount(part, minlength=len(LEVELS) + 1)[::-1].cumsum()[::-1][1:]
                    for part in (places, places[yes])
                )
                both[:, word] += hit
                said[:, word] += above
                wanted[:, word] += yes.sum()
    return both / np.maximum(said + wanted - both, 1)


def main() -> None:
    """Set the biases as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="file of the weights, read and written")
    parser.add_argument("--windows", type=int, default=120, help="how many windows")
    parser.add_argument("--side", type=int, default=512, help="side of a window in pixels")
    parser.add_argument("--seed", type=int, default=1910, help="first of two seeds of windows")
    parser.add_argument("--most", type=float, default=2.0, help="how far a bias may be moved")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    reached = overlaps(options.weights, options.seed, options.windows, options.side)
    reached[abs(LEVELS) > options.most] = 0
    best = LEVELS[reached.argmax(0)]
    state = torch.load(options.weights, map_location="cpu", weights_only=True)
    state["bias"] -= torch.from_numpy(best).to(state["bias"].dtype)
    torch.save(state, options.weights)
    before, after = reached[len(LEVELS) // 2], reached.max(0)
    for word, *values in zip(WORDS, -best, before, after):
        print("{}: bias {:+.2f}, IoU {:.3f} to {:.3f}".format(word, *values))
    print(f"mean IoU {before.mean():.3f} to {after.mean():.3f}")


if __name__ == "__main__":
    main()
