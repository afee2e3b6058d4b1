"""The titles and sections of the reports, in order."""

from pathlib import Path

from harness.paths import DOMAINS

from bert_ner.corpus.catalog import corpus_named
from claims.paper import PAPER_CORPUS
from reporting.blocks import Block, Section
from reporting.results import Results
from reporting.sections import (
    audit_and_provenance,
    chosen_settings,
    claims_and_corpora,
    curves,
    headline,
    label_quality,
    scores_and_costs,
    types_and_errors,
)


def report_content(root: Path, name: str) -> tuple[str, list[Section]]:
    """Return title and sections of a corpus's report, or of the comparison of corpora; `root` is results/."""
    if name == DOMAINS:
        return "Comparison of the corpora", claims_and_corpora.domain_sections(root)
    corpus = corpus_named(name)
    return f"{corpus.title}: results", corpus_sections(Results(root, corpus))


def corpus_sections(results: Results) -> list[Section]:
    show = results.show
    metrics = "Which metric?" if results.corpus.name == PAPER_CORPUS else "Scores"
    return [
        Section("headline", "", headline.headline_blocks(results)),
        Section("claims", "The paper's claims", claims_and_corpora.claim_blocks(results)),
        Section("corpus", "Corpus and systems", scores_and_costs.corpus_blocks(results)),
        Section("metrics", metrics, scores_and_costs.metric_blocks(results)),
        Section("intervals", "Scores with intervals", _intervals(results)),
        Section("comparisons", "Comparisons", show("comparisons", scores_and_costs.comparison_blocks)),
        Section("loss", "Loss by epoch", curves.loss_blocks(results)),
        Section("types", "Entity F1 by type", types_and_errors.type_blocks(results)),
        Section("confusion", "Confusion between types", types_and_errors.confusion_blocks(results)),
        Section("errors", "Kinds of errors", types_and_errors.error_blocks(results)),
        Section("labels", "How good are the labels?", label_quality.label_blocks(results)),
        *chosen_settings.settings_sections(results),
        *curves.study_sections(results),
        Section("cost", "Cost", show("benchmarks", scores_and_costs.benchmark_blocks)),
        Section("published", "Published results", claims_and_corpora.published_blocks(results.corpus.name)),
        Section("audit", "Audit of data and alignment", audit_and_provenance.audit_blocks(results)),
        Section("provenance", "Provenance", audit_and_provenance.provenance_blocks(results)),
    ]


def _intervals(results: Results) -> list[Block]:
    return [*results.show("intervals", scores_and_costs.interval_blocks), *headline.part_pictures(results)]
