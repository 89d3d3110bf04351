"""More of the same: finds what is like examples. :func:`~.finder.similar_finder` is the entry point."""

from .calibration import DEFAULT_SIMILARITY
from .finder import similar_finder
from .settings import SimilarSettings

__all__ = ["DEFAULT_SIMILARITY", "SimilarSettings", "similar_finder"]
