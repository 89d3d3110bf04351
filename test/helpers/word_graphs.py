"""Tiny ONNX graphs of the families that take words, with the official input and output names; all know three words.

The words are "red", "green" and "blue", and what they mean is the channel of that name: a heat map is the channel
itself, a box is drawn around what is bright in it, a mask is what is bright in it. Vocabularies are made here too, so
that every token's id is known.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto
from prompt_segmenter.core.models.families import FAMILIES
from prompt_segmenter.core.models.model import ModelSpec, RuntimeSettings
from prompt_segmenter.test.helpers.onnx_graphs import build, save

FLOAT = TensorProto.FLOAT
MERGES = (
    ("r", "e"),
    ("re", "d</w>"),
    ("g", "re"),
    ("gre", "e"),
    ("gree", "n</w>"),
    ("b", "l"),
    ("bl", "u"),
    ("blu", "e</w>"),
)
FIRST = 512
"""Id of what the first merge makes: before it come the bytes, and the bytes at a word's end."""
RED, GREEN, BLUE = FIRST + 1, FIRST + 4, FIRST + 7
START, END = FIRST + len(MERGES), FIRST + len(MERGES) + 1
LETTERS = "abcdefghijklmnopqrstuvwxyz"
PIECES = (
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    ".",
    "red",
    "green",
    "blue",
    "big",
    "-",
    *"0123456789",
    *LETTERS,
    *(f"##{letter}" for letter in LETTERS),
)
CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def save_merges(folder: Path) -> str:
    """Write a CLIP vocabulary of the three words and return its path."""
    lines = ["#version: 0.2", *(" ".join(pair) for pair in MERGES), ""]
    path = folder / "merges.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


def save_pieces(folder: Path) -> str:
    """Write a BERT vocabulary of the three words and return its path."""
    path = folder / "vocab.txt"
    path.write_text("\n".join(PIECES) + "\n", encoding="utf-8")
    return str(path)


def clipseg() -> onnx.ModelProto:
    """Return a graph whose logits are 20 times what a channel has above the middle."""
    text = """clipseg (float[images, 3, 352, 352] pixel_values, int64[texts, tokens] input_ids,
                      int64[texts, tokens] attention_mask) => (float[texts, 352, 352] logits) {
        word = Gather <axis = 1> (input_ids, one)
        words = Unsqueeze (word, axis_one)
        same = Equal (words, known)
        chosen = Cast <to = 1> (same)
        weights = Unsqueeze (chosen, two_three)
        scaled = Mul (pixel_values, std)
        colours = Add (scaled, mean)
        above = Sub (colours, half)
        picked = Mul (above, weights)
        summed = ReduceSum <keepdims = 0> (picked, axis_one)
        none = ReduceSum <keepdims = 1> (weights, one_to_three)
        nothing = Sub (none, unit)
        flat = Squeeze (nothing, axis_one)
        steep = Mul (summed, twenty)
        low = Mul (flat, ten)
        logits = Add (steep, low)
    }"""
    return build(
        text,
        one=np.array(1, np.int64),
        axis_one=np.array([1], np.int64),
        two_three=np.array([2, 3], np.int64),
        one_to_three=np.array([1, 2, 3], np.int64),
        known=np.array([[RED, GREEN, BLUE]], np.int64),
        std=_planes(IMAGENET_STD),
        mean=_planes(IMAGENET_MEAN),
        half=np.array(0.5, np.float32),
        twenty=np.array(20.0, np.float32),
        ten=np.array(10.0, np.float32),
        unit=np.array(1.0, np.float32),
    )


_BOXES = """
        scaled = Mul (PIXELS, std)
        colours = Add (scaled, mean)
        above = Sub (colours, three_quarters)
        bright = Relu (above)
        mass = ReduceSum <keepdims = 0> (bright, two_three)
        total = Max (mass, tiny)
        along = Mul (bright, grid_x)
        along_sum = ReduceSum <keepdims = 0> (along, two_three)
        middle_x = Div (along_sum, total)
        along_two = Mul (along, grid_x)
        along_two_sum = ReduceSum <keepdims = 0> (along_two, two_three)
        square_x = Div (along_two_sum, total)
        mean_square_x = Mul (middle_x, middle_x)
        spread_x = Sub (square_x, mean_square_x)
        twelve_x = Mul (spread_x, twelve)
        with_cell_x = Add (twelve_x, cell_x)
        width = Sqrt (with_cell_x)
        down = Mul (bright, grid_y)
        down_sum = ReduceSum <keepdims = 0> (down, two_three)
        middle_y = Div (down_sum, total)
        down_two = Mul (down, grid_y)
        down_two_sum = ReduceSum <keepdims = 0> (down_two, two_three)
        square_y = Div (down_two_sum, total)
        mean_square_y = Mul (middle_y, middle_y)
        spread_y = Sub (square_y, mean_square_y)
        twelve_y = Mul (spread_y, twelve)
        with_cell_y = Add (twelve_y, cell_y)
        height = Sqrt (with_cell_y)
        a = Unsqueeze (middle_x, axis_two)
        b = Unsqueeze (middle_y, axis_two)
        c = Unsqueeze (width, axis_two)
        d = Unsqueeze (height, axis_two)
        BOXES = Concat <axis = 2> (a, b, c, d)
"""


def _box_constants(height: int, width: int, mean: tuple[float, ...], std: tuple[float, ...]) -> dict[str, np.ndarray]:
    x = ((np.arange(width) + 0.5) / width).astype(np.float32)
    y = ((np.arange(height) + 0.5) / height).astype(np.float32)
    return {
        "std": _planes(std),
        "mean": _planes(mean),
        "three_quarters": np.array(0.75, np.float32),
        "tiny": np.array(1e-6, np.float32),
        "twelve": np.array(12.0, np.float32),
        "cell_x": np.array(1.0 / width**2, np.float32),
        "cell_y": np.array(1.0 / height**2, np.float32),
        "grid_x": x.reshape(1, 1, 1, width),
        "grid_y": y.reshape(1, 1, height, 1),
        "two_three": np.array([2, 3], np.int64),
        "axis_two": np.array([2], np.int64),
        "eight": np.array(8.0, np.float32),
        "four": np.array(4.0, np.float32),
    }


def owlv2(phrases: str = "texts") -> onnx.ModelProto:
    """Return a graph that gives a box around what is bright in each channel: score logit 4 for its word, else -4."""
    text = f"""owlv2 (int64[{phrases}, 16] input_ids, float[1, 3, 960, 960] pixel_values,
                   int64[{phrases}, 16] attention_mask)
            => (float[1, 3, {phrases}] logits, float[1, 3, 4] pred_boxes, float[1, 3] objectness_logits) {{
        {_BOXES.replace("PIXELS", "pixel_values").replace("BOXES", "pred_boxes")}
        word = Gather <axis = 1> (input_ids, one)
        words = Unsqueeze (word, axis_zero)
        same = Equal (words, known)
        right = Cast <to = 1> (same)
        eights = Mul (right, eight)
        plain = Sub (eights, four)
        logits = Unsqueeze (plain, axis_zero)
        objectness_logits = Identity (mass)
    }}"""
    return build(
        text,
        one=np.array(1, np.int64),
        axis_zero=np.array([0], np.int64),
        known=np.array([[RED], [GREEN], [BLUE]], np.int64),
        **_box_constants(960, 960, CLIP_MEAN, CLIP_STD),
    )


def grounding_dino(export: str = "hf") -> onnx.ModelProto:
    """Return a graph that gives a box around what is bright in each channel, and scores each token of the caption.

    A token's logit is 4 where it is the channel's word and -4 elsewhere; 100 less for each full stop but the first, and
    minus infinity beyond the caption. ``export`` is "hf" or "original", which has other names and a fixed oblong size.
    """
    if export == "hf":
        inputs = (
            "float[1, 3, 800, 800] pixel_values, int64[1, tokens] input_ids, int64[1, tokens] token_type_ids, "
            "int64[1, tokens] attention_mask, int64[1, 800, 800] pixel_mask"
        )
        pixels, boxes, size, checked = "pixel_values", "pred_boxes", (800, 800), ""
    else:
        inputs = (
            "float[1, 3, 800, 1200] img, int64[1, tokens] input_ids, bool[1, tokens] attention_mask, "
            "int64[1, tokens] position_ids, int64[1, tokens] token_type_ids, bool[1, tokens, tokens] text_token_mask"
        )
        pixels, boxes, size = "img", "boxes", (800, 1200)
        # a phrase of n tokens has positions 0 to n, and words that see each other: otherwise nothing scores
        checked = f"""
        seen = Cast <to = {FLOAT}> (text_token_mask)
        pairs = ReduceSum <keepdims = 0> (seen)
        last_place = ReduceMax <keepdims = 0> (position_ids)
        place = Cast <to = {FLOAT}> (last_place)
        side = Add (place, unit)
        squared = Mul (side, side)
        expected = Add (squared, two_more)
        wrong = Sub (pairs, expected)
        wrong_size = Abs (wrong)
        penalty = Mul (wrong_size, hundred)
        """
    text = f"""dino ({inputs}) => (float[1, 3, 256] logits, float[1, 3, 4] {boxes}) {{
        {_BOXES.replace("PIXELS", pixels).replace("BOXES", boxes)}
        {checked}
        rows = Unsqueeze (input_ids, axis_one)
        same = Equal (rows, known)
        right = Cast <to = {FLOAT}> (same)
        eights = Mul (right, eight)
        plain = Sub (eights, four)
        stop = Equal (input_ids, full_stop)
        stop_number = Cast <to = {FLOAT}> (stop)
        stops = ReduceSum <keepdims = 0> (stop_number)
        too_many = Sub (stops, unit)
        less = Mul (too_many, hundred)
        first = Sub (plain, less)
        scored = Sub (first, {"penalty" if checked else "zero"})
        shape = Shape (input_ids)
        length = Gather (shape, axis_one)
        lacking = Sub (all_tokens, length)
        pads = Concat <axis = 0> (five_zeros, lacking)
        logits = Pad (scored, pads, minus_infinity)
    }}"""
    return build(
        text,
        axis_one=np.array([1], np.int64),
        known=np.array([[[5], [6], [7]]], np.int64),
        full_stop=np.array(4, np.int64),
        unit=np.array(1.0, np.float32),
        zero=np.array(0.0, np.float32),
        two_more=np.array(2.0, np.float32),
        hundred=np.array(100.0, np.float32),
        all_tokens=np.array([256], np.int64),
        five_zeros=np.zeros(5, np.int64),
        minus_infinity=np.array(-np.inf, np.float32),
        **_box_constants(*size, IMAGENET_MEAN, IMAGENET_STD),
    )


def save_graph(folder: Path, name: str, model: onnx.ModelProto) -> str:
    """Write a graph and return its path."""
    return str(save(model, folder / name))


def save_family(folder: Path, family: str) -> tuple[str, ...]:
    """Write the files of a family's usual flavour and return their paths."""
    if family == "sam3":
        from prompt_segmenter.test.helpers.sam3_graphs import save_sam3

        return save_sam3(folder)
    if family == "grounding_dino":
        return save_graph(folder, "dino.onnx", grounding_dino()), save_pieces(folder)
    graph = {"clipseg": clipseg, "owlv2": owlv2}[family]()
    return save_graph(folder, f"{family}.onnx", graph), save_merges(folder)


def load(family: str, paths: tuple[str, ...]):
    """Return the model of a family whose files lie at some paths."""
    spec = ModelSpec(family, family, family, frozenset({"words"}), (), 352, "CC0-1.0", "https://example.org")
    return FAMILIES.get(family).load(spec, paths, RuntimeSettings(threads=1, provider="cpu"))


def picture(height: int, width: int, **areas: tuple[int, int, int, int]) -> np.ndarray:
    """Return a black image with areas (top, left, bottom, right) painted in the colour of their name."""
    image = np.zeros((height, width, 3), np.uint8)
    for name, (top, left, bottom, right) in areas.items():
        image[top:bottom, left:right, ("red", "green", "blue").index(name)] = 255
    return image


def _planes(values: tuple[float, ...]) -> np.ndarray:
    return np.array(values, np.float32).reshape(1, 3, 1, 1)
