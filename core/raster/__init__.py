"""Pixels with a place: grids, chips, the stable stretch and where pixels come from."""
