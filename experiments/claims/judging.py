"""Judge the claims in claims.yaml: a row of claims.csv for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.paths import DOMAINS, ROOT

from claims.evidence import Evidence, Finding, MeasuredSystem, NotMeasuredError, measured_systems
from claims.fields import VERDICTS
from claims.schema import Claim, read_claims, read_published

CLAIMS = ROOT / "experiments/claims/claims.yaml"
PUBLISHED = ROOT / "experiments/claims/published.yaml"
# Encoders that split words as the paper's does: its vocabulary, or that and a few words of their own.
SAME_PIECES = ("bert-base-uncased", "all-MiniLM-L6-v2", "all-mpnet-base-v2")

Row = dict[str, str]


def judge_claims(name: str, results: Path, claims: Path = CLAIMS, published: Path = PUBLISHED) -> list[Row]:
    """Return a row per claim about a corpus, or about what compares corpora (`domains`); none for another corpus.

    Raises:
        BertNerError: something in claims.yaml or published.yaml is wrong, or does not fit the results; the message has
            the line.
    """
    content, placed = read_claims(claims)
    scores = read_published(published)
    return [
        _judge(claim, Evidence(results, content.corpus, content.encoder, scores, place, claim.paper_value))
        for claim, place in placed
        if name == (DOMAINS if claim.about == "domains" else content.corpus)
    ]


def tally(verdicts: Iterable[str]) -> str:
    """Count verdicts: `3 claims: 2 reproduced, 1 partly`."""
    counts = Counter(verdicts)
    total = counts.total()
    each = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])
    return f"{total} claim{'' if total == 1 else 's'}: {each}"


def _judge(claim: Claim, evidence: Evidence) -> Row:
    """Judge a claim on the measured system closest to the paper's for which it can be tested."""
    try:
        systems = measured_systems(evidence.results, evidence.corpus, evidence.encoder)
    except NotMeasuredError:
        return _judge_once(claim, evidence)
    if claim.encoder == "vocabulary":  # about the word pieces that were counted, not about scores
        counted = _audited_encoder(evidence)
        systems.sort(key=lambda system: system.encoder != counted)
    rows = [_judge_once(claim, replace(evidence, chosen=system)) for system in systems]
    return next((row for row in rows if row["verdict"] != "not tested"), rows[0])


def _audited_encoder(evidence: Evidence) -> Any:
    try:
        return evidence.facts("audit.json").get("encoder", {}).get("name")
    except NotMeasuredError:
        return None


def _judge_once(claim: Claim, evidence: Evidence) -> Row:
    system = None
    try:
        if claim.encoder:
            system = evidence.system
            _check_encoder(claim, evidence, system)
        finding = claim.judge.judge(evidence)
        if system and not system.has_papers_encoder:
            finding = _with_another_encoder(finding, claim, evidence.encoder, system)
        if claim.proxy:
            finding = finding._replace(evidence=f"{finding.evidence}; {claim.proxy}", verdict=_cap(finding.verdict))
        finding = finding._replace(evidence="; ".join([finding.evidence, *_also_shown(claim, evidence)]))
    except NotMeasuredError as reason:
        finding = Finding("not tested", None, f"{reason}; run {claim.command}")
    return {
        "id": claim.id,
        "section": claim.section,
        "claim": claim.claim,
        "kind": claim.kind,
        "paper_value": _cell(claim.paper_value),
        "measured": _cell(finding.measured),
        "low": _cell(finding.low),
        "high": _cell(finding.high),
        "verdict": finding.verdict,
        "system": f"{system.name} ({system.encoder})" if system else "",
        "evidence": finding.evidence,
    }


def _check_encoder(claim: Claim, evidence: Evidence, system: MeasuredSystem) -> None:
    """Refuse a system whose encoder can't stand for the paper's in this claim.

    Raises:
        NotMeasuredError: it can't.
    """
    if claim.encoder == "required" and not system.has_papers_encoder:
        raise NotMeasuredError(
            f"the claim is about {evidence.encoder} itself, but {system.encoder} was measured; add {evidence.encoder} "
            "to the encoders in params.yaml where its weights are available"
        )
    splits_alike = system.has_papers_encoder or Path(system.encoder).name in SAME_PIECES
    if claim.encoder == "vocabulary" and not splits_alike:
        raise NotMeasuredError(
            f"the claim is about the word pieces of {evidence.encoder}, but {system.encoder} may split words "
            f"differently; add one of {', '.join(SAME_PIECES)} to the encoders in params.yaml"
        )


def _with_another_encoder(finding: Finding, claim: Claim, paper: str, system: MeasuredSystem) -> Finding:
    """Name the encoder that was measured, and cap the verdict unless word pieces alone matter."""
    note = {
        "comparable": f"measured on {system.encoder}, not on {paper}",
        "vocabulary": f"measured on {system.encoder}, which splits words as {paper} does",
        "shape": f"{paper} as the library describes it, without its weights",
    }[str(claim.encoder)]
    verdict = finding.verdict if claim.encoder == "vocabulary" else _cap(finding.verdict)
    return finding._replace(evidence=f"{note}: {finding.evidence}", verdict=verdict)


def _cap(verdict: str) -> str:
    """Return the verdict, at best `partly`."""
    return "partly" if verdict == "reproduced" else verdict


def _also_shown(claim: Claim, evidence: Evidence) -> list[str]:
    found = []
    for source in claim.also_shown:
        try:
            found.append(f"also: {evidence.shown(source)}")
        except NotMeasuredError:
            continue
    return found


def _cell(value: Any) -> str:
    """Return a value as claims.csv has it: floats with six decimals, lists with semicolons."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return "; ".join(map(_cell, value))
    return f"{value:.6f}" if isinstance(value, float) else str(value)
