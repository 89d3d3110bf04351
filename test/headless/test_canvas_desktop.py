"""The map tool in a real QGIS window, on a virtual screen: used, unloaded in the middle, and closed in the middle."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from prompt_segmenter.test.headless.conftest import LEFT, PIXEL, TOP

ROOT = Path(__file__).resolve().parents[2]
QGIS = shutil.which("qgis.bin") or shutil.which("qgis")
SCRIPT = ROOT / "test/headless/canvas_script.py"
OPTIONS = ["--nologo", "--noversioncheck"]
SCREEN = ["xvfb-run", "-a", "-s", "-screen 0 1280x900x24"]


@pytest.mark.skipif(
    "PROMPT_SEGMENTER_CI" not in os.environ
    and not (shutil.which("xvfb-run") and QGIS and (ROOT / ".dev/venv").exists()),
    reason="needs xvfb-run, the QGIS desktop and make setup",
)
def test_the_tool_is_used_unloaded_in_the_middle_and_closed_with_qgis_in_the_middle(image, tmp_path):
    for major in (3, 4):
        settings = tmp_path / f"profiles/profiles/default/QGIS/QGIS{major}.ini"
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text("[PythonPlugins]\nprompt_segmenter=true\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("QGIS", "QT_", "PYTHON"))}
    report = tmp_path / "report.json"
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
            "PLACE": json.dumps([LEFT + 150 * PIXEL, TOP - 150 * PIXEL]),
            "REPORT": str(report),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )

    assert report.exists(), done.stdout + done.stderr
    seen = json.loads(report.read_text())
    assert seen.pop("unload_s") < 3.0
    assert "score" in seen.pop("summary")
    assert seen == {
        "before": "QgsMapToolPan",
        "kept": 1,
        "active": True,
        "undone": 0,
        "redone": 1,
        "snapping_by_s": True,
        "unloaded": True,
        "same_tool": True,
        "threads": [],
        "docks": [],
    }
    assert "Traceback" not in done.stdout + done.stderr
    assert done.returncode == 0, done.stdout + done.stderr
