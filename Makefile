# `make demo` and `make test` do their own set-up: all they need is Python 3.11 or later, make and a network.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do command -v $$p && break; done)
VENV := .venv
CONSTRAINTS := constraints.txt
BIN := $(VENV)/bin
SOURCES := pyproject.toml README.md $(shell find src -type f -not -name '*.pyc')

.PHONY: demo experiments figures test test-all test-oldest check docs clean

demo: $(VENV)/installed
	$(BIN)/warmline lab run reuse-client --environments 20 --html build/reuse-client.html --json build/reuse-client.json

# Every experiment, its page and its JSON: forty minutes on two cores that do nothing else.
experiments: $(VENV)/installed
	$(BIN)/warmline lab run-all --output build/experiments

# What the documentation and the rules quote, from these runs.
figures: $(VENV)/installed
	$(BIN)/python docs/distil.py
	$(MAKE) docs

# Twice as many as cores: what tests do most is wait, for servers and for timeouts.
test: $(VENV)/installed
	$(BIN)/pytest -n 4 --dist loadfile -m "not slow"

test-all: $(VENV)/installed
	$(BIN)/pytest --cov --cov-report=term:skip-covered

# The same tests with the oldest PyMongo that we support, in a virtual environment of its own.
test-oldest:
	@mkdir -p build
	@sed 's/^pymongo==.*/pymongo==$(shell sed -n 's/^dependencies = \["pymongo>=\([0-9.]*\),.*/\1/p' pyproject.toml)/' constraints.txt > build/constraints-oldest.txt
	$(MAKE) VENV=.venv-oldest CONSTRAINTS=build/constraints-oldest.txt test

check: $(VENV)/installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/warmline check

# The pages that are made from the code, and what is quoted from the figures.
docs: $(VENV)/installed
	$(BIN)/python docs/generate.py

clean:
	rm -rf .venv .venv-oldest build dist

# Dependencies change seldom, the package often: two stamps. The tests run against the built wheel.
$(VENV)/dependencies: pyproject.toml $(CONSTRAINTS)
	@echo "Setting up $(VENV): once, about half a minute"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) pip hatchling
	@$(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) --no-build-isolation --group dev '.[all]'
	@touch $@

$(VENV)/installed: $(VENV)/dependencies $(SOURCES)
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --force-reinstall .
	@touch $@
