"""Rules for scores: levels, comparisons, published results, types and other corpora."""

import itertools
import math
from dataclasses import replace
from typing import Literal

import pandas as pd
from pydantic import Field

from bert_ner.scoring import METRICS, holm
from bert_ner.settings import Settings
from claims.evidence import ALPHA, Evidence, Finding, NotMeasuredError, graded, show, with_interval
from claims.fields import Fraction, Metric, Text


class WhichMetric(Settings):
    """Under which metric the system has the paper's score: the one that is meant, another one, or none.

    It has the score if that is in the interval over sentences or in the range of one further run.
    """

    rule: Literal["which_metric"]
    meant: Metric = Field(description="the metric that the paper means")

    def judge(self, evidence: Evidence) -> Finding:
        paper = evidence.paper_number()
        table = evidence.table("intervals", system=evidence.system.name)
        covering, values, notes = {}, {}, []
        for metric in METRICS:
            row = evidence.interval(metric)
            ranges = {"sentences": (row["low"], row["high"])}
            seeds = table[(table["metric"] == metric) & (table["source"] == "seeds")]
            if len(seeds):
                ranges["one further run"] = _one_more_run(seeds.iloc[0])
            values[metric] = row["value"]
            covering[metric] = [name for name, (low, high) in ranges.items() if low <= paper <= high]
            shown = ", ".join(f"{name} {low:.4f} to {high:.4f}" for name, (low, high) in ranges.items())
            inside = f"inside ({' and '.join(covering[metric])})" if covering[metric] else "outside"
            notes.append(f"{metric} {row['value']:.4f} ({shown}): {inside}")
        closest = min(METRICS, key=lambda metric: abs(values[metric] - paper))
        verdict = graded([covering[self.meant], any(covering.values())])
        shown = f"{show(paper)} is closest to {closest}. {'; '.join(notes)}"
        return with_interval(verdict, evidence.interval(self.meant), shown)


def _one_more_run(seeds: pd.Series) -> tuple[float, float]:
    """Return where one further run would land with the interval's level, given the interval of the mean of n runs."""
    half = (seeds["high"] - seeds["low"]) / 2 * math.sqrt(seeds["n"] + 1)
    return seeds["value"] - half, seeds["value"] + half


class ScoreAtLeast(Settings):
    """A score of the system: reproduced if its whole interval is above a value, partly if only its upper end is."""

    rule: Literal["score_at_least"]
    metric: Metric = Field(description="the metric")
    value: Fraction = Field(description="the least score")

    def judge(self, evidence: Evidence) -> Finding:
        row = evidence.interval(self.metric)
        verdict = graded(row[end] >= self.value for end in ("low", "high"))
        shown = f"{self.metric} of {evidence.system.name}; wanted: at least {show(self.value)}"
        return with_interval(verdict, row, shown)


class Outperforms(Settings):
    """The system is better than every baseline under each metric.

    Over sentences, after Holm's correction over all of these comparisons at the level 0.05; and over seeds, whose
    interval has to be above the baseline's score. Partly, if only some are, or only over sentences.
    """

    rule: Literal["outperforms"]
    metrics: list[Metric] = Field(min_length=1, description="the metrics")

    def judge(self, evidence: Evidence) -> Finding:
        system, scores = evidence.system.name, evidence.table("scores")
        baselines = list(dict.fromkeys(scores.loc[scores["encoder"] == "", "system"]))
        if not baselines:
            raise NotMeasuredError("scores.csv has no baseline")
        rows = [
            evidence.table("comparisons", system_a=system, system_b=baseline, metric=metric).iloc[0]
            for baseline, metric in itertools.product(baselines, self.metrics)
        ]
        intervals = evidence.table("intervals", system=system)
        seeds = intervals[intervals["source"] == "seeds"].set_index("metric")
        over_sentences, over_seeds, notes = [], [], []
        for row, p_value in zip(rows, holm([float(row["p_value"]) for row in rows]), strict=True):
            is_better = row["difference"] > 0 and p_value <= ALPHA
            over_sentences.append(is_better)
            gap = f"{row['difference']:+.4f}, {row['low']:+.4f} to {row['high']:+.4f}"
            note = f"{gap} over sentences, Holm p {p_value:.4f}"
            if row["metric"] in seeds.index:
                low, high = (float(seeds.loc[row["metric"], end]) - row["b"] for end in ("low", "high"))
                over_seeds.append(low > 0)
                is_better = is_better and low > 0
                note += f", {low:+.4f} to {high:+.4f} over seeds"
            notes.append(
                f"{row['system_b']}, {row['metric']}: {note} ({'better' if is_better else 'not shown to be better'})"
            )
        verdict = graded([any(over_sentences), all(over_sentences) and all(over_seeds)])
        least = min(rows, key=lambda row: row["difference"])
        return with_interval(verdict, least, "; ".join(notes), "difference")


class BestPublished(Settings):
    """The score compared with the published ones: none higher, none above the interval, or some."""

    rule: Literal["best_published"]
    metric: Metric = Field(description="the metric")

    def judge(self, evidence: Evidence) -> Finding:
        rivals = [
            entry
            for entry in evidence.published
            if entry.test_set == evidence.corpus and entry.comparable and entry.metric == self.metric
        ]
        if not rivals:
            raise NotMeasuredError(f"published.yaml has no comparable {self.metric} on {evidence.corpus}")
        row, best = evidence.interval(self.metric), max(rivals, key=lambda entry: entry.score)
        higher = sum(entry.score > row["value"] for entry in rivals)
        verdict = "reproduced" if not higher else "partly" if row["high"] >= best.score else "not reproduced"
        shown = (
            f"{higher} of {len(rivals)} comparable published systems have a higher {self.metric}; the best is "
            f"{best.system} with {show(best.score)} ({best.source})"
        )
        return with_interval(verdict, row, shown)


class FewPublished(Settings):
    """Few sources report a score on the paper's test set; several sizes of one system are one source."""

    rule: Literal["few_published"]
    at_most: int = Field(ge=0, description="how many are few")

    def judge(self, evidence: Evidence) -> Finding:
        entries = [entry for entry in evidence.published if entry.test_set == evidence.corpus]
        sources = list(dict.fromkeys(entry.source for entry in entries))
        verdict = "reproduced" if len(sources) <= self.at_most else "not reproduced"
        shown = f"published.yaml has {len(sources)} sources with scores on this test set: {'; '.join(sources)}"
        return Finding(verdict, len(sources), f"{shown}; wanted: at most {show(self.at_most)}")


class EveryType(Settings):
    """Every type's F1 is strong by its whole interval over sentences; partly if none is weak by its whole interval."""

    rule: Literal["every_type"]
    strong: Fraction = Field(description="the least F1 of a strong type")
    weak: Fraction = Field(description="a type with a lower F1 is weak")

    def judge(self, evidence: Evidence) -> Finding:
        rows = evidence.groups("type").sort_values("value")
        strong, weak = (rows["low"] >= self.strong).sum(), (rows["high"] < self.weak).sum()
        below = (rows["high"] < self.strong).sum()
        verdict = "reproduced" if strong == len(rows) else "not reproduced" if weak else "partly"
        others = ", ".join(
            f"{row['group']} {row['value']:.4f} ({row['low']:.4f} to {row['high']:.4f}, {row['support']:.0f} entities)"
            for _, row in rows[rows["low"] < self.strong].iterrows()
        )
        shown = (
            f"of {len(rows)} types, by the whole interval over sentences, {strong} have an F1 of {show(self.strong)} "
            f"or more, {below} have less (of these, {weak} below {show(self.weak)}), and "
            f"{len(rows) - strong - below} are undecided{'; not shown to be strong: ' if others else ''}{others}"
        )
        return with_interval(verdict, rows.iloc[0], shown)


class Transfers(Settings):
    """On other corpora the system has a higher score than the CRF, by the whole paired interval over sentences."""

    rule: Literal["transfers"]
    corpora: list[Text] = Field(min_length=1, description="the other corpora")
    metric: Metric = Field(description="the metric")

    def judge(self, evidence: Evidence) -> Finding:
        system = evidence.system.name
        rows = {corpus: self._comparison(replace(evidence, corpus=corpus), system) for corpus in self.corpora}
        verdict = graded(row["low"] > 0 for row in rows.values())
        notes = [
            f"{corpus}: {row['a']:.4f}, crf {row['b']:.4f}, {row['difference']:+.4f} ({row['low']:+.4f} to "
            f"{row['high']:+.4f} over sentences): "
            f"{'above' if row['low'] > 0 else 'below' if row['high'] < 0 else 'not shown to differ'}"
            for corpus, row in rows.items()
        ]
        gains = [float(row["difference"]) for row in rows.values()]
        return Finding(verdict, gains, f"{self.metric}; {'; '.join(notes)}")

    def _comparison(self, evidence: Evidence, system: str) -> pd.Series:
        rows = evidence.rows("comparisons")
        rows = rows[(rows["system_a"] == system) & (rows["system_b"] == "crf") & (rows["metric"] == self.metric)]
        if rows.empty:
            raise NotMeasuredError(f"{evidence.corpus}: comparisons.csv does not compare {system} with the CRF")
        return rows.iloc[0]
