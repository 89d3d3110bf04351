"""How well volcanoes are found: on made DEMs by relief and noise, and on the real DEMs beside the checkout.

    .dev/venv/bin/python -m benchmarks.volcanoes [--scenes 6] [--only made|real] [--method agreed]

Found means that a made volcano shares at least 0.3 of the union with a polygon. IoU is the mean over those found.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.volcano_scenes import KINDS, make
from core import native
from core.models import catalogue
from core.models.store import ModelStore
from core.progress import NullProgress
from core.raster import crs as crs_maths
from core.raster.sources import open_source
from core.session import SegmentationSession
from core.terrain.composite_source import CompositeSource
from core.terrain.finders import FINDERS, FinderSettings
from core.terrain.landform import LandformResult
from core.terrain.outliner import OutlineMethod, SessionOutliner, agreement

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("PROMPT_SEGMENTER_DATA", ROOT.parent / "shared" / "data"))
RELIEFS = (0.0, 0.03, 0.1, 0.2, 0.4)
NOISES_M = (0.0, 3.0, 10.0)
FOUND = 0.3
CORE, BEYOND = 0.8, 0.15


@dataclass
class Tally:
    """What was found of what was there."""

    there: int = 0
    given: int = 0
    ious: list[float] = field(default_factory=list)

    def text(self) -> str:
        recall = len(self.ious) / self.there if self.there else float("nan")
        precision = len(self.ious) / self.given if self.given else float("nan")
        iou = sum(self.ious) / len(self.ious) if self.ious else float("nan")
        return f"{recall:6.2f} {precision:9.2f} {iou:6.2f} {self.given:6d}"


def find(source: Any, confidence: float = 0.5, method: str = OutlineMethod.MORPHOMETRIC.value) -> LandformResult:
    """Return what the finder finds with its defaults, by the break of slope or with the default model."""
    settings = FinderSettings(confidence=confidence, method=OutlineMethod(method))
    outliner = None
    if settings.method is not OutlineMethod.MORPHOMETRIC:
        picture = CompositeSource(source)
        outliner = SessionOutliner(SegmentationSession(picture, ModelStore().load(catalogue.DEFAULT)).segment)
    return FINDERS.get("volcano").find(source, settings, NullProgress(), outliner)


def made(scenes: int) -> None:
    """Print recall, precision and IoU on made DEMs."""
    print(f"{'kind':16} {'relief':>6} {'noise m':>7} {'recall':>6} {'precision':>9} {'IoU':>6} {'given':>6}")
    for number, kind in enumerate(KINDS):
        cases = [(relief, 0.0) for relief in RELIEFS] + [(0.03, noise) for noise in NOISES_M[1:]]
        for relief, noise in cases:
            tally = Tally()
            for seed in range(scenes):
                scene = make(kind, relief, noise, 1000 * number + seed)
                _count(tally, scene.outlines, [each.geometry for each in find(scene.source).polygons])
            print(f"{kind.name:16} {relief:6.2f} {noise:7.1f} {tally.text()}", flush=True)
    for relief in RELIEFS[1:]:
        given = sum(len(find(make(None, relief, 3.0, 9000 + seed).source)) for seed in range(scenes))
        print(f"{'none':16} {relief:6.2f} {3.0:7.1f} false polygons: {given} on {scenes} DEMs", flush=True)


def _count(tally: Tally, outlines: list[Any], given: list[Any]) -> None:
    tally.there += len(outlines)
    tally.given += len(given)
    pairs = sorted(((agreement(a, b), i, j) for i, a in enumerate(outlines) for j, b in enumerate(given)), reverse=True)
    taken: set[tuple[str, int]] = set()
    for iou, i, j in pairs:
        if iou >= FOUND and ("there", i) not in taken and ("given", j) not in taken:
            taken |= {("there", i), ("given", j)}
            tally.ious.append(iou)


def real(folder: Path, method: str) -> bool:
    """Print each listed volcano, and what is found where there is none; return True if all is as it must be."""
    listed = json.loads((folder / "dem_volcano" / "volcano_truth.json").read_text(encoding="utf-8"))
    good = True
    for path in sorted((folder / "dem_volcano").glob("*.tif")):
        with closing(open_source(str(path))) as source:
            result = find(source, method=method)
        names = {each["name"]: bool(each["optional"]) for each in listed if each["dem"] == path.name}
        rings = _rings(path.with_suffix(".truth.geojson"), result.crs)
        for name in names or rings:
            good &= _judge(path.stem, name, rings[name], result, optional=names.get(name, False))
    for path in sorted((folder / "dem_negative").glob("*.tif")):
        with closing(open_source(str(path))) as source:
            result = find(source, 0.3)
        most = max((each.confidence for each in result.polygons), default=0.0)
        good &= most < 0.5
        print(f"{path.stem:28} none there: {len(result)} of 0.3 or more, the highest {most:.2f}")
    return good


def _judge(dem: str, name: str, rings: dict[str, Any], result: LandformResult, *, optional: bool) -> bool:
    holding = [each for each in result.polygons if each.geometry.contains(rings["summit"])]
    if not holding:
        print(f"{dem:28} {name:20} not found{' (optional)' if optional else ''}")
        return optional
    best = max(holding, key=lambda each: agreement(each.geometry, rings["core"]))
    core = best.geometry.intersection(rings["core"]).area / rings["core"].area
    beyond = 1.0 - best.geometry.intersection(rings["outer"]).area / best.geometry.area
    right = core >= CORE and beyond <= BEYOND
    print(
        f"{dem:28} {name:20} {best.confidence:.2f} {best.label:14} core {core:.2f} beyond outer {max(beyond, 0.0):.2f}"
        f" {'' if right else '<- not as it must be'}"
    )
    return right or optional


def _rings(path: Path, crs: str | None) -> dict[str, dict[str, Any]]:
    shapely = native.shapely()
    rings: dict[str, dict[str, Any]] = {}
    for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
        shape = shapely.geometry.shape(feature["geometry"])
        moved = shapely.ops.transform(lambda x, y, z=None: _moved(x, y, crs), shape)
        rings.setdefault(feature["properties"]["name"], {})[feature["properties"]["role"]] = moved
    return rings


def _moved(x: Any, y: Any, crs: str | None) -> tuple[Any, Any]:
    points = crs_maths.transform_points(np.column_stack([np.atleast_1d(x), np.atleast_1d(y)]), "EPSG:4326", crs)
    return (points[:, 0], points[:, 1]) if np.ndim(x) else (points[0, 0], points[0, 1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=6)
    methods = [method.value for method in OutlineMethod]
    parser.add_argument("--method", choices=methods, default=methods[0], help="for the real DEMs")
    parser.add_argument("--only", choices=["made", "real"])
    parser.add_argument("--data", type=Path, default=DATA, help="folder with dem/ (default %(default)s)")
    options = parser.parse_args()
    if options.only != "real":
        made(options.scenes)
    if options.only == "made":
        return 0
    folder = options.data / "dem"
    if not folder.is_dir():
        print(f"{folder} is not there: the real DEMs are left out.")
        return 0
    return 0 if real(folder, options.method) else 1


if __name__ == "__main__":
    sys.exit(main())
