"""The results of one corpus."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from harness.artifacts import read_json
from harness.params import REFERENCE
from harness.parts import WHOLE
from harness.tables import TABLES, as_written_by, matching, producer_of, read_table, require_table

import pandas as pd

from bert_ner.corpus.catalog import Corpus
from claims.evidence import NotMeasuredError, measured_systems
from claims.paper import PAPER_ENCODER
from reporting.blocks import Block, Missing
from reporting.formats import NOTES


class Results(NamedTuple):
    """The results of one corpus; `root` is results/. A broken file is an error."""

    root: Path
    corpus: Corpus

    @property
    def folder(self) -> Path:
        return self.root / self.corpus.name

    def command(self, table: str) -> str:
        """Return the command that writes a table."""
        return producer_of(table, self.corpus.name)

    def missing(self, table: str, text: str) -> Missing:
        return Missing(text, self.command(table))

    def show(self, name: str, blocks: Callable[..., list[Block]]) -> list[Block]:
        """Return the blocks that show a table, or the command that makes it."""
        table = self.table(name)
        return [self.missing(name, NOTES["absent"][name])] if table.empty else blocks(self, table)

    def table(self, name: str) -> pd.DataFrame:
        """Read a table; without rows if it is absent."""
        table = read_table(self.root, self.corpus.name, name)
        return pd.DataFrame(columns=list(TABLES[name].columns)) if table is None else table

    def needed(self, name: str) -> pd.DataFrame:
        """Read a table that the report can't do without; its absence is an error."""
        return require_table(self.root, self.corpus.name, name)

    def f1_by_part(self) -> pd.DataFrame:
        """Return the entity F1 of each system in each part of the corpus, with its interval over sentences."""
        rows = matching(self.table("intervals_by_part"), metric="entity_f1", source="sentences")
        return rows[rows["part"] != WHOLE]

    def closest_to_papers(self) -> str | None:
        """Return the system with the paper's recipe whose encoder is closest to the paper's; None without encoders."""
        try:
            with as_written_by(self.command("scores"), self.root / "provenance.json"):
                return measured_systems(self.root, self.corpus.name, PAPER_ENCODER)[0].name
        except NotMeasuredError:
            return None

    def featured(self) -> list[str]:
        """Return the systems of figures that show few: the CRF, and the one closest to the paper's."""
        systems, closest = list(dict.fromkeys(self.needed("scores")["system"])), self.closest_to_papers()
        return [name for name in systems if name in (REFERENCE, closest)] if closest else systems[-2:]

    def facts(self, file: str) -> dict[str, Any] | None:
        """Read a JSON object; None if there is no file."""
        path = self.folder / file
        return read_json(path) if path.is_file() else None


def records(table: pd.DataFrame) -> Iterable[Any]:
    """Return rows whose attributes are the columns; their types are known to the registry only."""
    return table.itertuples()


def by_system(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return each system with its rows, in the table's order."""
    return [(str(name), rows) for name, rows in table.groupby("system", sort=False)]


def best_baseline(scores: pd.DataFrame) -> str:
    """Return the system without an encoder that has the highest entity F1; the reference if there is none."""
    return str(next(iter(baseline_means(scores).index), REFERENCE))


def baseline_means(scores: pd.DataFrame) -> pd.Series:
    """Return the mean entity F1 of each system without an encoder, the best first."""
    return scores[scores["encoder"] == ""].groupby("system")["entity_f1"].mean().sort_values(ascending=False)
