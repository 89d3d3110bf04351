"""Which public export of a SAM-like model two graphs are, told from the names, ranks and types they declare.

All of them compute the same thing; they differ in who normalises and pads the image, and in what they call their
inputs and outputs:

- A: decoder of the official export script, which brings the masks to the image by itself
- B: encoder that takes [H, W, 3] and normalises and pads by itself (Acly, samexporter, AnyLabeling)
- C, D, E: encoders that take [1, 3, 1024, 1024] normalised and padded (samexporter, SamGIS, labelme)
- G: encoder and decoder of EdgeSAM, no mask prompt, scores that can't be trusted; also repackaged for 8-bit images
- H: encoder and decoder of EfficientViT-SAM: image at 512, prompts and masks in the frame of 1024 all the same
- I: encoder and decoder of NanoSAM and its successors, some of which take pixels that are not normalised
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from ..errors import ModelFileError
from .onnx_session import TensorInfo

RAW_PIXELS = "nonorm"
"""Trait of a model whose float encoder takes 0 to 255 as it is: the graph doesn't show it."""
_EMBEDDING_RANK = 4
_ENCODER_NAMES = {"input_image": "C", "images": "D", "x": "E", "image": "G"}
_FLOATS = frozenset({"float32", "float16"})
_PROMPTS = frozenset({"image_embeddings", "point_coords", "point_labels"})
_MASK_PROMPT = frozenset({"mask_input", "has_mask_input"})
_HINT = "Give the encoder's file first and the decoder's second, both of a SAM-like model that is exported for clicks."


class Layout(Enum):
    """The order of an image's axes."""

    ROWS_COLS_BANDS = "[H, W, 3]"
    BATCH_BANDS_ROWS_COLS = "[1, 3, H, W]"


class ScoreKind(Enum):
    """What the score of a mask is."""

    PREDICTED_IOU = "predicted IoU"
    STABILITY = "stability"
    """The IoU head was never trained: how little the mask changes with the threshold stands in for it."""


@dataclass(frozen=True)
class EncoderSpec:
    """How an image encoder is fed."""

    flavour: str
    """Letter of the export."""
    input: str
    """Name of its image."""
    output: str
    """Name of its embedding."""
    layout: Layout
    """Axes of its image."""
    dtype: str
    """numpy name of its image's type."""
    size_px: int
    """Length that the longest side of the image is brought to."""
    normalised: bool
    """True if it takes (x - mean) / std; False for raw 0 to 255, where the graph normalises by itself or never does."""
    padded: bool
    """True if the image is padded to a square before it is given."""


@dataclass(frozen=True)
class DecoderSpec:
    """How a mask decoder is fed and read."""

    flavour: str
    """Letter of the export."""
    dtypes: tuple[tuple[str, str], ...]
    """(name, numpy type) of each input."""
    takes_mask: bool
    """True if the logits of the round before can be given."""
    takes_size: bool
    """True if it wants the image's size, to bring the masks to it."""
    logits: str
    """Name of the output with the low-resolution logits."""
    scores: str
    """Name of the output with a score for each mask."""
    score_kind: ScoreKind
    """What the score is worth."""


def detect_encoder(
    inputs: Sequence[TensorInfo], outputs: Sequence[TensorInfo], *, size_px: int, traits: frozenset[str] = frozenset()
) -> EncoderSpec:
    """Return how the encoder is fed.

    Parameters
    ----------
    inputs, outputs : sequence of TensorInfo
        What the graph declares.
    size_px : int
        Length of the longest side, where the graph leaves it open.
    traits : frozenset of str
        What the catalogue knows and the graph doesn't show: "nonorm".

    Raises
    ------
    ModelFileError
        If it is no encoder that is known; the message says what was found.
    """
    if len(inputs) != 1 or len(outputs) != 1 or outputs[0].rank != _EMBEDDING_RANK:
        raise _unknown("encoder", inputs, outputs)
    image, output = inputs[0], outputs[0].name
    if image.name == "input_image" and image.rank == 3 and image.shape == (None, None, 3) and image.dtype == "float32":
        return EncoderSpec("B", image.name, output, Layout.ROWS_COLS_BANDS, image.dtype, size_px, False, False)
    if image.rank != 4 or image.name not in _ENCODER_NAMES or image.shape[1] not in (3, None):
        raise _unknown("encoder", inputs, outputs)
    height, width = image.shape[2:]
    if height != width or image.shape[0] not in (1, None):
        raise _unknown("encoder", inputs, outputs)
    layout, fixed = Layout.BATCH_BANDS_ROWS_COLS, height is not None
    if image.dtype == "uint8":
        return EncoderSpec("G", image.name, output, layout, image.dtype, height or size_px, False, fixed)
    if image.dtype not in _FLOATS:
        raise _unknown("encoder", inputs, outputs)
    flavour = _ENCODER_NAMES[image.name]
    if height == 512:
        flavour = {"C": "H", "G": "I"}.get(flavour, flavour)
    raw = RAW_PIXELS in traits
    return EncoderSpec(flavour, image.name, output, layout, image.dtype, height or size_px, not raw, True)


def detect_decoder(inputs: Sequence[TensorInfo], outputs: Sequence[TensorInfo]) -> DecoderSpec:
    """Return how the decoder is fed and read.

    Raises
    ------
    ModelFileError
        If it is no decoder that is known; the message says what was found.
    """
    names = frozenset(tensor.name for tensor in inputs)
    given = frozenset(tensor.name for tensor in outputs)
    dtypes = tuple((tensor.name, tensor.dtype) for tensor in inputs)
    if any(dtype not in _FLOATS for _, dtype in dtypes):
        raise _unknown("decoder", inputs, outputs)
    if names == _PROMPTS | _MASK_PROMPT | {"orig_im_size"} and given == {"masks", "iou_predictions", "low_res_masks"}:
        flavour, logits, scores = "A", "low_res_masks", "iou_predictions"
    elif names == _PROMPTS | _MASK_PROMPT and given == {"iou_predictions", "low_res_masks"}:
        flavour, logits, scores = "I", "low_res_masks", "iou_predictions"
    elif names == _PROMPTS and given == {"scores", "masks"}:
        flavour, logits, scores = "G", "masks", "scores"
    elif names == _PROMPTS and given == {"masks", "iou_predictions"}:
        flavour, logits, scores = "H", "masks", "iou_predictions"
    else:
        raise _unknown("decoder", inputs, outputs)
    kind = ScoreKind.STABILITY if flavour == "G" else ScoreKind.PREDICTED_IOU
    return DecoderSpec(flavour, dtypes, names >= _MASK_PROMPT, "orig_im_size" in names, logits, scores, kind)


def _unknown(what: str, inputs: Sequence[TensorInfo], outputs: Sequence[TensorInfo]) -> ModelFileError:
    taken, given = (", ".join(str(tensor) for tensor in tensors) for tensors in (inputs, outputs))
    return ModelFileError(f"This is no SAM {what} that is known: it takes {taken} and gives {given}.", hint=_HINT)
