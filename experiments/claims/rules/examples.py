"""Rules for errors, and for the paper's example queries."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from bert_ner.settings import Settings
from claims.evidence import Evidence, Finding, NotMeasuredError, graded, show, with_interval
from claims.fields import Fraction, OneSource, Text


class Confused(Settings):
    """A pair of types is among the most confused: by all of its ranks over resamples, partly by some."""

    rule: Literal["confused"]
    types: list[Text] = Field(min_length=2, max_length=2, description="the pair of types")
    top: int = Field(ge=1, description="the lowest rank that counts")

    def judge(self, evidence: Evidence) -> Finding:
        pair = " / ".join(sorted(self.types))
        rows = evidence.groups("confusion").sort_values("value")
        first = "; ".join(
            f"{row['group']} {row['low']:.0f} to {row['high']:.0f}" for _, row in rows.head(self.top).iterrows()
        )
        found = rows[rows["group"] == pair]
        if found.empty:
            return Finding("not reproduced", None, f"{pair} is never confused; ranks of the most confused: {first}")
        row = found.iloc[0]
        verdict = graded(row[end] <= self.top for end in ("low", "high"))
        shown = (
            f"{pair} has rank {row['value']:.0f} of {len(rows)} confused pairs, {row['low']:.0f} to {row['high']:.0f} "
            f"over resampled sentences; wanted: {show(self.top)} or better. The first {self.top}: {first}"
        )
        return with_interval(verdict, row, shown)


class LowerRecall(Settings):
    """One group of entities is found less often than another.

    Reproduced if the whole interval of the difference over sentences is at or above a margin, partly if it is above 0.
    """

    rule: Literal["lower_recall"]
    by: Text = Field(description="how entities are grouped: seen, length")
    hard: Text = Field(description="the group with the lower recall")
    easy: Text = Field(description="the group with the higher recall")
    margin: Fraction = Field(description="the least difference")

    def judge(self, evidence: Evidence) -> Finding:
        rows = evidence.groups(self.by)
        gap = rows[(rows["group"] == self.easy) & (rows["than"] == self.hard)]
        if gap.empty:
            raise evidence.key("hard").error(f"intervals_by_group.csv does not compare {self.easy} with {self.hard}")
        low = gap["low"].iloc[0]
        verdict = "reproduced" if low >= self.margin else "partly" if low > 0 else "not reproduced"
        shown = "; ".join(
            f"{name}: {row['value']:.4f} ({row['low']:.4f} to {row['high']:.4f}) of {row['support']:.0f}"
            for name in (self.hard, self.easy)
            for _, row in rows[(rows["group"] == name) & (rows["than"] == "")].iterrows()
        )
        shown = f"recall by {self.by}, {shown}; measured: the difference, wanted: {show(self.margin)} or more"
        return with_interval(verdict, gap.iloc[0], shown)


class Queries(Settings):
    """The types in the paper's example queries are in the corpus, and the system finds the same entities."""

    rule: Literal["queries"]
    measured: OneSource = Field(description="the queries as audit.py tagged them")

    def judge(self, evidence: Evidence) -> Finding:
        queries, system = evidence.value(self.measured), evidence.system.name
        unknown = sorted({name for query in queries for name, exists in query["types_exist"].items() if not exists})
        same, notes = [], []
        for query in queries:
            if system not in query["predicted"]:
                raise NotMeasuredError(f"{system} has not tagged '{query['query']}'")
            predicted = query["predicted"][system]
            same.append(predicted == query["paper"])
            gold = f"gold {_entities(query['gold'])}" if query["gold"] is not None else "no gold"
            parts = " and ".join(name.replace("_", " ") for name in ("in_test", "in_train") if query[name])
            notes.append(
                f"'{query['query']}' ({parts or 'in neither part'}; {gold}): paper {_entities(query['paper'])}, "
                f"{system} {_entities(predicted)}"
            )
        missing = f"not types of the corpus: {', '.join(unknown)}. " if unknown else ""
        verdict = "contradicted" if unknown else graded(same)
        return Finding(verdict, f"{sum(same)} of {len(queries)}", f"{missing}{'; '.join(notes)}")


def _entities(entities: Sequence[Sequence[str]]) -> str:
    return ", ".join(f"{name} '{text}'" for name, text in entities) or "none"
