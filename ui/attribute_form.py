"""The attribute form of a new object, where the layer's and the user's settings want one."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsFeature, QgsSettings, QgsVectorLayer
from qgis.gui import QgsAttributeDialog, QgsAttributeEditorContext
from qgis.PyQt.QtWidgets import QDialog, QWidget

_NEVER = "qgis/digitizing/disable_enter_attribute_values_dialog"
_BY_SETTING, _SUPPRESSED = 0, 1


def is_wanted(layer: QgsVectorLayer) -> bool:
    """Return True if QGIS itself would show the form for an object that is drawn by hand."""
    said: Any = layer.editFormConfig().suppress()
    # a plain number before QGIS 3.32, an enum from then on
    number = int(getattr(said, "value", said))
    if number == _BY_SETTING:
        return not QgsSettings().value(_NEVER, False, type=bool)
    return number != _SUPPRESSED


def ask(layer: QgsVectorLayer, feature: QgsFeature, parent: QWidget | None = None) -> QgsFeature | None:
    """Return the feature as the user leaves its form, None if they cancel; the feature itself if no form is wanted.

    The form changes nothing in the layer: what is written, and as which edit command, is the caller's.
    """
    if not is_wanted(layer):
        return feature
    context = QgsAttributeEditorContext()
    dialog = QgsAttributeDialog(layer, QgsFeature(feature), False, parent, True, context)
    # only in this mode does the form leave the writing to others
    dialog.setMode(QgsAttributeEditorContext.Mode.FixAttributeMode)
    accepted = dialog.exec() == QDialog.DialogCode.Accepted
    filled = QgsFeature(dialog.attributeForm().currentFormFeature())
    dialog.deleteLater()
    return filled if accepted else None
