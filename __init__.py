"""Prompt Segmenter: outlines from clicks, boxes and words, in QGIS and without it.

Nothing is imported at module level, so that ``import prompt_segmenter.core`` works where QGIS is not installed.
"""


def classFactory(iface: object) -> object:  # noqa: N802 (the name that QGIS asks for)
    """Return the plugin object; QGIS calls this once when it loads the plugin.

    Parameters
    ----------
    iface : QgisInterface or None
        The running window, or None in qgis_process.
    """
    from .plugin import PromptSegmenterPlugin  # noqa: PLC0415 (the core must be importable without QGIS)

    return PromptSegmenterPlugin(iface)
