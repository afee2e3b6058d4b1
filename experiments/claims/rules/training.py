"""Rules for training: recipes, losses, and studies with one thing changed."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from harness.params import REFERENCE

import pandas as pd
from pydantic import Field

from bert_ner.scoring import Interval, UnlikeScores, check_same_signature, seed_interval
from bert_ner.wording import counted
from claims.evidence import EntryError, Evidence, Finding, NotMeasuredError, graded, show
from claims.fields import Fraction, Text, as_list, is_number

_STUDY = "the name of the study in studies.csv"


def recipe(evidence: Evidence, settings: dict[str, Any] = Field(min_length=1, description="the settings")) -> Finding:
    """Check that the system was trained with these settings."""
    runs = evidence.facts("provenance.json").get(evidence.corpus, {}).get("runs", {})
    trained = [run["settings"] for run in runs.values() if run["system"] == evidence.system.name]
    if not trained:
        raise NotMeasuredError(f"provenance.json has no run of {evidence.system.name}")
    if unknown := [name for name in settings if name not in trained[0]]:
        raise EntryError(f"the runs have no setting '{unknown[0]}'; they have {', '.join(trained[0])}", unknown[0])
    same = [name for name, value in settings.items() if all(run[name] == value for run in trained)]
    other = [f"{name} {show(trained[0][name])}" for name in settings if name not in same]
    shown = f"{counted(len(trained), 'run')} trained with the paper's {', '.join(same) or 'none'}"
    shown += f"; different: {', '.join(other)}" if other else ""
    return Finding(graded(name in same for name in settings), f"{len(same)} of {len(settings)}", shown)


def losses(evidence: Evidence, tolerance: float = Field(ge=0, description="how far they may be apart")) -> Finding:
    """Check that the mean training loss of each epoch is the paper's."""
    found, paper = _losses(evidence), as_list(evidence.paper_value)
    if not all(map(is_number, paper)):
        raise EntryError("this rule needs a number for each epoch as paper_value", "paper_value")
    if len(found.columns) < len(paper):
        raise NotMeasuredError(
            f"history.csv has {counted(len(found.columns), 'epoch')}; the claim is about {len(paper)}"
        )
    epochs = [found[epoch] for epoch in found.columns[: len(paper)]]
    means = [epoch.mean() for epoch in epochs]
    close = [abs(a - b) <= tolerance for a, b in zip(means, paper, strict=True)]
    spread = ", ".join(f"{epoch.min():.3f} to {epoch.max():.3f}" for epoch in epochs)
    share = f"{sum(close)} of {counted(len(paper), 'epoch')}"
    shown = f"{share} within {show(tolerance)}; over {counted(len(found), 'seed')} {spread}"
    return Finding(graded(close), means, shown)


def reduction(evidence: Evidence, tolerance: float = Field(ge=0, description="how far they may be apart")) -> Finding:
    """Check that the training loss falls by the paper's fraction over all epochs; the mean over seeds."""
    found = _losses(evidence)
    falls = 1 - found[found.columns[-1]] / found[found.columns[0]]
    mean, low, high = falls.mean(), falls.min(), falls.max()
    verdict = "reproduced" if abs(mean - evidence.paper_number()) <= tolerance else "not reproduced"
    shown = (
        f"loss falls by {show(mean)} over {counted(len(found.columns), 'epoch')}, wanted: "
        f"{show(evidence.paper_number())} ± {show(tolerance)}; low and high are the least and the most of "
        f"{counted(len(falls), 'seed')}"
    )
    return Finding(verdict, mean, shown, low, high)


def _losses(evidence: Evidence) -> pd.DataFrame:
    """Return training losses: a row per seed, a column per epoch."""
    rows = evidence.table("history", system=evidence.system.name)
    return rows.pivot_table(index="seed", columns="epoch", values="train_loss")


def converged(
    evidence: Evidence,
    study: Text = Field(description=_STUDY),
    margin: float = Field(ge=0, description="a gain in F1 that counts as none"),
    loss_margin: float = Field(ge=0, description="a fall of the loss that counts as none"),
) -> Finding:
    """Check that trained longer, as a study did, the system hardly has a better validation loss or F1, over seeds.

    It is reproduced if the whole intervals of both say so, and not reproduced if the whole interval of either says the
    opposite.
    """
    system = evidence.system.name
    tables = evidence.table("history", system=system), evidence.table("studies", study=study, system=system)
    usual, longer = (rows.sort_values("epoch").groupby("seed").last() for rows in tables)
    seeds = usual.index.intersection(longer.index)
    if seeds.empty:
        raise NotMeasuredError(f"study {study} shares no seed with history.csv")
    gain = _over_seeds(longer.loc[seeds, "validation_entity_f1"] - usual.loc[seeds, "validation_entity_f1"])
    fall = _over_seeds(usual.loc[seeds, "validation_loss"] - longer.loc[seeds, "validation_loss"])
    shown = (
        f"with {longer['epoch'].max():.0f} epochs instead of {usual['epoch'].max():.0f}, validation entity F1 gains "
        f"{_ends(gain)}, wanted: at most {show(margin)}, and validation loss falls by {_ends(fall)}, wanted: at most "
        f"{show(loss_margin)} (less than 0: it rises); over {counted(len(seeds), 'seed')}, on the same validation "
        f"sentences{evidence.effect(study)}"
    )
    held = gain.high <= margin and fall.high <= loss_margin
    failed = gain.low > margin or fall.low > loss_margin
    verdict = "reproduced" if held else "not reproduced" if failed else "partly"
    return Finding(verdict, gain.value, shown, gain.low, gain.high)


def stable(
    evidence: Evidence,
    spread: float = Field(gt=0, description="the most by which one further run may differ from the mean"),
) -> Finding:
    """Check that the training loss falls in each epoch of each run, and that one further run is near the mean F1."""
    losses_by_seed = _losses(evidence)
    falls = bool((losses_by_seed.diff(axis="columns").iloc[:, 1:] < 0).all(axis=None))
    f1 = evidence.table("scores", system=evidence.system.name)["entity_f1"]
    mean, low, high = _over_seeds(f1)
    half = (high - low) / 2 * math.sqrt(len(f1) + 1)
    shown = (
        f"the training loss {'falls' if falls else 'does not fall'} in every epoch of every run, and one further run "
        f"has an entity F1 of {show(mean)} ± {show(half)}, wanted: {show(spread)} or less"
    )
    return Finding(graded([falls and half <= spread]), half, shown)


def ablation(
    evidence: Evidence,
    studies: list[Text] = Field(min_length=1, description="studies, each with one thing left out"),
    margin: float = Field(ge=0, description="the least loss of entity F1"),
) -> Finding:
    """Check that leaving out each thing costs entity F1, by the interval over seeds: its whole, or partly its end."""
    costs = _costs(evidence, studies)
    verdict = graded(end >= margin for cost, _ in costs.values() for end in (cost.low, cost.high))
    shown = f"entity F1 lost without it, wanted: {show(margin)} or more. {_listed(costs)}"
    shown += "".join(map(evidence.effect, studies))
    first = next(iter(costs.values()))[0]
    ends = (first.low, first.high) if len(costs) == 1 else (None, None)
    return Finding(verdict, [cost.value for cost, _ in costs.values()], shown, *ends)


def _costs(evidence: Evidence, studies: Sequence[str]) -> dict[str, tuple[Interval, str]]:
    """Return the entity F1 that each study loses against the full recipe with the same seeds, and its epochs."""
    system, costs = evidence.system.name, {}
    full = evidence.table("scores", system=system).set_index("seed")["entity_f1"]
    for study in studies:
        rows = _tested(evidence, evidence.table("studies", study=study, system=system))
        cost = (full - rows.groupby("seed")["test_entity_f1"].mean()).dropna()
        if len(cost) < 2:
            raise NotMeasuredError(f"study {study} shares fewer than two seeds with scores.csv")
        least, most = int(rows["epoch"].min()), int(rows["epoch"].max())
        costs[study] = _over_seeds(cost), (f"{least} to " if least < most else "") + counted(most, "epoch")
    return costs


def _listed(costs: Mapping[str, tuple[Interval, str]]) -> str:
    return "; ".join(f"{study}: {_ends(cost)}, {epochs}" for study, (cost, epochs) in costs.items())


def _over_seeds(values: pd.Series) -> Interval:
    """Return the mean and its t-interval over seeds."""
    if len(values) < 2:
        raise NotMeasuredError("an interval over seeds takes two or more")
    return seed_interval(values.tolist())


def _ends(interval: Interval) -> str:
    return f"{show(interval.value)} ({show(interval.low)} to {show(interval.high)})"


def saturates(
    evidence: Evidence,
    study: Text = Field(description=_STUDY),
    fraction: Fraction = Field(description="the fraction of the sentences before the last step"),
    margin: float = Field(ge=0, description="a gain in entity F1 that counts as none"),
) -> Finding:
    """Check that the learning curve's last step gains next to nothing, by the interval over seeds.

    Each fraction must have as many steps as all of the sentences. Otherwise the curve shows too short a training.
    """
    system, scores = evidence.system.name, evidence.table("scores")
    tables = [evidence.table("studies", study=study, system=name) for name in (system, REFERENCE)]
    if not tables[0]["variant"].str.contains("min_steps=").all():
        raise NotMeasuredError(
            f"the fractions of {study} were trained with fewer steps than all of the sentences, so the curve shows too "
            "short a training rather than too few sentences"
        )
    rows = _tested(evidence, pd.concat(tables))
    before = rows[(rows["system"] == system) & (rows["fraction"] == fraction)].groupby("seed")["test_entity_f1"].mean()
    after = scores[scores["system"] == system].set_index("seed")["entity_f1"]
    gains = (after - before).dropna()
    if len(gains) < 2:
        raise NotMeasuredError(f"studies.csv shares fewer than two seeds with scores.csv on a fraction of {fraction}")
    gain = _over_seeds(gains)
    verdict = graded([gain.high <= margin, gain.low <= margin])
    usual = scores[scores["seed"].isin(gains.index) | (scores["encoder"] == "")]  # the same draws at every fraction
    curves = _curves(rows, usual.groupby("system")["entity_f1"].mean())
    shown = (
        f"from {fraction:g} to all of the sentences entity F1 gains {_ends(gain)} over {counted(len(gains), 'seed')}, "
        f"wanted: at most {show(margin)}; entity F1 by fraction, {curves}{evidence.effect(study, fraction=fraction)}"
    )
    return Finding(verdict, gain.value, shown, gain.low, gain.high)


def new_types(
    evidence: Evidence,
    study: Text = Field(description=_STUDY),
    per_type: int = Field(ge=1, description="sentences of the new type"),
    share: Fraction = Field(description="the least share"),
) -> Finding:
    """Check the share of a type's full F1 that few sentences of it give, while all others are trained on in full.

    The mean over types decides, by Student's interval over them. A type with a full F1 of 0 has no share.
    """
    system = evidence.system.name
    rows = evidence.table("studies", study=study, system=system, per_type=per_type).dropna(subset="test_new_type_f1")
    few = rows.groupby(["seed", "new_type"])["test_new_type_f1"].mean()
    by_type = evidence.table("scores_by_type", system=system)
    full = by_type.rename(columns={"type": "new_type"}).groupby(["seed", "new_type"])["f1"].mean()
    both = pd.DataFrame({"few": few, "full": full}).dropna().groupby("new_type").mean()
    shares = (both["few"] / both["full"])[both["full"] > 0]
    if len(shares) < 2:
        raise NotMeasuredError(f"{study} has {counted(len(shares), 'type')} of {system}; an interval needs two")
    mean = _over_seeds(shares)
    listed = [f"{name} {both.loc[name, 'few']:.4f} of {both.loc[name, 'full']:.4f}" for name in shares.index]
    without = [str(name) for name in both.index if name not in shares.index]
    shown = (
        f"with {per_type} sentences of a type, and all sentences without it, a type has {_ends(mean)} of the F1 that "
        f"all sentences give: the mean over {counted(len(shares), 'type')}, with its interval over types; wanted: "
        f"{show(share)}. F1 by type, {', '.join(listed)}"
    )
    shown += f". Left out, because none is found with all sentences: {', '.join(without)}" if without else ""
    return Finding(graded([mean.low >= share, mean.high >= share]), mean.value, shown, mean.low, mean.high)


def _tested(evidence: Evidence, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of studies that have a test entity F1 of the same kind as those of scores.csv."""
    rows = rows.dropna(subset="test_entity_f1")
    if rows.empty:
        raise NotMeasuredError("studies.csv has no test scores of this study yet")
    usual = evidence.table("scores")["signature"].iloc[0]
    for signature in rows["signature"].unique():
        try:
            check_same_signature(usual, signature)
        except UnlikeScores as error:
            raise NotMeasuredError(f"studies.csv has other scores than scores.csv: {error}") from None
    return rows


def _curves(rows: pd.DataFrame, full: pd.Series) -> str:
    """Show each system's entity F1 by the fraction of the training sentences, and with all of them."""
    curves = []
    for name, group in rows.groupby("system", sort=False):
        means = group.groupby("fraction")["test_entity_f1"].mean()
        points = [f"{size:g} {show(f1)}" for size, f1 in means.items()]
        points += [f"1 {show(full[name])}"] if name in full else []
        curves.append(f"{name}: {', '.join(points)}")
    return "; ".join(curves)
