"""Write the digests of the exported starter model into core/models/digests.py.

Run it after each export: ``.dev/venv/bin/python test/helpers/pin_starter.py``.
"""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DIGESTS = ROOT / "core" / "models" / "digests.py"
FILES = {
    "STARTER_ENCODER": "starter_encoder.onnx",
    "STARTER_DECODER": "starter_decoder.onnx",
    "STARTER_OBJECTNESS": "starter_objectness.onnx",
    "STARTER_WORDS": "starter_words.onnx",
}


def pinned_lines(folder: Path = ROOT / "resources" / "models") -> dict[str, str]:
    """Return the line that digests.py must hold for each file that is there."""
    lines = {}
    for name, filename in FILES.items():
        if (folder / filename).is_file():
            digest = hashlib.sha256((folder / filename).read_bytes()).hexdigest()
            lines[name] = f'{name} = "{digest}"  # pragma: allowlist secret'
    return lines


def main() -> int:
    text = DIGESTS.read_text(encoding="utf-8")
    lines = pinned_lines()
    for name, line in lines.items():
        text = re.sub(rf"^{name} = .*$", line, text, flags=re.MULTILINE)
    DIGESTS.write_text(text, encoding="utf-8")
    sys.stdout.write("".join(f"{line}\n" for line in lines.values()) or "resources/models has no starter model yet\n")
    return 0 if len(lines) == len(FILES) else 1


if __name__ == "__main__":
    sys.exit(main())
