"""Compute the uncertainty of the test scores, and compare the systems; needs no model.

    python experiments/compare.py --corpus mit_movie_eng

Reads scores.csv and predictions/ in results/<corpus>, and writes intervals and comparisons there: over all, by group of
entities, by part of the corpus, and of the systems of each study, whose predictions are in studies/. Uncertainty over
test sentences and over seeds is in rows of its own. The sentences of a corpus with parts are resampled within them.
"""

from harness.run_main import arguments, run_main

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations
from typing import Any

from harness.artifacts import read_part, signature_source
from harness.params import REFERENCE, Confirmatory, read_params
from harness.parts import WHOLE, places_by_part, read_parts, source_of_part
from harness.paths import RESULTS
from harness.tables import require_table, write_table

import pandas as pd

from bert_ner import scoring
from bert_ner.corpus.catalog import corpus_named
from bert_ner.scoring import subgroups
from bert_ner.scoring.resampling import LEVEL, SAMPLES, p_text
from comparisons.groups import group_intervals
from comparisons.recounting import Recount, Rows, method_text, recount, recount_part
from comparisons.study_pairs import study_comparisons
from comparisons.text_matching import text_matches

BY_PART = ("token_micro_f1", "entity_f1", "entity_f1_strict")  # the metrics that are compared by part

Pair = tuple[str, str]
Family = Collection[tuple[Pair, str]]  # pairs of systems, each with a metric


def main() -> None:
    corpus = corpus_named(arguments(__doc__).corpus)
    scores = require_table(RESULTS, corpus.name, "scores")
    test, known = read_part(corpus.name, "test"), subgroups.known_entities(read_part(corpus.name, "train"))
    found, source = recount(corpus, test, scores), signature_source(corpus)
    part_of = read_parts(corpus.name, "test")
    places = places_by_part(part_of)
    pieces = {part: recount_part(found, at, source_of_part(source, part)) for part, at in places.items()}
    strata = part_of if places else None
    with_reference, others = pairs(scores)
    params = read_params()
    family = confirmatory_tests(corpus.name, scores, params.confirmatory)
    # Also a test against another encoder, or of a baseline: Holm's correction must be over all of the family.
    wanted = list(dict.fromkeys([*with_reference, *others, *sorted({pair for pair, _ in family})]))
    whole = {
        "intervals": intervals(found, strata),
        "comparisons": comparisons(found, wanted, strata, family),
    }
    rows = {
        **whole,
        "intervals_by_group": group_intervals(found, pieces, test, known, part_of),
        "comparisons_by_type": type_comparisons(found, with_reference, strata),
        "study_comparisons": study_comparisons(corpus, test, found, pieces, scores, params, part_of),
        "text_matching": text_matches(test, found),
        **part_rows(pieces, wanted, whole),
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
    """Return each system paired with the reference, and each pair of the other systems, the later one first.

    The order is that of params.yaml, with all baselines before the encoders.
    """
    encoders = dict(zip(scores["system"], scores["encoder"], strict=True))
    others = sorted((system for system in encoders if system != REFERENCE), key=lambda system: bool(encoders[system]))
    with_reference = [(system, REFERENCE) for system in others if REFERENCE in encoders]
    return with_reference, [(later, earlier) for earlier, later in combinations(others, 2)]


def confirmatory_tests(corpus: str, scores: pd.DataFrame, named: Confirmatory) -> Family:
    """Return the tests of the first named system that was scored, against each named baseline by each named metric.

    A baseline that was not scored is left out, and so is the system itself.
    """
    scored = scores["system"].unique()
    system = next((name for name in named.systems if name in scored), None)
    if corpus not in named.corpora or system is None:
        return set()
    baselines = [name for name in named.baselines if name in scored and name != system]
    return {((system, name), metric) for name in baselines for metric in named.metrics}


def intervals(found: Recount, strata: Sequence[str] | None = None) -> Rows:
    """Return a row per system, metric and source of uncertainty; only sentences are one for systems with one run."""
    rows: Rows = []
    several = {system: runs for system, runs in found.counts.items() if len(runs) > 1}
    over_both = scoring.bootstrap_all(several, SAMPLES, strata=strata, over_runs=True) if several else {}
    within = " within parts" if strata else ""
    for system, by_metric in scoring.bootstrap_all(found.counts, SAMPLES, strata=strata).items():
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
    found: Recount,
    wanted: Sequence[Pair],
    strata: Sequence[str] | None = None,
    family: Family = (),
    metrics: Collection[str] = tuple(scoring.METRICS),
) -> Rows:
    """Return a row per pair and metric. The Holm correction is over the confirmatory family; other rows have none.

    Pairs of systems with one run each have no interval over seeds and sentences.
    """
    within = " within parts" if strata else ""
    several = [pair for pair in wanted if any(len(found.counts[system]) > 1 for system in pair)]
    with_seeds = scoring.compare_over_runs(found.counts, several, SAMPLES, strata=strata, metrics=metrics)
    compared = scoring.compare_all(found.counts, wanted, SAMPLES, strata=strata, metrics=metrics)
    tests = [(pair, metric) for pair, results in compared.items() for metric in results if (pair, metric) in family]
    corrected = scoring.holm([compared[pair][metric].p_value for pair, metric in tests])
    p_holm = dict(zip(tests, corrected, strict=True))
    rows: Rows = []
    for (a, b), results in compared.items():
        test = method_text(len(found.counts[a]), len(found.counts[b]), within)
        shared = {"system_a": a, "system_b": b, "test": test, "n": len(found.counts[a][0].words)}
        for metric, result in results.items():
            signature = found.scores[a][0][metric].signature
            kind = "confirmatory" if ((a, b), metric) in p_holm else "exploratory"
            row = {"metric": metric, "signature": signature, "p_holm": p_holm.get(((a, b), metric)), "family": kind}
            _, low, high = with_seeds[a, b][metric] if (a, b) in with_seeds else (None, None, None)
            rows.append(shared | row | result._asdict() | {"seeds_low": low, "seeds_high": high})
    return rows


def part_rows(pieces: Mapping[str, Recount], wanted: Sequence[Pair], whole: Mapping[str, Rows]) -> dict[str, Rows]:
    """Return the rows of the tables by part: those of the whole again, and then each part by itself, exploratory."""
    compared = [row for row in whole["comparisons"] if row["metric"] in BY_PART]
    rows: dict[str, Rows] = {
        "intervals_by_part": [{"part": WHOLE, **row} for row in whole["intervals"]] if pieces else [],
        "comparisons_by_part": [{"part": WHOLE, **row} for row in compared] if pieces else [],
    }
    for part, piece in pieces.items():
        rows["intervals_by_part"] += [{"part": part, **row} for row in intervals(piece)]
        rows["comparisons_by_part"] += [{"part": part, **row} for row in comparisons(piece, wanted, metrics=BY_PART)]
    return rows


def type_comparisons(found: Recount, wanted: Sequence[Pair], strata: Sequence[str] | None = None) -> Rows:
    """Return a row per pair and type. The Holm correction is over the types of a pair; all rows are exploratory."""
    rows: Rows = []
    for (a, b), compared in subgroups.compare_types(found.counts, wanted, SAMPLES, strata=strata).items():
        shared = {"system_a": a, "system_b": b, "n": len(found.counts[a][0].words)}
        corrected = scoring.holm([result.p_value for result in compared.values()])
        rows += [
            {**shared, "type": name, **result._asdict(), "p_holm": p_holm}
            for (name, result), p_holm in zip(compared.items(), corrected, strict=True)
        ]
    return rows


if __name__ == "__main__":
    run_main(main)
