"""Check a plugin package against what plugins.qgis.org asks of it; exit status 1 and a list of findings if it fails."""

from __future__ import annotations

import configparser
import sys
import zipfile
from pathlib import Path, PurePosixPath

MAX_BYTES = 25_000_000
REQUIRED = ("__init__.py", "metadata.txt", "LICENSE")
FIELDS = (
    *("name", "description", "version", "qgisMinimumVersion", "author", "email", "about", "tracker", "repository"),
    *("homepage", "icon", "hasProcessingProvider"),
)
REFUSED_SUFFIXES = {".pyc", ".pyo", ".so", ".dll", ".exe", ".dylib", ".sh", ".bat", ".jar"}


def findings(path: Path) -> list[str]:
    """Return what is wrong with the package, as sentences."""
    wrong = []
    if path.stat().st_size > MAX_BYTES:
        wrong.append(f"{path.stat().st_size} bytes are more than {MAX_BYTES}")
    with zipfile.ZipFile(path) as archive:
        files = [info for info in archive.infolist() if not info.is_dir()]
        names = [PurePosixPath(info.filename) for info in files]
        tops = {name.parts[0] for name in names}
        if len(tops) != 1 or not next(iter(tops)).isidentifier():
            return [*wrong, f"expected one top folder with a valid name, found {sorted(tops)}"]
        top = next(iter(tops))
        present = {str(name.relative_to(top)) for name in names}
        wrong += [f"{name} is missing" for name in REQUIRED if name not in present]
        for info, name in zip(files, names):
            if any(part.startswith(".") or part in ("__pycache__", "__MACOSX") for part in name.parts):
                wrong.append(f"{name} is hidden or a cache")
            if name.suffix in REFUSED_SUFFIXES:
                wrong.append(f"{name} is of a kind that is refused")
            if (info.external_attr >> 16) & 0o111:
                wrong.append(f"{name} is executable")
        if "metadata.txt" in present:
            wrong += metadata_findings(archive.read(f"{top}/metadata.txt").decode(), present)
    return wrong


def metadata_findings(text: str, present: set[str]) -> list[str]:
    """Return what is wrong with metadata.txt, as sentences."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    parser.read_string(text)
    general = dict(parser["general"])
    wrong = [f"metadata.txt has no {field}" for field in FIELDS if not general.get(field, "").strip()]
    if general.get("icon", "") not in present:
        wrong.append(f"the icon {general.get('icon')} is not in the package")
    return wrong


def main() -> int:
    """Check the package named on the command line."""
    path = Path(sys.argv[1])
    wrong = findings(path)
    for sentence in wrong:
        print(f"{path}: {sentence}", file=sys.stderr)
    if not wrong:
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, fit to be uploaded")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
