"""Find closed depressions: craters, sinkholes and kettles of a DEM become polygons."""

from __future__ import annotations

from .landform_algorithm import LandformAlgorithm

NAME = "finddepressions"


class FindDepressionsAlgorithm(LandformAlgorithm):
    """One polygon for each closed depression."""

    finder = "depressions"

    def name(self) -> str:
        """Return the constant name."""
        return NAME

    def displayName(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return what people read."""
        return self.tr("Find closed depressions")

    def tags(self) -> list[str]:
        """Return what the algorithm is found by."""
        words = "dem,terrain,crater,sinkhole,doline,kettle,pit,depression,sink,fill,landform"
        return words.split(",")

    def shortDescription(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return one line about it."""
        return self.tr("Outlines the hollows of a DEM in which water would stand, with depth and volume.")

    def shortHelpString(self) -> str:  # noqa: N802 (QGIS asks for this name)
        """Return the help that the dialog and qgis_process show."""
        return self.tr(_HELP)


_HELP = """<p>Outlines the closed depressions of a DEM: craters, sinkholes, kettles, pits. Each polygon is the water
that would stand there before it flows out, with its depth, level, width, area and volume.</p>
<p>The confidence says how much deeper it is than the least depth (MIN_RELIEF): one half at that depth.</p>
<p>Nothing found is not an error: the output is then empty and a warning says so.</p>"""
ENTRY = FindDepressionsAlgorithm
