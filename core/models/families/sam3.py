"""SAM 3 and EfficientSAM3: objects by words, or by boxes around examples, as masks.

The image is stretched to a square. What the encoder makes of the last image is kept, so that more phrases, or examples,
cost only a decoding.

References
----------
Carion, N. et al. (2025): SAM 3: Segment anything with concepts. DOI 10.48550/arXiv.2511.16719
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import EmptyPromptError, UnsupportedPromptError
from ...progress import Progress, SubProgress, check
from ...raster.grid import Window
from ..clip_tokens import ClipTokenizer
from ..embedding import image_digest
from ..finding import Finding, FoundMask
from ..model import FloatArray, ImageArray, ModelSpec, RuntimeSettings
from ..onnx_session import OnnxSession
from ..overlap import best_masks
from ..resample import resize
from ..sam3_graphs import DecoderGraph, ImageGraph, LanguageGraph
from ..text_graphs import (
    enclosing,
    graphs_and_vocabulary,
    pixel_values,
    require_image,
    require_numbers,
    spread,
    trimmed,
    wrong_graph,
)

NAME = "sam3"
FLOOR = 0.05
"""Objects with lower scores are noise: there are as many as the decoder has queries."""
_HALF = (0.5, 0.5, 0.5)
_NEUTRAL = "visual"
"""The phrase that the model was trained with where only examples say what is meant."""
_KEPT_PHRASES = 64
_NO_BOXES = np.zeros((0, 4), np.float32), np.zeros(0, np.bool_)


class Sam3Model:
    """A loaded SAM 3.

    Parameters
    ----------
    spec : ModelSpec
        Its catalogue entry.
    image, language, decoder : OnnxSession
        Its graphs.
    tokenizer : ClipTokenizer
        Its vocabulary.

    Raises
    ------
    ModelFileError
        If a graph is none that :mod:`..sam3_graphs` tells.
    """

    preprocess_version = 1

    def __init__(
        self,
        spec: ModelSpec,
        image: OnnxSession,
        language: OnnxSession,
        decoder: OnnxSession,
        tokenizer: ClipTokenizer,
    ) -> None:
        self._spec, self._tokenizer = spec, tokenizer
        self._image, self._language, self._decoder = image, language, decoder
        self._image_graph = ImageGraph.of(spec, image)
        self._language_graph = LanguageGraph.of(spec, language)
        self._decoder_graph = DecoderGraph.of(spec, decoder, {tensor.name for tensor in image.outputs})
        self._seen: tuple[str, dict[str, NDArray[Any]]] | None = None
        self._said: OrderedDict[str, dict[str, NDArray[Any]]] = OrderedDict()

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
        self._tokenizer.require_fitting(phrases, self._language_graph.length)

    def find(self, image: ImageArray, phrases: Sequence[str], progress: Progress) -> list[Finding]:
        """Return the objects of each phrase with at least :data:`FLOOR`, or what the graph itself drops below."""
        require_image(image)
        self.require_known(phrases)
        encoded = self._encoded(image, SubProgress(progress, 0.0, 0.7))
        found: list[Finding] = []
        for number, phrase in enumerate(phrases):
            shares = (0.7 + 0.3 * step / len(phrases) for step in (number, number + 1))
            part = SubProgress(progress, *shares)
            part.report(0.0, f"Looking for '{phrase}'")
            found += self._decoded(encoded, phrase, _NO_BOXES, (image.shape[0], image.shape[1]), part)
        return found

    def find_like(
        self, image: ImageArray, boxes: NDArray[np.float32], wanted: NDArray[np.bool_], progress: Progress
    ) -> list[FoundMask]:
        """Return the objects that are like those in boxes (N, 4), in pixels of the image; ``wanted`` (N,) are examples.

        Where the decoder takes fewer boxes, it looks for what is like some of them at a time.

        Raises
        ------
        EmptyPromptError
            If no box is an example.
        UnsupportedPromptError
            If there are counter-examples and the decoder takes fewer boxes.
        """
        require_image(image)
        slots = self._decoder_graph.slots or len(boxes)
        if not wanted.any():
            raise EmptyPromptError("There is no example.", hint="Draw a box around an object like those you want.")
        if len(boxes) > slots and not wanted.all():
            raise UnsupportedPromptError(
                f"The model '{self._spec.name}' takes {slots} box{'es' if slots > 1 else ''} at a time, so it can't "
                f"weigh {int(wanted.sum())} examples against {int((~wanted).sum())} counter-examples.",
                hint="Leave the counter-examples out, or use another model.",
            )
        encoded = self._encoded(image, SubProgress(progress, 0.0, 0.8))
        height, width = image.shape[:2]
        scale = np.array([width, height], np.float32)
        near, far = boxes[:, :2] / scale, boxes[:, 2:] / scale
        relative = np.concatenate(((near + far) / 2, far - near), axis=1).astype(np.float32)
        found: list[FoundMask] = []
        for start in range(0, len(boxes), slots):
            some = slice(start, start + slots)
            shares = (0.8 + 0.2 * min(1.0, count / len(boxes)) for count in (start, start + slots))
            part = SubProgress(progress, *shares)
            found += self._decoded(encoded, _NEUTRAL, (relative[some], wanted[some]), (height, width), part)
        return best_masks([replace(mask, label="") for mask in found])

    def _encoded(self, image: ImageArray, progress: Progress) -> dict[str, NDArray[Any]]:
        """Return the decoder's inputs of an image; those of the last one are kept."""
        check(progress)
        digest = image_digest(image)
        if self._seen is None or self._seen[0] != digest:
            graph = self._image_graph
            progress.report(0.0, "Encoding the image")
            size = (graph.size_px, graph.size_px)
            if graph.dtype == "uint8":
                planes = np.ascontiguousarray(resize(image, size).transpose(2, 0, 1))
            else:
                planes = pixel_values(image, size, _HALF, _HALF, graph.dtype)[0]
            feed = planes[None] if graph.batched else planes
            names = self._decoder_graph.image
            # The features of an older image go first: the two together may be more than there is room for.
            self._seen = None
            arrays = self._image.run({graph.input: feed}, names, progress)
            self._seen = (digest, dict(zip(names, arrays)))
        return self._seen[1]

    def _phrase(self, phrase: str, progress: Progress) -> dict[str, NDArray[Any]]:
        """Return the decoder's inputs of a phrase; those of the last ones are kept."""
        if phrase not in self._said:
            graph, wanted = self._language_graph, self._decoder_graph.language
            roles = [role for role in graph.outputs if role in wanted]
            tokens, _ = self._tokenizer.batch([phrase], graph.length)
            feed = tokens.astype(self._language.inputs[0].dtype, copy=False)
            arrays = self._language.run({graph.input: feed}, [graph.outputs[role] for role in roles], progress)
            self._said[phrase] = {wanted[role]: array for role, array in zip(roles, arrays)}
            if len(self._said) > _KEPT_PHRASES:
                self._said.popitem(last=False)
        self._said.move_to_end(phrase)
        return self._said[phrase]

    def _decoded(
        self,
        encoded: Mapping[str, NDArray[Any]],
        phrase: str,
        examples: tuple[FloatArray, NDArray[np.bool_]],
        size: tuple[int, int],
        progress: Progress,
    ) -> list[FoundMask]:
        """Return the objects of a phrase, or like examples (boxes (N, 4), 0 to 1, wanted (N,)), in an image (H, W)."""
        graph = self._decoder_graph
        feeds = {**encoded, **self._phrase(phrase, progress), **graph.boxes(*examples)}
        for tensor, side in zip(graph.sizes, size):
            feeds[tensor.name] = np.full([1] * tensor.rank, side, tensor.dtype)
        feeds = {name: np.asarray(array, graph.dtypes[name]) for name, array in feeds.items()}
        outputs = self._decoder.run(feeds, graph.outputs, progress)
        require_numbers(self._spec, outputs[0])
        scores, masks, threshold = graph.instances(self._spec, outputs)
        found: list[FoundMask] = []
        for index in np.flatnonzero(scores >= FLOOR):
            placed = _placed(masks[index], threshold, size)
            if placed is not None:
                found.append(FoundMask(*placed, score=float(min(scores[index], 1.0)), label=phrase))
        return found


class Sam3Family:
    """Loads SAM 3 from its three graphs and its vocabulary."""

    def load(self, spec: ModelSpec, paths: tuple[str, ...], settings: RuntimeSettings) -> Sam3Model:
        """Return the model; the files may come in any order, those of weights beside a graph among them."""
        graphs, vocabulary = graphs_and_vocabulary(spec, paths, 3)
        tokenizer = ClipTokenizer(vocabulary)
        sessions = [OnnxSession.with_settings(path, settings) for path in graphs]
        images = [session for session in sessions if _is_image(session)]
        others = [session for session in sessions if not _is_image(session)]
        languages = [session for session in others if len(session.inputs) == 1]
        decoders = [session for session in others if len(session.inputs) > 1]
        if not len(images) == len(languages) == len(decoders) == 1:
            found = [tensor for session in sessions for tensor in session.inputs]
            raise wrong_graph(
                spec, "graphs with the inputs", "image; tokens; language_features, box_coords, ...", found
            )
        return Sam3Model(spec, images[0], languages[0], decoders[0], tokenizer)


ENTRY = Sam3Family()


def _is_image(session: OnnxSession) -> bool:
    """Return True for a graph that takes one image."""
    return len(session.inputs) == 1 and session.inputs[0].rank in (3, 4)


def _placed(
    values: NDArray[Any], threshold: float, image_size: tuple[int, int]
) -> tuple[Window, NDArray[np.bool_]] | None:
    """Return where a mask on the decoder's grid (h, w) lies on the image, and its pixels; None for an empty one."""
    inside = values if values.dtype == np.bool_ else values > threshold
    if inside.shape == image_size:
        return trimmed(inside, Window(0, 0, image_size[1], image_size[0]))
    window = enclosing(inside, image_size)
    if window is None:
        return None
    if values.dtype == np.bool_:
        values, threshold = values.astype(np.float32), 0.5
    return trimmed(spread(values.astype(np.float32), window, image_size) > threshold, window)
