#!/usr/bin/env bash
# Makes or completes the virtual environment of the peers, outside the repository, and prints the path of its python.
# PEERS_VENV names another place. What is listed after torch is optional: its rows are left out where it does not install.
# Arguments are further packages, such as tensorflow-cpu.
set -euo pipefail
venv=${PEERS_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/avcu/peers}
[ -x "$venv/bin/python" ] || python3 -m venv "$venv" >&2
has() { "$venv/bin/python" -c "import importlib.metadata as m; m.version('$1')" 2>/dev/null; }
for package in numpy safetensors torch; do
	has "$package" || "$venv/bin/pip" install -q "$package" >&2
done
for package in paddlepaddle tfrecord "$@"; do
	has "$package" || "$venv/bin/pip" install -q "$package" >&2 || echo "env.sh: $package does not install here: its rows will be missing" >&2
done
echo "$venv/bin/python"
