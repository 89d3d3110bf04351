"""Use the plugin in a real QGIS window on a virtual screen, and take its picture: ``make gui-smoke``.

A made scene is opened; an object is clicked, corrected with an exclude click and kept; another is boxed and kept; one
is undone. Then more like an example, and everything, are looked for, filtered and copied. Pictures go to docs/images,
or where --out says; a report of what happened is checked.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "test/headless/gui_smoke_script.py"
SCREEN = ["xvfb-run", "-a", "-s", "-screen 0 1280x860x24"]
SEED, SIDE, THEME = 6, 900, "town"
INCLUDE, EXCLUDE = (536.5, 386.5), (460.5, 435.5)
"""(col, row) on a roof, and on the ground that the first outline takes with it."""
BOX = (664, 447, 810, 597)
"""(left, top, right, bottom) around another roof."""
COLOURS, MOST_BYTES = 200, 300_000
LEAST_FOUND = 5
"""Objects that each search finds, at least."""


def make_scene(path: Path) -> dict[str, list[float]]:
    """Write the made scene and return where to point, in map coordinates."""
    sys.path.insert(0, str(ROOT))
    from tools import demo

    demo.SEED, demo.SIDE, demo.THEME = SEED, SIDE, THEME
    demo.make_scene(path)

    def place(col: float, row: float) -> list[float]:
        return [demo.LEFT + demo.PIXEL * col, demo.TOP - demo.PIXEL * row]

    left, top, right, bottom = BOX
    return {
        "include": place(*INCLUDE),
        "exclude": place(*EXCLUDE),
        "second": place((left + right) / 2, (top + bottom) / 2),
        "box": [*place(left, bottom), *place(right, top)],
    }


def run_qgis(work: Path, places: dict[str, list[float]], font_percent: int = 100) -> dict:
    """Run the script in QGIS and return its report; leave with what QGIS said if it fails."""
    program = shutil.which("qgis.bin") or shutil.which("qgis")
    if program is None or shutil.which("xvfb-run") is None:
        raise SystemExit("make gui-smoke needs the QGIS desktop and xvfb-run (apt-get install qgis xvfb xauth).")
    for major in (3, 4):
        settings = work / f"profiles/profiles/default/QGIS/QGIS{major}.ini"
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text("[PythonPlugins]\nprompt_segmenter=true\n")
    (work / "runtime").mkdir(mode=0o700)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("QGIS", "QT_", "PYTHON"))}
    options = ["--nologo", "--noversioncheck", "--profiles-path", str(work / "profiles"), "--code", str(SCRIPT)]
    done = subprocess.run(
        [*SCREEN, program, *options],
        env={
            **kept,
            "PATH": f"{ROOT / '.dev/venv/bin'}:{kept['PATH']}",
            "QGIS_PLUGINPATH": str(ROOT / ".dev/plugins"),
            "XDG_RUNTIME_DIR": str(work / "runtime"),
            "PYTHONWARNINGS": "ignore",
            "GUI_SMOKE": str(work),
            "GUI_SMOKE_PLACES": json.dumps(places),
            "GUI_SMOKE_FONT": str(font_percent),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    report = work / "report.json"
    if done.returncode != 0 or not report.exists():
        raise SystemExit(f"QGIS ended with status {done.returncode}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return dict(json.loads(report.read_text()))


def wrong(report: dict) -> list[str]:
    """Return what did not happen as it should, as sentences."""
    expected = {
        "preview": True,
        "outline_after_click": True,
        "outline_after_exclude": True,
        "outline_after_box": True,
        "kept": [1, 2],
        "after_undo": 1,
        "outline_on_canvas": True,
        "errors": [],
    }
    sentences = [
        f"{name}: expected {want}, got {report.get(name)}"
        for name, want in expected.items()
        if report.get(name) != want
    ]
    for way in ("similar", "words", "everything"):
        found = report.get(way, {})
        total = int(found.get("all", "0").split()[0])
        if total < LEAST_FOUND or not found["progress"] or found["all"] != f"{total} of {total} shown":
            sentences.append(f"{way}: expected at least {LEAST_FOUND}, with progress, got {found}")
        elif not found["some"].startswith(f"{found['features']} of {total} ") or found["copied"] != found["features"]:
            sentences.append(f"{way}: what is shown, in the layer and copied are not the same: {found}")
    return sentences


def save_small(source: Path, target: Path) -> int:
    """Write a picture with few colours, if Pillow is there to do it, and return its size in bytes."""
    try:
        from PIL import Image
    except ImportError:
        shutil.copyfile(source, target)
    else:
        with Image.open(source) as picture:
            few = picture.convert("RGB").quantize(COLOURS, kmeans=2, dither=Image.Dither.NONE)
            few.save(target, optimize=True)
    return target.stat().st_size


def main() -> int:
    """Run it with what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--font", type=int, default=100, help="size of QGIS's font in per cent")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        places = make_scene(work / "scene.tif")
        report = run_qgis(work, places, options.font)
        for picture in sorted(work.glob("*.png")):
            size = save_small(picture, options.out / picture.name)
            print(f"{options.out / picture.name}: {size / 1000:.0f} kB")
            if size > MOST_BYTES:
                print(f"  that is more than {MOST_BYTES / 1000:.0f} kB")
    print(json.dumps(report, indent=2))
    sentences = wrong(report)
    print("\n".join(sentences) or "all as it should be")
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main())
