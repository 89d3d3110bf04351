"""Prompts in map space (PromptSet) and in pixel space (PixelPrompts): two classes, so that they can't be mixed up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import EmptyPromptError
from ..raster import crs as crs_maths
from ..raster.grid import Bounds, PixelGrid


def exact(value: float) -> str:
    """Return a coordinate as the shortest text that reads back as the same number.

    Examples
    --------
    >>> exact(12.0), exact(0.1 + 0.2)
    ('12', '0.30000000000000004')
    """
    short = f"{value:.12g}"
    return short if float(short) == value else repr(value)


class Prompt(Protocol):
    """One thing that the user points at, in map coordinates."""

    @property
    def kind(self) -> str:
        """Name of the prompt kind in its registry, e.g. "point"."""

    @property
    def locates(self) -> bool:
        """True if it says where an object is (an include point, a box); False for an exclude point."""

    def describe(self) -> str:
        """Return it as text for messages and provenance, e.g. "+12.5,46.1"."""

    def envelope(self) -> Bounds:
        """Return the map bounds (left, bottom, right, top) it covers; a point's are twice the same corner."""

    def transformed(self, from_crs: str | None, to_crs: str | None) -> Prompt:
        """Return the same prompt in another CRS."""

    def add_to(self, pixels: PixelPromptBuilder, grid: PixelGrid) -> None:
        """Add itself in pixel coordinates of ``grid``, whose CRS is the prompt's."""


class PixelPromptBuilder:
    """Collects pixel prompts; each prompt kind adds its own."""

    def __init__(self) -> None:
        self._points: list[tuple[float, float]] = []
        self._labels: list[int] = []
        self._boxes: list[NDArray[np.float64]] = []

    def add_point(self, col: float, row: float, *, include: bool) -> None:
        """Add a click at a continuous pixel coordinate."""
        self._points.append((col, row))
        self._labels.append(1 if include else 0)

    def add_box(self, box: NDArray[np.float64]) -> None:
        """Add a (left, top, right, bottom) box in continuous pixel coordinates."""
        self._boxes.append(box)

    def build(self) -> PixelPrompts:
        """Return what was added."""
        return PixelPrompts(
            points=np.asarray(self._points, dtype=np.float32).reshape(-1, 2),
            labels=np.asarray(self._labels, dtype=np.int8),
            boxes=np.asarray(self._boxes, dtype=np.float32).reshape(-1, 4),
        )


@dataclass(frozen=True)
class PixelPrompts:
    """The prompts of one object in the pixels of one chip, as model families take them."""

    points: NDArray[np.float32]
    """(N, 2), continuous (col, row), origin at the corner of the corner pixel."""
    labels: NDArray[np.int8]
    """(N,), 1 include, 0 exclude."""
    boxes: NDArray[np.float32]
    """(M, 4), (left, top, right, bottom); most models take at most one."""

    def __post_init__(self) -> None:
        if self.points.shape != (len(self.labels), 2):
            raise ValueError(f"PixelPrompts: expected ({len(self.labels)}, 2) points, got {self.points.shape}")
        if self.boxes.ndim != 2 or self.boxes.shape[1] != 4:
            raise ValueError(f"PixelPrompts: expected (M, 4) boxes, got {self.boxes.shape}")

    @property
    def include(self) -> NDArray[np.float32]:
        """(K, 2) include points."""
        points: NDArray[np.float32] = self.points[self.labels == 1]
        return points

    @property
    def exclude(self) -> NDArray[np.float32]:
        """(K, 2) exclude points."""
        points: NDArray[np.float32] = self.points[self.labels == 0]
        return points


@dataclass(frozen=True)
class PromptSet:
    """The prompts of ONE object, in map space."""

    prompts: tuple[Prompt, ...]
    """At least one of them locates the object."""
    crs: str | None
    """CRS of their coordinates; None in pixel space."""
    label: str = ""
    """Class or name that the user gives the object."""
    object: int | str | None = None
    """What names the object in the result (a group field's value); its number in the call where None."""
    given: PromptSet | None = None
    """The same prompts as the user wrote them, where they have been moved to another CRS: what messages repeat."""

    def require_located(self) -> None:
        """Raise :class:`EmptyPromptError` if no prompt says where the object is."""
        if not self.prompts:
            raise EmptyPromptError("There is no prompt.", hint="Add an include point or a box.")
        if not any(prompt.locates for prompt in self.prompts):
            where = "" if self.object is None else f"For the object '{self.object}' "
            raise EmptyPromptError(
                f"{where}{'there' if where else 'There'} are only exclude points, so there is no object to look for.",
                hint="Add an include point or a box on the object.",
            )

    def transformed(self, crs: str | None) -> PromptSet:
        """Return the same prompts in another CRS.

        Raises
        ------
        CrsError
            If a coordinate can't be transformed.
        """
        moved = tuple(prompt.transformed(self.crs, crs) for prompt in self.prompts)
        return replace(self, prompts=moved, crs=crs)

    def to_pixels(self, grid: PixelGrid) -> PixelPrompts:
        """Return the prompts in pixels of ``grid``, whose CRS must be this set's."""
        builder = PixelPromptBuilder()
        for prompt in self.prompts:
            prompt.add_to(builder, grid)
        return builder.build()

    @property
    def has_extent(self) -> bool:
        """True if a prompt that locates the object has a width or height, and so says how large it is."""
        envelopes = (prompt.envelope() for prompt in self.prompts if prompt.locates)
        return any(left < right or bottom < top for left, bottom, right, top in envelopes)

    def first(self, count: int) -> PromptSet:
        """Return the first ``count`` of the prompts as a set."""
        given = self.given.first(count) if self.given is not None else None
        return replace(self, prompts=self.prompts[:count], given=given)

    def envelope(self) -> Bounds:
        """Return the map bounds (left, bottom, right, top) of all prompts that locate the object."""
        boxes = np.array([prompt.envelope() for prompt in self.prompts if prompt.locates])
        low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    def describe(self) -> str:
        """Return all prompts as text, in their order, e.g. "+12.5,46.1 -12.6,46.1 [12,46,13,47] EPSG:4326".

        :func:`~.parse.parse_prompts` reads it back.
        """
        parts = [prompt.describe() for prompt in self.prompts]
        return " ".join([*parts, "pixels" if self.crs is None else crs_maths.title(self.crs)])
