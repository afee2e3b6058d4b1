"""Write the report of a corpus from the tables in results/<corpus>: report.md, report.html and plots/.

    python experiments/report.py --corpus mit_movie_eng

Needs no model and no corpus. Where the corpus is present, errors.html beside them shows every test sentence that some
system gets wrong.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from bert_ner.corpus.catalog import corpus_named
from bert_ner.files import write_whole
from pipeline import RESULTS, arguments, prepared_file, read_labels, read_part, run_politely
from plots import confusion_plot, dots_plot, loss_plot, save, type_plot
from reporting import errors_page, markdown, page
from reporting.content import sections
from reporting.formats import PAPER_CORPUS, PAPER_LOSSES
from reporting.scores import interval_plot, systems_of
from reporting.tables import Results


def main() -> None:
    results = Results(RESULTS, corpus_named(arguments(__doc__).corpus))
    title, content = f"{results.corpus.title}: results", sections(results)
    systems = [name for name, _ in systems_of(results.needed("scores"))]
    page_of_errors = write_errors(results)
    write_plots(results, systems)
    links = [("errors.html", "Sentences with errors")] if page_of_errors else []
    written = {"report.md": markdown.render(title, content), "report.html": page.render(title, content, systems, links)}
    for name, text in written.items():
        write_whole(results.folder / name, text)
    for path in [results.folder / name for name in written] + ([page_of_errors] if page_of_errors else []):
        print(f"{path} written")


def write_plots(results: Results, systems: list[str]) -> None:
    """The pictures of report.md, in place of any that were there."""
    folder, history, intervals = results.folder / "plots", results.table("history"), results.table("intervals")
    shutil.rmtree(folder, ignore_errors=True)  # of systems that are no more, too
    if history is not None:
        save(loss_plot(history, PAPER_LOSSES if results.corpus.name == PAPER_CORPUS else ()), folder, "loss")
    if intervals is not None:
        save(dots_plot(interval_plot(results.corpus, intervals), systems), folder, "intervals")
    save(type_plot(results.needed("scores_by_type"), systems), folder, "f1_by_type")
    for system in systems:
        save(confusion_plot(results.needed("confusion"), system), folder, f"confusion_{system}")


def write_errors(results: Results) -> Path | None:
    """errors.html, if the corpus is here; else none, and none that is left of an earlier run."""
    corpus, path = results.corpus, results.folder / "errors.html"
    path.unlink(missing_ok=True)
    if not prepared_file(corpus.name, "test.bio").is_file():
        return None
    test = read_part(corpus.name, "test")
    types = [label[2:] for label in read_labels(corpus.name) if label.startswith("B-")]
    firsts = {name: f"{name}-{rows['seed'].iloc[0]}" for name, rows in systems_of(results.needed("scores"))}
    predictions = {
        run: errors_page.read_predictions(
            results.folder / "predictions" / f"{run}.tags", test, types, results.command("scores")
        )
        for run in firsts.values()
    }
    write_whole(path, errors_page.render(corpus, test, predictions, types))
    return path


if __name__ == "__main__":
    run_politely(main)
