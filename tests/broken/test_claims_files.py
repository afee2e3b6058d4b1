"""Broken claims.yaml, published.yaml and bypass.yaml: an error names file, line and fault, and nothing in them runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from broken import DEEP_YAML, Change, breaks, swapped

from bert_ner.errors import BertNerError
from claims.schema import read_claims, read_published
from gate.bypasses import read_bypasses

ROOT = Path(__file__).resolve().parents[2]
CLAIMS = """
corpus: mit_movie_eng
encoder: bert-base-uncased
claims:
  - id: C1
    section: "4.1"
    claim: There are 100 sentences.
    kind: count
    paper_value: 100
    judge: {rule: equals, measured: corpus.json train.sentences, otherwise: contradicted}
    command: make repro
"""


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        (None, ["can't be read", "No such file"]),
        (b"\xff\xfe\x00", ["is not YAML: unacceptable character #x0000"]),
        (b"corpus: a\x00", ["is not YAML: unacceptable character #x0000"]),
        (DEEP_YAML, ["more than 10,000 values, aliases resolved, or than 40 levels"]),
        (lambda c: c[: c.rindex(b"{") + 1], ["is not YAML: while "]),
        (lambda c: b"<<<<<<< HEAD\n" + c, ["is not YAML: "]),
        ("corpus: x\ncorpus: y\n", ['found duplicate key "corpus"']),
        ("corpus: x\n---\ncorpus: y\n", ["is not YAML: expected a single document in the stream"]),
        ("corpus: x\nencoder: y\nclaims: {a: 1}\n", ["line 3: claims must be a valid list, not {'a': 1}"]),
        ("corpus: x\nencoder: y\nclaims: []\n", ["line 3: claims must have at least 1 item"]),
        ("- 1\n", ["line 1: "]),
        ("5\n", ["line 1: "]),
        ("", ["line 1: "]),
        ("corpus: !!python/object/apply:os.system ['touch it-ran']\n", ["is not YAML: could not determine"]),
        ("corpus: !!python/name:os.system\n", ["is not YAML: could not determine"]),
        ("corpus: x\nencoder: y\nclaims:\n  - &a\n    id: *a\n", ["more than 10,000 values, aliases resolved"]),
        ("corpus: x\nencoder: y\nclaims:\n  - {id: [a], section: b}\n", ["line 4: claims.0.id must be text"]),
        ("!!set a\n", ["is not YAML: expected a mapping"]),
        ("!!bool a\n", ["can't be read: "]),
        ("? [a, b]\n: c\n", ["line 1: "]),
        ("1: x\n", ["line 1: key 1 must be text; put it in quotes"]),
    ],
)
def test_not_the_yaml_of_claims(change: Change, messages: list[str], tmp_path: Path) -> None:
    shutil.copy(ROOT / "experiments/claims/claims.yaml", tmp_path)
    check(read_claims, tmp_path / "claims.yaml", change, messages)
    assert not Path("it-ran").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("id: C1", "id: 1", "line 5: claims.0.id must be text (in quotes, if it looks like a number), not 1"),
        ('"4.1"', "4.1", "line 6: claims.0.section must be text (in quotes, if it looks like a number), not 4.1"),
        ("kind: count", "kind: number", "line 8: claims.0.kind must be 'count', 'arithmetic', 'value'"),
        ("    kind: count\n", "", "line 5: claims.0.kind is missing"),
        (
            "    section:",
            "    sektion:",
            "line 6: unknown key 'claims.0.sektion'; the keys here are id, section, claim",
        ),
        ("paper_value: 100", "paper_value: {}", "line 9: claims.0.paper_value must be"),
        ("paper_value: 100", "paper_value: many", "line 9: claims.0.paper_value must be a number or a list of numbers"),
        ("rule: equals", "rule: guess", "line 10: claims.0.judge"),
        ("rule: equals, ", "", "line 10: claims.0.judge"),
        ("corpus.json train.sentences", "{}", "line 10: claims.0.judge"),
        (
            "    command: make repro\n",
            "    command: make repro\n  - {id: C1}\n",
            "line 12: claims.1.section is missing",
        ),
    ],
)
def test_wrong_value_in_claims(old: str, new: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "claims.yaml"
    path.write_text(CLAIMS)
    read_claims(path)
    check(read_claims, path, swapped(old, new), [message])


def test_two_claims_with_one_name(tmp_path: Path) -> None:
    entry = CLAIMS[CLAIMS.index("  - id") :]
    path = tmp_path / "claims.yaml"
    path.write_text(CLAIMS)
    check(read_claims, path, CLAIMS + entry, ["line 12: id C1 is used 2 times; give each claim its own"])


PUBLISHED = """
systems:
  - system: BERT
    parameters: 110 M
    score: 0.88
    metric: entity_f1
    corpus: mit_movie_eng
    test_set: mit_movie_eng
    comparable: true
    source: its paper
"""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (None, "No such file"),
        ("systems:\n  -\n", "line 2: systems.0 must be a valid dictionary"),
        ("5\n", "line 1: "),
        ("systems: [a: b, c]\n", "line 1: unknown key 'systems.0.a'; the keys here are system, parameters, score"),
        (swapped("0.88", "88"), "line 5: systems.0.score must be"),
        (swapped("0.88", "'0.88'"), "line 5: systems.0.score must be"),
        (swapped("metric: entity_f1", "metric: f1"), "line 6: systems.0.metric must be"),
        (swapped("true", "yes"), "line 9: systems.0.comparable must be"),
        (swapped("true", "false"), "line 9: systems.0.comparable must be true, unless the key reason says why"),
    ],
)
def test_broken_published_scores(change: Change, message: str, tmp_path: Path) -> None:
    path = tmp_path / "published.yaml"
    path.write_text(PUBLISHED)
    assert read_published(path)
    check(read_published, path, change, [message])


BYPASS = "- corpus: sample\n  system: crf\n  metric: entity_f1\n  reason: a new reading\n  until: 2099-12-31\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("- [", "is not YAML: "),
        ("corpus: sample\n", "line 1: "),
        (swapped("  system: crf\n", ""), "line 1: 0.system is missing"),
        (swapped("reason: a new reading", "reason: 5"), "line 4: 0.reason must be"),
        (swapped("reason: a new reading", "reason: ''"), "line 4: 0.reason must"),
        (
            swapped("metric: entity_f1", "metric: f1"),
            "line 3: 0.metric must be 'entity_f1' or 'token_micro_f1', not 'f1'",
        ),
        (swapped("system", "sytem"), "line 2: unknown key '0.sytem'"),
    ],
)
def test_broken_bypasses(change: Change, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bypass.yaml"
    path.write_text(BYPASS)
    assert read_bypasses(tmp_path)
    check(lambda file: read_bypasses(file.parent), path, change, [message])


def check(read: Callable[[Path], Any], path: Path, change: Change, messages: list[str]) -> None:
    breaks(path, change)
    with pytest.raises(BertNerError) as caught:
        read(path)
    for message in [str(path), *messages]:
        assert message in str(caught.value)
    assert len(str(caught.value)) < 10_000
