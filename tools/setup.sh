#!/bin/bash
# Make .dev/ ready: a virtual environment on QGIS's own Python, the plugin under its name, and a qgis_process that knows both.
# usage: tools/setup.sh [dev]      without "dev" only what the plugin itself needs, with it also what the tests need
# Safe to run again. Writes nothing outside .dev/ but the system packages that are missing, and those only as root with apt-get.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
want=${1:-run}
PYTHON=${QGIS_PYTHON:-/usr/bin/python3}     # QGIS's Python; the python3 on PATH may be another one, without qgis
PACKAGES=(qgis python3-qgis python3-gdal python3-rasterio python3-shapely python3-pyproj python3-requests python3-venv)
[ "$want" = dev ] && PACKAGES+=(git zip xvfb xauth)

say() { printf '== %s\n' "$*"; }

has_qgis() {
    { command -v qgis_process.bin || command -v qgis_process; } >/dev/null && "$PYTHON" -c 'import qgis.core, ensurepip' 2>/dev/null
}

has_libraries() { "$PYTHON" -W ignore -c 'import rasterio, shapely, pyproj, requests, osgeo' 2>/dev/null; }

has_tools() {
    [ "$want" != dev ] && return 0
    for tool in git zip xvfb-run xauth; do command -v "$tool" >/dev/null || return 1; done
}

system_packages() {
    if has_qgis && has_libraries && has_tools; then return; fi
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        say "installing system packages: ${PACKAGES[*]}"
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -q >.dev/apt.log 2>&1 || { tail -n 20 .dev/apt.log >&2; exit 1; }
        apt-get install -y -q --no-install-recommends "${PACKAGES[@]}" >>.dev/apt.log 2>&1 || { tail -n 20 .dev/apt.log >&2; exit 1; }
    fi
    if ! has_qgis; then
        if command -v apt-get >/dev/null; then
            echo "QGIS is not installed (with its Python at $PYTHON). Install it and run make again:" >&2
            echo "    sudo apt-get install --no-install-recommends ${PACKAGES[*]}" >&2
        else
            echo "QGIS 3.22 or newer with its Python was not found (looked for qgis_process on PATH and 'import qgis.core' in $PYTHON)." >&2
            echo "Install QGIS from your distribution, or say where its Python is: make setup QGIS_PYTHON=/path/to/python3" >&2
        fi
        exit 1
    fi
    has_libraries || say "rasterio, shapely or pyproj is not a system package here: pip will bring it"
    has_tools || say "no xvfb, git or zip: the desktop test and 'make zip' will not run"
}

environment() {
    [ -x .dev/venv/bin/python ] || "$PYTHON" -m venv --system-site-packages .dev/venv
    # QGIS's numpy must stay: another major version breaks the system's compiled modules (gdal_array, scipy).
    "$PYTHON" -c 'import numpy; print("numpy==" + numpy.__version__)' >.dev/constraints.txt
    echo 'affine<3' >>.dev/constraints.txt
    files=(-r requirements.txt)
    [ "$want" = dev ] && files+=(-r requirements-dev.txt)
    say "installing Python packages into .dev/venv (${files[*]})"
    .dev/venv/bin/python -m pip install -q --disable-pip-version-check -c .dev/constraints.txt "${files[@]}"
}

links() {
    mkdir -p .dev/plugins .dev/bin .dev/profile/profiles/default/QGIS
    ln -sfn ../.. .dev/plugins/prompt_segmenter
    ln -sfn ../../tools/qgis_process.sh .dev/bin/qgis_process
    for major in 3 4; do
        printf '[PythonPlugins]\nprompt_segmenter=true\n' >".dev/profile/profiles/default/QGIS/QGIS$major.ini"
    done
}

mkdir -p .dev
system_packages
environment
links
say "ready: .dev/bin/qgis_process run promptsegmenter:segmentprompts -- ..."
