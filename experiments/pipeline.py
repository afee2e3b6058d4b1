"""What the stages share: where things are, the parameters, and a polite end."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bert_ner.corpus.bio import Sentence, read_bio
from bert_ner.corpus.catalog import CORPORA
from bert_ner.errors import BertNerError

ROOT = Path(__file__).resolve().parent.parent
DATA, MODELS, RESULTS = ROOT / "data", ROOT / "models", ROOT / "results"
RUN_FILE = "run.json"  # beside each model


class Run(NamedTuple):
    """One training of one system."""

    system: str
    seed: int

    @property
    def name(self) -> str:
        return f"{self.system}-{self.seed}"


def read_params() -> dict[str, Any]:
    """params.yaml, read by the YAML library that DVC reads and writes it with (PyYAML takes 3e-05 for a word).

    Raises:
        BertNerError: it is missing, not YAML, or lacks a section.
    """
    path = ROOT / "params.yaml"
    try:
        params = YAML(typ="safe", pure=True).load(path)
    except (OSError, YAMLError) as error:
        raise BertNerError(f"{path} can't be read: {error}") from None
    missing = {"corpora", "baselines", "seeds", "split", "encoder"} - set(params or ())
    if missing:
        raise BertNerError(f"{path}: no {', '.join(sorted(missing))} in it; see the one in the repository")
    return dict(params)


def runs(params: dict[str, Any]) -> list[Run]:
    """The runs of one corpus: each baseline once, as none of them draws random numbers, and the encoder per seed."""
    return [Run(name, 0) for name in params["baselines"]] + [Run("encoder", seed) for seed in params["seeds"]]


def read_part(corpus: str, part: str) -> list[Sentence]:
    """The train, validation or test sentences that prepare.py wrote."""
    return read_bio(prepared_file(corpus, f"{part}.bio"), read_labels(corpus))


def read_labels(corpus: str) -> list[str]:
    """The tag set that prepare.py wrote, in the order of the catalog.

    Raises:
        BertNerError: the corpus is not prepared.
    """
    path = prepared_file(corpus, "labels.txt")
    if not path.is_file():
        raise BertNerError(f"{path} is missing; run python experiments/prepare.py --corpus {corpus}, or dvc repro")
    return path.read_text(encoding="utf-8").split()


def prepared_file(corpus: str, name: str) -> Path:
    return DATA / "prepared" / corpus / name


def read_run(corpus: str, run: Run) -> dict[str, Any]:
    """What train.py noted beside a model: its settings, history and origin.

    Raises:
        BertNerError: that system is not trained.
    """
    path = model_folder(corpus, run) / RUN_FILE
    if not path.is_file():
        raise BertNerError(
            f"{path} is missing; run python experiments/train.py --corpus {corpus} --system {run.system} "
            f"--seed {run.seed}, or dvc repro"
        )
    return dict(json.loads(path.read_text(encoding="utf-8")))


def model_folder(corpus: str, run: Run) -> Path:
    return MODELS / corpus / run.name


def arguments(description: str | None, **options: dict[str, Any]) -> argparse.Namespace:
    """The command line of a stage: --corpus, and what else it takes."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--corpus", choices=CORPORA, default="mit_movie_eng", help="default: %(default)s")
    for name, settings in options.items():
        parser.add_argument(f"--{name}", **settings)
    return parser.parse_args()


def run_politely(main: Callable[[], None]) -> None:
    """Run a script's main; a user's mistake ends it with one message and no traceback."""
    try:
        main()
    except BertNerError as error:
        sys.exit(f"{Path(sys.argv[0]).name}: {error}")
    except KeyboardInterrupt:
        print(f"\n{Path(sys.argv[0]).name}: interrupted", file=sys.stderr)
        sys.stderr.flush()
        os._exit(130)  # at once: no thread pool of a library is waited for
