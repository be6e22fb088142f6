# Everything a newcomer or a developer does, one word each. `make` alone explains.
# The environment is rebuilt only when pyproject.toml or constraints.txt changes.

VENV   := .venv
BIN    := $(VENV)/bin
PYTHON ?=
# arguments for pytest, for example: make test TESTS="tests/core -k geometry"
TESTS  ?= tests
# processes that test at once; each of them with one thread, so that two do not wait for each other
JOBS   ?= 2

# Build tools (hatchling) are installed by pip in a place of their own; both names pin them, for old and new pip.
export PIP_CONSTRAINT       := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# errors only; `make demo QUIET=` tells the whole story of an installation
QUIET  ?= -qq
PIP    := $(BIN)/python -m pip install $(QUIET)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-postgres lint bench clean

help:
	@echo "make demo    set up .venv with what the main job needs, analyse the sample photos, say where the results are"
	@echo "make test    set up .venv with everything, check style, types and layers, run every test"
	@echo "make test-postgres  the tests of the web product on a PostgreSQL of their own, started and thrown away"
	@echo "make lint    style (ruff), types (mypy), layers (import-linter); no tests"
	@echo "make bench   measure speed and memory against their limits; the figures go to bench-results/"
	@echo "make clean   remove .venv and everything that these commands made"
	@echo
	@echo "PYTHON=/path/to/python3.11 chooses the Python that .venv is made with (3.11 or newer)."
	@echo "TESTS=\"tests/core -k geometry\" chooses tests for make test."

demo: $(VENV)/.base
	@$(BIN)/mien demo

test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) $(TESTS)

# Servers in processes of their own have a PostgreSQL test in tests/web; those on SQLite are not run twice.
test-postgres: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python tests/web/postgres_support.py \
	  $(BIN)/python -m pytest -n $(JOBS) tests/web \
	  --ignore=tests/web/test_serve.py --ignore=tests/web/test_web_backup.py --ignore=tests/web/test_body_limit.py

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) build dist demo-output bench-results .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# The environment, in three steps: the interpreter, the base, everything for development.

$(VENV)/.python:
	@set -e; found=; \
	for name in "$(PYTHON)" python3.11 python3.12 python3.13 python3.14 python3 python; do \
	  if "$$name" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    found=$$name; break; \
	  fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "Mien needs Python 3.11 or newer with its venv module, and found none." >&2; \
	  echo "  Debian, Ubuntu:  sudo apt install python3 python3-venv" >&2; \
	  echo "  Fedora:          sudo dnf install python3" >&2; \
	  echo "  macOS:           brew install python@3.11" >&2; \
	  echo "or name one that is elsewhere: make demo PYTHON=/path/to/python3.11" >&2; \
	  exit 1; \
	fi; \
	echo "Making $(VENV) with $$("$$found" --version)"; \
	"$$found" -m venv $(VENV)
	@touch $@

$(VENV)/.base: pyproject.toml constraints.txt | $(VENV)/.python
	@echo "Installing Mien and what its main job needs (about a minute)"
	@$(PIP) -e . || { echo "The installation failed. For the details run the same command with QUIET= behind it." >&2; exit 1; }
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/.python
	@echo "Installing Mien with everything for training and tests (a few minutes)"
	@$(PIP) -e '.[dev]' || { echo "The installation failed. For the details run the same command with QUIET= behind it." >&2; exit 1; }
	@touch $(VENV)/.base $@
