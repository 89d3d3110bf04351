"""What a segmentation model is: its files, what it takes, and the two calls that turn an image into masks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..progress import Progress
from ..prompts.prompt import PixelPrompts
from ..raster.grid import Window
from ..remote.address import Servers

ImageArray = NDArray[np.uint8]
FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class ModelFile:
    """One weights file."""

    filename: str
    """Its name in the weights folder, or in resources/models when it is ``bundled``; the whole path of a file that the
    user registered where it lies."""
    sha256: str
    """Expected digest in lower-case hex; empty only for a file that the user registered without one."""
    size: int
    """Expected size in bytes; 0 where it is not known."""
    url: str = ""
    """Where it can be fetched; empty for a file that comes with the plugin, or that the user registered."""
    bundled: bool = False
    """True if it comes with the plugin."""


@dataclass(frozen=True)
class LookPolicy:
    """How the session places its chips for a model: found by measurement, see benchmarks/."""

    chip_px: int
    """Side of the chip that is read around the prompts, in pixels."""
    scales: tuple[float, ...] = (1.0,)
    """Ground widths, relative to the first chip, that are tried for a click; the best prediction wins."""
    zoom_in: bool = False
    """Look a second time at the found object's own window."""
    snap_px: int = 0
    """Within how many pixels of the chip the outline is drawn to edges of the image; 0 leaves it where it is."""
    box_margin: float | None = None
    """Ground on each side of a box, as a share of its longer side, that is looked at with it; None for the chip's whole
    width, or just enough around a larger box."""


@dataclass(frozen=True)
class CertaintyPolicy:
    """Which answers of a model are objects where nobody looks at them: measured, or as the model's authors say."""

    min_score: float = 0.8
    """Least predicted IoU."""
    stability_offset: float = 1.0
    """Logits that the threshold is moved by, up and down, to see how firm an outline is: a step that its logits notice
    at all outlines, and survive at good ones."""
    min_stability: float = 0.92
    """Least IoU of the masks at the higher and the lower threshold."""


@dataclass(frozen=True)
class ModelSpec:
    """An entry of the catalogue: everything known about a model before its weights are opened."""

    name: str
    """Constant identifier, e.g. "starter" or "mobile_sam"."""
    title: str
    """What people read."""
    family: str
    """Name of the family that runs it."""
    accepts: frozenset[str]
    """What it takes: prompt kinds of a click model ("point", "box", "shape"), "words", "example" or "everything"."""
    files: tuple[ModelFile, ...]
    """Its weights, in the order that the family asks for (encoder, decoder)."""
    input_size_px: int
    """Longest side of the image that its encoder works at."""
    licence: str
    """SPDX identifier of the weights, or the licence's name."""
    citation_url: str
    """Page that describes the model."""
    look: LookPolicy = field(default_factory=lambda: LookPolicy(1024))
    """How the session looks at an object with it."""
    certainty: CertaintyPolicy = field(default_factory=CertaintyPolicy)
    """Which of its answers to points that nobody chose are objects."""
    traits: frozenset[str] = frozenset()
    """What its family can't see in the graph, in the family's own words, e.g. {"nonorm"}."""
    server: str = ""
    """The server that runs it ("samgeo" or "samgis"); empty for a model that runs on this machine."""
    fetches_map: bool = False
    """True if the server fetches the map by itself: it is told places and takes no pixels, so no session can run it."""
    must_accept: bool = False
    """True if its licence has to be read and accepted before its weights are fetched or used."""
    licence_url: str = ""
    """Where the licence's text can be read; empty for those that everybody knows."""
    confidence: float = 0.5
    """Score from which what a model of words finds is mostly right, as its authors say: the threshold to propose."""

    @property
    def nbytes(self) -> int:
        """Size of all its files together; 0 where that of one is not known."""
        sizes = [file.size for file in self.files]
        return sum(sizes) if all(sizes) else 0

    @property
    def weights_sha256(self) -> str:
        """One digest over all weights files, in their order: a single file's own, else that of the digests together."""
        digests = [file.sha256 for file in self.files]
        if len(digests) == 1:
            return digests[0]
        return hashlib.sha256("\n".join(digests).encode("ascii")).hexdigest()


@dataclass(frozen=True)
class RuntimeSettings:
    """Where and how models are run: what the user may choose about machines, never about the result."""

    threads: int | None = None
    """Threads of one run; None leaves a core free for the rest of the machine."""
    provider: str = "auto"
    """Where graphs run: "auto" (CUDA where onnxruntime offers it, else CPU), "cpu", "cuda", "directml", ..."""
    servers: Servers | None = None
    """Where remote models run; None for what the environment says."""


@dataclass(frozen=True)
class ImageEmbedding:
    """An encoded image. Opaque outside the family that made it."""

    arrays: tuple[NDArray[Any], ...]
    """The encoder's outputs, in the family's order."""
    image_size: tuple[int, int]
    """(H, W) of the image that was encoded."""

    @property
    def nbytes(self) -> int:
        """Memory that the arrays take."""
        return int(sum(array.nbytes for array in self.arrays))


class LogitUpsampler(Protocol):
    """Knows how a family's low-resolution logits lie on the image."""

    def full(self, logits: FloatArray) -> FloatArray:
        """Return logits (H, W) at image size from one low-resolution map (h, w)."""

    def at(self, logits: FloatArray, points: NDArray[np.float32]) -> FloatArray:
        """Return logits (K, N) of K low-resolution maps (K, h, w) at N continuous image pixels (N, 2)."""


@dataclass(frozen=True)
class MaskPrediction:
    """The model's candidates for one object. Full-size masks are made only for the candidate that is used."""

    low_res_logits: FloatArray
    """(K, h, w) in the model's own frame; one of them can go back as ``previous``."""
    scores: FloatArray
    """(K,) predicted IoU of each candidate, as the model gives it."""
    upsampler: LogitUpsampler
    """Brings the logits to the image."""
    mask_threshold: float = 0.0
    """A pixel belongs to the object where its logit is greater."""

    def logits(self, index: int) -> FloatArray:
        """Return the full-size logits (H, W) of candidate ``index``."""
        return self.upsampler.full(self.low_res_logits[index])

    def mask(self, index: int) -> NDArray[np.bool_]:
        """Return the full-size mask (H, W) of candidate ``index``."""
        mask: NDArray[np.bool_] = self.logits(index) > self.mask_threshold
        return mask

    def inside(self, points: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return, for each candidate and each continuous pixel (N, 2), whether it lies in the mask: bool (K, N)."""
        inside: NDArray[np.bool_] = self.upsampler.at(self.low_res_logits, points) > self.mask_threshold
        return inside


class LoadedModel(Protocol):
    """What every loaded model says of itself, whatever it takes."""

    @property
    def spec(self) -> ModelSpec:
        """Its catalogue entry."""

    @property
    def weights_sha256(self) -> str:
        """One digest over all its weights files: what identifies the model in provenance and caches."""

    @property
    def preprocess_version(self) -> int:
        """Raised by the family whenever the same image would give another embedding."""


@runtime_checkable
class SegmentationModel(LoadedModel, Protocol):
    """A loaded click model. May be called from any one thread at a time; a call stops when it is cancelled."""

    @property
    def takes_previous(self) -> bool:
        """True if ``previous`` changes what ``decode`` gives; False if it takes no notice of it."""

    def encode(self, image: ImageArray, progress: Progress) -> ImageEmbedding:
        """Return the embedding of an RGB image (H, W, 3) uint8.

        Raises
        ------
        ModelRunError
            If the graph fails.
        Cancelled
            If the user asked to stop.
        """

    def decode(
        self, embedding: ImageEmbedding, prompts: PixelPrompts, *, previous: FloatArray | None, progress: Progress
    ) -> MaskPrediction:
        """Return the candidates for one object.

        Parameters
        ----------
        embedding : ImageEmbedding
            From this model's own ``encode``.
        prompts : PixelPrompts
            In pixels of the encoded image.
        previous : ndarray or None
            Low-resolution logits (h, w) of the candidate chosen in the round before, to be refined; without effect
            where ``takes_previous`` is False.
        progress : Progress
            Asked for cancellation.

        Raises
        ------
        EmptyPromptError
            If nothing locates the object.
        UnsupportedPromptError
            If the model can't take this combination (for example two boxes).
        ModelRunError
            If the graph fails.
        Cancelled
            If the user asked to stop.
        """

    def mask_logits(self, mask: NDArray[np.bool_]) -> FloatArray:
        """Return low-resolution logits (h, w) that say what a mask (H, W) of an image says, to give as ``previous``."""


@runtime_checkable
class DecodesParts(Protocol):
    """What a model offers beside :class:`SegmentationModel` if parts of a large encoded image can be decoded.

    A convolutional encoder can do that: a whole canvas is encoded once, and each click is answered from the window
    around it. Attention over a fixed frame can't.
    """

    @property
    def part_step_px(self) -> int:
        """What windows given to ``part`` begin at multiples of, in pixels."""

    def encode_whole(self, image: ImageArray, progress: Progress) -> ImageEmbedding:
        """Return the embedding of a large RGB image (H, W, 3) uint8, of which ``part`` gives windows.

        It is never scaled. Raises like ``encode``.
        """

    def part(self, whole: ImageEmbedding, window: Window) -> ImageEmbedding:
        """Return what ``decode`` takes for a window of an image that ``encode_whole`` encoded.

        Parameters
        ----------
        whole : ImageEmbedding
            From this model's own ``encode_whole``.
        window : Window
            In pixels of that image: begins at multiples of ``part_step_px``; each side is a multiple of 32, or reaches
            the image's end.
        """


class ModelFamily(Protocol):
    """How models of one kind are loaded; each family module defines NAME and ENTRY, an instance of this."""

    def load(self, spec: ModelSpec, paths: tuple[str, ...], settings: RuntimeSettings) -> LoadedModel:
        """Return the model whose weights lie at ``paths``, one for each of ``spec.files``, already verified.

        What it can do beside the calls of :class:`LoadedModel` is told by its type: clicks
        (:class:`SegmentationModel`), or what ``finding`` lists.

        The digests in ``spec.files`` are those of the very files, so ``spec.weights_sha256`` identifies them.

        Raises
        ------
        DependencyError
            If onnxruntime is missing.
        ModelFileError
            If a graph's inputs or outputs are not this family's; the message names those that were found.
        """
