# Everything runs in .venv, which the first target that needs it creates.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PEERS  := .venv-peers
# Hundreds of processes of the tests import the same modules: each would compile them anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test quick lint bench peers docs generate sample-logs clean

help: ## show the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt torch==2.13.0 -e '.[dev]'
# What pip would do on one core, without the parts that are not imported; some files are made for another Python.
	-@$(BIN)/python -m compileall -q -j 2 -x '/(tests|transformers/models)/' $(VENV)/lib >/dev/null
	@touch $(READY)

demo: $(READY) ## examine the example language model and its ill twin
	$(BIN)/rnn-doctor check examples/charlm.py
	$(BIN)/rnn-doctor check examples/charlm_exploding.py; test $$? -eq 1 # it must be found ill

test: $(READY) ## all tests
	$(BIN)/python -m pytest -n 2 --dist worksteal

quick: $(READY) ## the tests that start no training (seconds)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m 'not e2e' -q

lint: $(READY) ## formatting, lints, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(READY) ## tables and figures of benchmarks/
	$(BIN)/python benchmarks/traits.py
	$(BIN)/python benchmarks/exactness.py
	$(BIN)/python benchmarks/interleaved.py
	$(BIN)/python benchmarks/overhead.py

# An environment of its own: what is installed there would change what the frameworks of the tests do.
$(PEERS)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/pip install --quiet --disable-pip-version-check -c constraints.txt torch==2.13.0
	$(PEERS)/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	@touch $@

peers: $(PEERS)/.ready ## the cost of the probe beside that of other tools (hours), and what they say on the fault bench
	$(PEERS)/bin/python benchmarks/interleaved.py --peers --only H=200
	$(PEERS)/bin/python benchmarks/overhead.py --peers --long
	$(PEERS)/bin/python -m benchmarks.faults.peers

docs: $(READY) ## the documentation as a site, in build/docs
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/docs

generate: $(READY) ## schemas, rule pages, tables: whatever is generated
	$(BIN)/python -m tests.generated

sample-logs: $(READY) ## record the examples anew, with their page and reference reports
	$(BIN)/python -m tests.sample_logs
	$(BIN)/python -m pytest -q tests/test_sample_logs.py --update-gold

clean: ## remove the environment and caches
	rm -rf $(VENV) $(PEERS) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
