"""Rules for what the systems find in the test set: scores, comparisons, types, errors and examples."""

import math
from collections.abc import Sequence

from harness.tables import table_path, table_remedy

import pandas as pd
from pydantic import Field

from bert_ner.errors import BertNerError
from bert_ner.scoring import METRICS, Interval
from bert_ner.scoring.resampling import SAMPLES, p_text
from bert_ner.scoring.student import t_quantile
from bert_ner.wording import counted
from claims.evidence import (
    ALPHA,
    EntryError,
    Evidence,
    Finding,
    NotMeasuredError,
    further_runs,
    graded,
    show,
    with_ends,
    with_interval,
)
from claims.fields import Fraction, Metric, Source, Text

FEWEST = 10  # entities of a type or a part for which a difference is shown
STRATA = ("type", "part", "type and part")
RANGES = {
    "inside": "the paper's figure is in this range",
    "above": "the paper's figure is below this range, so a further run would score higher",
    "below": "the paper's figure is above this range",
}
QUERY_FILES = {"in_test": "a test sentence", "in_train": "in the training file"}


def one_further_run(
    evidence: Evidence, metric: Metric = Field(description="the metric that the paper means")
) -> Finding:
    """Check that one further run of the system may well have the paper's score; partly if it would have a higher one.

    Two results on the same test set differ by seed and training, not by the sampling of sentences. So the range of one
    further run decides. The evidence names the other metrics by which it may have the score.
    """
    paper, system = evidence.paper_number(), evidence.system.name
    found = further_runs(evidence.table("intervals", system=system), system)
    if not found:
        raise NotMeasuredError(f"the range of one further run takes two runs or more of {system}")
    places = {
        name: "below" if run.high < paper else "above" if run.low > paper else "inside" for name, run in found.items()
    }
    verdict = {"inside": "reproduced", "above": "partly", "below": "not reproduced"}[places[metric]]
    others = [name for name in METRICS if name in found and name != metric]
    fit = [name for name in others if places[name] == "inside"]
    shown = (
        f"{metric} of one further run is {_range(found[metric])}: {RANGES[places[metric]]}. The figure is inside the "
        f"range of {', '.join(fit) or 'no other metric'}; the others have "
        f"{'; '.join(f'{name} {_range(found[name])}' for name in others if name not in fit)}"
    )
    return Finding(
        verdict, found[metric].value, shown + evidence.by_part(metric), found[metric].low, found[metric].high
    )


def _range(run: Interval) -> str:
    return f"{run.low:.4f} to {run.high:.4f}"


def score_at_least(
    evidence: Evidence,
    metric: Metric = Field(description="the metric"),
    value: Fraction = Field(description="the least score"),
) -> Finding:
    """Check a score of the system: reproduced if its whole interval is above a value, partly if its upper end is."""
    row = evidence.interval(metric)
    verdict = graded(row[end] >= value for end in ("low", "high"))
    shown = f"{metric} of {evidence.system.name}; wanted: at least {show(value)}{evidence.by_part(metric, value)}"
    return with_interval(verdict, row, shown)


def outperforms(evidence: Evidence, metrics: list[Metric] = Field(min_length=1, description="the metrics")) -> Finding:
    """Check that the system beats every baseline: over sentences (Holm, level 0.05), and over the seeds of both.

    The baselines are those of the confirmatory tests in params.yaml. Over seeds, Welch's interval decides.
    """
    system, scores = evidence.system.name, evidence.table("scores")
    if (scores["encoder"] != "").all():
        raise NotMeasuredError("scores.csv has no baseline")
    rows = evidence.table("comparisons", system_a=system, metric="|".join(metrics))
    rows = rows[rows["family"] == "confirmatory"].reset_index(drop=True)
    if rows.empty:
        raise NotMeasuredError(f"comparisons.csv has no confirmatory test of {system}")
    if gone := set(rows["system_b"]) - set(scores["system"]):
        path, names = table_path(evidence.results, evidence.corpus, "comparisons"), ", ".join(sorted(gone))
        remedy = table_remedy("comparisons", evidence.corpus)
        raise BertNerError(f"{path} compares with {names}, which scores.csv does not have; {remedy}")
    runs = scores.groupby("system")
    over_seeds = [_welch(*(runs.get_group(name)[row["metric"]] for name in (system, row["system_b"])))
                  for _, row in rows.iterrows()]  # fmt: skip
    over_sentences = (rows["difference"] > 0) & (rows["p_holm"] <= ALPHA)
    is_better = over_sentences & pd.Series([found is None or found.low > 0 for found in over_seeds])
    notes = []
    for is_shown, interval, (_, row) in zip(is_better, over_seeds, rows.iterrows(), strict=True):
        gap = f"{row['difference']:+.4f} ({row['low']:+.4f} to {row['high']:+.4f} over sentences"
        p = p_text(row["p_value"], SAMPLES, row["p_holm"])
        note = f"{row['system_b']}, {row['metric']}: {gap}, p {p}, corrected"
        note += f", {interval.low:+.4f} to {interval.high:+.4f} over seeds" if interval else ""
        notes.append(f"{note}): {'better' if is_shown else 'not shown to be better'}")
    verdict = graded([over_sentences.any(), is_better.all()])
    shown = f"{is_better.sum()} of {len(rows)} tests show it: {'; '.join(notes)}"
    shown += "".join(map(evidence.gaps_by_part, metrics))
    return with_interval(verdict, rows.nsmallest(1, "difference").iloc[0], shown, "difference")


def _welch(a: pd.Series, b: pd.Series) -> Interval | None:
    """Return Welch's interval of the difference of two systems' means over their runs; none without two runs of one.

    A single run of a system that has no seed varies with nothing. Source: Welch, Biometrika 1947.
    """
    several = [runs for runs in (a, b) if len(runs) > 1]
    if not several:
        return None
    difference = float(a.mean() - b.mean())
    variances = [float(runs.var()) / len(runs) for runs in several]  # of the means
    total = sum(variances)
    if not 0 < total < math.inf:  # NaN: an infinite score
        return Interval(difference, difference, difference)
    weights = [variance**2 / (len(runs) - 1) for runs, variance in zip(several, variances, strict=True)]
    half = t_quantile(1 - ALPHA / 2, math.floor(total**2 / sum(weights))) * math.sqrt(total)
    return Interval(difference, difference - half, difference + half)


def best_published(evidence: Evidence, metric: Metric = Field(description="the metric")) -> Finding:
    """Compare the score with the published ones: none higher, none above the interval, or some.

    A score that is not comparable decides nothing, but one that is higher leaves the verdict at partly.
    """
    entries = [entry for entry in evidence.published if entry.test_set == evidence.corpus and entry.metric == metric]
    rivals, others = ([e for e in entries if e.comparable is wanted] for wanted in (True, False))
    if not rivals:
        raise NotMeasuredError(f"published.yaml has no comparable {metric} on {evidence.corpus}")
    row, best = evidence.interval(metric), max(rivals, key=lambda entry: entry.score)
    higher, unlike = ([e for e in those if e.score > row["value"]] for those in (rivals, others))
    verdict = "not reproduced" if best.score > row["high"] else "partly" if higher or unlike else "reproduced"
    shown = (
        f"{len(higher)} of {len(rivals)} comparable published systems have a higher {metric}, "
        f"{sum(entry.score > row['high'] for entry in rivals)} above its interval; the best is {best.system} with "
        f"{show(best.score)} ({best.source})"
    )
    listed = "; ".join(f"{entry.system} {show(entry.score)} ({entry.reason})" for entry in unlike)
    return with_interval(verdict, row, f"{shown}. Higher, but not comparable: {listed or 'none'}")


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
        f"{row['group']} {row['value']:.4f} ({_spread(row)}, {row['support']:.0f} entities)"
        for _, row in others.iterrows()
    ]
    shown = (
        f"of {counted(len(rows), 'type')}, by the whole interval over sentences, {n_strong} have an F1 of "
        f"{show(strong)} or more, {n_below} have less (of these, {n_weak} below {show(weak)}), and "
        f"{len(others) - n_below} are undecided{'; not shown to be strong: ' if notes else ''}{', '.join(notes)}"
    )
    for part, types in evidence.groups_by_part("type").items():
        held = types[types["support"] >= FEWEST]
        strong_here = f"{(held['low'] >= strong).sum()} of {len(held)} with {FEWEST} entities or more"
        shown += f". In {part}, {strong_here} are shown to have it"
    weakest = rows.iloc[0]
    return with_interval(verdict, weakest, shown) if weakest["value"] > 0 else Finding(verdict, 0.0, shown)


def _spread(row: pd.Series) -> str:
    """Return the interval of an F1; where nothing was found, no resample has more, so an exact bound takes its place.

    It is the recall with which finding none of n has a probability of 0.05.
    """
    if row["value"] > 0:
        return f"{row['low']:.4f} to {row['high']:.4f}"
    return f"none found, which allows a recall of up to {1 - ALPHA ** (1 / row['support']):.3f}, exact and one-sided"


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
    for part, ranks in evidence.groups_by_part("confusion").items():
        in_part = [f"{rank['low']:.0f} to {rank['high']:.0f}" for _, rank in ranks[ranks["group"] == pair].iterrows()]
        shown += f". In {part}, {in_part[0] if in_part else 'none'}"
    return with_interval(graded(row[end] <= top for end in ("low", "high")), row, shown)


def lower_recall(
    evidence: Evidence,
    by: Text = Field(description="how entities are grouped: seen, length"),
    hard: Text = Field(description="the group with the lower recall"),
    easy: Text = Field(description="the group with the higher recall"),
    margin: Fraction = Field(description="the least difference"),
    named: list[Text] = Field([], description="types that the paper names; the evidence says of which it is shown"),
) -> Finding:
    """Check that one group is found less often, by the whole intervals of the difference, over all and within strata.

    Strata are types and, if the corpus has parts, parts and both. The groups differ in them, and a stratum may be
    harder whatever the group. Reproduced if every interval is at the margin or above, partly if every one is above 0.
    """
    groups = _by_group(evidence, by)
    if (easy, hard) not in groups:
        raise EntryError(f"intervals_by_group.csv does not compare {easy} with {hard}", "hard")
    within = {kind: _by_group(evidence, f"{by} within {kind}") for kind in STRATA}
    if (easy, hard) not in within["type"]:
        raise NotMeasuredError(f"intervals_by_group.csv does not compare {easy} with {hard} within types")
    pooled = {kind: rows[easy, hard] for kind, rows in within.items() if (easy, hard) in rows}
    notes = [
        f"{row['group']}: {with_ends(row)} of {row['support']:.0f}" for row in (groups[hard, ""], groups[easy, ""])
    ]
    gaps = [f"{with_ends(groups[easy, hard])} over all", *(f"{with_ends(row)} within {k}" for k, row in pooled.items())]
    types, parts = (
        {group.removesuffix(f": {easy}"): row for (group, _), row in within[kind].items() if group != easy}
        for kind in ("type", "part")
    )
    shown = (
        f"recall by {by}, {'; '.join(notes)}. Its difference is {', '.join(gaps)}; wanted of each: {show(margin)} or "
        f"more. By type, with the number of {hard} entities, of {FEWEST} or more: {_listed(types)}"
    )
    shown += f". By part: {_listed(parts)}" if parts else ""
    enough = {name: row for name, row in (types | parts).items() if row["support"] >= FEWEST}
    there = [name for name, row in enough.items() if margin <= row["low"] < row["high"]]
    shown += f". It is shown, without correction, of {', '.join(there) or 'none of these'}"
    if reverse := [name for name, row in enough.items() if row["high"] < 0]:
        shown += f", the reverse of {', '.join(reverse)}"
    if unknown := [name for name in named if name not in types]:
        complaint = f"recall by {by} is not measured of type {unknown[0]}, but of {', '.join(types)}"
        raise EntryError(complaint, unknown[0])
    named_notes = [f"{name} {'shown' if types[name]['low'] >= margin else 'not shown'}" for name in named]
    shown += f". Of the types that the paper names: {', '.join(named_notes)}" if named else ""
    lowest = min(row["low"] for row in (groups[easy, hard], *pooled.values()))
    verdict = "reproduced" if lowest >= margin else "partly" if lowest > 0 else "not reproduced"
    return with_interval(verdict, list(pooled.values())[-1], shown)


def _by_group(evidence: Evidence, by: str) -> dict[tuple[str, str], pd.Series]:
    """Return the rows of one grouping: (group, "") has its recall, (a, b) that of a minus b's."""
    return {(row["group"], row["than"]): row for _, row in evidence.groups(by).iterrows()}


def _listed(rows: dict[str, pd.Series]) -> str:
    return ", ".join(
        f"{name} {with_ends(row, sign='+', more=f'; {_entities_of(row)}')}"
        for name, row in rows.items()
        if row["low"] < row["high"] and row["support"] >= FEWEST  # the interval of few entities is too narrow
    )


def _entities_of(row: pd.Series) -> str:
    return counted(int(row["support"]), "entity", "entities")


def queries(evidence: Evidence, measured: Source = Field(description="the queries as audit.py tagged them")) -> Finding:
    """Check that the types in the paper's queries are in the corpus, and that the system finds the same entities."""
    system, same, notes = evidence.system.name, [], []
    unknown: set[str] = set()
    tagged = evidence.value(measured)
    if not (isinstance(tagged, list) and all(isinstance(query, dict) and "predicted" in query for query in tagged)):
        raise EntryError(f"{measured} is not a list of queries as audit.py tagged them", measured)
    for query in tagged:
        if system not in query["predicted"]:
            raise NotMeasuredError(f"{system} has not tagged '{query['query']}'")
        predicted = query["predicted"][system]
        same.append(predicted == query["paper"])
        unknown.update(name for name, exists in query["types_exist"].items() if not exists)
        gold = f"gold {_entities(query['gold'])}" if query["gold"] is not None else "no gold"
        parts = " and ".join(text for name, text in QUERY_FILES.items() if query[name])
        notes.append(
            f"'{query['query']}' ({parts or 'in neither file'}; {gold}): paper {_entities(query['paper'])}, "
            f"{system} {_entities(predicted)}"
        )
    missing = f"not types of the corpus: {', '.join(sorted(unknown))}. " if unknown else ""
    verdict = "contradicted" if unknown else graded(same)
    return Finding(verdict, f"{sum(same)} of {len(same)}", f"{missing}{'; '.join(notes)}")


def _entities(entities: Sequence[Sequence[str]]) -> str:
    return ", ".join(f"{name} '{text}'" for name, text in entities) or "none"
