#!/bin/bash
# Train the starter model and export it, in an environment of its own (.dev/train-venv): see training/README.md.
# usage: tools/train.sh [arguments of training.train]      default: the minutes in MINUTES (600)
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
PYTHON=${TRAIN_PYTHON:-/usr/bin/python3}
if [ ! -x .dev/train-venv/bin/python ]; then
    "$PYTHON" -m venv .dev/train-venv
    .dev/train-venv/bin/python -m pip install -q --disable-pip-version-check -r training/requirements.txt
fi
[ $# -gt 0 ] || set -- --minutes "${MINUTES:-600}"
.dev/train-venv/bin/python -m training.train "$@"
.dev/train-venv/bin/python -m training.export
echo "Now pin the digests of the new files: .dev/venv/bin/python test/helpers/pin_starter.py"
