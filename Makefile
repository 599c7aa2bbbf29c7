# Leadline's targets. `make help` lists them; docs/reference/make.md explains their variables.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev assess test soak check bench serve clean lock

PYTHON ?= python3
OUT ?= out
SUBJECT ?= baseline
SEED ?=
VENV := .venv
LEADLINE := $(VENV)/bin/leadline
export UV_PYTHON_DOWNLOADS := never
export UV_PYTHON_PREFERENCE := only-system
# Every core has a process of ours; threads of its own for small matrices only get in the others' way.
export OPENBLAS_NUM_THREADS := 1
# What one process compiled the next one reads, whatever the shell says of it.
unexport PYTHONDONTWRITEBYTECODE

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1\t/' | expand -t 20

setup: ## install everything `make assess` needs (idempotent; seconds when nothing is missing)
	@PYTHON=$(PYTHON) scripts/setup.sh

setup-dev:
	@PYTHON=$(PYTHON) scripts/setup.sh --dev

assess: setup ## run one complete assessment; OUT=, SUBJECT=, SEED=, RESUME=1
	@$(LEADLINE) assess --out "$(OUT)" --subject "$(SUBJECT)" $(if $(SEED),--seed "$(SEED)") $(if $(RESUME),--resume)

test: setup-dev ## set up and run the test suite (a sample of each long campaign)
	@$(VENV)/bin/python -m pytest -q -n auto --dist loadfile

soak: setup-dev ## run the long campaigns whole; the last figures stand in docs/reference/soak.md
	@$(VENV)/bin/python -m pytest -m soak --soak -p no:randomly --durations=0 --durations-min=1

check: setup-dev ## ruff, mypy --strict, import-linter, tests with coverage
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports
	@$(VENV)/bin/python -m pytest -q -n auto --dist loadfile --cov --cov-report=term:skip-covered
	@$(VENV)/bin/python scripts/coverage_floor.py

bench: setup-dev ## run every benchmark and print its last line
	@for file in bench/[a-z]*.py; do echo "$$file"; $(VENV)/bin/python $$file --json | tail -n 1; done

serve: setup ## the portal at http://localhost:8443, with people to sign in as; OUT=
	@$(LEADLINE) demonstration --home "$(OUT)/.state"
	@$(LEADLINE) serve --home "$(OUT)/.state"

lock: ## renew the hash-pinned locks, with a cooldown of seven days
	@scripts/lock.sh

clean: ## remove everything these targets made
	@rm -rf $(VENV) .cache out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .import_linter_cache
