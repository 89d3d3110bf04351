"""CLIPSeg: one graph that gives, for an image and a phrase, how much each part of the image is what the phrase says.

References
----------
Lüddecke, T., Ecker, A. (2022): Image segmentation using text and image prompts. DOI 10.1109/CVPR52688.2022.00695
"""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ModelRunError
from ...progress import Progress, SubProgress, check
from ..clip_tokens import ClipTokenizer
from ..finding import Finding, HeatMap
from ..model import ImageArray, ModelSpec, RuntimeSettings
from ..onnx_session import OnnxSession
from ..text_graphs import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    graphs_and_vocabulary,
    pixel_values,
    require_image,
    require_numbers,
    sigmoid,
    wrong_graph,
)

NAME = "clipseg"
_INPUTS = {"pixel_values", "input_ids", "attention_mask"}
_OUTPUT = "logits"
_LONGEST_TOKENS = 77


class ClipSegModel:
    """A loaded CLIPSeg.

    Parameters
    ----------
    spec : ModelSpec
        Its catalogue entry.
    graph : OnnxSession
        pixel_values (1, 3, side, side), input_ids and attention_mask (phrases, tokens) -> logits, one map for each
        phrase.
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
        if _OUTPUT not in {tensor.name for tensor in graph.outputs}:
            raise wrong_graph(spec, "a graph with the output", _OUTPUT, graph.outputs)
        self._spec, self._graph, self._tokenizer = spec, graph, tokenizer
        self._pixels_dtype = inputs["pixel_values"].dtype
        height, width = inputs["pixel_values"].shape[2:]
        self._size = (height or spec.input_size_px, width or spec.input_size_px)
        self._tokens = inputs["input_ids"].shape[1]

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
        self._tokenizer.require_fitting(phrases, self._tokens or _LONGEST_TOKENS)

    def find(self, image: ImageArray, phrases: Sequence[str], progress: Progress) -> list[Finding]:
        """Return one heat map (side, side) for each phrase.

        The graph looks at the image again for each phrase, so nothing would be saved by asking for several at once; and
        quantised weights would make one phrase's answer depend on the others.
        """
        require_image(image)
        self.require_known(phrases)
        check(progress)
        pixels = pixel_values(image, self._size, IMAGENET_MEAN, IMAGENET_STD, self._pixels_dtype)
        found: list[Finding] = []
        for number, phrase in enumerate(phrases):
            part = SubProgress(progress, number / len(phrases), (number + 1) / len(phrases))
            part.report(0.0, f"Looking for '{phrase}'")
            length = self._tokens or len(self._tokenizer.ids(phrase)) + 2
            ids, used = self._tokenizer.batch([phrase], length)
            feeds = {"pixel_values": pixels, "input_ids": ids, "attention_mask": used}
            (logits,) = self._graph.run(feeds, [_OUTPUT], part)
            require_numbers(self._spec, logits)
            if logits.ndim < 2 or logits.size != logits.shape[-2] * logits.shape[-1]:
                raise ModelRunError(
                    f"The model '{self._spec.name}' gave logits {logits.shape} for one phrase.",
                    hint="Give a graph that makes one map for each phrase.",
                )
            found.append(HeatMap(phrase, sigmoid(logits).reshape(logits.shape[-2:])))
        return found


class ClipSegFamily:
    """Loads CLIPSeg from its graph and its vocabulary."""

    def load(self, spec: ModelSpec, paths: tuple[str, ...], settings: RuntimeSettings) -> ClipSegModel:
        """Return the model; the files may come in any order."""
        (graph,), vocabulary = graphs_and_vocabulary(spec, paths, 1)
        return ClipSegModel(spec, OnnxSession.with_settings(graph, settings), ClipTokenizer(vocabulary))


ENTRY = ClipSegFamily()
