"""The rows of the tables that compare.py writes: intervals of each system, and comparisons of pairs."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from harness.recount import Recount

import pandas as pd

from bert_ner.corpus.bio import Sentence, spans_of
from bert_ner.scoring import METRICS, bootstrap_all, compare_all, holm, holm_by_metric, seed_interval
from bert_ner.scoring.subgroups import Entity, compare_types, confusion_ranks, entity_groupings, f1_by_type, recall_gaps

LEVEL, SAMPLES = 0.95, 10_000
METHODS = {
    "sentences": f"percentile bootstrap over sentences, {SAMPLES}; runs averaged",
    "seeds": "Student's t over runs",
}

Rows = list[dict[str, Any]]
Pair = tuple[str, str]


def intervals(found: Recount) -> Rows:
    """Return a row per system, metric and source of uncertainty; source `seeds` only for systems with several runs."""
    rows: Rows = []
    for system, sentences in bootstrap_all(found.counts, SAMPLES, level=LEVEL).items():
        for metric in METRICS:
            shared = {"system": system, "metric": metric, "level": LEVEL, "signature": found.signatures[metric]}
            row = {"source": "sentences", "n": len(found.counts[system][0].words), **sentences[metric]._asdict()}
            rows.append({**shared, **row, "method": METHODS["sentences"]})
            values = [run[metric] for run in found.values[system]]
            if len(values) > 1:
                row = {"source": "seeds", "n": len(values), **seed_interval(values, LEVEL)._asdict()}
                rows.append({**shared, **row, "sd": pd.Series(values).std(), "method": METHODS["seeds"]})
    return rows


def comparisons(found: Recount, wanted: Sequence[Pair]) -> Rows:
    """Return a row per pair and metric. The Holm correction is over all pairs of a metric."""
    rows: Rows = []
    counts = found.counts
    compared = compare_all(counts, wanted, SAMPLES, level=LEVEL)
    p_holm = holm_by_metric(compared)
    for (a, b), results in compared.items():
        test = (
            f"paired approximate randomisation over sentences, {SAMPLES}; interval: paired percentile bootstrap, "
            f"{SAMPLES}; runs averaged, a={len(counts[a])} b={len(counts[b])}"
        )
        shared = {"system_a": a, "system_b": b, "test": test, "n": len(counts[a][0].words)}
        rows += [
            {**shared, "metric": metric, "signature": found.signatures[metric], **result._asdict()}
            | {"p_holm": p_holm[metric][a, b]}
            for metric, result in results.items()
        ]
    return rows


def group_intervals(found: Recount, test: Sequence[Sentence], known: Collection[Entity]) -> Rows:
    """Return a row per system and group: F1 of each type, recall of each group of entities, rank of each confusion."""
    gold = [tags for _, tags in test]
    groupings = entity_groupings(test, known)
    entities = [(i, span) for i, tags in enumerate(gold) for span in spans_of(tags)]
    support = Counter((by, group(i, span)) for by, group in groupings.items() for i, span in entities)
    f1 = f1_by_type(found.counts, SAMPLES, level=LEVEL)
    ranks = confusion_ranks(gold, found.tags, SAMPLES, level=LEVEL)
    with_recall = [by for by in groupings if by != "type"]  # types have F1
    gaps = {by: recall_gaps(gold, found.tags, groupings[by], SAMPLES, level=LEVEL) for by in with_recall}
    rows: Rows = []
    for system in found.tags:
        groups = [
            *(("type", name, "", "f1", interval) for name, interval in f1[system].items()),
            *((by, *names, "recall", interval) for by in gaps for names, interval in gaps[by][system].items()),
            *(("confusion", " / ".join(pair), "", "rank", interval) for pair, interval in ranks[system].items()),
        ]
        rows += [
            {"system": system, "by": by, "group": name, "than": than, "metric": metric, "n": len(gold), "level": LEVEL}
            | {"support": None if by == "confusion" else support[by, name], **interval._asdict()}
            for by, name, than, metric, interval in groups
        ]
    return rows


def type_comparisons(found: Recount, wanted: Sequence[Pair]) -> Rows:
    """Return a row per pair and type. The Holm correction is over a pair's types."""
    rows: Rows = []
    for (a, b), compared in compare_types(found.counts, wanted, SAMPLES, level=LEVEL).items():
        corrected = holm([result.p_value for result in compared.values()])
        rows += [
            {"system_a": a, "system_b": b, "type": name, "p_holm": p_holm, **result._asdict()}
            | {"n": len(found.counts[a][0].words)}
            for (name, result), p_holm in zip(compared.items(), corrected, strict=True)
        ]
    return rows
