#!/bin/bash
# Train the starter model in an environment of its own (.dev/train-venv): see training/README.md.
# usage: tools/train.sh [arguments of training.train], or tools/train.sh test
# Default is a proof of a few minutes, exported to build/starter. FULL=1 is the real thing: MINUTES (600) of training, continued from its
# checkpoint after a stop, and exported in place of the model that comes with the plugin. WORDS=1 is the words head: windows are encoded by the
# starter model as it is, then the head is trained on them and exported.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
PYTHON=${TRAIN_PYTHON:-/usr/bin/python3}
if [ ! -x .dev/train-venv/bin/python ]; then
    "$PYTHON" -m venv .dev/train-venv
    .dev/train-venv/bin/python -m pip install -q --disable-pip-version-check -r training/requirements.txt
fi
if [ "${1:-}" = test ]; then
    .dev/train-venv/bin/python -m pip install -q --disable-pip-version-check 'pytest>=8,<10'
    exec .dev/train-venv/bin/python -m pytest -q test/training
fi
if [ -n "${WORDS:-}" ]; then
    .dev/train-venv/bin/python -m training.words.cache --windows "${WINDOWS:-4200}"
    .dev/train-venv/bin/python -m training.words.cache --windows "${VARIED:-2600}" --seed 2031 --varied
    .dev/train-venv/bin/python -m training.words.cache --windows 240 --seed 1905 --out training/runs/words_held
    .dev/train-venv/bin/python -m training.words.train --held training/runs/words_held "$@"
    .dev/train-venv/bin/python -m training.words.levels
    .dev/train-venv/bin/python -m training.words.export
    echo "Now pin the digests of the new files: .dev/venv/bin/python test/helpers/pin_starter.py"
elif [ -n "${FULL:-}" ]; then
    .dev/train-venv/bin/python -m training.train --minutes "${MINUTES:-600}" --resume "$@"
    .dev/train-venv/bin/python -m training.export
    .dev/train-venv/bin/python -m training.objectness collect --scenes "${SCENES:-380}"
    .dev/train-venv/bin/python -m training.objectness fit
    echo "Now pin the digests of the new files: .dev/venv/bin/python test/helpers/pin_starter.py"
else
    .dev/train-venv/bin/python -m training.train --minutes "${MINUTES:-3}" --out training/runs/proof "$@"
    .dev/train-venv/bin/python -m training.export --run training/runs/proof --out build/starter
    echo "The proof works; its graphs are in build/starter. The real training: make train FULL=1"
fi
