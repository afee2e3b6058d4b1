"""Judge the claims in claims.yaml: a row of claims.csv for each."""

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
    """Return a row per claim about a corpus, or about what compares corpora (`domains`); none for another corpus."""
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
            _check_encoder(claim, evidence.encoder, system)
        verdict, measured, shown, low, high = claim.judge.judge(evidence)
        if system and not system.has_papers_encoder:
            shown = f"{_encoder_note(claim, evidence.encoder, system)}: {shown}"
        is_substitute = system and not system.has_papers_encoder and claim.encoder != "vocabulary"
        if verdict == "reproduced" and (is_substitute or claim.proxy):
            verdict = "partly"
        shown = "; ".join([shown, *filter(None, [claim.proxy]), *_also_shown(claim, evidence)])
    except NotMeasuredError as reason:
        verdict, measured, shown, low, high = Finding("not tested", None, f"{reason}; run {claim.command}")
    return {
        **{key: getattr(claim, key) for key in ("id", "section", "claim", "kind")},
        "paper_value": _cell(claim.paper_value),
        "measured": _cell(measured),
        "low": _cell(low),
        "high": _cell(high),
        "verdict": verdict,
        "system": f"{system.name} ({system.encoder})" if system else "",
        "evidence": shown,
    }


def _check_encoder(claim: Claim, paper: str, system: MeasuredSystem) -> None:
    """Refuse a system whose encoder can't stand for the paper's in this claim."""
    if claim.encoder == "required" and not system.has_papers_encoder:
        raise NotMeasuredError(
            f"the claim is about {paper} itself, but {system.encoder} was measured; add {paper} to the encoders in "
            "params.yaml where its weights are available"
        )
    splits_alike = system.has_papers_encoder or Path(system.encoder).name in SAME_PIECES
    if claim.encoder == "vocabulary" and not splits_alike:
        raise NotMeasuredError(
            f"the claim is about the word pieces of {paper}, but {system.encoder} may split words differently; add "
            f"one of {', '.join(SAME_PIECES)} to the encoders in params.yaml"
        )


def _encoder_note(claim: Claim, paper: str, system: MeasuredSystem) -> str:
    return {
        "comparable": f"measured on {system.encoder}, not on {paper}",
        "vocabulary": f"measured on {system.encoder}, which splits words as {paper} does",
        "shape": f"{paper} as the library describes it, without its weights",
    }[str(claim.encoder)]


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
