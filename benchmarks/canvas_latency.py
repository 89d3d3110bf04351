"""How immediate is the map tool? ``python -m benchmarks.canvas_latency`` from the repository root, with QGIS's Python.

A map window of 1024 x 1024 pixels over a made raster, the real map tool, worker and sessions. For the starter model and
for graphs of MobileSAM's size:

- from a click to its outline painted: median and 95th percentile of 50 clicks at places never pointed at before;
- the longest time that the window did not answer (the largest gap of a 5 ms timer) while views are encoded and while
  outlines under the pointer are computed; and the longest of it that this process itself was computing, which is what
  is left of it on a machine that does nothing else;
- whether the first click, 3 s after the tool was taken up, needs an encode.

Ends with status 1 when a limit is missed: 100 ms (starter) and 200 ms (MobileSAM's size) for the median, 50 ms for the
window, no encode for the first click. On a busy machine all wall-clock figures grow: the load and the same timer's gap
while nothing is done are printed beside them, and the CPU milliseconds of a click, which grow less.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).resolve().parents[1]
VIEW_PX, SIDE_PX = 1024, 3000
LEFT, TOP, UTM = 500_000.0, 4_600_000.0, "EPSG:32633"
CLICKS, PLACES = 50, 25
MOST_STALL_MS = 50.0
MOST_CLICK_MS = {"starter": 100.0, "mobile_sam": 200.0}
TOO_LONG_S = 120.0


@dataclass
class Figures:
    """What was measured with one model."""

    clicks_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    found: int = 0
    encode_stall_ms: float = 0.0
    hover_stall_ms: float = 0.0
    idle_stall_ms: float = 0.0
    own_stall_ms: float = 0.0
    encodes_ahead: int = 0
    encodes_of_first_click: int = -1
    glimpses: int = 0

    def p95(self) -> float:
        """Return the 95th percentile of the clicks."""
        return float(np.percentile(self.clicks_ms, 95))


def prepare() -> None:
    """Give the checkout its package name, and start QGIS without a window system."""
    import importlib.util  # noqa: PLC0415 (before anything of the package)

    spec = importlib.util.spec_from_file_location(
        "prompt_segmenter", ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules["prompt_segmenter"] = package
    spec.loader.exec_module(package)


def write_scene(path: Path) -> None:
    """Write bright blocks of many sizes on a dark, noisy ground, 1 m to a pixel."""
    from osgeo import gdal, osr  # noqa: PLC0415

    random = np.random.default_rng(11)
    picture = np.empty((3, SIDE_PX, SIDE_PX), np.float32)
    picture[:] = np.array([80, 95, 70], np.float32)[:, None, None]
    for _ in range(900):
        x, y = random.integers(0, SIDE_PX - 130, 2)
        width, height = random.integers(14, 120, 2)
        picture[:, y : y + height, x : x + width] = random.integers(120, 230, 3)[:, None, None]
    picture += random.normal(0.0, 6.0, picture.shape)
    file = gdal.GetDriverByName("GTiff").Create(str(path), SIDE_PX, SIDE_PX, 3, gdal.GDT_Byte, ["PHOTOMETRIC=RGB"])
    crs = osr.SpatialReference()
    crs.ImportFromEPSG(int(UTM.split(":")[1]))
    file.SetProjection(crs.ExportToWkt())
    file.SetGeoTransform((LEFT, 1.0, 0.0, TOP, 0.0, -1.0))
    for band, plane in enumerate(picture.clip(0, 255).astype(np.uint8), start=1):
        file.GetRasterBand(band).WriteArray(plane)


class Gaps:
    """The largest gap between two ticks of a 5 ms timer in the window's thread."""

    def __init__(self) -> None:
        from qgis.PyQt.QtCore import Qt, QTimer  # noqa: PLC0415

        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._last = self._own_last = 0.0
        self.largest_ms = 0.0
        self.largest_own_ms = 0.0

    def __enter__(self) -> Gaps:
        self._last, self._own_last = time.perf_counter(), time.process_time()
        self._timer.start(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._tick()
        self._timer.stop()

    def _tick(self) -> None:
        now, own = time.perf_counter(), time.process_time()
        gap = 1000.0 * (now - self._last)
        self.largest_ms = max(self.largest_ms, gap)
        self.largest_own_ms = max(self.largest_own_ms, min(gap, 1000.0 * (own - self._own_last)))
        self._last, self._own_last = now, own


class Window:
    """A map window with the tool, and somebody in front of it."""

    def __init__(self, raster: Path, sessions: object, model: str) -> None:
        from prompt_segmenter.ui.segmenter import Segmenter  # noqa: PLC0415
        from qgis.core import QgsCoordinateReferenceSystem, QgsRasterLayer  # noqa: PLC0415
        from qgis.gui import QgsMapCanvas  # noqa: PLC0415
        from qgis.PyQt.QtWidgets import QApplication, QMainWindow  # noqa: PLC0415

        self._window = QMainWindow()
        self.canvas = QgsMapCanvas(self._window)
        self._window.setCentralWidget(self.canvas)
        frame = 2 * self.canvas.frameWidth()
        self._window.resize(VIEW_PX + frame, VIEW_PX + frame)
        self._window.show()
        QApplication.processEvents()
        self.layer = QgsRasterLayer(str(raster), "scene")
        self.canvas.setDestinationCrs(QgsCoordinateReferenceSystem(UTM))
        self.canvas.setLayers([self.layer])
        self.look_at(300.0, 300.0)
        self.canvas.waitWhileRendering()
        self.segmenter = Segmenter(self.canvas, sessions=sessions)
        self.segmenter.choose_layer(self.layer)
        self.segmenter.choose_model(model)
        self.segmenter.set_hover(False)
        self.failures: list[Exception] = []
        self.segmenter.failed.connect(self.failures.append)

    def look_at(self, east: float, south: float) -> None:
        """Show a square kilometre and a bit, a metre to a pixel."""
        from qgis.core import QgsRectangle  # noqa: PLC0415

        self.canvas.setExtent(QgsRectangle(LEFT + east, TOP - south - VIEW_PX, LEFT + east + VIEW_PX, TOP - south))

    def wait(self, ms: int) -> None:
        """Let the window work."""
        from qgis.PyQt.QtCore import QEventLoop, QTimer  # noqa: PLC0415

        loop = QEventLoop()
        QTimer.singleShot(ms, loop.quit)
        loop.exec()

    def until(self, happened: object, what: str) -> None:
        """Let the window work until something is true."""
        end = time.monotonic() + TOO_LONG_S
        while not happened():
            if self.failures or time.monotonic() > end:
                raise SystemExit(f"{what} did not happen: {self.failures}")
            self.wait(20)

    def settle(self) -> None:
        """Wait until nothing is computed any more, and no timer will begin anything."""
        self.wait(500)
        self.until(lambda: not self.segmenter.inquirer.worker.is_busy, "an end of the work")

    def click(self, x: int, y: int) -> tuple[float, float, bool]:
        """Click, wait for the outline on the screen, and return milliseconds, CPU milliseconds, and if it was found."""
        from qgis.PyQt.QtCore import QEventLoop, QPoint, Qt  # noqa: PLC0415
        from qgis.PyQt.QtTest import QTest  # noqa: PLC0415

        loop = QEventLoop()
        self.segmenter.outlining.answered.connect(loop.quit)
        self.segmenter.failed.connect(loop.quit)
        begun, cpu = time.perf_counter(), time.process_time()
        QTest.mouseClick(
            self.canvas.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(x, y)
        )
        loop.exec()
        self.canvas.viewport().repaint()
        took = 1000.0 * (time.perf_counter() - begun), 1000.0 * (time.process_time() - cpu)
        self.segmenter.outlining.answered.disconnect(loop.quit)
        self.segmenter.failed.disconnect(loop.quit)
        return (*took, self.segmenter.can_keep)

    def point(self, x: int, y: int) -> None:
        """Move the pointer there."""
        from qgis.PyQt.QtCore import QEvent, QPoint, QPointF, Qt  # noqa: PLC0415
        from qgis.PyQt.QtGui import QMouseEvent  # noqa: PLC0415
        from qgis.PyQt.QtWidgets import QApplication  # noqa: PLC0415

        view, where = self.canvas.viewport(), QPoint(x, y)
        none = Qt.MouseButton.NoButton
        moved = QMouseEvent(
            QEvent.Type.MouseMove,
            QPointF(where),
            QPointF(view.mapToGlobal(where)),
            none,
            none,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(view, moved)

    def close(self) -> None:
        """Put everything away."""
        self.segmenter.close()
        self._window.close()


def measure(window: Window) -> Figures:
    """Return the figures of one model."""
    figures, random = Figures(), np.random.default_rng(7)
    inquirer = window.segmenter.inquirer
    with Gaps() as gaps:
        window.wait(2000)
    figures.idle_stall_ms = gaps.largest_ms
    with Gaps() as gaps:
        window.segmenter.activate()
        window.wait(3000)
        window.until(lambda: inquirer.encodes and not inquirer.worker.is_busy, "encoding the view")
        for east in (500.0, 700.0, 300.0):
            window.look_at(east, 300.0)
            window.settle()
    figures.encode_stall_ms, figures.own_stall_ms = gaps.largest_ms, gaps.largest_own_ms
    figures.encodes_ahead = inquirer.encodes
    places = random.integers(60, VIEW_PX - 60, (CLICKS + PLACES, 2)).tolist()
    for number, (x, y) in enumerate(places[:CLICKS]):
        took, cpu, found = window.click(x, y)
        if number == 0:
            figures.encodes_of_first_click = inquirer.encodes - figures.encodes_ahead
        figures.clicks_ms.append(took)
        figures.cpu_ms.append(cpu)
        figures.found += found
        window.segmenter.drop()
        window.wait(20)
    window.settle()
    window.segmenter.set_hover(True)
    glimpses: list[object] = []
    inquirer.glimpsed.connect(glimpses.append)
    with Gaps() as gaps:
        for x, y in places[CLICKS:]:
            for step in range(8):
                window.point(x + step, y)
                window.wait(15)
            window.wait(300)
    figures.hover_stall_ms, figures.glimpses = gaps.largest_ms, len(glimpses)
    figures.own_stall_ms = max(figures.own_stall_ms, gaps.largest_own_ms)
    return figures


def report(name: str, figures: Figures) -> bool:
    """Print the figures and return whether they are within the limits."""
    median, p95 = statistics.median(figures.clicks_ms), figures.p95()
    most = MOST_CLICK_MS[name]
    rows = [
        ("click to outline, median", f"{median:.0f} ms", f"{most:.0f} ms", median <= most),
        ("click to outline, 95th percentile", f"{p95:.0f} ms", "-", True),
        ("click to outline, CPU, median", f"{statistics.median(figures.cpu_ms):.0f} ms", "-", True),
        ("clicks that found something", f"{figures.found} of {CLICKS}", "-", True),
        ("longest stall while encoding", f"{figures.encode_stall_ms:.0f} ms", f"{MOST_STALL_MS:.0f} ms",
         figures.encode_stall_ms <= MOST_STALL_MS),
        (f"longest stall while pointing ({figures.glimpses} outlines)", f"{figures.hover_stall_ms:.0f} ms",
         f"{MOST_STALL_MS:.0f} ms", figures.hover_stall_ms <= MOST_STALL_MS),
        ("longest of both by our own computing", f"{figures.own_stall_ms:.0f} ms", "-", True),
        ("longest stall while idle", f"{figures.idle_stall_ms:.0f} ms", "-", True),
        ("encodes for the first click", f"{figures.encodes_of_first_click}", "0", figures.encodes_of_first_click == 0),
    ]  # fmt: skip
    print(f"\n{name}{'':<44}{'measured':>12}{'limit':>10}")
    for title, value, limit, fine in rows:
        print(f"  {title:<50}{value:>12}{limit:>10}{'' if fine else '   MISSED'}")
    return all(row[3] for row in rows)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=list(MOST_CLICK_MS), action="append", help="only this one")
    wanted = parser.parse_args().model or list(MOST_CLICK_MS)
    prepare()
    from prompt_segmenter.core.models import catalogue  # noqa: PLC0415
    from prompt_segmenter.core.models.embedding import EmbeddingCache  # noqa: PLC0415
    from prompt_segmenter.core.models.families.sam import SamModel  # noqa: PLC0415
    from prompt_segmenter.core.models.onnx_session import OnnxSession  # noqa: PLC0415
    from prompt_segmenter.ui.session_source import Sessions  # noqa: PLC0415
    from qgis.core import QgsApplication  # noqa: PLC0415

    from benchmarks import sam_size  # noqa: PLC0415

    class SizedStore:
        """Has one model: graphs of MobileSAM's size."""

        def __init__(self, folder: Path) -> None:
            self._paths = sam_size.save_pair(folder)

        def load(self, name: str, progress: object = None) -> SamModel:
            return SamModel(catalogue.get(name), *(OnnxSession(path) for path in self._paths))

    application = QgsApplication([], True)
    application.initQgis()
    fine = True
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    with tempfile.TemporaryDirectory() as folder:
        raster = Path(folder) / "scene.tif"
        write_scene(raster)
        for model in wanted:
            store = SizedStore(Path(folder)) if model == "mobile_sam" else None
            window = Window(raster, Sessions(store=store, cache=EmbeddingCache(400_000_000)), model)
            fine &= report(model, measure(window))
            window.close()
    print(f"\nload after: {os.getloadavg()[0]:.1f}; {'all within the limits' if fine else 'a limit is missed'}")
    sys.stdout.flush()
    # QGIS takes longer to tear down than this to measure, and has nothing to save
    os._exit(0 if fine else 1)


if __name__ == "__main__":
    sys.exit(main())
