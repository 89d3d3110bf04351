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
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.models import catalogue
from core.models.families import FAMILIES
from core.models.finding import HeatMap
from core.models.model import RuntimeSettings
from core.models.store import ModelStore
from core.progress import NullProgress
from core.words.heat import hills
from training.words.targets import WORDS, tables
from training.words.views import views

from .objects import DATA_VARIABLE, HELD_OUT_SEED, data_folder
from .spectral import Floats, Mask, Rule, fitted, otsu

_TRAINING_SEED, _CHOICE_SEED = 2001, 1900


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
    objects: dict[str, list[Mask]] = field(default_factory=dict)
    """The objects of a word, one by one, where they are labelled as outlines."""


@dataclass
class Objects:
    """Objects of one word in one set: found means an IoU of at least a half."""

    wanted: int = 0
    given: int = 0
    found: int = 0

    def add(self, given: list[Mask], wanted: list[Mask]) -> None:
        """Count one image; each object given can be one wanted object."""
        self.wanted, self.given = self.wanted + len(wanted), self.given + len(given)
        for one in given:
            area = int(one.sum())
            self.found += any(
                2 * (both := int((one & other).sum())) >= area + int(other.sum()) - both for other in wanted
            )

    def __str__(self) -> str:
        if not self.wanted:
            return ""
        return (
            f"{self.found / self.wanted:.2f} of {self.wanted} / {self.found / max(1, self.given):.2f} of {self.given}"
        )


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
        each = {
            word: [_burnt([one], kind, bands.shape[1:]) for one in labels if one["properties"].get("class") == kind]
            for word, kind in classes.items()
            if "box" not in kind
        }
        yield Picture(name, np.ascontiguousarray(bands[:3].transpose(1, 2, 0)), right, known, infrared, each)


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

    def __call__(self, rgb: NDArray[np.uint8], words: list[str]) -> dict[str, HeatMap]:
        """Heat maps of some words."""
        return {heat.label: heat for heat in self._model.find(rgb, words, NullProgress())}


def pixels(heat: HeatMap, shape: tuple[int, int]) -> Mask:
    """Where the heat is above its threshold (H, W)."""
    found: Mask = cv2.resize(heat.values, shape[::-1]) > heat.threshold
    return found


def objects(heat: HeatMap, shape: tuple[int, int], least: float = 0.4) -> list[Mask]:
    """What the heat map is split into by ``core.words``, without a click model to outline it, (H, W) each."""
    masks = []
    for hill in hills(heat, shape):
        if hill.found.score >= least:
            window, mask = hill.found.window, np.zeros(shape, bool)
            mask[window.row : window.row + window.height, window.col : window.col + window.width] = hill.found.mask
            masks.append(mask)
    return masks


def with_infrared(picture: Picture, word: str) -> Mask | None:
    """NDVI for what grows, NDWI for water, where there is near infrared."""
    if picture.infrared is None:
        return None
    red, green = (picture.rgb[..., i].astype(np.float32) for i in (0, 1))
    near = picture.infrared
    if word == "water":
        return otsu((green - near) / (green + near + 1))
    return otsu((near - red) / (near + red + 1)) if word in ("tree", "grass", "field") else None


@dataclass
class Row:
    """One word in one set."""

    head: Count = field(default_factory=Count)
    rule: Count = field(default_factory=Count)
    near: Count = field(default_factory=Count)
    objects: Objects = field(default_factory=Objects)


def measured(model: Words, rules: dict[str, Rule], pictures: Iterator[Picture]) -> dict[tuple[str, str], Row]:
    """Counts of model, rule and infrared index, by set and word."""
    rows: dict[tuple[str, str], Row] = {}
    for number, picture in enumerate(pictures, 1):
        heats = model(picture.rgb, list(picture.right))
        shape = (picture.rgb.shape[0], picture.rgb.shape[1])
        for word, right in picture.right.items():
            row, known = rows.setdefault((picture.set, word), Row()), picture.known.get(word)
            row.head.add(pixels(heats[word], shape), right, known)
            row.rule.add(rules[word](picture.rgb), right, known)
            near = with_infrared(picture, word)
            if near is not None:
                row.near.add(near, right, known)
            if picture.objects.get(word):
                row.objects.add(objects(heats[word], shape), picture.objects[word])
        print(f"\r{number}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return rows


def table(rows: dict[tuple[str, str], Row], rules: dict[str, Rule]) -> Iterator[str]:
    """The lines of the table, in Markdown."""
    yield "| set | word | IoU (precision / recall) | best index | its IoU | infrared | objects: recall / precision |"
    yield "|---|---|---|---|---|---|---|"
    for (name, word), row in rows.items():
        near = f"{row.near.iou:.2f}" if row.near.said else ""
        yield f"| {name} | {word} | {row.head.line} | {rules[word]} | {row.rule.iou:.2f} | {near} | {row.objects} |"
    for group in ("generated", ""):
        chosen = [row for (name, _), row in rows.items() if (name == "generated") == bool(group)]
        if chosen:
            means = [np.mean([count.iou for count in counts]) for counts in zip(*((r.head, r.rule) for r in chosen))]
            yield f"| mean, {group or 'real'} | | {means[0]:.2f} | | {means[1]:.2f} | | |"


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
