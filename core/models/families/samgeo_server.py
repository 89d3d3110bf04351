"""Models that a samgeo server runs: SAM, SAM 2 and SAM 3, asked over the network by clicks, boxes, words or examples.

The server keeps nothing between requests that could be decoded again, so the embedding is the image itself, and each
new question is a request with the image in it. The last answers are kept: a question that is repeated costs none.
"""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import EmptyPromptError, ServerUnavailableError, SettingsError, UnsupportedPromptError
from ...progress import Progress, SubProgress, check
from ...prompts.prompt import PixelPrompts
from ...remote.address import SAMGEO_VARIABLES, ServerAddress, Servers
from ...remote.samgeo import CONFIDENCE, SamgeoClient, SamgeoModel, Upload, upload_of
from ...remote.samgeo_answer import RemoteObject
from ..embedding import image_digest
from ..finding import Finding, FoundMask
from ..model import FloatArray, ImageArray, ImageEmbedding, LoadedModel, MaskPrediction, ModelSpec, RuntimeSettings

NAME = "samgeo_server"
WORDS_VERSION = "sam3"
"""The one version that takes words and boxes: with the others the server drops boxes without a word."""
_LONGEST_PHRASE = 200
_IN_THE_BOX = 0.2
"""Least IoU of an object's extent with a box that is drawn around it."""
_SAME_PLACE = 0.5
"""Least IoU with a counter-example's box of an object that is left out for it."""
_KEPT_ANSWERS = 16


@dataclass(frozen=True)
class _FullSize:
    """Logits that have the image's size already."""

    def full(self, logits: FloatArray) -> FloatArray:
        """Return them as they are."""
        return logits

    def at(self, logits: FloatArray, points: NDArray[np.float32]) -> FloatArray:
        """Return logits (K, N) of K maps (K, H, W) in the pixels that hold N continuous points (N, 2)."""
        last = np.array(logits.shape[:0:-1]) - 1
        cols, rows = np.clip(np.floor(points).astype(np.intp), 0, last).T
        values: FloatArray = logits[:, rows, cols]
        return values


class SamgeoPoints:
    """A model of a samgeo server that takes clicks, and finds everything by itself: SAM and SAM 2.

    Parameters
    ----------
    spec : ModelSpec
        Its catalogue entry.
    client : SamgeoClient
        Asks the server with this model.
    identity : str
        What identifies the model, as hex; see :func:`identity_of`.
    """

    preprocess_version = 1
    takes_previous = False
    """The server takes no mask."""

    def __init__(self, spec: ModelSpec, client: SamgeoClient, identity: str) -> None:
        self._spec, self._client, self._identity = spec, client, identity
        self._answers: OrderedDict[tuple[object, ...], list[RemoteObject]] = OrderedDict()

    @property
    def spec(self) -> ModelSpec:
        """Its catalogue entry."""
        return self._spec

    @property
    def weights_sha256(self) -> str:
        """Digest of the model's name at the server, which does not tell one of its weights."""
        return self._identity

    def encode(self, image: ImageArray, progress: Progress) -> ImageEmbedding:
        """Return the image (H, W, 3) uint8 itself; nothing is asked of the server."""
        check(progress)
        return ImageEmbedding((image.copy(),), (image.shape[0], image.shape[1]))

    def decode(
        self, embedding: ImageEmbedding, prompts: PixelPrompts, *, previous: FloatArray | None, progress: Progress
    ) -> MaskPrediction:
        """Return the candidates for one object; ``previous`` has no effect.

        Raises
        ------
        EmptyPromptError
            If nothing locates the object.
        UnsupportedPromptError
            If there is a box that the model can't take, or more than one.
        ServerUnavailableError, ServerBusyError, ModelRunError
            If the server gives no usable answer.
        StoppedWaiting, Cancelled
            If the user asked to stop.
        """
        check(progress)
        self._require_usable(prompts)
        image: ImageArray = embedding.arrays[0]
        return _prediction(self._candidates(image, prompts, progress), embedding.image_size)

    def mask_logits(self, mask: NDArray[np.bool_]) -> FloatArray:
        """Return logits (H, W): 1 in the mask, -1 elsewhere."""
        return np.where(mask, np.float32(1.0), np.float32(-1.0))

    def find_all(self, image: ImageArray, progress: Progress) -> list[FoundMask]:
        """Return all objects that the server finds in an RGB image (H, W, 3) uint8."""
        check(progress)
        found = self._asked(("all",), image, lambda upload: self._client.automatic(upload, progress))
        return [FoundMask(one.window, one.mask, one.score) for one in found]

    def _require_usable(self, prompts: PixelPrompts) -> None:
        boxes = len(prompts.boxes)
        if boxes and "box" not in self._spec.accepts:
            raise UnsupportedPromptError(
                f"The model '{self._spec.name}' takes no boxes: the server drops them.",
                hint="Click on the object, or choose samgeo_sam3 or a local model.",
            )
        if boxes > 1:
            raise UnsupportedPromptError(
                f"The model '{self._spec.name}' takes one box for an object, got {boxes}.",
                hint="Give each object its own box.",
            )
        if not boxes and not len(prompts.include):
            raise EmptyPromptError("Nothing says where the object is.", hint="Add an include point or a box.")

    def _candidates(self, image: ImageArray, prompts: PixelPrompts, progress: Progress) -> list[RemoteObject]:
        return self._clicked(image, prompts.points, prompts.labels, progress)

    def _clicked(
        self, image: ImageArray, points: NDArray[np.float32], labels: NDArray[np.int8], progress: Progress
    ) -> list[RemoteObject]:
        question = ("points", points.tobytes(), labels.tobytes())
        return self._asked(question, image, lambda upload: self._client.points(upload, points, labels, progress))

    def _asked(
        self, question: tuple[object, ...], image: ImageArray, ask: Callable[[Upload], list[RemoteObject]]
    ) -> list[RemoteObject]:
        """Return the answer to a question about an image, from memory if it was asked lately."""
        key = (*question, image_digest(image))
        if key not in self._answers:
            self._answers[key] = ask(upload_of(image))
            while len(self._answers) > _KEPT_ANSWERS:
                self._answers.popitem(last=False)
        self._answers.move_to_end(key)
        return self._answers[key]


class SamgeoConcepts(SamgeoPoints):
    """A model of a samgeo server that takes words, and boxes as examples, too: SAM 3.

    A box is an example to it: it returns everything that is like what is in the box. Of that the object in the box is
    the answer to a box prompt. Clicks that correct it choose among what fits the box; only if nothing there obeys them
    is the server asked again, with clicks alone, because it takes no notice of clicks beside a box.
    """

    def require_known(self, phrases: Sequence[str]) -> None:
        """Raise :class:`UnsupportedPromptError` for a phrase that is empty or very long; any other may be asked."""
        for phrase in phrases:
            if not phrase.strip() or len(phrase) > _LONGEST_PHRASE:
                raise UnsupportedPromptError(
                    f"The model '{self._spec.name}' can't look for '{phrase[:40]}' ({len(phrase)} characters).",
                    hint=f"Give a short phrase of 1 to {_LONGEST_PHRASE} characters, for example 'swimming pool'.",
                )

    def find(self, image: ImageArray, phrases: Sequence[str], progress: Progress) -> list[Finding]:
        """Return what the server finds of each phrase, one request for each."""
        self.require_known(phrases)
        found: list[Finding] = []
        for number, phrase in enumerate(phrases):
            check(progress)
            part = SubProgress(progress, number / len(phrases), (number + 1) / len(phrases))
            answer = self._asked(("words", phrase), image, self._for_words(phrase, part))
            found.extend(FoundMask(one.window, one.mask, one.score, label=phrase) for one in answer)
        return found

    def find_like(
        self, image: ImageArray, boxes: NDArray[np.float32], wanted: NDArray[np.bool_], progress: Progress
    ) -> list[FoundMask]:
        """Return the objects that are like those in boxes (N, 4) with ``wanted`` (N,).

        The server knows no counter-examples: what lies where one of them does is left out here.

        Raises
        ------
        EmptyPromptError
            If no box is wanted.
        """
        check(progress)
        if not wanted.any():
            raise EmptyPromptError("There is no example, only counter-examples.", hint="Give an example, too.")
        answer = self._boxed(image, boxes[wanted], progress)
        kept = [one for one in answer if all(_box_iou(one, box) < _SAME_PLACE for box in boxes[~wanted])]
        return [FoundMask(one.window, one.mask, one.score, similarity=one.score) for one in kept]

    def _for_words(self, phrase: str, progress: Progress) -> Callable[[Upload], list[RemoteObject]]:
        return lambda upload: self._client.text(upload, phrase, progress)

    def _boxed(self, image: ImageArray, boxes: NDArray[np.float32], progress: Progress) -> list[RemoteObject]:
        question = ("boxes", boxes.tobytes())
        return self._asked(question, image, lambda upload: self._client.boxes(upload, boxes, progress))

    def _candidates(self, image: ImageArray, prompts: PixelPrompts, progress: Progress) -> list[RemoteObject]:
        if not len(prompts.boxes):
            return super()._candidates(image, prompts, progress)
        box = prompts.boxes[0]
        fits = [(_box_iou(one, box), one) for one in self._boxed(image, box[None], progress)]
        near = [one for fit, one in sorted(fits, key=lambda pair: -pair[0]) if fit >= _IN_THE_BOX]
        obeying = [one for one in near if _obeys(one, prompts)]
        if obeying:
            # Alone: the score says how sure the model is of an object, not that it is the one in the box.
            return obeying[:1]
        points, labels = prompts.points, prompts.labels
        if not len(prompts.include):
            middle = _inside(near[0]) if near else box.reshape(2, 2).mean(axis=0)
            points, labels = np.concatenate([points, middle[None]]), np.append(labels, np.int8(1))
        return [*self._clicked(image, points.astype(np.float32), labels, progress), *near[:1]]


class SamgeoFamily:
    """Makes the models of a samgeo server. Nothing is asked of the server before the first prompt."""

    def load(self, spec: ModelSpec, paths: tuple[str, ...], settings: RuntimeSettings) -> LoadedModel:
        """Return the model; ``paths`` is empty, for the weights are the server's.

        Raises
        ------
        ServerUnavailableError
            If no server is set up.
        SettingsError
            If the server's address or its model can't be understood.
        """
        servers = settings.servers if settings.servers is not None else Servers.from_environment()
        address = _require_address(servers, spec)
        model = model_of(spec, servers)
        made = SamgeoConcepts if model.version == WORDS_VERSION else SamgeoPoints
        return made(spec, SamgeoClient(address, model), identity_of(model))


ENTRY = SamgeoFamily()


def model_of(spec: ModelSpec, servers: Servers) -> SamgeoModel:
    """Return what the server is to run for a catalogue entry: the user's own model where that is of its version.

    Raises
    ------
    SettingsError
        If the user's setting or the entry's trait can't be understood.
    """
    named = [trait for trait in spec.traits if trait.startswith("model=")]
    if len(named) != 1:
        raise SettingsError(
            f"The model '{spec.name}' does not say which model the server is to run.",
            hint="Give it one trait of the form model=VERSION:ID.",
        )
    model = SamgeoModel.parse(named[0].partition("=")[2])
    chosen = SamgeoModel.parse(servers.samgeo_model) if servers.samgeo_model else model
    return chosen if chosen.version == model.version and chosen.id else model


def identity_of(model: SamgeoModel) -> str:
    """Return a SHA-256 in hex that stands for a server's model in provenance and caches.

    It is that of the names that the server is asked for and of the threshold that goes with them, and of no weights:
    the server tells nothing about those. Two servers that run other weights by the same name can't be told apart.
    """
    return hashlib.sha256(f"samgeo-api {model.version} {model.id} {CONFIDENCE}".encode()).hexdigest()


def _require_address(servers: Servers, spec: ModelSpec) -> ServerAddress:
    if servers.samgeo is None:
        raise ServerUnavailableError(
            f"The model '{spec.name}' runs on a samgeo server, and none is set up.",
            hint="Give its address in the Servers page of the panel, or in the environment variable "
            f"{SAMGEO_VARIABLES[0]}, for example http://127.0.0.1:8000.",
        )
    return servers.samgeo


def _prediction(candidates: list[RemoteObject], size: tuple[int, int]) -> MaskPrediction:
    """Return the objects as candidates with logits of 1 and -1; one that is empty, of score 0, if there are none."""
    logits = np.full((max(1, len(candidates)), *size), -1.0, dtype=np.float32)
    scores = np.zeros(len(logits), dtype=np.float32)
    for index, one in enumerate(candidates):
        logits[index][one.window.slices][one.mask] = 1.0
        scores[index] = one.score
    return MaskPrediction(logits, scores, _FullSize())


def _box_iou(one: RemoteObject, box: NDArray[np.float32]) -> float:
    """Return the IoU of an object's window with a box (4,)."""
    window = one.window
    width = min(float(box[2]), window.col + window.width) - max(float(box[0]), window.col)
    height = min(float(box[3]), window.row + window.height) - max(float(box[1]), window.row)
    both = max(width, 0.0) * max(height, 0.0)
    whole = window.width * window.height + float((box[2] - box[0]) * (box[3] - box[1])) - both
    return both / whole if whole > 0.0 else 0.0


def _obeys(one: RemoteObject, prompts: PixelPrompts) -> bool:
    """Return True if every include point lies in the object, and no exclude point does."""
    return all(_holds(one, point) for point in prompts.include) and not any(
        _holds(one, point) for point in prompts.exclude
    )


def _holds(one: RemoteObject, point: NDArray[np.float32]) -> bool:
    col, row = math.floor(point[0]) - one.window.col, math.floor(point[1]) - one.window.row
    return 0 <= col < one.window.width and 0 <= row < one.window.height and bool(one.mask[row, col])


def _inside(one: RemoteObject) -> NDArray[np.float32]:
    """Return a point (2,) in the object: the centre of that of its pixels which is nearest to its middle."""
    rows, cols = np.nonzero(one.mask)
    nearest = np.argmin((rows - rows.mean()) ** 2 + (cols - cols.mean()) ** 2)
    return np.array([cols[nearest] + one.window.col + 0.5, rows[nearest] + one.window.row + 0.5], dtype=np.float32)
