"""The Processing side: qgis.core only, so that it works in qgis_process and the Model Designer."""
