"""Servers that segment: how they are reached, asked and understood. Knows no model and no QGIS."""
