"""The tables in docs/findings.md."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.params import REFERENCE
from harness.parts import WHOLE
from harness.tables import matching, require_table

from bert_ner.markdown import table
from claims.evidence import measured_systems
from claims.paper import PAPER_CORPUS, PAPER_ENCODER
from comparisons.study_pairs import USUAL
from gate.readme_figures import entity_f1_by_part, interval_text
from reporting.formats import mean_and_spread
from reporting.results import by_system

Row = Mapping[Any, Any]

OTHER_CORPORA = ("mit_movie_trivia", "mit_restaurant")
OF_CORPUS = ("intervals_by_part", "comparisons_by_part", "study_comparisons")
TABLES = (*((PAPER_CORPUS, name) for name in OF_CORPUS), *((corpus, "scores") for corpus in OTHER_CORPORA))
STEP = re.compile(r"\| ([^|]*\| `(\w+)` \N{MINUS SIGN} `(\w+)`) \|")  # what changes, and the two systems
F1, STRICT = "entity_f1", "entity_f1_strict"


def _parts(results: Path, _: str) -> str:
    """Return the scores of the reference and of the system closest to the paper's in each part, and the difference."""
    system = measured_systems(results, PAPER_CORPUS, PAPER_ENCODER)[0].name
    by_part = entity_f1_by_part(results)
    leads = {row["part"]: row for row in _compared(results, system, REFERENCE, F1)}
    rows = [
        [
            "whole" if part == WHOLE else part,
            f"{by_part[system, part]['n']:,.0f}",
            *(interval_text(by_part[name, part], "value") for name in (REFERENCE, system)),
            interval_text(lead, "difference", "+"),
        ]
        for part, lead in leads.items()
    ]
    lead = f"{system} \N{MINUS SIGN} {REFERENCE}"
    return table(["part of the test file", "sentences", REFERENCE, system, lead], rows, 1)


def _steps(results: Path, block: str) -> str:
    """Fill in what each step brings; its first two cells stay as they are, and name two systems, or a study and one."""
    rows = [found for found in map(STEP.match, block.splitlines()) if found]
    lines = [line for line in block.splitlines() if not STEP.match(line)]
    for step in rows:
        columns = [(F1, WHOLE), (F1, "1"), (F1, "2"), (STRICT, WHOLE)]
        found = {metric: _compared(results, step[2], step[3], metric) for metric in (F1, STRICT)}
        by_part = {(metric, row["part"]): row for metric, compared in found.items() for row in compared}
        cells = [interval_text(by_part[column], "difference", "+") if column in by_part else "" for column in columns]
        lines.append(f"| {step[1]} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _compared(results: Path, a: str, b: str, metric: str) -> Sequence[Row]:
    """Return the rows by part of the comparison of two systems, or of a study with the usual settings of a system."""
    pairs = require_table(results, PAPER_CORPUS, "comparisons_by_part")
    rows = matching(pairs, system_a=a, system_b=b, metric=metric)
    if rows.empty:
        studies = require_table(results, PAPER_CORPUS, "study_comparisons")
        rows = matching(studies, study=a, system_a=b, against=USUAL, metric=metric)
    return rows.to_dict("records")


def _corpora(results: Path, block: str) -> str:
    """Return the scores of the systems that the table's head names, on each of the other corpora."""
    systems = [name.strip() for name in block.splitlines()[0].strip("|").split("|")][1:]
    rows = []
    for corpus in OTHER_CORPORA:
        scores = dict(by_system(require_table(results, corpus, "scores")))
        link = f"[{corpus}](../results/{corpus}/report.md)"
        rows.append([link, *(mean_and_spread(scores[name][F1]) if name in scores else "" for name in systems)])
    return table(["corpus", *systems], rows, 1)


BLOCKS = {"parts": _parts, "steps": _steps, "corpora": _corpora}
