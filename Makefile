# make demo | test | check | bench | docs | clean. Each one first makes .venv when it is missing or out of date.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo test check bench docs clean venv

# The first Python that is new enough; a Python that is named on the command line wins.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PY := .venv/bin/python
JOBS ?= 2
TESTS ?=

# Shared data lies beside the checkout on the project's own machines; elsewhere the tests that need it skip.
ifndef GITMEM_TEST_DATA
ifneq ($(wildcard ../shared/data),)
export GITMEM_TEST_DATA := $(abspath ../shared/data)
endif
endif

help:
	@echo 'make demo    tell the whole story on real git, in a temporary folder'
	@echo 'make test    run all tests (TESTS="tests/vault -k seal" for some, JOBS=4 for more at once)'
	@echo 'make check   style, types, floors and limits'
	@echo 'make bench   measure, as ratios within one run'
	@echo 'make docs    write docs/cli.md anew from the commands'
	@echo 'make clean   remove what the others made'

venv:
	@test -n '$(PYTHON)' || { echo 'gitmem needs Python 3.11 or newer on the PATH.' >&2; exit 1; }
	@$(PYTHON) scripts/make_venv.py

demo: venv
	@$(PY) demo/demo.py

test: venv
	@$(PY) -m pytest -q -n $(JOBS) --dist worksteal $(TESTS)

CODE := gitmem $(wildcard bench demo scripts) hatch_build.py
check: venv
	@$(PY) -m ruff check --quiet .
	@$(PY) -m ruff format --check --quiet . || { echo 'Run: .venv/bin/ruff format' >&2; exit 1; }
	@$(PY) -m mypy --no-error-summary $(CODE)
	@.venv/bin/lint-imports >.venv/lint-imports.log 2>&1 || { cat .venv/lint-imports.log; exit 1; }
	@$(PY) -m pytest -q tests/test_architecture.py tests/test_secrets.py
	@echo 'Style, types, floors and limits hold.'

bench: venv
	@$(PY) -m bench

docs: venv
	@$(PY) scripts/docs.py

clean:
	@rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
