"""Export the averaged weights to two ONNX graphs: ``python -m training.export --run training/runs/starter``.

Weights are stored as float16 and cast to float32 when the graph is loaded, which halves the files and costs no speed.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from .net import EMBEDDING, SKIP, Decoder, Prompts
from .rounds import Starter

OPSET, IR_VERSION = 17, 8
SMALLEST_HALVED = 256
"""Weights of fewer numbers stay float32."""


class PlainDecoder(nn.Module):
    """The decoder with plain tensors in and out, as the graph has them."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(  # noqa: PLR0917 (the graph's inputs, in their order)
        self, embedding: Tensor, skip: Tensor, points: Tensor, labels: Tensor, box: Tensor, previous: Tensor
    ) -> tuple[Tensor, Tensor]:
        logits, _, score = self.decoder(embedding, skip, Prompts(points, labels, box, previous))
        return logits, score


def load(run: Path) -> Starter:
    """The model with the averaged weights of a run's checkpoint, ready for use."""
    model = Starter()
    state = torch.load(run / "last.pt", map_location="cpu", weights_only=True)
    model.load_state_dict(state["average"])
    return model.eval()


def examples(side: int, clicks: int) -> tuple[Tensor, ...]:
    """Inputs of the decoder graph at this image side, of random numbers."""
    quarter, half = side // 4, side // 2
    return (
        torch.rand(1, EMBEDDING, quarter, quarter),
        torch.rand(1, SKIP, half, half),
        torch.rand(1, clicks, 2) * side,
        torch.ones(1, clicks),
        torch.zeros(1, 5),
        torch.zeros(1, 1, half, half),
    )


def export(model: Starter, folder: Path) -> tuple[Path, Path]:
    """Write starter_encoder.onnx and starter_decoder.onnx; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    encoder, decoder = folder / "starter_encoder.onnx", folder / "starter_decoder.onnx"
    quarter, half = {2: "h4", 3: "w4"}, {2: "h2", 3: "w2"}
    write_graph(
        model.encoder,
        (torch.rand(1, 3, 96, 128),),
        encoder,
        {"image": {2: "h", 3: "w"}},
        {"embedding": quarter, "skip": half},
    )
    write_graph(
        PlainDecoder(model.decoder),
        examples(128, 3),
        decoder,
        {"embedding": quarter, "skip": half, "points": {1: "n"}, "labels": {1: "n"}, "box": {}, "previous": half},
        {"logits": half, "score": {}},
    )
    return encoder, decoder


def write_graph(module: nn.Module, inputs: tuple[Tensor, ...], path: Path, names: dict, results: dict) -> None:
    """Write a module as a graph; ``names`` and ``results`` give the free axes of each input and output."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            inputs,
            str(path),
            opset_version=OPSET,
            dynamo=False,
            input_names=list(names),
            output_names=list(results),
            dynamic_axes={name: axes for name, axes in {**names, **results}.items() if axes},
        )
    graph = onnx.load(str(path))
    halve(graph)
    graph.ir_version = IR_VERSION
    graph.producer_name, graph.producer_version, graph.doc_string = "prompt_segmenter.training", "", ""
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, str(path))


def halve(model: onnx.ModelProto) -> None:
    """Store large float32 weights as float16 with a Cast behind each, in place."""
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < SMALLEST_HALVED:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend(casts + nodes)


def check(model: Starter, encoder: Path, decoder: Path) -> float:
    """Largest difference of the logits between the graphs and the model, at a size that was not exported with."""
    image = torch.rand(1, 3, 160, 224)
    runs = [onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]) for path in (encoder, decoder)]
    embedding, skip = runs[0].run(None, {"image": image.numpy()})
    rest = (np.float32([[[60, 70], [20, 30]]]), np.float32([[1, 0]]), np.float32([[30, 30, 120, 110, 1]]))
    previous = np.zeros((1, 1, 80, 112), np.float32)
    names = ("embedding", "skip", "points", "labels", "box", "previous")
    logits, _ = runs[1].run(None, dict(zip(names, (embedding, skip, *rest, previous))))
    with torch.no_grad():
        prompts = Prompts(*(torch.from_numpy(x) for x in (*rest, previous)))
        wanted = model.decoder(*model.encoder(image), prompts)[0].numpy()
    return float(abs(logits - wanted).max())


def main() -> None:
    """Export as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=Path("training/runs/starter"), help="folder of the checkpoint")
    parser.add_argument("--out", type=Path, default=Path("resources/models"), help="folder of the graphs")
    options = parser.parse_args()
    model = load(options.run)
    paths = export(model, options.out)
    print(", ".join(f"{path} {path.stat().st_size / 1e6:.2f} MB" for path in paths))
    print(f"largest difference of a logit: {check(model, *paths):.4f}")


if __name__ == "__main__":
    main()
