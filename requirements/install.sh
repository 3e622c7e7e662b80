#!/usr/bin/env bash
# Makes the virtual environment .venv in the checkout and installs exactly what the locks say, by hash.
# Usage: requirements/install.sh run|sms|dev      (run: the product and its demo data; sms: what its providers of SMS
# in the cloud need, too; dev: tests and checks, which need all of it)
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:?usage: requirements/install.sh run|sms|dev}
export PIP_CACHE_DIR="$PWD/.cache/pip"   # nothing is written outside the checkout
export PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf '==> %s\n' "$*"; }
stop() { printf 'error: %s\n' "$*" >&2; exit 2; }

find_python() {
    local name
    for name in "${PYTHON:-}" python3.11 python3 python; do
        [ -n "$name" ] && command -v "$name" >/dev/null || continue
        if "$name" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
            "$name" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    stop "no Python 3.11 found: install it (Debian 12: apt-get install python3 python3-venv)," \
        "or name one: make PYTHON=/path/to/python3.11"
}

make_environment() {
    local python
    python=$(find_python)
    say "virtual environment .venv, with $("$python" -V)"
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        "$python" -m venv .venv
    elif "$python" -c 'import venv, pip' 2>/dev/null; then
        "$python" -m venv --without-pip .venv   # Debian without python3-venv: its own pip fills the folder
    else
        stop "this Python has neither ensurepip nor pip: apt-get install python3-venv, then run make again"
    fi
}

install_locked() {
    local locks=(-r requirements/run.txt -r requirements/demo.txt)
    case "$what" in
        run) ;;
        sms) locks+=(-r requirements/sms.txt) ;;
        dev) locks+=(-r requirements/dev.txt) ;;
        *) stop "'$what' is nothing to install: run, sms or dev" ;;
    esac
    say "packages of ${locks[*]}, each checked against its hash"
    if .venv/bin/python -c 'import pip' 2>/dev/null; then
        .venv/bin/python -m pip install --quiet --require-hashes --only-binary :all: "${locks[@]}"
    else
        "$(find_python)" -m pip --python .venv/bin/python install --quiet \
            --require-hashes --only-binary :all: "${locks[@]}"
    fi
}

[ -x .venv/bin/python ] || make_environment
install_locked
if [ -f engine/warm.py ]; then
    say "compiling the kernel and the scanner once (kept in .cache)"
    .venv/bin/python -m engine.warm
    .venv/bin/python -m streams.scan.warm
fi
date -u +%FT%TZ > ".venv/installed-$what"
say "ready"
