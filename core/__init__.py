"""The QGIS-free core: a raster, prompts and a model in, georeferenced outlines out."""
