"""GroundingDINO: one graph that gives boxes around what a caption says.

Captions are in lower case and end with a full stop. Known exports find the words that belong together by a loop that
was fixed when they were made, for one phrase: so each phrase is a caption, and a run, of its own. A box's score is that
of the word of the phrase that it answers best.

References
----------
Liu, S. et al. (2024): Grounding DINO: Marrying DINO with grounded pre-training for open-set object detection.
DOI 10.1007/978-3-031-72970-6_3
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ModelRunError, UnsupportedPromptError
from ...progress import Progress, SubProgress, check
from ..finding import Finding, FoundBox
from ..model import ImageArray, ModelSpec, RuntimeSettings
from ..onnx_session import OnnxSession
from ..text_graphs import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    corners,
    graphs_and_vocabulary,
    pixel_values,
    require_image,
    require_numbers,
    sigmoid,
    wrong_graph,
)
from ..word_pieces import WordPieceTokenizer

NAME = "grounding_dino"
FLOOR = 0.05
"""Boxes with lower scores are noise: there are always 900."""
_LONGEST_TOKENS = 256
_PIXELS = ("pixel_values", "img")
_NEEDED = {"input_ids", "attention_mask", "token_type_ids"}
_KNOWN = _NEEDED | {"pixel_values", "img", "pixel_mask", "img_mask", "position_ids", "text_token_mask"}
_OUTPUTS = (("logits", "pred_boxes"), ("logits", "boxes"))
_STOP = "."


class GroundingDinoModel:
    """A loaded GroundingDINO.

    Parameters
    ----------
    spec : ModelSpec
        Its catalogue entry.
    graph : OnnxSession
        As Hugging Face exports it (pixel_values, pixel_mask), or as the original code does (img, position_ids,
        text_token_mask).
    tokenizer : WordPieceTokenizer
        Its vocabulary.

    Raises
    ------
    ModelFileError
        If the graph's inputs or outputs are others.
    """

    preprocess_version = 1

    def __init__(self, spec: ModelSpec, graph: OnnxSession, tokenizer: WordPieceTokenizer) -> None:
        inputs = {tensor.name: tensor for tensor in graph.inputs}
        pixels = [name for name in _PIXELS if name in inputs and inputs[name].rank == 4]
        if len(pixels) != 1 or not _NEEDED <= set(inputs) <= _KNOWN:
            wanted = f"{' or '.join(_PIXELS)}, {', '.join(sorted(_NEEDED))}"
            raise wrong_graph(spec, "a graph with the inputs", wanted, graph.inputs)
        given = {tensor.name for tensor in graph.outputs}
        outputs = [names for names in _OUTPUTS if set(names) <= given]
        if not outputs:
            raise wrong_graph(spec, "a graph with the outputs", " and ".join(_OUTPUTS[0]), graph.outputs)
        self._spec, self._graph, self._tokenizer = spec, graph, tokenizer
        self._inputs, self._pixels, self._outputs = inputs, pixels[0], outputs[0]
        height, width = inputs[self._pixels].shape[2:]
        self._size = (height or spec.input_size_px, width or spec.input_size_px)
        self._tokens = inputs["input_ids"].shape[1]
        (self._stop,) = tokenizer.ids(_STOP)

    @property
    def spec(self) -> ModelSpec:
        """Its catalogue entry."""
        return self._spec

    @property
    def weights_sha256(self) -> str:
        """Digest over its files."""
        return self._spec.weights_sha256

    def require_known(self, phrases: Sequence[str]) -> None:
        """Raise :class:`UnsupportedPromptError` if a phrase is empty, too long, or in letters that it can't read."""
        longest = (self._tokens or _LONGEST_TOKENS) - 3
        for phrase in phrases:
            ids = self._ids(phrase)
            if not ids:
                raise UnsupportedPromptError("A phrase is empty.", hint="Say in a few words what to look for.")
            if len(ids) > longest:
                raise UnsupportedPromptError(
                    f"The phrase '{phrase}' has {len(ids)} tokens; the model takes {longest}.", hint="Say it shorter."
                )
            if all(index == self._tokenizer.unknown for index in ids):
                raise UnsupportedPromptError(
                    f"The model '{self._spec.name}' knows none of the letters of '{phrase}'.",
                    hint="Say it in English.",
                )

    def find(self, image: ImageArray, phrases: Sequence[str], progress: Progress) -> list[Finding]:
        """Return the boxes of each phrase with at least :data:`FLOOR`; they overlap each other."""
        require_image(image)
        self.require_known(phrases)
        check(progress)
        dtype = self._inputs[self._pixels].dtype
        pixels = pixel_values(image, self._size, IMAGENET_MEAN, IMAGENET_STD, dtype)
        found: list[Finding] = []
        for number, phrase in enumerate(phrases):
            part = SubProgress(progress, number / len(phrases), (number + 1) / len(phrases))
            part.report(0.0, f"Looking for '{phrase}'")
            found += self._boxes(pixels, image, phrase, part)
        return found

    def _boxes(self, pixels: NDArray[Any], image: ImageArray, phrase: str, progress: Progress) -> list[Finding]:
        ids = self._ids(phrase)
        logits, boxes = self._graph.run(self._feeds(pixels, ids), self._outputs, progress)
        if logits.ndim != 3 or boxes.shape != (*logits.shape[:2], 4) or logits.shape[2] < len(ids) + 1:
            raise ModelRunError(
                f"The model '{self._spec.name}' gave logits {logits.shape} and boxes {boxes.shape}.",
                hint="Give a graph that scores each box for each token.",
            )
        words = logits[0, :, 1 : len(ids) + 1]  # beyond the caption's end they may be minus infinity
        require_numbers(self._spec, words, boxes)
        scores = sigmoid(words).max(axis=1)
        height, width = image.shape[:2]
        pixel_boxes = corners(boxes[0], (width, height), (height, width))
        whole = (pixel_boxes[:, 2:] > pixel_boxes[:, :2]).all(axis=1)
        found: list[Finding] = []
        for index in np.flatnonzero((scores >= FLOOR) & whole):
            left, top, right, bottom = (float(value) for value in pixel_boxes[index])
            found.append(FoundBox((left, top, right, bottom), float(scores[index]), phrase))
        return found

    def _ids(self, phrase: str) -> list[int]:
        """Return the ids of a phrase in which no full stop begins another one."""
        return self._tokenizer.ids(phrase.lower().replace(_STOP, " "))

    def _feeds(self, pixels: NDArray[Any], ids: list[int]) -> dict[str, NDArray[Any]]:
        caption = [self._tokenizer.start, *ids, self._stop, self._tokenizer.end]
        length, used = self._tokens or len(caption), len(caption)
        tokens, text = np.zeros((1, length), np.int64), np.zeros((1, length), np.int64)
        tokens[0, :used], text[0, :used] = caption, 1
        # A word sees the words of its phrase and the stop that ends it; the marks of start and end see themselves.
        seen = np.eye(length, dtype=np.bool_)[None]
        seen[0, 1 : used - 1, 1 : used - 1] = True
        places = np.zeros((1, length), np.int64)
        places[0, 1 : used - 1] = np.arange(used - 2)
        size = pixels.shape[2:]
        feeds: dict[str, NDArray[Any]] = {
            self._pixels: pixels,
            "pixel_mask": np.ones((1, *size), np.int64),
            "img_mask": np.zeros((1, *size), np.bool_),
            "input_ids": tokens,
            "attention_mask": text,
            "token_type_ids": np.zeros_like(tokens),
            "position_ids": places,
            "text_token_mask": seen,
        }
        return {name: feeds[name].astype(info.dtype, copy=False) for name, info in self._inputs.items()}


class GroundingDinoFamily:
    """Loads GroundingDINO from its graph and its vocabulary."""

    def load(self, spec: ModelSpec, paths: tuple[str, ...], settings: RuntimeSettings) -> GroundingDinoModel:
        """Return the model; the files may come in any order."""
        (graph,), vocabulary = graphs_and_vocabulary(spec, paths, 1)
        return GroundingDinoModel(spec, OnnxSession.with_settings(graph, settings), WordPieceTokenizer(vocabulary))


ENTRY = GroundingDinoFamily()
