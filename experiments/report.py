"""Write the report of a corpus from the tables in results/<corpus>: report.md, report.html and plots/.

    python experiments/report.py --corpus mit_movie_eng

Needs no model and no corpus. Where the corpus is present, errors.html beside them shows every test sentence that some
system gets wrong.
"""

from __future__ import annotations

import shutil

from harness.artifacts import check_predictions, read_labels, read_part
from harness.paths import RESULTS, prepared_file
from harness.run_main import arguments, run_main

from bert_ner.corpus.catalog import corpus_named
from bert_ner.files import write_whole
from reporting import errors_page, markdown, page
from reporting.content import sections
from reporting.formats import PAPER_CORPUS, PAPER_LOSSES
from reporting.plots import confusion_plot, dots_plot, lines_plot, loss_plot, save, type_plot
from reporting.results import Results
from reporting.sections.score_sections import interval_plot, systems_of
from reporting.sections.system_sections import cost_plot, domain_plot
from reporting.sections.training_sections import few_shot_plot, few_shot_rows, pictured


def main() -> None:
    results = Results(RESULTS, corpus_named(arguments(__doc__).corpus))
    texts = pages(results) | error_page(results)
    write_plots(results)
    (results.folder / "errors.html").unlink(missing_ok=True)  # of a corpus that is no more here
    for name, text in texts.items():
        write_whole(results.folder / name, text)
        print(f"{results.folder / name} written")


def pages(results: Results) -> dict[str, str]:
    """The report's text by the name of its file; the same with and without the corpus.

    Raises:
        BertNerError: a table without which there is no report is missing, or any table is broken.
    """
    title, content = f"{results.corpus.title}: results", sections(results)
    links = [("errors.html", "Sentences with errors (errors.html)")]
    return {
        "report.md": markdown.render(title, content),
        "report.html": page.render(title, content, system_names(results), links),
    }


def system_names(results: Results) -> list[str]:
    """The systems in their order, which gives each its colour."""
    return [name for name, _ in systems_of(results.needed("scores"))]


def write_plots(results: Results) -> None:
    """The pictures of report.md, in place of any that were there."""
    systems = system_names(results)
    folder, history, intervals = results.folder / "plots", results.table("history"), results.table("intervals")
    featured, few = results.featured(), few_shot_rows(results)
    shutil.rmtree(folder, ignore_errors=True)  # of systems that are no more, too
    if history is not None:
        history = pictured(results, history)
        save(loss_plot(history, PAPER_LOSSES if results.corpus.name == PAPER_CORPUS else ()), folder, "loss")
    if intervals is not None:
        save(dots_plot(interval_plot(results.corpus, intervals), systems), folder, "intervals")
    for block in (cost_plot(results), few_shot_plot(few) if few is not None else None):
        if block:
            save(lines_plot(block, systems), folder, str(block.picture))
    if domains := domain_plot(results):
        save(dots_plot(domains, systems), folder, str(domains.picture))
    save(type_plot(results.needed("scores_by_type"), featured), folder, "f1_by_type")
    for system in featured:
        save(confusion_plot(results.needed("confusion"), system), folder, f"confusion_{system}")


def error_page(results: Results) -> dict[str, str]:
    """errors.html and its text, if the corpus is here."""
    corpus = results.corpus
    if not prepared_file(corpus.name, "test.bio").is_file():
        return {}
    test = read_part(corpus.name, "test")
    types = [label[2:] for label in read_labels(corpus.name) if label.startswith("B-")]
    firsts = [f"{name}-{rows['seed'].iloc[0]}" for name, rows in systems_of(results.needed("scores"))]
    predictions = {}
    for run in firsts:
        path, command = results.folder / "predictions" / f"{run}.tags", results.command("scores")
        if path.is_file():  # first, so that a damaged file is told by its sum
            check_predictions(path, f"run {command}")
        predictions[run] = errors_page.read_predictions(path, test, types, command)
    return {"errors.html": errors_page.render(corpus, test, predictions, types)}


if __name__ == "__main__":
    run_main(main)
