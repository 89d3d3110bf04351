"""The form is shown when QGIS would show it, and leaves the writing to the edit command."""

from __future__ import annotations

import pytest
from prompt_segmenter.test.ui.conftest import PROVENANCE, UTM, memory, outline, square
from prompt_segmenter.ui import attribute_form
from prompt_segmenter.ui.target_layer import TargetLayer
from qgis.core import QgsCoordinateReferenceSystem, QgsEditFormConfig, QgsFeature, QgsSettings
from qgis.gui import QgsAttributeDialog, QgsGui
from qgis.PyQt.QtCore import QTimer
from qgis.PyQt.QtWidgets import QApplication, QLineEdit

NEVER = "qgis/digitizing/disable_enter_attribute_values_dialog"


@pytest.fixture(autouse=True)
def widgets(qgis_app):
    QgsGui.editorWidgetRegistry().initEditors()
    yield
    QgsSettings().remove(NEVER)


def suppressed(layer, how):
    config = layer.editFormConfig()
    config.setSuppress(how)
    layer.setEditFormConfig(config)


@pytest.mark.parametrize(("never", "wanted"), [(True, False), (False, True)])
def test_the_users_setting_decides_unless_the_layer_says_otherwise(project, never, wanted):
    how = QgsEditFormConfig.FeatureFormSuppress
    layer = memory()
    QgsSettings().setValue(NEVER, never)

    assert attribute_form.is_wanted(layer) is wanted
    suppressed(layer, how.SuppressOn)
    assert not attribute_form.is_wanted(layer)
    suppressed(layer, how.SuppressOff)
    assert attribute_form.is_wanted(layer)


def test_a_new_memory_layer_asks_nothing(project):
    layer = TargetLayer.new_memory_layer(project, "Outlines", QgsCoordinateReferenceSystem(UTM))
    feature = QgsFeature(layer.fields())

    assert not attribute_form.is_wanted(layer)
    assert attribute_form.ask(layer, feature) is feature


def answer(accept, text="typed"):
    """Fill the form that comes up next, and close it."""

    def act():
        (dialog,) = [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, QgsAttributeDialog)]
        (field,) = [field for field in dialog.findChildren(QLineEdit) if field.objectName() == "label"]
        assert not field.isReadOnly()
        field.setText(text)
        (dialog.accept if accept else dialog.reject)()

    QTimer.singleShot(50, act)


@pytest.mark.parametrize("accept", [True, False])
def test_what_is_typed_into_the_form_is_kept_in_one_step_and_cancel_keeps_nothing(project, accept):
    layer = memory(fields="label:string")
    QgsSettings().setValue(NEVER, False)
    answer(accept)

    kept = TargetLayer(layer, ask_form=attribute_form.ask).keep(outline(square(0, 0)), UTM, PROVENANCE)

    assert kept.written is accept
    assert [feature["label"] for feature in layer.getFeatures()] == (["typed"] if accept else [])
    assert layer.undoStack().count() == (1 if accept else 0)
    assert layer.isEditable() is accept
