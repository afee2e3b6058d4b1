"""The report's sections, in order."""

from __future__ import annotations

from reporting.blocks import Section
from reporting.results import Results
from reporting.sections import claim_sections as claims
from reporting.sections import error_sections as errors
from reporting.sections import origin_sections as origin
from reporting.sections import score_sections as scores
from reporting.sections import system_sections as systems
from reporting.sections import training_sections as training


def sections(results: Results) -> list[Section]:
    """Everything that the tables in results/ say about one corpus.

    Raises:
        BertNerError: a table without which there is no report is missing, or any table is broken.
    """
    return [
        scores.headline(results),
        systems.system_section(results),
        scores.metric_section(results),
        scores.interval_section(results),
        scores.comparison_section(results),
        training.loss_section(results),
        errors.type_section(results),
        errors.confusion_section(results),
        errors.error_section(results),
        *training.study_sections(results),
        systems.domain_section(results),
        origin.cost_section(results),
        claims.claim_section(results),
        claims.published_section(results),
        claims.audit_section(results),
        origin.origin_section(results),
    ]
