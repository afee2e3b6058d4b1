"""The judge: which system stands for the paper's, how the verdict is capped, and what the evidence says."""

from __future__ import annotations

import csv
from pathlib import Path
from types import ModuleType

from harness.paths import DOMAINS, RESULTS
from harness.tables import TABLES

import pandas as pd
import pytest
from claim_results import (
    ABLATION,
    BOUND,
    CORPUS,
    EQUALS,
    FOUND,
    FURTHER,
    NEW,
    OTHER,
    PAPERS,
    QUERIES,
    RECALL,
    TRANSFERS,
    TYPES,
    Files,
    by_type,
    corpus_value,
    counted_on,
    elsewhere,
    entry,
    gap,
    judged,
    new,
    query,
    scores,
    study,
)

import judge
import report
from bert_ner.errors import BertNerError
from claims.fields import STAND_IN, VERDICTS
from claims.judging import CLAIMS, judge_claims, tally
from claims.rules import domains
from claims.schema import RULES, read_claims

# Claims that must have a row.
COUNTS = {"D": 9, "M": 3, "A": 3, "T": 5, "R": 10, "C": 4, "G": 4, "F": 4, "B": 1}
IDS = [f"{letter}{i}" for letter, n in COUNTS.items() for i in range(1, n + 1)]


@pytest.mark.parametrize(("use", "encoder", "verdict", "evidence"), [
    ("comparable", OTHER, "partly", "measured on tiny, not on bert-base-uncased: "),
    ("comparable", PAPERS, "reproduced", "corpus.json a.b is 5"),
    ("comparable", f"encoders/{PAPERS}", "reproduced", "corpus.json a.b is 5"),
    ("required", OTHER, "not tested", "the claim is about bert-base-uncased itself, but tiny was measured; "),
    ("required", PAPERS, "reproduced", "corpus.json a.b is 5"),
    ("vocabulary", OTHER, "not tested", "the claim is about the word pieces of bert-base-uncased, but tiny may split "),
    ("vocabulary", "all-MiniLM-L6-v2", "reproduced", "measured on all-MiniLM-L6-v2, which splits words as bert-base"),
    ("vocabulary", PAPERS, "reproduced", "corpus.json a.b is 5"),
])  # fmt: skip
def test_another_encoder_is_named_and_caps_the_verdict_and_the_papers_own_needs_no_edit(
    tmp_path: Path, use: str, encoder: str, verdict: str, evidence: str
) -> None:
    files = corpus_value(5) | {"scores.csv": scores(encoder, encoder={1: 0.9})} | counted_on(encoder)
    row = judged(tmp_path, entry(EQUALS, "5", more=f"    encoder: {use}\n"), files)
    assert (row["verdict"], row["system"]) == (verdict, f"encoder ({encoder})")
    assert row["evidence"].startswith(evidence)


@pytest.mark.parametrize(("digest", "verdict"), [
    ("68d45e234eb4a928074dfd868cead0219ab85354cc53d20e772753c6bb9169d3", "reproduced"), ("0" * 64, "partly"),
])  # fmt: skip
def test_the_papers_encoder_is_known_by_its_weights(tmp_path: Path, digest: str, verdict: str) -> None:
    folder = "/somewhere/bert" if verdict == "reproduced" else PAPERS
    files = corpus_value(5) | {
        "scores.csv": scores(folder, encoder={1: 0.9}),
        "provenance.json": {
            CORPUS: {"runs": {"encoder-1": {"settings": {"name": folder}, "weights": {"sha256": digest}}}}
        },
    }
    assert judged(tmp_path, entry(EQUALS, "5", more="    encoder: comparable\n"), files)["verdict"] == verdict


def test_the_papers_encoder_is_preferred_where_several_were_scored(tmp_path: Path) -> None:
    both = [*scores(OTHER, encoder={1: 0.9}), *scores(PAPERS, bert={1: 0.9})]
    row = judged(tmp_path, entry(EQUALS, "5", more="    encoder: comparable\n"), corpus_value(5) | {"scores.csv": both})
    assert (row["verdict"], row["system"]) == ("reproduced", "bert (bert-base-uncased)")


@pytest.mark.parametrize(("rule", "files"), [
    (QUERIES, corpus_value([query(FOUND)])),
    (ABLATION, study(no_clip=0.8, sgd=0.1)),
    (NEW, new(0.7, 0.7)),
    (TRANSFERS, elsewhere((0.02, 0.01, 0.03), (0.05, 0.01, 0.09))),
    ("bound, measured: 'benchmarks.csv seconds where system={system}', direction: at most, value: 2",
     {"benchmarks.csv": [{"system": "encoder", "seconds": 1}]}),
])  # fmt: skip
def test_what_was_measured_on_a_lesser_encoder_alone_is_judged_on_that_and_names_it(
    tmp_path: Path, rule: str, files: Files
) -> None:
    scored = [*scores("all-MiniLM-L6-v2", encoder={1: 0.85, 2: 0.85}), *scores(PAPERS, bert={1: 0.9})[1:]]
    # A study's rows are those of the system, not of every system with its encoder.
    scored.append(scored[1] | {"system": "encoder_crf", "entity_f1": 0.1})
    text = entry(rule, more="    encoder: comparable\n")
    row = judged(tmp_path, text, files | {"scores.csv": scored})
    assert (row["verdict"], row["system"]) == ("partly", "encoder (all-MiniLM-L6-v2)")
    assert row["evidence"].startswith("measured on all-MiniLM-L6-v2, not on bert-base-uncased: ")


def test_a_claim_about_word_pieces_names_the_encoder_whose_pieces_were_counted(tmp_path: Path) -> None:
    scored = [*scores("all-MiniLM-L6-v2", encoder={1: 0.8}), *scores("all-mpnet-base-v2", large={1: 0.9})]
    files = corpus_value(5) | {"scores.csv": scored} | counted_on("all-MiniLM-L6-v2")
    for use, system in (("vocabulary", "encoder (all-MiniLM-L6-v2)"), ("comparable", "large (all-mpnet-base-v2)")):
        assert judged(tmp_path, entry(EQUALS, "5", more=f"    encoder: {use}\n"), files)["system"] == system


@pytest.mark.parametrize(("audit", "evidence"), [
    (counted_on("roberta-base"),
     "the claim is about the word pieces of bert-base-uncased, but roberta-base may split words differently; add one"),
    (counted_on("xlnet"),
     "the claim is about the word pieces of bert-base-uncased, but those of xlnet were counted, not those of "
     "all-mpnet-base-v2; in params.yaml, put a system with one of bert-base-uncased, all-MiniLM-L6-v2, "),
    ({}, "mit_movie_eng has no audit.json yet; run make it"),
])  # fmt: skip
def test_a_claim_about_word_pieces_is_not_judged_on_those_of_another_tokenizer(
    tmp_path: Path, audit: Files, evidence: str
) -> None:
    """The figure would be `contradicted`, and all-mpnet-base-v2 splits words as the paper's encoder does."""
    scored = [*scores("roberta-base", encoder={1: 0.8}), *scores("all-mpnet-base-v2", large={1: 0.9})]
    files = corpus_value(63) | {"scores.csv": scored} | audit
    row = judged(tmp_path, entry(EQUALS, "51", more="    encoder: vocabulary\n"), files)
    assert row["verdict"] == "not tested"
    assert row["evidence"].startswith(evidence)


def test_an_audit_without_the_encoder_is_damaged(tmp_path: Path) -> None:
    files = corpus_value(5) | {"audit.json": {"encoder": None}}
    with pytest.raises(BertNerError, match=r"audit\.json: not as it was written .* run python experiments/audit\.py"):
        judged(tmp_path, entry(EQUALS, "5", more="    encoder: vocabulary\n"), files)


def test_what_the_audit_could_not_test_is_not_tested_with_its_reason(tmp_path: Path) -> None:
    files = {"audit.json": {"alignment": {"not_tested": "BPE pieces have no ##"}}}
    row = judged(tmp_path, entry("no_failures, on: [audit.json alignment.train.differ]"), files)
    assert (row["verdict"], row["evidence"]) == ("not tested", "audit.json: BPE pieces have no ##; run make it")


def test_a_fault_in_a_rule_keeps_its_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = AttributeError("a fault of ours")

    def broken(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setitem(RULES, "equals", broken)
    message = r"line 9: rule equals can't judge what the entry names \(AttributeError: a fault of ours\); correct the"
    with pytest.raises(BertNerError, match=message) as caught:
        judged(tmp_path, entry(EQUALS, "5"), corpus_value(5))
    assert caught.value.__cause__ is fault


def test_a_run_without_weights_leaves_the_encoder_to_its_name(tmp_path: Path) -> None:
    record = {"settings": {"name": PAPERS}, "weights": None}
    files = corpus_value(5) | {"provenance.json": {CORPUS: {"runs": {"encoder-1": record}}}}
    assert judged(tmp_path, entry(EQUALS, "5", more="    encoder: comparable\n"), files)["verdict"] == "reproduced"


def test_the_evidence_has_intervals(tmp_path: Path) -> None:
    row = judged(tmp_path, entry(TYPES), by_type((0.4, 0.3, 0.45), (0.9, 0.79, 0.95), (0.95, 0.9, 0.99)))
    assert "1 have an F1 of 0.8 or more, 1 have less (of these, 1 below 0.5), and 1 are undecided" in row["evidence"]
    assert "T0 0.4000 (0.3000 to 0.4500, 10 entities), T1 0.9000 (0.7900 to 0.9500" in row["evidence"]
    assert (row["measured"], row["low"], row["high"]) == ("0.400000", "0.300000", "0.450000")
    row = judged(tmp_path, entry(RECALL), gap(0.1, 0.05, 0.15))
    assert "unseen: 0.5000 (0.4000 to 0.6000) of 10; seen: 0.9000 (0.8000 to 1.0000) of 10" in row["evidence"]
    assert (row["measured"], row["low"], row["high"]) == ("0.100000", "0.050000", "0.150000")


def test_a_worse_verdict_is_not_lifted_by_the_cap(tmp_path: Path) -> None:
    files = corpus_value(9) | {"scores.csv": scores(OTHER, encoder={1: 0.9})}
    assert judged(tmp_path, entry(EQUALS, "5", more="    encoder: comparable\n"), files)["verdict"] == "contradicted"


@pytest.mark.parametrize(("use", "more", "verdict"), [
    ("comparable", "", STAND_IN),
    ("comparable", "    independent: nobody has it\n", "not reproduced"),
    ("vocabulary", "", "not reproduced"),
    ("vocabulary", "    proxy: half of it\n", STAND_IN),
    ("vocabulary", "    proxy: half of it\n    independent: nobody has it\n", "not reproduced"),
])  # fmt: skip
def test_a_failure_of_another_encoder_is_capped_unless_other_evidence_supports_it(
    tmp_path: Path, use: str, more: str, verdict: str
) -> None:
    files = corpus_value(9) | counted_on("all-MiniLM-L6-v2")
    files |= {"scores.csv": scores("all-MiniLM-L6-v2", encoder={1: 0.9})}
    rule = EQUALS.replace("contradicted", "not reproduced")
    row = judged(tmp_path, entry(rule, "5", more=f"    encoder: {use}\n{more}"), files)
    assert row["verdict"] == verdict
    assert ("; nobody has it" in row["evidence"]) == ("nobody" in more)


def test_the_tally_leaves_out_what_repeats_an_error_or_could_not_fail() -> None:
    rows = [("reproduced", ""), ("reproduced", "tautology"), ("contradicted", ""), ("contradicted", "repeats D1"),
            ("partly", "future work")]  # fmt: skip
    table = pd.DataFrame(rows, columns=["verdict", "not_counted"])
    assert tally(table) == (
        "2 claims: 1 reproduced, 1 contradicted; not counted: 1 repetition of another claim, 1 tautology, "
        "1 direction of future work"
    )
    assert tally(table[table["not_counted"] == ""]) == "2 claims: 1 reproduced, 1 contradicted"


def test_a_tautology_and_a_repetition_are_marked(tmp_path: Path) -> None:
    row = judged(
        tmp_path, entry(EQUALS, "5", more="    tautology: it is so\n    remark: by the way\n"), corpus_value(5)
    )
    assert (row["not_counted"], row["evidence"]) == (
        "tautology",
        "corpus.json a.b is 5; wanted: 5 ± 1; by the way; a tautology: it is so",
    )
    row = judged(tmp_path, entry(EQUALS, "5", more="    repeats: X1\n"), corpus_value(5))
    assert row["not_counted"] == "repeats X1"
    row = judged(tmp_path, entry(EQUALS, "5", more="    future_work: true\n"), corpus_value(5))
    assert row["not_counted"] == "future work"


def test_a_proxy_is_named_and_at_best_partly(tmp_path: Path) -> None:
    row = judged(tmp_path, entry(EQUALS, "5", more="    proxy: it stands in\n"), corpus_value(5))
    assert (row["verdict"], row["evidence"]) == ("partly", "corpus.json a.b is 5; wanted: 5 ± 1; it stands in")


def test_further_sources_are_quoted_as_far_as_they_are_measured(tmp_path: Path) -> None:
    more = (
        "    also_shown: [studies.csv seconds where study=y, scores.csv entity_f1 where system=not_scored, "
        '"scores.csv entity_f1 where system={system}"]\n'
    )
    row = judged(tmp_path, entry(EQUALS, "5", more=more), corpus_value(5))
    assert row["evidence"].endswith("; wanted: 5 ± 1; also: scores.csv entity_f1 where system=encoder is 0.85")


@pytest.mark.parametrize(("rule", "files", "evidence"), [
    (BOUND, {}, "mit_movie_eng has no corpus.json yet; run make it"),
    (FURTHER, {}, "mit_movie_eng has no intervals.csv yet; run make it"),
    ("bound, measured: 'benchmarks.csv seconds where task=train', direction: at most, value: 1",
     {"benchmarks.csv": [{"task": "tag", "seconds": 1}]},
     "benchmarks.csv has no row with task=train yet; run make it"),
])  # fmt: skip
def test_what_has_not_been_measured_is_not_tested_and_names_the_command(
    tmp_path: Path, rule: str, files: Files, evidence: str
) -> None:
    row = judged(tmp_path, entry(rule, "0.9"), files)
    assert (row["verdict"], row["evidence"], row["measured"]) == ("not tested", evidence, "")


def test_numbers_in_a_condition_are_compared_as_numbers(tmp_path: Path) -> None:
    """The tables have 1.000000 and 13 in files, so fraction=1 and seed=13.0 are the same rows."""
    rows = [
        {"study": "s", "system": "encoder", "seed": seed, "fraction": fraction, "per_type": size, "test_entity_f1": f1}
        for seed, fraction, size, f1 in ((13, 1.0, "", 0.5), (42, 0.5, "", 0.6), (42, 1.0, 5, 0.7))
    ]
    for condition, value in (
        ("fraction=1.0, seed=13", 0.5),
        ("fraction=1, seed=42", 0.7),
        ("seed=42.0, fraction=0.50", 0.6),
        ("per_type=5", 0.7),
        ("per_type=, seed=42", 0.6),
    ):
        rule = f"equals, measured: 'studies.csv test_entity_f1 where {condition}', otherwise: not reproduced"
        row = judged(tmp_path, entry(rule, str(value)), {"studies.csv": rows})
        assert (row["verdict"], row["measured"]) == ("reproduced", f"{value:.6f}"), condition


def test_the_real_claims_are_judged_on_the_committed_results() -> None:
    rows = [row for name in (CORPUS, DOMAINS) for row in judge_claims(name, RESULTS)]
    assert set(IDS) <= {row["id"] for row in rows}
    assert {row["verdict"] for row in rows} <= set(VERDICTS)
    assert all(row["evidence"] for row in rows)
    verdicts = {row["id"]: row["verdict"] for row in rows}
    assert (verdicts["D1"], verdicts["D2"], verdicts["D4"]) == ("contradicted", "reproduced", "contradicted")
    # As long as these are the results of another encoder than the paper's.
    capped = {"comparable": {"partly", STAND_IN, "contradicted", "not tested"}, "required": {"not tested"}}
    for claim in read_claims(CLAIMS).claims:
        assert verdicts[claim.id] in capped.get(str(claim.encoder), VERDICTS) or claim.independent, claim.id


def test_a_corpus_and_the_comparison_of_corpora_share_no_claim() -> None:
    """No claim about one corpus reads another's folder, so its table depends on that corpus alone."""
    ids = [{row["id"] for row in judge_claims(name, RESULTS)} for name in (CORPUS, DOMAINS)]
    assert ids[1] == {"F1", "G5", "R13"}
    assert not ids[0] & ids[1]
    assert all(claim.about == "domains" for claim in read_claims(CLAIMS).claims if hasattr(domains, claim.judge.rule))


@pytest.mark.parametrize(("options", "name", "rows"), [
    (["--corpus", "sample"], "sample", 0),
    (["--corpus", CORPUS], CORPUS, 68),
    (["--domains"], DOMAINS, 3),
])  # fmt: skip
def test_the_table_has_a_row_per_claim_about_its_corpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], name: str, rows: int
) -> None:
    monkeypatch.setattr(judge, "RESULTS", tmp_path)
    monkeypatch.setattr("sys.argv", ["judge.py", *options])
    judge.main()
    with (tmp_path / name / "claims.csv").open() as file:
        table = list(csv.reader(file))
    assert table[0] == list(TABLES["claims"].columns)
    assert len(table) == rows + 1


@pytest.mark.parametrize("script", [judge, report])
def test_a_bad_merge_of_the_provenance_is_named_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: ModuleType
) -> None:
    monkeypatch.setattr(script, "RESULTS", tmp_path)
    monkeypatch.setattr("sys.argv", ["script.py", "--corpus", CORPUS])
    (tmp_path / "provenance.json").write_text('{"mit_movie_eng": {"runs": {"crf-0": {}}}}')
    with pytest.raises(BertNerError, match=r"provenance\.json: .*mit_movie_eng\.runs\.crf-0\.\w+ is missing"):
        script.main()
