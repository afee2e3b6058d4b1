"""Judge the claims in claims.yaml: a row of claims.csv for each."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.paths import ROOT

import pandas as pd

from bert_ner.wording import counted
from claims.evidence import (
    EntryError,
    Evidence,
    Finding,
    MeasuredSystem,
    NotMeasuredError,
    NotScoredError,
    measured_systems,
)
from claims.fields import STAND_IN, VERDICTS
from claims.schema import RULES, Claim, entry_error, read_claims, read_published

CLAIMS = ROOT / "experiments/claims/claims.yaml"
PUBLISHED = ROOT / "experiments/claims/published.yaml"
# Encoders that split words as the paper's does: its vocabulary, or that and a few words of their own.
SAME_PIECES = ("bert-base-uncased", "all-MiniLM-L6-v2", "all-mpnet-base-v2")


def judge_claims(name: str, results: Path, claims: Path = CLAIMS, published: Path = PUBLISHED) -> list[dict[str, str]]:
    """Return a row per claim about a corpus, or about what compares corpora (`domains`); none for another corpus."""
    content, scores, rows = read_claims(claims), read_published(published), []
    systems: list[MeasuredSystem] = []
    with suppress(NotMeasuredError):  # each claim that needs one says so
        systems = measured_systems(results, content.corpus, content.encoder)
    for position, claim in enumerate(content.claims):
        if name == (claim.about or content.corpus):
            evidence = Evidence(results, content.corpus, content.encoder, scores, claim.paper_value)
            try:
                rows.append(_judge(claim, evidence, systems))
            except EntryError as error:
                raise entry_error(claims, position, *error.args) from error.__cause__
    return rows


def tally(claims: pd.DataFrame) -> str:
    """Count the verdicts of the rows of claims.csv: `3 claims: 2 reproduced, 1 partly`; say what is not counted."""
    counts = Counter(counted_claims(claims)["verdict"])
    each = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])
    left_out = Counter(reason.partition(" ")[0] for reason in claims["not_counted"] if reason)
    repeated = f"{counted(left_out['repeats'], 'repetition')} of another claim"
    tautologies = counted(left_out["tautology"], "tautology", "tautologies")
    proposed = counted(left_out["future"], "direction of future work", "directions of future work")
    more = f"; not counted: {repeated}, {tautologies}, {proposed}" if left_out else ""
    return f"{counted(counts.total(), 'claim')}: {each}{more}"


def counted_claims(claims: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of claims.csv that are counted: no repetition of an error, no tautology, no future work."""
    return claims[claims["not_counted"] == ""]


def _judge(claim: Claim, evidence: Evidence, systems: Sequence[MeasuredSystem]) -> dict[str, str]:
    """Judge a claim on the measured system closest to the paper's for which it can be tested."""
    if not systems:
        return _judge_once(claim, evidence)
    if claim.encoder == "vocabulary":
        # The pieces of one encoder were counted. Its system comes first, so that the row has its verdict or its reason.
        with suppress(NotMeasuredError):
            counted_encoder = evidence.counted_encoder()
            systems = sorted(systems, key=lambda system: system.encoder != counted_encoder)
    rows = [_judge_once(claim, replace(evidence, chosen=system)) for system in systems]
    row, *others = [row for row in rows if row["verdict"] != "not tested"] or rows[:1]
    if claim.encoder == "comparable":
        row["evidence"] = "; ".join([row["evidence"], *map(_other_outcome, others)])
    return row


def _other_outcome(row: Mapping[str, str]) -> str:
    """Return what the claim's rule says of another measured system, which the verdict does not depend on."""
    ends = f" ({row['low']} to {row['high']})" if row["low"] else ""
    return f"the verdict on {row['system']} would be '{row['verdict']}', measured: {row['measured']}{ends}"


def _judge_once(claim: Claim, evidence: Evidence) -> dict[str, str]:
    system, note = None, ""
    try:
        if claim.encoder:
            system = evidence.system
            note = _encoder_note(claim.encoder, evidence)
        found = _apply(claim, evidence)
        notes = [f"{note}: {found.evidence}" if note else found.evidence, claim.proxy]
        notes += [claim.independent, claim.remark]
        notes.append(f"a tautology: {claim.tautology}" if claim.tautology else None)
        for source in claim.also_shown:
            with suppress(NotMeasuredError, NotScoredError):
                notes.append(f"also: {evidence.shown(source)}")
        found = found._replace(evidence="; ".join(filter(None, notes)))
        is_stand_in = claim.proxy or (note and claim.encoder == "comparable")
        if found.verdict == "reproduced" and is_stand_in:
            found = found._replace(verdict="partly")
        elif found.verdict == "not reproduced" and is_stand_in and not claim.independent:
            found = found._replace(verdict=STAND_IN)
    except NotMeasuredError as reason:
        notes = [f"{reason}; run {claim.command}", claim.remark]
        found = Finding("not tested", None, "; ".join(filter(None, notes)))
    cells = claim.model_dump(include={"id", "section", "claim", "kind", "paper_value"}) | found._asdict()
    cells["not_counted"] = _not_counted(claim)
    cells["system"] = f"{system.name} ({system.encoder})" if system else ""
    return {column: _cell(value) for column, value in cells.items()}


def _apply(claim: Claim, evidence: Evidence) -> Finding:
    """Apply the claim's rule. It may fail on what the entry names: the error has what Python says of it."""
    keys = dict(claim.judge)
    rule = keys.pop("rule")
    try:
        return RULES[rule](evidence, **keys)
    except (ArithmeticError, AttributeError, LookupError, TypeError) as error:
        fault = f"rule {rule} can't judge what the entry names ({type(error).__name__}: {error})"
        raise EntryError(f"{fault}; correct the entry, or run {claim.command}", "rule") from error


def _not_counted(claim: Claim) -> str:
    if claim.repeats:
        return f"repeats {claim.repeats}"
    return "tautology" if claim.tautology else "future work" if claim.future_work else ""


def _encoder_note(use: str, evidence: Evidence) -> str:
    """Return what the evidence says of another encoder than the paper's, if that can stand for it in the claim."""
    paper, used = evidence.encoder, evidence.system.encoder
    if use == "vocabulary" and used != (counted_encoder := evidence.counted_encoder()):
        raise NotMeasuredError(
            f"the claim is about the word pieces of {paper}, but those of {counted_encoder} were counted, not those of "
            f"{used}; in params.yaml, put a system with one of {', '.join(SAME_PIECES)} first in encoders"
        )
    if evidence.system.has_papers_encoder:
        return ""
    if use == "required":
        raise NotMeasuredError(
            f"the claim is about {paper} itself, but {used} was measured; add {paper} to the encoders in params.yaml "
            "where its weights are available"
        )
    if use == "vocabulary" and Path(used).name not in SAME_PIECES:
        raise NotMeasuredError(
            f"the claim is about the word pieces of {paper}, but {used} may split words differently; add one of "
            f"{', '.join(SAME_PIECES)} to the encoders in params.yaml"
        )
    return {
        "comparable": f"measured on {used}, not on {paper}",
        "vocabulary": f"measured on {used}, which splits words as {paper} does",
    }[use]


def _cell(value: Any) -> str:
    """Return a value as claims.csv has it: floats with six decimals, lists with semicolons."""
    if isinstance(value, list | tuple):
        return "; ".join(map(_cell, value))
    return "" if value is None else f"{value:.6f}" if isinstance(value, float) else str(value)
