"""The sections of a corpus's report, in order."""

from __future__ import annotations

from reporting.blocks import Section
from reporting.results import Results
from reporting.sections.audit_tables import audit_section
from reporting.sections.claim_table import claim_section, published_section
from reporting.sections.error_kinds import error_section
from reporting.sections.headline import headline
from reporting.sections.intervals import comparison_section, interval_section
from reporting.sections.losses import loss_section
from reporting.sections.metric_table import metric_section
from reporting.sections.provenance_tables import provenance_section
from reporting.sections.studies import study_sections
from reporting.sections.system_costs import benchmark_section, system_section
from reporting.sections.type_scores import confusion_section, type_section


def sections(results: Results) -> list[Section]:
    """Return the report of one corpus.

    Raises:
        BertNerError: a table without which there is no report is missing, or any table is broken.
    """
    return [
        headline(results),
        system_section(results),
        metric_section(results),
        interval_section(results),
        comparison_section(results),
        loss_section(results),
        type_section(results),
        confusion_section(results),
        error_section(results),
        *study_sections(results),
        benchmark_section(results),
        claim_section(results),
        published_section(results),
        audit_section(results),
        provenance_section(results),
    ]
