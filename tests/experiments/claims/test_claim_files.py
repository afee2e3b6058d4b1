"""Whatever is wrong in claims.yaml or published.yaml is an error with its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from claim_results import (
    EQUALS,
    EXIST,
    FACTOR,
    QUERIES,
    RECALL,
    RIVALS,
    STREAM,
    TYPES,
    Files,
    corpus_value,
    entry,
    gap,
    groups,
    judged,
    losses,
    trained,
)

from bert_ner.errors import BertNerError
from claims.judging import CLAIMS
from claims.paper import PAPER_LOSSES, PAPER_MICRO_F1
from claims.schema import read_claims, read_published

BROKEN = [
    # what is replaced in the entry, by what, the line, the message
    ("    kind: value", "    knid: value", 7, "unknown key 'claims.0.knid'; the keys here are id, section"),
    ("    kind: value", "    kind: guess", 7, "claims.0.kind must be 'count', 'arithmetic', .*, not 'guess'"),
    ('    section: "9"', "    section: 3.1", 5, r"claims.0.section must be text \(in quotes, if .*\), not 3.1"),
    ("    claim: something", "    claim:", 6, "claims.0.claim must be text .*, not None"),
    ("    command: make it\n", "", 4, "claims.0.command is missing"),
    ("    paper_value: 5", "    paper_value: {a: 1}", 8, r"paper_value must be a number, text .*, not \{'a': 1\}"),
    ("rule: equals, ", "", 9, "judge.rule must be one of ablation, .*, but it is missing"),
    ("rule: equals", "rule: equal", 9, "judge.rule must be one of ablation, .*, not 'equal'"),
    ("tolerance: 1", "tolerance: 'about 1'", 9, "equals.tolerance must be a number of at least 0, not 'about 1'"),
    ("tolerance: 1", "tolerence: 1", 9, "unknown key '.*tolerence'; the keys here are measured, tolerance, relative"),
    ("otherwise: contradicted", "otherwise: false claim", 9, "otherwise must be 'reproduced', 'partly'"),
    (", otherwise: contradicted", "", 9, "otherwise is missing"),
    ("corpus.json a.b", "corpus.json a.c", 9, "corpus.json has no 'a.c': instead of 'c' it has the keys b"),
    ("corpus.json a.b", "corpus.json a.b.c", 9, "instead of 'c' it has the value 5"),
    ("corpus.json a.b", "corps.json a.b", 9, "the files are audit.json, .*, not 'corps.json a.b'"),
    ("corpus.json a.b", "corpus.json", 9, "measured.0 must be a file of results/ and a place in"),
    ("corpus.json a.b", "scores.csv f1 where system=crf", 9, "must name columns of scores.csv, which are corpus, sys"),
    ("corpus.json a.b", "scores.csv seed where system=hmm", 9, "no row with system=hmm; run python .*, or correct"),
    ("corpus.json a.b", "scores.csv seed where encoder=x", 9, "no row with encoder=x; correct the entry, or run py"),
    ("    paper_value: 5\n", "", 4, "this rule needs a paper_value"),
    ("corpus.json a.b", "scores.csv system where seed=0", 9, "there is no number in scores.csv system where seed=0"),
    ("corpus.json a.b", "scores.csv system of crf", 9, "must name columns .*, not 'scores.csv system of crf'"),
    ("corpus.json a.b", "[corpus.json a.b]", 8, None),
    ("corpus.json a.b", "[corpus.json a.b, corpus.json a.b]", 8, "2 sources are measured; give as many"),
    ("equals, ", "score_at_least, metric: f_one, ", 9, "metric must be 'token_micro_f1', .*, not 'f_one'"),
    (EQUALS, "arithmetic, formula: cube, arguments: [1]", 9, "formula must be 'sum', 'share', .*, not 'cube'"),
    (EQUALS, "arithmetic, formula: sum, arguments: [1]", 9, "'sum' takes 2 arguments, not 1"),
    (EQUALS, "arithmetic, formula: sum, arguments: [1, scores.csv encoder]", 9, "no number in scores.csv encoder"),
    (EQUALS, "within_factor, measured: corpus.json a, factor: 2", 9, "corpus.json a is .*, not a number"),
    (EQUALS, "recipe, settings: {epohcs: 4}", 9, "the runs have no setting 'epohcs'; they have epochs"),
    ("    command", "    also_shown:\n      - corpus.json a.b\n      - corpus.json a.x\n    command", 12, "no 'a.x'"),
    ("    command", "    encoder: any\n    command", 10, "encoder must be 'required', 'comparable' or 'vocabulary'"),
    ("    command", "    id: again\n    command", 10, "is not YAML"),
    ("    command: make it\n", "    command: make it\n  - id: X1\n    section: '1'\n    claim: a\n    kind: value\n"
     "    judge: {rule: best_published, metric: entity_f1}\n    command: b\n", 11, "id X1 is used 2 times"),
    ("    command", "    repeats: X9\n    command", 10, "repeats X9, which is no claim of the file"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "message"), BROKEN)
def test_what_is_wrong_in_the_file_stops_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, message: str | None
) -> None:
    text = entry(EQUALS, "5")
    assert old in text
    files = corpus_value(5) | trained(epochs=4)
    if message is None:
        assert judged(tmp_path, text.replace(old, new), files)["verdict"] == "reproduced"
        return
    with pytest.raises(BertNerError, match=message) as caught:
        judged(tmp_path, text.replace(old, new), files)
    assert re.search(rf"claims\.yaml\"?, line {line}\b", str(caught.value)), str(caught.value)


MISFITS = [
    # a rule, paper_value, the results, the line, the message
    (f"{RECALL}, named: [A, ACTORS]", None, gap(0.1, 0.05, 0.15), 8, "is not measured of type ACTORS, but of A"),
    (EXIST, None, corpus_value(5), 8, "corpus.json a.b is 5, but this rule needs names with their counterparts"),
    (QUERIES, None, corpus_value(5), 8, "corpus.json a.b is not a list of queries as audit.py tagged them"),
    (QUERIES, None, corpus_value(["films"]), 8, "corpus.json a.b is not a list of queries as audit.py tagged them"),
    (STREAM, None, corpus_value({"x": 1, "y": 0}), 8, "corpus.json a.b.y is 0, and nothing can be divided by it"),
    (STREAM.replace("corpus.json a.b.y", "0"), None, corpus_value({"x": 1}), 8, "0 is 0, and nothing can be divided"),
    (f"{FACTOR}, rounding: 10", "10", corpus_value(5), 8, "paper_value is 10, but this rule needs one above 10"),
    (FACTOR, "0", corpus_value(5), 8, "paper_value is 0, but this rule needs one above 0"),
    ("losses, tolerance: 0.02", None, losses(0.4), 4, "this rule needs a number for each epoch as paper_value"),
    ("arithmetic, formula: share, arguments: [0, 0]", "1", {}, 9,
     r"rule arithmetic can't judge what the entry names \(ZeroDivisionError: .*\); correct the entry, or run make it"),
    (TYPES, None, groups("other"), 8, r"rule every_type can't judge what the entry names \(IndexError"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "paper", "files", "line", "message"), MISFITS)
def test_an_entry_that_does_not_fit_the_results_stops_with_its_line(
    tmp_path: Path, rule: str, paper: str | None, files: Files, line: int, message: str
) -> None:
    with pytest.raises(BertNerError, match=rf"claims\.yaml, line {line}: .*{message}"):
        judged(tmp_path, entry(rule, paper), files)


def test_the_papers_figures_in_the_code_are_those_of_its_claims() -> None:
    """The report needs no claim to name them, so they stand in paper.py, too."""
    by_rule = {claim.judge.rule: claim.paper_value for claim in read_claims(CLAIMS).claims}
    assert by_rule["one_further_run"] == PAPER_MICRO_F1
    assert tuple(by_rule["losses"]) == PAPER_LOSSES


@pytest.mark.parametrize(("content", "message"), [
    ("", r"claims.yaml, line 1: "),
    ("corpus: x\nencoder: y\nclaims: []\n", r"claims.yaml, line 3: claims must have at least 1 item"),
    ("corpus: x\nencoder: y\nclaims:\n  - D1\n", r"claims.yaml, line 4: claims.0 must be a valid dict"),
    ("corpus: [\n", r"claims.yaml is not YAML: "),
])  # fmt: skip
def test_a_file_of_another_shape_is_an_error(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "claims.yaml").write_text(content)
    with pytest.raises(BertNerError, match=message):
        read_claims(tmp_path / "claims.yaml")


@pytest.mark.parametrize(("old", "new", "message"), [
    ("score: 0.9,", "score: 90.2,", r"published.yaml, line 2: systems.0.score must be .* of at most 1, not 90.2"),
    ("reason: why, ", "", r"published.yaml, line 7: systems.2.comparable must be true, unless the key reason says why"),
    ("comparable: true", "comparable: perhaps", r"published.yaml, line 3: systems.0.comparable must be a .*boolean"),
    (", source: x}", "}", r"published.yaml, line 2: systems.0.source is missing"),
])  # fmt: skip
def test_what_is_wrong_with_a_published_score_stops_with_its_line(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = tmp_path / "published.yaml"
    path.write_text(RIVALS.replace(old, new, 1))
    with pytest.raises(BertNerError, match=message):
        read_published(path)
