"""Single parameter and attribute values, as QGIS versions hand them over."""

from __future__ import annotations

from typing import Any

from qgis.PyQt.QtCore import QVariant

from ..core.errors import PromptError

_INCLUDE = {"1", "1.0", "true", "yes", "include", "+"}
_EXCLUDE = {"0", "0.0", "false", "no", "exclude", "-"}


def is_null(value: Any) -> bool:
    """Return True for an attribute without a value: None, or a null QVariant (Qt5)."""
    return value is None or (isinstance(value, QVariant) and value.isNull())


def is_given(value: Any) -> bool:
    """Return True if the user gave a parameter a value."""
    return not is_null(value) and not (isinstance(value, str) and not value.strip())


def include_of(value: Any, feature_id: int, field: str) -> bool:
    """Return whether a label value means include; no value does.

    Raises
    ------
    PromptError
        If it is neither 1 nor 0 (or a word for them).
    """
    if is_null(value):
        return True
    text = str(value).strip().lower()
    if text in _INCLUDE:
        return True
    if text in _EXCLUDE:
        return False
    raise PromptError(
        f"Feature {feature_id} of POINTS has '{value}' in the field '{field}'.",
        hint="It says 1 for include and 0 for exclude.",
    )


def object_name(value: Any) -> int | str:
    """Return a group field's value as the name of an object: whole numbers as such, the rest as text."""
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return str(value)
