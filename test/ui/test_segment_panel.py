from __future__ import annotations

import pytest
from prompt_segmenter.core.models.store import ModelStore
from prompt_segmenter.core.outlines.masks import PartRule
from prompt_segmenter.core.outlines.shape import OutlineSettings
from prompt_segmenter.ui import segment_panel
from prompt_segmenter.ui.mode import Mode
from prompt_segmenter.ui.placement import OverlapRule
from prompt_segmenter.ui.segment_panel import SegmentPanel
from prompt_segmenter.ui.target_layer import KeepSettings
from qgis.core import QgsVectorLayer
from qgis.gui import QgsAuthConfigSelect, QgsCollapsibleGroupBoxBasic
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QPlainTextEdit,
    QToolButton,
    QWidget,
)


@pytest.fixture
def make_panel(project, qgis_app, tmp_path):
    made = []

    def make(**options):
        panel = SegmentPanel(store=ModelStore(tmp_path / "models"), **options)
        made.append(panel)
        return panel

    yield make
    for panel in made:
        panel.close()
        panel.deleteLater()


@pytest.fixture
def panel(make_panel):
    return make_panel()


def button(panel, text):
    (found,) = [one for one in panel.findChildren(QAbstractButton) if one.text() == text]
    return found


def box_of(panel, name):
    (found,) = [one for one in panel.findChildren(QWidget) if one.accessibleName() == name]
    return found


def test_at_first_it_looks_at_the_canvas_with_the_model_that_is_there_and_keeps_to_a_new_layer(panel):
    assert panel.layer() is None
    assert panel.model() == "starter"
    assert panel.mode() is Mode.ONE_OBJECT
    assert panel.outline() == OutlineSettings()
    assert panel.target() is None
    assert panel.keep_settings() == KeepSettings(OverlapRule.ALLOW, False, "")
    assert panel.has_hover()


def test_a_raster_layer_is_chosen_and_its_removal_goes_back_to_the_canvas(panel, raster, project, heard):
    layers = heard(panel.layer_chosen)

    panel.set_layer(raster)
    assert layers.values == [raster]
    assert panel.layer() is raster
    project.removeMapLayer(raster)

    assert panel.layer() is None
    assert layers.values[1:] == [None]


def test_the_style_can_be_used_only_where_there_is_a_layer(panel, raster, heard):
    toggled = heard(panel.style_toggled)
    box = button(panel, "Use the layer's style")
    assert not box.isEnabled()

    panel.set_layer(raster)
    box.click()

    assert toggled.values == [True]
    assert panel.is_styled()


def test_only_polygon_layers_are_offered_to_keep_objects_in(panel, project, raster, heard):
    targets = heard(panel.target_chosen)
    points = QgsVectorLayer("Point?crs=EPSG:32633", "wells", "memory")
    roofs = QgsVectorLayer("Polygon?crs=EPSG:32633", "roofs", "memory")
    project.addMapLayers([points, roofs])
    box = box_of(panel, "Save to")

    assert [box.itemText(row) for row in range(box.count())] == ["New layer", "roofs"]
    QTest.keyClick(box, Qt.Key.Key_Down)
    assert targets.values == [roofs]
    assert panel.target() is roofs
    panel.set_target(None)
    assert panel.target() is None
    assert targets.values == [roofs]


def test_each_button_says_what_is_wanted(panel, heard):
    panel.set_object("120 m², score 0.93", can_keep=True, can_undo=True, can_redo=True)
    panel.set_status("encoding", busy=True)
    for text, signal in (
        ("Keep", panel.keep_requested),
        ("Drop", panel.drop_requested),
        ("Undo", panel.undo_requested),
        ("Redo", panel.redo_requested),
        ("Segment on the map", panel.start_requested),
    ):
        said = heard(signal)
        button(panel, text).click()
        assert len(said.values) == 1, text
    said = heard(panel.cancel_requested)
    box_of(panel, "Cancel").click()
    assert len(said.values) == 1


def test_what_makes_the_object_again_can_be_copied(panel, heard):
    command, python = heard(panel.copy_command_requested), heard(panel.copy_python_requested)
    for action in button(panel, "Copy as").menu().actions():
        action.trigger()

    assert (len(command.values), len(python.values)) == (1, 1)


def test_without_an_object_there_is_nothing_to_keep_drop_undo_or_copy(panel):
    panel.set_object("", False, False, False)

    assert not any(button(panel, text).isEnabled() for text in ("Keep", "Drop", "Undo", "Redo", "Copy as"))


def test_start_shows_the_tool_as_active_only_when_told_so(panel, heard):
    started, stopped = heard(panel.start_requested), heard(panel.stop_requested)

    button(panel, "Segment on the map").click()
    assert not button(panel, "Segment on the map").isChecked()
    panel.set_active(True)
    button(panel, "Stop segmenting").click()

    assert (len(started.values), len(stopped.values)) == (1, 1)
    assert button(panel, "Stop segmenting").isChecked()


def test_the_bar_and_cancel_are_there_only_while_something_is_done(panel):
    panel.show()
    panel.set_status("Encoding view 0.8 s", busy=True, fraction=0.25)
    status = panel._status
    assert status.text.text() == "Encoding view 0.8 s"
    assert status.bar.isVisible()
    assert status.cancel.isVisible()
    assert status.bar.value() / status.bar.maximum() == pytest.approx(0.25)

    panel.set_status("Ready, CPU")

    assert not status.bar.isVisible()
    assert not status.cancel.isVisible()


def test_each_outline_setting_is_live_and_reset_brings_the_defaults_back(panel, heard):
    changes = heard(panel.outline_changed)

    box_of(panel, "Simplify by").setValue(2.5)
    box_of(panel, "Unit of simplifying").setCurrentIndex(1)
    box_of(panel, "Smooth").setValue(3)
    box_of(panel, "Fill holes up to").setValue(0.0)
    box_of(panel, "Smallest part").setValue(12.0)
    box_of(panel, "Expand by").setValue(-1.5)
    box_of(panel, "Parts").setCurrentIndex(2)

    assert changes.values[0] == OutlineSettings(simplify_px=2.5)
    assert len(changes.values) == 7
    assert changes.values[-1] == OutlineSettings(
        parts=PartRule.ALL, fill_holes_m2=0.0, min_area_m2=12.0, simplify_m=2.5, smooth=3, expand_m=-1.5
    )
    button(panel, "Reset to defaults").click()
    assert changes.values[-1] == OutlineSettings() == panel.outline()


def test_a_number_that_is_being_typed_is_not_yet_taken(panel, heard):
    changes = heard(panel.outline_changed)
    field = box_of(panel, "Smallest part")
    field.setFocus()
    field.selectAll()

    QTest.keyClicks(field, "125")
    assert changes.values == []
    QTest.keyClick(field, Qt.Key.Key_Return)

    assert [settings.min_area_m2 for settings in changes.values] == [125.0]


def test_what_was_chosen_is_there_the_next_day(make_panel, raster):
    first = make_panel()
    button(first, "Each click a new object").click()
    button(first, "Show the outline before clicking").click()
    box_of(first, "Smooth").setValue(2)
    box_of(first, "Fill holes up to").setValue(40.0)
    box_of(first, "If it overlaps").setCurrentIndex(2)
    button(first, "Merge with what it touches").click()
    box_of(first, "Label").setEditText("roof")

    second = make_panel()

    assert second.mode() is Mode.EACH_CLICK
    assert not second.has_hover()
    assert second.outline() == OutlineSettings(smooth=2, fill_holes_m2=40.0)
    assert second.keep_settings() == KeepSettings(OverlapRule.CLIP, True, "roof")


def test_the_label_is_said_while_it_is_typed_and_offered_again_later(panel, make_panel, heard):
    labels, settings = heard(panel.label_changed), heard(panel.keep_settings_changed)
    field = box_of(panel, "Label").lineEdit()
    for label in ("roof", "pond"):
        field.clear()
        QTest.keyClicks(field, label)
        QTest.keyClick(field, Qt.Key.Key_Return)

    assert labels.values[-1] == "pond"
    assert settings.values[-1].label == "pond"
    box = box_of(make_panel(), "Label")
    assert [box.itemText(row) for row in range(box.count())] == ["pond", "roof"]


def test_a_model_that_is_not_here_is_offered_and_the_one_before_stays_in_use(panel, heard):
    chosen, wanted = heard(panel.model_chosen), heard(panel.download_requested)
    panel.choose_model("mobile_sam")

    assert panel.model() == "starter"
    assert chosen.values == []
    about = next(label.text() for label in panel.findChildren(QLabel) if label.text().startswith("Not on this machine"))
    assert "45 MB from huggingface.co, licence Apache-2.0 (weights), MIT (export)" in about
    box_of(panel, "Download the model MobileSAM").click()
    assert wanted.values == ["mobile_sam"]


def test_a_model_is_used_as_soon_as_it_has_come(panel, heard, tmp_path):
    chosen = heard(panel.model_chosen)
    panel.choose_model("mobile_sam")
    (tmp_path / "models").mkdir()
    for name in ("mobile_sam_image_encoder.onnx", "sam_mask_decoder_multi.onnx"):
        (tmp_path / "models" / name).write_bytes(b"x")

    panel.refresh_models()

    assert chosen.values == ["mobile_sam"]
    assert panel.model() == "mobile_sam"


def test_missing_packages_take_the_place_of_everything_and_go_again(panel):
    panel.show()
    panel.show_missing(["onnxruntime"])
    assert not button(panel, "Segment on the map").isVisible()
    assert button(panel, "Copy the command").isVisible()

    panel.show_missing([])

    assert button(panel, "Segment on the map").isVisible()


def test_it_finds_by_itself_what_is_missing_and_goes_on_when_it_has_come(make_panel, heard, monkeypatch):
    monkeypatch.setattr(segment_panel, "missing_packages", lambda: ["onnxruntime"])
    panel = make_panel()
    panel.show()
    installed = heard(panel.packages_installed)
    assert not button(panel, "Segment on the map").isVisible()

    button(panel, "Look again").click()

    assert len(installed.values) == 1
    assert button(panel, "Segment on the map").isVisible()


def clipped(panel):
    """Return the visible widgets that are smaller than what they show needs."""
    found = []
    for widget in panel.findChildren(QWidget):
        shows = isinstance(widget, (QLabel, QAbstractButton, QComboBox, QAbstractSpinBox))
        if (
            not widget.isVisible()
            or not shows
            or (type(widget) is QToolButton and widget.parent() is not panel._object)
            # QGIS's own choice of a login
            or isinstance(widget.parent(), QgsAuthConfigSelect)
        ):
            continue
        needs = widget.minimumSizeHint()
        height = widget.heightForWidth(widget.width()) if widget.hasHeightForWidth() else needs.height()
        name = f"{type(widget).__name__} {widget.accessibleName()} {getattr(widget, 'text', str)()}"
        if widget.width() < needs.width() or widget.height() < height:
            found.append(f"{name}: {widget.width()} x {widget.height()}, needs {needs.width()} x {height}")
        right = widget.mapTo(panel, widget.rect().topRight()).x()
        if right >= panel.width():
            found.append(f"{name} reaches to {right} of {panel.width()}")
    return found


@pytest.mark.parametrize("page", ["clicks", "words", "everything", "similar", "terrain", "servers", ""])
@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_nothing_is_cut_off_at_the_least_width_and_a_larger_font(make_panel, scale, page):
    is_missing = not page
    before = QApplication.font()
    larger = QApplication.font()
    larger.setPointSizeF(larger.pointSizeF() * scale)
    QApplication.setFont(larger)
    try:
        panel = make_panel()
        panel.choose_model("mobile_sam")
        panel.ways.show_page(page or "clicks")
        for controls in (panel.words, panel.everything, panel.similar):
            controls.results.show_state("Encoding: 1234 found so far, and more are to come", busy=True, fraction=0.3)
            controls.results.show_result(1234, 5678, may_copy=True)
        for section in panel.findChildren(QgsCollapsibleGroupBoxBasic):
            section.setCollapsed(False)
        panel.show_missing(["onnxruntime", "shapely"] if is_missing else [])
        panel.set_status("Encoding the view at a resolution of 0.3 m, 0.8 s so far", busy=True, fraction=0.3)
        panel.set_object("1 243 m², score 0.94; 3 include points, 2 exclude points and a box", True, True, True)
        panel.setFloating(True)
        panel.show()
        for _ in range(3):
            # the dock follows what its page needs
            QApplication.processEvents()
            panel.resize(panel.minimumSizeHint().width(), 700)
            QApplication.processEvents()

        assert clipped(panel) == []
        assert is_missing or len(panel.findChildren(QPlainTextEdit)) == 3
        assert panel.width() < 30 * panel.fontMetrics().averageCharWidth() + 300
    finally:
        QApplication.setFont(before)


def test_everything_that_takes_the_focus_has_a_name_and_tab_goes_from_top_to_bottom(panel):
    for section in panel.findChildren(QgsCollapsibleGroupBoxBasic):
        section.setCollapsed(False)
    panel.setFloating(True)
    panel.show()
    panel.set_object("an object", True, True, True)
    QApplication.processEvents()
    ours = (QAbstractButton, QComboBox, QAbstractSpinBox)
    nameless, tops, widget = [], [], panel
    while (widget := widget.nextInFocusChain()) is not panel:
        is_stop = widget.isVisible() and bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
        if not is_stop or not isinstance(widget, ours) or not panel.isAncestorOf(widget):
            continue
        if not (widget.accessibleName() or getattr(widget, "text", str)()):
            nameless.append(widget)
        if widget.focusProxy() is None:
            tops.append(widget.mapTo(panel, widget.rect().topLeft()).y())
    assert nameless == []
    assert len(tops) > 15
    assert tops == sorted(tops)


def test_settings_that_make_no_sense_are_as_if_not_there(make_panel):
    from prompt_segmenter.ui.preferences import Preferences

    stored = Preferences()
    for key, value in (
        ("outline/smooth", "many"), ("outline/min_area_m2", "-5"), ("outline/parts", "best"), ("mode", 7),
        ("hover", "perhaps"), ("model", "unheard of"), ("keep/overlap", "?"), ("outline/expand_m", "nan"),
        ("recent_labels", 3),
    ):  # fmt: skip
        stored.set(key, value)

    panel = make_panel()

    assert panel.outline() == OutlineSettings()
    assert (panel.mode(), panel.has_hover(), panel.model()) == (Mode.ONE_OBJECT, True, "starter")
