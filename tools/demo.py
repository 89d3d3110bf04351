"""Outline an object from a click, through the real qgis_process, and draw what was found: ``make demo``.

Without an image it makes a scene with the generator that the embedded model was trained with. Writes demo_output/.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from osgeo import gdal, osr

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "demo_output"
SEED, SIDE, THEME = 6, 720, "town"
LEFT, TOP, PIXEL, SCENE_CRS = 399_960.0, 5_100_040.0, 0.3, "EPSG:32633"
PICTURE_PX = 1000

Point = tuple[float, float]


class Steps:
    """Prints what is being done, and how long it took."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._took: list[tuple[str, float]] = []

    def done(self, what: str) -> None:
        """Say that a step is done."""
        now = time.monotonic()
        self._took.append((what, now - self._begun))
        self._begun = now
        print(f"  {what}: {self._took[-1][1]:.1f} s", flush=True)


def make_scene(path: Path) -> Point:
    """Write a made scene as GeoTIFF and return a place on one of its objects, in its map coordinates."""
    sys.path.insert(0, str(ROOT))
    from training.scenes import render

    scene = render(SEED, SIDE, THEME)
    rgb = (np.clip(scene.rgb, 0.0, 1.0) * 255 + 0.5).astype(np.uint8)
    driver = gdal.GetDriverByName("GTiff")
    file = driver.Create(str(path), SIDE, SIDE, 3, gdal.GDT_Byte, ["COMPRESS=DEFLATE", "PHOTOMETRIC=RGB"])
    file.SetGeoTransform((LEFT, PIXEL, 0.0, TOP, 0.0, -PIXEL))
    crs = osr.SpatialReference()
    crs.SetFromUserInput(SCENE_CRS)
    file.SetProjection(crs.ExportToWkt())
    for band in range(3):
        file.GetRasterBand(band + 1).WriteArray(rgb[:, :, band])
    file.FlushCache()
    col, row = _middle_of_an_object(scene.labels)
    return LEFT + PIXEL * col, TOP - PIXEL * row


def _middle_of_an_object(labels: np.ndarray) -> Point:
    """Return the pixel (col, row) deepest inside the largest compact object that lies well inside the scene."""
    margin = SIDE // 8
    edge = set(np.unique(np.concatenate([labels[:margin], labels[-margin:]])))
    edge |= set(np.unique(np.concatenate([labels[:, :margin], labels[:, -margin:]]))) | {0}
    masks = [labels == label for label in np.unique(labels) if label not in edge]
    mask = max(masks, key=lambda one: one.sum() ** 2 / (one & ~_peeled(one)).sum() ** 2 * one.sum() ** 0.5)
    deep = mask
    while deep.any():
        mask, deep = deep, _peeled(deep)
    rows, cols = np.nonzero(mask)
    return float(cols[len(cols) // 2]) + 0.5, float(rows[len(rows) // 2]) + 0.5


def _peeled(mask: np.ndarray) -> np.ndarray:
    """Return a mask without the pixels of its edge."""
    inner = mask[1:-1, 1:-1] & mask[:-2, 1:-1] & mask[2:, 1:-1] & mask[1:-1, :-2] & mask[1:-1, 2:]
    return np.pad(inner, 1)


def points(text: str, image: Path, crs: str) -> list[Point]:
    """Return the points written as "x,y;x,y"; with the CRS "pixel" they are (column, row) of the image."""
    found = [(float(x), float(y)) for x, y in (part.split(",") for part in text.split(";") if part.strip())]
    return [_place(image, point) for point in found] if crs == "pixel" else found


def _place(image: Path, pixel: Point) -> Point:
    # QGIS shows an image without a place with its rows downwards from 0
    transform = gdal.Open(str(image)).GetGeoTransform(can_return_null=True) or (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
    a, b, c, d, e, f = transform
    return a + b * pixel[0] + c * pixel[1], d + e * pixel[0] + f * pixel[1]


def wkt(places: list[Point], crs: str) -> str:
    """Return points as the algorithm takes them."""
    text = ", ".join(f"({x!r} {y!r})" for x, y in places)
    return f"{_prefix(crs)}MultiPoint ({text})"


def _prefix(crs: str) -> str:
    return f"CRS={crs};" if crs and crs != "pixel" else ""


def run(image: Path, places: dict[str, list[Point]], options: argparse.Namespace, output: Path) -> dict:
    """Run the algorithm through qgis_process and return its results; leave with its message if it fails."""
    given = [f"INPUT={image}", f"OUTPUT={output}", "PIXEL_SPACE=true"]
    given += [f"{name}={wkt(where, options.crs)}" for name, where in places.items() if where]
    if options.box:
        left, bottom, right, top = options.box.split(",")
        crs = f" [{options.crs}]" if options.crs and options.crs != "pixel" else ""
        given.append(f"BOX={left},{right},{bottom},{top}{crs}")
    if options.model:
        given.append(f"MODEL={options.model}")
    command = [str(ROOT / ".dev/bin/qgis_process"), "--json", "run", "promptsegmenter:segmentprompts", "--", *given]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"qgis_process ended with {done.returncode}:\n{done.stderr.strip()}")
    return json.loads(done.stdout)["results"]


def draw(image: Path, outlines: Path, places: dict[str, list[Point]], crs: str, picture: Path) -> list[str]:
    """Draw the outlines and clicks over the image with QGIS, and return a line about each outline."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("XDG_RUNTIME_DIR", str(ROOT / ".dev/runtime"))
    from overlay import Overlay

    overlay = Overlay(image, outlines)
    overlay.add_clicks(places["INCLUDE"], "#2ecc71", "+", crs)
    overlay.add_clicks(places["EXCLUDE"], "#ff4d4d", "-", crs)
    overlay.save(picture, PICTURE_PX)
    return overlay.describe()


def main() -> int:
    """Run the demonstration with what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("image", "click", "exclude", "box", "crs", "model"):
        parser.add_argument(f"--{name}", default="")
    options = parser.parse_args()
    if options.image and not (options.click or options.box):
        parser.error("IMAGE needs CLICK=x,y or BOX=left,bottom,right,top (map coordinates; CRS=pixel for pixels)")
    gdal.UseExceptions()
    OUT.mkdir(exist_ok=True)
    steps = Steps()
    print("Prompt Segmenter demonstration")
    if options.image:
        image = Path(options.image).expanduser().resolve()
        include = points(options.click, image, options.crs)
    else:
        image = OUT / "scene.tif"
        include = [make_scene(image)]
        steps.done(f"made the scene {image.relative_to(ROOT)}")
    places = {"INCLUDE": include, "EXCLUDE": points(options.exclude, image, options.crs)}
    output = OUT / "outline.gpkg"
    results = run(image, places, options, output)
    steps.done(f"segmented with qgis_process ({results['COUNT']:g} found)")
    lines = draw(image, output, places, options.crs, OUT / "overlay.png")
    steps.done("drew the picture")
    print("\n".join(lines) or "  Nothing was found there; try another click.")
    print(f"Polygons: {output}\nPicture:  {OUT / 'overlay.png'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
