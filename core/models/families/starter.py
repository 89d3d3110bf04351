"""The embedded starter model: an encoder and a prompt decoder trained by this project, see ``training/``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import EmptyPromptError, ModelFileError, UnsupportedPromptError
from ...progress import Progress, check
from ...prompts.prompt import PixelPrompts
from ...raster.grid import Window
from ..finding import FeatureMap
from ..model import FloatArray, ImageArray, ImageEmbedding, MaskPrediction, ModelSpec, RuntimeSettings
from ..onnx_session import OnnxSession

NAME = "starter"
_ENCODER_INPUTS = {"image"}
_DECODER_INPUTS = {"embedding", "skip", "points", "labels", "box", "previous"}
_OBJECTNESS_INPUTS = {"embedding"}
_MULTIPLE = 32
_HALF = 2
"""The decoder's logits have half the resolution of what was encoded."""
_SMALLEST_PX, _LARGEST_PX = 160, 640
"""An image is enlarged up to twice to reach the first, and reduced to the second, by its longer side."""
_FEATURES_STEP, _SKIP_STEP = 4, 2
"""Image pixels for each cell of the encoder's two outputs."""
_SURE = 6.0
"""Logit of what a given mask is sure of."""
_SOFT = 2
"""Label of a box's middle: it says what the object looks like, not that it is there."""


@dataclass(frozen=True)
class _Frame:
    """How an image lies in what the encoder gets: scaled, then padded on the right and at the bottom."""

    image_size: tuple[int, int]
    """(H, W) of the image."""
    scaled: tuple[int, int]
    """(H, W) after scaling."""

    @classmethod
    def of(cls, image_size: tuple[int, int]) -> _Frame:
        """Return the frame of an image (H, W); it depends on nothing else."""
        longer = max(image_size)
        factor = min(max(1.0, min(2.0, _SMALLEST_PX / longer)), _LARGEST_PX / longer)
        height, width = (max(1, round(side * factor)) for side in image_size)
        return cls(image_size, (height, width))

    @property
    def padded(self) -> tuple[int, int]:
        """(H, W) that the encoder gets."""
        height, width = (-(-side // _MULTIPLE) * _MULTIPLE for side in self.scaled)
        return height, width

    @property
    def factors(self) -> NDArray[np.float32]:
        """Scaled pixels per image pixel along x and y, (2,)."""
        (height, width), (rows, cols) = self.image_size, self.scaled
        return np.array([cols / width, rows / height], dtype=np.float32)

    def full(self, logits: FloatArray) -> FloatArray:
        """Return logits (H, W) at image size from the decoder's (h, w)."""
        (height, width), (fx, fy) = self.image_size, self.factors / _HALF
        rows = (np.arange(height, dtype=np.float32) + 0.5) * fy - 0.5
        cols = (np.arange(width, dtype=np.float32) + 0.5) * fx - 0.5
        return _blend(_blend(logits, rows, 0), cols, 1)

    def at(self, logits: FloatArray, points: NDArray[np.float32]) -> FloatArray:
        """Return logits (K, N) of K maps (K, h, w) at N continuous image pixels (N, 2)."""
        cols, rows = (points * (self.factors / _HALF) - 0.5).T
        last = np.array(logits.shape[1:]) - 1
        top, left = (np.clip(np.floor(v).astype(int), 0, n) for v, n in zip((rows, cols), last))
        bottom, right = np.minimum(top + 1, last[0]), np.minimum(left + 1, last[1])
        down, along = np.clip(rows - top, 0, 1), np.clip(cols - left, 0, 1)
        upper = logits[:, top, left] * (1 - along) + logits[:, top, right] * along
        lower = logits[:, bottom, left] * (1 - along) + logits[:, bottom, right] * along
        blended: FloatArray = (upper * (1 - down) + lower * down).astype(np.float32)
        return blended


class StarterModel:
    """The loaded starter model.

    Parameters
    ----------
    spec : ModelSpec
        Its catalogue entry.
    encoder, decoder : OnnxSession
        Its two graphs.

    Raises
    ------
    ModelFileError
        If a graph's inputs are not those of the starter model.
    """

    preprocess_version = 1
    """Version of scaling and padding."""
    takes_previous = True
    part_step_px = _FEATURES_STEP

    def __init__(self, spec: ModelSpec, encoder: OnnxSession, decoder: OnnxSession) -> None:
        _require_inputs(spec, encoder, _ENCODER_INPUTS)
        _require_inputs(spec, decoder, _DECODER_INPUTS)
        self._spec, self._encoder, self._decoder = spec, encoder, decoder

    @property
    def spec(self) -> ModelSpec:
        """Its catalogue entry."""
        return self._spec

    @property
    def weights_sha256(self) -> str:
        """Digest over its files."""
        return self._spec.weights_sha256

    def encode(self, image: ImageArray, progress: Progress) -> ImageEmbedding:
        """Return the embedding of an RGB image (H, W, 3) uint8 of any size."""
        return self._encode(image, _Frame.of((image.shape[0], image.shape[1])), progress)

    def encode_whole(self, image: ImageArray, progress: Progress) -> ImageEmbedding:
        """Return the embedding of an RGB image (H, W, 3) uint8 as large as it is."""
        size = (image.shape[0], image.shape[1])
        return self._encode(image, _Frame(size, size), progress)

    def part(self, whole: ImageEmbedding, window: Window) -> ImageEmbedding:
        """Return the embedding of a window of a large image: the encoder is a convolution, so its cells are cut out."""
        size = (window.height, window.width)
        frame = _Frame.of(size)
        if frame.scaled != size or window.col % self.part_step_px or window.row % self.part_step_px:
            raise ValueError(f"StarterModel.part: expected 160 to 640 pixels from a multiple of 4, got {window}")
        height, width = frame.padded
        cut = []
        for array, step in zip(whole.arrays, (_FEATURES_STEP, _SKIP_STEP)):
            rows = slice(window.row // step, (window.row + height) // step)
            cols = slice(window.col // step, (window.col + width) // step)
            cut.append(np.ascontiguousarray(array[:, :, rows, cols]))
            if cut[-1].shape[2:] != (height // step, width // step):
                raise ValueError(f"StarterModel.part: {window} does not lie in an image of {whole.image_size}")
        return ImageEmbedding(tuple(cut), size)

    def features(self, embedding: ImageEmbedding) -> FeatureMap:
        """Return the encoder's features, (C, h, w), a cell for each 4 pixels of the scaled image."""
        return _feature_map(embedding.arrays[0][0], embedding)

    def mask_logits(self, mask: NDArray[np.bool_]) -> FloatArray:
        """Return logits (h, w) at half the resolution of what is encoded, sure inside and outside, even at the edge."""
        frame = _Frame.of((mask.shape[0], mask.shape[1]))
        scaled = _resized(mask.astype(np.float32)[:, :, None], frame.scaled)[:, :, 0]
        missing = [(0, padded - side) for side, padded in zip(frame.scaled, frame.padded)]
        share = _means(_means(np.pad(scaled, missing), _HALF, 0), _HALF, 1)
        return (np.float32(_SURE) * (2 * share - 1)).astype(np.float32)

    def _encode(self, image: ImageArray, frame: _Frame, progress: Progress) -> ImageEmbedding:
        check(progress)
        scaled = image if image.shape[:2] == frame.scaled else _resized(image.astype(np.float32), frame.scaled)
        height, width = frame.scaled
        feed = np.empty((1, 3, *frame.padded), dtype=np.float32)
        # one pass over the pixels from colours 0..255 to planes 0..1: this is paid with each view
        np.multiply(scaled.transpose(2, 0, 1), np.float32(1 / 255), out=feed[0, :, :height, :width])
        feed[0, :, height:, :width] = feed[0, :, height - 1 : height, :width]
        feed[0, :, :, width:] = feed[0, :, :, width - 1 : width]
        return ImageEmbedding(self._encoder.run({"image": feed}, ("embedding", "skip"), progress), frame.image_size)

    def decode(
        self, embedding: ImageEmbedding, prompts: PixelPrompts, *, previous: FloatArray | None, progress: Progress
    ) -> MaskPrediction:
        """Return the one candidate for the object that clicks, or a box, or both point at.

        Raises
        ------
        EmptyPromptError
            If there is neither an include point nor a box.
        UnsupportedPromptError
            If there is more than one box.
        """
        check(progress)
        frame = _Frame.of(embedding.image_size)
        features, skip = embedding.arrays
        points, labels, box = _in_frame(prompts, frame)
        if previous is None:
            previous = np.zeros(skip.shape[2:], dtype=np.float32)
        feeds = {
            "embedding": features,  # (1, C, H/4, W/4)
            "skip": skip,  # (1, C', H/2, W/2)
            "points": points[None],  # (1, N, 2)
            "labels": labels[None],  # (1, N)
            "box": box[None],  # (1, 5)
            "previous": previous[None, None],  # (1, 1, H/2, W/2)
        }
        logits, score = self._decoder.run(feeds, ("logits", "score"), progress)
        return MaskPrediction(logits[0], score[0], frame)


class StarterWithObjectness(StarterModel):
    """The starter model with the graph that tells where clicks are worth asking.

    Parameters
    ----------
    spec : ModelSpec
        Its catalogue entry.
    encoder, decoder, objectness : OnnxSession
        Its three graphs.

    Raises
    ------
    ModelFileError
        If a graph's inputs are not those of the starter model.
    """

    def __init__(self, spec: ModelSpec, encoder: OnnxSession, decoder: OnnxSession, objectness: OnnxSession) -> None:
        super().__init__(spec, encoder, decoder)
        _require_inputs(spec, objectness, _OBJECTNESS_INPUTS)
        self._objectness = objectness

    def objectness(self, embedding: ImageEmbedding, progress: Progress) -> FeatureMap:
        """Return the log-odds (1, h, w) that a click gives an object, a cell for each 4 pixels of the scaled image."""
        check(progress)
        (odds,) = self._objectness.run({"embedding": embedding.arrays[0]}, ("objectness",), progress)
        return _feature_map(odds[0], embedding)


class StarterFamily:
    """Loads the starter model."""

    def load(self, spec: ModelSpec, paths: tuple[str, ...], settings: RuntimeSettings) -> StarterModel:
        """Return the model whose encoder, decoder and, where there is a third file, objectness lie at ``paths``."""
        if len(paths) not in (2, 3):
            raise ModelFileError(
                f"Model '{spec.name}': the starter family takes 2 or 3 files, got {len(paths)}.",
                hint="Give the files of the encoder and the decoder, and that of the objectness if there is one.",
            )
        encoder, decoder, *rest = (OnnxSession.with_settings(path, settings) for path in paths)
        if rest:
            return StarterWithObjectness(spec, encoder, decoder, rest[0])
        return StarterModel(spec, encoder, decoder)


ENTRY = StarterFamily()


def _require_inputs(spec: ModelSpec, session: OnnxSession, expected: set[str]) -> None:
    """Raise :class:`ModelFileError` if a graph has other inputs."""
    if {tensor.name for tensor in session.inputs} != expected:
        raise ModelFileError(
            f"Model '{spec.name}': expected a graph with the inputs {', '.join(sorted(expected))}, "
            f"found {', '.join(str(tensor) for tensor in session.inputs)}.",
            hint="Give the files of the encoder, the decoder and the objectness in this order, all of one export.",
        )


def _feature_map(values: FloatArray, embedding: ImageEmbedding) -> FeatureMap:
    """Return what was made of each of the encoder's cells (C, h, w), without those of the padding."""
    rows, cols = embedding.image_size
    frame = _Frame.of(embedding.image_size)
    if values.shape[1:] != tuple(side // _FEATURES_STEP for side in frame.padded):
        # encoded as large as it was
        frame = _Frame(embedding.image_size, embedding.image_size)
    height, width = (-(-side // _FEATURES_STEP) for side in frame.scaled)
    step = (_FEATURES_STEP * cols / frame.scaled[1], _FEATURES_STEP * rows / frame.scaled[0])
    return FeatureMap(values[:, :height, :width], step)


def _in_frame(
    prompts: PixelPrompts, frame: _Frame
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return points (N, 2), labels (N,) and box (5,) as the decoder takes them, in scaled pixels."""
    if len(prompts.boxes) > 1:
        raise UnsupportedPromptError(
            f"The starter model takes one box for an object, got {len(prompts.boxes)}.",
            hint="Give each object its own box.",
        )
    if not len(prompts.boxes) and not len(prompts.include):
        raise EmptyPromptError("Nothing says where the object is.", hint="Add an include point or a box.")
    points, labels = prompts.points * frame.factors, prompts.labels.astype(np.float32)
    box = np.zeros(5, dtype=np.float32)
    if len(prompts.boxes):
        corners = prompts.boxes[0].reshape(2, 2) * frame.factors
        box[:4], box[4] = corners.ravel(), 1.0
        if not len(prompts.include):
            points = np.concatenate((points, corners.mean(axis=0, keepdims=True)))
            labels = np.append(labels, np.float32(_SOFT))
    return points.astype(np.float32), labels.astype(np.float32), box


def _resized(image: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Return an image (H, W, C) at another size: bilinear when enlarged, area means by whole pixels when reduced."""
    if image.shape[:2] == size:
        return image
    for axis, side in enumerate(size):
        whole = max(1, image.shape[axis] // side)
        step = image.shape[axis] / (whole * side)
        if whole > 1:
            image = _means(image, whole, axis)
        image = _blend(image, (np.arange(side, dtype=np.float32) + 0.5) * np.float32(step) - 0.5, axis)
    return image


def _means(array: NDArray[np.float32], count: int, axis: int) -> NDArray[np.float32]:
    """Return the means of each ``count`` neighbours along an axis; the last ones share the edge's value."""
    array = np.moveaxis(array, axis, 0)
    missing = -len(array) % count
    array = np.concatenate((array, np.repeat(array[-1:], missing, axis=0)))
    means = array.reshape(-1, count, *array.shape[1:]).mean(axis=1, dtype=np.float32)
    return np.moveaxis(means, 0, axis)


def _blend(array: NDArray[np.float32], places: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Return values at continuous indices along an axis, blended linearly and held at the ends."""
    last = array.shape[axis] - 1
    low = np.clip(np.floor(places).astype(int), 0, last)
    high = np.minimum(low + 1, last)
    share = np.clip(places - low, 0, 1).astype(np.float32)
    share = share.reshape([-1 if i == axis else 1 for i in range(array.ndim)])
    blended: NDArray[np.float32] = array.take(low, axis) * (1 - share) + array.take(high, axis) * share
    return blended
