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
from bert_ner.errors import BertNerError, as_out_of_memory, brief, told
from bert_ner.files import check_sums, sha256_of

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
        BertNerError: it is missing, not YAML, or lacks a section, or a section is not of the kind it has to be.
    """
    path = ROOT / "params.yaml"
    try:
        params = YAML(typ="safe", pure=True).load(path)
    except (OSError, YAMLError, ValueError, RecursionError) as error:
        raise BertNerError(f"{path} can't be read: {error}; mend it, or take the one in the repository") from None
    if not isinstance(params, dict):
        raise BertNerError(f"{path}: expected sections, as in the one in the repository")
    if missing := {name for name, _, _ in _SECTIONS} - set(params):
        raise BertNerError(f"{path}: no {', '.join(sorted(missing))} in it; see the one in the repository")
    for name, is_valid, wanted in _SECTIONS:
        if not is_valid(params[name]):
            raise BertNerError(f"{path}: {name} must be {wanted}, not {brief(params[name])}")
    return params


def _is_list_of(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and bool(value) and all(type(item) is kind for item in value)


def _is_groups(value: Any) -> bool:
    kinds = {"corpora": str, "systems": str, "seeds": int}
    return isinstance(value, dict) and all(
        isinstance(group, dict)
        and set(group) == set(kinds)
        and all(_is_list_of(kind)(group[name]) for name, kind in kinds.items())
        for group in value.values()
    )


def _is_split(value: Any) -> bool:
    if not isinstance(value, dict) or set(value) != {"validation_fraction", "seed"}:
        return False
    fraction = value["validation_fraction"]
    return type(fraction) is float and 0 < fraction < 1 and type(value["seed"]) is int


def is_seed(value: int) -> bool:
    """Whether every random generator that is used here takes it."""
    return 0 <= value < 2**32


def seed(text: str) -> int:
    """A seed on the command line; argparse takes the error for wrong usage."""
    if not (text.isdecimal() and is_seed(int(text))):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to 4294967295")
    return int(text)


SEEDS = "a list of whole numbers from 0 to 4294967295"
_SECTIONS: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("corpora", _is_list_of(str), "a list of names"),
    ("baselines", _is_list_of(str), "a list of names"),
    ("encoders", _is_list_of(str), "a list of names"),
    ("seeds", lambda value: _is_list_of(int)(value) and all(map(is_seed, value)), SEEDS),
    ("more", _is_groups, "groups, each with lists of corpora, systems and seeds"),
    ("split", _is_split, "validation_fraction, a number between 0 and 1, and seed, a whole number"),
)


def runs(params: dict[str, Any]) -> list[Run]:
    """What `dvc repro` trains on each corpus: each baseline once, as none draws random numbers, encoders per seed."""
    return [Run(name, 0) for name in params["baselines"]] + [
        Run(name, seed) for name in params["encoders"] for seed in params["seeds"]
    ]


def all_runs(params: dict[str, Any], corpus: str) -> list[Run]:
    """The same with what `make repro-all` adds; systems in the order of their sections in params.yaml.

    Raises:
        BertNerError: a system has no section.
    """
    groups = [group for group in params["more"].values() if corpus in group["corpora"]]
    more = [Run(system, seed) for group in groups for system in group["systems"] for seed in group["seeds"]]
    order = list(params)
    if missing := {run.system for run in [*runs(params), *more]}.difference(order):
        raise BertNerError(f"{ROOT / 'params.yaml'}: it names {', '.join(sorted(missing))}, but has no section for it")
    return sorted(dict.fromkeys([*runs(params), *more]), key=lambda run: order.index(run.system))


def first_encoder(params: dict[str, Any]) -> str:
    """The encoder of the first system that has one: whose word pieces are counted.

    Raises:
        BertNerError: the system has no section with an encoder's name.
    """
    system = params["encoders"][0]
    section = params.get(system)
    if not (isinstance(section, dict) and isinstance(section.get("name"), str)):
        raise BertNerError(f"{ROOT / 'params.yaml'}: {system}, the first of encoders, needs a section with a name")
    return str(section["name"])


def read_part(corpus: str, part: str) -> list[Sentence]:
    """The train, validation or test sentences that prepare.py wrote.

    Raises:
        BertNerError: they are missing, or not as they were written.
    """
    labels, path = read_labels(corpus), prepared_file(corpus, f"{part}.bio")
    check_sums(path.parent, f"run python experiments/prepare.py --corpus {corpus}", [path.name, "labels.txt"])
    return read_bio(path, labels)


def read_labels(corpus: str) -> list[str]:
    """The tag set that prepare.py wrote, in the order of the catalog.

    Raises:
        BertNerError: the corpus is not prepared.
    """
    path = prepared_file(corpus, "labels.txt")
    if not path.is_file():
        raise BertNerError(f"{path} is missing; run python experiments/prepare.py --corpus {corpus}, or dvc repro")
    return path.read_text(encoding="utf-8", errors="replace").split()


def prepared_file(corpus: str, name: str) -> Path:
    return DATA / "prepared" / corpus / name


def read_run(corpus: str, run: Run) -> dict[str, Any]:
    """What train.py noted beside a model: its settings, history and origin.

    Raises:
        BertNerError: that system is not trained, or what was noted is broken.
    """
    path = model_folder(corpus, run) / RUN_FILE
    remedy = f"run python experiments/train.py --corpus {corpus} --system {run.system} --seed {run.seed}, or dvc repro"
    if not path.is_file():
        raise BertNerError(f"{path} is missing; {remedy}")
    content = read_json(path)
    if not (isinstance(content.get("settings"), dict) and isinstance(content.get("history"), list)):
        raise BertNerError(f"{path}: no settings or no history in it; {remedy}")
    return content


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object that a stage wrote.

    Raises:
        BertNerError: it can't be read, or is none.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BertNerError(f"{path} can't be read ({error}); remove it, and run the stage that writes it") from None
    if not isinstance(content, dict):
        raise BertNerError(f"{path}: not a JSON object; remove it, and run the stage that writes it")
    return content


def check_predictions(path: Path, remedy: str) -> None:
    """Compare results/<corpus>/predictions/<run>.tags with its sum in results/provenance.json, if that has one.

    Raises:
        BertNerError: it is not the file that evaluate.py wrote.
    """
    record = path.parents[2] / "provenance.json"
    known: Any = read_json(record) if record.is_file() else {}
    for name in (path.parents[1].name, "runs", path.stem, "predictions"):
        known = known.get(name) if isinstance(known, dict) else None
    if known and (found := sha256_of(path)) != known:
        raise BertNerError(f"{path}: its SHA-256 is {found}, but {record} has {known}; {remedy}")


def model_folder(corpus: str, run: Run) -> Path:
    """Where a model is: what `dvc repro` trains apart from the rest, on which its later stages must not wait."""
    return (MODELS if run in runs(read_params()) else MODELS / "more") / corpus / run.name


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
    name = Path(sys.argv[0]).name
    try:
        main()
    except BertNerError as error:
        sys.exit(f"{name}: {told(error)}")
    except (MemoryError, RuntimeError, OSError) as error:
        if shortage := as_out_of_memory(error):  # PyTorch and onnxruntime raise a RuntimeError
            sys.exit(f"{name}: {told(shortage)}")
        if not isinstance(error, OSError):
            raise
        reason = f"{error.filename}: {error.strerror}" if error.filename else error
        sys.exit(f"{name}: {reason}; mend that, and run again: what was finished is kept")
    except KeyboardInterrupt:
        print(f"\n{name}: interrupted", file=sys.stderr)
        sys.stderr.flush()
        os._exit(130)  # at once: no thread pool of a library is waited for
