"""A real QGIS window, on a virtual screen: the plugin is loaded and unloaded five times, and then used."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from prompt_segmenter.test.headless.conftest import click

ROOT = Path(__file__).resolve().parents[2]
QGIS = shutil.which("qgis.bin") or shutil.which("qgis")
SCRIPT = ROOT / "test/headless/desktop_script.py"
OPTIONS = ["--nologo", "--noversioncheck"]
SCREEN = ["xvfb-run", "-a", "-s", "-screen 0 1280x900x24"]


@pytest.mark.skipif(
    "PROMPT_SEGMENTER_CI" not in os.environ
    and not (shutil.which("xvfb-run") and QGIS and (ROOT / ".dev/venv").exists()),
    reason="needs xvfb-run, the QGIS desktop and make setup",
)
def test_the_plugin_comes_and_goes_five_times_in_a_real_window_and_then_segments(image, tmp_path):
    for major in (3, 4):
        settings = tmp_path / f"profiles/profiles/default/QGIS/QGIS{major}.ini"
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text("[PythonPlugins]\nprompt_segmenter=true\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("QGIS", "QT_", "PYTHON"))}
    report, shot = tmp_path / "report.json", tmp_path / "window.png"
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)

    done = subprocess.run(
        [*SCREEN, QGIS, *OPTIONS, "--profiles-path", str(tmp_path / "profiles"), "--code", str(SCRIPT)],
        env={
            **kept,
            "PATH": f"{ROOT / '.dev/venv/bin'}:{kept['PATH']}",
            "QGIS_PLUGINPATH": str(ROOT / ".dev/plugins"),
            "XDG_RUNTIME_DIR": str(runtime),
            "PYTHONWARNINGS": "ignore",
            "RASTER": str(image),
            "CLICK": click(150, 150),
            "REPORT": str(report),
            "SHOT": str(shot),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    seen = json.loads(report.read_text())
    assert seen["cycles"] == [[True, [1, 1, True], True, [0, 0, False]]] * 5
    assert seen["count"] == 1
    assert seen["layers"] == ["Outlines", "image"]
    assert shot.stat().st_size > 10_000
