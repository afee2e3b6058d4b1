"""Format the verdicts of the gate: a line that says whether they pass, and a table with the worst ones first."""

from collections import Counter
from collections.abc import Sequence

from bert_ner import markdown
from bert_ner.errors import printable
from bert_ner.scoring.files import aligned
from bert_ner.scoring.gate import BAD, Outcome, Verdict
from bert_ner.wording import counted

TEXT = ("corpus", "system", "metric", "outcome", "note")
NUMBERS = ("reference", "at least", "new")  # percentages


def passes(found: Sequence[Verdict]) -> bool:
    """Return whether there are verdicts, and none fails the check."""
    return bool(found) and not any(verdict.outcome in BAD for verdict in found)


def headline(found: Sequence[Verdict], remarks: int = 0) -> str:
    """Return how many verdicts have each outcome, and how many remarks follow; a verdict that fails comes first."""
    counts = Counter(verdict.outcome for verdict in found)
    numbers = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome])
    if not found:
        return "FAIL: there is nothing to compare"
    if passes(found):
        below = f"; {counted(remarks, 'remark')} below" if remarks else ""
        return f"pass: {numbers}{below}"
    row = _row(_sorted(found)[0])
    where = " ".join(filter(None, (row["corpus"], row["system"], row["metric"])))
    values = [f"{name} {row[name]}" for name in NUMBERS if row[name]]
    why = "; ".join(filter(None, (", ".join(values), row["note"])))
    return printable(f"{row['outcome']}: {where}: {why} ({numbers})")


def report(found: Sequence[Verdict], remarks: Sequence[str], is_markdown: bool = False, encoding: str = "utf-8") -> str:
    """Return the headline, the table and the remarks, as text or in Markdown; without verdicts, only the remarks."""
    escape, item = (markdown.escape, "- ") if is_markdown else (str, "")
    parts = ["\n".join(f"{item}{escape(printable(remark, encoding))}" for remark in remarks)] if remarks else []
    if found:
        table = as_markdown(found) if is_markdown else as_text(found, encoding)
        parts = [escape(headline(found, len(remarks))), table, *parts]
    return "\n\n".join(parts)


def as_markdown(found: Sequence[Verdict]) -> str:
    """Return a table in Markdown."""
    header, rows = _cells(found)
    cells = [[markdown.escape(printable(cell)) for cell in row] for row in rows]
    return markdown.table(header, cells, sum(name in TEXT for name in header))


def as_text(found: Sequence[Verdict], encoding: str = "utf-8") -> str:
    """Return a table with aligned columns, which can be written in the encoding."""
    header, rows = _cells(found)
    return "\n".join(aligned(header, [[printable(cell, encoding) for cell in row] for row in rows]))


def _cells(found: Sequence[Verdict]) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows, without columns that are empty."""
    rows = [_row(verdict) for verdict in _sorted(found)]
    header = [name for name in (*TEXT, *NUMBERS) if any(row[name] for row in rows)]
    return header, [[row[name] for name in header] for row in rows]


def _sorted(found: Sequence[Verdict]) -> list[Verdict]:
    return sorted(found, key=lambda verdict: list(Outcome).index(verdict.outcome))


def _row(verdict: Verdict) -> dict[str, str]:
    outcome = verdict.outcome if verdict.outcome is Outcome.PASS else verdict.outcome.upper()
    text = (verdict.corpus, verdict.system, verdict.metric, str(outcome), verdict.note)
    values = (verdict.reference, verdict.bound, verdict.new)
    percentages = ("" if value is None else f"{100 * value:.2f}" for value in values)
    return dict(zip((*TEXT, *NUMBERS), (*text, *percentages), strict=True))
