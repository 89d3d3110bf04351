"""What a view of a source looks like to a model: its RGB image, read once, and its embedding, encoded once."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .errors import SettingsError
from .models.embedding import EmbeddingCache, EmbeddingKey, image_digest
from .models.model import DecodesParts, ImageEmbedding, SegmentationModel
from .progress import Progress
from .raster.grid import Window
from .raster.rgb import RgbRecipe, to_rgb8, usable_pixels
from .raster.source import RasterSource
from .window import View

_KEPT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Picture:
    """A view as the model sees it."""

    view: View
    """Where it is."""
    image: NDArray[np.uint8]
    """(H, W, 3) RGB."""
    digest: str
    """Of the image, for the cache."""
    valid: NDArray[np.bool_]
    """(H, W) usable pixels."""
    home: Window | None = None
    """The part of it, in its pixels, that is asked about: what lies around that is there to be looked at. None for all
    of it."""


def read_picture(source: RasterSource, recipe: RgbRecipe, view: View, progress: Progress) -> Picture:
    """Return a view of a source as the picture that a recipe makes of it.

    Raises
    ------
    RasterReadError
        If the pixels can't be read.
    Cancelled
        If the user asked to stop.
    """
    chip = source.read(view.window, view.size, recipe.bands, progress)
    image = to_rgb8(chip, recipe)
    return Picture(view, image, image_digest(image), usable_pixels(chip, recipe))


def picture_text(source: RasterSource, recipe: RgbRecipe) -> str:
    """Return how pixels become a picture: bands and stretch, and how a source that paints (a DEM's) paints."""
    return f"{recipe.text()} {getattr(source, 'how', '')}".strip()


class PictureReader:
    """Reads views of one source as pictures of one recipe, and encodes them with one model.

    Parameters
    ----------
    source : RasterSource
        Where pixels come from.
    model : SegmentationModel
        What encodes them.
    recipe : RgbRecipe
        How bands become an image; the same for every view.
    cache : EmbeddingCache
        Where embeddings are kept.
    """

    def __init__(
        self, source: RasterSource, model: SegmentationModel, recipe: RgbRecipe, cache: EmbeddingCache
    ) -> None:
        self._source = source
        self._model = model
        self._recipe = recipe
        self._cache = cache
        self._kept: OrderedDict[View, Picture] = OrderedDict()
        self.encodes = 0
        """How many images the model has encoded so far; those that the cache had don't count."""

    def picture(self, view: View, progress: Progress) -> Picture:
        """Return the view's picture; the last ones are kept, because clicks come in rows on the same views."""
        found = self._kept.get(view)
        if found is None:
            found = self._kept[view] = read_picture(self._source, self._recipe, view, progress)
            while len(self._kept) > 1 and sum(kept.image.nbytes for kept in self._kept.values()) > _KEPT_BYTES:
                self._kept.popitem(last=False)
        self._kept.move_to_end(view)
        return found

    def encode(self, view: View, progress: Progress, *, whole: bool) -> None:
        """Read and encode a view ahead of its use; nothing is done where that has been."""
        self._encoded(self.picture(view, progress), progress, whole=whole)

    def embedding(self, view: View, within: View | None, progress: Progress) -> ImageEmbedding:
        """Return the embedding of a view: encoded by itself, or cut out of that of the larger view it is a part of.

        Raises
        ------
        SettingsError
            If the model can't decode parts, or the view is not whole cells of the larger one.
        """
        if within is None:
            return self._encoded(self.picture(view, progress), progress, whole=False)
        if not isinstance(self._model, DecodesParts):
            raise SettingsError(
                f"The model '{self._model.spec.name}' can't answer from a part of a larger view.",
                hint="Use the model that the result was made with.",
            )
        window = part_of(view, within)
        if window is None or window.col % self._model.part_step_px or window.row % self._model.part_step_px:
            raise SettingsError(
                f"The view {view.text()} is no part of {within.text()}.",
                hint="Use the text of a result's field 'window'.",
            )
        whole = self._encoded(self.picture(within, progress), progress, whole=True)
        return self._model.part(whole, window)

    def pixels(
        self, view: View, within: View | None, progress: Progress
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Return the image (H, W, 3) and the usable pixels (H, W) of a view."""
        window = part_of(view, within) if within is not None else None
        if within is None or window is None:
            picture = self.picture(view, progress)
            return picture.image, picture.valid
        picture = self.picture(within, progress)
        return picture.image[window.slices], picture.valid[window.slices]

    def is_encoded(self, view: View, *, whole: bool) -> bool:
        """Return True if the view was read and its embedding is at hand, so that only decoding is left."""
        picture = self._kept.get(view)
        return picture is not None and self._cache.get(self._key(picture, whole)) is not None

    def _encoded(self, picture: Picture, progress: Progress, *, whole: bool) -> ImageEmbedding:
        key = self._key(picture, whole)
        found = self._cache.get(key)
        if found is None:
            if whole and isinstance(self._model, DecodesParts):
                found = self._model.encode_whole(picture.image, progress)
            else:
                found = self._model.encode(picture.image, progress)
            self.encodes += 1
            self._cache.put(key, found)
        return found

    def _key(self, picture: Picture, whole: bool) -> EmbeddingKey:
        return EmbeddingKey(
            model=self._model.spec.name,
            weights_sha256=self._model.weights_sha256,
            image_digest=picture.digest,
            preprocess_version=self._model.preprocess_version,
            whole=whole,
        )


def part_of(view: View, within: View) -> Window | None:
    """Return a view as a window of a larger view's pixels; None if it is not whole pixels of it."""
    step_x, step_y = (within.window.width / within.size[0], within.window.height / within.size[1])
    places = (
        (view.window.col - within.window.col) / step_x,
        (view.window.row - within.window.row) / step_y,
        view.window.width / step_x,
        view.window.height / step_y,
    )
    col, row, width, height = (round(place) for place in places)
    exact = max(abs(place - whole) for place, whole in zip(places, (col, row, width, height))) < 1e-6
    inside = min(col, row) >= 0 and col + width <= within.size[0] and row + height <= within.size[1]
    return Window(col, row, width, height) if exact and inside and view.size == (width, height) else None
