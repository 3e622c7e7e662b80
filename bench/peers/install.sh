#!/usr/bin/env bash
# Makes what the peers run in, inside .cache/peers: an environment with Bytewax, and the compiled Java with Flink (where
# Java 17 and Maven are present). Usage: bench/peers/install.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
made="$PWD/.cache/peers"
export PIP_CACHE_DIR="$PWD/.cache/pip" PIP_DISABLE_PIP_VERSION_CHECK=1
mkdir -p "$made"

python=$(.venv/bin/python -c 'import sys; print(sys._base_executable)')
echo '==> Bytewax'
[ -x "$made/venv/bin/python" ] || "$python" -m venv --without-pip "$made/venv"
"$python" -m pip --python "$made/venv/bin/python" install --quiet --require-hashes --only-binary :all: \
    -r requirements/bench.txt

if command -v java >/dev/null && command -v mvn >/dev/null; then
    echo '==> Java and Flink'
    mvn --quiet --batch-mode -f bench/peers/jvm/pom.xml -Dmaven.repo.local="$PWD/.cache/m2" process-classes
else
    echo '==> no java or mvn here: plain Java and Flink will be reported as not run'
fi
