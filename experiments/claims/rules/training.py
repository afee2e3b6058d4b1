"""Rules for what training does: recipes, losses, and studies with one thing changed."""

from __future__ import annotations

import math

import pandas as pd

from bert_ner.scoring import UnlikeScores, check_same_signature, seed_interval
from claims.evidence import Case, Finding, NotMeasuredError, listed, pretty
from claims.schema import place


def recipe(case: Case) -> Finding:
    """Our runs were trained with these settings."""
    provenance = case.evidence.file("provenance.json", case.at())
    runs = provenance.get(case.evidence.corpus, {}).get("runs", {})
    settings = [run["settings"] for run in runs.values() if run["system"] == case.ours.system]
    if not settings:
        raise NotMeasuredError(f"provenance.json has no run of {case.ours.system}")
    for name in case.judge["settings"]:
        if name not in settings[0]:
            place(case.claim.path, case.judge["settings"], name).refuse(
                f"the runs have no setting '{name}'; they have {', '.join(settings[0])}"
            )
    same = [n for n, value in case.judge["settings"].items() if all(run[n] == value for run in settings)]
    other = {n: settings[0][n] for n in case.judge["settings"] if n not in same}
    verdict = "reproduced" if not other else "partly" if same else "not reproduced"
    unlike = f"; otherwise: {', '.join(f'{n} {pretty(v)}' for n, v in other.items())}" if other else ""
    evidence = f"{len(settings)} runs trained with the paper's {', '.join(same) or 'nothing'}{unlike}"
    return Finding(verdict, f"{len(same)} of {len(case.judge['settings'])}", evidence)


def _losses(case: Case) -> pd.DataFrame:
    """Training losses: a row per seed, a column per epoch."""
    rows = case.table("history.csv", system=case.ours.system)
    return rows.pivot_table(index="seed", columns="epoch", values="train_loss")


def losses(case: Case) -> Finding:
    """The mean training loss of each epoch."""
    ours, paper = _losses(case), listed(case.paper)
    if len(ours.columns) < len(paper):
        raise NotMeasuredError(f"history.csv has {len(ours.columns)} epochs; the claim is about {len(paper)}")
    means = [float(ours[epoch].mean()) for epoch in list(ours.columns)[: len(paper)]]
    close = sum(abs(a - b) <= case.judge["tolerance"] for a, b in zip(means, paper, strict=True))
    verdict = "reproduced" if close == len(paper) else "partly" if close else "not reproduced"
    spread = ", ".join(f"{ours[e].min():.3f} to {ours[e].max():.3f}" for e in list(ours.columns)[: len(paper)])
    evidence = (
        f"{close} of {len(paper)} epochs within {pretty(case.judge['tolerance'])}; over {len(ours)} seeds {spread}"
    )
    return Finding(verdict, means, evidence)


def reduction(case: Case) -> Finding:
    """By which share the training loss falls from the first epoch to the last, per seed."""
    ours = _losses(case)
    shares = 1 - ours[ours.columns[-1]] / ours[ours.columns[0]]
    mean, low, high = float(shares.mean()), float(shares.min()), float(shares.max())
    is_close = abs(mean - case.paper_number()) <= case.judge["tolerance"]
    evidence = f"loss falls by {pretty(mean)} over {len(ours.columns)} epochs; low and high are the least and the most "
    return Finding("reproduced" if is_close else "not reproduced", mean, f"{evidence}of {len(shares)} seeds", low, high)


_CURVES = ("validation_loss", "validation_entity_f1")


def _study(case: Case, study: str) -> pd.DataFrame:
    """The rows of one study with our system."""
    return case.table("studies.csv", study=study, system=case.ours.system)


def converged(case: Case) -> Finding:
    """Trained longer, as a study did, our system has hardly a better validation loss or F1 at its end."""
    judge = case.judge
    ours, longer = (
        _last_epochs(case, name, rows)
        for name, rows in (
            ("history.csv", case.table("history.csv", system=case.ours.system)),
            ("studies.csv", _study(case, judge["study"])),
        )
    )
    seeds = ours.index.intersection(longer.index)
    if seeds.empty:
        raise NotMeasuredError(f"study {judge['study']} shares no seed with history.csv")
    gains = longer.loc[seeds, "validation_entity_f1"] - ours.loc[seeds, "validation_entity_f1"]
    falls = ours.loc[seeds, "validation_loss"] - longer.loc[seeds, "validation_loss"]
    gain, fall = float(gains.mean()), float(falls.mean())
    good = (gain <= judge["margin"]) + (fall <= judge["loss_margin"])
    verdict = ("not reproduced", "partly", "reproduced")[good]
    lengths = f"with {longer['epoch'].max():.0f} epochs and not {ours['epoch'].max():.0f}"
    evidence = f"{lengths}, validation entity F1 gains {pretty(gain)} and validation loss falls by {pretty(fall)}"
    return Finding(verdict, gain, f"{evidence} (less than 0: it rises); mean of {len(seeds)} seed(s)")


def _last_epochs(case: Case, name: str, rows: pd.DataFrame) -> pd.DataFrame:
    """The last epoch of each seed. Beside rows of systems without epochs, columns of numbers are read as text."""
    numbers = {column: case.numbers(rows, name, column) for column in ("epoch", *_CURVES)}
    return rows.assign(**numbers).sort_values("epoch").groupby("seed").last()


def _scored(case: Case, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of studies that have a test entity F1, as `f1`.

    Raises:
        NotMeasuredError: there is none, or it is another kind of score than that of scores.csv.
    """
    scored = rows.assign(f1=case.numbers(rows, "studies.csv", "test_entity_f1")).dropna(subset="f1")
    if scored.empty:
        raise NotMeasuredError("studies.csv has no test scores of this study yet")
    ours = case.table("scores.csv")["signature"].iloc[0]
    for signature in scored["signature"].unique():
        try:
            check_same_signature(ours, signature)
        except UnlikeScores as error:
            raise NotMeasuredError(f"studies.csv has other scores than scores.csv: {error}") from None
    return scored


def ablation(case: Case) -> Finding:
    """Leaving out each thing costs entity F1, against the full recipe with the same seeds."""
    full = case.table("scores.csv", system=case.ours.system).set_index("seed")["entity_f1"].astype(float)
    costs, notes = [], []
    for study in case.judge["studies"]:
        without = _scored(case, _study(case, study)).groupby("seed")["f1"].mean()
        common = [seed for seed in without.index if seed in full.index]
        if not common:
            raise NotMeasuredError(f"study {study} shares no seed with scores.csv")
        cost = full.loc[common] - without.loc[common]
        costs.append(float(cost.mean()))
        notes.append(f"{study}: {pretty(costs[-1])} (seeds: {', '.join(pretty(float(c)) for c in cost)})")
    hurt = sum(cost >= case.judge["margin"] for cost in costs)
    verdict = "reproduced" if hurt == len(costs) else "partly" if hurt else "not reproduced"
    wanted = f"wanted: {pretty(case.judge['margin'])} or more"
    return Finding(verdict, costs, f"entity F1 lost without it, {wanted}. {'; '.join(notes)}")


def saturates(case: Case) -> Finding:
    """The last step of the learning curve brings next to nothing; partly if it does but the CRF is beaten."""
    full = {
        str(system): float(rows["entity_f1"].astype(float).mean())
        for system, rows in case.table("scores.csv").groupby("system")
    }
    rows = case.table("studies.csv", study=case.judge["study"])
    # Beside rows of a study without fractions, they are read as text.
    rows = rows.assign(fraction=case.numbers(rows, "studies.csv", "fraction"))
    curves = {}
    for name, system in ((case.ours.system, case.ours.system), ("crf", "crf")):
        of_system = rows[(rows["system"] == system) & rows["encoder"].isin(["", case.ours.encoder])]
        curves[name] = dict(_scored(case, of_system).groupby("fraction")["f1"].mean())
    ours = curves[case.ours.system]
    if case.judge["fraction"] not in ours:
        raise NotMeasuredError(f"studies.csv has no run on a fraction of {case.judge['fraction']} yet")
    gain = full[case.ours.system] - ours[case.judge["fraction"]]
    is_ahead = full[case.ours.system] > full.get("crf", math.inf)
    verdict = "reproduced" if gain <= case.judge["margin"] else "partly" if is_ahead else "not reproduced"
    shown = "; ".join(
        f"{name}: {', '.join(f'{fraction:g} {pretty(f1)}' for fraction, f1 in curve.items())}, 1 {pretty(full[name])}"
        for name, curve in curves.items()
        if name in full
    )
    step = f"from {case.judge['fraction']:g} to all of the sentences entity F1 gains {pretty(gain)}"
    return Finding(verdict, gain, f"{step}; entity F1 by fraction, {shown}")


def few_shot(case: Case) -> Finding:
    """With few sentences of each type, our system has a share of the entity F1 that all sentences give it.

    Reproduced if the whole interval of the mean over draws is at or above the share, partly if its upper end is.
    """
    judge, full = case.judge, {}
    for system, rows in case.table("scores.csv").groupby("system"):
        full[str(system)] = float(rows["entity_f1"].astype(float).mean())
    rows = _scored(case, case.table("studies.csv", study=judge["study"]))
    sizes = case.numbers(rows, "studies.csv", "per_type")
    mine = rows[(rows["system"] == case.ours.system) & (sizes == judge["per_type"])]
    if len(mine) < 2:
        raise NotMeasuredError(
            f"studies.csv has {len(mine)} draws of {judge['per_type']} sentences a type for {case.ours.system}; an "
            "interval takes two"
        )
    value, low, high = (end / full[case.ours.system] for end in seed_interval(mine["f1"].tolist()))
    verdict = "reproduced" if low >= judge["share"] else "partly" if high >= judge["share"] else "not reproduced"
    curves = "; ".join(
        f"{system}: "
        + ", ".join(f"{size:g} {pretty(float(f1))}" for size, f1 in of["f1"].groupby(sizes).mean().items())
        + (f", all {pretty(full[str(system)])}" if system in full else "")
        for system, of in rows.groupby("system", sort=False)
    )
    evidence = (
        f"{pretty(value)} of the entity F1 that all sentences give, with {judge['per_type']} of each type, over "
        f"{len(mine)} draws; wanted: {pretty(judge['share'])}. Entity F1 by sentences of each type, {curves}"
    )
    return Finding(verdict, value, evidence, low, high)
