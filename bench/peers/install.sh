#!/usr/bin/env bash
# Makes what the peers run in, inside .cache/peers: environments with Bytewax and with Quix Streams, and the compiled
# Java with Flink (where Java 17 with its compiler and Maven are present). Usage: bench/peers/install.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
made="$PWD/.cache/peers"
export PIP_CACHE_DIR="$PWD/.cache/pip" PIP_DISABLE_PIP_VERSION_CHECK=1
mkdir -p "$made"

python=$(.venv/bin/python -c 'import sys; print(sys._base_executable)')

# environment NAME FOLDER: packages of requirements/NAME.txt, each checked against its hash
environment() {
    [ -x "$made/$2/bin/python" ] || "$python" -m venv --without-pip "$made/$2"
    "$python" -m pip --python "$made/$2/bin/python" install --quiet --require-hashes --only-binary :all: \
        -r "requirements/$1.txt"
}

echo '==> Bytewax'
environment bench venv
echo '==> Quix Streams'
environment quix quix

if command -v java >/dev/null && command -v javac >/dev/null && command -v mvn >/dev/null; then
    echo '==> Java and Flink'
    rm -rf "$made/jvm"
    mvn --quiet --batch-mode -f bench/peers/jvm/pom.xml -Dmaven.repo.local="$PWD/.cache/m2" process-classes
    # what came is what was pinned, all of it and nothing else
    found=$(cd "$made/jvm/lib" && export LC_ALL=C && sha256sum ./*.jar | sed 's#\./##')
    if ! diff bench/peers/jvm/jars.sha256 - <<<"$found"; then
        rm -rf "$made/jvm"
        echo 'error: the jars are not as bench/peers/jvm/jars.sha256 says' >&2
        exit 2
    fi
else
    echo '==> no java, javac or mvn here (apt-get install openjdk-17-jdk-headless maven): plain Java and Flink will' \
        'be reported as not run'
fi
