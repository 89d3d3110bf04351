"""Runs inside a real QGIS window (``qgis --code``): loads and unloads the plugin, runs it, and writes what it saw.

RASTER, CLICK, SHOT and REPORT come from the environment.
"""

import json
import os
import sys
import traceback
from pathlib import Path

from qgis import processing, utils
from qgis.core import Qgis, QgsApplication, QgsProject
from qgis.PyQt.QtCore import QEventLoop, QTimer
from qgis.PyQt.QtWidgets import QApplication

NAME, PROVIDER = "prompt_segmenter", "promptsegmenter"


def counted():
    """Return how many of our things are in the window."""
    raster = [action for action in utils.iface.rasterMenu().actions() if "Prompt Segmenter" in action.text()]
    buttons = [action for action in utils.iface.rasterToolBar().actions() if action.text().startswith("Segment from")]
    there = QgsApplication.processingRegistry().providerById(PROVIDER) is not None
    return [len(raster), len(buttons), there]


def wait_ms(milliseconds):
    """Let the window work for a while: a refresh of the canvas starts only after a pause."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def run():
    """Do it and return the report."""
    report = {"version": Qgis.QGIS_VERSION, "cycles": []}
    if NAME in utils.plugins:
        utils.unloadPlugin(NAME)
    for _ in range(5):
        started = utils.loadPlugin(NAME) and utils.startPlugin(NAME)
        loaded = counted()
        unloaded = utils.unloadPlugin(NAME)
        QApplication.processEvents()
        report["cycles"].append([bool(started), loaded, bool(unloaded), counted()])
    utils.loadPlugin(NAME)
    utils.startPlugin(NAME)
    layer = utils.iface.addRasterLayer(os.environ["RASTER"], "image")
    results = processing.runAndLoadResults(
        "promptsegmenter:segmentprompts",
        {"INPUT": layer, "INCLUDE": os.environ["CLICK"], "OUTPUT": "TEMPORARY_OUTPUT"},
    )
    report["count"] = results["COUNT"]
    report["layers"] = sorted(layer.name() for layer in QgsProject.instance().mapLayers().values())
    canvas = utils.iface.mapCanvas()
    canvas.zoomToFullExtent()
    wait_ms(1500)
    canvas.waitWhileRendering()
    utils.iface.mainWindow().grab().save(os.environ["SHOT"])
    return report


def main():
    """Write the report and leave at once: a QGIS that closes in the usual way asks questions."""
    status = 1
    try:
        Path(os.environ["REPORT"]).write_text(json.dumps(run()))
        status = 0
    except BaseException:  # noqa: BLE001 (whatever it is, this QGIS must end)
        traceback.print_exc()
    sys.stdout.flush()
    QgsProject.instance().setDirty(False)
    os._exit(status)


QTimer.singleShot(2000, main)
