"""How found objects look: one colour for each label, or one for each object where all of them differ."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsFeatureRenderer,
    QgsFillSymbol,
    QgsProperty,
    QgsRendererCategory,
    QgsSingleSymbolRenderer,
    QgsSymbolLayer,
)
from qgis.PyQt.QtCore import QCoreApplication

_COLOURS = (
    "255,127,0",
    "31,120,180",
    "51,160,44",
    "227,26,28",
    "166,86,200",
    "0,190,190",
    "240,70,160",
    "190,150,20",
)
"""Apart from each other, and bright enough for an image behind them."""
_FILL, _FILL_EACH = 70, 90
_WIDTH_MM = 0.5
_EACH = 'color_hsva(("object" * 137) % 360, 75, 95, {})'
"""Turning by the golden angle gives neighbours in number colours that are far apart."""


def renderer_for(labels: Sequence[str], *, each_its_own: bool = False) -> QgsFeatureRenderer:
    """Return what draws objects of these labels, in their order, or without any in one colour or many."""
    named = [label for label in labels if label]
    if not named and each_its_own:
        return QgsSingleSymbolRenderer(_each_its_own())
    if len(named) <= 1:
        return QgsSingleSymbolRenderer(_symbol(_COLOURS[0]))
    categories = [
        QgsRendererCategory(label, _symbol(_COLOURS[index % len(_COLOURS)]), label, True)
        for index, label in enumerate(named)
    ]
    # the empty value takes whatever has another label, such as one that the user writes
    others = QgsRendererCategory(None, _symbol("128,128,128"), tr("other"), True)
    return QgsCategorizedSymbolRenderer("label", [*categories, others])


def _symbol(colour: str) -> QgsFillSymbol:
    return QgsFillSymbol.createSimple(
        {"color": f"{colour},{_FILL}", "outline_color": f"{colour},255", "outline_width": str(_WIDTH_MM)}
    )


def _each_its_own() -> QgsFillSymbol:
    symbol = _symbol(_COLOURS[0])
    fill = symbol.symbolLayer(0)
    property_of = QgsSymbolLayer.Property
    fill.setDataDefinedProperty(property_of.PropertyFillColor, QgsProperty.fromExpression(_EACH.format(_FILL_EACH)))
    fill.setDataDefinedProperty(property_of.PropertyStrokeColor, QgsProperty.fromExpression(_EACH.format(255)))
    return symbol


def tr(text: str) -> str:
    """Return a text in the user's language."""
    return QCoreApplication.translate("FoundStyle", text)
