"""How well the embedded words are found: ``python -m benchmarks.words`` from the repository root.

IoU of each word's pixels (heat above the model's own threshold), pooled over the images of a set: generated windows
that training never saw, and real development images. Beside it the best single spectral index: for each word that one
of INDICES, with that threshold, which does best on scenes of the training part; and where there is near infrared,
NDVI or NDWI cut by Otsu.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.models import catalogue
from core.models.families import FAMILIES
from core.models.model import RuntimeSettings
from core.models.store import ModelStore
from core.progress import NullProgress
from training.words.targets import WORDS, tables
from training.words.views import views

from .objects import DATA_VARIABLE, HELD_OUT_SEED, data_folder

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Index = Callable[[Floats], Floats]
_TRAINING_SEED, _CHOICE_SEED = 2001, 1900
_LEVELS = 40


@dataclass(frozen=True)
class Picture:
    """An image whose every pixel is labelled for some words."""

    set: str
    rgb: NDArray[np.uint8]
    """(H, W, 3)"""
    right: dict[str, Mask]
    """Where each labelled word is right (H, W)."""
    known: dict[str, Mask] = field(default_factory=dict)
    """Where it can be said whether it is; everywhere if not given."""
    infrared: Floats | None = None
    """(H, W), where there is near infrared."""


@dataclass
class Count:
    """Pixels of one word in one set."""

    both: int = 0
    said: int = 0
    wanted: int = 0

    def add(self, said: Mask, wanted: Mask, known: Mask | None) -> None:
        """Count one image."""
        if known is not None:
            said, wanted = said & known, wanted & known
        self.both += int((said & wanted).sum())
        self.said += int(said.sum())
        self.wanted += int(wanted.sum())

    @property
    def iou(self) -> float:
        """Intersection over union."""
        return self.both / max(1, self.said + self.wanted - self.both)

    @property
    def line(self) -> str:
        """IoU, precision, recall."""
        return f"{self.iou:.2f} ({self.both / max(1, self.said):.2f} / {self.both / max(1, self.wanted):.2f})"


def _planes(rgb: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    red, green, blue = (rgb[..., i] for i in range(3))
    return red, green, blue, red + green + blue + 0.02


def _spread(rgb: Floats) -> Floats:
    grey = rgb.mean(axis=2)
    return np.asarray(np.sqrt(np.maximum(cv2.blur(grey * grey, (9, 9)) - cv2.blur(grey, (9, 9)) ** 2, 0)), np.float32)


def _excess_green(rgb: Floats) -> Floats:
    red, green, blue, total = _planes(rgb)
    return (2 * green - red - blue) / total


def _redness(rgb: Floats) -> Floats:
    red, _, blue, total = _planes(rgb)
    return (red - blue) / total


def _cyan(rgb: Floats) -> Floats:
    red, green, blue, total = _planes(rgb)
    return (green + blue - 2 * red) / total


INDICES: dict[str, Index] = {
    "brightness": lambda rgb: rgb.mean(axis=2),
    "excess green": _excess_green,
    "dark and green": lambda rgb: _excess_green(rgb) - rgb.mean(axis=2),
    "red minus blue": _redness,
    "cyan": _cyan,
    "saturation": lambda rgb: (rgb.max(axis=2) - rgb.min(axis=2)) / (rgb.max(axis=2) + 0.02),
    "local contrast": _spread,
}


@dataclass(frozen=True)
class Rule:
    """One index, cut at one value."""

    name: str
    sign: int
    level: float

    def __call__(self, rgb: NDArray[np.uint8]) -> Mask:
        """Where the rule holds (H, W)."""
        index = cv2.GaussianBlur(INDICES[self.name](rgb.astype(np.float32) / 255), (0, 0), 1.5)
        found: Mask = self.sign * index > self.level
        return found

    def __str__(self) -> str:
        return f"{'low ' if self.sign < 0 else ''}{self.name}"


def generated(seed: int, count: int, side: int, name: str) -> Iterator[Picture]:
    """Windows of generated scenes with every word labelled."""
    right, known = (table > 0.5 for table in tables())
    for view in islice(views(seed, side), count):
        yield Picture(
            name,
            view.image,
            {word: right[i][view.kinds] for i, word in enumerate(WORDS)},
            {word: known[i][view.kinds] for i, word in enumerate(WORDS)},
        )


REAL = (
    ("roofs, 0.07 m", "hotosm_kampala_dev/kampala_z21_a.tif", {"building": "building"}),
    ("roofs, 0.15 m", "hotosm_kampala_dev/kampala_z20_a.tif", {"building": "building"}),
    ("suburb, 0.3 m", "spacenet_vegas/vegas_img2144_3channel_uint8.tif", {"building": "building", "tree": "tree"}),
    ("lone trees, 0.1 m", "neon_trees/BLAN_crop.jpg", {"tree": "tree"}),
    ("forest, 0.1 m (boxes)", "neon_trees/OSBS_029.tif", {"tree": "tree (box)"}),
    ("dead trees, 0.1 m (boxes)", "neon_trees/SOAP_061.png", {"tree": "tree (box)"}),
    ("conifers, 0.1 m (boxes)", "neon_trees/YELL_541000_4977000_crop.png", {"tree": "tree (box)"}),
    ("ponds, 5 m", "naip_wetlands/naip_nd_2018_5m_rgbn.tif", {"water": "pond/lake"}),
)


def real(folder: Path) -> Iterator[Picture]:
    """The development images, whole and at their own resolution."""
    import rasterio  # noqa: PLC0415 (only for those who have real images)

    for name, image, classes in REAL:
        with rasterio.open(folder / image) as dataset:
            bands = dataset.read()
        labels = json.loads((folder / image).with_suffix(".labels_px.geojson").read_text())["features"]
        right = {word: _burnt(labels, kind, bands.shape[1:]) for word, kind in classes.items()}
        infrared = bands[3].astype(np.float32) if len(bands) == 4 else None
        known = {}
        if infrared is not None:
            # labels leave ponds below 500 pixels out: wet pixels beside them are neither right nor wrong
            green = bands[1].astype(np.float32)
            wet = (green - infrared) / (green + infrared + 1) > 0.1
            known = {"water": ~wet | right["water"]}
        yield Picture(name, np.ascontiguousarray(bands[:3].transpose(1, 2, 0)), right, known, infrared)


def _burnt(features: list[dict], kind: str, shape: tuple[int, ...]) -> Mask:
    mask = np.zeros(shape, np.uint8)
    for feature in features:
        if feature["properties"].get("class") != kind:
            continue
        geometry = feature["geometry"]
        for polygon in [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]:
            rings = [np.round((np.array(ring)[:, :2] - 0.5) * 16).astype(np.int32) for ring in polygon]
            whole = np.zeros(shape, np.uint8)
            cv2.fillPoly(whole, rings, 1, shift=4)
            mask |= whole
    return mask.astype(bool)


class Words:
    """The embedded model: where each word's heat is above its threshold."""

    def __init__(self, folder: Path | None) -> None:
        spec = catalogue.get("starter_words")
        paths = ModelStore().locate(spec) if folder is None else tuple(str(folder / f.filename) for f in spec.files)
        self._model = FAMILIES.get(spec.family).load(spec, paths, RuntimeSettings(threads=1, provider="cpu"))

    def __call__(self, rgb: NDArray[np.uint8], words: list[str]) -> dict[str, Mask]:
        """Masks (H, W) of some words."""
        height, width = rgb.shape[:2]
        heats = self._model.find(rgb, words, NullProgress())
        return {heat.label: cv2.resize(heat.values, (width, height)) > heat.threshold for heat in heats}


def fitted(pictures: list[Picture]) -> dict[str, Rule]:
    """For each word the index and the level with the best IoU on these pictures."""
    best = {word: (-1.0, Rule("brightness", 1, 0.0)) for word in WORDS}
    for name, index in INDICES.items():
        planes = [cv2.GaussianBlur(index(p.rgb.astype(np.float32) / 255), (0, 0), 1.5)[::2, ::2] for p in pictures]
        flat = np.concatenate([plane.ravel() for plane in planes])
        levels = np.quantile(flat[::7], np.linspace(0.02, 0.98, _LEVELS))
        places = np.searchsorted(levels, flat)
        for word in WORDS:
            wanted = np.concatenate([p.right[word][::2, ::2].ravel() for p in pictures])
            known = np.concatenate([p.known[word][::2, ::2].ravel() for p in pictures])
            of_known = np.bincount(places[known], minlength=_LEVELS + 1)
            of_right = np.bincount(places[known & wanted], minlength=_LEVELS + 1)
            for sign in (1, -1):
                # what lies above each level, or below it
                said, both = (h[::-1].cumsum()[::-1][1:] if sign > 0 else h.cumsum()[:-1] for h in (of_known, of_right))
                iou = both / np.maximum(1, said + of_right.sum() - both)
                if iou.max() > best[word][0]:
                    best[word] = (float(iou.max()), Rule(name, sign, sign * float(levels[iou.argmax()])))
    return {word: rule for word, (_, rule) in best.items()}


def otsu(index: Floats) -> Mask:
    """Where an index is above the level that parts it best."""
    low, high = np.quantile(index, (0.002, 0.998))
    scaled = (np.clip((index - low) / (high - low + 1e-6), 0, 1) * 255).astype(np.uint8)
    level, _ = cv2.threshold(scaled, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    found: Mask = scaled > level
    return found


def with_infrared(picture: Picture, word: str) -> Mask | None:
    """NDVI for what grows, NDWI for water, where there is near infrared."""
    if picture.infrared is None:
        return None
    red, green = (picture.rgb[..., i].astype(np.float32) for i in (0, 1))
    near = picture.infrared
    if word == "water":
        return otsu((green - near) / (green + near + 1))
    return otsu((near - red) / (near + red + 1)) if word in ("tree", "grass", "field") else None


def measured(model: Words, rules: dict[str, Rule], pictures: Iterator[Picture]) -> dict[tuple[str, str], list[Count]]:
    """Counts of model, rule and infrared index, by set and word."""
    counts: dict[tuple[str, str], list[Count]] = {}
    for number, picture in enumerate(pictures, 1):
        words = list(picture.right)
        masks = model(picture.rgb, words)
        for word in words:
            row = counts.setdefault((picture.set, word), [Count(), Count(), Count()])
            for count, said in zip(row, (masks[word], rules[word](picture.rgb), with_infrared(picture, word))):
                if said is not None:
                    count.add(said, picture.right[word], picture.known.get(word))
        print(f"\r{number}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return counts


def table(counts: dict[tuple[str, str], list[Count]], rules: dict[str, Rule]) -> Iterator[str]:
    """The lines of the table, in Markdown."""
    yield "| set | word | right pixels | model: IoU (precision / recall) | best index | its IoU | with infrared |"
    yield "|---|---|---|---|---|---|---|"
    for (name, word), (head, rule, infrared) in counts.items():
        near = f"{infrared.iou:.2f}" if infrared.said else ""
        yield f"| {name} | {word} | {head.wanted:,} | {head.line} | {rules[word]} | {rule.iou:.2f} | {near} |"


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generated", type=int, default=150, help="number of held-out generated windows")
    parser.add_argument("--side", type=int, default=512, help="side of these windows in pixels")
    parser.add_argument("--models", type=Path, help="folder with other graphs than the plugin's own")
    parser.add_argument("--choose", action="store_true", help="windows to choose settings on, in place of the held-out")
    parser.add_argument("--no-real", action="store_true", help="leave the development images out")
    options = parser.parse_args()
    model = Words(options.models)
    rules = fitted(list(generated(_TRAINING_SEED, 120, 256, "training")))
    seed = _CHOICE_SEED if options.choose else HELD_OUT_SEED // 1_000_000
    counts = measured(model, rules, generated(seed, options.generated, options.side, "generated"))
    folder = data_folder()
    if folder is None:
        print(f"No labels.json in ../shared/data; set {DATA_VARIABLE} to its folder. Only generated windows count.")
    elif not options.no_real:
        counts |= measured(model, rules, real(folder))
    print("\n".join(table(counts, rules)))


if __name__ == "__main__":
    main()
