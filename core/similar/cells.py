"""What each part of a picture looks like: tiles of a lattice that is the raster's own, encoded one by one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UnsupportedPromptError
from ..models.finding import GivesFeatures
from ..models.model import DecodesParts, FloatArray, ImageArray, ImageEmbedding, SegmentationModel
from ..picture import Picture
from ..progress import Progress, check

_PADDING = 124
"""Grey that fills a tile up to the size that a model of one frame is shown: the mean of its training images."""
_STEP_MULTIPLE = 32


@dataclass(frozen=True)
class TilePlan:
    """How the raster is divided into what the model is shown, in working pixels."""

    core: int
    """Each tile answers for a square of this side: proposals in it are outlined in it."""
    margin: int
    """What is shown around that square, so that objects of its edge are seen whole."""
    object_px: int
    """How large examples are made, by choosing the working resolution."""

    @classmethod
    def of(cls, model: SegmentationModel) -> TilePlan:
        """Return the plan that suits a model.

        A convolution is decoded in parts of a chip around a point: a chip fits anywhere around the core. A model of one
        frame is shown few, large tiles, because each costs a whole encoding.
        """
        chip = model.spec.look.chip_px
        if isinstance(model, DecodesParts):
            margin = -(-chip // 2 // _STEP_MULTIPLE) * _STEP_MULTIPLE
            return cls(256, margin, chip // 4)
        margin = max(_STEP_MULTIPLE, chip // 8)
        return cls(max(_STEP_MULTIPLE, chip - 2 * margin), margin, max(chip // 10, min(chip // 4, 48)))

    @property
    def side(self) -> int:
        """Side of what is shown."""
        return self.core + 2 * self.margin


@dataclass(frozen=True)
class WorkingGrid:
    """Working pixels of a picture: they lie on one lattice of the raster, whatever part of it the picture is."""

    origin: tuple[float, float]
    """Column and row of the picture's corner, in picture pixels from the raster's corner."""
    size: tuple[int, int]
    """(width, height) of the picture."""
    factor: float
    """Picture pixels for each working pixel; below 1 the picture is enlarged."""

    @classmethod
    def of(cls, picture: Picture, native_per_pixel: float) -> WorkingGrid:
        """Return the grid of a picture for a working pixel of so many native pixels."""
        window, (width, height) = picture.view.window, picture.view.size
        steps = window.width / width, window.height / height
        return cls((window.col / steps[0], window.row / steps[1]), (width, height), native_per_pixel / max(steps))

    def span(self, axis: int) -> tuple[int, int]:
        """Return the first working pixel of the picture and one past the last, along x (0) or y (1)."""
        low, high = self.origin[axis] / self.factor, (self.origin[axis] + self.size[axis]) / self.factor
        return math.floor(low + 1e-6), math.ceil(high - 1e-6)

    def to_picture(self, working: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return continuous picture pixels (N, 2) of continuous working pixels (N, 2) of the raster."""
        moved: NDArray[np.float64] = working * self.factor - np.array(self.origin)
        return moved

    def to_working(self, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return continuous working pixels (N, 2) of the raster of continuous picture pixels (N, 2)."""
        moved: NDArray[np.float64] = (pixels + np.array(self.origin)) / self.factor
        return moved

    def read(self, image: ImageArray, box: tuple[int, int, int, int]) -> ImageArray:
        """Return the working pixels (left, top, right, bottom) of a picture's image, held at its edges."""
        left, top, right, bottom = box
        rows = _sampled(image, (top, bottom), self.factor, self.origin[1], 0)
        both = _sampled(rows, (left, right), self.factor, self.origin[0], 1)
        return np.asarray(np.clip(both + 0.5, 0, 255).astype(np.uint8))


@dataclass(frozen=True)
class TilePlace:
    """Where a tile lies, in working pixels of the raster: (left, top, right, bottom)."""

    shown: tuple[int, int, int, int]
    """What the model is shown."""
    core: tuple[int, int, int, int]
    """The part of it that the tile answers for."""


@dataclass(frozen=True)
class Tile:
    """An encoded piece of a picture."""

    box: tuple[int, int, int, int]
    """(left, top, right, bottom) of what was shown, in working pixels of the raster."""
    core: tuple[int, int, int, int]
    """The part that it answers for."""
    image: ImageArray
    """(H, W, 3), filled up on the right and at the bottom where the model needs it."""
    embedding: ImageEmbedding
    """Of the image."""
    cells: FloatArray
    """(C, h, w): the model's features, then colour; cells beyond the picture are left out."""
    step_px: tuple[float, float]
    """Working pixels for each cell, along x and y."""


class TileEncoder:
    """Shows a model the tiles of pictures.

    Parameters
    ----------
    model : SegmentationModel
        Also gives features.
    plan : TilePlan, optional
        How the raster is divided; what suits the model if not given.

    Raises
    ------
    UnsupportedPromptError
        If the model gives no features.
    """

    def __init__(self, model: SegmentationModel, plan: TilePlan | None = None) -> None:
        if not isinstance(model, GivesFeatures):
            raise UnsupportedPromptError(
                f"The model '{model.spec.name}' takes no examples, and does not say what things look like.",
                hint="Use the starter model, a SAM model, or a model that takes examples.",
            )
        self.model = model
        """What encodes."""
        self.plan = plan or TilePlan.of(model)
        """How the raster is divided."""
        self._features: GivesFeatures = model

    def count(self, grid: WorkingGrid) -> int:
        """Return how many tiles :meth:`tiles` yields."""
        spans = grid.span(0), grid.span(1)
        return math.prod(-(-stop // self.plan.core) - start // self.plan.core for start, stop in spans)

    def tiles(self, picture: Picture, grid: WorkingGrid, progress: Progress) -> Iterator[Tile]:
        """Yield the tiles of a picture one by one; only what is asked for is encoded.

        Raises
        ------
        ModelRunError, Cancelled
            As the model's ``encode``.
        """
        (left, right), (top, bottom) = grid.span(0), grid.span(1)
        size, margin = self.plan.core, self.plan.margin
        for row in range(top // size, -(-bottom // size)):
            for col in range(left // size, -(-right // size)):
                check(progress)
                x, y = col * size, row * size
                core = (max(x, left), max(y, top), min(x + size, right), min(y + size, bottom))
                shown = (
                    max(x - margin, left),
                    max(y - margin, top),
                    min(x + size + margin, right),
                    min(y + size + margin, bottom),
                )
                yield self.encoded(picture, grid, TilePlace(shown, core), progress)

    def encoded(self, picture: Picture, grid: WorkingGrid, place: TilePlace, progress: Progress) -> Tile:
        """Return one tile; raises like :meth:`tiles`."""
        image = grid.read(picture.image, place.shown)
        height, width = image.shape[:2]
        if isinstance(self.model, DecodesParts):
            short = [(0, max(0, self.model.spec.look.chip_px - side)) for side in (height, width)]
            image = np.pad(image, (*short, (0, 0)), mode="edge") if any(after for _, after in short) else image
            embedding = self.model.encode_whole(image, progress)
        else:
            # one frame for all tiles: a smaller one would be enlarged to it
            short = [(0, self.plan.side - side) for side in (height, width)]
            image = np.pad(image, (*short, (0, 0)), constant_values=_PADDING)
            embedding = self.model.encode(image, progress)
        features = self._features.features(embedding)
        step = features.step_px
        values = features.values[:, : math.ceil(height / step[1] - 1e-6), : math.ceil(width / step[0] - 1e-6)]
        colour = _colours(image, step, (values.shape[1], values.shape[2]))
        return Tile(place.shown, place.core, image, embedding, np.concatenate((values, colour)), step)


def _colours(image: ImageArray, step: tuple[float, float], size: tuple[int, int]) -> FloatArray:
    """Return brightness, two opponent colours and the local contrast of each cell, (4, h, w)."""
    rgb = image.astype(np.float32) / 255
    red, green, blue = rgb[:, :, 0], rgb[:, :, 1], rgb[:, :, 2]
    light = (red + green + blue) / 3
    planes = np.stack((light, light * light, red - green, (red + green) / 2 - blue))
    means = cell_means(cell_means(planes, step[1], size[0], 1), step[0], size[1], 2)
    means[1] = np.sqrt(np.maximum(means[1] - means[0] ** 2, 0.0))
    return means


def cell_means(planes: FloatArray, step: float, count: int, axis: int) -> FloatArray:
    """Return the means of planes (K, H, W) over ``count`` cells of ``step`` pixels along an axis."""
    edges = np.minimum(np.round(np.arange(count + 1) * step).astype(int), planes.shape[axis])
    sums = np.add.reduceat(planes, np.minimum(edges[:-1], planes.shape[axis] - 1), axis=axis)
    counts = np.maximum(np.diff(edges), 1).astype(np.float32)
    shape = [1, 1, 1]
    shape[axis] = count
    # the last sum runs to the end, which may lie beyond the last cell
    if edges[-1] < planes.shape[axis]:
        counts[-1] = planes.shape[axis] - edges[-2]
    means: FloatArray = (sums / counts.reshape(shape)).astype(np.float32)
    return means


def _sampled(image: NDArray[Any], span: tuple[int, int], factor: float, origin: float, axis: int) -> FloatArray:
    """Return working pixels ``span`` of an image along one axis: means where it is reduced, else blended linearly."""
    last = image.shape[axis]
    if factor >= 2.0:
        edges = np.round(np.arange(span[0], span[1] + 1) * factor - origin).astype(int).clip(0, last)
        starts = np.minimum(edges[:-1], last - 1)
        low, high = int(starts[0]), int(max(edges[-1], starts[-1] + 1))
        part = image[low:high] if axis == 0 else image[:, low:high]
        sums = np.add.reduceat(part, starts - low, axis=axis, dtype=np.float32)
        counts = np.append(np.diff(starts), high - starts[-1]).clip(1).astype(np.float32)
        return np.asarray(sums / counts.reshape((-1, 1, 1) if axis == 0 else (1, -1, 1)), np.float32)
    places = (np.arange(*span) + 0.5) * factor - origin - 0.5
    low_index = np.clip(np.floor(places).astype(int), 0, last - 1)
    share = np.clip(places - low_index, 0.0, 1.0).astype(np.float32)
    share = share.reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
    high_index = np.minimum(low_index + 1, last - 1)
    blended: FloatArray = image.take(low_index, axis) * (1 - share) + image.take(high_index, axis) * share
    return blended
