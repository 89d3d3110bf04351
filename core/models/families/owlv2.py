"""OWLv2: one graph that gives boxes around what each of several phrases says.

The image is padded on the right and at the bottom to a square, in middle grey; boxes lie in that square. A phrase has
16 tokens at most. One run takes all phrases: the image is encoded once. Each phrase is scored on its own, so one
phrase's boxes do not depend on the others (but for the last digit where the weights are quantised).

References
----------
Minderer, M., Gritsenko, A., Houlsby, N. (2023): Scaling open-vocabulary object detection.
DOI 10.48550/arXiv.2306.09683
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ModelRunError
from ...progress import Progress, SubProgress, check
from ..clip_tokens import ClipTokenizer
from ..finding import Finding, FoundBox
from ..model import ImageArray, ModelSpec, RuntimeSettings
from ..onnx_session import OnnxSession
from ..text_graphs import (
    CLIP_MEAN,
    CLIP_STD,
    corners,
    graphs_and_vocabulary,
    pixel_values,
    require_image,
    require_numbers,
    sigmoid,
    wrong_graph,
)

NAME = "owlv2"
FLOOR = 0.05
"""Boxes with lower scores are noise: there is one for each of the image's cells."""
_INPUTS = {"pixel_values", "input_ids", "attention_mask"}
_OUTPUTS = ("logits", "pred_boxes")
_TOKENS = 16
_GREY = 0.5


class Owlv2Model:
    """A loaded OWLv2 (or OWL-ViT, whose graph is the same).

    Parameters
    ----------
    spec : ModelSpec
        Its catalogue entry.
    graph : OnnxSession
        pixel_values (1, 3, side, side), input_ids and attention_mask (phrases, 16) -> logits (1, boxes, phrases) and
        pred_boxes (1, boxes, 4), among others.
    tokenizer : ClipTokenizer
        Its vocabulary.

    Raises
    ------
    ModelFileError
        If the graph's inputs or outputs are others.
    """

    preprocess_version = 1

    def __init__(self, spec: ModelSpec, graph: OnnxSession, tokenizer: ClipTokenizer) -> None:
        inputs = {tensor.name: tensor for tensor in graph.inputs}
        if set(inputs) != _INPUTS or inputs["pixel_values"].rank != 4:
            raise wrong_graph(spec, "a graph with the inputs", ", ".join(sorted(_INPUTS)), graph.inputs)
        if not set(_OUTPUTS) <= {tensor.name for tensor in graph.outputs}:
            raise wrong_graph(spec, "a graph with the outputs", ", ".join(_OUTPUTS), graph.outputs)
        self._spec, self._graph, self._tokenizer = spec, graph, tokenizer
        self._pixels_dtype = inputs["pixel_values"].dtype
        self._side = inputs["pixel_values"].shape[2] or spec.input_size_px
        at_once, tokens = inputs["input_ids"].shape
        self._at_once, self._tokens = at_once, tokens or _TOKENS

    @property
    def spec(self) -> ModelSpec:
        """Its catalogue entry."""
        return self._spec

    @property
    def weights_sha256(self) -> str:
        """Digest over its files."""
        return self._spec.weights_sha256

    def require_known(self, phrases: Sequence[str]) -> None:
        """Raise :class:`UnsupportedPromptError` if a phrase is empty or has too many tokens."""
        self._tokenizer.require_fitting(phrases, self._tokens)

    def find(self, image: ImageArray, phrases: Sequence[str], progress: Progress) -> list[Finding]:
        """Return the boxes of each phrase with at least :data:`FLOOR`; they overlap each other."""
        require_image(image)
        self.require_known(phrases)
        check(progress)
        pixels = self._pixels(image)
        at_once = self._at_once or max(1, len(phrases))
        found: list[Finding] = []
        for start in range(0, len(phrases), at_once):
            part = SubProgress(progress, start / len(phrases), min(1.0, (start + at_once) / len(phrases)))
            some = list(phrases[start : start + at_once])
            part.report(0.0, "Looking for " + ", ".join(f"'{phrase}'" for phrase in some))
            found += self._boxes(pixels, image, some, at_once, part)
        return found

    def _boxes(
        self, pixels: NDArray[Any], image: ImageArray, phrases: list[str], at_once: int, progress: Progress
    ) -> list[Finding]:
        # A graph with a fixed number of phrases gets the last one again, and its answers are left aside.
        asked = phrases + phrases[-1:] * (at_once - len(phrases))
        ids, used = self._tokenizer.batch(asked, self._tokens)
        feeds = {"pixel_values": pixels, "input_ids": ids, "attention_mask": used}
        logits, boxes = self._graph.run(feeds, _OUTPUTS, progress)
        if logits.ndim != 3 or boxes.shape != (*logits.shape[:2], 4) or logits.shape[2] != len(asked):
            raise ModelRunError(
                f"The model '{self._spec.name}' gave logits {logits.shape} and boxes {boxes.shape} for {len(asked)} "
                "phrases.",
                hint="Give a graph that scores each box for each phrase.",
            )
        require_numbers(self._spec, logits, boxes)
        scores = sigmoid(logits[0])  # (boxes, phrases)
        side = float(max(image.shape[:2]))
        pixel_boxes = corners(boxes[0], (side, side), (image.shape[0], image.shape[1]))
        whole = (pixel_boxes[:, 2:] > pixel_boxes[:, :2]).all(axis=1)
        found: list[Finding] = []
        for column, phrase in enumerate(phrases):
            for index in np.flatnonzero((scores[:, column] >= FLOOR) & whole):
                left, top, right, bottom = (float(value) for value in pixel_boxes[index])
                found.append(FoundBox((left, top, right, bottom), float(scores[index, column]), phrase))
        return found

    def _pixels(self, image: ImageArray) -> NDArray[Any]:
        """Return the image in its square (1, 3, side, side)."""
        longer = max(image.shape[:2])
        height, width = (max(1, round(extent * self._side / longer)) for extent in image.shape[:2])
        grey = [(_GREY - mean) / std for mean, std in zip(CLIP_MEAN, CLIP_STD)]
        square = np.empty((1, 3, self._side, self._side), self._pixels_dtype)
        square[:] = np.array(grey, np.float32).reshape(1, 3, 1, 1)
        square[:, :, :height, :width] = pixel_values(image, (height, width), CLIP_MEAN, CLIP_STD, self._pixels_dtype)
        return square


class Owlv2Family:
    """Loads OWLv2 from its graph and its vocabulary."""

    def load(self, spec: ModelSpec, paths: tuple[str, ...], settings: RuntimeSettings) -> Owlv2Model:
        """Return the model; the files may come in any order."""
        (graph,), vocabulary = graphs_and_vocabulary(spec, paths, 1)
        return Owlv2Model(spec, OnnxSession.with_settings(graph, settings), ClipTokenizer(vocabulary))


ENTRY = Owlv2Family()
