"""Tiny ONNX graphs of SAM 3's contract, in the variations that its exports have; they know the words of word_graphs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from prompt_segmenter.test.helpers.onnx_graphs import build
from prompt_segmenter.test.helpers.word_graphs import BLUE, GREEN, RED, save_graph, save_merges


def sam3_image(kind: str = "uint8") -> onnx.ModelProto:
    """Return an image encoder whose features are the colours, 0 to 1, on grids of 288, 144 and 72 cells.

    ``kind`` says what it takes, "uint8" or "float" (normalised, in a batch); "half" is "float" and gives float16.
    """
    half, kind = kind == "half", "float" if kind == "half" else kind
    declared, first = {
        "uint8": ("uint8[3, 1008, 1008] image", "numbers = Cast <to = 1> (image)\nplain = Div (numbers, levels)"),
        "float": ("float[1, 3, 1008, 1008] image", "half = Mul (image, one_half)\nplain = Add (half, one_half)"),
    }[kind]
    batched = "Unsqueeze (plain, axis_zero)" if kind == "uint8" else "Identity (plain)"
    grids = "\n".join(
        f'fine_{level} = Resize <mode = "linear"> (whole, , , size_{level})\n'
        f"backbone_fpn_{level} = Cast <to = {10 if half else 1}> (fine_{level})\n"
        f"place_{level} = Mul (fine_{level}, nothing)\n"
        f"vision_pos_enc_{level} = Cast <to = {10 if half else 1}> (place_{level})"
        for level in range(3)
    )
    outputs = ", ".join(
        f"{'float16' if half else 'float'}[1, 3, {side}, {side}] {name}_{level}"
        for name in ("vision_pos_enc", "backbone_fpn")
        for level, side in enumerate((288, 144, 72))
    )
    return build(
        f"encoder ({declared}) => ({outputs}) {{\n{first}\nwhole = {batched}\n{grids}\n}}",
        levels=np.array(255.0, np.float32),
        one_half=np.array(0.5, np.float32),
        nothing=np.array(0.0, np.float32),
        axis_zero=np.array([0], np.int64),
        **{f"size_{level}": np.array([1, 3, side, side], np.int64) for level, side in enumerate((288, 144, 72))},
    )


def sam3_language(length: int = 32, mask: str = "text_attention_mask") -> onnx.ModelProto:
    """Return a language encoder whose memory is the tokens themselves."""
    memory, embeds = (
        ("text_memory", "text_embeds") if mask == "text_attention_mask" else ("language_features", "language_embeds")
    )
    return build(
        f"""language (int64[1, {length}] tokens)
            => (bool[1, {length}] {mask}, float[{length}, 1, 1] {memory}, float[{length}, 1, 1] {embeds}) {{
        {mask} = Equal (tokens, zero)
        numbers = Cast <to = 1> (tokens)
        {memory} = Reshape (numbers, column)
        {embeds} = Identity ({memory})
    }}""",
        zero=np.array(0, np.int64),
        column=np.array([length, 1, 1], np.int64),
    )


def sam3_decoder(kind: str = "native", *, slots: int | None = 1) -> onnx.ModelProto:
    """Return a decoder that finds what is bright in the word's channel, or in that of an example's middle.

    It gives two objects: this one, with score 0.9, and the whole image, with score 0.01. ``kind`` is "native" (masks on
    the grid of 288 cells), "sized" (bool masks of the image's size) or "raw" (logits of queries and of presence, whose
    product is 0.9 and 0.01).
    """
    count = "slots" if slots is None else str(slots)
    mask, features = (
        ("language_padding", "language_features") if kind == "raw" else ("language_mask", "language_features")
    )
    length = 16 if kind == "raw" else 32
    inputs = [
        "float[1, 3, 72, 72] vision_pos_enc_2",
        "float[1, 3, 288, 288] backbone_fpn_0",
        "float[1, 3, 144, 144] backbone_fpn_1",
        "float[1, 3, 72, 72] backbone_fpn_2",
        f"bool[1, {length}] {mask}",
        f"float[{length}, 1, 1] {features}",
        f"float[1, {count}, 4] box_coords",
        f"int64[1, {count}] box_labels",
        f"bool[1, {count}] box_masks",
    ]
    if kind == "sized":
        inputs = ["int64 original_height", "int64 original_width", *inputs]
    body = f"""
        word = Gather <axis = 0> ({features}, one)
        word_row = Reshape (word, one_one)
        same = Equal (word_row, known)
        by_word = Cast <to = 1> (same)
        free = Cast <to = 1> (box_masks)
        given = Sub (unit, free)
        label = Cast <to = 1> (box_labels)
        doubled = Mul (label, two)
        sign = Sub (doubled, unit)
        weight = Mul (given, sign)
        cx, cy, bw, bh = Split <axis = 2, num_outputs = 4> (box_coords)
        half_w = Mul (bw, one_half)
        half_h = Mul (bh, one_half)
        from_x = Sub (grid_x, cx)
        from_y = Sub (grid_y, cy)
        off_x = Abs (from_x)
        off_y = Abs (from_y)
        in_x = Less (off_x, half_w)
        in_y = Less (off_y, half_h)
        fx = Cast <to = 1> (in_x)
        fy = Cast <to = 1> (in_y)
        fx_row = Unsqueeze (fx, axis_two)
        fy_col = Unsqueeze (fy, axis_three)
        inside = Mul (fx_row, fy_col)
        planes = Unsqueeze (inside, axis_two)
        colours = Unsqueeze (backbone_fpn_0, axis_one)
        cut = Mul (planes, colours)
        cut_sum = ReduceSum <keepdims = 0> (cut, three_four)
        cells = ReduceSum <keepdims = 0> (planes, three_four)
        some_cells = Max (cells, tiny)
        looks = Div (cut_sum, some_cells)
        weight_col = Unsqueeze (weight, axis_two)
        weighted = Mul (looks, weight_col)
        votes = ReduceSum <keepdims = 0> (weighted, axis_one)
        liked = Greater (votes, one_half)
        by_box = Cast <to = 1> (liked)
        either = Max (by_word, by_box)
        chosen = Unsqueeze (either, two_three)
        picked = Mul (backbone_fpn_0, chosen)
        object = ReduceMax <axes = [1], keepdims = 1> (picked)
        everything = Add (object, two)
        both = Concat <axis = 0> (object, everything)
    """
    opset = dict(
        one=np.array([1], np.int64),
        one_one=np.array([1, 1], np.int64),
        known=np.array([[RED, GREEN, BLUE]], np.float32),
        unit=np.array(1.0, np.float32),
        two=np.array(2.0, np.float32),
        one_half=np.array(0.5, np.float32),
        tiny=np.array(1e-6, np.float32),
        axis_one=np.array([1], np.int64),
        axis_two=np.array([2], np.int64),
        axis_three=np.array([3], np.int64),
        two_three=np.array([2, 3], np.int64),
        three_four=np.array([3, 4], np.int64),
        grid_x=((np.arange(288) + 0.5) / 288).astype(np.float32).reshape(1, 1, 288),
        grid_y=((np.arange(288) + 0.5) / 288).astype(np.float32).reshape(1, 1, 288),
    )
    if kind == "raw":
        body += """
        flat = Reshape (both, one_two)
        centred = Sub (flat, one_half)
        pred_masks = Mul (centred, ten)
        pred_logits = Identity (two_logits)
        presence_logit = Identity (sure)
        pred_boxes = Identity (two_boxes)
        """
        outputs = (
            "float[1, 2, 1] pred_logits, float[1, 2, 4] pred_boxes, float[1, 2, 288, 288] pred_masks, "
            "float[1, 1] presence_logit"
        )
        opset.update(
            ten=np.array(10.0, np.float32),
            one_two=np.array([1, 2, 288, 288], np.int64),
            two_logits=np.array([[[3.0], [-4.5]]], np.float32),
            two_boxes=np.zeros((1, 2, 4), np.float32),
            sure=np.array([[2.840]], np.float32),
        )
    elif kind == "sized":
        body += """
        size = Concat <axis = 0> (height_row, width_row)
        whole = Concat <axis = 0> (two_one, size)
        grown = Resize <mode = "linear"> (both, , , whole)
        masks = Greater (grown, one_half)
        scores = Identity (two_scores)
        boxes = Identity (two_boxes)
        """.replace(
            "size = Concat",
            "height_row = Unsqueeze (original_height, axis_zero)\n"
            "width_row = Unsqueeze (original_width, axis_zero)\nsize = Concat",
        )
        outputs = "float[2, 4] boxes, float[2] scores, bool[2, 1, rows, cols] masks"
        opset.update(
            two_one=np.array([2, 1], np.int64),
            axis_zero=np.array([0], np.int64),
            two_boxes=np.zeros((2, 4), np.float32),
            two_scores=np.array([0.9, 0.01], np.float32),
        )
    else:
        body += """
        masks = Identity (both)
        scores = Identity (two_scores)
        boxes = Identity (two_boxes)
        """
        outputs = "float[objects, 4] boxes, float[objects] scores, float[objects, 1, 288, 288] masks"
        opset.update(two_boxes=np.zeros((2, 4), np.float32), two_scores=np.array([0.9, 0.01], np.float32))
    return build(f"decoder ({', '.join(inputs)}) => ({outputs}) {{ {body} }}".replace(", num_outputs = 4", ""), **opset)


def save_sam3(folder: Path, kind: str = "native", *, image: str = "uint8", slots: int | None = 1) -> tuple[str, ...]:
    """Write the three graphs and the vocabulary and return their paths, in an order that says nothing."""
    language = sam3_language(16, "language_padding") if kind == "raw" else sam3_language()
    return (
        save_merges(folder),
        save_graph(folder, "decoder.onnx", sam3_decoder(kind, slots=slots)),
        save_graph(folder, "language.onnx", language),
        save_graph(folder, "image.onnx", sam3_image(image)),
    )
