"""Compute the uncertainty of the test scores, and compare the systems; needs no model.

    python experiments/compare.py --corpus mit_movie_eng

Reads scores.csv and predictions/ in results/<corpus>, and writes intervals and comparisons there: over all, by group of
entities, by part of the corpus, and of the systems of each study, whose predictions are in studies/. Uncertainty over
test sentences and over seeds is in rows of its own. The sentences of a corpus with parts are resampled within them.
"""

from harness.run_main import arguments, run_main

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from harness.artifacts import read_part, read_predictions, signature_source, study_folder
from harness.params import REFERENCE, Confirmatory, Params, read_params, read_trials
from harness.parts import WHOLE, places_by_part, read_parts, source_of_part
from harness.paths import RESULTS, predictions_file
from harness.tables import producer_of, require_table, write_table

import pandas as pd

from bert_ner import scoring
from bert_ner.corpus.bio import Sentence, spans_of
from bert_ner.corpus.catalog import Corpus, corpus_named
from bert_ner.errors import BertNerError
from bert_ner.scoring import subgroups
from bert_ner.scoring.resampling import LEVEL, SAMPLES, p_text, paired_text

HARDER = {"seen": ("seen", "unseen"), "length": ("1", f"{subgroups.LONG}+")}  # by grouping: an easy group, a hard one

Rows = list[dict[str, Any]]
Pair = tuple[str, str]
Family = Collection[tuple[Pair, str]]  # pairs of systems, each with a metric


class Recount(NamedTuple):
    """Each system's tags, counts and scores, run by run."""

    tags: dict[str, list[list[list[str]]]]
    counts: dict[str, list[scoring.Counts]]
    scores: dict[str, list[dict[str, scoring.Score]]]


def main() -> None:
    corpus = corpus_named(arguments(__doc__).corpus)
    scores = require_table(RESULTS, corpus.name, "scores")
    test, known = read_part(corpus.name, "test"), subgroups.known_entities(read_part(corpus.name, "train"))
    found = recount(corpus, test, scores)
    part_of = read_parts(corpus.name, "test")
    strata = part_of if places_by_part(part_of) else None
    with_reference, others = pairs(scores)
    params = read_params()
    family = confirmatory_tests(corpus.name, scores, params.confirmatory)
    rows = {
        "intervals": intervals(found, strata),
        "comparisons": comparisons(found, with_reference + others, strata, family),
        "intervals_by_group": group_intervals(found, test, known),
        "comparisons_by_type": type_comparisons(found, with_reference),
        "study_comparisons": study_comparisons(corpus, test, params, strata),
        **part_rows(found, test, part_of, signature_source(corpus), with_reference),
    }
    for name, content in rows.items():
        write_table(RESULTS, corpus.name, name, content)
    shown = ["system_a", "system_b", "metric", "difference", "low", "high", "p", "family"]
    table = pd.DataFrame([{**row, "p": p_of(row)} for row in rows["comparisons"]], columns=shown)
    print(f"{corpus.name}: nothing to compare" if table.empty else table.to_string(index=False, float_format="%.4f"))


def p_of(row: dict[str, Any]) -> str:
    """Write the p-value of a comparison, corrected if the test is confirmatory."""
    is_confirmatory = row["p_holm"] is not None
    return p_text(row["p_value"], SAMPLES, row["p_holm"]) + (", corrected" if is_confirmatory else "")


def pairs(scores: pd.DataFrame) -> tuple[list[Pair], list[Pair]]:
    """Pair every other system with the reference, and then others.

    These are each encoder with every other baseline, and with each encoder above it in params.yaml.
    """
    encoders = dict(zip(scores["system"], scores["encoder"], strict=True))
    with_reference = [(system, REFERENCE) for system in encoders if system != REFERENCE and REFERENCE in encoders]
    baselines = [system for system, encoder in encoders.items() if not encoder and system != REFERENCE]
    with_encoder = [system for system, encoder in encoders.items() if encoder]
    others = [(system, name) for system in with_encoder for name in baselines]
    return with_reference, others + [(later, earlier) for earlier, later in combinations(with_encoder, 2)]


def confirmatory_tests(corpus: str, scores: pd.DataFrame, named: Confirmatory) -> Family:
    """Return the tests of the first named system that was scored, against each named baseline by each named metric."""
    scored = scores["system"].unique()
    system = next((name for name in named.systems if name in scored), None)
    if corpus not in named.corpora or system is None:
        return set()
    return {((system, name), metric) for name in named.baselines if name in scored for metric in named.metrics}


def recount(corpus: Corpus, test: Sequence[Sentence], scores: pd.DataFrame) -> Recount:
    """Count and score the predicted tags of every run in scores.csv again."""
    gold, source = [tags for _, tags in test], signature_source(corpus)
    remedy = f"run {producer_of('scores', corpus.name)}, or dvc repro"
    found = Recount({}, {}, {})
    for row in scores.to_dict("records"):
        system = str(row["system"])
        path = predictions_file(RESULTS, corpus.name, f"{system}-{row['seed']}")
        predicted = read_predictions(path, test, remedy)
        try:
            counted, rescored = scoring.count(gold, predicted), scoring.score(gold, predicted, **source)
            scoring.check_same_signature(str(row["signature"]), rescored["entity_f1"].signature)
            for metric, value in rescored.items():
                if abs(float(row[metric]) - value) > 1e-6:  # scores.csv has six decimals
                    raise ValueError(f"{metric} is {row[metric]} in scores.csv, but {value:.6f} here")
        except ValueError as error:
            raise BertNerError(f"{path} does not fit scores.csv: {error}; {remedy}") from None
        found.tags.setdefault(system, []).append(predicted)
        found.counts.setdefault(system, []).append(counted)
        found.scores.setdefault(system, []).append(rescored)
    return found


def intervals(found: Recount, strata: Sequence[str] | None = None) -> Rows:
    """Return a row per system, metric and source of uncertainty; only sentences are one for systems with one run."""
    rows: Rows = []
    several = {system: runs for system, runs in found.counts.items() if len(runs) > 1}
    over_both = scoring.bootstrap_all(several, SAMPLES, level=LEVEL, strata=strata, over_runs=True) if several else {}
    within = " within parts" if strata else ""
    for system, by_metric in scoring.bootstrap_all(found.counts, SAMPLES, level=LEVEL, strata=strata).items():
        runs = found.scores[system]
        for metric, interval in by_metric.items():
            shared = {"system": system, "metric": metric, "level": LEVEL, "signature": runs[0][metric].signature}
            method = f"percentile bootstrap over sentences{within}, {SAMPLES}; runs averaged"
            n = len(found.counts[system][0].words)
            rows.append({**shared, "source": "sentences", "n": n, **interval._asdict(), "method": method})
            if len(runs) > 1:
                values = [run[metric].value for run in runs]
                row = {"source": "seeds", "n": len(runs), **scoring.seed_interval(values, LEVEL)._asdict()}
                rows.append({**shared, **row, "sd": pd.Series(values).std(), "method": "Student's t over runs"})
                method = f"percentile bootstrap over sentences{within} and, apart from them, r - 1 of r runs, {SAMPLES}"
                row = {"source": "seeds+sentences", "n": n, **over_both[system][metric]._asdict(), "method": method}
                rows.append({**shared, **row})
    return rows


def comparisons(
    found: Recount, wanted: Sequence[Pair], strata: Sequence[str] | None = None, family: Family = ()
) -> Rows:
    """Return a row per pair and metric. The Holm correction is over the confirmatory family; other rows have none."""
    within = " within parts" if strata else ""
    compared = scoring.compare_all(found.counts, wanted, SAMPLES, level=LEVEL, strata=strata)
    tests = [(pair, metric) for pair, results in compared.items() for metric in results if (pair, metric) in family]
    corrected = scoring.holm([compared[pair][metric].p_value for pair, metric in tests])
    p_holm = dict(zip(tests, corrected, strict=True))
    rows: Rows = []
    for (a, b), results in compared.items():
        test = method_text(found.counts, a, b, within)
        shared = {"system_a": a, "system_b": b, "test": test, "n": len(found.counts[a][0].words)}
        for metric, result in results.items():
            signature = found.scores[a][0][metric].signature
            kind = "confirmatory" if ((a, b), metric) in p_holm else "exploratory"
            row = {"metric": metric, "signature": signature, "p_holm": p_holm.get(((a, b), metric)), "family": kind}
            rows.append(shared | row | result._asdict())
    return rows


def group_intervals(found: Recount, test: Sequence[Sentence], known: Collection[subgroups.Entity]) -> Rows:
    """Return a row per system and group: F1 of each type, recall of each group of entities, rank of each confusion."""
    gold = [tags for _, tags in test]
    groupings = subgroups.entity_groupings(test, known)
    entities = [(i, span) for i, tags in enumerate(gold) for span in spans_of(tags)]
    support = Counter((by, group(i, span)) for by, group in groupings.items() for i, span in entities)
    for by, (easy, hard) in HARDER.items():
        support.update(
            (f"{by} within type", f"{span.type}: {easy}") for i, span in entities if groupings[by](i, span) == hard
        )
    f1 = subgroups.f1_by_type(found.counts, SAMPLES, level=LEVEL)
    ranks = subgroups.confusion_ranks(gold, found.tags, SAMPLES, level=LEVEL)
    with_recall = [by for by in groupings if by != "type"]  # types have F1
    gaps = {by: subgroups.recall_gaps(gold, found.tags, groupings[by], SAMPLES, level=LEVEL) for by in with_recall}
    within = {
        by: subgroups.gaps_within_types(gold, found.tags, groupings[by], easy, hard, SAMPLES, level=LEVEL)
        for by, (easy, hard) in HARDER.items()
    }
    rows: Rows = []
    for system in found.tags:
        groups = [
            *(("type", name, "", "f1", interval) for name, interval in f1[system].items()),
            *((by, *names, "recall", interval) for by in gaps for names, interval in gaps[by][system].items()),
            *(
                (f"{by} within type", f"{name}: {easy}" if name else easy, hard, "recall", interval)
                for by, (easy, hard) in HARDER.items()
                for name, interval in within[by].get(system, {}).items()
            ),
            *(("confusion", " / ".join(pair), "", "rank", interval) for pair, interval in ranks[system].items()),
        ]
        rows += [
            {"system": system, "by": by, "group": name, "than": than, "metric": metric, "n": len(gold), "level": LEVEL}
            | {"support": support.get((by, name)), **interval._asdict()}
            for by, name, than, metric, interval in groups
        ]
    return rows


def part_rows(
    found: Recount, test: Sequence[Sentence], part_of: Sequence[str], source: Mapping[str, str], wanted: Sequence[Pair]
) -> dict[str, Rows]:
    """Return the rows of the tables by part: the whole, resampled within its parts, and then each part by itself."""
    rows: dict[str, Rows] = {"intervals_by_part": [], "comparisons_by_part": []}

    def add(part: str, piece: Recount, strata: Sequence[str] | None = None) -> None:
        rows["intervals_by_part"] += [{"part": part, **row} for row in intervals(piece, strata)]
        rows["comparisons_by_part"] += [{"part": part, **row} for row in comparisons(piece, wanted, strata)]

    places = places_by_part(part_of)
    if places:
        add(WHOLE, found, part_of)
    for part, at in places.items():
        add(part, recount_part(found, test, at, source_of_part(source, part)))
    return rows


def recount_part(found: Recount, test: Sequence[Sentence], at: Sequence[int], source: Mapping[str, str]) -> Recount:
    """Count and score the tags of some of the test sentences."""
    gold = [test[i].tags for i in at]
    tags = {system: [[run[i] for i in at] for run in runs] for system, runs in found.tags.items()}
    return Recount(
        tags,
        {system: [scoring.count(gold, run) for run in runs] for system, runs in tags.items()},
        {system: [scoring.score(gold, run, **source) for run in runs] for system, runs in tags.items()},
    )


def study_comparisons(
    corpus: Corpus, test: Sequence[Sentence], params: Params, strata: Sequence[str] | None = None
) -> Rows:
    """Return a row per pair of a study's systems and size of the training part, from predictions that are here."""
    gold, rows, within = [tags for _, tags in test], [], " within parts" if strata else ""
    signature = scoring.score(gold, gold, **signature_source(corpus))["entity_f1"].signature
    for study in params.studies:
        counts: dict[tuple[Any, Any], dict[str, list[scoring.Counts]]] = {}
        for trial in read_trials(study, params):
            path = study_folder(RESULTS, corpus.name, study) / f"{trial.name}.tags"
            if path.is_file():
                tags = read_predictions(
                    path, test, f"run python experiments/study.py --corpus {corpus.name} --study {study}"
                )
                by_system = counts.setdefault((trial.fraction, trial.per_type), {})
                by_system.setdefault(trial.system, []).append(scoring.count(gold, tags))
        for (fraction, per_type), by_system in counts.items():
            size = {"study": study, "fraction": fraction, "per_type": per_type}
            wanted = list(combinations(by_system, 2))
            for (a, b), found in scoring.compare_all(by_system, wanted, SAMPLES, level=LEVEL, strata=strata).items():
                method = {"metric": "entity_f1", "test": method_text(by_system, a, b, within), "signature": signature}
                numbers = {"n": len(test), "runs": len(by_system[a])} | found["entity_f1"]._asdict()
                rows.append({**size, "system_a": a, "system_b": b, **method, **numbers})
    return rows


def method_text(counts: Mapping[str, Sequence[scoring.Counts]], a: str, b: str, within: str) -> str:
    """Name the test and the interval of a comparison, with the number of runs of each system."""
    return f"{paired_text(SAMPLES, within)}; runs averaged, a={len(counts[a])} b={len(counts[b])}"


def type_comparisons(found: Recount, wanted: Sequence[Pair]) -> Rows:
    """Return a row per pair and type. The Holm correction is over the types of a pair; all rows are exploratory."""
    rows: Rows = []
    for (a, b), compared in subgroups.compare_types(found.counts, wanted, SAMPLES, level=LEVEL).items():
        shared = {"system_a": a, "system_b": b, "n": len(found.counts[a][0].words)}
        corrected = scoring.holm([result.p_value for result in compared.values()])
        rows += [
            {**shared, "type": name, **result._asdict(), "p_holm": p_holm}
            for (name, result), p_holm in zip(compared.items(), corrected, strict=True)
        ]
    return rows


if __name__ == "__main__":
    run_main(main)
