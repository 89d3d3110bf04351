"""Windows encoded once by the starter model as it ships: ``python -m training.words.cache --windows 6000``.

The encoder is frozen, so a window's features never change; the head is then trained on them many times over.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from .targets import CELL, shares
from .views import SHARES, SIDE, views

ENCODER = Path(__file__).resolve().parents[2] / "resources" / "models" / "starter_encoder.onnx"
PARTS = ("features", "images", "shares")
"""What is kept of each window, a file for each."""


class Encoder:
    """The starter's encoder on one thread."""

    def __init__(self, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._run = onnxruntime.InferenceSession(str(ENCODER), options, providers=["CPUExecutionProvider"])

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Features (C, H/4, W/4) of an image (H, W, 3) whose sides are multiples of 32."""
        feed = np.ascontiguousarray(image.transpose(2, 0, 1)[None]).astype(np.float32) / 255
        features: NDArray[np.float32] = self._run.run(["embedding"], {"image": feed})[0][0]
        return features


def encode_windows(
    out: Path, seed: int, count: int, side: int, themes: Sequence[str] = (), *, varied: bool = False
) -> int:
    """Write the windows of one seed to a folder; returns how many."""
    cv2.setNumThreads(1)
    encode, chosen = Encoder(), {theme: SHARES[theme] for theme in themes or SHARES}
    kept: tuple[np.memmap, ...] = ()  # type: ignore[type-arg]
    for index, view in enumerate(islice(views(seed, side, chosen, varied=varied), count)):
        one, share = encode(view.image), shares(view.kinds)
        image = view.image.transpose(2, 0, 1)
        if not kept:
            kinds = ((one, np.float16), (image, np.uint8), (share, np.uint8))
            kept = tuple(
                np.lib.format.open_memmap(out / f"{seed}_{name}.npy", "w+", dtype=kind, shape=(count, *array.shape))
                for name, (array, kind) in zip(PARTS, kinds)
            )
        for array, values in zip(kept, (one, image, share)):
            array[index] = values
    return count


def parts(folder: Path) -> list[tuple[NDArray[Any], ...]]:
    """Features (N, C, h, w), images (N, 3, H, W) and shares (N, kinds, h, w) of each seed, read as they are needed."""
    found = sorted(folder.glob(f"*_{PARTS[0]}.npy"))
    return [
        tuple(np.load(path.with_name(path.name.replace(PARTS[0], name)), mmap_mode="r") for name in PARTS)
        for path in found
    ]


def main() -> None:
    """Encode as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=6000, help="how many windows")
    parser.add_argument("--seed", type=int, default=2001, help="first seed; each process takes the next one")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--side", type=int, default=SIDE, help="side of a window in pixels, a multiple of 32")
    parser.add_argument("--themes", nargs="*", default=(), help="only these themes, e.g. to add windows of a new one")
    parser.add_argument("--varied", action="store_true", help="more seasons, soils, roofs, haze and magnifications")
    parser.add_argument("--out", type=Path, default=Path("training/runs/words"), help="folder; 1 MB for each window")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    begin, each = time.perf_counter(), options.windows // options.workers
    with ProcessPoolExecutor(options.workers) as pool:
        jobs = [
            pool.submit(
                encode_windows, options.out, options.seed + i, each, options.side, options.themes, varied=options.varied
            )
            for i in range(options.workers)
        ]
        total = sum(job.result() for job in jobs)
    print(f"{total} windows of {options.side} px ({options.side // CELL} cells) in {time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
