# Needs Python 3.11 or newer, git and make; everything else is installed on first use.
VENV ?= .venv
PYTEST_ARGS ?=
FUZZ_ARGS ?=
SPREAD = -n auto --dist worksteal
EVALKIT_TEST_PG_URL ?= local
BIN = $(VENV)/bin
QUICK = --ignore tests/plugin --ignore tests/config --ignore tests/cli --ignore tests/examples
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help demo test test-server quick lint format types docs licences audit faults fuzz bench check wheel setup packages clean

help:  ## what can be made
	@awk -F ':|  ## ' '/^[a-z-]+:.*  ## / { printf "  make %-11s %s\n", $$1, $$NF }' $(MAKEFILE_LIST)

demo: $(VENV)/.installed  ## a run, its gates and its HTML report, offline
	$(BIN)/evalkit demo
	@echo "The command evalkit is in $(BIN); put it on your path with: . $(BIN)/activate"

test: export EVALKIT_TEST_PG_URL := $(EVALKIT_TEST_PG_URL)
test: setup packages  ## everything the tests need, then all of them
	$(BIN)/python -m pytest $(SPREAD) $(PYTEST_ARGS)

test-server: export EVALKIT_TEST_PG_URL := $(EVALKIT_TEST_PG_URL)
test-server: export EVALKIT_TEST_STORE := postgresql
test-server: setup packages  ## the plugin's tests with their runs stored on PostgreSQL
	$(BIN)/python -m pytest $(SPREAD) $(PYTEST_ARGS) tests/plugin

quick: setup  ## the tests that start neither a browser nor a pytest of their own
	$(BIN)/python -m pytest -m "not slow and not browser" $(QUICK) $(PYTEST_ARGS)

lint: setup  ## style, format, import layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

format: setup  ## put style and format right
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: setup  ## mypy, strict
	$(BIN)/mypy

docs: setup  ## write the generated pages and the shown output anew
	$(BIN)/python scripts/docs.py

licences: setup  ## the licences of what evalkit needs; fails for one that is not allowed
	$(BIN)/python scripts/licences.py

audit: setup  ## known holes in what evalkit needs (asks a service; says aloud where it cannot)
	scripts/audit $(BIN)/python

faults: export EVALKIT_TEST_PG_URL := $(EVALKIT_TEST_PG_URL)
faults: setup packages  ## the long fault suite: everything ten times
	$(BIN)/python -m tests.faults --long

fuzz: setup  ## fuzz each reader of what comes from outside for a minute
	$(BIN)/python -m pip install --quiet --group fuzz
	$(BIN)/python -m fuzz $(FUZZ_ARGS)

bench: setup  ## the benchmarks, against the tools people use today (takes long, needs the network)
	$(BIN)/python -m benchmarks

check: lint types test  ## all that a change has to pass

wheel: setup  ## dist/*.whl
	$(BIN)/python -m build --wheel

setup: $(VENV)/.dev  ## the environment for development

packages:
	@scripts/system-packages chromium postgresql pgbouncer

$(VENV)/.installed: pyproject.toml
	scripts/environment $(VENV) -e .
	@touch $@

$(VENV)/.dev: pyproject.toml
	scripts/environment $(VENV) -e '.[all]' --group dev
	@touch $(VENV)/.installed $@

clean:  ## what was made here, the environment included
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .ci/work
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
