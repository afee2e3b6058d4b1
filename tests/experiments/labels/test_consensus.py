"""Which systems are strong, and where they agree against gold."""

from __future__ import annotations

import pandas as pd
import pytest

from bert_ner.corpus.bio import Sentence
from labels.consensus import against_gold, consensus, describe, majority, mean_f1, strong_systems

TEST = [
    Sentence(("mel", "gibson"), ("B-ACTOR", "I-ACTOR")),
    Sentence(("speed",), ("O",)),
    Sentence(("hello",), ("O",)),
]
RIGHT = [["B-ACTOR", "I-ACTOR"], ["O"], ["O"]]
WRONG = [["B-ACTOR", "O"], ["B-TITLE"], ["O"]]


def test_strong_systems_are_not_below_the_reference() -> None:
    runs = [("hmm", 0.7), ("crf", 0.8), ("minilm", 0.75), ("minilm", 0.86), ("mpnet", 0.9), ("tie", 0.8)]
    scores = pd.DataFrame(runs, columns=["system", "entity_f1"])
    assert mean_f1(scores) == pytest.approx({"hmm": 0.7, "crf": 0.8, "minilm": 0.805, "mpnet": 0.9, "tie": 0.8})
    assert strong_systems(scores) == ["crf", "minilm", "mpnet", "tie"]
    assert strong_systems(scores[scores["system"] != "crf"]) == []


def test_the_majority_is_of_runs_and_of_whole_sentences() -> None:
    assert majority([RIGHT]) == [("B-ACTOR", "I-ACTOR"), ("O",), ("O",)]
    assert majority([RIGHT, WRONG]) == [None, None, ("O",)]
    assert majority([RIGHT, WRONG, WRONG]) == [("B-ACTOR", "O"), ("B-TITLE",), ("O",)]


def test_systems_agree_where_their_majorities_are_the_same() -> None:
    common = consensus(
        {"crf": [WRONG], "minilm": [WRONG, WRONG, RIGHT], "mpnet": [[["B-ACTOR", "O"], ["O"], ["O"]]]}, 3
    )
    assert common == [("B-ACTOR", "O"), None, ("O",)]
    assert against_gold(TEST, common) == [0]
    facts = describe(TEST, common, ["crf", "minilm", "mpnet"], {"1": [0, 1], "2": [2]})
    assert (facts["agree"]["count"], facts["against_gold"]["count"], facts["against_gold"]["of"]) == (2, 1, 3)
    by_part = {part: (found["count"], found["of"]) for part, found in facts["against_gold_by_part"].items()}
    assert by_part == {"1": (1, 2), "2": (0, 1)}
    assert facts["by_kind"] == {"boundary": 1, "type": 0, "boundary and type": 0, "missed": 0, "spurious": 0}
    assert facts["by_type"] == {"ACTOR": 1}


def test_one_system_alone_agrees_with_nobody() -> None:
    assert consensus({"crf": [WRONG]}, 3) == [None, None, None]
