"""Scores of BIO files, whichever system wrote them.

bert-ner score gold.bio predicted.bio
bert-ner score gold.bio a.bio b.bio --json
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from bert_ner.corpus.bio import BioError, Order, Passage, parse_bio, refuse, spans_of
from bert_ner.corpus.catalog import CORPORA
from bert_ner.errors import InvalidValue
from bert_ner.scoring.counts import Counts, Tags, count
from bert_ner.scoring.scores import METRICS, score, score_by_type, signature
from bert_ner.scoring.uncertainty import bootstrap, compare_all, holm_by_metric

LEVEL, SAMPLES = 0.95, 10_000
TEST = f"paired approximate randomisation over sentences, {SAMPLES}; interval: paired percentile bootstrap, {SAMPLES}"

Record = dict[str, Any]


class File(NamedTuple):
    """A file that has been read."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def score_files(gold: File, predicted: Sequence[File], order: Order | None = None) -> Record:
    """Score BIO files against one with the same words.

    An `I-X` of a prediction that continues nothing opens an entity, as in conlleval; it is counted as it stands.

    Args:
        gold: what is right.
        predicted: a file for each system.
        order: which column holds the tag, in all files; by default that is told from the tags, file by file.

    Returns:
        What JSON can hold, scores as fractions: `gold` (file, sha256, sentences, words, entities, types); `systems`,
        each with file, sha256, illegal_transitions (their lines), types_not_in_gold, scores (by metric: value, low,
        high, signature) and by_type (type, support, precision, recall, f1); `comparisons` of every two systems, a row
        per metric, with the columns of comparisons.csv; p_holm is corrected for the pairs. Also level and samples.

    Raises:
        BioError: a file has no sentence, columns that can't be told apart, or something that is not a tag; the gold
            file has an `I-X` without its `B-X`; or the words differ.
        InvalidValue: a prediction is given twice.
    """
    names = [file.name for file in predicted]
    for name in names:
        if names.count(name) > 1:
            raise InvalidValue(f"{name} is given {names.count(name)} times; name each prediction once")
    passages = parse_bio(gold.content, gold.name, order=order)
    refuse([offence for passage in passages for offence in passage.offences], gold.name)
    tags = [passage.sentence.tags for passage in passages]
    spans = [span for sequence in tags for span in spans_of(sequence)]
    types = sorted({span.type for span in spans})
    origin = _origin(gold)

    systems: list[Record] = []
    counts: dict[str, Counts] = {}
    for file in tqdm(predicted, desc="score", unit="file", disable=None):
        theirs = _read_prediction(file, order, gold.name, passages)
        predicted_tags = [passage.sentence.tags for passage in theirs]
        counts[file.name] = count(tags, predicted_tags)
        illegal = [offence.line for passage in theirs for offence in passage.offences]
        extra = sorted({tag[2:] for sequence in predicted_tags for tag in sequence if tag != "O"} - {*types})
        who = {"file": file.name, "sha256": file.sha256, "illegal_transitions": illegal, "types_not_in_gold": extra}
        systems.append({**who, **_scores(tags, predicted_tags, counts[file.name], origin)})

    about = {"sentences": len(tags), "words": sum(map(len, tags)), "entities": len(spans), "types": types}
    return {
        "gold": {"file": gold.name, "sha256": gold.sha256, **about},
        "level": LEVEL,
        "samples": SAMPLES,
        "systems": systems,
        "comparisons": _comparisons(counts, origin),
    }


def _origin(gold: File) -> dict[str, str]:
    """The split, corpus and data of the signatures: those of the catalog if it has this very file."""
    for corpus in CORPORA.values():
        for split, file in (("train", corpus.train), ("test", corpus.test)):
            if file.sha256 == gold.sha256:
                return {"split": split, "corpus": corpus.name, "data": gold.sha256[:8]}
    # A signature's keys and values are parted by signs that a file's name may hold.
    return {"split": "?", "corpus": re.sub(r"[^\w.-]+", "_", Path(gold.name).stem), "data": gold.sha256[:8]}


def _read_prediction(file: File, order: Order | None, gold_name: str, gold: Sequence[Passage]) -> list[Passage]:
    passages = parse_bio(file.content, file.name, order=order)
    offences = [offence for passage in passages for offence in passage.offences]
    refuse([offence for offence in offences if not offence.is_transition], file.name)
    for (line, what), (gold_line, expected) in zip(_in_order(passages), _in_order(gold), strict=False):
        if what != expected:
            raise BioError(
                f"{file.name}:{line}: {what}, where {gold_name}:{gold_line} has {expected}; "
                f"a prediction has the words of the gold file, sentence by sentence"
            )
    return passages


def _in_order(passages: Sequence[Passage]) -> Iterator[tuple[int, str]]:
    """The line of each word, of each sentence's end and of the file's, and what is there."""
    line = 0
    for passage in passages:
        for line, word in zip(passage.lines, passage.sentence.words, strict=True):
            yield line, repr(word)
        yield line + 1, "the end of a sentence"
    yield line + 1, "the end of the file"


def _scores(gold: Tags, predicted: Tags, counts: Counts, origin: dict[str, str]) -> Record:
    values, intervals = score(gold, predicted, **origin), bootstrap(counts, SAMPLES, level=LEVEL)
    scores = {
        metric: {**intervals[metric]._asdict(), **values[metric]._asdict()}  # the value, low, high, signature
        for metric in METRICS
    }
    return {"scores": scores, "by_type": [row._asdict() for row in score_by_type(gold, predicted)]}


def _comparisons(counts: dict[str, Counts], origin: dict[str, str]) -> list[Record]:
    rows: list[Record] = []
    compared = compare_all(counts, list(combinations(counts, 2)), SAMPLES, level=LEVEL)
    p_holm = holm_by_metric(compared)
    for (a, b), of_pair in compared.items():
        who = {"system_a": a, "system_b": b, "test": TEST, "n": len(counts[a].words)}
        for metric, found in of_pair.items():
            result = {**found._asdict(), "p_holm": p_holm[metric][a, b]}
            del result["a_sd"], result["b_sd"]  # of several runs, and a file is one
            rows.append({**who, "metric": metric, **result, "signature": signature(metric, **origin)})
    return rows
