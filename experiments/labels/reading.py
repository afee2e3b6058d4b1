"""Lists for reading doubtful sentences without knowing which tags are gold's, and what the readings found.

A question shows one sentence with two taggings, A and B. In a suspicious sentence they are gold's and the one on which
the strong systems agree. In a control both of these are the same, and the other tagging is a weaker system's. A reader
sees no difference between the two, so the controls show how well the reader judges.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from bert_ner.corpus.bio import Sentence, spans_of
from bert_ner.errors import BertNerError
from bert_ner.wording import counted
from labels.consensus import Tagging, against_gold
from labels.proportions import cohens_kappa, proportion

VERDICTS = ("gold", "other", "both", "neither")
ANSWERS = ("A", "B", "both", "neither")
SUSPICIOUS, CONTROL = "suspicious", "control"
READINGS = (1, 2)

Question = dict[str, Any]


def draw_questions(
    test: Sequence[Sentence], common: Sequence[Tagging | None], weaker: Sequence[Tagging | None], n: int, seed: int
) -> list[Question]:
    """Draw n suspicious sentences and half as many controls, all if there are fewer; `weaker` is a weaker system's."""
    suspicious = [(i, common[i]) for i in against_gold(test, common)]
    agreed = [i for i, sentence in enumerate(test) if common[i] == sentence.tags]
    controls = [(i, weaker[i]) for i in agreed if weaker[i] not in (None, common[i])]
    draw = random.Random(seed)
    drawn = {
        kind: draw.sample(candidates, min(size, len(candidates)))
        for kind, candidates, size in ((SUSPICIOUS, suspicious, n), (CONTROL, controls, n // 2))
    }
    return [{"kind": kind, "sentence": i, "other": other} for kind, found in drawn.items() for i, other in found]


def shuffled(questions: Sequence[Question], reading: int, seed: int) -> list[Question]:
    """Return the questions of a reading in an order of its own, and for each which side is gold's."""
    draw = random.Random(f"{seed} {reading}")
    order = draw.sample(questions, len(questions))
    return [{**question, "reading": reading, "gold_is": draw.choice("AB")} for question in order]


def list_text(test: Sequence[Sentence], questions: Sequence[Question]) -> str:
    """Return a reading's list, to be filled in: after each `verdict:` one of ANSWERS."""
    lines = []
    for number, question in enumerate(questions, start=1):
        sentence = test[question["sentence"]]
        sides = [marked(sentence.words, tags) for tags in (sentence.tags, question["other"])]
        a, b = sides if question["gold_is"] == "A" else reversed(sides)
        lines += [f"# {number}", f"A: {a}", f"B: {b}", "verdict: ", ""]
    return "\n".join(lines)


def marked(words: Sequence[str], tags: Sequence[str]) -> str:
    """Return a sentence with each entity in brackets, its type first."""
    pieces = list(words)
    for span in spans_of(tags):
        pieces[span.start] = f"[{span.type} {pieces[span.start]}"
        pieces[span.end - 1] += "]"
    return " ".join(pieces)


def answers_in(text: str) -> list[str]:
    """Return what stands after each `verdict:` of a list; an empty text where it is not filled in."""
    return [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("verdict:")]


def read_verdicts(name: str, text: str, questions: Sequence[Question]) -> list[Question]:
    """Return a row for each question of a list that was filled in, without its words: what the verdict means."""
    answers = answers_in(text)
    if len(answers) != len(questions):
        found = counted(len(answers), "verdict")
        raise BertNerError(f"{name} has {found}, its key {len(questions)}; write a new reading list")
    rows = []
    for number, (answer, question) in enumerate(zip(answers, questions, strict=True), start=1):
        if answer not in ANSWERS:
            raise BertNerError(f"{name}: the verdict of # {number} is {answer!r}; it must be {', '.join(ANSWERS)}")
        side = {question["gold_is"]: "gold"}.get(answer, "other") if answer in "AB" else answer
        row = {name: question[name] for name in ("reading", "kind")}
        rows.append({**row, "sentence": question["sentence"] + 1, "verdict": side})
    return rows


def describe(verdicts: pd.DataFrame, parts: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """Return the share of each verdict by reading and kind of sentence, also by part, and how far two readings agree.

    `parts` has the indices of each part's test sentences.
    """
    indices = verdicts["sentence"] - 1
    crossed = verdicts.pivot(index=["kind", "sentence"], columns="reading", values="verdict")
    first, second = (crossed[reading].tolist() for reading in READINGS)
    same = sum(a == b for a, b in zip(first, second, strict=True))
    return {
        "read_by": ", ".join(verdicts["reader"].unique()),
        "readings": _shares(verdicts),
        "readings_by_part": {part: _shares(verdicts[indices.isin(places)]) for part, places in parts.items()},
        "same_verdict_twice": proportion(same, len(crossed)) | {"kappa": cohens_kappa(first, second)},
    }


def _shares(verdicts: pd.DataFrame) -> dict[str, dict[str, Any]]:
    by_reading: dict[str, dict[str, Any]] = {}
    for (reading, kind), rows in verdicts.groupby(["reading", "kind"], sort=True):
        counts = rows["verdict"].value_counts()
        shares = {verdict: proportion(int(counts.get(verdict, 0)), len(rows)) for verdict in VERDICTS}
        by_reading.setdefault(str(reading), {})[str(kind)] = shares
    return by_reading
