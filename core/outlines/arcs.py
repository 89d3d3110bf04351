"""The borders of a label raster as arcs between nodes: each border once, whichever two regions it parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .label_raster import Labels, label_runs
from .masks import parts_of_runs
from .polygonize import part_rings

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
_ROWS = 1024
ArcRing = list[tuple[int, bool]]
"""The arcs of a ring in their order: number, and whether it is run through backwards."""


@dataclass
class Region:
    """A 4-connected part of a label."""

    label: int
    rings: list[ArcRing]
    """The shell first, then holes."""
    area_px: float
    """How many pixels it has."""


@dataclass
class Mesh:
    """All borders of a label raster."""

    arcs: list[FloatArray] = field(default_factory=list)
    """(N, 2) corners (col, row) of each arc, from node to node; a closed border without a node ends where it begins.
    Two regions, and no more, lie along each."""
    free: set[int] = field(default_factory=set)
    """Numbers of the closed arcs without a node."""
    regions: list[Region] = field(default_factory=list)


def mesh_of(labels: Labels) -> Mesh:
    """Return the borders of a label raster (H, W) with a rim of one value around it.

    Nodes are where three or more borders meet, and the four corners of what is inside the rim, so that its frame stays
    as it is whatever is done to arcs.
    """
    mesh = Mesh()
    nodes = _Nodes(labels)
    known: dict[bytes, int] = {}
    for label, shell, holes in _regions(labels):
        rings = [_arc_ring(ring, nodes, mesh, known) for ring in (shell, *holes)]
        area = sum(
            abs(_signed_area(ring)) * (1.0 if index == 0 else -1.0) for index, ring in enumerate([shell, *holes])
        )
        mesh.regions.append(Region(label, rings, area))
    return mesh


def _regions(labels: Labels) -> Iterator[tuple[int, FloatArray, list[FloatArray]]]:
    """Yield label, shell and holes of every region, label by label."""
    height, width = labels.shape
    runs = label_runs(labels)
    order = np.argsort(runs.label, kind="stable")
    starts, stops, label = runs.starts[order], runs.stops[order], runs.label[order]
    # One empty column after each row, as parts have it.
    rows = starts // width
    starts, stops = starts + rows, stops + rows
    first = np.flatnonzero(np.concatenate([[True], label[1:] != label[:-1]]))
    for begin, end in zip(first.tolist(), [*first[1:].tolist(), len(label)]):
        for shell, holes in part_rings(parts_of_runs((height, width), starts[begin:end], stops[begin:end])):
            yield int(label[begin]), shell, holes


class _Nodes:
    """Where arcs begin and end, found along rows and along columns."""

    def __init__(self, labels: Labels) -> None:
        height, width = labels.shape
        found = []
        for top in range(0, height - 1, _ROWS):
            piece = labels[top : top + _ROWS + 1]
            across, down = piece[:, 1:] != piece[:, :-1], piece[1:] != piece[:-1]
            borders = across[1:].astype(np.int8) + across[:-1] + down[:, 1:] + down[:, :-1]
            rows, cols = np.nonzero(borders >= 3)
            found.append(np.stack([cols + 1, rows + top + 1], axis=1))
        frame = [(1, 1), (width - 1, 1), (1, height - 1), (width - 1, height - 1)]
        corners = np.concatenate([*found, np.array(frame)]).astype(np.int64)
        self._stride = max(height, width) + 2
        self._by_row = np.unique(corners[:, 1] * self._stride + corners[:, 0])
        self._by_col = np.unique(corners[:, 0] * self._stride + corners[:, 1])

    def along(self, ring: IntArray) -> tuple[IntArray, NDArray[np.bool_]]:
        """Return a ring's corners (N, 2), without the last, and the nodes on its sides; and which of them are nodes."""
        begin, end = ring[:-1], ring[1:]
        level = begin[:, 1] == end[:, 1]
        keys = [
            np.where(level, at[:, 1], at[:, 0]) * self._stride + np.where(level, at[:, 0], at[:, 1])
            for at in (begin, end)
        ]
        low, high = np.minimum(*keys), np.maximum(*keys)
        points, at_side = [begin], [np.arange(len(begin), dtype=np.float64)]
        for lines, chosen in ((self._by_row, level), (self._by_col, ~level)):
            first = np.searchsorted(lines, low[chosen], side="right")
            counts = np.searchsorted(lines, high[chosen], side="left") - first
            if not counts.any():
                continue
            side = np.repeat(np.flatnonzero(chosen), counts)
            within = np.arange(len(side)) - np.repeat(np.cumsum(counts) - counts, counts)
            on = lines[np.repeat(first, counts) + within]
            major, minor = np.divmod(on, self._stride)
            points.append(np.stack([minor, major] if lines is self._by_row else [major, minor], axis=1))
            length = (high - low)[side]
            at_side.append(side + np.abs(on - keys[0][side]) / (length + 1.0))
        order = np.argsort(np.concatenate(at_side), kind="stable")
        corners = np.concatenate(points)[order]
        key = corners[:, 1] * self._stride + corners[:, 0]
        place = np.searchsorted(self._by_row, key)
        is_node = self._by_row[np.minimum(place, len(self._by_row) - 1)] == key
        return corners, is_node


def _arc_ring(ring: FloatArray, nodes: _Nodes, mesh: Mesh, known: dict[bytes, int]) -> ArcRing:
    """Return a ring as arcs, those that are new put into the mesh."""
    corners, is_node = nodes.along(ring.astype(np.int64))
    at = np.flatnonzero(is_node)
    if not len(at):
        first = int(np.lexsort((corners[:, 0], corners[:, 1]))[0])
        turned = np.roll(corners, -first, axis=0)
        arc = _arc(np.concatenate([turned, turned[:1]]), mesh, known)
        mesh.free.add(arc[0])
        return [arc]
    turned = np.roll(corners, -int(at[0]), axis=0)
    turned = np.concatenate([turned, turned[:1]])
    cuts = [*(at - at[0]).tolist(), len(corners)]
    return [_arc(turned[begin : end + 1], mesh, known) for begin, end in zip(cuts, cuts[1:])]


def _arc(corners: IntArray, mesh: Mesh, known: dict[bytes, int]) -> tuple[int, bool]:
    """Return an arc's number and whether these corners run through it backwards."""
    forwards, backwards = corners.tobytes(), corners[::-1].tobytes()
    if backwards in known:
        return known[backwards], True
    if forwards not in known:
        known[forwards] = len(mesh.arcs)
        mesh.arcs.append(corners.astype(np.float64))
    return known[forwards], False


def _signed_area(ring: FloatArray) -> float:
    x, y = ring[:, 0], ring[:, 1]
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2.0
