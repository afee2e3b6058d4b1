"""What results/ holds about one corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.artifacts import read_json
from harness.tables import as_written_by, producer_of, read_table

import pandas as pd

from bert_ner.corpus.catalog import Corpus
from bert_ner.errors import BertNerError
from claims.evidence import Evidence, NotMeasuredError
from claims.schema import Place
from reporting.formats import PAPER_ENCODER

REFERENCE = "crf"  # compare.py compares every other system with it


class Results:
    """What results/ holds about one corpus. A table or file that is absent is None; a broken one is an error."""

    def __init__(self, root: Path, corpus: Corpus) -> None:
        """`root` is the folder results/."""
        self.root, self.corpus, self.folder = root, corpus, root / corpus.name

    def command(self, table: str) -> str:
        """The command that writes a table."""
        return producer_of(table, self.corpus.name)

    def table(self, name: str) -> pd.DataFrame | None:
        """A table, None where it is absent or has no rows.

        Raises:
            BertNerError: it is broken.
        """
        table = read_table(self.root, self.corpus.name, name)
        return table if table is not None and len(table) else None

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
