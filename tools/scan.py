"""Run the plugin site's blocking checks, bandit and detect-secrets, on the unpacked package."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

# The plugin site runs a selection of bandit's tests; all of them but "subprocess is imported" are stricter than that.
NOT_RUN = "B404"


def bandit(folder: Path) -> list[str]:
    """Return bandit's findings as sentences."""
    report = run("-m", "bandit", "-q", "-r", ".", "-s", NOT_RUN, "-f", "json", cwd=folder)
    data = json.loads(report)
    broken = [f"{error['filename']}: {error['reason']}" for error in data["errors"]]
    return broken + [
        f"{hit['filename']}:{hit['line_number']}: {hit['test_id']} {hit['issue_text']}" for hit in data["results"]
    ]


def detect_secrets(folder: Path) -> list[str]:
    """Return what detect-secrets takes for a secret, as sentences."""
    report = run("-m", "detect_secrets", "scan", "--all-files", "--exclude-files", r"metadata\.txt", ".", cwd=folder)
    results = json.loads(report)["results"]
    return [f"{name}:{hit['line_number']}: {hit['type']}" for name, hits in results.items() for hit in hits]


def run(*arguments: str, cwd: Path) -> str:
    """Return what a Python tool prints; its exit status says nothing more than its report."""
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    if not done.stdout.strip():
        raise SystemExit(f"{' '.join(arguments)} printed nothing:\n{done.stderr}")
    return done.stdout


def main() -> int:
    """Scan the package named on the command line."""
    package = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(package) as archive:
            archive.extractall(folder)
        wrong = bandit(Path(folder)) + detect_secrets(Path(folder))
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    print(f"{package.name}: bandit and detect-secrets: {len(wrong)} findings")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
