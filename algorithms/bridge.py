"""Between QGIS and the core, both ways: CRS, geometry, progress, fields and layer sources."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsField,
    QgsFields,
    QgsGeometry,
    QgsMapLayer,
    QgsPointXY,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProject,
    QgsRectangle,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QMetaType, QVariant

from ..core import native
from ..core.errors import CrsError, MissingCrsError, PromptError
from ..core.outlines.results import Field, FieldKind
from ..core.raster.grid import Bounds
from ..core.redact import without_credentials

_FILES = "gdal"
_PROVIDER_IN_FRONT = re.compile(r"(?!https?:|ftp:|s3:|file:)([A-Za-z][A-Za-z0-9_]+)://")
_SERVICE = re.compile(r"(^|&)(url|type)=")
_QMETATYPE_FIELDS = 33800
"""From this QGIS version on, fields are made with QMetaType; before, with QVariant."""


class FeedbackProgress:
    """The core's progress on a Processing feedback.

    Parameters
    ----------
    feedback : QgsProcessingFeedback
        Told about progress; asked for cancellation.
    """

    def __init__(self, feedback: QgsProcessingFeedback) -> None:
        self._feedback = feedback
        self._message = ""

    def report(self, fraction: float, message: str = "") -> None:
        """Set the bar, and write the message if it is a new one."""
        self._feedback.setProgress(100.0 * fraction)
        if message and message != self._message:
            self._message = message
            self._feedback.pushInfo(message)

    def is_cancelled(self) -> bool:
        """Return True once the user has pressed Cancel."""
        return bool(self._feedback.isCanceled())


def crs_text(crs: QgsCoordinateReferenceSystem) -> str | None:
    """Return a CRS as the core writes it: an authority code, else WKT; None if there is none."""
    if not crs.isValid():
        return None
    code = crs.authid()
    # A user's own CRS has a code that only this QGIS profile knows.
    if code and not code.upper().startswith("USER:"):
        return str(code)
    return str(crs.toWkt(QgsCoordinateReferenceSystem.WktVariant.WKT_PREFERRED))


def to_qgis_crs(text: str | None) -> QgsCoordinateReferenceSystem:
    """Return a CRS that the core wrote (an authority code or WKT) as QGIS's; invalid for None."""
    return QgsCoordinateReferenceSystem(text) if text else QgsCoordinateReferenceSystem()


def move_geometry(
    geometry: QgsGeometry,
    crs: QgsCoordinateReferenceSystem,
    target: QgsCoordinateReferenceSystem,
    context: QgsProcessingContext | QgsProject,
) -> QgsGeometry:
    """Return a copy of a geometry in the target CRS, by the project's own datum transformations.

    Raises
    ------
    CrsError
        If it has no place there.
    MissingCrsError
        If it has a CRS and the target has none.
    """
    moved = QgsGeometry(geometry)
    transform = _transform(crs, target, context)
    if transform is None:
        return moved
    lost = CrsError(
        f"{_short(geometry.asWkt(8))} ({crs.authid()}) has no place in {target.authid() or 'the raster CRS'}.",
        hint="Check the coordinates, their order (x y) and their CRS.",
    )
    try:
        if moved.transform(transform) != QgsGeometry.OperationResult.Success:
            raise lost
    except QgsCsException as error:
        raise lost from error
    return moved


def move_bounds(
    rectangle: QgsRectangle,
    crs: QgsCoordinateReferenceSystem,
    target: QgsCoordinateReferenceSystem,
    context: QgsProcessingContext | QgsProject,
) -> Bounds:
    """Return the (left, bottom, right, top) in the target CRS that encloses a rectangle.

    Raises
    ------
    CrsError
        If it has no place there.
    MissingCrsError
        If it has a CRS and the target has none.
    """
    transform = _transform(crs, target, context)
    moved = rectangle
    if transform is not None:
        try:
            moved = transform.transformBoundingBox(rectangle)
        except QgsCsException as error:
            raise CrsError(
                f"The rectangle {rectangle.toString(8)} ({crs.authid()}) has no place in "
                f"{target.authid() or 'the raster CRS'}.",
                hint="Check the coordinates and their CRS.",
            ) from error
    return moved.xMinimum(), moved.yMinimum(), moved.xMaximum(), moved.yMaximum()


def points_of(geometry: QgsGeometry) -> list[QgsPointXY]:
    """Return the points of a point or multipoint.

    Raises
    ------
    PromptError
        If it is another kind of geometry.
    """
    if geometry.isNull() or geometry.isEmpty():
        return []
    vertices = [QgsPointXY(vertex) for vertex in geometry.vertices()]
    if geometry.type() != QgsWkbTypes.GeometryType.PointGeometry:
        raise PromptError(f"{_short(geometry.asWkt(6))} is not a point.", hint="Give a point or a multipoint.")
    return vertices


def to_qgis_geometry(shape: Any) -> QgsGeometry:
    """Return a shapely (multi)polygon as a QGIS multipolygon."""
    geometry = QgsGeometry()
    geometry.fromWkb(shape.wkb)
    if not geometry.convertToMultiType():
        raise ValueError(f"to_qgis_geometry: expected a polygon, got {shape.geom_type}")
    return geometry


def from_qgis_geometry(geometry: QgsGeometry) -> Any:
    """Return a polygon or multipolygon as shapely's, without Z and M and with arcs as lines; None if there is none."""
    if geometry.isNull() or geometry.isEmpty():
        return None
    flat = geometry.constGet().segmentize()
    flat.dropZValue()
    flat.dropMValue()
    return native.shapely().wkb.loads(bytes(QgsGeometry(flat).asWkb()))


def to_qgis_fields(columns: tuple[Field, ...]) -> QgsFields:
    """Return the core's columns as QGIS fields."""
    fields = QgsFields()
    for column in columns:
        fields.append(QgsField(column.name, _field_type(column.kind)))
    return fields


def source_text(layer: QgsMapLayer) -> str:
    """Return what the layer is read from, without user names, passwords and keys.

    The provider stands in front of what is no file, as Processing takes it: wms://type=xyz&url=... A file's path is
    absolute.
    """
    text, provider = str(layer.publicSource()), layer.providerType()
    if provider != _FILES:
        return without_credentials(f"{provider}://{text}")
    return without_credentials(file_path(text))


def file_path(text: str) -> str:
    """Return a file's absolute path; other text as it is.

    qgis_process takes files by names that only mean something where it was called.
    """
    try:
        return str(Path(text).absolute()) if text and Path(text).exists() else text
    except OSError:
        # the text of a whole VRT is a source, too, and too long for a name
        return text


def split_source(text: str) -> tuple[str, str]:
    """Return provider and source of a text that :func:`source_text` made.

    Examples
    --------
    >>> split_source("wms://type=xyz&url=https://example.com/{z}/{x}/{y}.png")[0]
    'wms'
    """
    written = _PROVIDER_IN_FRONT.match(text)
    if written:
        return written[1], text[written.end() :]
    # version 0.1 wrote no provider
    return ("wms" if _SERVICE.search(text) else _FILES), text


def _field_type(kind: FieldKind) -> Any:
    if Qgis.versionInt() >= _QMETATYPE_FIELDS:
        types = {
            FieldKind.INTEGER: QMetaType.Type.LongLong,
            FieldKind.REAL: QMetaType.Type.Double,
            FieldKind.TEXT: QMetaType.Type.QString,
        }
    else:
        types = {
            FieldKind.INTEGER: QVariant.Type.LongLong,
            FieldKind.REAL: QVariant.Type.Double,
            FieldKind.TEXT: QVariant.Type.String,
        }
    return types[kind]


def _transform(
    crs: QgsCoordinateReferenceSystem,
    target: QgsCoordinateReferenceSystem,
    context: QgsProcessingContext | QgsProject,
) -> QgsCoordinateTransform | None:
    """Return the way from one to the other; None where coordinates are already in the target."""
    if not crs.isValid() or crs == target:
        return None
    if not target.isValid():
        raise MissingCrsError(
            f"The prompts are in {crs.authid()}, but the raster has no CRS.",
            hint="Set the raster's CRS, or give the prompts without a CRS, in the raster's own coordinates.",
        )
    return QgsCoordinateTransform(crs, target, context.transformContext())


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
