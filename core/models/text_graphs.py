"""What families that take words have in common: their files, their pixels, boxes and cells brought to the image."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelFileError, ModelRunError
from ..raster.grid import Window
from .model import FloatArray, ImageArray, ModelSpec
from .onnx_session import TensorInfo
from .resample import resize

_VOCABULARIES = (".gz", ".txt", ".json")
_TINY = 1e-6
CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def graphs_and_vocabulary(spec: ModelSpec, paths: Iterable[str], graphs: int) -> tuple[list[str], str]:
    """Return the paths of a model's graphs and of its vocabulary; files beside them hold weights that graphs name.

    Raises
    ------
    ModelFileError
        If there are not ``graphs`` of them and one vocabulary.
    """
    given = list(paths)
    found = [path for path in given if path.lower().endswith(".onnx")]
    vocabularies = [path for path in given if path.lower().endswith(_VOCABULARIES)]
    if len(found) != graphs or len(vocabularies) != 1:
        named = ", ".join(Path(path).name for path in given)
        raise ModelFileError(
            f"The model '{spec.name}' takes {graphs} .onnx file{'s' if graphs > 1 else ''} and one vocabulary "
            f"({', '.join(_VOCABULARIES)}), and got {named or 'nothing'}.",
            hint="Name all of them; files of weights that a graph refers to lie beside it.",
        )
    return found, vocabularies[0]


def wrong_graph(spec: ModelSpec, what: str, wanted: str, found: Iterable[TensorInfo]) -> ModelFileError:
    """Return the error of a graph that does not keep its family's contract."""
    return ModelFileError(
        f"The model '{spec.name}' needs {what} {wanted}, found {', '.join(str(tensor) for tensor in found) or 'none'}.",
        hint="Give files of one export that this family knows.",
    )


def require_image(image: ImageArray) -> None:
    """Raise ValueError if it is no RGB image (H, W, 3) uint8."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ValueError(f"expected an (H, W, 3) uint8 image, got {image.shape} {image.dtype}")


def pixel_values(
    image: ImageArray, size: tuple[int, int], mean: tuple[float, ...], std: tuple[float, ...], dtype: str = "float32"
) -> NDArray[Any]:
    """Return an image (H, W, 3) uint8 stretched to ``size`` (height, width), normalised, as planes (1, 3, h, w)."""
    scaled = resize(image, size)
    feed = np.empty((1, 3, *size), dtype)
    levels = np.arange(256, dtype=np.float32) / np.float32(255)
    for band in range(3):
        feed[0, band] = ((levels - np.float32(mean[band])) / np.float32(std[band]))[scaled[:, :, band]]
    return feed


def sigmoid(logits: NDArray[Any]) -> FloatArray:
    """Return 1 / (1 + e^-x), float32; what is beyond 60 is as good as certain."""
    clipped = np.clip(logits.astype(np.float32), -60.0, 60.0)
    result: FloatArray = (1.0 / (1.0 + np.exp(-clipped))).astype(np.float32)
    return result


def require_numbers(spec: ModelSpec, *arrays: NDArray[Any]) -> None:
    """Raise :class:`ModelRunError` if a graph gave what is no number."""
    if not all(np.isfinite(array).all() for array in arrays):
        raise ModelRunError(
            f"The model '{spec.name}' gave values that are no numbers.",
            hint="Run it on the CPU, or use a model whose weights are not halved in precision.",
        )


def corners(boxes: NDArray[Any], scale: tuple[float, float], image_size: tuple[int, int]) -> FloatArray:
    """Return boxes (N, 4) as (left, top, right, bottom) in pixels within the image (H, W).

    Parameters
    ----------
    boxes : ndarray (N, 4)
        (centre x, centre y, width, height), 0 to 1.
    scale : tuple of float
        Pixels for 1 along x and y.
    image_size : tuple of int
        (H, W)
    """
    middle, half = boxes[:, :2].astype(np.float64), np.abs(boxes[:, 2:].astype(np.float64)) / 2
    pixels = np.concatenate((middle - half, middle + half), axis=1) * np.array([*scale, *scale])
    limits = np.array([image_size[1], image_size[0]] * 2, np.float64)
    inside: FloatArray = np.clip(pixels, 0.0, limits).astype(np.float32)
    return inside


def enclosing(cells: NDArray[np.bool_], image_size: tuple[int, int]) -> Window | None:
    """Return the pixels of an image (H, W) that enclose the marked cells (h, w), and one cell more on each side.

    Cells have equal sizes and together cover the image. None if no cell is marked.
    """
    rows, cols = np.flatnonzero(cells.any(axis=1)), np.flatnonzero(cells.any(axis=0))
    if not rows.size:
        return None
    ends = []
    for marked, count, side in ((cols, cells.shape[1], image_size[1]), (rows, cells.shape[0], image_size[0])):
        step = side / count
        first = max(0, int(np.floor((marked[0] - 1) * step + _TINY)))
        ends.append((first, min(side, int(np.ceil((marked[-1] + 2) * step - _TINY)))))
    (left, right), (top, bottom) = ends
    return Window(left, top, right - left, bottom - top)


def spread(values: FloatArray, window: Window, image_size: tuple[int, int]) -> FloatArray:
    """Return values of cells (h, w) at the pixels of a window of the image (H, W) that they cover, bilinear."""
    for axis, (first, count, side) in enumerate(
        ((window.row, window.height, image_size[0]), (window.col, window.width, image_size[1]))
    ):
        places = (np.arange(first, first + count, dtype=np.float32) + 0.5) * (values.shape[axis] / side) - 0.5
        last = values.shape[axis] - 1
        low = np.clip(np.floor(places).astype(int), 0, last)
        high = np.minimum(low + 1, last)
        share = np.clip(places - low, 0.0, 1.0).astype(np.float32)
        share = share[:, None] if axis == 0 else share[None, :]
        values = values.take(low, axis) * (1 - share) + values.take(high, axis) * share
    return values


def trimmed(mask: NDArray[np.bool_], window: Window) -> tuple[Window, NDArray[np.bool_]] | None:
    """Return a mask (window.height, window.width) and its window without empty rows and columns; None if all are."""
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(cols[0]), int(cols[-1]) + 1
    cut = np.ascontiguousarray(mask[top:bottom, left:right])
    return Window(window.col + left, window.row + top, right - left, bottom - top), cut
