"""A samgeo-api server on the loopback that keeps to the real one's contract, with answers that are known on paper.

Words find the bright blobs (green > 128) with scores of 0.9, 0.8, ...; points find a square of 21 pixels around each
include point, less those around exclude points; boxes find themselves, and with them a far object of a higher score;
automatic finds the blobs. Only what has to do with networks is made up: refusals and forms are the real server's.
"""

from __future__ import annotations

import io
import json
import warnings
from contextlib import contextmanager

import numpy as np
from prompt_segmenter.core import native
from prompt_segmenter.core.outlines.masks import find_parts
from prompt_segmenter.core.outlines.polygonize import pixel_rings
from prompt_segmenter.test.helpers.loopback import Asked, Reply, scripted

VERSION = "1.4.2"
FAR = (2, 2, 8, 8)
"""(left, top, right, bottom) of the object that is like every box."""
REACH = 10
"""Pixels on each side of a point."""
MODELS = {"sam": ["vit_h"], "sam2": ["sam2-hiera-large"], "sam3": ["facebook/sam3", "facebook/sam3.1"]}
HEALTH = {"status": "ok", "version": VERSION}


def answer(value, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value).encode())


def refused(status: int, detail) -> Reply:
    return answer({"detail": detail}, status)


def collection(objects, crs=None):
    """Return the GeoJSON of objects (mask, score or None), a feature for each connected region, in pixels."""
    features = []
    for number, (mask, score) in enumerate(objects, 1):
        for shell, holes in pixel_rings(mask):
            properties = {"value": float(number), **({} if score is None else {"score": score})}
            rings = [ring.tolist() for ring in (shell, *holes)]
            features.append(
                {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": rings}}
            )
    named = {} if crs is None else {"crs": {"type": "name", "properties": {"name": crs}}}
    return {"type": "FeatureCollection", "name": "output", **named, "features": features}


def image_of(asked: Asked) -> np.ndarray:
    """Return the image (H, W, 3) of a request."""
    rasterio = native.rasterio()
    with warnings.catch_warnings(), native.rasterio_env(), rasterio.io.MemoryFile(io.BytesIO(asked.file)) as memory:
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with memory.open() as file:
            return file.read().transpose(1, 2, 0)


def _blobs(image):
    parts = find_parts(image[:, :, 1] > 128)
    return [(parts.mask(np.array([index])), round(0.9 - 0.1 * index, 2)) for index in range(parts.count)]


def _square(shape, col, row):
    mask = np.zeros(shape, bool)
    col, row = int(col), int(row)
    mask[max(row - REACH, 0) : row + REACH + 1, max(col - REACH, 0) : col + REACH + 1] = True
    return mask


def _rectangle(shape, left, top, right, bottom):
    mask = np.zeros(shape, bool)
    mask[round(top) : round(bottom), round(left) : round(right)] = True
    return mask


def text(asked: Asked) -> Reply:
    if not asked.form.get("prompt"):
        return refused(422, [{"type": "missing", "loc": ["body", "prompt"], "msg": "Field required", "input": None}])
    least = float(asked.form["confidence_threshold"])
    found = [(mask, score) for mask, score in _blobs(image_of(asked)) if score >= least]
    if asked.form["prompt"] == "none" or not found:
        return refused(
            404, "No objects found for the given prompt. Please try a different prompt or adjust parameters."
        )
    return answer(collection(found))


def automatic(asked: Asked) -> Reply:
    found = _blobs(image_of(asked))
    return answer(collection(found)) if found else refused(404, "No objects found for automatic segmentation.")


def predict(asked: Asked) -> Reply:
    form, shape = asked.form, image_of(asked).shape[:2]
    version = form.get("model_version", "sam3")
    if "boxes" in form:
        if version != "sam3":
            return refused(500, "the predictor got neither points nor box")
        boxes = json.loads(form["boxes"])
        objects = [(_rectangle(shape, *FAR), 0.97), *((_rectangle(shape, *box), 0.95) for box in boxes)]
        return answer(collection(objects))
    if "point_coords" not in form:
        return refused(400, "At least one of point_coords or boxes must be provided.")
    mask = np.zeros(shape, bool)
    points, labels = json.loads(form["point_coords"]), json.loads(form["point_labels"])
    for (col, row), label in sorted(zip(points, labels), key=lambda pair: -pair[1]):
        mask = mask | _square(shape, col, row) if label else mask & ~_square(shape, col, row)
    if not mask.any() and version == "sam3":
        return refused(500, "Segmentation produced no output.")
    return answer(collection([(mask, 0.9)] if mask.any() else []))


def routes(prefix: str = "") -> dict:
    """Return what a samgeo-api answers, by path."""
    served = {
        "/models": answer({"models": MODELS, "loaded": [["sam3", "facebook/sam3", [["confidence_threshold", 0.2]]]]}),
        "/segment/text": text,
        "/segment/automatic": automatic,
        "/segment/predict": predict,
    }
    return {prefix + path: reply for path, reply in served.items()}


@contextmanager
def fake_samgeo():
    """Yield a running samgeo-api as a :class:`Script`."""
    with scripted({"/health": answer(HEALTH), **routes()}) as script:
        yield script


@contextmanager
def fake_sidecar(**status):
    """Yield a running GeoLibre sidecar, whose /health is like samgeo-api's but for the version."""
    said = {"available": True, "default_model": "sam3", "message": "ready", "version": VERSION, "models": MODELS}
    with scripted(
        {"/health": answer({"status": "ok"}), "/ml/status": answer({**said, **status}), **routes("/ml")}
    ) as it:
        yield it
