# `make help` says what there is. Everything is written inside this folder.
.DEFAULT_GOAL := help
SHELL := /usr/bin/env bash
ARGS ?=
NAMES ?=
# Tests run in so many processes: more than there may be cores, since many wait for servers; tests/conftest.py
# says which stay together. ARGS="-n 0" is one process.
PROCESSES ?= 4
SIDE_BY_SIDE = -n $(PROCESSES) --dist loadgroup --no-loadscope-reorder
LOCKS_RUN := requirements/run.txt requirements/demo.txt requirements/install.sh
LOCKS_DEV := $(LOCKS_RUN) requirements/dev.txt

.PHONY: help setup demo test test-long test-faults bench servers servers-stop servers-lock lint lock clean

help:  ## this list
	@awk -F ':.*## *' '/^[a-z-]+:.*##/ { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: .venv/installed-dev  ## virtual environment, locked packages, compiled kernel (the others call it)

demo: .venv/installed-run  ## a real shop's year, then a simulated shop, live (ARGS=--once ends by itself)
	@./tintype demo $(ARGS)

test: lint  ## every check and every test
	@echo '==> pytest'
	@.venv/bin/python -m pytest -q $(SIDE_BY_SIDE) $(ARGS)

test-long: .venv/installed-dev  ## the truth and the laws at full length: fifty minutes of each real year
	@TINTYPE_LONG=1 .venv/bin/python -m pytest -q $(SIDE_BY_SIDE) tests/truth tests/laws tests/engine/test_modes.py $(ARGS)

test-faults: .venv/installed-dev  ## workers and servers killed, paused, away, flooded; 10,000 seeds of the lanes (hours)
	@TINTYPE_LONG=1 .venv/bin/python -m pytest -q $(SIDE_BY_SIDE) tests/shared tests/servers/test_worker.py \
	    tests/servers/test_faults_*.py tests/servers/test_repartition.py tests/app/test_guarded_kills.py tests/app/test_kills.py \
	    tests/bench/test_cluster.py $(ARGS)

servers: .venv/installed-dev  ## Kafka, Connect, PostgreSQL, MariaDB, Redis, Valkey, ClickHouse here (NAMES="kafka redis": only these)
	@.venv/bin/python -m deploy.servers start $(NAMES)

servers-stop: .venv/installed-dev  ## stop them and remove what they held
	@.venv/bin/python -m deploy.servers stop

servers-lock: .venv/installed-dev  ## write deploy/*/jars.sha256 anew from what Maven brings
	@.venv/bin/python -m deploy.servers lock

bench: .venv/installed-run  ## the figures of the README, each against its peer or limit
	@.venv/bin/python -m app.cli bench engine $(ARGS)

lint: .venv/installed-dev  ## ruff and mypy
	@echo '==> ruff'
	@.venv/bin/ruff check .
	@echo '==> mypy'
	@.venv/bin/mypy .

lock: .venv/installed-dev  ## write requirements/*.txt anew from requirements/*.in
	@for name in run demo sms dev bench quix; do \
	    echo "==> requirements/$$name.txt"; \
	    .venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	        --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' \
	        requirements/$$name.in -o requirements/$$name.txt || exit 2; \
	done

clean:  ## remove what was made here: .venv and the caches
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv/installed-run: $(LOCKS_RUN)
	@requirements/install.sh run

.venv/installed-dev: $(LOCKS_DEV)
	@requirements/install.sh dev
	@touch .venv/installed-run
