"""Export the words head to ONNX: ``python -m training.words.export``, then ``test/helpers/pin_starter.py``."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from ..export import write_graph
from ..net import EMBEDDING
from .net import WordsHead
from .targets import CELL
from .train import WEIGHTS

GRAPH = "starter_words.onnx"


def load(path: Path) -> WordsHead:
    """The head with kept weights, ready for use."""
    model = WordsHead()
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))  # half precision is widened
    return model.eval()


def examples(rows: int, cols: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Features and image of this many cells, of random numbers."""
    return torch.rand(1, EMBEDDING, rows, cols), torch.rand(1, 3, rows * CELL, cols * CELL)


def export(model: WordsHead, folder: Path) -> Path:
    """Write starter_words.onnx; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    cells, pixels = {2: "h4", 3: "w4"}, {2: "h", 3: "w"}
    names = {"features": cells, "image": pixels}
    write_graph(model, examples(24, 32), folder / GRAPH, names, {"logits": cells})
    return folder / GRAPH


def check(model: WordsHead, path: Path) -> float:
    """Largest difference of the logits between graph and model, at a size that was not exported with."""
    inputs = examples(40, 56)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"features": inputs[0].numpy(), "image": inputs[1].numpy()})
    with torch.no_grad():
        return float(np.abs(logits - model(*inputs).numpy()).max())


def main() -> None:
    """Export as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="file of the averaged weights")
    parser.add_argument("--out", type=Path, default=Path("resources/models"), help="folder of the graph")
    options = parser.parse_args()
    model = load(options.weights)
    path = export(model, options.out)
    print(f"{path} {path.stat().st_size / 1e6:.2f} MB; largest difference of a logit: {check(model, path):.4f}")


if __name__ == "__main__":
    main()
