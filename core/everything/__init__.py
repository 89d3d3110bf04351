"""All objects of a picture, with a click model or one that finds everything by itself."""

from .finder import everything_finder
from .settings import EverythingSettings

__all__ = ["EverythingSettings", "everything_finder"]
