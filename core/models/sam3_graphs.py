"""What SAM 3's three graphs take and give, told from their names: exports differ in a few inputs and in the heads.

The image encoder gives positions and a pyramid of features, which the decoder takes by the same names. The language
encoder takes 32 tokens (EfficientSAM3's: 16). The decoder takes both, and boxes of examples in a fixed or free number
of slots; a slot's mask says that it is empty. It gives finished scores and masks, or, in other exports, logits of each
of its queries and of the phrase's presence in the image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelRunError
from .model import FloatArray, ModelSpec
from .onnx_session import OnnxSession, TensorInfo
from .text_graphs import sigmoid, wrong_graph

_LANGUAGE = {
    "language_mask": ("text_attention_mask", "language_mask", "language_padding"),
    "language_features": ("text_memory", "language_features"),
    "language_embeds": ("text_embeds", "language_embeds"),
}
_DECODER_NAMES = {
    "language_mask": ("language_mask", "language_padding", "text_attention_mask"),
    "language_features": ("language_features", "text_memory"),
    "language_embeds": ("language_embeds", "text_embeds"),
}
_TOKENS = 32
_SIZES = ("original_height", "original_width")
_FINISHED = ("scores", "masks")
_RAW = ("pred_logits", "pred_masks")
_PRESENCE = ("presence_logit", "presence_logits", "presence_logit_dec")


@dataclass(frozen=True)
class ImageGraph:
    """What the image encoder takes."""

    input: str
    """Its input's name."""
    size_px: int
    """Side of the square that images are stretched to."""
    dtype: str
    """uint8 for pixels as they are, else normalised ones."""
    batched: bool
    """True if planes (3, side, side) have one more axis in front."""

    @classmethod
    def of(cls, spec: ModelSpec, session: OnnxSession) -> ImageGraph:
        """Return what a graph takes.

        Raises
        ------
        ModelFileError
            If it is no image encoder.
        """
        if len(session.inputs) == 1:
            (tensor,) = session.inputs
            planes = tensor.shape[-3:]
            known_size = planes[0] == 3 and planes[1] == planes[2] if len(planes) == 3 else False
            if tensor.rank in (3, 4) and known_size and tensor.dtype in ("uint8", "float32", "float16"):
                return cls(tensor.name, planes[1] or spec.input_size_px, tensor.dtype, tensor.rank == 4)
        raise wrong_graph(spec, "an image encoder with the one input", "image [3, side, side]", session.inputs)


@dataclass(frozen=True)
class LanguageGraph:
    """What the language encoder takes and gives."""

    input: str
    """Name of its tokens (1, length) int64."""
    length: int
    """How many tokens a phrase has, with its marks."""
    outputs: Mapping[str, str]
    """Its output for each of the decoder's roles (language_mask, language_features, language_embeds)."""

    @classmethod
    def of(cls, spec: ModelSpec, session: OnnxSession) -> LanguageGraph:
        """Return what a graph takes and gives.

        Raises
        ------
        ModelFileError
            If it is no language encoder.
        """
        given = {tensor.name for tensor in session.outputs}
        outputs = {
            role: next(name for name in names if name in given)
            for role, names in _LANGUAGE.items()
            if given.intersection(names)
        }
        tokens = session.inputs[0]
        if len(session.inputs) != 1 or tokens.rank != 2 or tokens.dtype not in ("int64", "int32"):
            raise wrong_graph(spec, "a language encoder with the one input", "tokens int64[1, length]", session.inputs)
        if not {"language_mask", "language_features"} <= set(outputs):
            wanted = "text_attention_mask and text_memory"
            raise wrong_graph(spec, "a language encoder with the outputs", wanted, session.outputs)
        return cls(tokens.name, tokens.shape[1] or _TOKENS, outputs)


@dataclass(frozen=True)
class DecoderGraph:
    """What the decoder takes and gives."""

    image: tuple[str, ...]
    """Inputs that the image encoder gives, by the same names."""
    language: Mapping[str, str]
    """Its input for each role of the language encoder's outputs that it takes."""
    coords: TensorInfo
    """Boxes of examples (1, slots, 4): centre x, centre y, width, height, 0 to 1."""
    labels: TensorInfo
    """1 for an example and 0 for a counter-example (1, slots)."""
    empty: TensorInfo
    """True for a slot without a box (1, slots)."""
    sizes: tuple[TensorInfo, ...]
    """Inputs original_height and original_width, where masks come at the image's size."""
    outputs: tuple[str, ...]
    """(scores, masks), or (pred_logits, pred_masks) and the presence where there is one."""
    dtypes: Mapping[str, str]
    """Type of each input: an encoder that is halved in precision may come with a decoder that is not."""

    @property
    def slots(self) -> int | None:
        """How many boxes fit; None for any number."""
        return self.coords.shape[1]

    @property
    def finished(self) -> bool:
        """True if it gives scores and masks, False for logits of them."""
        return self.outputs[:2] == _FINISHED

    @classmethod
    def of(cls, spec: ModelSpec, session: OnnxSession, features: set[str]) -> DecoderGraph:
        """Return what a graph takes and gives, where ``features`` are the image encoder's outputs.

        Raises
        ------
        ModelFileError
            If it is no decoder.
        """
        rest = {tensor.name: tensor for tensor in session.inputs}
        image = tuple(name for name in rest if name in features)
        language = {role: name for role, names in _DECODER_NAMES.items() for name in names if name in rest}
        sizes = tuple(rest[name] for name in _SIZES if name in rest)
        for name in (*image, *language.values(), *(tensor.name for tensor in sizes)):
            del rest[name]
        coords = [tensor for tensor in rest.values() if tensor.rank == 3 and tensor.shape[2] in (4, None)]
        empty = [tensor for tensor in rest.values() if tensor.rank == 2 and tensor.dtype == "bool"]
        labels = [tensor for tensor in rest.values() if tensor.rank == 2 and tensor.dtype in ("int64", "int32")]
        whole = len(coords) == len(empty) == len(labels) == 1 and len(rest) == 3
        if not image or not whole or not {"language_mask", "language_features"} <= set(language):
            wanted = (
                "backbone_fpn_0 to 2 (as the image encoder names them), language_mask, language_features, box_coords, "
                "box_labels and box_masks"
            )
            raise wrong_graph(spec, "a decoder with the inputs", wanted, session.inputs)
        given = {tensor.name for tensor in session.outputs}
        if set(_FINISHED) <= given:
            outputs: tuple[str, ...] = _FINISHED
        elif set(_RAW) <= given:
            outputs = (*_RAW, *(name for name in _PRESENCE if name in given))
        else:
            raise wrong_graph(spec, "a decoder with the outputs", "boxes, scores and masks", session.outputs)
        dtypes = {tensor.name: tensor.dtype for tensor in session.inputs}
        return cls(image, language, coords[0], labels[0], empty[0], sizes, outputs, dtypes)

    def boxes(self, boxes: FloatArray, wanted: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
        """Return what says which examples there are: boxes (N, 4), 0 to 1, and whether they are wanted (N,)."""
        count = self.slots or max(1, len(boxes))
        coords, labels = np.zeros((1, count, 4), self.coords.dtype), np.ones((1, count), self.labels.dtype)
        empty = np.ones((1, count), np.bool_)
        coords[0, : len(boxes)], labels[0, : len(boxes)], empty[0, : len(boxes)] = boxes, wanted, False
        return {self.coords.name: coords, self.labels.name: labels, self.empty.name: empty}

    def instances(self, spec: ModelSpec, outputs: tuple[NDArray[Any], ...]) -> tuple[FloatArray, NDArray[Any], float]:
        """Return scores (N,), masks (N, h, w), and above which value a mask's cell belongs to the object."""
        scores, masks = outputs[0], outputs[1]
        masks = masks.reshape(-1, *masks.shape[-2:])
        if self.finished:
            certain = scores.astype(np.float32).reshape(-1)
            # Masks at the image's size are yes or no, or logits; those on the decoder's own grid are probabilities.
            threshold = 0.0 if self.sizes else 0.5
        else:
            certain = sigmoid(scores).reshape(-1)
            for presence in outputs[2:]:
                certain = certain * sigmoid(presence).reshape(-1)[0]
            threshold = 0.0
        if len(certain) != len(masks):
            raise ModelRunError(
                f"The model '{spec.name}' gave {len(certain)} scores and {len(masks)} masks.",
                hint="Give a decoder that scores each mask.",
            )
        return certain, masks, threshold
