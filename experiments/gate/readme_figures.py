"""The blocks of figures in README.md."""

import re
import textwrap
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.parts import WHOLE
from harness.paths import DOMAINS
from harness.tables import matching, require_table

import pandas as pd

from bert_ner.scoring.resampling import SAMPLES, p_text
from claims.evidence import measured_systems
from claims.fields import STAND_IN
from claims.judging import counted_claims
from claims.paper import PAPER_CORPUS, PAPER_ENCODER
from claims.rules.figures import BY_HAND
from reporting.further_run import further_run_text
from reporting.results import best_baseline
from reporting.speed import speed_text

Row = Mapping[Any, Any]

BENCHMARKS = ("", "benchmarks")
PARTS = ("1", "2")  # of the corpus; the third is too small for a column
OF_CORPUS = (
    "intervals", "intervals_by_part", "comparisons", "comparisons_by_part", "scores", "scores_by_part", "claims",
)  # fmt: skip
TABLES = (*((PAPER_CORPUS, name) for name in OF_CORPUS), (DOMAINS, "claims"), BENCHMARKS)
WIDTH = 118
ROW = re.compile(r"\| (`(\w+)`[^|]*)\| ([^|]*)\|")  # the name of a system with its description, and its size


def _systems(results: Path, block: str) -> str:
    """Fill in the table of systems, the best entity F1 first; names, sizes and rows of others stay as they are.

    Rows of systems that the tables lack come last.
    """
    rows = {row[2]: row for row in map(ROW.match, block.splitlines()) if row}
    scores, by_part = _scores(results), entity_f1_by_part(results)
    measured = {
        system: [
            scores[system, "entity_f1"],
            *(by_part[system, part] for part in PARTS),
            scores[system, "token_micro_f1"],
        ]
        for system in rows
        if (system, "entity_f1") in scores and all((system, part) in by_part for part in PARTS)
    }
    lines = [line for line in block.splitlines() if not ROW.match(line)]
    for system in sorted(measured, key=lambda system: -measured[system][0]["value"]):
        cells = [interval_text(row, "value") for row in measured[system]]
        lines.append(f"| {rows[system][1]}| {rows[system][3]}| {' | '.join(cells)} |")
    lines += [row.string for system, row in rows.items() if system not in measured]
    return "\n".join(lines)


def _remarks(results: Path, _: str) -> str:
    """State where one further run of the system like the paper's would be, and its lead over the best baseline."""
    scores, best = _scores(results), best_baseline(require_table(results, PAPER_CORPUS, "scores"))
    system = measured_systems(results, PAPER_CORPUS, PAPER_ENCODER)[0].name
    further = further_run_text(require_table(results, PAPER_CORPUS, "intervals"), system, f"`{system}`")
    text = f"Token micro-F1 of `{system}` without `O`: {interval_text(scores[system, 'token_micro_f1_no_o'], 'value')}."
    pair, lead = {"system_a": system, "system_b": best, "metric": "entity_f1", "family": "confirmatory"}, ""
    tests = matching(require_table(results, PAPER_CORPUS, "comparisons"), **pair)
    if len(tests):
        p = p_text(tests.iloc[0]["p_value"], SAMPLES, tests.iloc[0]["p_holm"])
        lead = f"{_by_part(results, system, best)} On the whole, p {p}, corrected. "
    return textwrap.fill(f"{further} {lead}{text}".strip(), WIDTH)


def _by_part(results: Path, system: str, best: str) -> str:
    """State how far a system leads the best baseline in each part, and how its errors differ in the large ones."""
    pair = {"system_a": system, "system_b": best, "metric": "entity_f1"}
    rows = matching(require_table(results, PAPER_CORPUS, "comparisons_by_part"), **pair).to_dict("records")
    leads = [f"{interval_text(row, 'difference', '+')} in part {row['part']}" for row in rows if row["part"] != WHOLE]
    changes = [
        f"{abs(100 * share):.0f} % {'fewer' if share > 0 else 'more'} in part {part}"
        for part, share in _fewer_errors(results, system, best).items()
        if part in PARTS
    ]
    lead = f"The lead of `{system}` over `{best}`, the best baseline, is {'; '.join(leads)}."
    return f"{lead} False negatives plus false positives are {' and '.join(changes)}."


def _fewer_errors(results: Path, system: str, other: str) -> dict[str, float]:
    """Return by what share a system has fewer false negatives and positives than another, in each part.

    With recall r and precision p, they are 1 + r / p - 2 r times the gold entities.
    """
    rows = require_table(results, PAPER_CORPUS, "scores_by_part")
    recall, precision = rows["entity_recall"], rows["entity_precision"]
    errors = rows.assign(errors=1 + recall / precision - 2 * recall).groupby(["system", "part"])["errors"].mean()
    return dict(1 - errors[system] / errors[other])


def _claims(results: Path, _: str) -> str:
    claims = pd.concat([require_table(results, name, "claims") for name in (PAPER_CORPUS, DOMAINS)])
    number = Counter(counted_claims(claims)["verdict"])
    by_hand = counted_claims(claims)["evidence"].str.startswith(BY_HAND).sum()
    proposed = (claims["not_counted"] == "future work").sum()
    others = len(claims) - number.total() - proposed
    reproduced = counted_claims(claims).query("verdict == 'reproduced'")
    facts = reproduced["kind"].isin(["count", "arithmetic"]).sum()
    by_facts = "all" if facts == number["reproduced"] else facts
    text = (
        f"Of {number.total()} claims of the paper, {number['reproduced']} are reproduced ({by_facts} by counting or "
        f"arithmetic), {number['partly']} partly, and {number['not reproduced'] + number[STAND_IN]} not, "
        f"{number[STAND_IN]} of these on a stand-in (another encoder or quantity). {number['contradicted']} are "
        f"contradicted by the paper's own corpus or arithmetic, {number['not tested']} not tested. {by_hand} of these "
        f"verdicts are given by hand. Not counted: {proposed} on future work, {others} that repeat another or could "
        "not fail."
    )
    return textwrap.fill(text, WIDTH, break_on_hyphens=False)


def _speed(results: Path, block: str) -> str:
    """State the speed as the report does; the text stays as it is if something that it mentions was not measured."""
    return textwrap.fill(speed_text(require_table(results, *BENCHMARKS)), WIDTH) or block


def _scores(results: Path) -> dict[tuple[str, str], Row]:
    """Return the row of each system and metric, with its interval over sentences."""
    rows = require_table(results, PAPER_CORPUS, "intervals").to_dict("records")
    return {(row["system"], row["metric"]): row for row in rows if row["source"] == "sentences"}


def entity_f1_by_part(results: Path) -> dict[tuple[str, str], Row]:
    """Return the row of each system and part, with its interval over sentences."""
    rows = require_table(results, PAPER_CORPUS, "intervals_by_part").to_dict("records")
    wanted = {"metric": "entity_f1", "source": "sentences"}
    return {(row["system"], row["part"]): row for row in rows if wanted.items() <= row.items()}


def interval_text(row: Row, name: str, sign: str = "") -> str:
    """Return a column of a row with its interval, as percentages."""
    value, low, high = (100 * row[column] for column in (name, "low", "high"))
    return f"{value:{sign}.2f} ({low:.2f} to {high:.2f})".replace("-", "\N{MINUS SIGN}")


BLOCKS = {"systems": _systems, "remarks": _remarks, "claims": _claims, "speed": _speed}
