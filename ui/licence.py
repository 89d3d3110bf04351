"""Licences that have to be read first: asked for once, and the answer is recorded beside the weights."""

from __future__ import annotations

from html import escape

from qgis.PyQt.QtCore import QCoreApplication, Qt
from qgis.PyQt.QtWidgets import QMessageBox, QWidget

from ..core.models.model import ModelSpec
from ..core.models.store import ModelStore


def is_accepted(store: ModelStore, spec: ModelSpec) -> bool:
    """Return True if a model's licence needs no acceptance, or was accepted."""
    return store.is_accepted(spec)


def ask(store: ModelStore, spec: ModelSpec, parent: QWidget | None = None) -> bool:
    """Show a model's licence if it has to be accepted, record the answer, and return True if it may be used."""
    if is_accepted(store, spec):
        return True
    box = QMessageBox(QMessageBox.Icon.Question, tr("Licence of {}").format(spec.title), "", parent=parent)
    box.setTextFormat(Qt.TextFormat.RichText)
    box.setText(_text(spec))
    accept = box.addButton(tr("I have read and accept it"), QMessageBox.ButtonRole.AcceptRole)
    refuse = box.addButton(QMessageBox.StandardButton.Cancel)
    # what is agreed to must be meant: Enter alone does not do it
    box.setDefaultButton(refuse)
    box.exec()
    if box.clickedButton() is not accept:
        return False
    store.accept(spec)
    return True


def _text(spec: ModelSpec) -> str:
    page = escape(spec.licence_url or spec.citation_url)
    link = f'<p><a href="{page}">{page}</a></p>' if page else ""
    said = tr("{title} may be used only by those who accept its licence: {licence}. Read it at its publisher's.")
    return f"<p>{escape(said.format(title=spec.title, licence=spec.licence))}</p>{link}"


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("Licence", text)
