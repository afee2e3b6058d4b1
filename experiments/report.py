"""Write the report of a corpus from the tables in results/<corpus>: report.md, report.html and plots/.

    python experiments/report.py --corpus mit_movie_eng
    python experiments/report.py --domains     # compares the corpora, in results/domains

Needs no model and no corpus. Where the corpus is present, errors.html in the same folder shows every test sentence that
some system gets wrong.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from harness.paths import DOMAINS, RESULTS
from harness.run_main import arguments, run_main

from bert_ner.corpus.catalog import corpus_named
from bert_ner.files import write_whole
from reporting import markdown, page
from reporting.blocks import Plot, Section
from reporting.content import sections
from reporting.errors_page import error_page
from reporting.plots import save
from reporting.results import Results
from reporting.sections.domain_comparison import TITLE, domain_sections


def main() -> None:
    options = arguments(__doc__, domains={"action": "store_true", "help": "compare the corpora"})
    if options.domains:
        write_report(RESULTS / DOMAINS, TITLE, domain_sections(RESULTS))
        return
    results = Results(RESULTS, corpus_named(options.corpus))
    content, errors = sections(results), error_page(results)
    links = [("errors.html", "Sentences with errors (errors.html)")]
    write_report(results.folder, results.title, content, links)
    (results.folder / "errors.html").unlink(missing_ok=True)  # of a corpus that is no longer present
    if errors:
        write(results.folder / "errors.html", errors)


def write_report(folder: Path, title: str, content: Sequence[Section], links: Sequence[tuple[str, str]] = ()) -> None:
    """Write both renderings of a report, and its plots in place of any that were there."""
    write(folder / "report.md", markdown.render(title, content))
    write(folder / "report.html", page.render(title, content, links))
    shutil.rmtree(folder / "plots", ignore_errors=True)
    (folder / "plots").mkdir()  # DVC expects it, even without a plot
    for section in content:
        for block in section.blocks:
            if isinstance(block, Plot):
                save(block.figure, folder / "plots", block.name)


def write(path: Path, text: str) -> None:
    write_whole(path, text)
    print(f"{path} written")


if __name__ == "__main__":
    run_main(main)
