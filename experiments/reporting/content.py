"""The titles and sections of the reports, in order."""

from pathlib import Path

from harness.paths import DOMAINS

from bert_ner.corpus.catalog import corpus_named
from claims.paper import PAPER_CORPUS
from reporting.blocks import Section
from reporting.results import Results
from reporting.sections.audit_and_provenance import audit_blocks, provenance_blocks
from reporting.sections.claims_and_corpora import claim_blocks, domain_sections, published_blocks
from reporting.sections.curves import loss_blocks, study_sections
from reporting.sections.scores_and_costs import (
    benchmark_blocks,
    comparison_blocks,
    headline_blocks,
    interval_blocks,
    metric_blocks,
    system_blocks,
)
from reporting.sections.types_and_errors import confusion_blocks, error_blocks, type_blocks


def report_content(root: Path, name: str) -> tuple[str, list[Section]]:
    """Return title and sections of a corpus's report, or of the comparison of corpora; `root` is results/."""
    if name == DOMAINS:
        return "Comparison of the corpora", domain_sections(root)
    corpus = corpus_named(name)
    return f"{corpus.title}: results", corpus_sections(Results(root, corpus))


def corpus_sections(results: Results) -> list[Section]:
    show = results.show
    metrics = "Which metric?" if results.corpus.name == PAPER_CORPUS else "Scores"
    return [
        Section("headline", "", headline_blocks(results)),
        Section("systems", "Systems", show("costs", system_blocks)),
        Section("metrics", metrics, metric_blocks(results)),
        Section("intervals", "Scores with intervals", show("intervals", interval_blocks)),
        Section("comparisons", "Comparisons", show("comparisons", comparison_blocks)),
        Section("loss", "Loss by epoch", loss_blocks(results)),
        Section("types", "Entity F1 by type", type_blocks(results)),
        Section("confusion", "Confusion between types", confusion_blocks(results)),
        Section("errors", "Kinds of errors", error_blocks(results)),
        *study_sections(results),
        Section("cost", "Cost", show("benchmarks", benchmark_blocks)),
        Section("claims", "The paper's claims", claim_blocks(results)),
        Section("published", "Published results", published_blocks(results.corpus.name)),
        Section("audit", "Audit of data and alignment", audit_blocks(results)),
        Section("provenance", "Provenance", provenance_blocks(results)),
    ]
