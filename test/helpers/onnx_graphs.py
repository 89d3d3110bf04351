"""Tiny ONNX graphs with the official input and output names, a few kB each, whose answers are known on paper.

Encoders average the (normalised) image over 16 x 16 blocks of the 1024 frame into channels 0 to 2 of the embedding.
Decoders draw, in the 1024 frame, a disc around each include click, cut a disc out around each exclude click, and take a
box for what it is. Tokens 0 to 3 draw discs of radius 40, 20, 40 and 80; their scores are 0.7, 0.8, 0.9 and 0.6.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HEADER = '<ir_version: 8, opset_import: ["" : 17]>\n'
RADII = (40.0, 20.0, 40.0, 80.0)
SCORES = (0.7, 0.8, 0.9, 0.6)
MEAN = np.array([123.675, 116.28, 103.53], np.float32)
STD = np.array([58.395, 57.12, 57.375], np.float32)
MASK_WEIGHT = 0.25


def build(text: str, **constants: np.ndarray) -> onnx.ModelProto:
    """Return a checked model from its text and its constants."""
    model = onnx.parser.parse_model(HEADER + text)
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    onnx.checker.check_model(model)
    return model


_ENCODERS = {
    "B": ("float[height, width, 3] input_image", "image_embeddings"),
    "C": ("float[1, 3, 1024, 1024] input_image", "image_embeddings"),
    "D": ("float[1, 3, 1024, 1024] images", "embeddings"),
    "E": ("float[1, 3, 1024, 1024] x", "y"),
    "G": ("float[1, 3, 1024, 1024] image", "image_embeddings"),
    "G uint8": ("uint8[1, 3, height, width] image", "image_embeddings"),
    "H": ("float[batch, 3, 512, 512] input_image", "image_embeddings"),
    "I": ("float[1, 3, 512, 512] image", "image_embeddings"),
}


def encoder(flavour: str) -> onnx.ModelProto:
    """Return an image encoder of the given export flavour."""
    declared, output = _ENCODERS[flavour]
    name = declared.split()[-1]
    block = 8 if "512" in declared else 16
    weights = np.zeros((256, 3, 1, 1), np.float32)
    weights[[0, 1, 2], [0, 1, 2]] = 1.0
    lines = []
    if flavour in ("B", "G uint8"):
        if flavour == "B":
            lines.append(f"planes = Transpose <perm = [2, 0, 1]> ({name})")
            lines.append("chw = Identity (planes)")
        else:
            lines.append(f"floats = Cast <to = {TensorProto.FLOAT}> ({name})")
            lines.append("chw = Squeeze (floats, first)")
        lines += [
            "shifted = Sub (chw, mean)",
            "normal = Div (shifted, std)",
            "size = Shape (normal)",
            "lacking = Sub (frame, size)",
            "pads = Concat <axis = 0> (nothing, lacking)",
            "padded = Pad (normal, pads)",
            "whole = Unsqueeze (padded, first)",
        ]
    else:
        lines.append(f"whole = Identity ({name})")
    lines.append(f"pooled = AveragePool <kernel_shape = [{block}, {block}], strides = [{block}, {block}]> (whole)")
    lines.append(f"{output} = Conv (pooled, weights)")
    batch = "batch" if flavour == "H" else "1"
    return build(
        f"encoder ({declared}) => (float[{batch}, 256, 64, 64] {output}) {{ {'; '.join(lines)} }}".replace("; ", "\n"),
        weights=weights,
        mean=MEAN.reshape(3, 1, 1),
        std=STD.reshape(3, 1, 1),
        frame=np.array([3, 1024, 1024], np.int64),
        nothing=np.zeros(3, np.int64),
        first=np.zeros(1, np.int64),
    )


def decoder(flavour: str, tokens: int = 4) -> onnx.ModelProto:
    """Return a mask decoder of flavour A, G, H or I, with 4 masks or the single one (token 0)."""
    batch = "batch" if flavour == "H" else "1"
    inputs = [
        "float[1, 256, 64, 64] image_embeddings",
        f"float[{batch}, count, 2] point_coords",
        f"float[{batch}, count] point_labels",
    ]
    if flavour in "AI":
        inputs += ["float[1, 1, 256, 256] mask_input", "float[1] has_mask_input"]
    if flavour == "A":
        inputs.append("float[2] orig_im_size")
    low, scores = {
        "A": ("low_res_masks", "iou_predictions"),
        "G": ("masks", "scores"),
        "H": ("masks", "iou_predictions"),
        "I": ("low_res_masks", "iou_predictions"),
    }[flavour]
    low_out = f"float[{batch}, {tokens}, 256, 256] {low}"
    scores_out = f"float[{batch}, {tokens}] {scores}"
    outputs = {
        "A": [f"float[1, {tokens}, rows, cols] masks", scores_out, low_out],
        "G": [scores_out, low_out],
        "H": [low_out, scores_out],
        "I": [scores_out, low_out],
    }[flavour]
    lines = _drawing(low, scores, with_mask=flavour in "AI")
    if flavour == "A":
        lines += [
            f"size = Cast <to = {TensorProto.INT64}> (orig_im_size)",
            "sizes = Concat <axis = 0> (leading, size)",
            f'masks = Resize <mode = "linear"> ({low}, , , sizes)',
        ]
    body = "\n".join(lines)
    return build(
        f"decoder ({', '.join(inputs)}) => ({', '.join(outputs)}) {{ {body} }}",
        leading=np.array([1, tokens], np.int64),
        **_drawing_constants(tokens),
    )


def _drawing(low: str, scores: str, *, with_mask: bool) -> list[str]:
    lines = [
        "centred = Add (point_coords, half)",
        "px, py = Split <axis = 2> (centred)",
        "pxs = Unsqueeze (px, three)",
        "pys = Unsqueeze (py, three)",
        "labels = Unsqueeze (point_labels, two_three)",
        "dx = Sub (grid_x, pxs)",
        "dy = Sub (grid_y, pys)",
        # discs: 20 * (sum of signed bells - bell at the radius), one for each token
        "dx2 = Mul (dx, dx)",
        "dy2 = Mul (dy, dy)",
        "d2 = Add (dx2, dy2)",
        "d2s = Unsqueeze (d2, two)",
        "exponent = Div (d2s, minus_two_r2)",
        "bells = Exp (exponent)",
        "is_in = Equal (labels, one)",
        "is_out = Equal (labels, zero)",
        f"in_f = Cast <to = {TensorProto.FLOAT}> (is_in)",
        f"out_f = Cast <to = {TensorProto.FLOAT}> (is_out)",
        "sign = Sub (in_f, out_f)",
        "signs = Unsqueeze (sign, two)",
        "signed = Mul (bells, signs)",
        "clicks = ReduceSum <keepdims = 0> (signed, axis_one)",
        "above = Sub (clicks, edge)",
        "discs = Mul (above, twenty)",
        # box: distance to the nearest side, positive inside, at most 20
        "from_corner = Min (dx, dy)",
        "minus_dx = Neg (dx)",
        "minus_dy = Neg (dy)",
        "to_corner = Min (minus_dx, minus_dy)",
        "is_start = Equal (labels, label_two)",
        "is_end = Equal (labels, label_three)",
        "ends = Where (is_end, to_corner, far)",
        "sides = Where (is_start, from_corner, ends)",
        "inside = ReduceMin <axes = [1], keepdims = 1> (sides)",
        "clipped = Clip (inside, minus_twenty, twenty)",
        "cut = Min (clicks, zero)",
        "cut_out = Mul (cut, forty)",
        "boxed = Add (clipped, cut_out)",
        "largest = ReduceMax <keepdims = 0> (point_labels)",
        "has_box = Greater (largest, one)",
        "drawn = Where (has_box, boxed, discs)",
    ]
    if with_mask:
        lines += [
            "weight = Mul (has_mask_input, mask_weight)",
            "hint = Mul (mask_input, weight)",
            f"{low} = Add (drawn, hint)",
        ]
    else:
        lines.append(f"{low} = Identity (drawn)")
    lines += [
        "mean_embedding = ReduceMean <keepdims = 0> (image_embeddings)",
        "nudge = Mul (mean_embedding, tiny)",
        f"{scores} = Add (token_scores, nudge)",
    ]
    return lines


def _drawing_constants(tokens: int) -> dict[str, np.ndarray]:
    radii = np.array(RADII[:tokens], np.float32)
    centres = (np.arange(256, dtype=np.float32) + 0.5) * 4.0

    def scalar(value: float) -> np.ndarray:
        return np.array(value, np.float32)

    return {
        "half": scalar(0.5),
        "three": np.array([3], np.int64),
        "two_three": np.array([2, 3], np.int64),
        "two": np.array([2], np.int64),
        "axis_one": np.array([1], np.int64),
        "grid_x": centres.reshape(1, 1, 1, 256),
        "grid_y": centres.reshape(1, 1, 256, 1),
        "minus_two_r2": (-2.0 * radii**2).reshape(1, 1, tokens, 1, 1),
        "edge": scalar(np.exp(-0.5)),
        "zero": scalar(0.0),
        "one": scalar(1.0),
        "label_two": scalar(2.0),
        "label_three": scalar(3.0),
        "far": scalar(1e6),
        "twenty": scalar(20.0),
        "minus_twenty": scalar(-20.0),
        "forty": scalar(40.0),
        "mask_weight": scalar(MASK_WEIGHT),
        "tiny": scalar(1e-3),
        "token_scores": np.array([SCORES[:tokens]], np.float32),
    }


def endless() -> onnx.ModelProto:
    """Return a graph that adds 1 to x as many times as ``rounds`` says: a run that only a cancellation ends."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_on"], ["still"]),
            helper.make_node("Add", ["total", "step"], ["more"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("round", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("total", TensorProto.FLOAT, [2]),
        ],
        [
            helper.make_tensor_value_info("still", TensorProto.BOOL, []),
            helper.make_tensor_value_info("more", TensorProto.FLOAT, [2]),
        ],
    )
    graph = helper.make_graph(
        [helper.make_node("Loop", ["rounds", "always", "x"], ["y"], body=body)],
        "endless",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [2]),
            helper.make_tensor_value_info("rounds", TensorProto.INT64, []),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])],
        [
            numpy_helper.from_array(np.array(True), "always"),
            numpy_helper.from_array(np.ones(2, np.float32), "step"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def save(model: onnx.ModelProto, path: Path) -> Path:
    """Write a model and return its path."""
    path.write_bytes(model.SerializeToString())
    return path


def save_pair(folder: Path, encoder_flavour: str = "D", decoder_flavour: str = "A", tokens: int = 4) -> tuple[str, str]:
    """Write an encoder and a decoder and return their paths, in the order that the family takes them."""
    return (
        str(save(encoder(encoder_flavour), folder / "encoder.onnx")),
        str(save(decoder(decoder_flavour, tokens), folder / "decoder.onnx")),
    )
