"""What the starter model costs: ``python -m benchmarks.starter_cost`` from the repository root.

Size of its files, milliseconds of one encoding and one click, and how much more memory a process takes after a click.
One thread, CPU milliseconds of this process (median of many), so that a busy machine spoils them less. The reference
is the same two graphs in bare onnxruntime, fed with ready arrays: what is above it is our own. Ends with status 1 when
a limit is missed: files of 10 MB, 60 ms for an encoding and a click at 384 pixels, 300 MB.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime

from core.models import catalogue
from core.models.model import RuntimeSettings
from core.models.store import ModelStore
from core.progress import NullProgress
from core.prompts.prompt import PixelPrompts

MOST_FILE_MB, MOST_MS, MOST_MEMORY_MB = 10.0, 60.0, 300.0
LIMITED_AT_PX = 384
CLICK = PixelPrompts(
    points=np.array([[100.0, 90.0], [40.0, 30.0]], np.float32),
    labels=np.array([1, 0], np.int8),
    boxes=np.zeros((0, 4), np.float32),
)


class Recorder:
    """Stands in for an ONNX session and remembers what it was fed."""

    def __init__(self, session: object) -> None:
        self._session = session
        self.last: tuple[dict, list[str]] = ({}, [])

    def run(self, feeds: dict, outputs: tuple[str, ...], progress: object) -> tuple:
        """Run as the session does."""
        self.last = (dict(feeds), list(outputs))
        return self._session.run(feeds, outputs, progress)


def cpu_ms(work: Callable[[], object], rounds: int) -> float:
    """Return the median CPU milliseconds of a piece of work."""
    work()
    took = []
    for _ in range(rounds):
        begun = time.process_time()
        work()
        took.append(1000.0 * (time.process_time() - begun))
    return statistics.median(took)


def peak_mb() -> float:
    """Return the most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def bare(path: str) -> onnxruntime.InferenceSession:
    """Return a plain session on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    before = peak_mb()
    spec = catalogue.get("starter")
    store = ModelStore()
    paths = store.locate(spec)
    size = sum(Path(path).stat().st_size for path in paths) / 1e6
    model = store.load(spec, settings=RuntimeSettings(threads=1, provider="cpu"))
    progress = NullProgress()
    random = np.random.default_rng(1)
    image = random.integers(0, 255, (LIMITED_AT_PX, LIMITED_AT_PX, 3), np.uint8)
    model.decode(model.encode(image, progress), CLICK, previous=None, progress=progress).mask(0)
    memory = peak_mb() - before

    encoder, decoder = Recorder(model._encoder), Recorder(model._decoder)
    model._encoder, model._decoder = encoder, decoder
    plain = [bare(path) for path in paths]
    print("one thread, CPU ms, median        encode   bare        click   bare")
    total = {}
    for side in (256, LIMITED_AT_PX, 640):
        image = random.integers(0, 255, (side, side, 3), np.uint8)
        embedding = model.encode(image, progress)
        encode = cpu_ms(lambda image=image: model.encode(image, progress), rounds)
        bare_encode = cpu_ms(lambda: plain[0].run(encoder.last[1], encoder.last[0]), rounds)

        def click(embedding: object = embedding) -> None:
            model.decode(embedding, CLICK, previous=None, progress=progress).mask(0)

        decode = cpu_ms(click, rounds)
        bare_decode = cpu_ms(lambda: plain[1].run(decoder.last[1], decoder.last[0]), rounds)
        total[side] = encode + decode
        print(
            f"  {side:4d} x {side:<4d}                  {encode:8.1f} x{encode / bare_encode:5.2f}"
            f"     {decode:8.1f} x{decode / bare_decode:5.2f}"
        )
    print(f"encode and click at {LIMITED_AT_PX}: {total[LIMITED_AT_PX]:.1f} ms (at most {MOST_MS:g})")
    print(f"files: {size:.2f} MB (at most {MOST_FILE_MB:g})")
    print(f"memory of loading, encoding and one click: {memory:.0f} MB more (at most {MOST_MEMORY_MB:g})")
    met = total[LIMITED_AT_PX] <= MOST_MS and size <= MOST_FILE_MB and memory <= MOST_MEMORY_MB
    print("all within the limits" if met else "a limit is missed")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
