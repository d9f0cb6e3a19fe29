# What a developer does with Imprint. `make` alone prints the targets.
#
# Every path here is relative: make cannot work with the spaces that a project's folder may have.

PYTHON := .venv/bin/python
STAMP := .venv/.installed
CHECKED := webapp workers dev bench tests rsgi.py wsgi.py celery_app.py
# More arguments for a target, such as `make test ARGS="-k versions -x"`.
ARGS ?=
# The Python to make .venv with, such as python3.11; without it the newest that is found.
BASE_PYTHON ?=

.DEFAULT_GOAL := help
.PHONY: help setup run test check format bench requirements clean

help: ## Print this list.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-14s%s\n", $$1, $$2 }' Makefile

setup: $(STAMP) ## Make .venv and install the pinned requirements in it.

$(STAMP): requirements/dev.txt
	@found=; for name in $(BASE_PYTHON) python3.13 python3.12 python3.11 python3; do \
	  if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    found=$$name; break; fi; done; \
	if [ -z "$$found" ]; then \
	  echo "Imprint needs Python 3.11 or newer, and none is on the PATH: install one." >&2; \
	  exit 1; fi; \
	echo "Making .venv with $$($$found --version)"; \
	$$found -m venv .venv || { \
	  echo "$$found cannot make virtual environments: install its venv package." >&2; exit 1; }
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $(STAMP)

run: setup ## Run everything here: servers, API, workers, dispatcher; Ctrl-C stops it.
	@$(PYTHON) -m dev.run

# The tests start more than a thousand processes: where no bytecode may be written, each compiles
# all of Imprint anew.
test: setup ## Run the tests in parallel on throw-away servers (ARGS="..." for pytest).
	env -u PYTHONDONTWRITEBYTECODE $(PYTHON) -m pytest -n auto --dist worksteal $(ARGS)

check: setup ## Run the linters and the type checker.
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy --strict $(CHECKED)
	.venv/bin/lint-imports

format: setup ## Format the code, and fix what the linter can fix.
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

bench: setup ## Measure the speeds that Imprint promises (ARGS="..." for the benchmark).
	$(PYTHON) -m bench $(ARGS)

requirements: setup ## Pin what requirements/*.in ask for, with hashes (ARGS=--upgrade for the newest).
	cd requirements && for name in runtime dev; do \
	  CUSTOM_COMPILE_COMMAND="make requirements" ../$(PYTHON) -m piptools compile --quiet $(ARGS) \
	    --generate-hashes --strip-extras --no-emit-index-url --no-emit-find-links \
	    --no-emit-trusted-host --allow-unsafe --output-file $$name.txt $$name.in || exit 1; done

clean: ## Remove .venv, caches and the data of `make run`.
	@if [ -e var/run.lock ] && command -v flock >/dev/null && ! flock --nonblock var/run.lock true; then \
	  echo "Imprint runs from this folder: stop it first." >&2; exit 1; fi
	rm -rf .venv var build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
