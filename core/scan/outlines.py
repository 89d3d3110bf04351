"""From the objects of a scan to outlines with their measures, and what is known of their size before."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..outlines.masks import PartRule
from ..outlines.measure import local_frame, measure
from ..outlines.polygonize import map_polygon, part_rings
from ..outlines.results import SegmentedPolygon
from ..outlines.runs import RunMask
from ..outlines.shape import OutlineSettings, clean, combine
from ..prompts.prompt import exact
from ..raster import crs as crs_maths
from ..raster.grid import PixelGrid
from .stitch import Traits, WholeObject
from .windows import ScanLattice, ScanWindow

_MESH = 9
_NUMBER = r"[-+]?[\d.]+(?:e[-+]?\d+)?"
_POINT = re.compile(rf"^([+-])({_NUMBER}),({_NUMBER})$")
_BOX = re.compile(rf"^\[({_NUMBER}),({_NUMBER}),({_NUMBER}),({_NUMBER})\]$")


class ScanOutliner:
    """Makes polygons of what a scan found.

    Parameters
    ----------
    lattice : ScanLattice
        Where its pixels lie.
    settings : OutlineSettings
        How masks become polygons. Objects have no include points here: ``PartRule.WITH_INCLUDE`` keeps the largest
        part, as it does for a box.
    described : str
        What the finder looks for, for the field ``prompts``.
    """

    def __init__(self, lattice: ScanLattice, settings: OutlineSettings, described: str) -> None:
        parts = PartRule.ALL if settings.parts is PartRule.ALL else PartRule.LARGEST
        self._lattice = lattice
        self._settings = replace(settings, parts=parts)
        self._described = described

    def outline(self, whole: WholeObject, pixels: RunMask, number: int) -> SegmentedPolygon | None:
        """Return some pixels of an object as its outline, or None if nothing is left of them."""
        grid = self._lattice.grid
        parts = [map_polygon(shell, holes, grid) for shell, holes in part_rings(pixels.parts())]
        cleaned = clean(parts, self._settings, grid)
        return self.polygon(combine(cleaned), whole.traits, whole.window, number) if cleaned else None

    def polygon(self, geometry: Any, traits: Traits, window: ScanWindow, number: int) -> SegmentedPolygon:
        """Return a shapely geometry with its measures and what is said of it."""
        grid = self._lattice.grid
        size = measure(geometry, grid.crs)
        asked = f"{self._described} {moved_prompt(traits.prompt, window, grid)}"
        return SegmentedPolygon(
            geometry=geometry,
            object=number,
            label=traits.label,
            score=traits.score,
            area_m2=size.area_m2,
            perimeter_m=size.perimeter_m,
            prompts=asked.strip(),
            resolution=max(grid.resolution),
            window=window.view.text(),
            stability=traits.stability,
            similarity=traits.similarity,
        )


class PixelAreas:
    """How many square metres a lattice's pixels cover, to a thousandth: enough to leave out what is far too large."""

    def __init__(self, grid: PixelGrid) -> None:
        a, b, _, d, e, _ = grid.transform
        cols, rows = np.linspace(0, grid.width, _MESH), np.linspace(0, grid.height, _MESH)
        corners = grid.to_map([(col, row) for row in rows for col in cols])
        frames = [local_frame(corner, grid.crs) for corner in corners]
        areas = [abs(float(np.linalg.det(frame.matrix)) * (a * e - b * d)) for frame in frames]
        self._mesh: NDArray[np.float64] = np.array(areas).reshape(_MESH, _MESH)
        self._grid = grid

    @property
    def middle(self) -> float:
        """m2 of the pixel in the middle."""
        return float(self._mesh[_MESH // 2, _MESH // 2])

    def of(self, pixels: RunMask) -> float:
        """Return the area of some pixels in m2."""
        left, top, right, bottom = pixels.box
        col = (left + right) / 2.0 / self._grid.width * (_MESH - 1)
        row = (top + bottom) / 2.0 / self._grid.height * (_MESH - 1)
        i, j = min(int(row), _MESH - 2), min(int(col), _MESH - 2)
        down, right_of = row - i, col - j
        near = self._mesh[i : i + 2, j : j + 2]
        across = near[:, 0] * (1.0 - right_of) + near[:, 1] * right_of
        return pixels.area * float(across[0] * (1.0 - down) + across[1] * down)


def moved_prompt(prompt: str, window: ScanWindow, grid: PixelGrid) -> str:
    """Return a prompt in pixels of a window in the coordinates of the map; other words are left as they are.

    Points and boxes are written as :meth:`PromptSet.describe` writes them, "+12.5,7.5" and "[left,top,right,bottom]" in
    pixels.
    """
    words, moved = prompt.split(), False
    for index, word in enumerate(words):
        point, box = _POINT.match(word), _BOX.match(word)
        if point is not None:
            x, y = _on_map([(float(point[2]), float(point[3]))], window, grid)[0]
            words[index] = f"{point[1]}{exact(x)},{exact(y)}"
        elif box is not None:
            left, top, right, bottom = (float(box[number]) for number in (1, 2, 3, 4))
            corners = _on_map([(left, top), (right, top), (right, bottom), (left, bottom)], window, grid)
            low, high = np.min(corners, axis=0).tolist(), np.max(corners, axis=0).tolist()
            words[index] = f"[{','.join(exact(value) for value in (*low, *high))}]"
        moved = moved or point is not None or box is not None
    if moved:
        words.append("pixels" if grid.crs is None else crs_maths.title(grid.crs))
    return " ".join(words)


def _on_map(pixels: list[tuple[float, float]], window: ScanWindow, grid: PixelGrid) -> list[list[float]]:
    corners: list[list[float]] = grid.to_map(np.asarray(pixels) + window.box[:2]).tolist()
    return corners
