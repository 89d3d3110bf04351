"""What a click costs beyond the decoder itself: ``python -m benchmarks.click_cost`` from the repository root.

Everything between the click and the polygon, on a 1024 x 1024 image and one thread, beside the run of a mask decoder of
the real size in bare onnxruntime. Times are CPU milliseconds of this process (median of many), so that a busy machine
doesn't spoil them. The decoder has random weights, so its masks are noise; the made masks of three kinds of objects
take their place once it has run. The decoder is exported by ``python -m benchmarks.sam_torch .dev/bench``.

Prints a table and ends with status 1 when our own cost is over 25 ms or over 20 % of the decoder's.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnxruntime

from core.models.families.sam import SamModel
from core.models.model import ImageEmbedding, ModelSpec
from core.models.onnx_session import OnnxSession
from core.outlines.masks import choose_candidate, select_parts
from core.outlines.measure import measure
from core.outlines.polygonize import polygonize
from core.outlines.shape import OutlineSettings, clean, combine
from core.progress import NullProgress
from core.prompts.prompt import PixelPrompts
from core.raster.grid import PixelGrid
from test.helpers import onnx_graphs

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
SIDE = 1024
MOST_MS, MOST_SHARE = 25.0, 0.20
STEPS = ("prompts, checks", "choice", "upsampling, mask", "parts", "polygonize", "outline", "measures")
SPEC = ModelSpec("random", "Random SAM", "sam", frozenset({"point", "box"}), (), SIDE, "-", "-")
QUIET = NullProgress()
GRIDS = {
    "UTM": PixelGrid((0.5, 0.0, 500000.0, 0.0, -0.5, 4600000.0), "EPSG:32633", SIDE, SIDE),
    "degrees": PixelGrid((5e-6, 0.0, 15.0, 0.0, -5e-6, 41.5), "EPSG:4326", SIDE, SIDE),
}


class Watch:
    """CPU time of each step."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = {}

    @contextmanager
    def of(self, step: str) -> Iterator[None]:
        start = time.process_time()
        yield
        self.times.setdefault(step, []).append((time.process_time() - start) * 1e3)

    def median(self, step: str) -> float:
        return statistics.median(self.times[step])


class Staged:
    """Runs the real decoder, notes its time, and gives the made masks in place of its noise."""

    def __init__(self, session: OnnxSession, logits: np.ndarray, watch: Watch) -> None:
        self.inputs, self.outputs = session.inputs, session.outputs
        self._session, self._logits, self._watch = session, logits, watch

    def run(self, feeds, outputs, progress):
        with self._watch.of("decoder inside"):
            self._session.run(feeds, outputs, progress)
        return self._logits, np.array([[0.7, 0.9, 0.8, 0.6]], np.float32)


def made_logits(kind: str) -> np.ndarray:
    """Return four low-resolution maps (1, 4, 256, 256) of an object that covers the middle of the image."""
    y, x = (np.indices((256, 256)) - 128.0) / 128.0
    if kind == "building":
        u, v = 0.8 * x + 0.6 * y, 0.8 * y - 0.6 * x
        inside = np.minimum(0.4 - np.abs(u), 0.25 - np.abs(v))
        inside = np.minimum(inside, np.maximum(0.2 - u, 0.1 - v))
    else:
        angle = np.arctan2(y, x)
        shore = 0.5 + 0.08 * np.sin(5 * angle) + 0.04 * np.sin(13 * angle + 1) + 0.015 * np.sin(41 * angle)
        inside = np.minimum(shore - np.hypot(x, y), np.hypot(x - 0.2, y - 0.1) - 0.07)
    logits = 60.0 * inside
    if kind == "ragged":
        noise = np.random.default_rng(3).normal(size=logits.shape)
        near = [np.roll(noise, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
        logits += 2.0 * np.mean(near, axis=0)
    shifts = np.array([0.5, 0.0, -1.0, 1.0]).reshape(1, 4, 1, 1)
    return (logits[None, None] + shifts).astype(np.float32)


def click(model: SamModel, embedding: ImageEmbedding, prompts: PixelPrompts, grid: PixelGrid, watch: Watch) -> int:
    """Go from prompts to a measured polygon once; return its number of vertices."""
    with watch.of("decode"):
        prediction = model.decode(embedding, prompts, previous=None, progress=QUIET)
    with watch.of("choice"):
        inside = prediction.inside(prompts.include), prediction.inside(prompts.exclude)
        index = choose_candidate(prediction.scores, *inside)
    with watch.of("upsampling, mask"):
        mask = prediction.mask(index)
    settings = OutlineSettings()
    with watch.of("parts"):
        mask = select_parts(mask, settings.parts, prompts.include)
    with watch.of("polygonize"):
        parts = polygonize(mask, grid)
    with watch.of("outline"):
        outline = combine(clean(parts, settings, grid))
    with watch.of("measures"):
        measure(outline, grid.crs)
    polygons = getattr(outline, "geoms", [outline])
    return sum(len(ring.coords) for part in polygons for ring in (part.exterior, *part.interiors))


def bare(path: Path, embedding: ImageEmbedding, watch: Watch, rounds: int) -> None:
    """Time the decoder in onnxruntime alone, fed by hand."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    feeds = {
        "image_embeddings": embedding.arrays[0],
        "point_coords": np.array([[[512, 700], [0, 0]]], np.float32),
        "point_labels": np.array([[1, -1]], np.float32),
        "mask_input": np.zeros((1, 1, 256, 256), np.float32),
        "has_mask_input": np.zeros(1, np.float32),
        "orig_im_size": np.array([SIDE, SIDE], np.float32),
    }
    for _ in range(rounds):
        with watch.of("bare"):
            session.run(["low_res_masks", "iou_predictions"], feeds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--decoder", type=Path, default=Path(".dev/bench/sam_decoder.onnx"))
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    if os.environ.get("OMP_NUM_THREADS") != "1":
        # numpy reads it when it is imported, so the process starts over with it.
        os.execve(
            sys.executable, [sys.executable, "-m", "benchmarks.click_cost", *sys.argv[1:]], os.environ | ONE_THREAD
        )
    if not asked.decoder.is_file():
        print(f"There is no {asked.decoder}: export it with  python -m benchmarks.sam_torch {asked.decoder.parent}")
        return 2
    embedding = ImageEmbedding(
        (np.random.default_rng(0).normal(size=(1, 256, 64, 64)).astype(np.float32),), (SIDE, SIDE)
    )
    prompts = PixelPrompts(np.array([[512.0, 700.0]], np.float32), np.array([1], np.int8), np.zeros((0, 4), np.float32))
    alone = Watch()
    bare(asked.decoder, embedding, alone, asked.rounds)
    decoder_ms = alone.median("bare")
    print(f"{SIDE} x {SIDE}, one thread, CPU ms, median of {asked.rounds}; bare decoder {decoder_ms:.1f} ms")
    print(
        f"{'object':<10} {'grid':<8}"
        + "".join(f"{step:>18}" for step in STEPS)
        + f"{'own':>8}{'share':>8}{'vertices':>10}"
    )
    good = True
    session = OnnxSession(str(asked.decoder), threads=1)
    with tempfile.TemporaryDirectory() as folder:
        encoder = OnnxSession(str(onnx_graphs.save(onnx_graphs.encoder("D"), Path(folder) / "encoder.onnx")), threads=1)
    for kind in ("building", "lake", "ragged"):
        for name, grid in GRIDS.items():
            watch = Watch()
            model = SamModel(SPEC, encoder, Staged(session, made_logits(kind), watch))
            vertices = [click(model, embedding, prompts, grid, watch) for _ in range(asked.rounds)][-1]
            inside = zip(watch.times["decode"], watch.times["decoder inside"])
            watch.times["prompts, checks"] = [whole - run for whole, run in inside]
            own = sum(watch.median(step) for step in STEPS)
            good &= own <= MOST_MS and own <= MOST_SHARE * decoder_ms
            cells = "".join(f"{watch.median(step):>18.2f}" for step in STEPS)
            print(f"{kind:<10} {name:<8}{cells}{own:>8.1f}{own / decoder_ms:>8.0%}{vertices:>10}")
    print(f"at most {MOST_MS:g} ms and {MOST_SHARE:.0%} of the decoder: {'met' if good else 'NOT MET'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
