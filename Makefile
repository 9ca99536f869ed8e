# make run     the main job: makes .venv, installs, compares policies on a northern typhoon
# make test    the tests, quick ones first
# make check   what CI runs besides the tests: lint, types, layers
# make test-pulp4   the planning tests on PuLP 4, where a Python 3.12 or newer is found
# make bench   the benchmarks: minutes, best on an idle machine; table in results/benchmarks/
# make gallery   every chart, in both languages, from small real runs: results/gallery/<language>/
# make lint | types | layers | clean | help
#
# make PYTHON=python3.12 run   chooses the interpreter (3.11, 3.12 or 3.13) that .venv is made with

PYTHON ?= $(firstword $(foreach v,3.11 3.12 3.13,$(shell command -v python$(v))) python3)
PYTHON4 ?= python3.12 python3.13 $(wildcard $(HOME)/.pyenv/versions/3.1[23]*/bin/python)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SOURCES := pyproject.toml constraints.txt

.PHONY: run test test-pulp4 .pulp4-with check lint types layers bench gallery help clean
.DEFAULT_GOAL := help

help:
	@awk '!/^#/ {exit} {sub(/^# ?/, ""); print}' Makefile

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(BIN)/python $(SOURCES)
	$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(PIP) install -c constraints.txt -e ".[dev]"
	@touch $@

run: $(VENV)/installed
	$(BIN)/nts-sim compare experiment=typhoon_north

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m "not slow"
	$(BIN)/python -m pytest -m slow

test-pulp4:
	@for python in $(PYTHON4); do \
	  if $$python -c "import sys; sys.exit(sys.version_info < (3, 12))" 2>/dev/null; then \
	    exec $(MAKE) --no-print-directory .pulp4-with PYTHON4=$$python; \
	  fi; \
	done; \
	echo "PuLP 4 needs Python 3.12 or newer and none is found: its tests are not run."; \
	echo "If there is one: make test-pulp4 PYTHON4=/path/to/python"

.pulp4-with:
	test -x .venv-pulp4/bin/python || $(PYTHON4) -m venv .venv-pulp4
	.venv-pulp4/bin/python -m pip --disable-pip-version-check --quiet install \
	  -c constraints.txt -e ".[dev]" "pulp>=4"
	.venv-pulp4/bin/python -c "import pulp; print('PuLP', pulp.__version__)"
	.venv-pulp4/bin/python -m pytest -m "not slow" tests/planning

check: lint types layers

lint: $(VENV)/installed-dev
	$(BIN)/ruff check nts_sim tests
	$(BIN)/ruff format --check nts_sim tests

types: $(VENV)/installed-dev
	$(BIN)/mypy --strict nts_sim

layers: $(VENV)/installed-dev
	$(BIN)/lint-imports

bench: $(VENV)/installed-dev
	$(BIN)/python -m tests.benchmarks

GALLERY := results/gallery
GALLERY_INPUTS := information.lag_days=0..3 resources.stock_factor=0.5..1.5 \
  fund.balance_factor=0.1..1 policy=current_practice replications=4

# Small runs that give every chart something to draw; those that are there already take no time.
gallery: $(VENV)/installed-dev
	@set -e; \
	run() { echo "nts-sim $$*"; $(BIN)/nts-sim "$$@" results_dir=$(GALLERY)/runs --quiet > /dev/null; }; \
	pair=policy=current_practice,expected_value; \
	rules=policy=current_practice,equal_share,greedy,do_nothing; \
	run compare scenario=typhoon_north $$rules,per_capita,expected_value replications=10; \
	run compare scenario=all_hazards $$rules replications=4; \
	run sweep fund.balance_factor=0..1:0.25 $$pair replications=8; \
	run sweep information.lag_days=0..3 resources.stock_factor=0.5..1.5:0.5 $$pair replications=4; \
	run sweep resources=lean,standard,strong $$pair replications=8; \
	run sensitivity method=morris design.points=6 $(GALLERY_INPUTS); \
	run sensitivity method=sobol design.points=16 $(GALLERY_INPUTS); \
	run plan scenario=typhoon_north scenario.horizon_days=12 policy=expected_value; \
	$(BIN)/python -m nts_sim.report.gallery_page $(GALLERY)/runs $(GALLERY)

clean:
	rm -rf $(VENV) .venv-pulp4 .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
