"""The window side: the only package that may import qgis.gui and QtWidgets."""
