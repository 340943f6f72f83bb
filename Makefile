# Everything runs in .venv/, which each target makes if it isn't there. Needs Python 3.11+, pip and make, nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check bench soak clean help

help:
	@echo "make demo    an emulated company, a rollout live, a second one that stops by itself; leaves demo/"
	@echo "make test    all tests"
	@echo "make check   lint, format, types, import contracts"
	@echo "make soak    crashes at every boundary, seed after seed: SECONDS=600 or POINTS=1000000, JOBS=2"
	@echo "make bench   the figures of the README"

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Wavekeeper needs Python 3.11 or later; say PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	@touch $(READY)

demo: $(READY)
	$(BIN)/wavekeeper demo

test: $(READY)
	$(BIN)/python -m pytest -n auto --dist worksteal

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/python benchmarks/run_all.py

soak: $(READY)
	$(BIN)/python -m orchestrator.simulation soak --jobs $(or $(JOBS),1) $(if $(POINTS),--points $(POINTS)) $(if $(SECONDS),--seconds $(SECONDS))

clean:
	rm -rf $(VENV) demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
