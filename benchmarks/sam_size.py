"""Graphs of MobileSAM's size that draw discs: random weights would give noise, whose outlines cost too much.

The decoder does the arithmetic of SAM's (two two-way attention blocks over 4096 places, two upscalings, hypernetworks)
with random weights, and adds next to nothing of it to the discs of the tests' graph. The encoder does about as much as
TinyViT-5M at 1024 pixels in plain convolutions.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper
from prompt_segmenter.test.helpers import onnx_graphs

SEED = 20261121
_ENCODER_CHANNELS, _ENCODER_LAYERS = 160, 15


class _Load:
    """Nodes that are put behind a graph's input."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._random = np.random.default_rng(SEED)

    def weight(self, *shape: int) -> str:
        name = f"load_w{len(self.weights)}"
        values = self._random.normal(0.0, 1.0 / np.sqrt(np.prod(shape[1:]) or 1), shape).astype(np.float32)
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def constant(self, values: object, dtype: type) -> str:
        name = f"load_w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def __call__(self, kind: str, *inputs: str, **attributes: object) -> str:
        name = f"load_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name


def decoder() -> onnx.ModelProto:
    """Return a mask decoder with the official contract and about the cost of SAM's."""
    model = onnx_graphs.decoder("A")
    load = _Load()
    places = load("Reshape", "image_embeddings", load.constant([1, 256, 4096], np.int64))
    places = load("Transpose", places, perm=[0, 2, 1])  # (1, 4096, 256)
    tokens = load.weight(1, 7, 256)
    for _ in range(2):
        tokens = _attend(load, tokens, places)
        tokens = load("MatMul", load("Relu", load("MatMul", tokens, load.weight(256, 2048))), load.weight(2048, 256))
        places = _norm(load, load("Add", places, _attend(load, places, tokens)))
    tokens = _attend(load, tokens, places)
    picture = load("Reshape", load("Transpose", places, perm=[0, 2, 1]), load.constant([1, 256, 64, 64], np.int64))
    for before, after in ((256, 64), (64, 32)):
        picture = load("ConvTranspose", picture, load.weight(before, after, 2, 2), strides=[2, 2])
        picture = load("Mul", picture, load("Sigmoid", picture))
    planes = load("Reshape", picture, load.constant([1, 32, 65536], np.int64))
    hyper = load("MatMul", load("Slice", tokens, *_slice(load, 4)), load.weight(256, 32))
    masks = load("Reshape", load("MatMul", hyper, planes), load.constant([1, 4, 256, 256], np.int64))
    return _behind(model, load, "low_res_masks", load("Mul", masks, load.constant(1e-9, np.float32)))


def encoder() -> onnx.ModelProto:
    """Return an image encoder of flavour D (normalised 1024 x 1024 pixels) and about the cost of MobileSAM's."""
    model = onnx_graphs.encoder("D")
    load, channels = _Load(), _ENCODER_CHANNELS
    features = load("Conv", "images", load.weight(channels, 3, 8, 8), strides=[8, 8])  # (1, C, 128, 128)
    for _ in range(_ENCODER_LAYERS):
        features = load("Relu", load("Conv", features, load.weight(channels, channels, 3, 3), pads=[1, 1, 1, 1]))
    features = load("Conv", features, load.weight(256, channels, 2, 2), strides=[2, 2])
    return _behind(model, load, "embeddings", load("Mul", features, load.constant(1e-9, np.float32)))


def save_pair(folder: Path) -> tuple[str, str]:
    """Write both and return their paths, the encoder first."""
    return (
        str(onnx_graphs.save(encoder(), folder / "encoder.onnx")),
        str(onnx_graphs.save(decoder(), folder / "decoder.onnx")),
    )


def _attend(load: _Load, queries: str, keys: str) -> str:
    """Return attention in 8 heads of 16 (SAM halves the channels), from some tokens (1, N, 256) to others."""
    heads = load.constant([1, -1, 8, 16], np.int64)
    query, key, value = (load("MatMul", tokens, load.weight(256, 128)) for tokens in (queries, keys, keys))
    query = load("Transpose", load("Reshape", query, heads), perm=[0, 2, 1, 3])
    key = load("Transpose", load("Reshape", key, heads), perm=[0, 2, 3, 1])
    value = load("Transpose", load("Reshape", value, heads), perm=[0, 2, 1, 3])
    seen = load("MatMul", load("Softmax", load("MatMul", query, key), axis=-1), value)
    joined = load("Reshape", load("Transpose", seen, perm=[0, 2, 1, 3]), load.constant([1, -1, 128], np.int64))
    return load("MatMul", joined, load.weight(128, 256))


def _norm(load: _Load, tokens: str) -> str:
    ones = load.constant(np.ones(256), np.float32)
    return load("LayerNormalization", tokens, ones, axis=-1)


def _slice(load: _Load, count: int) -> tuple[str, str, str]:
    return tuple(load.constant([value], np.int64) for value in (0, count, 1))


def _behind(model: onnx.ModelProto, load: _Load, output: str, extra: str) -> onnx.ModelProto:
    """Return the model with ``extra`` added to what gives its output."""
    graph = model.graph
    own = [node for node in graph.node if output in node.output]
    for node in own:
        node.output[list(node.output).index(output)] = f"{output}_drawn"
    for node in graph.node:
        for index, name in enumerate(node.input):
            if name == output:
                node.input[index] = f"{output}_drawn"
    graph.node.extend([*load.nodes, helper.make_node("Add", [f"{output}_drawn", extra], [output])])
    graph.initializer.extend(load.weights)
    ordered = _sorted_nodes(graph)
    del graph.node[:]
    graph.node.extend(ordered)
    onnx.checker.check_model(model)
    return model


def _sorted_nodes(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Return the nodes in an order in which each comes after what it needs."""
    known = {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer} | {""}
    waiting, ordered = list(graph.node), []
    while waiting:
        ready = [node for node in waiting if all(name in known for name in node.input)]
        for node in ready:
            known.update(node.output)
            waiting.remove(node)
        ordered += ready
    return ordered
