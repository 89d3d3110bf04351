"""What finds many objects in one image: the words, examples and wholes that models take, and what they give back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Union, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..progress import Progress
from ..raster.grid import Window
from .model import FloatArray, ImageArray, ImageEmbedding, LoadedModel

NAN = float("nan")


@dataclass(frozen=True)
class FoundMask:
    """An object of an image."""

    window: Window
    """The pixels of the image that enclose it."""
    mask: NDArray[np.bool_]
    """(window.height, window.width): which of them belong to it. At least one does."""
    score: float
    """How sure the model is, 0 to 1; NaN where it does not say."""
    label: str = ""
    """The phrase or class that it is one of."""
    stability: float = NAN
    """IoU of its masks at a higher and a lower threshold, 0 to 1; NaN where it was not taken."""
    similarity: float = NAN
    """How like the examples it is, 0 to 1; NaN where there are none."""
    prompt: str = ""
    """What it was asked for with, where that is not the same for all, e.g. "+12.5,7.5" in pixels of the image."""
    is_vague: bool = False
    """True for what the model itself takes for no object, and that is wanted nevertheless: it must change no other."""

    def __post_init__(self) -> None:
        if self.mask.dtype != np.bool_ or self.mask.shape != (self.window.height, self.window.width):
            raise ValueError(
                f"FoundMask.mask: expected bool {(self.window.height, self.window.width)}, "
                f"got {self.mask.dtype} {self.mask.shape}"
            )


@dataclass(frozen=True)
class FoundBox:
    """A box around an object of an image."""

    box: tuple[float, float, float, float]
    """(left, top, right, bottom) in continuous pixels of the image, within it."""
    score: float
    """How sure the model is, 0 to 1."""
    label: str
    """The phrase that it is one of."""


@dataclass(frozen=True)
class HeatMap:
    """How much each part of an image is what a phrase says."""

    label: str
    """The phrase."""
    values: FloatArray
    """(h, w) 0 to 1, float32: cells of equal size that together cover the image exactly."""
    threshold: float = 0.5
    """Where the model itself draws the line."""


Finding = Union[FoundMask, FoundBox, HeatMap]
"""What a word model gives: always the same kind from the same model."""


@runtime_checkable
class WordModel(LoadedModel, Protocol):
    """A loaded model that takes words. May be called from any one thread at a time."""

    def require_known(self, phrases: Sequence[str]) -> None:
        """Raise :class:`UnsupportedPromptError` if it can't take one of the phrases; the message lists what it takes.

        A model with an open vocabulary refuses only what is empty or too long for it.
        """

    def find(self, image: ImageArray, phrases: Sequence[str], progress: Progress) -> list[Finding]:
        """Return what is found of each phrase in an RGB image (H, W, 3) uint8, down to low scores.

        What is found does not depend on a confidence threshold: callers drop what is below theirs, so that another
        threshold needs no new run. One phrase's answer does not depend on the other phrases.

        Raises
        ------
        UnsupportedPromptError
            As :meth:`require_known`.
        ModelRunError, ServerUnavailableError, ServerBusyError
            If the graph fails, or the server does not answer.
        Cancelled
            If the user asked to stop.
        """


@runtime_checkable
class ClosedVocabulary(Protocol):
    """What a word model offers beside its other calls if it knows a few words, and phrases are names of them."""

    def meaning(self, phrase: str) -> str:
        """Return the word that it takes a phrase for: phrases of the same word are answered alike.

        Raises
        ------
        EmptyPromptError, UnsupportedPromptError
            If it takes it for none.
        """


@runtime_checkable
class ExampleModel(Protocol):
    """What a loaded model offers beside its other calls if it finds what is like examples by itself."""

    def find_like(
        self, image: ImageArray, boxes: NDArray[np.float32], wanted: NDArray[np.bool_], progress: Progress
    ) -> list[FoundMask]:
        """Return the objects of an image that are like those in boxes.

        Parameters
        ----------
        image : ndarray (H, W, 3) uint8
            RGB.
        boxes : ndarray (N, 4) float32
            (left, top, right, bottom) of examples in continuous pixels of the image.
        wanted : ndarray (N,) bool
            False for counter-examples.
        progress : Progress
            Asked for cancellation.
        """


@runtime_checkable
class AutomaticModel(Protocol):
    """What a loaded model offers beside its other calls if it finds all objects by itself (a server's "automatic")."""

    def find_all(self, image: ImageArray, progress: Progress) -> list[FoundMask]:
        """Return all objects of an RGB image (H, W, 3) uint8; they may overlap."""


@dataclass(frozen=True)
class FeatureMap:
    """What an encoder makes of each cell of an image."""

    values: FloatArray
    """(C, h, w) float32, a view into the embedding or a copy; not normalised."""
    step_px: tuple[float, float]
    """Image pixels for each cell, along x and y; cell (0, 0) begins at the image's corner. Cells beyond the image
    (padding) are left out."""


@runtime_checkable
class GivesObjectness(Protocol):
    """What a click model offers beside its other calls if it can tell beforehand which clicks are worth asking."""

    def objectness(self, embedding: ImageEmbedding, progress: Progress) -> FeatureMap:
        """Return of an image that this model encoded, for each cell, the log-odds (1, h, w) that there is an object.

        That is: that a click there is answered with a whole object of which the model is sure, at once or when it is
        asked again with its own answer.

        Raises
        ------
        ModelRunError
            If the graph fails.
        Cancelled
            If the user asked to stop.
        """


@runtime_checkable
class GivesFeatures(Protocol):
    """What a click model offers beside its other calls if its embedding says what each part of an image looks like."""

    def features(self, embedding: ImageEmbedding) -> FeatureMap:
        """Return the features of an image that this model's ``encode`` (or ``encode_whole``) encoded."""
