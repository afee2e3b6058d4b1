"""Rules for scores: levels, comparisons, published results, types and domains."""

from __future__ import annotations

import itertools
import math

import pandas as pd

from bert_ner.scoring import METRICS, holm
from claims.evidence import ALPHA, Case, Finding, NotMeasuredError, pretty


def _one_more_run(seeds: pd.Series) -> tuple[float, float]:
    """Where one further run would land with the interval's level, given the interval of the mean of n runs."""
    half = (seeds["high"] - seeds["low"]) / 2 * math.sqrt(seeds["n"] + 1)
    return seeds["value"] - half, seeds["value"] + half


def which_metric(case: Case) -> Finding:
    """Under which metric our system has the paper's score: the one that is meant, another one, or none.

    It has the score if that lies in the interval over sentences or in the range of one further run.
    """
    paper, meant = case.paper_number(), case.judge["meant"]
    table = case.table("intervals.csv", system=case.ours.system)
    covering, rows, notes = {}, {}, {}
    for metric in METRICS:
        rows[metric] = case.interval(metric)
        ranges = {"sentences": (rows[metric]["low"], rows[metric]["high"])}
        seeds = table[(table["metric"] == metric) & (table["source"] == "seeds")]
        if len(seeds):
            ranges["one further run"] = _one_more_run(seeds.iloc[0])
        covering[metric] = [name for name, (low, high) in ranges.items() if low <= paper <= high]
        shown = ", ".join(f"{name} {low:.4f} to {high:.4f}" for name, (low, high) in ranges.items())
        inside = f"inside ({' and '.join(covering[metric])})" if covering[metric] else "outside"
        notes[metric] = f"{metric} {rows[metric]['value']:.4f} ({shown}): {inside}"
    closest = min(METRICS, key=lambda metric: abs(rows[metric]["value"] - paper))
    verdict = "reproduced" if covering[meant] else "partly" if any(covering.values()) else "not reproduced"
    evidence = f"{pretty(paper)} is closest to {closest}. {'; '.join(notes.values())}"
    row = rows[meant]
    return Finding(verdict, float(row["value"]), evidence, float(row["low"]), float(row["high"]))


def score_at_least(case: Case) -> Finding:
    """A score of our system: reproduced if its whole interval is above a value, partly if only its upper end is."""
    row, value = case.interval(case.judge["metric"]), case.judge["value"]
    verdict = "reproduced" if row["low"] >= value else "partly" if row["high"] >= value else "not reproduced"
    evidence = f"{case.judge['metric']} of {case.ours.system}; wanted: at least {pretty(value)}"
    return Finding(verdict, float(row["value"]), evidence, float(row["low"]), float(row["high"]))


def outperforms(case: Case) -> Finding:
    """Our system is better than every baseline under each metric.

    Over sentences, after Holm's correction over all of these comparisons at the level 0.05; and over seeds, whose
    interval has to be above the baseline's score. Partly, if only some are, or only over sentences.
    """
    scores = case.table("scores.csv")
    baselines = list(dict.fromkeys(scores.loc[scores["encoder"] == "", "system"]))
    if not baselines:
        raise NotMeasuredError("scores.csv has no baseline")
    rows = [
        case.table("comparisons.csv", system_a=case.ours.system, system_b=baseline, metric=metric).iloc[0]
        for baseline, metric in itertools.product(baselines, case.judge["metrics"])
    ]
    intervals = case.table("intervals.csv", system=case.ours.system)
    seeds = intervals[intervals["source"] == "seeds"].set_index("metric")
    over_sentences, over_seeds, notes = [], [], []
    for row, p_value in zip(rows, holm([float(row["p_value"]) for row in rows]), strict=True):
        over_sentences.append(row["difference"] > 0 and p_value <= ALPHA)
        note = f"{row['difference']:+.4f}, {row['low']:+.4f} to {row['high']:+.4f} over sentences, Holm p {p_value:.4f}"
        if row["metric"] in seeds.index:
            low, high = (float(seeds.loc[row["metric"], end]) - row["b"] for end in ("low", "high"))
            over_seeds.append(low > 0)
            note += f", {low:+.4f} to {high:+.4f} over seeds"
        is_better = over_sentences[-1] and (row["metric"] not in seeds.index or over_seeds[-1])
        notes.append(
            f"{row['system_b']}, {row['metric']}: {note} ({'better' if is_better else 'not shown to be better'})"
        )
    verdict = "not reproduced"
    if any(over_sentences):
        verdict = "reproduced" if all(over_sentences) and all(over_seeds) else "partly"
    least = min(rows, key=lambda row: row["difference"])
    return Finding(verdict, float(least["difference"]), "; ".join(notes), float(least["low"]), float(least["high"]))


def best_published(case: Case) -> Finding:
    """Our score against the published ones that are comparable: none higher, none above the interval, or some."""
    metric = case.judge["metric"]
    on_corpus = [entry for entry in case.evidence.published if entry["test_set"] == case.evidence.corpus]
    rivals = [entry for entry in on_corpus if entry["comparable"] and entry["metric"] == metric]
    if not rivals:
        raise NotMeasuredError(f"published.yaml has no comparable {metric} on {case.evidence.corpus}")
    row, best = case.interval(metric), max(rivals, key=lambda entry: entry["score"])
    higher = sum(entry["score"] > row["value"] for entry in rivals)
    verdict = "reproduced" if not higher else "partly" if row["high"] >= best["score"] else "not reproduced"
    evidence = (
        f"{higher} of {len(rivals)} comparable published systems have a higher {metric}; the best is {best['system']} "
        f"with {pretty(best['score'])} ({best['source']})"
    )
    return Finding(verdict, float(row["value"]), evidence, float(row["low"]), float(row["high"]))


def few_published(case: Case) -> Finding:
    """How many sources report a score on the paper's test set; several sizes of one system are one."""
    of_test = [entry for entry in case.evidence.published if entry["test_set"] == case.evidence.corpus]
    sources = list(dict.fromkeys(entry["source"] for entry in of_test))
    verdict = "reproduced" if len(sources) <= case.judge["at_most"] else "not reproduced"
    evidence = f"published.yaml has {len(sources)} sources with scores on this test set: {'; '.join(sources)}"
    return Finding(verdict, len(sources), f"{evidence}; wanted: at most {pretty(case.judge['at_most'])}")


def every_type(case: Case) -> Finding:
    """Every type's F1 is strong by its whole interval over sentences; partly if none is surely weak."""
    judge = case.judge
    rows = case.groups("type").sort_values("value")
    strong, weak = rows[rows["low"] >= judge["strong"]], rows[rows["high"] < judge["weak"]]
    below = rows[rows["high"] < judge["strong"]]
    verdict = "reproduced" if len(strong) == len(rows) else "not reproduced" if len(weak) else "partly"
    shown = ", ".join(
        f"{row['group']} {row['value']:.4f} ({row['low']:.4f} to {row['high']:.4f}, {row['support']:.0f} entities)"
        for _, row in rows[rows["low"] < judge["strong"]].iterrows()
    )
    evidence = (
        f"of {len(rows)} types, F1 is surely {pretty(judge['strong'])} or more for {len(strong)}, surely less for "
        f"{len(below)}, of which {len(weak)} surely below {pretty(judge['weak'])}, and open for "
        f"{len(rows) - len(strong) - len(below)}; surely: by the whole interval over sentences"
    )
    least = rows.iloc[0]
    return Finding(
        verdict, float(least["value"]), f"{evidence}{'; not surely so: ' if shown else ''}{shown}",
        float(least["low"]), float(least["high"]),
    )  # fmt: skip


def transfers(case: Case) -> Finding:
    """On other corpora our system has a higher score than the CRF has, by the whole paired interval over sentences."""
    metric, ahead, gains, notes = case.judge["metric"], [], [], []
    for corpus in case.judge["corpora"]:
        try:
            rows = case.evidence.on(corpus).file("comparisons.csv", case.at())
        except NotMeasuredError as reason:
            raise NotMeasuredError(f"{corpus}: {reason}") from None
        rows = rows[(rows["system_a"] == case.ours.system) & (rows["system_b"] == "crf") & (rows["metric"] == metric)]
        if rows.empty:
            raise NotMeasuredError(f"{corpus}: comparisons.csv does not set {case.ours.system} beside the CRF")
        row = rows.iloc[0]
        gains.append(float(row["difference"]))
        ahead.append(row["low"] > 0)
        judged = "above" if row["low"] > 0 else "below" if row["high"] < 0 else "not shown to differ"
        notes.append(
            f"{corpus}: {row['a']:.4f}, crf {row['b']:.4f}, {row['difference']:+.4f} ({row['low']:+.4f} to "
            f"{row['high']:+.4f} over sentences): {judged}"
        )
    verdict = "reproduced" if all(ahead) else "partly" if any(ahead) else "not reproduced"
    return Finding(verdict, gains, f"{metric}; {'; '.join(notes)}")
