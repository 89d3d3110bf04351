"""From masks to clean polygons."""
