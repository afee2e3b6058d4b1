"""Judge the paper's claims on the results: claims.yaml -> results/<corpus>/claims.csv; needs no model and no corpus.

    python experiments/judge.py --corpus mit_movie_eng

Verdicts: reproduced, partly, not reproduced, contradicted (the paper disagrees with its own corpus or arithmetic) and
not tested (the evidence says why). The claims are about one corpus; the table of any other one is empty.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from harness.paths import RESULTS, ROOT
from harness.run_main import arguments, run_main

import pandas as pd

from bert_ner.corpus.catalog import corpus_named
from bert_ner.files import write_whole
from claims.evidence import Case, Evidence, Finding, NotMeasuredError, Ours, name_of, pretty
from claims.rules import KEYS, RULES
from claims.schema import VERDICTS, Claim, read_claims, read_published

CLAIMS = ROOT / "experiments/claims/claims.yaml"
PUBLISHED = ROOT / "experiments/claims/published.yaml"
COLUMNS = [
    "id", "section", "claim", "kind", "paper_value", "measured", "low", "high", "verdict", "system", "evidence",
]  # fmt: skip
# Encoders that cut words as the paper's does: its vocabulary, or that and a few words of their own.
SAME_PIECES = ("bert-base-uncased", "all-MiniLM-L6-v2", "all-mpnet-base-v2")


def main() -> None:
    corpus = corpus_named(arguments(__doc__).corpus)
    rows = judge_all(corpus.name, CLAIMS, PUBLISHED, RESULTS)
    write_whole(RESULTS / corpus.name / "claims.csv", as_csv(rows))
    if rows:
        tally = Counter(row["verdict"] for row in rows)
        print(f"{len(rows)} claims: " + ", ".join(f"{tally[verdict]} {verdict}" for verdict in VERDICTS))
    else:
        print(f"no claim of the paper is about {corpus.name}; its claims.csv is empty")


def judge_all(corpus: str, claims: Path, published: Path, results: Path) -> list[dict[str, str]]:
    """A row per claim; none for a corpus that the claims are not about.

    Raises:
        BertNerError: something in claims.yaml or published.yaml is wrong, or does not fit the results; the message has
            the line.
    """
    about, encoder, entries = read_claims(claims, KEYS)
    evidence = Evidence(results, about, encoder, read_published(published))
    return [judged(claim, evidence) for claim in entries] if corpus == about else []


def as_csv(rows: list[dict[str, str]]) -> str:
    """The text of claims.csv."""
    return pd.DataFrame(rows, columns=COLUMNS).to_csv(index=False)


def judged(claim: Claim, evidence: Evidence) -> dict[str, str]:
    """One claim's row of claims.csv, on the system closest to the paper's that was measured for it."""
    try:
        candidates = evidence.candidates(claim.at("id"))
    except NotMeasuredError:
        return judged_on(claim, evidence)
    if claim.entry.get("encoder") == "vocabulary":  # about the word pieces that were counted, not about scores
        candidates.sort(key=lambda ours: ours.encoder != evidence.audited())
    rows = [judged_on(claim, evidence.about(ours)) for ours in candidates]
    return next((row for row in rows if row["verdict"] != "not tested"), rows[0])


def judged_on(claim: Claim, evidence: Evidence) -> dict[str, str]:
    """One claim's row on the system that the evidence is about."""
    entry, ours = claim.entry, None
    try:
        if "encoder" in entry:
            ours = evidence.ours(claim.at("encoder"))
        if ours and entry["encoder"] == "required" and not ours.is_papers:
            raise NotMeasuredError(
                f"the claim is about {evidence.encoder} itself and {ours.encoder} was measured; name "
                f"{evidence.encoder} as an encoder in params.yaml where its weights can be had"
            )
        if ours and entry["encoder"] == "vocabulary" and not cuts_alike(ours):
            raise NotMeasuredError(
                f"the claim is about the word pieces of {evidence.encoder}, and {ours.encoder} may cut words "
                f"otherwise; name one of {', '.join(SAME_PIECES)} as an encoder in params.yaml"
            )
        finding = capped(RULES[entry["judge"]["rule"]].judge(Case(claim, evidence)), claim, evidence, ours)
        finding = finding._replace(evidence="; ".join([finding.evidence, *notes(claim, evidence)]))
    except NotMeasuredError as reason:
        finding = Finding("not tested", None, f"{reason}; run {entry['command']}")
    return {
        "id": entry["id"],
        "section": entry["section"],
        "claim": entry["claim"],
        "kind": entry["kind"],
        "paper_value": cell(entry.get("paper_value")),
        "measured": cell(finding.measured),
        "low": cell(finding.low),
        "high": cell(finding.high),
        "verdict": finding.verdict,
        "system": f"{ours.system} ({ours.encoder})" if ours else "",
        "evidence": finding.evidence,
    }


def capped(finding: Finding, claim: Claim, evidence: Evidence, ours: Ours | None) -> Finding:
    """At best 'partly' where another encoder, or something near to what the claim is about, was measured."""
    entry = claim.entry
    if ours and not ours.is_papers:
        named = {
            "comparable": f"measured on {ours.encoder}, not on {evidence.encoder}",
            "vocabulary": f"measured on {ours.encoder}, which cuts words as {evidence.encoder} does",
            "shape": f"{evidence.encoder} as the library describes it, without its weights",
        }[entry["encoder"]]
        verdict = finding.verdict if entry["encoder"] == "vocabulary" else lowered(finding.verdict)
        finding = finding._replace(evidence=f"{named}: {finding.evidence}", verdict=verdict)
    if "proxy" in entry:
        finding = finding._replace(
            evidence=f"{finding.evidence}; {entry['proxy']}", verdict=lowered(finding.verdict)
        )  # fmt: skip
    return finding


def cuts_alike(ours: Ours) -> bool:
    """Whether an encoder cuts words as the paper's does."""
    return ours.is_papers or Path(ours.encoder).name in SAME_PIECES


def lowered(verdict: str) -> str:
    return "partly" if verdict == "reproduced" else verdict


def notes(claim: Claim, evidence: Evidence) -> list[str]:
    """What stands beside the evidence and is not judged, as far as it has been measured."""
    beside = claim.entry.get("beside", [])
    found = []
    for source in beside if isinstance(beside, list) else [beside]:
        try:
            value = evidence.value(claim.path, source)
            found.append(f"beside: {name_of(source)} is {pretty(value)}")
        except NotMeasuredError:
            continue
    return found


def cell(value: Any) -> str:
    """A value in claims.csv: floats with six decimals, lists with semicolons."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return "; ".join(map(cell, value))
    return f"{value:.6f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    run_main(main)
