"""A finder over an extent of any size: windows, stitching, overlaps, coverages. :class:`Scan` is the entry point."""

from .overlaps import OverlapRule
from .scan import Scan, ScanSettings

__all__ = ["OverlapRule", "Scan", "ScanSettings"]
