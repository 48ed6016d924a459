# Everything that is needed is set up by the targets themselves; two of them are enough:
#   make site   dissects the bundled models and builds the site in site/
#   make faces  dissects a face model that this project did not train; the site then has it too
#   make test   lint, types, the import contract and all tests
#   make check  the same with the fast tests alone: under a minute once it has run
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
SITE_READY := $(VENV)/.ready-site
FACES_READY := $(VENV)/.ready-faces
TEST_READY := $(VENV)/.ready-test

export NO_MKDOCS_2_WARNING = 1

.PHONY: site models faces serve check lint test bench clean

# As many dissections at once as there are processors; the longest goes first.
site: models
	$(BIN)/mkdocs build --quiet
	@echo "The site is in site/: open site/index.html, or run 'make serve'."

models: $(SITE_READY)
	$(BIN)/unit59 dissect recipes/bedrooms-stylegan.yaml recipes/bedrooms-pix2pix.yaml recipes/bedrooms-progan.yaml

faces: $(FACES_READY)
	$(BIN)/unit59 fetch faces
	$(BIN)/unit59 dissect recipes/faces.yaml

serve: models
	$(BIN)/mkdocs serve

# Tests run on all processors, one thread each, and find each other from any folder; a module's tests stay together, as they share what they make.
PYTEST := OMP_NUM_THREADS=1 PYTHONPATH=$(CURDIR) $(BIN)/pytest --numprocesses auto --dist loadfile
FAST := $(addprefix tests/,foundation stats results measure edit handles samples)

check: lint
	$(PYTEST) $(wildcard $(FAST))

test: lint
	-$(BIN)/unit59 fetch faces
	$(PYTEST)

lint: $(TEST_READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

bench: $(TEST_READY) models
	for script in benchmarks/[a-z]*.py; do $(BIN)/python $$script || exit 1; done

clean:
	rm -rf $(VENV) site results .unit59 weights .mypy_cache .import_linter_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(SITE_READY): $(BIN)/python pyproject.toml constraints.txt
	$(PIP) install --quiet --constraint constraints.txt --editable '.[dissect]'
	touch $@

$(FACES_READY): $(BIN)/python pyproject.toml constraints.txt
	$(PIP) install --quiet --constraint constraints.txt --editable '.[faces]'
	touch $@ $(SITE_READY)

# Chromium for the browser tests, where apt can install it; elsewhere they are skipped and say so.
$(TEST_READY): $(BIN)/python pyproject.toml constraints.txt
	$(PIP) install --quiet --constraint constraints.txt --editable '.[dev]'
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y chromium fonts-dejavu-core; } \
	  || echo "chromium is not here and apt cannot install it: the browser tests will be skipped"
	touch $@ $(SITE_READY) $(FACES_READY)
