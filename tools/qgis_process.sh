#!/bin/bash
# qgis_process with this checkout's plugin, without touching the user's own QGIS profile. Arguments are passed on as they are.
# `make setup` links it to .dev/bin/qgis_process. PLUGINS=folder uses the plugin in that folder in place of the checkout's.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
dev=$root/.dev
# Debian 12's own wrapper passes an option that its qgis_process refuses, so the program itself comes first.
program=$(command -v qgis_process.bin || PATH=${PATH//"$dev/bin"/} command -v qgis_process) || {
    echo "qgis_process was not found. Install QGIS, or run: make setup" >&2
    exit 127
}
[ -x "$dev/venv/bin/python3" ] || { echo "There is no $dev/venv yet. Run: make setup" >&2; exit 1; }
export PATH=$dev/venv/bin:$PATH                      # QGIS's embedded Python takes the packages of the python3 on PATH
export QGIS_PLUGINPATH=${PLUGINS:-$dev/plugins}
export QGIS_CUSTOM_CONFIG_PATH=${QGIS_CUSTOM_CONFIG_PATH:-$dev/profile}
export QT_QPA_PLATFORM=${QT_QPA_PLATFORM:-offscreen}
export PYTHONWARNINGS=${PYTHONWARNINGS:-ignore}
if [ -z "${XDG_RUNTIME_DIR:-}" ]; then
    export XDG_RUNTIME_DIR=$dev/runtime
    mkdir -p -m 700 "$XDG_RUNTIME_DIR"
fi
exec "$program" "$@"
