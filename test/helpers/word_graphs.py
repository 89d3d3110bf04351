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


def save_graph(folder: Path, name: str, model: onnx.ModelProto) -> str:
    """Write a graph and return its path."""
    return str(save(model, folder / name))


def save_sam3(folder: Path, kind: str = "native", *, image: str = "uint8", slots: int | None = 1) -> tuple[str, ...]:
    """Write the three graphs and the vocabulary and return their paths, in an order that says nothing."""
    language = sam3_language(16, "language_padding") if kind == "raw" else sam3_language()
    return (
        save_merges(folder),
        save_graph(folder, "decoder.onnx", sam3_decoder(kind, slots=slots)),
        save_graph(folder, "language.onnx", language),
        save_graph(folder, "image.onnx", sam3_image(image)),
    )


def save_family(folder: Path, family: str) -> tuple[str, ...]:
    """Write the files of a family's usual flavour and return their paths."""
    if family == "sam3":
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
