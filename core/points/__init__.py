"""What a click model outlines at many points of one picture. :class:`PointOutliner` is the entry point."""

from .outliner import PointOutliner

__all__ = ["PointOutliner"]
