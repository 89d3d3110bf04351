"""Segment Anything (SAM-1) and the models that keep its frame and its prompts: MobileSAM, EfficientViT-SAM, ...

Which candidates are offered depends on how much the prompts say. The decoder has four masks: token 0 for prompts that
say enough, and tokens 1 to 3 for the whole, a part and a part of a part.

- One include click and nothing else can mean several objects: tokens 1 to 3 are the candidates.
- Otherwise token 0 is the answer, unless it breaks a click; then all four are candidates, so that the caller can take
  the one that breaks fewest.

A decoder that gives another number of masks has chosen by itself, and all of them are candidates.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import EmptyPromptError, ModelFileError, ModelRunError, PromptError, UnsupportedPromptError
from ...progress import Progress
from ...prompts.prompt import PixelPrompts
from ..finding import FeatureMap
from ..model import (
    FloatArray,
    ImageArray,
    ImageEmbedding,
    MaskPrediction,
    ModelSpec,
    RuntimeSettings,
    SegmentationModel,
)
from ..onnx_session import OnnxSession
from ..resample import resize
from ..sam_flavour import EncoderSpec, Layout, ScoreKind, detect_decoder, detect_encoder
from ..sam_frame import FRAME_PX, LOW_RES_PX, SamFrame
from ..upsample import SeparableUpsampler, bilinear

NAME = "sam"
_MEAN = np.array([123.675, 116.28, 103.53], np.float32)
_STD = np.array([58.395, 57.12, 57.375], np.float32)
_MASK_TOKENS = 4
_BOX_START, _BOX_END, _PADDING = 2.0, 3.0, -1.0
_STABILITY_OFFSET = 1.0
_SURE = 8.0
"""Logit of what a given mask is sure of."""


class SamModel:
    """A loaded model of the SAM-1 frame.

    Parameters
    ----------
    spec : ModelSpec
        Its catalogue entry.
    encoder, decoder : OnnxSession
        Its two graphs, in any export flavour that :mod:`..sam_flavour` tells.

    Raises
    ------
    ModelFileError
        If a graph is none of them.
    """

    preprocess_version = 1

    def __init__(self, spec: ModelSpec, encoder: OnnxSession, decoder: OnnxSession) -> None:
        self._spec = spec
        self._encoder = encoder
        self._decoder = decoder
        self.encoder_spec = detect_encoder(
            encoder.inputs, encoder.outputs, size_px=spec.input_size_px, traits=spec.traits
        )
        self.decoder_spec = detect_decoder(decoder.inputs, decoder.outputs)
        self._latest: tuple[tuple[int, int], SeparableUpsampler] | None = None

    @property
    def spec(self) -> ModelSpec:
        """Its catalogue entry."""
        return self._spec

    @property
    def weights_sha256(self) -> str:
        """Digest over its weights files."""
        return self._spec.weights_sha256

    @property
    def takes_previous(self) -> bool:
        """True if the decoder has a mask prompt: EdgeSAM's and EfficientViT-SAM's exports have none."""
        return self.decoder_spec.takes_mask

    def encode(self, image: ImageArray, progress: Progress) -> ImageEmbedding:
        """Return the embedding of an RGB image (H, W, 3) uint8: one array, float32 (1, 256, 64, 64)."""
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f"SamModel.encode: expected an (H, W, 3) uint8 image, got {image.shape} {image.dtype}")
        size = (image.shape[0], image.shape[1])
        feed = prepare_image(image, self.encoder_spec)
        (embedding,) = self._encoder.run({self.encoder_spec.input: feed}, [self.encoder_spec.output], progress)
        return ImageEmbedding((embedding,), size)

    def features(self, embedding: ImageEmbedding) -> FeatureMap:
        """Return the embedding's own channels, (256, h, w), a cell for each 16 pixels of the frame."""
        values = embedding.arrays[0][0].astype(np.float32, copy=False)
        height, width = SamFrame(embedding.image_size).resized
        cell = FRAME_PX / values.shape[1]
        rows, cols = math.ceil(height / cell), math.ceil(width / cell)
        step = (cell * embedding.image_size[1] / width, cell * embedding.image_size[0] / height)
        return FeatureMap(values[:, :rows, :cols], step)

    def decode(
        self, embedding: ImageEmbedding, prompts: PixelPrompts, *, previous: FloatArray | None, progress: Progress
    ) -> MaskPrediction:
        """Return the candidates for one object; see the module for which they are, and the protocol for the rest."""
        _require_usable(prompts, self._spec.title)
        frame = SamFrame(embedding.image_size)
        outputs = [self.decoder_spec.logits, self.decoder_spec.scores]
        logits, scores = self._decoder.run(self._feeds(embedding, prompts, previous, frame), outputs, progress)
        low_res = logits[0].astype(np.float32, copy=False)  # (K, 256, 256)
        given = scores[0].astype(np.float32, copy=False)  # (K,)
        if not (np.isfinite(low_res).all() and np.isfinite(given).all()):
            raise ModelRunError(
                f"The model '{self._spec.name}' gave masks that are no numbers.",
                hint="Run it on the CPU, or use a model whose weights are not halved in precision.",
            )
        if self.decoder_spec.score_kind is ScoreKind.STABILITY:
            given = _stability(low_res[(slice(None), *frame.low_res_inside)])
        upsampler = self._upsampler(frame)
        kept = _candidates(low_res, prompts, upsampler, refining=self.takes_previous and previous is not None)
        return MaskPrediction(low_res[kept], given[kept], upsampler)

    def mask_logits(self, mask: NDArray[np.bool_]) -> FloatArray:
        """Return logits (256, 256) of a mask (H, W) in the frame, the padding outside."""
        rows, cols = SamFrame((mask.shape[0], mask.shape[1])).low_res_inside
        reduced = SeparableUpsampler(bilinear(mask.shape[0], rows.stop), bilinear(mask.shape[1], cols.stop))
        logits = np.full((LOW_RES_PX, LOW_RES_PX), -_SURE, np.float32)
        logits[rows, cols] = _SURE * (2 * reduced.full(mask.astype(np.float32)) - 1)
        return logits

    def _feeds(
        self, embedding: ImageEmbedding, prompts: PixelPrompts, previous: FloatArray | None, frame: SamFrame
    ) -> dict[str, NDArray[Any]]:
        points, labels = encode_prompts(prompts, frame)
        feeds: dict[str, NDArray[Any]] = {
            "image_embeddings": embedding.arrays[0],
            "point_coords": points[None],
            "point_labels": labels[None],
        }
        if self.decoder_spec.takes_mask:
            # The graph multiplies by has_mask_input: anything but exactly 0 or 1 would mix both meanings.
            mask = np.zeros((LOW_RES_PX, LOW_RES_PX), np.float32) if previous is None else previous
            if mask.shape != (LOW_RES_PX, LOW_RES_PX):
                raise ValueError(f"SamModel.decode: expected (256, 256) previous logits, got {mask.shape}")
            feeds["mask_input"] = mask[None, None]
            feeds["has_mask_input"] = np.array([0.0 if previous is None else 1.0])
        if self.decoder_spec.takes_size:
            # Only the low-resolution logits are read, so the graph is asked for the cheapest masks of the right shape.
            feeds["orig_im_size"] = np.array(frame.resized)
        return {name: np.asarray(feeds[name], dtype) for name, dtype in self.decoder_spec.dtypes}

    def _upsampler(self, frame: SamFrame) -> SeparableUpsampler:
        """Return the frame's upsampler; the last one is kept, because clicks follow each other on one image."""
        if self._latest is None or self._latest[0] != frame.image_size:
            self._latest = (frame.image_size, frame.upsampler())
        return self._latest[1]


class SamFamily:
    """Loads models of the SAM-1 frame from an encoder and a decoder graph."""

    def load(self, spec: ModelSpec, paths: tuple[str, ...], settings: RuntimeSettings) -> SegmentationModel:
        """Return the model whose encoder and decoder lie at ``paths``."""
        if len(paths) != 2:
            raise ModelFileError(
                f"The model '{spec.name}' has {len(paths)} files, expected 2.", hint="Name an encoder and a decoder."
            )
        encoder, decoder = (OnnxSession.with_settings(path, settings) for path in paths)
        return SamModel(spec, encoder, decoder)


def prepare_image(image: ImageArray, encoder: EncoderSpec) -> NDArray[Any]:
    """Return what an encoder takes for an image (H, W, 3) uint8: resized, normalised, only then padded with zeros."""
    frame = SamFrame((image.shape[0], image.shape[1]), encoder.size_px)
    resized = resize(image, frame.resized)
    if encoder.layout is Layout.ROWS_COLS_BANDS:
        return resized.astype(encoder.dtype)
    height, width = (encoder.size_px, encoder.size_px) if encoder.padded else frame.resized
    feed = np.zeros((1, 3, height, width), encoder.dtype)
    for band in range(3):
        plane: NDArray[Any] = resized[:, :, band]
        if encoder.normalised:
            # 256 possible values: a table costs less than arithmetic on each pixel, and gives the same numbers.
            plane = ((np.arange(256, dtype=np.float32) - _MEAN[band]) / _STD[band])[plane]
        feed[0, band, : frame.resized[0], : frame.resized[1]] = plane
    return feed


def encode_prompts(prompts: PixelPrompts, frame: SamFrame) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a decoder's points (N, 2) and labels (N,): clicks, then the box's two corners or else a padding point."""
    clicks = frame.to_frame(prompts.points)
    labels = prompts.labels.astype(np.float32)
    if len(prompts.boxes):
        corners = frame.to_frame(prompts.boxes.reshape(2, 2))
        return np.concatenate([clicks, corners]), np.append(labels, np.array([_BOX_START, _BOX_END], np.float32))
    # What the decoder was trained with: a box takes this point's place.
    return np.append(clicks, np.zeros((1, 2), np.float32), axis=0), np.append(labels, np.float32(_PADDING))


def _require_usable(prompts: PixelPrompts, title: str) -> None:
    if len(prompts.boxes) > 1:
        raise UnsupportedPromptError(
            f"{title} takes one box for an object, and got {len(prompts.boxes)}.",
            hint="Give each box as an object of its own.",
        )
    if not len(prompts.boxes) and not len(prompts.include):
        raise EmptyPromptError("Nothing says where the object is.", hint="Add an include point or a box on the object.")
    if not (np.isfinite(prompts.points).all() and np.isfinite(prompts.boxes).all()):
        raise PromptError("A prompt's coordinates are no numbers.", hint="Give finite coordinates.")


def _candidates(
    low_res: FloatArray, prompts: PixelPrompts, upsampler: SeparableUpsampler, *, refining: bool
) -> list[int]:
    """Return which of the decoder's masks are offered."""
    everything = list(range(len(low_res)))
    if len(low_res) != _MASK_TOKENS:
        return everything
    if len(prompts.points) == 1 and not len(prompts.boxes) and not refining:
        return everything[1:]
    obeyed = (upsampler.at(low_res[:1], prompts.points)[0] > 0.0) == (prompts.labels == 1)
    return [0] if obeyed.all() else everything


def _stability(low_res: FloatArray) -> FloatArray:
    """Return for each map (K, h, w) how much of the mask at a lower threshold remains at a higher one, (K,)."""
    strict = (low_res > _STABILITY_OFFSET).sum(axis=(1, 2))
    loose = (low_res > -_STABILITY_OFFSET).sum(axis=(1, 2))
    stability: FloatArray = (strict / np.maximum(loose, 1)).astype(np.float32)
    return stability


ENTRY = SamFamily()
