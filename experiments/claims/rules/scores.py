"""Rules for what the systems find in the test set: scores, comparisons, types, errors and examples."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
from pydantic import Field

from bert_ner.scoring import METRICS, holm
from bert_ner.wording import counted
from claims.evidence import ALPHA, EntryError, Evidence, Finding, NotMeasuredError, graded, show, with_interval
from claims.fields import Fraction, Metric, Source, Text


def which_metric(evidence: Evidence, meant: Metric = Field(description="the metric that the paper means")) -> Finding:
    """Find the metrics whose interval over sentences, or whose range of one further run, has the paper's score."""
    paper, rows = evidence.paper_number(), evidence.table("intervals", system=evidence.system.name)
    covering, distance, notes = {}, {}, []
    for metric in METRICS:
        row = evidence.interval(metric)
        ranges = {"sentences": (row["low"], row["high"])}
        for _, seeds in rows[(rows["metric"] == metric) & (rows["source"] == "seeds")].iterrows():
            # The interval is that of the mean of n runs.
            half = (seeds["high"] - seeds["low"]) / 2 * math.sqrt(seeds["n"] + 1)
            ranges["one further run"] = (seeds["value"] - half, seeds["value"] + half)
        covering[metric] = " and ".join(name for name, (low, high) in ranges.items() if low <= paper <= high)
        distance[metric] = abs(row["value"] - paper)
        shown = ", ".join(f"{name} {low:.4f} to {high:.4f}" for name, (low, high) in ranges.items())
        inside = f"inside ({covering[metric]})" if covering[metric] else "outside"
        notes.append(f"{metric} {row['value']:.4f} ({shown}): {inside}")
    verdict = graded([covering[meant], any(covering.values())])
    shown = f"{show(paper)} is closest to {min(distance, key=lambda metric: distance[metric])}. {'; '.join(notes)}"
    return with_interval(verdict, evidence.interval(meant), shown)


def score_at_least(
    evidence: Evidence,
    metric: Metric = Field(description="the metric"),
    value: Fraction = Field(description="the least score"),
) -> Finding:
    """Check a score of the system: reproduced if its whole interval is above a value, partly if its upper end is."""
    row = evidence.interval(metric)
    verdict = graded(row[end] >= value for end in ("low", "high"))
    shown = f"{metric} of {evidence.system.name}; wanted: at least {show(value)}"
    return with_interval(verdict, row, shown)


def outperforms(evidence: Evidence, metrics: list[Metric] = Field(min_length=1, description="the metrics")) -> Finding:
    """Check that the system beats every baseline: over sentences (Holm, level 0.05), and by its interval over seeds."""
    system, scores = evidence.system.name, evidence.table("scores")
    baselines = scores.loc[scores["encoder"] == "", "system"].unique()
    if not len(baselines):
        raise NotMeasuredError("scores.csv has no baseline")
    pairs = itertools.product(baselines, metrics)
    rows = pd.concat(evidence.table("comparisons", system_a=system, system_b=b, metric=m) for b, m in pairs)
    intervals = evidence.table("intervals", system=system).set_index("metric")
    over_seeds = intervals.loc[intervals["source"] == "seeds", ["low", "high"]].add_suffix("_seeds")
    rows = rows.assign(p_holm=holm(rows["p_value"].tolist())).join(over_seeds, on="metric")
    over_sentences = (rows["difference"] > 0) & (rows["p_holm"] <= ALPHA)
    is_better = over_sentences & ~(rows["low_seeds"] <= rows["b"])  # the interval of a single run is absent
    notes = []
    for is_shown, (_, row) in zip(is_better, rows.iterrows(), strict=True):
        gap = f"{row['difference']:+.4f}, {row['low']:+.4f} to {row['high']:+.4f}"
        note = f"{row['system_b']}, {row['metric']}: {gap} over sentences, Holm p {row['p_holm']:.4f}"
        if pd.notna(row["low_seeds"]):
            note += f", {row['low_seeds'] - row['b']:+.4f} to {row['high_seeds'] - row['b']:+.4f} over seeds"
        notes.append(f"{note} ({'better' if is_shown else 'not shown to be better'})")
    verdict = graded([over_sentences.any(), is_better.all()])
    return with_interval(verdict, rows.nsmallest(1, "difference").iloc[0], "; ".join(notes), "difference")


def transfers(
    evidence: Evidence,
    corpora: list[Text] = Field(min_length=1, description="the other corpora"),
    metric: Metric = Field(description="the metric"),
) -> Finding:
    """Check that on other corpora the system is above the CRF, by the whole paired interval over sentences."""
    system = evidence.system.name
    tables = [replace(evidence, corpus=corpus).table("comparisons").assign(corpus=corpus) for corpus in corpora]
    rows = pd.concat(tables)
    rows = rows[(rows["system_a"] == system) & (rows["system_b"] == "crf") & (rows["metric"] == metric)]
    if missing := [corpus for corpus in corpora if corpus not in set(rows["corpus"])]:
        raise NotMeasuredError(f"{', '.join(missing)}: comparisons.csv does not compare {system} with the CRF")
    notes = [
        f"{row['corpus']}: {row['a']:.4f}, crf {row['b']:.4f}, {row['difference']:+.4f} ({row['low']:+.4f} to "
        f"{row['high']:+.4f} over sentences): "
        f"{'above' if row['low'] > 0 else 'below' if row['high'] < 0 else 'not shown to differ'}"
        for _, row in rows.iterrows()
    ]
    return Finding(graded(rows["low"] > 0), rows["difference"].tolist(), f"{metric}; {'; '.join(notes)}")


def best_published(evidence: Evidence, metric: Metric = Field(description="the metric")) -> Finding:
    """Compare the score with the published ones: none higher, none above the interval, or some."""
    entries = [entry for entry in evidence.published if entry.test_set == evidence.corpus]
    rivals = [entry for entry in entries if entry.comparable and entry.metric == metric]
    if not rivals:
        raise NotMeasuredError(f"published.yaml has no comparable {metric} on {evidence.corpus}")
    row, best = evidence.interval(metric), max(rivals, key=lambda entry: entry.score)
    higher = sum(entry.score > row["value"] for entry in rivals)
    verdict = "reproduced" if not higher else "partly" if row["high"] >= best.score else "not reproduced"
    shown = (
        f"{higher} of {len(rivals)} comparable published systems have a higher {metric}; the best is "
        f"{best.system} with {show(best.score)} ({best.source})"
    )
    return with_interval(verdict, row, shown)


def few_published(evidence: Evidence, at_most: int = Field(ge=0, description="how many are few")) -> Finding:
    """Check that few sources report a score on the paper's test set; several sizes of one system are one source."""
    sources = list(dict.fromkeys(entry.source for entry in evidence.published if entry.test_set == evidence.corpus))
    verdict = "reproduced" if len(sources) <= at_most else "not reproduced"
    shown = f"published.yaml has {len(sources)} sources with scores on this test set: {'; '.join(sources)}"
    return Finding(verdict, len(sources), f"{shown}; wanted: at most {show(at_most)}")


def every_type(
    evidence: Evidence,
    strong: Fraction = Field(description="the least F1 of a strong type"),
    weak: Fraction = Field(description="a type with a lower F1 is weak"),
) -> Finding:
    """Check that every type's F1 is strong by its whole interval over sentences; partly if none is weak by its own."""
    rows = evidence.groups("type").sort_values("value")
    others = rows[rows["low"] < strong]
    n_strong, n_below, n_weak = len(rows) - len(others), (rows["high"] < strong).sum(), (rows["high"] < weak).sum()
    verdict = "reproduced" if others.empty else "not reproduced" if n_weak else "partly"
    notes = [
        f"{row['group']} {row['value']:.4f} ({row['low']:.4f} to {row['high']:.4f}, {row['support']:.0f} entities)"
        for _, row in others.iterrows()
    ]
    shown = (
        f"of {counted(len(rows), 'type')}, by the whole interval over sentences, {n_strong} have an F1 of "
        f"{show(strong)} or more, {n_below} have less (of these, {n_weak} below {show(weak)}), and "
        f"{len(others) - n_below} are undecided{'; not shown to be strong: ' if notes else ''}{', '.join(notes)}"
    )
    return with_interval(verdict, rows.iloc[0], shown)


def confused(
    evidence: Evidence,
    types: list[Text] = Field(min_length=2, max_length=2, description="the pair of types"),
    top: int = Field(ge=1, description="the lowest rank that counts"),
) -> Finding:
    """Check that a pair of types is among the most confused: by all of its ranks over resamples, partly by some."""
    pair, rows = " / ".join(sorted(types)), evidence.groups("confusion").sort_values("value")
    first = "; ".join(f"{row['group']} {row['low']:.0f} to {row['high']:.0f}" for _, row in rows[:top].iterrows())
    found = rows[rows["group"] == pair]
    if found.empty:
        return Finding("not reproduced", None, f"{pair} is never confused; ranks of the most confused: {first}")
    row = found.iloc[0]
    shown = (
        f"{pair} has rank {row['value']:.0f} of {len(rows)} confused pairs, {row['low']:.0f} to {row['high']:.0f} "
        f"over resampled sentences; wanted: {show(top)} or better. The first {top}: {first}"
    )
    return with_interval(graded(row[end] <= top for end in ("low", "high")), row, shown)


def lower_recall(
    evidence: Evidence,
    by: Text = Field(description="how entities are grouped: seen, length"),
    hard: Text = Field(description="the group with the lower recall"),
    easy: Text = Field(description="the group with the higher recall"),
    margin: Fraction = Field(description="the least difference"),
) -> Finding:
    """Check that one group is found less often, by the whole interval of the difference; partly if that is above 0."""
    rows = {(row["group"], row["than"]): row for _, row in evidence.groups(by).iterrows()}
    if (easy, hard) not in rows:
        raise EntryError(f"intervals_by_group.csv does not compare {easy} with {hard}", "hard")
    gap = rows[easy, hard]
    notes = [
        f"{row['group']}: {row['value']:.4f} ({row['low']:.4f} to {row['high']:.4f}) of {row['support']:.0f}"
        for row in (rows[hard, ""], rows[easy, ""])
    ]
    shown = f"recall by {by}, {'; '.join(notes)}; measured: the difference, wanted: {show(margin)} or more"
    verdict = "reproduced" if gap["low"] >= margin else "partly" if gap["low"] > 0 else "not reproduced"
    return with_interval(verdict, gap, shown)


def queries(evidence: Evidence, measured: Source = Field(description="the queries as audit.py tagged them")) -> Finding:
    """Check that the types in the paper's queries are in the corpus, and that the system finds the same entities."""
    system, same, notes = evidence.system.name, [], []
    unknown: set[str] = set()
    for query in evidence.value(measured):
        if system not in query["predicted"]:
            raise NotMeasuredError(f"{system} has not tagged '{query['query']}'")
        predicted = query["predicted"][system]
        same.append(predicted == query["paper"])
        unknown.update(name for name, exists in query["types_exist"].items() if not exists)
        gold = f"gold {_entities(query['gold'])}" if query["gold"] is not None else "no gold"
        parts = " and ".join(name.replace("_", " ") for name in ("in_test", "in_train") if query[name])
        notes.append(
            f"'{query['query']}' ({parts or 'in neither part'}; {gold}): paper {_entities(query['paper'])}, "
            f"{system} {_entities(predicted)}"
        )
    missing = f"not types of the corpus: {', '.join(sorted(unknown))}. " if unknown else ""
    verdict = "contradicted" if unknown else graded(same)
    return Finding(verdict, f"{sum(same)} of {len(same)}", f"{missing}{'; '.join(notes)}")


def _entities(entities: Sequence[Sequence[str]]) -> str:
    return ", ".join(f"{name} '{text}'" for name, text in entities) or "none"
