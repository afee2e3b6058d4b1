"""Write the report of a corpus from the tables in results/<corpus>: report.md, report.html and plots/.

    python experiments/report.py --corpus mit_movie_eng
    python experiments/report.py --domains     # compares the corpora, in results/domains

Needs no model and no corpus. Where the corpus is present, errors.html in the same folder shows every test sentence that
some system gets wrong.
"""

from harness.run_main import arguments, run_main

import shutil

from harness.paths import DOMAINS, RESULTS
from harness.provenance import read_provenance

from bert_ner.corpus.catalog import corpus_named
from bert_ner.files import write_whole
from reporting import markdown, page
from reporting.blocks import Plot
from reporting.content import report_content
from reporting.errors_page import error_page
from reporting.plots import save
from reporting.results import Results


def main() -> None:
    options = arguments(__doc__, domains={"action": "store_true", "help": "compare the corpora"})
    name = DOMAINS if options.domains else options.corpus
    folder = RESULTS / name
    read_provenance(RESULTS)  # names what a bad merge left out, before a section needs it
    title, content = report_content(RESULTS, name)
    errors = "" if options.domains else error_page(Results(RESULTS, corpus_named(name)))
    links = [] if options.domains else [("errors.html", "Sentences with errors (errors.html)")]
    pages = {"report.md": markdown.render(title, content), "report.html": page.render(title, content, links)}
    shutil.rmtree(folder / "plots", ignore_errors=True)
    (folder / "plots").mkdir(parents=True, exist_ok=True)  # DVC expects it, even without a plot
    for plot in (block for section in content for block in section.blocks if isinstance(block, Plot)):
        save(plot.figure, folder / "plots", plot.name)
    (folder / "errors.html").unlink(missing_ok=True)  # of a corpus that is no longer present
    for file, text in (pages | ({"errors.html": errors} if errors else {})).items():
        write_whole(folder / file, text)
        print(f"{folder / file} written")


if __name__ == "__main__":
    run_main(main)
