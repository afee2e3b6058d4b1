"""The tables and facts in results/, read and checked; a broken one is an error that says what writes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from bert_ner.corpus.catalog import Corpus
from bert_ner.errors import BertNerError
from claims import Place
from evidence import Evidence, NotMeasuredError
from pipeline import read_json
from reporting.formats import METRIC_NAMES, PAPER_ENCODER


class Kind(NamedTuple):
    """A table's columns of words, its columns of numbers, and the command that writes it.

    may_have: columns of numbers that an older table lacks.
    """

    words: str
    numbers: str
    command: str
    may_have: str = ""


EVALUATE = "python experiments/evaluate.py --corpus {corpus}"
COMPARE = "python experiments/compare.py --corpus {corpus}"
REFERENCE = "crf"  # compare.py sets every other system beside it
STUDY = "make repro-all"
BENCH = "make bench"
KINDS = {
    "scores": Kind("system encoder signature", "seed n_sentences token_micro_f1 entity_f1", EVALUATE),
    "scores_by_type": Kind("system type", "seed support f1", EVALUATE),
    "confusion": Kind("system gold predicted", "seed words", EVALUATE),
    "history": Kind("system", "seed epoch train_loss validation_loss validation_entity_f1", EVALUATE),
    "error_kinds": Kind("system kind type", "seed count", EVALUATE),
    "recall": Kind("system by group", "seed support found recall", EVALUATE),
    "costs": Kind(
        "system encoder machine", "seed parameters train_seconds words_per_second model_bytes", EVALUATE
    ),
    "not_run": Kind("system encoder reason", "seed", EVALUATE),
    "intervals": Kind("system metric source method signature", "value low high n level", COMPARE),
    "comparisons": Kind("system_a system_b metric test", "a b difference low high p_value p_holm n", COMPARE),
    "intervals_by_group": Kind("system by group than metric", "support value low high n level", COMPARE),
    "comparisons_by_type": Kind("system_a system_b type", "a b difference low high p_value p_holm n", COMPARE),
    "claims": Kind(
        "id section claim kind paper_value measured low high verdict system evidence", "",
        "python experiments/judge.py --corpus {corpus}",
    ),
    "studies": Kind(
        "study variant system encoder",
        "seed fraction sentences epoch train_loss validation_loss validation_entity_f1 test_token_micro_f1 "
        "test_entity_f1",
        STUDY,
        "per_type",
    ),
    "benchmarks": Kind(
        "task system setting ratio_to machine", "sentences tokens seconds tokens_per_second peak_memory_mb ratio", BENCH
    ),
}  # fmt: skip


class Results:
    """What results/ holds about one corpus. A table or file that is absent is None; a broken one is an error."""

    def __init__(self, root: Path, corpus: Corpus) -> None:
        """`root` is the folder results/."""
        self.root, self.corpus, self.folder = root, corpus, root / corpus.name

    def command(self, table: str) -> str:
        """The command that writes a table."""
        return KINDS[table].command.format(corpus=self.corpus.name)

    def table(self, name: str) -> pd.DataFrame | None:
        """A table, None where it is absent or has no rows.

        Raises:
            BertNerError: it is broken.
        """
        folder = self.root if name == "benchmarks" else self.folder
        path = folder / f"{name}.csv"
        if not path.is_file():
            return None
        table = read_table(path, KINDS[name], self.command(name))
        return table if len(table) else None

    def needed(self, name: str) -> pd.DataFrame:
        """A table without which there is no report.

        Raises:
            BertNerError: it is missing, empty or broken.
        """
        table = self.table(name)
        if table is None:
            raise BertNerError(
                f"{self.folder / f'{name}.csv'} is missing or has no rows; run {self.command(name)}, or dvc repro"
            )
        return table

    def featured(self) -> list[str]:
        """The systems that a picture of few shows: the CRF, and the one with an encoder closest to the paper's."""
        systems = list(dict.fromkeys(self.needed("scores")["system"]))
        evidence = Evidence(self.root, self.corpus.name, PAPER_ENCODER, [])
        try:
            with as_written_by(self.command("scores"), self.root / "provenance.json"):
                closest = evidence.candidates(Place(self.folder / "scores.csv", 1))[0].system
        except NotMeasuredError:  # there is no encoder
            return systems[-2:]
        return [system for system in systems if system in (REFERENCE, closest)]

    def facts(self, name: str) -> dict[str, Any] | None:
        """A JSON object, None where it is absent.

        Raises:
            BertNerError: it is broken.
        """
        path = self.folder / f"{name}.json"
        return read_json(path) if path.is_file() else None

    def origin(self) -> dict[str, Any] | None:
        """The corpus's part of provenance.json, None where there is none.

        Raises:
            BertNerError: it is broken.
        """
        path = self.root / "provenance.json"
        return read_json(path).get(self.corpus.name) if path.is_file() else None


@contextmanager
def as_written_by(command: str, path: Path) -> Iterator[None]:
    """While a JSON file is taken apart: what it lacks is an error that says what writes it.

    Raises:
        BertNerError: it is not as that command writes it.
    """
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        kind = type(error).__name__
        raise BertNerError(f"{path}: not as it was written ({kind}: {error}); remove it and run {command}") from None


def read_table(path: Path, kind: Kind, command: str) -> pd.DataFrame:
    """A table with its words as text and its numbers as numbers; an empty entry is no number (NaN).

    Raises:
        BertNerError: it can't be read, lacks a column, or has words where a number belongs.
    """
    remedy = f"remove it and run {command}"
    try:
        table = pd.read_csv(path, keep_default_na=False, dtype=str)
    except (OSError, ValueError) as error:  # pandas's own errors are ValueErrors
        raise BertNerError(f"{path} can't be read ({error}); {remedy}") from None
    if not isinstance(table.index, pd.RangeIndex):  # pandas took the first columns for names of the rows
        raise BertNerError(f"{path}: its rows have more columns than its first line names; {remedy}")
    if missing := [name for name in (*kind.words.split(), *kind.numbers.split()) if name not in table]:
        raise BertNerError(f"{path}: no column {', '.join(missing)}; {remedy}")
    more = [name for name in (*METRIC_NAMES, *kind.may_have.split()) if name in table]
    for name in dict.fromkeys((*kind.numbers.split(), *more)):
        values = pd.to_numeric(table[name].replace("", "nan"), errors="coerce")
        may_lack = [] if name == "seed" else ["", "nan"]
        wrong = table.index[values.isna() & ~table[name].str.lower().isin(may_lack)]
        if len(wrong):
            raise BertNerError(f"{path}:{wrong[0] + 2}: {name} is {table[name][wrong[0]]!r}, not a number; {remedy}")
        table[name] = values
    if "seed" in kind.numbers.split():
        table["seed"] = table["seed"].astype(int)
    return table
