"""Is our SAM family the same as PyTorch's SamPredictor? ``python -m benchmarks.sam_parity`` from the repository root.

Both run the same random weights: PyTorch directly, ours through the ONNX graphs exported from it. Needs
benchmarks/requirements.txt in an environment of its own:

    python3 -m venv .dev/bench-venv && .dev/bench-venv/bin/pip install -r benchmarks/requirements.txt
    .dev/bench-venv/bin/python -m benchmarks.sam_parity

Prints a table and ends with status 1 when something is out of tolerance.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.models.families.sam import SamModel
from core.models.model import ModelSpec
from core.models.onnx_session import OnnxSession
from core.models.sam_frame import SamFrame
from core.progress import NullProgress
from core.prompts.prompt import PixelPrompts

from .sam_torch import export, noise_image, random_sam

LOGIT_TOLERANCE = 1e-4
SCORE_TOLERANCE = 1e-4
LEAST_IOU = 0.9999
SIZES = ((733, 1171), (1024, 1024), (300, 220), (1800, 2400))
SPEC = ModelSpec("random", "Random SAM", "sam", frozenset({"point", "box"}), (), 1024, "-", "-")
QUIET = NullProgress()


@dataclass(frozen=True)
class Case:
    """One set of prompts, in shares of the image's width and height."""

    name: str
    clicks: tuple[tuple[float, float, int], ...] = ()
    box: tuple[float, float, float, float] | None = None
    ambiguous: bool = False
    refined: bool = False


CASES = (
    Case("1 click", ((0.4, 0.6, 1),), ambiguous=True),
    Case("3 mixed clicks", ((0.4, 0.6, 1), (0.45, 0.5, 1), (0.8, 0.2, 0))),
    Case("box", box=(0.2, 0.3, 0.7, 0.8)),
    Case("box + exclude", ((0.3, 0.4, 0),), box=(0.2, 0.3, 0.7, 0.8)),
    Case("2 clicks, refined", ((0.4, 0.6, 1), (0.8, 0.2, 0)), refined=True),
)


def main() -> int:
    warnings.simplefilter("ignore")
    sam = random_sam()
    from segment_anything import SamPredictor  # noqa: PLC0415 (after torchvision's stand-in)

    with tempfile.TemporaryDirectory() as folder:
        encoder, decoder = (OnnxSession(str(path)) for path in export(sam, Path(folder)))
        ours, theirs = SamModel(SPEC, encoder, decoder), SamPredictor(sam)
        print(f"{'image':>11}  {'prompts':<18} {'embedding':>10} {'low-res':>10} {'score':>10} {'mask IoU':>10}")
        good = True
        for size in SIZES:
            image = noise_image(*size)
            embedding = ours.encode(image, QUIET)
            theirs.set_image(image)
            apart = np.abs(embedding.arrays[0] - theirs.features.numpy()).max()
            for case in CASES:
                logits, score, iou = compare(case, ours, theirs, embedding)
                fine = logits <= LOGIT_TOLERANCE and score <= SCORE_TOLERANCE and iou >= LEAST_IOU
                good &= fine
                print(
                    f"{size[0]:>5} x{size[1]:>5}  {case.name:<18} {apart:>10.1e} {logits:>10.1e} {score:>10.1e} "
                    f"{iou:>10.6f}{'' if fine else '  OUT OF TOLERANCE'}"
                )
    print(f"tolerances: low-res and score {LOGIT_TOLERANCE:g}, mask IoU {LEAST_IOU}: {'met' if good else 'NOT MET'}")
    return 0 if good else 1


def compare(case: Case, ours: SamModel, theirs, embedding) -> tuple[float, float, float]:
    """Return the largest difference of logits and of scores, and the smallest IoU of full-size masks."""
    height, width = embedding.image_size
    scale = np.array([width, height], np.float64)
    points = np.array([click[:2] for click in case.clicks]).reshape(-1, 2) * scale
    labels = np.array([click[2] for click in case.clicks], np.int8)
    box = None if case.box is None else np.array(case.box) * np.tile(scale, 2)
    previous = None
    if case.refined:
        _, _, first = theirs.predict(points[:1], labels[:1], multimask_output=False)
        previous = first[0]
    masks, scores, logits = theirs.predict(
        points if len(points) else None,
        labels if len(labels) else None,
        box,
        None if previous is None else previous[None],
        multimask_output=case.ambiguous,
    )
    # The predictor takes a pixel's index for its place and adds half a pixel after scaling; ours are true places.
    frame = SamFrame(embedding.image_size)
    half = 0.5 * scale / np.array(frame.resized[::-1])
    prompts = PixelPrompts(
        (points + half).astype(np.float32),
        labels,
        np.zeros((0, 4), np.float32) if box is None else (box + np.tile(half, 2)).astype(np.float32)[None],
    )
    found = ours.decode(embedding, prompts, previous=previous, progress=QUIET)
    ious = []
    for index, mask in enumerate(masks):
        our_mask = found.mask(index)
        ious.append((mask & our_mask).sum() / max(1, (mask | our_mask).sum()))
    count = len(masks)
    return (
        float(np.abs(found.low_res_logits[:count] - logits).max()),
        float(np.abs(found.scores[:count] - scores).max()),
        float(min(ious)),
    )


if __name__ == "__main__":
    sys.exit(main())
