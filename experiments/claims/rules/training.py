"""Rules for training: recipes, losses, and studies with one thing changed."""

import math
from typing import Any, Literal

import pandas as pd
from pydantic import Field

from bert_ner.scoring import UnlikeScores, check_same_signature, seed_interval
from bert_ner.settings import Settings
from claims.evidence import Evidence, Finding, NotMeasuredError, graded, show
from claims.fields import Fraction, Text

_STUDY = "the name of the study in studies.csv"


class Recipe(Settings):
    """The system was trained with these settings."""

    rule: Literal["recipe"]
    settings: dict[str, Any] = Field(min_length=1, description="settings with their values")

    def judge(self, evidence: Evidence) -> Finding:
        system = evidence.system.name
        runs = evidence.facts("provenance.json").get(evidence.corpus, {}).get("runs", {})
        trained = [run["settings"] for run in runs.values() if run["system"] == system]
        if not trained:
            raise NotMeasuredError(f"provenance.json has no run of {system}")
        for name in self.settings:
            if name not in trained[0]:
                place = evidence.key("settings").at(name)
                raise place.error(f"the runs have no setting '{name}'; they have {', '.join(trained[0])}")
        same = [name for name, value in self.settings.items() if all(run[name] == value for run in trained)]
        other = {name: trained[0][name] for name in self.settings if name not in same}
        shown = f"{len(trained)} runs trained with the paper's {', '.join(same) or 'none'}"
        if other:
            shown += f"; different: {', '.join(f'{name} {show(value)}' for name, value in other.items())}"
        verdict = graded(name in same for name in self.settings)
        return Finding(verdict, f"{len(same)} of {len(self.settings)}", shown)


def _losses(evidence: Evidence) -> pd.DataFrame:
    """Return training losses: a row per seed, a column per epoch."""
    rows = evidence.table("history", system=evidence.system.name)
    return rows.pivot_table(index="seed", columns="epoch", values="train_loss")


class Losses(Settings):
    """The mean training loss of each epoch is the paper's."""

    rule: Literal["losses"]
    tolerance: float = Field(ge=0, description="how far the losses may be apart")

    def judge(self, evidence: Evidence) -> Finding:
        losses, paper = _losses(evidence), evidence.paper_value
        paper = paper if isinstance(paper, list) else [paper]
        if len(losses.columns) < len(paper):
            raise NotMeasuredError(f"history.csv has {len(losses.columns)} epochs; the claim is about {len(paper)}")
        epochs = [losses[epoch] for epoch in losses.columns[: len(paper)]]
        means = [float(epoch.mean()) for epoch in epochs]
        close = [abs(a - b) <= self.tolerance for a, b in zip(means, paper, strict=True)]
        spread = ", ".join(f"{epoch.min():.3f} to {epoch.max():.3f}" for epoch in epochs)
        shown = f"{sum(close)} of {len(paper)} epochs within {show(self.tolerance)}; over {len(losses)} seeds {spread}"
        return Finding(graded(close), means, shown)


class Reduction(Settings):
    """The training loss falls by the paper's fraction from the first epoch to the last; the mean over seeds."""

    rule: Literal["reduction"]
    tolerance: float = Field(ge=0, description="how far the fractions may be apart")

    def judge(self, evidence: Evidence) -> Finding:
        losses = _losses(evidence)
        falls = 1 - losses[losses.columns[-1]] / losses[losses.columns[0]]
        mean, low, high = float(falls.mean()), float(falls.min()), float(falls.max())
        is_close = abs(mean - evidence.paper_number()) <= self.tolerance
        shown = (
            f"loss falls by {show(mean)} over {len(losses.columns)} epochs; low and high are the least and the most of "
            f"{len(falls)} seeds"
        )
        return Finding("reproduced" if is_close else "not reproduced", mean, shown, low, high)


class Converged(Settings):
    """Trained longer, as a study did, the system hardly has a better validation loss or F1 at its end."""

    rule: Literal["converged"]
    study: Text = Field(description=_STUDY)
    margin: float = Field(ge=0, description="a gain in F1 that counts as none")
    loss_margin: float = Field(ge=0, description="a fall of the loss that counts as none")

    def judge(self, evidence: Evidence) -> Finding:
        usual = _last_epochs(evidence.table("history", system=evidence.system.name))
        longer = _last_epochs(_study(evidence, self.study))
        seeds = usual.index.intersection(longer.index)
        if seeds.empty:
            raise NotMeasuredError(f"study {self.study} shares no seed with history.csv")
        gain = float((longer.loc[seeds, "validation_entity_f1"] - usual.loc[seeds, "validation_entity_f1"]).mean())
        fall = float((usual.loc[seeds, "validation_loss"] - longer.loc[seeds, "validation_loss"]).mean())
        verdict = graded([gain <= self.margin, fall <= self.loss_margin])
        shown = (
            f"with {longer['epoch'].max():.0f} epochs instead of {usual['epoch'].max():.0f}, validation entity F1 "
            f"gains {show(gain)} and validation loss falls by {show(fall)} (less than 0: it rises); mean of "
            f"{len(seeds)} seed(s)"
        )
        return Finding(verdict, gain, shown)


def _study(evidence: Evidence, study: str) -> pd.DataFrame:
    """Return the rows of one study of the system."""
    return evidence.table("studies", study=study, system=evidence.system.name)


def _last_epochs(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sort_values("epoch").groupby("seed").last()


def _tested(evidence: Evidence, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of studies that have a test entity F1 of the same kind as those of scores.csv."""
    tested = rows.dropna(subset="test_entity_f1")
    if tested.empty:
        raise NotMeasuredError("studies.csv has no test scores of this study yet")
    usual = evidence.table("scores")["signature"].iloc[0]
    for signature in tested["signature"].unique():
        try:
            check_same_signature(usual, signature)
        except UnlikeScores as error:
            raise NotMeasuredError(f"studies.csv has other scores than scores.csv: {error}") from None
    return tested


def _mean_f1(evidence: Evidence) -> dict[str, float]:
    """Return each system's entity F1 with all training sentences, the mean over seeds."""
    by_system = evidence.table("scores").groupby("system")["entity_f1"].mean()
    return {str(system): float(f1) for system, f1 in by_system.items()}


class Ablation(Settings):
    """Leaving out each thing costs entity F1, compared with the full recipe and the same seeds."""

    rule: Literal["ablation"]
    studies: list[Text] = Field(min_length=1, description="studies, each with one thing left out")
    margin: float = Field(ge=0, description="the least loss of entity F1")

    def judge(self, evidence: Evidence) -> Finding:
        full = evidence.table("scores", system=evidence.system.name).set_index("seed")["entity_f1"]
        costs, notes = [], []
        for study in self.studies:
            without = _tested(evidence, _study(evidence, study)).groupby("seed")["test_entity_f1"].mean()
            common = [seed for seed in without.index if seed in full.index]
            if not common:
                raise NotMeasuredError(f"study {study} shares no seed with scores.csv")
            cost = full.loc[common] - without.loc[common]
            costs.append(float(cost.mean()))
            notes.append(f"{study}: {show(costs[-1])} (seeds: {', '.join(show(float(c)) for c in cost)})")
        verdict = graded(cost >= self.margin for cost in costs)
        shown = f"entity F1 lost without it, wanted: {show(self.margin)} or more. {'; '.join(notes)}"
        return Finding(verdict, costs, shown)


class Saturates(Settings):
    """The last step of the learning curve gains next to nothing; partly if it gains more but the CRF is worse."""

    rule: Literal["saturates"]
    study: Text = Field(description=_STUDY)
    fraction: Fraction = Field(description="the fraction of the sentences before the last step")
    margin: float = Field(ge=0, description="a gain in entity F1 that counts as none")

    def judge(self, evidence: Evidence) -> Finding:
        system, full, rows = evidence.system, _mean_f1(evidence), evidence.table("studies", study=self.study)
        curves = {}
        for name in (system.name, "crf"):
            of_system = rows[(rows["system"] == name) & rows["encoder"].isin(["", system.encoder])]
            curves[name] = dict(_tested(evidence, of_system).groupby("fraction")["test_entity_f1"].mean())
        if self.fraction not in curves[system.name]:
            raise NotMeasuredError(f"studies.csv has no run on a fraction of {self.fraction} yet")
        gain = full[system.name] - curves[system.name][self.fraction]
        is_ahead = full[system.name] > full.get("crf", math.inf)
        verdict = "reproduced" if gain <= self.margin else "partly" if is_ahead else "not reproduced"
        shown = "; ".join(
            f"{name}: {', '.join(f'{fraction:g} {show(f1)}' for fraction, f1 in curve.items())}, 1 {show(full[name])}"
            for name, curve in curves.items()
            if name in full
        )
        step = f"from {self.fraction:g} to all of the sentences entity F1 gains {show(gain)}"
        return Finding(verdict, gain, f"{step}; entity F1 by fraction, {shown}")


class FewShot(Settings):
    """With few sentences of each type, the system has a share of the entity F1 that all sentences give.

    Reproduced if the whole interval of the mean over draws is at or above the share, partly if its upper end is.
    """

    rule: Literal["few_shot"]
    study: Text = Field(description=_STUDY)
    per_type: int = Field(ge=1, description="sentences of each type")
    share: Fraction = Field(description="the least share")

    def judge(self, evidence: Evidence) -> Finding:
        system, full = evidence.system.name, _mean_f1(evidence)
        rows = _tested(evidence, evidence.table("studies", study=self.study))
        draws = rows[(rows["system"] == system) & (rows["per_type"] == self.per_type)]["test_entity_f1"]
        if len(draws) < 2:
            raise NotMeasuredError(
                f"studies.csv has {len(draws)} draws of {self.per_type} sentences a type for {system}; an interval "
                "needs two"
            )
        value, low, high = (end / full[system] for end in seed_interval(draws.tolist()))
        verdict = graded([low >= self.share, high >= self.share])
        curves = []
        for name, group in rows.groupby("system", sort=False):
            means = group.groupby("per_type")["test_entity_f1"].mean().items()
            curve = ", ".join(f"{size:g} {show(float(f1))}" for size, f1 in means)
            curves.append(f"{name}: {curve}" + (f", all {show(full[str(name)])}" if name in full else ""))
        shown = (
            f"{show(value)} of the entity F1 that all sentences give, with {self.per_type} of each type, over "
            f"{len(draws)} draws; wanted: {show(self.share)}. Entity F1 by sentences of each type, {'; '.join(curves)}"
        )
        return Finding(verdict, value, shown, low, high)
